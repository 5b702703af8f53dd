// Any text as a decimal, and any two decimals through arithmetic.

#include <cstdint>
#include <cstring>

#include "core/check.hpp"
#include "core/decimal128.hpp"

using namespace tombolo;

namespace {

void check_text(std::string_view text) {
    const auto value = Decimal128::parse(text);
    if (!value) {
        return;
    }
    const auto again = Decimal128::parse(value->to_string());
    TOMBOLO_CHECK(again.has_value() && again->same_bits(*value));
}

void check_numbers(const Decimal128& left, const Decimal128& right) {
    TOMBOLO_CHECK(compare(left, right) == -compare(right, left));
    if (compare(left, right) == 0) {
        TOMBOLO_CHECK(hash_number(left) == hash_number(right));
    }
    for (const Decimal128& result :
         {add(left, right), subtract(left, right), multiply(left, right), divide(left, right)}) {
        const auto again = Decimal128::parse(result.to_string());
        TOMBOLO_CHECK(again.has_value() && again->same_bits(result));
    }
    const double nearest = left.to_double();
    TOMBOLO_CHECK(left.is_nan() || compare_with_double(left, nearest) == 0 || !left.is_zero());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check_text({reinterpret_cast<const char*>(data), size});
    std::uint64_t words[4] = {};
    std::memcpy(words, data, size < sizeof words ? size : sizeof words);
    check_numbers({words[0], words[1]}, {words[2], words[3]});
    return 0;
}
