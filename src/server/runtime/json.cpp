#include "server/runtime/json.hpp"

#include <algorithm>
#include <cmath>

#include <boost/json/error.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>

#include "core/json_reader.hpp"
#include "core/limits.hpp"

namespace tombolo::server {

namespace json = boost::json;

namespace {

/// The parser makes infinities of numbers beyond the range of doubles, which could not be printed
/// as JSON again. REQUIRES: nesting within limits::document_depth_max.
bool is_finite(const json::value& value) {
    if (const double* number = value.if_double()) {
        return std::isfinite(*number);
    }
    if (const json::array* array = value.if_array()) {
        return std::all_of(array->begin(), array->end(), is_finite);
    }
    if (const json::object* object = value.if_object()) {
        return std::all_of(object->begin(), object->end(), [](const json::key_value_pair& member) {
            return is_finite(member.value());
        });
    }
    return true;
}

void print(const json::value& value, std::size_t indent, std::string& out) {
    const auto pad = [&](std::size_t level) { out.append(level * 4, ' '); };
    if (value.is_object() && !value.get_object().empty()) {
        out += "{\n";
        bool first = true;
        for (const auto& [key, member] : value.get_object()) {
            out += first ? "" : ",\n";
            first = false;
            pad(indent + 1);
            out += json::serialize(json::value(key));
            out += ": ";
            print(member, indent + 1, out);
        }
        out += '\n';
        pad(indent);
        out += '}';
    } else if (value.is_array() && !value.get_array().empty()) {
        out += "[\n";
        bool first = true;
        for (const json::value& element : value.get_array()) {
            out += first ? "" : ",\n";
            first = false;
            pad(indent + 1);
            print(element, indent + 1, out);
        }
        out += '\n';
        pad(indent);
        out += ']';
    } else {
        out += json::serialize(value);
    }
}

} // namespace

Result<json::value> parse_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = limits::document_depth_max;
    json::parser parser({}, options);
    boost::system::error_code error;
    const std::size_t read = parser.write_some(text, error);
    if (!error && read < text.size() &&
        text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
        error = json::error::extra_data;
    }
    if (!error) {
        json::value value = parser.release();
        if (!is_finite(value)) {
            return Error(ErrorCode::bad_json, "the JSON has a number too large for a double");
        }
        return value;
    }
    if (error == json::error::too_deep) {
        return Error(ErrorCode::limit_exceeded, "the JSON is nested too deep");
    }
    const std::string_view before = text.substr(0, std::min(read, text.size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t start = before.rfind('\n');
    const std::size_t column =
        before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
    return Error(ErrorCode::bad_json, "not valid JSON: " + error.message(),
                 "line " + std::to_string(line) + ", column " + std::to_string(column));
}

Result<json::object> parse_json_object(std::string_view text) {
    TOMBOLO_TRY(json::value value, parse_json(text));
    if (!value.is_object()) {
        return Error(ErrorCode::bad_json, "expected a JSON object");
    }
    return std::move(value.get_object());
}

std::string pretty_json(const json::value& value) {
    std::string out;
    print(value, 0, out);
    out += '\n';
    return out;
}

std::string string_or(const json::object& object, std::string_view key, std::string_view fallback) {
    const json::value* found = object.if_contains(key);
    if (found == nullptr || !found->is_string()) {
        return std::string(fallback);
    }
    return {found->get_string().data(), found->get_string().size()};
}

bool bool_or(const json::object& object, std::string_view key, bool fallback) {
    const json::value* found = object.if_contains(key);
    return found != nullptr && found->is_bool() ? found->get_bool() : fallback;
}

const json::object& object_or_empty(const json::object& object, std::string_view key) {
    static const json::object empty;
    const json::value* found = object.if_contains(key);
    return found != nullptr && found->is_object() ? found->get_object() : empty;
}

namespace {

Result<void> skip_scalar(JsonReader& reader) {
    const char next = reader.peek();
    if (next == '"') {
        TOMBOLO_TRY_VOID(reader.read_string());
    } else if (next == 't' || next == 'f' || next == 'n') {
        TOMBOLO_TRY_VOID(reader.read_word());
    } else {
        TOMBOLO_TRY_VOID(reader.read_number());
    }
    return {};
}

// One value of any kind, without recursion: `open` holds what closes each open container.
Result<void> skip_value(JsonReader& reader) {
    std::string open;
    do {
        const char next = reader.peek();
        bool opened = false;
        if (next == '{' || next == '[') {
            static_cast<void>(reader.take(next));
            open += next == '{' ? '}' : ']';
            if (open.size() > limits::document_depth_max) {
                return reader.error(ErrorCode::limit_exceeded, "JSON is nested too deeply");
            }
            opened = true;
        } else {
            TOMBOLO_TRY_VOID(skip_scalar(reader));
        }
        // After a value: what ends, then a comma; after an opening: perhaps the end at once.
        while (!open.empty() && reader.take(open.back())) {
            open.pop_back();
            opened = false;
        }
        if (!open.empty()) {
            if (!opened) {
                TOMBOLO_TRY_VOID(reader.expect(','));
            }
            if (open.back() == '}') {
                TOMBOLO_TRY_VOID(reader.read_string());
                TOMBOLO_TRY_VOID(reader.expect(':'));
            }
        }
    } while (!open.empty());
    return {};
}

} // namespace

Result<std::vector<std::pair<std::string, std::string_view>>> json_members(std::string_view text) {
    std::vector<std::pair<std::string, std::string_view>> out;
    JsonReader reader(text);
    TOMBOLO_TRY_VOID(reader.expect('{'));
    if (!reader.take('}')) {
        do {
            TOMBOLO_TRY(std::string key, reader.read_string());
            TOMBOLO_TRY_VOID(reader.expect(':'));
            static_cast<void>(reader.peek());
            const std::size_t begin = reader.offset();
            TOMBOLO_TRY_VOID(skip_value(reader));
            out.emplace_back(std::move(key), text.substr(begin, reader.offset() - begin));
        } while (reader.take(','));
        TOMBOLO_TRY_VOID(reader.expect('}'));
    }
    TOMBOLO_TRY_VOID(reader.expect_end());
    return out;
}

} // namespace tombolo::server
