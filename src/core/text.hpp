#pragma once

// Small text forms shared by messages and formats.

#include <string>
#include <string_view>

namespace tombolo {

/// The text in double quotes with JSON's escapes; bytes that are no UTF-8 are kept as they are.
std::string quoted(std::string_view text);

/// Appends quoted(text).
void append_quoted(std::string& out, std::string_view text);

/// Shortest text that parses back to the same number, with a point or exponent ("1.0", "1e+300");
/// "NaN", "Infinity",
/// "-Infinity".
std::string number_text(double value);
std::string number_text(float value);

} // namespace tombolo
