// Any text as Extended JSON: what is read prints, and what is printed is read back to the same
// document.

#include <cstdint>

#include "core/check.hpp"
#include "core/ejson.hpp"

using namespace tombolo;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto document = ejson_to_wrapped_bson(text);
    if (!document) {
        TOMBOLO_CHECK(document.error().context().substr(0, 5) == "line ");
        return 0;
    }
    const auto canonical = wrapped_bson_to_ejson(*document, EjsonForm::canonical);
    TOMBOLO_CHECK(canonical.has_value());
    const auto again = ejson_to_wrapped_bson(*canonical);
    TOMBOLO_CHECK(again.has_value() && *again == *document);
    TOMBOLO_CHECK(wrapped_bson_to_ejson(*document, EjsonForm::relaxed).has_value());
    if (const auto value = ejson_to_value(text)) {
        TOMBOLO_CHECK(value_to_ejson(*value, EjsonForm::relaxed).has_value());
    }
    return 0;
}
