#include "mql/expression_calendar.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "core/civil_date.hpp"

namespace tombolo::mql {

namespace {

std::int64_t floor_div(std::int64_t value, std::int64_t divisor) noexcept {
    const std::int64_t quotient = value / divisor;
    return (value % divisor != 0 && (value < 0) != (divisor < 0)) ? quotient - 1 : quotient;
}

std::int64_t floor_mod(std::int64_t value, std::int64_t divisor) noexcept {
    return value - floor_div(value, divisor) * divisor;
}

bool is_leap(std::int64_t year) noexcept {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

std::int64_t days_in_month(std::int64_t year, std::int64_t month) noexcept {
    constexpr std::array<std::int64_t, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[static_cast<std::size_t>(month - 1)];
}

/// Monday is 1.
std::int64_t iso_day(std::int64_t days) noexcept {
    return floor_mod(days + 3, 7) + 1;
}

Error outside_calendar() {
    return Error(ErrorCode::mql_failed, "the date lies outside the range of dates");
}

/// Milliseconds of units that always have the same length; 0 for the others.
std::int64_t fixed_unit_ms(DateUnit unit) noexcept {
    switch (unit) {
    case DateUnit::week:
        return 7 * ms_per_day;
    case DateUnit::day:
        return ms_per_day;
    case DateUnit::hour:
        return ms_per_hour;
    case DateUnit::minute:
        return ms_per_minute;
    case DateUnit::second:
        return ms_per_second;
    case DateUnit::millisecond:
        return 1;
    case DateUnit::year:
    case DateUnit::quarter:
    case DateUnit::month:
        return 0;
    }
    return 0;
}

std::int64_t unit_months(DateUnit unit) noexcept {
    if (unit == DateUnit::year) {
        return 12;
    }
    return unit == DateUnit::quarter ? 3 : 1;
}

/// Local milliseconds of the first moment of the first week on or after `days`.
std::int64_t first_week_start(std::int64_t days, int week_start) noexcept {
    return (days + floor_mod(week_start - iso_day(days), 7)) * ms_per_day;
}

bool in_calendar(std::int64_t ms) noexcept {
    return ms >= -calendar_ms_max && ms <= calendar_ms_max;
}

/// Adds days and a time of day whose parts may be of any size.
Result<std::int64_t> join_days(std::int64_t days, const CalendarParts& time) {
    std::int64_t total = 0;
    const std::array<std::pair<std::int64_t, std::int64_t>, 5> parts = {{
        {days, ms_per_day},
        {time.hour, ms_per_hour},
        {time.minute, ms_per_minute},
        {time.second, ms_per_second},
        {time.millisecond, 1},
    }};
    for (const auto& [count, unit_ms] : parts) {
        std::int64_t product = 0;
        if (__builtin_mul_overflow(count, unit_ms, &product) ||
            __builtin_add_overflow(total, product, &total)) {
            return outside_calendar();
        }
    }
    if (!in_calendar(total)) {
        return outside_calendar();
    }
    return total;
}

} // namespace

std::optional<DateUnit> parse_date_unit(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 9> names = {
        "year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond"};
    const auto* const found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
        return std::nullopt;
    }
    return static_cast<DateUnit>(found - names.begin());
}

std::optional<int> parse_weekday(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 7> names = {
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
    std::string lower(name.substr(0, 10));
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    });
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (lower == names[i] || lower == names[i].substr(0, 3)) {
            return static_cast<int>(i) + 1;
        }
    }
    return std::nullopt;
}

CalendarParts split_date(std::int64_t local_ms) noexcept {
    const std::int64_t days = floor_div(local_ms, ms_per_day);
    const std::int64_t time = local_ms - days * ms_per_day;
    const CivilDate date = civil_from_days(days);
    CalendarParts parts;
    parts.year = date.year;
    parts.month = date.month;
    parts.day = date.day;
    parts.hour = time / ms_per_hour;
    parts.minute = time / ms_per_minute % 60;
    parts.second = time / ms_per_second % 60;
    parts.millisecond = time % ms_per_second;
    return parts;
}

Result<std::int64_t> join_date(const CalendarParts& parts) {
    constexpr std::int64_t part_max = 400'000'000;
    for (const std::int64_t part : {parts.year, parts.month, parts.day}) {
        if (part < -part_max || part > part_max) {
            return outside_calendar();
        }
    }
    return join_days(days_from_civil(parts.year, parts.month, parts.day), parts);
}

Result<std::int64_t> join_iso_week_date(const IsoWeekDate& date, const CalendarParts& time) {
    constexpr std::int64_t part_max = 400'000'000;
    for (const std::int64_t part : {date.year, date.week, date.day}) {
        if (part < -part_max || part > part_max) {
            return outside_calendar();
        }
    }
    // January 4th always lies in week 1.
    const std::int64_t fourth = days_from_civil(date.year, 1, 4);
    const std::int64_t first_monday = fourth - (iso_day(fourth) - 1);
    return join_days(first_monday + (date.week - 1) * 7 + (date.day - 1), time);
}

