// App Services schema text: parse -> print -> parse is stable; what maps without errors survives
// the way to classes and back.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.hpp"
#include "schema/app_mapping.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tombolo::schema;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto relationships = parse_relationships(text);
    if (relationships) {
        TOMBOLO_CHECK(parse_relationships(print_relationships(*relationships)).value() ==
                      *relationships);
    }
    const auto collection = parse_collection_schema(text);
    const auto schema = parse_json_schema(text);
    if (schema) {
        const std::string printed = print_json_schema(*schema);
        const JsonSchema again = parse_json_schema(printed).value();
        TOMBOLO_CHECK(again == *schema);
        TOMBOLO_CHECK(print_json_schema(again) == printed);
        TOMBOLO_CHECK(parse_json_schema(print_json_schema(*schema, JsonStyle::pretty)).value() ==
                      *schema);
    }
    CollectionSchema owner;
    if (collection) {
        owner = *collection;
    } else if (schema) {
        owner.place = {"mongodb-atlas", "app", "things"};
        owner.schema = *schema;
    } else {
        return 0;
    }
    const MappedSchema mapped = to_object_schema({{owner}});
    if (!mapped.ok()) {
        return 0;
    }
    const auto app = to_app_schema(mapped.documents.schema, mapped.documents.places, owner.place);
    TOMBOLO_CHECK(app.has_value());
    const MappedSchema back = to_object_schema(*app);
    TOMBOLO_CHECK(back.ok());
    TOMBOLO_CHECK(back.documents.schema == mapped.documents.schema);
    return 0;
}
