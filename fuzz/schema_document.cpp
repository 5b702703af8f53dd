// Any bytes as a document: reading never fails otherwise than with problems; what was read can be
// written and reads the same.

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/check.hpp"
#include "schema/builders.hpp"
#include "schema/document.hpp"

namespace {

using namespace tombolo::schema;

DocumentSchema make_documents() {
    DocumentSchema documents;
    documents.schema = everything_schema();
    ClassSchema everything = *documents.schema.find("Everything");
    everything.put(primary_key("_id", PropertyType::integer));
    documents.schema.put(everything);
    documents.places["Everything"] = {"mongodb-atlas", "app", "things"};
    documents.places["Other"] = {"mongodb-atlas", "app", "others"};
    return documents;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const DocumentSchema documents = make_documents();
    const tombolo::ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
    const ReadOptions fill{true};
    const ReadDocument read = document_to_object(documents, "Everything", bytes, fill);
    if (!read.ok()) {
        return 0;
    }
    const auto written = object_to_document(documents, "Everything", read.object);
    TOMBOLO_CHECK(written.has_value());
    TOMBOLO_CHECK(written->inexact.empty());
    const ReadDocument again = document_to_object(documents, "Everything", written->bson);
    TOMBOLO_CHECK(again.ok());
    TOMBOLO_CHECK(identical(tombolo::Value(again.object), tombolo::Value(read.object)));
    const auto updated = update_document(documents, "Everything", read.object, bytes);
    if (updated) {
        const ReadDocument third = document_to_object(documents, "Everything", updated->bson, fill);
        TOMBOLO_CHECK(third.ok());
        TOMBOLO_CHECK(identical(tombolo::Value(third.object), tombolo::Value(read.object)));
    }
    return 0;
}
