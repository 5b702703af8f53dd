#include "server/runtime/json.hpp"

#include <boost/json/serialize.hpp>

#include "core/json_reader.hpp"
#include "core/limits.hpp"

namespace tombolo::server {

namespace json = boost::json;

namespace {

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
