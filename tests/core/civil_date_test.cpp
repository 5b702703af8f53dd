#include "core/civil_date.hpp"

#include <gtest/gtest.h>

namespace tombolo {
namespace {

TEST(CivilDate, known_days_have_their_dates) {
    struct Known {
        std::int64_t days;
        CivilDate date;
    };
    for (const Known& known :
         {Known{0, {1970, 1, 1}}, Known{-1, {1969, 12, 31}}, Known{11'016, {2000, 2, 29}},
          Known{11'017, {2000, 3, 1}}, Known{20'779, {2026, 11, 22}}, Known{-719'468, {0, 3, 1}},
          Known{-719'469, {0, 2, 29}}, Known{-719'528, {0, 1, 1}}, Known{-719'529, {-1, 12, 31}}}) {
        const CivilDate date = civil_from_days(known.days);
        EXPECT_EQ(date.year, known.date.year) << known.days;
        EXPECT_EQ(date.month, known.date.month) << known.days;
        EXPECT_EQ(date.day, known.date.day) << known.days;
        EXPECT_EQ(days_from_civil(date.year, date.month, date.day), known.days);
    }
}

TEST(CivilDate, every_day_of_many_centuries_comes_back_after_the_one_before) {
    CivilDate before = civil_from_days(-1'000'001);
    for (std::int64_t days = -1'000'000; days <= 1'000'000; ++days) {
        const CivilDate date = civil_from_days(days);
        ASSERT_EQ(days_from_civil(date.year, date.month, date.day), days);
        const bool next_day = date.day == before.day + 1 && date.month == before.month;
        const bool next_month = date.day == 1 && date.month == before.month % 12 + 1;
        ASSERT_TRUE(next_day || next_month) << days;
        before = date;
    }
}

TEST(CivilDate, months_and_days_beyond_their_range_carry_over) {
    EXPECT_EQ(days_from_civil(2025, 13, 1), days_from_civil(2026, 1, 1));
    EXPECT_EQ(days_from_civil(2025, 0, 1), days_from_civil(2024, 12, 1));
    EXPECT_EQ(days_from_civil(2025, -23, 1), days_from_civil(2023, 1, 1));
    EXPECT_EQ(days_from_civil(2025, 3, 0), days_from_civil(2025, 2, 28));
    EXPECT_EQ(days_from_civil(2024, 2, 30), days_from_civil(2024, 3, 1));
}

} // namespace
} // namespace tombolo
