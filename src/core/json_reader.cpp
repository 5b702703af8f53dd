#include "core/json_reader.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/bytes.hpp"

namespace tombolo {

namespace {

bool is_digit(char character) noexcept {
    return character >= '0' && character <= '9';
}

bool is_space(char character) noexcept {
    return character == ' ' || character == '\n' || character == '\r' || character == '\t';
}

void append_utf8(std::string& out, std::uint32_t point) {
    const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xc0 | point >> 6);
        put(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        put(0xe0 | point >> 12);
        put(0x80 | (point >> 6 & 0x3f));
        put(0x80 | (point & 0x3f));
    } else {
        put(0xf0 | point >> 18);
        put(0x80 | (point >> 12 & 0x3f));
        put(0x80 | (point >> 6 & 0x3f));
        put(0x80 | (point & 0x3f));
    }
}

/// Length of the JSON number at the start of the text, 0 if there is none.
std::size_t number_length(std::string_view text, bool& is_whole) noexcept {
    std::size_t i = 0;
    const auto digits = [&]() noexcept {
        const std::size_t begin = i;
        while (i < text.size() && is_digit(text[i])) {
            ++i;
        }
        return i - begin;
    };
    is_whole = true;
    if (i < text.size() && text[i] == '-') {
        ++i;
    }
    const std::size_t first = i;
    const std::size_t count = digits();
    if (count == 0 || (count > 1 && text[first] == '0')) {
        return 0;
    }
    if (i < text.size() && text[i] == '.') {
        is_whole = false;
        ++i;
        if (digits() == 0) {
            return 0;
        }
    }
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        is_whole = false;
        ++i;
        if (i < text.size() && (text[i] == '+' || text[i] == '-')) {
            ++i;
        }
        if (digits() == 0) {
            return 0;
        }
    }
    return i;
}

} // namespace

Error JsonReader::error_at(ErrorCode code, std::string message, std::size_t offset) const {
    const std::string_view before = text_.substr(0, std::min(offset, text_.size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t line_begin = before.rfind('\n') + 1; // npos + 1 is 0
    return Error(code, std::move(message),
                 fmt::format("line {}, column {}", line, before.size() - line_begin + 1));
}

char JsonReader::peek() noexcept {
    while (offset_ < text_.size() && is_space(text_[offset_])) {
        ++offset_;
    }
    return offset_ < text_.size() ? text_[offset_] : '\0';
}

bool JsonReader::take(char expected) noexcept {
    if (peek() != expected || offset_ >= text_.size()) {
        return false;
    }
    ++offset_;
    return true;
}

Result<void> JsonReader::expect(char expected) {
    if (!take(expected)) {
        return error(ErrorCode::bad_json, fmt::format("expected '{}'", expected));
    }
    return {};
}

Result<void> JsonReader::expect_end() {
    peek();
    if (offset_ != text_.size()) {
        return error(ErrorCode::bad_json, "unexpected text after the end of the JSON value");
    }
    return {};
}

Result<std::string> JsonReader::read_string() {
    if (!take('"')) {
        return error(ErrorCode::bad_json, "expected a string");
    }
    std::string out;
    for (;;) {
        const std::size_t begin = offset_;
        while (offset_ < text_.size() && text_[offset_] != '"' && text_[offset_] != '\\' &&
               static_cast<unsigned char>(text_[offset_]) >= 0x20) {
            ++offset_;
        }
        const std::string_view plain = text_.substr(begin, offset_ - begin);
        // Escapes are ASCII, so a sequence of several bytes never spans two plain pieces.
        if (!is_utf8(plain)) {
            return error_at(ErrorCode::bad_json, "a string is not valid UTF-8", begin);
        }
        out += plain;
        if (offset_ == text_.size()) {
            return error(ErrorCode::bad_json, "a string is not closed");
        }
        const char character = text_[offset_];
        if (character == '"') {
            ++offset_;
            return out;
        }
        if (character != '\\') {
            return error(ErrorCode::bad_json, "a control character in a string must be escaped");
        }
        TOMBOLO_TRY_VOID(read_escape(out));
    }
}

Result<void> JsonReader::read_escape(std::string& out) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const std::size_t begin = offset_;
    ++offset_; // the backslash
    const char letter = offset_ < text_.size() ? text_[offset_] : '\0';
    ++offset_;
    if (letter != 'u') {
        const std::size_t index = letter == '\0' ? letters.npos : letters.find(letter);
        if (index == letters.npos) {
            return error_at(ErrorCode::bad_json, "unknown escape in a string", begin);
        }
        out += meanings[index];
        return {};
    }
    TOMBOLO_TRY(std::uint32_t point, read_hex4());
    if (point >= 0xd800 && point < 0xdc00 && text_.substr(offset_, 2) == "\\u") {
        offset_ += 2;
        TOMBOLO_TRY(const std::uint32_t low, read_hex4());
        if (low >= 0xdc00 && low < 0xe000) {
            point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    if (point >= 0xd800 && point < 0xe000) {
        return error_at(ErrorCode::bad_json, "a lone surrogate in a string", begin);
    }
    append_utf8(out, point);
    return {};
}

Result<std::uint32_t> JsonReader::read_hex4() {
    std::uint32_t value = 0;
    const std::string_view digits = text_.substr(std::min(offset_, text_.size()), 4);
    const char* end = digits.data() + digits.size();
    if (digits.size() != 4 || std::from_chars(digits.data(), end, value, 16).ptr != end) {
        return error(ErrorCode::bad_json, "expected four hex digits after \\u");
    }
    offset_ += 4;
    return value;
}

Result<std::variant<std::int64_t, double>> JsonReader::read_number() {
    peek();
    bool is_whole = false;
    const std::size_t length = number_length(text_.substr(offset_), is_whole);
    if (length == 0) {
        return error(ErrorCode::bad_json, "expected a JSON value");
    }
    const char* begin = text_.data() + offset_;
    const char* end = begin + length;
    std::variant<std::int64_t, double> number;
    std::int64_t whole = 0;
    if (is_whole && text_.substr(offset_, length) != "-0" &&
        std::from_chars(begin, end, whole).ec == std::errc()) {
        number = whole;
    } else {
        // "-0" keeps its sign as a double.
        double real = 0;
        const auto result = std::from_chars(begin, end, real);
        if (result.ec == std::errc::result_out_of_range) {
            // Too small a number is a zero; too large a one has no double.
            const std::string_view digits(begin, length);
            const std::size_t exponent = digits.find_first_of("eE");
            if (exponent == digits.npos || digits[exponent + 1] != '-') {
                return error(ErrorCode::bad_json, "a number is too large for a double");
            }
            real = digits[0] == '-' ? -0.0 : 0.0;
        }
        number = real;
    }
    offset_ += length;
    return number;
}

Result<std::variant<std::monostate, bool>> JsonReader::read_word() {
    peek();
    using Word = std::variant<std::monostate, bool>;
    const std::string_view rest = text_.substr(offset_);
    const auto taken = [&](std::string_view word) {
        if (rest.substr(0, word.size()) != word) {
            return false;
        }
        offset_ += word.size();
        return true;
    };
    if (taken("true")) {
        return Word(true);
    }
    if (taken("false")) {
        return Word(false);
    }
    if (taken("null")) {
        return Word();
    }
    return error(ErrorCode::bad_json,
                 offset_ == text_.size() ? "the text ends early" : "expected a JSON value");
}

} // namespace tombolo
