// Extended JSON for the text-driven cases: core's, in this layer's types.

#include "core/ejson.hpp"
#include "mql/case_runner.hpp"

namespace tombolo::mql::test {

Result<BsonDocument> from_json(std::string_view text) {
    TOMBOLO_TRY(BsonBuffer bytes, ejson_to_bson(text));
    return BsonDocument::validate(std::move(bytes));
}

std::string to_json(BsonDocumentView document) {
    const auto text = bson_to_ejson(document.bytes(), EjsonForm::canonical);
    return text ? *text : std::string("<") + text.error().what() + ">";
}

std::string to_json(BsonView value) {
    if (value.is_missing()) {
        return "<missing>";
    }
    BsonWriter writer;
    writer.append("", value);
    const auto text =
        wrapped_bson_to_ejson(std::move(writer).finish().bytes(), EjsonForm::canonical);
    return text ? *text : std::string("<") + text.error().what() + ">";
}

} // namespace tombolo::mql::test
