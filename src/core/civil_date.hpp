#pragma once

// Days counted from 1970-01-01 and dates of the Gregorian calendar, which is taken to have been in
// use always. Any thread.

#include <cstdint>

namespace tombolo {

struct CivilDate {
    std::int64_t year = 1970;
    std::int64_t month = 1; ///< 1 to 12
    std::int64_t day = 1;   ///< 1 to 31
};

/// Month and day may be any numbers: month 13 is January of the next year, day 0 the last of the
/// month before. REQUIRES: the year, with what the month adds, is within +-10^12.
std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) noexcept;

/// The other way. REQUIRES: |days| <= 10^14.
CivilDate civil_from_days(std::int64_t days) noexcept;

} // namespace tombolo
