#include "core/timestamp.hpp"

#include <limits>

#include <fmt/format.h>

namespace tombolo {

namespace {

// 0001-01-01T00:00:00Z and 10000-01-01T00:00:00Z: what four-digit years can print.
constexpr std::int64_t first_printable_second = -62'135'596'800;
constexpr std::int64_t end_of_printable_seconds = 253'402'300'800;

constexpr std::int64_t seconds_per_day = 86'400;

struct Date {
    std::int64_t year;
    std::int64_t month;
    std::int64_t day;
};

/// Gregorian date of a day counted from 1970-01-01. Years are counted from March, so that the leap
/// day is a year's last; 400 years have 146097 days.
Date date_of_day(std::int64_t day) noexcept {
    const std::int64_t shifted = day + 719'468; // from 0000-03-01
    const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
    const std::int64_t day_of_era = shifted - era * 146'097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
    const std::int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
            day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

} // namespace

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
    const Date date = date_of_day(day);
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
