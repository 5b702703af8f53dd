#include "server/app/schema_inference.hpp"

#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>

#include "schema/validation.hpp"

namespace tombolo::server {

namespace json = boost::json;
using mql::BsonElement;
using mql::BsonType;
using mql::BsonView;

/// A field, wherever it stands, or the elements of an array.
struct SchemaInference::Place {
    struct Field;

    std::set<std::string_view> types; ///< without null
    bool is_null = false;             ///< in some document
    std::vector<Field> fields;        ///< in the order they were first seen
    std::map<std::string, std::size_t, std::less<>> by_name;
    std::unique_ptr<Place> items;
};

struct SchemaInference::Place::Field {
    std::string name;
    Place place;
};

namespace {

constexpr std::uint8_t uuid_subtype = 4;
constexpr std::string_view mixed = "mixed";

std::string_view type_of(BsonView value) {
    switch (value.type()) {
    case BsonType::int32:
        return "int";
    case BsonType::int64:
        return "long";
    case BsonType::float64:
        return "double";
    case BsonType::decimal128:
        return "decimal";
    case BsonType::string:
        return "string";
    case BsonType::boolean:
        return "bool";
    case BsonType::date:
        return "date";
    case BsonType::object_id:
        return "objectId";
    case BsonType::binary:
        return value.as_binary().subtype == uuid_subtype ? "uuid" : "binData";
    case BsonType::document:
        return "object";
    case BsonType::array:
        return "array";
    default:
        return mixed; // what no client's schema can say
    }
}

bool all_of(const std::set<std::string_view>& types, const std::set<std::string_view>& allowed) {
    for (const std::string_view type : types) {
        if (!allowed.contains(type)) {
            return false;
        }
    }
    return true;
}

std::string_view common_type(const std::set<std::string_view>& types) {
    if (types.size() == 1) {
        return *types.begin();
    }
    if (types.empty()) {
        return mixed;
    }
    if (all_of(types, {"int", "long"})) {
        return "long";
    }
    if (all_of(types, {"int", "long", "double"})) {
        return "double";
    }
    return all_of(types, {"binData", "uuid"}) ? std::string_view("binData") : mixed;
}

json::object properties_of(const SchemaInference::Place& place);

json::object schema_of(const SchemaInference::Place& place, bool element) {
    std::string_view type = common_type(place.types);
    // Elements that may be null, and lists of lists, have no type of their own.
    if (element && (place.is_null || type == "array")) {
        type = mixed;
    }
    json::object out{{"bsonType", type}};
    if (type == "object") {
        out["properties"] = properties_of(place);
    } else if (type == "array") {
        out["items"] = schema_of(*place.items, true);
    }
    return out;
}

json::object properties_of(const SchemaInference::Place& place) {
    json::object out;
    for (const auto& [name, field] : place.fields) {
        out[name] = schema_of(field, false);
    }
    return out;
}

} // namespace

SchemaInference::SchemaInference() : root_(std::make_unique<Place>()) {}
SchemaInference::~SchemaInference() = default;

void SchemaInference::add(mql::BsonDocumentView document) {
    ++documents_;
    with_id_ += document.find("_id").is_missing() ? 0U : 1U;
    see_fields(*root_, document);
}

// Depth is that of documents, which is bounded.
void SchemaInference::see(Place& place, BsonView value) {
    if (value.is_nullish()) {
        place.is_null = true;
        return;
    }
    place.types.insert(type_of(value));
    if (value.is_document()) {
        see_fields(place, value.as_document());
    } else if (value.is_array()) {
        if (place.items == nullptr) {
            place.items = std::make_unique<Place>();
        }
        for (const BsonElement& element : value.as_document()) {
            see(*place.items, element.value);
        }
    }
}

void SchemaInference::see_fields(Place& place, mql::BsonDocumentView document) {
    for (const BsonElement& element : document) {
        if (schema::is_foreign_field(element.key)) {
            continue;
        }
        auto found = place.by_name.find(element.key);
        if (found == place.by_name.end()) {
            if (fields_ == fields_max) {
                continue;
            }
            ++fields_;
            found = place.by_name.emplace(element.key, place.fields.size()).first;
            place.fields.push_back({std::string(element.key), Place()});
        }
        see(place.fields[found->second].place, element.value);
    }
}

json::object SchemaInference::schema(const std::string& title) const {
    json::array required;
    if (documents_ > 0 && with_id_ == documents_) {
        required.emplace_back("_id");
    }
    return {{"title", title},
            {"bsonType", "object"},
            {"required", std::move(required)},
            {"properties", properties_of(*root_)}};
}

} // namespace tombolo::server
