#pragma once

// The text part of messages: fields separated by single spaces, numbers in strict decimal
// (sync-protocol.md 2).
//
// Internal to protocol/. HeaderReader keeps the first error and gives zeros from then on, so that a
// parser reads all its fields in a row and asks once. Borrows the message.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "protocol/limits.hpp"
#include "protocol/messages.hpp"

namespace tombolo::protocol::detail {

/// Decimal digits only, no leading zero, at most `max`.
std::optional<std::uint64_t> parse_unsigned(std::string_view text, std::uint64_t max) noexcept;
/// The same with an optional minus sign; "-0" is refused.
std::optional<std::int64_t> parse_signed(std::string_view text) noexcept;

class HeaderReader {
  public:
    /// Finds the header line. The errors of this and all further calls are in error().
    explicit HeaderReader(ByteView message);

    std::string_view type() const noexcept { return type_; }

    std::uint64_t number(const char* field, std::uint64_t max = limits::number_max);
    std::int64_t signed_number(const char* field);
    /// Zero is false, any other unsigned number true.
    bool boolean(const char* field);
    int error_code(const char* field);
    ProgressEstimate estimate(const char* field);
    /// A session ident, which must not be 0.
    SessionIdent session();
    /// A session ident or 0 for the connection.
    SessionIdent session_or_connection();
    template <class Number>
    Number strong(const char* field) {
        return Number{number(field)};
    }

    /// Call after the last field.
    void end_header();
    /// The next `size` bytes of the body; sync_message_too_large above `max`.
    ByteView body(std::uint64_t size, std::size_t max, const char* what);
    /// Call last: nothing may be left over.
    Result<void> finish();

    bool has_error() const noexcept { return error_.has_value(); }
    void fail(ErrorCode code, std::string message);
    /// REQUIRES: has_error()
    const Error& error() const { return *error_; }

  private:
    std::string_view next_field(const char* field);

    std::string_view header_; ///< what is left of the line, from the space before the next field on
    std::string_view type_;
    ByteView rest_;
    std::optional<Error> error_;
};

/// Builds one message.
class MessageWriter {
  public:
    explicit MessageWriter(std::string_view type) {
        bytes_.reserve(header_bytes_expected);
        append(type);
    }

    MessageWriter& field(std::uint64_t number);
    MessageWriter& field(std::int64_t number);
    MessageWriter& field(bool flag) { return field(std::uint64_t{flag ? 1U : 0U}); }
    MessageWriter& field(ProgressEstimate estimate);
    template <class Tag, class Rep>
    MessageWriter& field(StrongNumber<Tag, Rep> number) {
        return field(number.value);
    }
    MessageWriter& end_header() {
        bytes_.push_back(std::byte{'\n'});
        return *this;
    }
    MessageWriter& body(std::string_view text) {
        append(text);
        return *this;
    }
    MessageWriter& body(ByteView bytes) {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
        return *this;
    }
    std::vector<std::byte> take() { return std::move(bytes_); }
    /// invalid_argument when a field was not legal on the wire.
    Result<std::vector<std::byte>> finish();

  private:
    static constexpr std::size_t header_bytes_expected = 128;

    void append(std::string_view text);

    std::vector<std::byte> bytes_;
    bool is_out_of_range_ = false;
};

} // namespace tombolo::protocol::detail
