#pragma once

// Runs RapidCheck properties a stated number of times and prints the count.
//
// The long run (TOMBOLO_LONG=1, scripts/test --long) takes more cases than CI. RC_PARAMS works as
// always; a failure prints the RC_PARAMS that reproduces it.

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tombolo::testing {

inline bool is_long_run() {
    const char* value = std::getenv("TOMBOLO_LONG");
    return value != nullptr && std::string_view(value) == "1";
}

/// Debug and sanitizer builds take a tenth: they look for other faults, at many times the cost.
#if defined(TOMBOLO_DCHECKS)
inline constexpr int case_divisor = 10;
#else
inline constexpr int case_divisor = 1;
#endif

/// Expects the property to hold for `ci_count` cases, or `long_count` in the long run.
template <class Property>
void expect_property(const std::string& name, int ci_count, int long_count, Property property) {
    rc::detail::TestMetadata metadata;
    metadata.id = name;
    metadata.description = name;
    rc::detail::TestParams params = rc::detail::configuration().testParams;
    params.maxSuccess = (is_long_run() ? long_count : ci_count) / case_divisor;
    const rc::detail::TestResult result = rc::detail::checkTestable(property, metadata, params);
    if (!result.is<rc::detail::SuccessResult>()) {
        rc::detail::printResultMessage(result, std::cerr);
        std::cerr << std::endl;
        FAIL() << "property failed: " << name;
    }
    std::cout << "property " << name << ": " << params.maxSuccess << " cases hold\n";
}

} // namespace tombolo::testing
