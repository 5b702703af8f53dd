// Two changesets as an uploader could send them, the first byte says where the first ends: index
// and full grid agree.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "changeset/codec.hpp"
#include "changeset/merge_agreement.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tombolo;
    using namespace tombolo::changeset;
    if (size == 0) {
        return 0;
    }
    ByteView bytes(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
    ByteView first = bytes.first(std::min<std::size_t>(data[0], bytes.size()));
    Result<Changeset> left = decode(first);
    Result<Changeset> right = decode(bytes.subspan(first.size()));
    if (!left || !right || left->instructions().size() > 200 ||
        right->instructions().size() > 200) {
        return 0;
    }
    bool merged = false;
    std::string problem =
        test::disagreement({&*left, 1}, {&*right, 1}, MoveOverInnerRule::sensible, merged);
    if (!problem.empty()) {
        std::fputs(problem.c_str(), stderr);
        std::abort();
    }
    return 0;
}
