#include "query/lexer.hpp"

#include <array>
#include <cstddef>

#include <fmt/format.h>

namespace tombolo::query {
namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_hex(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_first(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool is_rest(char c) noexcept {
    return is_first(c) || is_digit(c) || c == '-';
}

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

unsigned hex_digit(char c) noexcept {
    if (is_digit(c)) {
        return static_cast<unsigned>(c - '0');
    }
    return static_cast<unsigned>((c | 0x20) - 'a') + 10;
}

unsigned hex_unit(std::string_view four) noexcept {
    unsigned unit = 0;
    for (char c : four) {
        unit = unit * 16 + hex_digit(c);
    }
    return unit;
}

void append_utf8(std::string& out, unsigned code_point) {
    auto put = [&out](unsigned byte) {
        out += static_cast<char>(static_cast<unsigned char>(byte));
    };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xC0 | (code_point >> 6));
        put(0x80 | (code_point & 0x3F));
    } else if (code_point < 0x10000) {
        put(0xE0 | (code_point >> 12));
        put(0x80 | ((code_point >> 6) & 0x3F));
        put(0x80 | (code_point & 0x3F));
    } else {
        put(0xF0 | (code_point >> 18));
        put(0x80 | ((code_point >> 12) & 0x3F));
        put(0x80 | ((code_point >> 6) & 0x3F));
        put(0x80 | (code_point & 0x3F));
    }
}

bool is_high_surrogate(unsigned unit) noexcept {
    return unit >= 0xD800 && unit < 0xDC00;
}
bool is_low_surrogate(unsigned unit) noexcept {
    return unit >= 0xDC00 && unit < 0xE000;
}

bool starts_character(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

/// The query text for messages: whole when short, else a window around the place, cut between
/// characters.
std::string excerpt(std::string_view text, std::size_t offset) {
    constexpr std::size_t around = 60;
    if (text.size() <= 2 * around) {
        return std::string(text);
    }
    std::size_t begin = offset > around ? offset - around : 0;
    std::size_t end = offset + around < text.size() ? offset + around : text.size();
    while (begin > 0 && !starts_character(text[begin])) {
        --begin;
    }
    while (end < text.size() && !starts_character(text[end])) {
        ++end;
    }
    return (begin > 0 ? "..." : "") + std::string(text.substr(begin, end - begin)) +
           (end < text.size() ? "..." : "");
}

} // namespace

Error syntax_error(std::string_view query_text, std::size_t offset, std::string_view what,
                   std::string_view found) {
    return error_at(ErrorCode::query_syntax, query_text, offset, what, found);
}

Error error_at(ErrorCode code, std::string_view query_text, std::size_t offset,
               std::string_view what, std::string_view found) {
    offset = offset < query_text.size() ? offset : query_text.size();
    std::size_t column = 1;
    for (std::size_t i = 0; i < offset; ++i) {
        column += starts_character(query_text[i]) ? 1 : 0;
    }
    std::string message = fmt::format("Invalid predicate '{}': {} at column {}",
                                      excerpt(query_text, offset), what, column);
    if (!found.empty()) {
        message += fmt::format(", found '{}'", excerpt(found, 0));
    }
    return Error(code, std::move(message));
}

Token Lexer::make(TokenKind kind, std::size_t begin, std::size_t end, std::size_t trim) noexcept {
    position_ = end;
    return {kind, text_.substr(begin + trim, end - begin - trim), static_cast<std::uint32_t>(begin),
            static_cast<std::uint32_t>(end)};
}

Result<Token> Lexer::next() {
    while (position_ < text_.size() && is_blank(text_[position_])) {
        ++position_;
    }
    const std::size_t begin = position_;
    if (begin == text_.size()) {
        return make(TokenKind::end, begin, begin);
    }
    const char c = text_[begin];
    Token token;
    if (is_digit(c) || (c == '.' && is_digit(at(begin + 1)))) {
        return lex_date(token) ? Result<Token>(token) : lex_number();
    }
    if (c == '"' || c == '\'') {
        return lex_string(begin, TokenKind::string);
    }
    if (c == 'B' && text_.substr(begin, 4) == "B64\"") {
        return lex_string(begin + 3, TokenKind::base64);
    }
    if (lex_tick(token) || lex_object_key(token)) {
        return token;
    }
    if (text_.substr(begin, 5) == "uuid(") {
        return lex_wrapped(5, TokenKind::uuid, 36, "a UUID as uuid(8-4-4-4-12 hex digits)");
    }
    if (text_.substr(begin, 4) == "oid(") {
        return lex_wrapped(4, TokenKind::object_id, 24, "an ObjectId as oid(24 hex digits)");
    }
    if (c == '$') {
        return lex_dollar();
    }
    if (is_first(c) || c == '@' || c == '\\') {
        return lex_name();
    }
    static constexpr std::array<std::string_view, 9> pairs = {"==", "!=", "<>", "<=", "=<",
                                                              ">=", "=>", "&&", "||"};
    for (std::string_view pair : pairs) {
        if (text_.substr(begin, 2) == pair) {
            return make(TokenKind::symbol, begin, begin + 2);
        }
    }
    if (std::string_view("=<>!+-*/(){}[],.").find(c) != std::string_view::npos) {
        return make(TokenKind::symbol, begin, begin + 1);
    }
    std::size_t end = begin + 1;
    return syntax_error(text_, begin, "unexpected character", text_.substr(begin, end - begin));
}

Result<Token> Lexer::lex_number() {
    const std::size_t begin = position_;
    std::size_t end = begin;
    if (at(end) == '0' && (at(end + 1) == 'x' || at(end + 1) == 'X') && is_hex(at(end + 2))) {
        end += 2;
        while (is_hex(at(end))) {
            ++end;
        }
        return make(TokenKind::hex, begin, end);
    }
    bool floating = false;
    while (is_digit(at(end))) {
        ++end;
    }
    if (at(end) == '.') {
        floating = true;
        ++end;
        while (is_digit(at(end))) {
            ++end;
        }
    }
    if (at(end) == 'e' || at(end) == 'E') {
        const std::size_t sign = at(end + 1) == '+' || at(end + 1) == '-' ? 1 : 0;
        if (is_digit(at(end + 1 + sign))) {
            floating = true;
            end += 1 + sign;
            while (is_digit(at(end))) {
                ++end;
            }
        }
    }
    if ((at(end) == 'f' || at(end) == 'F') && !is_rest(at(end + 1))) {
        floating = true;
        ++end;
    }
    return make(floating ? TokenKind::floating : TokenKind::integer, begin, end);
}

bool Lexer::lex_date(Token& token) noexcept {
    std::size_t end = position_;
    auto digits = [this, &end] {
        const std::size_t from = end;
        while (is_digit(at(end))) {
            ++end;
        }
        return end > from;
    };
    auto symbol = [this, &end](char c) { return at(end) == c ? (++end, true) : false; };
    const bool date = digits() && symbol('-') && digits() && symbol('-') && digits() &&
                      (symbol('@') || symbol('T')) && digits() && symbol(':') && digits() &&
                      symbol(':') && digits();
    if (!date) {
        return false;
    }
    if (at(end) == ':' && is_digit(at(end + 1))) {
        ++end;
        digits();
    }
    token = make(TokenKind::timestamp, position_, end);
    return true;
}

bool Lexer::lex_tick(Token& token) noexcept {
    if (at(position_) != 'T') {
        return false;
    }
    std::size_t end = position_ + 1;
    for (int part = 0; part < 2; ++part) {
        if (part == 1 && at(end++) != ':') {
            return false;
        }
        if (at(end) == '+' || at(end) == '-') {
            ++end;
        }
        const std::size_t from = end;
        while (is_digit(at(end))) {
            ++end;
        }
        if (end == from) {
            return false;
        }
    }
    token = make(TokenKind::timestamp, position_, end);
    return true;
}

bool Lexer::lex_object_key(Token& token) noexcept {
    const char kind = at(position_);
    if ((kind != 'O' && kind != 'L') || !is_digit(at(position_ + 1))) {
        return false;
    }
    std::size_t end = position_ + 1;
    while (is_digit(at(end))) {
        ++end;
    }
    if (kind == 'L') {
        if (at(end) != ':' || !is_digit(at(end + 1))) {
            return false;
        }
        ++end;
        while (is_digit(at(end))) {
            ++end;
        }
    }
    if (is_rest(at(end))) {
        return false;
    }
    token = make(TokenKind::object_key, position_, end);
    return true;
}

Result<Token> Lexer::lex_wrapped(std::size_t prefix, TokenKind kind, std::size_t length,
                                 const char* what) {
    const std::size_t begin = position_;
    const std::size_t close = text_.find(')', begin);
    const std::string_view inner = close == std::string_view::npos
                                       ? std::string_view()
                                       : text_.substr(begin + prefix, close - begin - prefix);
    bool good = inner.size() == length;
    for (std::size_t i = 0; good && i < length; ++i) {
        const bool dash = kind == TokenKind::uuid && (i == 8 || i == 13 || i == 18 || i == 23);
        good = dash ? inner[i] == '-' : is_hex(inner[i]);
    }
    if (!good) {
        return syntax_error(text_, begin, std::string("expected ") + what,
                            text_.substr(begin, prefix + length + 1));
    }
    position_ = close + 1;
    return Token{kind, inner, static_cast<std::uint32_t>(begin),
                 static_cast<std::uint32_t>(close + 1)};
}

Result<Token> Lexer::lex_string(std::size_t begin, TokenKind kind) {
    const std::size_t start = position_;
    const char quote = text_[begin];
    std::size_t i = begin + 1;
    while (i < text_.size() && text_[i] != quote) {
        if (text_[i] != '\\' || kind == TokenKind::base64) {
            ++i;
            continue;
        }
        const char escape = at(i + 1);
        if (escape == 'u') {
            for (std::size_t k = 2; k < 6; ++k) {
                if (!is_hex(at(i + k))) {
                    return syntax_error(text_, i, "expected 4 hex digits behind \\u");
                }
            }
            i += 6;
        } else if (escape != '\0' &&
                   std::string_view("\"'/\\bfnrt0").find(escape) != std::string_view::npos) {
            i += 2;
        } else {
            return syntax_error(text_, i, "unknown escape in string", text_.substr(i, 2));
        }
    }
    if (i >= text_.size()) {
        return syntax_error(text_, start, "string is not closed");
    }
    return make(kind, start, i + 1);
}

Result<Token> Lexer::lex_name() {
    const std::size_t begin = position_;
    std::size_t end = begin;
    if (at(end) == '@') {
        ++end;
    }
    bool first = true;
    while (end < text_.size()) {
        if (text_[end] == '\\' && end + 1 < text_.size() && is_blank(text_[end + 1])) {
            end += 2;
        } else if (first ? is_first(text_[end]) : is_rest(text_[end])) {
            ++end;
        } else {
            break;
        }
        first = false;
    }
    if (first) {
        return syntax_error(text_, begin, "expected a name", text_.substr(begin, 1));
    }
    return make(TokenKind::name, begin, end);
}

Result<Token> Lexer::lex_dollar() {
    const std::size_t begin = position_;
    const std::size_t prefix = at(begin + 1) == 'K' ? 2 : 1;
    std::size_t end = begin + prefix;
    while (is_digit(at(end))) {
        ++end;
    }
    if (end > begin + prefix && !is_rest(at(end)) && at(end) != '\\') {
        return make(prefix == 2 ? TokenKind::path_argument : TokenKind::argument, begin, end,
                    prefix);
    }
    return lex_name();
}

std::string decode_string(std::string_view raw) {
    std::string out;
    raw = raw.substr(1, raw.size() - 2);
    out.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '\\') {
            out += raw[i];
            continue;
        }
        ++i;
        switch (raw[i]) {
        case 'b':
            out += '\b';
            break;
        case 'f':
            out += '\f';
            break;
        case 'n':
            out += '\n';
            break;
        case 'r':
            out += '\r';
            break;
        case 't':
            out += '\t';
            break;
        case '0':
            out += '\0';
            break;
        case 'u': {
            unsigned unit = hex_unit(raw.substr(i + 1, 4));
            i += 4;
            if (is_high_surrogate(unit) && raw.substr(i + 1, 2) == "\\u") {
                const unsigned low = hex_unit(raw.substr(i + 3, 4));
                if (is_low_surrogate(low)) {
                    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                    i += 6;
                }
            }
            // Half a surrogate pair is no character: the replacement character keeps the string
            // well-formed.
            const bool half = is_high_surrogate(unit) || is_low_surrogate(unit);
            append_utf8(out, half ? 0xFFFD : unit);
            break;
        }
        default:
            out += raw[i];
        }
    }
    return out;
}

std::string decode_name(std::string_view raw) {
    std::string out;
    out.reserve(raw.size());
    for (char c : raw) {
        if (c != '\\') {
            out += c;
        }
    }
    return out;
}

} // namespace tombolo::query
