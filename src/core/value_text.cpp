// Readable text of values, for messages and test output.

#include "core/text.hpp"
#include "core/value.hpp"

namespace tombolo {

namespace {

struct ScalarText {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::string_view value) const { return quoted(value); }
    std::string operator()(const BinaryView& value) const {
        return "Data(" + to_hex(value.bytes) + ")";
    }
    std::string operator()(const Timestamp& value) const {
        return "Date(" + value.to_string() + ")";
    }
    std::string operator()(float value) const { return "Float(" + number_text(value) + ")"; }
    std::string operator()(double value) const { return number_text(value); }
    std::string operator()(const Decimal128& value) const {
        return "Decimal128(" + value.to_string() + ")";
    }
    std::string operator()(const LinkView& value) const {
        return "Link(" + std::string(value.class_name) + ", " + to_text(value.key) + ")";
    }
    std::string operator()(const ObjectId& value) const { return to_text(PrimaryKeyView(value)); }
    std::string operator()(const Uuid& value) const { return to_text(PrimaryKeyView(value)); }
};

void append_text(std::string& out, const Value& value);

void append_elements(std::string& out, const std::vector<Value>& elements) {
    const char* separator = "";
    for (const Value& element : elements) {
        out += separator;
        append_text(out, element);
        separator = ", ";
    }
}

void append_entries(std::string& out, const Dictionary& dictionary) {
    const char* separator = "";
    for (const auto& [key, value] : dictionary.entries()) {
        out += separator;
        append_quoted(out, key);
        out += ": ";
        append_text(out, value);
        separator = ", ";
    }
}

void append_text(std::string& out, const Value& value) {
    if (value.is_scalar()) {
        out += to_text(value.scalar());
    } else if (const List* list = value.get_if<List>()) {
        out += '[';
        append_elements(out, list->elements);
        out += ']';
    } else if (const Set* set = value.get_if<Set>()) {
        out += "Set(";
        append_elements(out, set->elements());
        out += ')';
    } else if (const Dictionary* dictionary = value.get_if<Dictionary>()) {
        out += '{';
        append_entries(out, *dictionary);
        out += '}';
    } else if (const Object* object = value.get_if<Object>()) {
        out += "Object{";
        append_entries(out, object->fields);
        out += '}';
    }
}

} // namespace

std::string to_text(const ScalarView& value) {
    return std::visit(ScalarText{}, value);
}

std::string to_text(const Value& value) {
    std::string out;
    append_text(out, value);
    return out;
}

} // namespace tombolo
