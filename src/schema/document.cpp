#include "schema/document.hpp"

#include <cmath>

#include "core/check.hpp"
#include "schema/document_reader.hpp"

namespace tombolo::schema {

std::string to_text(const FieldPath& path) {
    std::string text = "(root)";
    for (const PathElement& element : path) {
        text += '.';
        if (const std::string* name = std::get_if<std::string>(&element)) {
            text += *name;
        } else {
            text += std::to_string(std::get<std::uint32_t>(element));
        }
    }
    return text;
}

std::string to_text(const DocumentProblem& problem) {
    return to_text(problem.path) + ": expected " + problem.expected + ", found " + problem.found;
}

ReadDocument document_to_object(const DocumentSchema& documents, std::string_view class_name,
                                ByteView bson, const ReadOptions& options) {
    const ClassSchema* class_schema = documents.schema.find(class_name);
    TOMBOLO_CHECK(class_schema != nullptr);
    ReadDocument result;
    bson_t document;
    bson_iter_t iter;
    if (!open_bson(bson, document) || !bson_iter_init(&iter, &document)) {
        result.problems.push_back({{}, "a BSON document", "other bytes"});
        return result;
    }
    DocumentReader reader(documents, *class_schema, options, result);
    result.object = reader.read_fields(*class_schema, iter);
    return result;
}

std::optional<std::string> geo_point_problem(const Object& point) {
    const Value* type = point.fields.find("type");
    const std::string* type_text = type == nullptr ? nullptr : type->get_if<std::string>();
    if (type_text == nullptr || *type_text != "Point") {
        return "\"type\" is not \"Point\"";
    }
    const Value* coordinates = point.fields.find("coordinates");
    const List* list = coordinates == nullptr ? nullptr : coordinates->get_if<List>();
    if (list == nullptr || list->elements.size() < 2) {
        return "\"coordinates\" has less than two numbers";
    }
    const double* longitude = list->elements[0].get_if<double>();
    const double* latitude = list->elements[1].get_if<double>();
    if (longitude == nullptr || latitude == nullptr) {
        return "\"coordinates\" holds something else than doubles";
    }
    // Written so that NaN is outside.
    if (!(std::abs(*longitude) <= 180)) {
        return "the longitude is not between -180 and 180";
    }
    if (!(std::abs(*latitude) <= 90)) {
        return "the latitude is not between -90 and 90";
    }
    return std::nullopt;
}

} // namespace tombolo::schema
