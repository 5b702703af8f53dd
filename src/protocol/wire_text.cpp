#include "protocol/wire_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace tombolo::protocol::detail {

namespace {

constexpr std::uint64_t error_code_max = 0x7FFF'FFFF;

std::string shown(std::string_view text) {
    constexpr std::size_t shown_bytes_max = 40;
    std::string result = "'";
    for (const char c : text.substr(0, shown_bytes_max)) {
        const bool is_printable = c >= ' ' && c <= '~';
        result += is_printable ? c : '?';
    }
    return result + (text.size() > shown_bytes_max ? "...'" : "'");
}

} // namespace

std::optional<std::uint64_t> parse_unsigned(std::string_view text, std::uint64_t max) noexcept {
    if (text.empty() || (text.size() > 1 && text.front() == '0')) {
        return std::nullopt;
    }
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size() || number > max) {
        return std::nullopt;
    }
    return number;
}

std::optional<std::int64_t> parse_signed(std::string_view text) noexcept {
    const bool is_negative = !text.empty() && text.front() == '-';
    const std::string_view digits = is_negative ? text.substr(1) : text;
    constexpr std::uint64_t magnitude_max = std::uint64_t{1} << 63;
    const auto magnitude = parse_unsigned(digits, is_negative ? magnitude_max : magnitude_max - 1);
    if (!magnitude || (is_negative && *magnitude == 0)) {
        return std::nullopt;
    }
    // Modular: 0 - 2^63 is the smallest number.
    return static_cast<std::int64_t>(is_negative ? 0 - *magnitude : *magnitude);
}

HeaderReader::HeaderReader(ByteView message) {
    const std::string_view text = as_text(message);
    const std::string_view searched = text.substr(0, limits::header_bytes_max);
    const std::size_t line_end = searched.find('\n');
    if (line_end == std::string_view::npos) {
        fail(ErrorCode::bad_sync_message, text.size() > limits::header_bytes_max
                                              ? "the header line is too long"
                                              : "the header line has no end");
        return;
    }
    header_ = text.substr(0, line_end);
    rest_ = message.subspan(line_end + 1);
    const std::size_t type_end = std::min(header_.find(' '), header_.size());
    type_ = header_.substr(0, type_end);
    header_.remove_prefix(type_end);
}

void HeaderReader::fail(ErrorCode code, std::string message) {
    if (!error_) {
        error_.emplace(code, std::move(message), type_.empty() ? "message" : shown(type_));
    }
}

std::string_view HeaderReader::next_field(const char* field) {
    if (error_) {
        return {};
    }
    if (header_.empty()) {
        fail(ErrorCode::bad_sync_message, std::string("field is missing: ") + field);
        return {};
    }
    header_.remove_prefix(1); // the space
    const std::size_t end = std::min(header_.find(' '), header_.size());
    const std::string_view text = header_.substr(0, end);
    header_.remove_prefix(end);
    return text;
}

std::uint64_t HeaderReader::number(const char* field, std::uint64_t max) {
    const std::string_view text = next_field(field);
    const auto value = parse_unsigned(text, max);
    if (!value) {
        fail(ErrorCode::bad_sync_message,
             std::string(field) + " is not an unsigned number in range: " + shown(text));
    }
    return value.value_or(0);
}

std::int64_t HeaderReader::signed_number(const char* field) {
    const std::string_view text = next_field(field);
    const auto value = parse_signed(text);
    if (!value) {
        fail(ErrorCode::bad_sync_message,
             std::string(field) + " is not a number in range: " + shown(text));
    }
    return value.value_or(0);
}

bool HeaderReader::boolean(const char* field) {
    return number(field) != 0;
}

int HeaderReader::error_code(const char* field) {
    return static_cast<int>(number(field, error_code_max));
}

SessionIdent HeaderReader::session() {
    const SessionIdent session = session_or_connection();
    if (session.value == 0) {
        fail(ErrorCode::bad_sync_message, "the session ident must not be 0");
    }
    return session;
}

SessionIdent HeaderReader::session_or_connection() {
    return strong<SessionIdent>("session ident");
}

ProgressEstimate HeaderReader::estimate(const char* field) {
    const std::string_view text = next_field(field);
    double fraction = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), fraction);
    // Written so that NaN fails.
    const bool is_in_range = fraction >= 0 && fraction <= 1;
    if (failure != std::errc{} || end != text.data() + text.size() || !is_in_range) {
        fail(ErrorCode::bad_sync_message,
             std::string(field) + " is not a number from 0 to 1: " + shown(text));
        return {};
    }
    return ProgressEstimate::from_fraction(fraction);
}

void HeaderReader::end_header() {
    if (!header_.empty()) {
        fail(ErrorCode::bad_sync_message,
             "something follows the last field of the header: " + shown(header_));
    }
}

ByteView HeaderReader::body(std::uint64_t size, std::size_t max, const char* what) {
    if (error_) {
        return {};
    }
    if (size > max) {
        fail(ErrorCode::sync_message_too_large, std::string(what) + " has " + std::to_string(size) +
                                                    " bytes; at most " + std::to_string(max) +
                                                    " are allowed");
        return {};
    }
    if (size > rest_.size()) {
        fail(ErrorCode::bad_sync_message, std::string(what) + " is declared with " +
                                              std::to_string(size) + " bytes but " +
                                              std::to_string(rest_.size()) + " are there");
        return {};
    }
    const ByteView taken = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(taken.size());
    return taken;
}

Result<void> HeaderReader::finish() {
    if (!error_ && !rest_.empty()) {
        fail(ErrorCode::bad_sync_message,
             std::to_string(rest_.size()) + " bytes are left over after the message");
    }
    if (error_) {
        return *error_;
    }
    return {};
}

MessageWriter& MessageWriter::field(std::uint64_t number) {
    is_out_of_range_ = is_out_of_range_ || number > limits::number_max;
    std::array<char, 24> text{' '};
    const auto [end, failure] = std::to_chars(text.data() + 1, text.data() + text.size(), number);
    static_cast<void>(failure); // 20 digits always fit
    append({text.data(), static_cast<std::size_t>(end - text.data())});
    return *this;
}

MessageWriter& MessageWriter::field(std::int64_t number) {
    std::array<char, 24> text{' '};
    const auto [end, failure] = std::to_chars(text.data() + 1, text.data() + text.size(), number);
    static_cast<void>(failure);
    append({text.data(), static_cast<std::size_t>(end - text.data())});
    return *this;
}

MessageWriter& MessageWriter::field(ProgressEstimate estimate) {
    constexpr int one = 10'000;
    is_out_of_range_ =
        is_out_of_range_ || estimate.ten_thousandths < 0 || estimate.ten_thousandths > one;
    const std::string fraction = std::to_string(one + estimate.ten_thousandths % one);
    append(estimate.ten_thousandths / one == 0 ? " 0." : " 1.");
    append(std::string_view(fraction).substr(1));
    return *this;
}

Result<std::vector<std::byte>> MessageWriter::finish() {
    if (is_out_of_range_) {
        return Error(ErrorCode::invalid_argument, "a number does not fit the sync protocol");
    }
    return std::move(bytes_);
}

void MessageWriter::append(std::string_view text) {
    const ByteView bytes = as_bytes(text);
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

} // namespace tombolo::protocol::detail
