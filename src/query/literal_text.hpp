#pragma once

// Constants and names as query text: what every printer of this layer emits, so that it parses back
// to the same value.
//
// Strings with quotes, backslashes or control characters are emitted as B64"...": older clients
// take escapes literally (database-and-sdk.md 3.6).

#include <string>
#include <string_view>

#include "core/value.hpp"

namespace tombolo::query {

void append_string(std::string& out, std::string_view text);

/// bin(B64"...").
void append_binary(std::string& out, std::string_view bytes);

/// A path element: blanks escaped.
void append_name(std::string& out, std::string_view name);

/// Links print as obj("Class", key); GlobalKeys, which have no literal, as their text in obj(...).
void append_scalar(std::string& out, const ScalarView& value);

} // namespace tombolo::query
