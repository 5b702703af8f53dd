// Structure-aware: two sides of valid changesets made from the input; index and full grid, and
// either operand order, agree.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "changeset/changeset_generator.hpp"
#include "changeset/merge_agreement.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tombolo::changeset;
    using namespace tombolo::changeset::test;
    if (size < 2) {
        return 0;
    }
    const std::uint8_t flags = data[0];
    GeneratorOptions options;
    options.instructions_max = 40;
    options.schema_erasure = (flags & 1) != 0;
    options.wrong_sizes = (flags & 2) != 0;
    std::size_t left_size = (size - 2) * data[1] / 255;
    ByteSource left_source({data + 2, left_size});
    ByteSource right_source({data + 2 + left_size, size - 2 - left_size});
    std::vector<Changeset> left;
    std::vector<Changeset> right;
    for (int i = 0, count = (flags >> 3 & 1) + 1; i < count; ++i) {
        left.push_back(make_changeset(left_source, options));
        right.push_back(make_changeset(right_source, options));
    }
    MoveOverInnerRule rule =
        (flags & 4) != 0 ? MoveOverInnerRule::realm_core : MoveOverInnerRule::sensible;
    bool merged = false;
    std::string problem = disagreement(left, right, rule, merged);
    if (!problem.empty()) {
        std::fputs(problem.c_str(), stderr);
        std::abort();
    }
    return 0;
}
