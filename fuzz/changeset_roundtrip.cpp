// What decodes re-encodes to bytes that decode to the same instructions, and those bytes re-encode
// to themselves.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "changeset/builder.hpp"
#include "changeset/codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tombolo;
    using namespace tombolo::changeset;
    Result<Changeset> first = decode(ByteView(reinterpret_cast<const std::byte*>(data), size));
    if (!first) {
        return 0;
    }
    std::vector<std::byte> bytes = encode(*first);
    Result<Changeset> second = decode(ByteView(bytes));
    if (!second || !same_instructions(*first, *second) || encode(*second) != bytes) {
        std::abort();
    }
    ChangesetBuilder builder;
    for (const Instruction& instruction : first->instructions()) {
        builder.append(*first, instruction);
    }
    Result<Changeset> copy = builder.finish(); // refuses names that are too long
    if (copy && !same_instructions(*first, *copy)) {
        std::abort();
    }
    return 0;
}
