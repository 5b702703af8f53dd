#include "query/literal_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "core/bytes.hpp"

namespace tombolo::query {
namespace {

bool is_safe(std::string_view text) noexcept {
    if (!is_utf8(text)) {
        return false;
    }
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F || c == '"' || c == '\\' || c == '\'') {
            return false;
        }
    }
    return true;
}

template <class Float>
void append_floating(std::string& out, Float value) {
    if (std::isnan(value)) {
        out += "nan";
    } else if (std::isinf(value)) {
        out += value < 0 ? "-inf" : "inf";
    } else {
        // Shortest text that reads back to the same bits, made a float by a point if it has none.
        const std::string text = fmt::format("{}", value);
        out += text;
        if (text.find_first_of(".e") == std::string::npos) {
            out += ".0";
        }
    }
}

void append_key(std::string& out, const PrimaryKeyView& key) {
    std::visit(
        [&out](const auto& alternative) {
            using T = std::decay_t<decltype(alternative)>;
            if constexpr (std::is_same_v<T, GlobalKey>) {
                append_string(out, to_text(PrimaryKeyView(alternative)));
            } else {
                append_scalar(out, ScalarView(alternative));
            }
        },
        key);
}

struct Appender {
    std::string& out;

    void operator()(std::monostate) const { out += "NULL"; }
    void operator()(std::int64_t value) const { out += fmt::format("{}", value); }
    void operator()(bool value) const { out += value ? "true" : "false"; }
    void operator()(std::string_view text) const { append_string(out, text); }
    void operator()(const BinaryView& binary) const { append_binary(out, as_text(binary.bytes)); }
    void operator()(const Timestamp& time) const {
        out += fmt::format("T{}:{}", time.seconds(), time.nanoseconds());
    }
    void operator()(float value) const {
        append_floating(out, value);
        if (std::isfinite(value)) {
            out += 'f';
        }
    }
    void operator()(double value) const { append_floating(out, value); }
    void operator()(const Decimal128& value) const {
        const std::string text = value.to_string();
        if (value.is_nan()) {
            out += "nan";
        } else if (value.is_infinite()) {
            out += value.is_negative() ? "-inf" : "inf";
        } else {
            out += text;
        }
    }
    void operator()(const LinkView& link) const {
        out += "obj(";
        append_string(out, link.class_name);
        out += ", ";
        append_key(out, link.key);
        out += ')';
    }
    void operator()(const ObjectId& id) const { out += "oid(" + id.to_string() + ")"; }
    void operator()(const Uuid& id) const { out += "uuid(" + id.to_string() + ")"; }
};

} // namespace

void append_string(std::string& out, std::string_view text) {
    if (is_safe(text)) {
        out += '"';
        out += text;
        out += '"';
    } else {
        out += "B64\"" + to_base64(as_bytes(text)) + "\"";
    }
}

void append_binary(std::string& out, std::string_view bytes) {
    out += "bin(B64\"" + to_base64(as_bytes(bytes)) + "\")";
}

void append_name(std::string& out, std::string_view name) {
    for (char c : name) {
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            out += '\\';
        }
        out += c;
    }
}

void append_scalar(std::string& out, const ScalarView& value) {
    std::visit(Appender{out}, value);
}

} // namespace tombolo::query
