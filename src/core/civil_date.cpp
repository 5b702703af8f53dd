#include "core/civil_date.hpp"

namespace tombolo {

namespace {

// Years are counted from March here, so that the leap day is the last day of its year; 400 of them
// are an era.
constexpr std::int64_t days_of_era = 146'097;
constexpr std::int64_t days_before_1970 = 719'468; // from 0000-03-01

constexpr std::int64_t floor_div(std::int64_t value, std::int64_t divisor) noexcept {
    return value / divisor - (value % divisor < 0 ? 1 : 0);
}

} // namespace

std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) noexcept {
    const std::int64_t months = month - 3; // from March
    year += floor_div(months, 12);
    const std::int64_t month_from_march = months - floor_div(months, 12) * 12;
    const std::int64_t era = floor_div(year, 400);
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
                                    (153 * month_from_march + 2) / 5 + day - 1;
    return era * days_of_era + day_of_era - days_before_1970;
}

CivilDate civil_from_days(std::int64_t days) noexcept {
    const std::int64_t shifted = days + days_before_1970;
    const std::int64_t era = floor_div(shifted, days_of_era);
    const std::int64_t day_of_era = shifted - era * days_of_era;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
    const std::int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
            day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

} // namespace tombolo
