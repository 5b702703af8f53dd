#include "core/timestamp.hpp"

#include <limits>

#include <fmt/format.h>

#include "core/civil_date.hpp"

namespace tombolo {

namespace {

// 0001-01-01T00:00:00Z and 10000-01-01T00:00:00Z: what four-digit years can print.
constexpr std::int64_t first_printable_second = -62'135'596'800;
constexpr std::int64_t end_of_printable_seconds = 253'402'300'800;

constexpr std::int64_t seconds_per_day = 86'400;

/// Takes pieces off the front of a text; once something did not fit, everything fails.
class Cursor {
  public:
    explicit Cursor(std::string_view text) noexcept : rest_(text) {}

    bool take(char expected) noexcept {
        if (rest_.empty() || rest_.front() != expected) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }
    void require(char expected) noexcept { failed_ = !take(expected) || failed_; }

    /// Exactly `count` digits, at least `min` and at most `max`.
    std::int64_t number(std::size_t count, std::int64_t min, std::int64_t max) noexcept {
        std::int64_t value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            value = value * 10 + digit();
        }
        failed_ = failed_ || value < min || value > max;
        return value;
    }

    /// One to nine digits after a decimal point, as billionths.
    std::int64_t billionths() noexcept {
        std::int64_t value = digit();
        std::int64_t unit = 100'000'000;
        value *= unit;
        while (unit > 1 && !rest_.empty() && is_digit(rest_.front())) {
            unit /= 10;
            value += digit() * unit;
        }
        return value;
    }

    void fail_unless_at_end() noexcept { failed_ = failed_ || !rest_.empty(); }
    bool failed() const noexcept { return failed_; }

  private:
    static bool is_digit(char character) noexcept { return character >= '0' && character <= '9'; }

    std::int64_t digit() noexcept {
        if (rest_.empty() || !is_digit(rest_.front())) {
            failed_ = true;
            return 0;
        }
        const std::int64_t value = rest_.front() - '0';
        rest_.remove_prefix(1);
        return value;
    }

    std::string_view rest_;
    bool failed_ = false;
};

/// Seconds east of UTC.
std::int64_t take_zone(Cursor& cursor) noexcept {
    if (cursor.take('Z') || cursor.take('z')) {
        return 0;
    }
    const bool west = cursor.take('-');
    if (!west) {
        cursor.require('+');
    }
    const std::int64_t hours = cursor.number(2, 0, 23);
    cursor.take(':');
    const std::int64_t minutes = cursor.number(2, 0, 59);
    const std::int64_t offset = hours * 3600 + minutes * 60;
    return west ? -offset : offset;
}

} // namespace

Result<Timestamp> Timestamp::parse_iso_8601(std::string_view text) {
    Cursor cursor(text);
    CivilDate date;
    date.year = cursor.number(4, 1, 9999);
    cursor.require('-');
    date.month = cursor.number(2, 1, 12);
    cursor.require('-');
    date.day = cursor.number(2, 1, 31);
    cursor.require('T');
    std::int64_t second = cursor.number(2, 0, 23) * 3600;
    cursor.require(':');
    second += cursor.number(2, 0, 59) * 60;
    std::int64_t nanosecond = 0;
    if (cursor.take(':')) {
        second += cursor.number(2, 0, 59);
        if (cursor.take('.')) {
            nanosecond = cursor.billionths();
        }
    }
    second -= take_zone(cursor);
    cursor.fail_unless_at_end();
    const std::int64_t day = days_from_civil(date.year, date.month, date.day);
    if (cursor.failed() || civil_from_days(day).day != date.day) {
        return Error(ErrorCode::bad_timestamp,
                     "text is no time: expected the form 2024-05-01T12:30:00.000Z");
    }
    second += day * seconds_per_day;
    if (second < 0 && nanosecond > 0) {
        ++second;
        nanosecond -= 1'000'000'000;
    }
    return Timestamp(second, static_cast<std::int32_t>(nanosecond));
}

Result<Timestamp> Timestamp::make(std::int64_t seconds, std::int32_t nanoseconds) {
    if (!is_valid(seconds, nanoseconds)) {
        return Error(ErrorCode::bad_timestamp,
                     fmt::format("{} s and {} ns are no timestamp: both parts must have the same "
                                 "sign and nanoseconds lie within +-999999999",
                                 seconds, nanoseconds));
    }
    return Timestamp(seconds, nanoseconds);
}

Timestamp Timestamp::from_unix_ms(std::int64_t ms) noexcept {
    return {ms / 1000, static_cast<std::int32_t>(ms % 1000 * 1'000'000)};
}

std::int64_t Timestamp::to_unix_ms() const noexcept {
    constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t min = std::numeric_limits<std::int64_t>::min();
    // Division truncates towards zero: a negative rest belongs to the millisecond before.
    std::int64_t part_ms = nanoseconds_ / 1'000'000;
    if (nanoseconds_ % 1'000'000 < 0) {
        --part_ms;
    }
    if (seconds_ > max / 1000 || (seconds_ == max / 1000 && part_ms > max % 1000)) {
        return max;
    }
    if (seconds_ < min / 1000 || (seconds_ == min / 1000 && part_ms < min % 1000)) {
        return min;
    }
    return seconds_ * 1000 + part_ms;
}

std::string Timestamp::to_string() const {
    std::int64_t second = seconds_;
    std::int64_t fraction = nanoseconds_;
    if (fraction < 0 && second > std::numeric_limits<std::int64_t>::min()) {
        --second;
        fraction += 1'000'000'000;
    }
    if (second < first_printable_second || second >= end_of_printable_seconds) {
        return fmt::format("T{}:{}", seconds_, nanoseconds_);
    }
    std::int64_t day = second / seconds_per_day;
    std::int64_t second_of_day = second % seconds_per_day;
    if (second_of_day < 0) {
        --day;
        second_of_day += seconds_per_day;
    }
    const CivilDate date = civil_from_days(day);
    std::string text =
        fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", date.year, date.month, date.day,
                    second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    if (fraction % 1'000'000 == 0) {
        text += fraction == 0 ? "" : fmt::format(".{:03}", fraction / 1'000'000);
    } else {
        text += fmt::format(".{:09}", fraction);
    }
    return text + "Z";
}

} // namespace tombolo
