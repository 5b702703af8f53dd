// Any bytes as BSON: to values and back, and to text and back, each of which must settle after one
// turn.

#include <cstdint>

#include "core/bson.hpp"
#include "core/check.hpp"
#include "core/ejson.hpp"

using namespace tombolo;

namespace {

void check_values(ByteView bytes) {
    const auto value = bson_to_value(bytes);
    if (!value) {
        return;
    }
    const auto again = value_to_bson(*value);
    TOMBOLO_CHECK(again.has_value());
    const auto value_again = bson_to_value(*again);
    TOMBOLO_CHECK(value_again.has_value() && identical(*value, *value_again));
    TOMBOLO_CHECK(hash_value(*value) == hash_value(*value_again));
    TOMBOLO_CHECK(compare(*value, *value_again) == 0);
}

void check_text(ByteView bytes) {
    const auto text = bson_to_ejson(bytes, EjsonForm::canonical);
    if (!text) {
        return;
    }
    // Fields that look like a type's form but are not ("$oid": 5) print as they are and are refused
    // when read.
    const auto document = ejson_to_bson(*text);
    if (document) {
        TOMBOLO_CHECK(bson_to_ejson(*document, EjsonForm::canonical).has_value());
        TOMBOLO_CHECK(bson_to_ejson(*document, EjsonForm::relaxed).has_value());
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
    check_values(bytes);
    check_text(bytes);
    static_cast<void>(bson_array_to_value(bytes));
    static_cast<void>(unwrap_from_bson(bytes));
    return 0;
}
