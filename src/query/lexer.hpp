#pragma once

// Cuts query text into tokens (database-and-sdk.md 3.1). One pass, no allocation except in decoded
// strings.
//
// Keywords are plain `name` tokens: whether "contains" is an operator or a property depends on
// where it stands, which only the parser knows. Signs are separate tokens; the parser joins a sign
// to the number that touches it.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace tombolo::query {

enum class TokenKind : std::uint8_t {
    end,
    name,          ///< raw spelling, escapes not yet decoded; also "@links", "@count", ...
    integer,       ///< digits
    hex,           ///< 0x...
    floating,      ///< digits with point, exponent or trailing f
    string,        ///< raw spelling with its quotes
    base64,        ///< raw spelling: B64"..."
    timestamp,     ///< T<s>:<ns> or <y>-<m>-<d>@<h>:<m>:<s>[:<ns>]
    uuid,          ///< the 36 characters alone
    object_id,     ///< the 24 characters alone
    object_key,    ///< O<digits>, L<digits>:<digits>
    argument,      ///< the digits behind $
    path_argument, ///< the digits behind $K
    symbol,        ///< operator or punctuation, raw spelling
};

struct Token {
    TokenKind kind = TokenKind::end;
    std::string_view text;    ///< borrows the query text
    std::uint32_t offset = 0; ///< of the token's first byte
    std::uint32_t end = 0;    ///< behind its last byte
};

class Lexer {
  public:
    /// `text` must outlive the lexer and its tokens.
    explicit Lexer(std::string_view text) noexcept : text_(text) {}

    /// The next token; at the end of the text an `end` token, again and again.
    Result<Token> next();

    std::string_view text() const noexcept { return text_; }

  private:
    Token make(TokenKind kind, std::size_t begin, std::size_t end, std::size_t trim = 0) noexcept;
    Result<Token> lex_number();
    Result<Token> lex_string(std::size_t begin, TokenKind kind);
    Result<Token> lex_name();
    Result<Token> lex_dollar();
    bool lex_date(Token& token) noexcept;
    bool lex_tick(Token& token) noexcept;
    bool lex_object_key(Token& token) noexcept;
    Result<Token> lex_wrapped(std::size_t prefix, TokenKind kind, std::size_t length,
                              const char* what);
    char at(std::size_t position) const noexcept {
        return position < text_.size() ? text_[position] : '\0';
    }

    std::string_view text_;
    std::size_t position_ = 0;
};

/// "Invalid predicate '<text>': <what> at column <n>[, found '<found>']". Columns count characters
/// from one; long query text is cut around the place.
Error error_at(ErrorCode code, std::string_view query_text, std::size_t offset,
               std::string_view what, std::string_view found = {});

/// error_at with code query_syntax.
Error syntax_error(std::string_view query_text, std::size_t offset, std::string_view what,
                   std::string_view found = {});

/// Decodes the escapes of a raw string token (quotes included). The lexer has checked them.
std::string decode_string(std::string_view raw);

/// Decodes the escaped blanks of a raw name token.
std::string decode_name(std::string_view raw);

} // namespace tombolo::query
