// Two documents one after the other: a filter and what it is matched against.

#include <cstddef>
#include <cstdint>

#include "mql/filter.hpp"
#include "mql_filter_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tombolo::mql;
    const auto input = fuzz::two_documents(data, size);
    if (!input) {
        return 0;
    }
    const auto filter = Filter::compile(input->first);
    if (!filter) {
        return 0;
    }
    MatchDetails details;
    const auto matched = filter->matches(input->second, fuzz::small_evaluation(), &details);
    if (matched && *matched && filter->has_near() && !filter->near_distance(input->second)) {
        __builtin_trap(); // what matched $near has a distance
    }
    return 0;
}
