#include "schema/app_schema.hpp"

#include <algorithm>
#include <optional>

#include "schema/json_text.hpp"

namespace tombolo::schema {

namespace {

namespace json = boost::json;

constexpr std::string_view ref_prefix = "#/relationship/";

Error wrong(std::string_view expected, const json::value& found, std::string context) {
    return Error(ErrorCode::invalid_schema,
                 "expected " + std::string(expected) + ", found " + std::string(json_kind(found)),
                 std::move(context));
}

// Collection names may hold slashes, the two others may not.
std::optional<Namespace> parse_ref(std::string_view ref) {
    if (ref.substr(0, ref_prefix.size()) != ref_prefix) {
        return std::nullopt;
    }
    ref.remove_prefix(ref_prefix.size());
    const std::size_t first = ref.find('/');
    const std::size_t second =
        first == std::string_view::npos ? std::string_view::npos : ref.find('/', first + 1);
    if (second == std::string_view::npos || first == 0 || second == first + 1 ||
        second + 1 == ref.size()) {
        return std::nullopt;
    }
    return Namespace{std::string(ref.substr(0, first)),
                     std::string(ref.substr(first + 1, second - first - 1)),
                     std::string(ref.substr(second + 1))};
}

Result<Relationship> relationship_from(std::string_view path, const json::value& value) {
    const std::string context = "relationships." + std::string(path);
    const json::object* object = value.if_object();
    if (object == nullptr) {
        return wrong("an object with ref, foreign_key and is_list", value, context);
    }
    Relationship relationship;
    relationship.path = path;
    bool has_ref = false;
    for (const auto& member : *object) {
        const std::string_view name = member.key();
        const std::string place = context + "." + std::string(name);
        if (name == "is_list") {
            if (!member.value().is_bool()) {
                return wrong("true or false", member.value(), place);
            }
            relationship.is_list = member.value().get_bool();
            continue;
        }
        if (name != "ref" && name != "foreign_key" && name != "source_key") {
            return Error(ErrorCode::invalid_schema,
                         "a relationship has ref, foreign_key, is_list and source_key only", place);
        }
        if (!member.value().is_string()) {
            return wrong("a string", member.value(), place);
        }
        const std::string_view text = member.value().get_string();
        if (name == "ref") {
            const std::optional<Namespace> target = parse_ref(text);
            if (!target) {
                return Error(ErrorCode::invalid_schema,
                             "a ref reads \"#/relationship/<data source>/<database>/<collection>\"",
                             place);
            }
            relationship.target = *target;
            has_ref = true;
        } else {
            (name == "foreign_key" ? relationship.foreign_key : relationship.source_key) = text;
        }
    }
    if (!has_ref) {
        return Error(ErrorCode::invalid_schema, "a relationship needs a ref", context);
    }
    return relationship;
}

Result<std::vector<Relationship>> relationships_from(const json::value& value) {
    std::vector<Relationship> relationships;
    if (value.is_null()) {
        return relationships;
    }
    const json::object* object = value.if_object();
    if (object == nullptr) {
        return wrong("an object with one member a field, or null", value, "relationships");
    }
    for (const auto& member : *object) {
        TOMBOLO_TRY(Relationship relationship, relationship_from(member.key(), member.value()));
        relationships.push_back(std::move(relationship));
    }
    return relationships;
}

json::value json_from_relationships(const std::vector<Relationship>& relationships) {
    json::object object;
    for (const Relationship& relationship : relationships) {
        json::object entry;
        entry["ref"] = std::string(ref_prefix) + relationship.target.data_source + "/" +
                       relationship.target.database + "/" + relationship.target.collection;
        entry["foreign_key"] = relationship.foreign_key;
        if (!relationship.source_key.empty()) {
            entry["source_key"] = relationship.source_key;
        }
        entry["is_list"] = relationship.is_list;
        object[relationship.path] = std::move(entry);
    }
    return object;
}

Result<Namespace> namespace_from(const json::value& value) {
    const json::object* object = value.if_object();
    if (object == nullptr) {
        return wrong("an object", value, "metadata");
    }
    Namespace place;
    const std::pair<std::string_view, std::string*> members[] = {
        {"data_source", &place.data_source},
        {"database", &place.database},
        {"collection", &place.collection}};
    for (const auto& [name, target] : members) {
        const json::value* found = object->if_contains(name);
        if (found == nullptr || !found->is_string()) {
            return Error(ErrorCode::invalid_schema, "a string is needed here",
                         "metadata." + std::string(name));
        }
        *target = found->get_string();
    }
    return place;
}

} // namespace

std::string to_text(const Namespace& place) {
    return place.database + "." + place.collection + " in " + place.data_source;
}

const CollectionSchema* AppSchema::find(const Namespace& place) const noexcept {
    const auto found =
        std::find_if(collections.begin(), collections.end(),
                     [&](const CollectionSchema& one) { return one.place == place; });
    return found == collections.end() ? nullptr : &*found;
}

const CollectionSchema* AppSchema::find_title(std::string_view data_source,
                                              std::string_view title) const noexcept {
    const auto found =
        std::find_if(collections.begin(), collections.end(), [&](const CollectionSchema& one) {
            return one.place.data_source == data_source && one.schema.title == title;
        });
    return found == collections.end() ? nullptr : &*found;
}

Result<std::vector<Relationship>> parse_relationships(std::string_view text) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        return std::vector<Relationship>{};
    }
    TOMBOLO_TRY(const json::value value, parse_json(text, "the relationships text"));
    return relationships_from(value);
}

std::string print_relationships(const std::vector<Relationship>& relationships, JsonStyle style) {
    return print_json(json_from_relationships(relationships), style);
}

Result<CollectionSchema> parse_collection_schema(std::string_view text) {
    TOMBOLO_TRY(const json::value value, parse_json(text, "the schema"));
    const json::object* object = value.if_object();
    if (object == nullptr) {
        return wrong("an object with metadata and schema", value, "");
    }
    CollectionSchema result;
    bool has_place = false;
    bool has_schema = false;
    for (const auto& member : *object) {
        const std::string_view name = member.key();
        if (name == "_id") {
            if (member.value().is_string()) {
                result.id = member.value().get_string();
            } else if (!member.value().is_null()) {
                return wrong("a string", member.value(), "_id");
            }
        } else if (name == "metadata") {
            TOMBOLO_TRY(result.place, namespace_from(member.value()));
            has_place = true;
        } else if (name == "schema") {
            Result<JsonSchema> schema = json_schema_from(member.value());
            if (!schema) {
                return schema.error().within("schema");
            }
            result.schema = *std::move(schema);
            has_schema = true;
        } else if (name == "relationships") {
            TOMBOLO_TRY(result.relationships, relationships_from(member.value()));
        } else {
            return Error(ErrorCode::invalid_schema,
                         "expected _id, metadata, schema and relationships only",
                         std::string(name));
        }
    }
    if (!has_place || !has_schema) {
        return Error(ErrorCode::invalid_schema, std::string("the member \"") +
                                                    (has_place ? "schema" : "metadata") +
                                                    "\" is missing");
    }
    return result;
}

std::string print_collection_schema(const CollectionSchema& schema, JsonStyle style) {
    json::object object;
    if (!schema.id.empty()) {
        object["_id"] = schema.id;
    }
    object["metadata"] = json::object{{"data_source", schema.place.data_source},
                                      {"database", schema.place.database},
                                      {"collection", schema.place.collection}};
    object["schema"] = json_from(schema.schema);
    object["relationships"] = json_from_relationships(schema.relationships);
    return print_json(object, style);
}

} // namespace tombolo::schema
