#pragma once

// String operators (database-and-sdk.md 3.4, 3.5): substring, prefix, suffix, LIKE, each also
// ignoring case.
//
// Case folding is that of the published clients: code points below 592 (Latin) fold, all others
// compare as they are. Nothing here allocates; all functions are linear except LIKE, which is at
// worst |text| * |pattern|. Ill-formed UTF-8 is compared byte for byte.

#include <string>
#include <string_view>

namespace tombolo::query {

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;
bool begins_with(std::string_view text, std::string_view needle, bool ignore_case) noexcept;
bool ends_with(std::string_view text, std::string_view needle, bool ignore_case) noexcept;
bool contains(std::string_view text, std::string_view needle, bool ignore_case) noexcept;

/// "*" stands for any run, "?" for exactly one character (one byte when `bytes`); there is no
/// escape.
bool like(std::string_view text, std::string_view pattern, bool ignore_case, bool bytes) noexcept;

/// The text with every code point folded: equal for texts that are equal ignoring case.
std::string folded(std::string_view text);

} // namespace tombolo::query
