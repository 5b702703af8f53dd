#include "schema/json_text.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "core/text.hpp"

namespace tombolo::schema {

namespace {

namespace json = boost::json;

std::string position_text(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start =
        before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    return "line " + std::to_string(line) + ", column " + std::to_string(offset - line_start + 1);
}

void print_pretty(std::string& out, const json::value& value, std::size_t level) {
    constexpr std::size_t indent = 4;
    const auto new_line = [&](std::size_t depth) {
        out += '\n';
        out.append(depth * indent, ' ');
    };
    if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
        out += '{';
        bool first = true;
        for (const auto& member : *object) {
            out += first ? "" : ",";
            first = false;
            new_line(level + 1);
            append_quoted(out, member.key());
            out += ": ";
            print_pretty(out, member.value(), level + 1);
        }
        new_line(level);
        out += '}';
    } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
        out += '[';
        bool first = true;
        for (const json::value& element : *array) {
            out += first ? "" : ",";
            first = false;
            new_line(level + 1);
            print_pretty(out, element, level + 1);
        }
        new_line(level);
        out += ']';
    } else {
        out += json::serialize(value);
    }
}

} // namespace

Result<json::value> parse_json(std::string_view text, std::string_view what) {
    if (text.size() > limits::document_bytes_max) {
        return Error(ErrorCode::limit_exceeded,
                     std::string(what) + " has " + std::to_string(text.size()) +
                         " bytes; at most " + std::to_string(limits::document_bytes_max) +
                         " are accepted");
    }
    json::parse_options options;
    options.max_depth = schema_json_depth_max;
    json::stream_parser parser({}, options);
    json::error_code code;
    const std::size_t consumed = parser.write_some(text.data(), text.size(), code);
    if (!code && consumed < text.size() &&
        text.find_first_not_of(" \t\r\n", consumed) != std::string_view::npos) {
        code = json::error::extra_data;
    }
    if (!code) {
        parser.finish(code);
    }
    if (code == json::error::too_deep) {
        return Error(ErrorCode::limit_exceeded, std::string(what) + " is nested deeper than " +
                                                    std::to_string(schema_json_depth_max) +
                                                    " levels of JSON");
    }
    if (code) {
        return Error(ErrorCode::bad_json, std::string(what) + " is not JSON: " + code.message(),
                     position_text(text, std::min(consumed, text.size())));
    }
    return parser.release();
}

std::string print_json(const json::value& value, JsonStyle style) {
    if (style == JsonStyle::compact) {
        return json::serialize(value);
    }
    std::string out;
    print_pretty(out, value, 0);
    out += '\n';
    return out;
}

std::string_view json_kind(const json::value& value) noexcept {
    switch (value.kind()) {
    case json::kind::null:
        return "null";
    case json::kind::bool_:
        return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
        return "a number";
    case json::kind::string:
        return "a string";
    case json::kind::array:
        return "an array";
    case json::kind::object:
        return "an object";
    }
    return "something else";
}

} // namespace tombolo::schema