IsoWeekDate iso_week_date(std::int64_t local_ms) noexcept {
    const std::int64_t days = floor_div(local_ms, ms_per_day);
    IsoWeekDate result;
    result.day = iso_day(days);
    // The week belongs to the year of its Thursday.
    const std::int64_t thursday = days - result.day + 4;
    result.year = split_date(thursday * ms_per_day).year;
    result.week = (thursday - days_from_civil(result.year, 1, 1)) / 7 + 1;
    return result;
}

std::int64_t day_of_year(std::int64_t local_ms) noexcept {
    const std::int64_t days = floor_div(local_ms, ms_per_day);
    return days - days_from_civil(split_date(local_ms).year, 1, 1) + 1;
}

std::int64_t day_of_week(std::int64_t local_ms) noexcept {
    return iso_day(floor_div(local_ms, ms_per_day)) % 7 + 1;
}

std::int64_t week_of_year(std::int64_t local_ms) noexcept {
    return (day_of_year(local_ms) - 1 + 7 - (day_of_week(local_ms) - 1)) / 7;
}

Result<std::int64_t> add_to_date(std::int64_t local_ms, DateUnit unit, std::int64_t amount) {
    if (!in_calendar(local_ms)) {
        return outside_calendar();
    }
    const std::int64_t fixed = fixed_unit_ms(unit);
    if (fixed != 0) {
        std::int64_t delta = 0;
        std::int64_t sum = 0;
        if (__builtin_mul_overflow(fixed, amount, &delta) ||
            __builtin_add_overflow(local_ms, delta, &sum) || !in_calendar(sum)) {
            return outside_calendar();
        }
        return sum;
    }
    constexpr std::int64_t months_max = 12LL * 400'000;
    const std::int64_t per_unit = unit_months(unit);
    if (amount > months_max / per_unit || amount < -months_max / per_unit) {
        return outside_calendar();
    }
    CalendarParts parts = split_date(local_ms);
    const std::int64_t month = parts.year * 12 + (parts.month - 1) + amount * per_unit;
    parts.year = floor_div(month, 12);
    parts.month = floor_mod(month, 12) + 1;
    parts.day = std::min(parts.day, days_in_month(parts.year, parts.month));
    return join_date(parts);
}

std::int64_t date_difference(std::int64_t start_local_ms, std::int64_t end_local_ms, DateUnit unit,
                             int week_start) noexcept {
    if (unit == DateUnit::week) {
        const std::int64_t origin = first_week_start(0, week_start);
        return floor_div(end_local_ms - origin, 7 * ms_per_day) -
               floor_div(start_local_ms - origin, 7 * ms_per_day);
    }
    if (const std::int64_t fixed = fixed_unit_ms(unit); fixed != 0) {
        return floor_div(end_local_ms, fixed) - floor_div(start_local_ms, fixed);
    }
    const auto index = [unit](std::int64_t ms) {
        const CalendarParts parts = split_date(ms);
        return floor_div(parts.year * 12 + parts.month - 1, unit_months(unit));
    };
    return index(end_local_ms) - index(start_local_ms);
}

Result<std::int64_t> truncate_date(std::int64_t local_ms, DateUnit unit, std::int64_t bin_size,
                                   int week_start) {
    constexpr std::int64_t bin_max = 100'000'000'000;
    if (!in_calendar(local_ms)) {
        return outside_calendar();
    }
    if (bin_size < 1 || bin_size > bin_max) {
        return Error(ErrorCode::mql_failed, "binSize must lie between 1 and 100000000000");
    }
    const std::int64_t reference_days = days_from_civil(2000, 1, 1);
    if (const std::int64_t fixed = fixed_unit_ms(unit); fixed != 0) {
        std::int64_t bin = 0;
        if (__builtin_mul_overflow(fixed, bin_size, &bin)) {
            return outside_calendar();
        }
        const std::int64_t reference = unit == DateUnit::week
                                           ? first_week_start(reference_days, week_start)
                                           : reference_days * ms_per_day;
        std::int64_t start = 0;
        if (__builtin_mul_overflow(floor_div(local_ms - reference, bin), bin, &start) ||
            __builtin_add_overflow(start, reference, &start) || !in_calendar(start)) {
            return outside_calendar();
        }
        return start;
    }
    const CalendarParts parts = split_date(local_ms);
    const std::int64_t months = (parts.year - 2000) * 12 + parts.month - 1;
    const std::int64_t bin = bin_size * unit_months(unit);
    CalendarParts start;
    const std::int64_t first = floor_div(months, bin) * bin;
    start.year = 2000 + floor_div(first, 12);
    start.month = floor_mod(first, 12) + 1;
    return join_date(start);
}

} // namespace tombolo::mql
