#include "server/daemon/config_values.hpp"

#include <toml++/toml.h>

#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace {

Error no_value(const std::string& key) {
    return Error(ErrorCode::invalid_argument,
                 "'" + key +
                     "' must be a string, a whole number, true or false, or an array of "
                     "strings");
}

} // namespace

Result<std::map<std::string, ConfigValue>> read_toml_values(std::string_view text) {
    toml::table table;
    try { // the library as packaged reports by exception
        table = toml::parse(text);
    } catch (const toml::parse_error& error) {
        const toml::source_position at = error.source().begin;
        return Error(ErrorCode::invalid_argument, std::string(error.description()),
                     "line " + std::to_string(at.line) + ", column " + std::to_string(at.column));
    }
    std::map<std::string, ConfigValue> out;
    for (const auto& [name, node] : table) {
        const std::string key(name.str());
        if (const auto* one = node.as_string()) {
            out[key] = one->get();
        } else if (const auto* number = node.as_integer()) {
            out[key] = number->get();
        } else if (const auto* flag = node.as_boolean()) {
            out[key] = flag->get();
        } else if (const auto* array = node.as_array()) {
            std::vector<std::string> list;
            for (const toml::node& element : *array) {
                if (!element.is_string()) {
                    return no_value(key);
                }
                list.push_back(element.as_string()->get());
            }
            out[key] = std::move(list);
        } else {
            return no_value(key);
        }
    }
    return out;
}

Result<std::map<std::string, ConfigValue>> read_json_values(std::string_view text) {
    TOMBOLO_TRY(const boost::json::object object, parse_json_object(text));
    std::map<std::string, ConfigValue> out;
    for (const auto& [name, value] : object) {
        const std::string key(name);
        if (value.is_string()) {
            out[key] = std::string(value.get_string().data(), value.get_string().size());
        } else if (value.is_int64()) {
            out[key] = value.get_int64();
        } else if (value.is_bool()) {
            out[key] = value.get_bool();
        } else if (value.is_array()) {
            std::vector<std::string> list;
            for (const boost::json::value& element : value.get_array()) {
                if (!element.is_string()) {
                    return no_value(key);
                }
                list.emplace_back(element.get_string().data(), element.get_string().size());
            }
            out[key] = std::move(list);
        } else {
            return no_value(key);
        }
    }
    return out;
}

} // namespace tombolo::server
