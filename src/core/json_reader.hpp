#pragma once

// A strict pull reader of JSON text (RFC 8259): the caller says what it expects next.
//
// Why not Boost.JSON: its 1.81 reads some doubles one unit off, and builds a tree before a limit
// can be checked. Strings are returned unescaped, as valid UTF-8. Every error is bad_json with
// "line L, column C". The text must outlive the reader. Nesting is the caller's: the reader keeps
// no stack.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/result.hpp"

namespace tombolo {

class JsonReader {
  public:
    explicit JsonReader(std::string_view text) noexcept : text_(text) {}

    /// The next character that is not white space, not taken; NUL at the end of the text.
    char peek() noexcept;
    /// Takes that character if it is the expected one.
    bool take(char expected) noexcept;
    Result<void> expect(char expected);
    /// Nothing but white space is left.
    Result<void> expect_end();

    Result<std::string> read_string();
    /// int64 for a number without point and exponent that fits, else double; a double beyond the
    /// range is an error.
    Result<std::variant<std::int64_t, double>> read_number();
    /// The words true, false and null.
    Result<std::variant<std::monostate, bool>> read_word();

    /// To come back to: what is at offset() now will be read again after seek().
    std::size_t offset() const noexcept { return offset_; }
    void seek(std::size_t offset) noexcept { offset_ = offset; }

    Error error(ErrorCode code, std::string message) const {
        return error_at(code, std::move(message), offset_);
    }
    Error error_at(ErrorCode code, std::string message, std::size_t offset) const;

  private:
    Result<void> read_escape(std::string& out);
    Result<std::uint32_t> read_hex4();

    std::string_view text_;
    std::size_t offset_ = 0;
};

} // namespace tombolo
