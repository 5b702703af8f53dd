#include "core/error.hpp"

#include <cstring>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "core/check.hpp"
#include "core/result.hpp"

namespace tombolo {
namespace {

TEST(Error, says_message_and_context) {
    const Error plain(ErrorCode::bad_json, "text ends early");
    EXPECT_STREQ(plain.what(), "text ends early");
    const Error inner(ErrorCode::bad_json, "text ends early", "offset 3");
    EXPECT_STREQ(inner.what(), "text ends early (offset 3)");
    const Error outer = inner.within("Person.age");
    EXPECT_EQ(outer.context(), "Person.age: offset 3");
    EXPECT_EQ(outer.code(), ErrorCode::bad_json);
    EXPECT_EQ(plain.within("Person").context(), "Person");
}

TEST(Error, codes_have_names_and_meanings) {
    EXPECT_EQ(error_code_name(ErrorCode::bad_changeset), "bad_changeset");
    EXPECT_FALSE(error_code_meaning(ErrorCode::bad_changeset).empty());
    EXPECT_EQ(error_code_name(static_cast<ErrorCode>(65535)), "unknown");
    EXPECT_EQ(error_code_meaning(static_cast<ErrorCode>(65535)), "unknown");
}

TEST(Error, failed_check_throws_internal) {
    try {
        TOMBOLO_CHECK(1 + 1 == 3);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::internal);
        EXPECT_NE(error.message().find("1 + 1 == 3"), std::string::npos);
    }
}

Result<int> half(int number) {
    if (number % 2 != 0) {
        return Error(ErrorCode::invalid_argument, "odd");
    }
    return number / 2;
}

Result<int> quarter(int number) {
    TOMBOLO_TRY(const int once, half(number));
    TOMBOLO_TRY(const int twice, half(once));
    return twice;
}

TEST(Result, try_passes_values_and_errors_on) {
    EXPECT_EQ(*quarter(12), 3);
    EXPECT_EQ(quarter(6).error().code(), ErrorCode::invalid_argument);
    EXPECT_THROW(quarter(6).value(), Error);
    EXPECT_THROW(Result<void>(Error(ErrorCode::io, "x")).value(), Error);
    EXPECT_NO_THROW(Result<void>().value());
}

TEST(ErrorTable, page_in_the_reference_is_up_to_date) {
    std::ifstream file(TOMBOLO_TEST_DATA "/../docs/reference/errors.md", std::ios::binary);
    const std::string page((std::istreambuf_iterator<char>(file)), {});
    EXPECT_EQ(page, error_codes_markdown())
        << "run build/release/bin/errors_doc > docs/reference/errors.md";
}

} // namespace
} // namespace tombolo
