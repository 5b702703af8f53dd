#pragma once

// The calendar that date expressions compute with: proleptic Gregorian, no leap seconds, fixed
// offsets from UTC.
//
// A date is a count of milliseconds since 1970-01-01T00:00:00Z, as BSON holds it. "Local"
// milliseconds have the offset of a time zone added. Everything here is a pure function; arithmetic
// that leaves the range of dates is an Error, never a wrapped number. Named time zones
// ("Europe/Paris") are not known and refused by name.
//
// Thread-safety: all functions may be called from any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace tombolo::mql {

/// Dates outside +-this many milliseconds (about 285,000 years) are refused by the calendar, so
/// that no step overflows.
inline constexpr std::int64_t calendar_ms_max = 9'000'000'000'000'000;

inline constexpr std::int64_t ms_per_second = 1'000;
inline constexpr std::int64_t ms_per_minute = 60'000;
inline constexpr std::int64_t ms_per_hour = 3'600'000;
inline constexpr std::int64_t ms_per_day = 86'400'000;

struct CalendarParts {
    std::int64_t year = 1970;
    std::int64_t month = 1; ///< 1..12
    std::int64_t day = 1;   ///< 1..31
    std::int64_t hour = 0;
    std::int64_t minute = 0;
    std::int64_t second = 0;
    std::int64_t millisecond = 0;
};

struct IsoWeekDate {
    std::int64_t year = 1970;
    std::int64_t week = 1; ///< 1..53
    std::int64_t day = 1;  ///< Monday is 1
};

enum class DateUnit : std::uint8_t {
    year,
    quarter,
    month,
    week,
    day,
    hour,
    minute,
    second,
    millisecond
};

std::optional<DateUnit> parse_date_unit(std::string_view name) noexcept;

/// "monday" or "Mon", any case: 1 (Monday) .. 7 (Sunday).
std::optional<int> parse_weekday(std::string_view name) noexcept;

/// REQUIRES: |ms| <= calendar_ms_max.
CalendarParts split_date(std::int64_t local_ms) noexcept;

/// Every part may lie outside its usual range and carries over. out_of_range when the date is no
/// calendar date.
Result<std::int64_t> join_date(const CalendarParts& parts);
Result<std::int64_t> join_iso_week_date(const IsoWeekDate& date, const CalendarParts& time);

IsoWeekDate iso_week_date(std::int64_t local_ms) noexcept;
std::int64_t day_of_year(std::int64_t local_ms) noexcept;  ///< 1..366
std::int64_t day_of_week(std::int64_t local_ms) noexcept;  ///< Sunday is 1
std::int64_t week_of_year(std::int64_t local_ms) noexcept; ///< 0..53; weeks begin on Sunday

/// "UTC", "GMT", "Z", "+hh", "+hhmm", "+hh:mm": milliseconds to add to UTC. unsupported for any
/// other name.
Result<std::int64_t> parse_time_zone(std::string_view text);

/// The directives of $dateToString. `offset_ms` is printed by %z and %Z.
Result<std::string> format_date(std::int64_t local_ms, std::int64_t offset_ms,
                                std::string_view format);

/// Inverse of format_date, or the ISO 8601 forms when `format` is empty. The text's own offset
/// wins; without one, `zone` is the zone of the text. Giving both an offset in the text and `zone`
/// is an error.
Result<std::int64_t> parse_date(std::string_view text, std::optional<std::string_view> format,
                                std::optional<std::int64_t> zone_offset_ms);

/// Months are clamped to the last day of the month they reach.
Result<std::int64_t> add_to_date(std::int64_t local_ms, DateUnit unit, std::int64_t amount);

/// Number of unit boundaries between the two; weeks begin on `week_start` (1 is Monday).
std::int64_t date_difference(std::int64_t start_local_ms, std::int64_t end_local_ms, DateUnit unit,
                             int week_start) noexcept;

/// The start of the bin of `bin_size` units that the date lies in, counted from 2000-01-01.
Result<std::int64_t> truncate_date(std::int64_t local_ms, DateUnit unit, std::int64_t bin_size,
                                   int week_start);

} // namespace tombolo::mql
