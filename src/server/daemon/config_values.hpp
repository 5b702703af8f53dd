#pragma once

// A configuration file as flat keys and values, whichever syntax it has.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.hpp"

namespace tombolo::server {

using ConfigValue = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;

/// Errors say line and column, or the key whose value is none of the above.
Result<std::map<std::string, ConfigValue>> read_toml_values(std::string_view text);
Result<std::map<std::string, ConfigValue>> read_json_values(std::string_view text);

} // namespace tombolo::server
