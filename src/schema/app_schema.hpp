#pragma once

// The schemas of an app: for each collection a JSON schema and its relationships, as App Services
// stores them in schema.json and relationships.json and as the Admin API carries them in one object
// (device-sync-server.md 1.1, 1.5).
//
// Plain values. Parsing checks form only; what the schemas mean, and everything that is wrong with
// them, comes from to_object_schema() (schema/app_mapping.hpp).

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "schema/json_schema.hpp"

namespace tombolo::schema {

/// A collection of a data source.
struct Namespace {
    std::string data_source;
    std::string database;
    std::string collection;

    friend auto operator<=>(const Namespace&, const Namespace&) = default;
};

/// "app.Dog in mongodb-atlas".
std::string to_text(const Namespace& place);

struct Relationship {
    /// Path to the field in the owner, "pets.[].brand": "[]" stands for the elements of a list, set
    /// or dictionary.
    std::string path;
    Namespace target;
    std::string foreign_key = "_id";
    /// Of the field itself, not of a list around it.
    bool is_list = false;
    std::string source_key;

    friend bool operator==(const Relationship&, const Relationship&) = default;
};

struct CollectionSchema {
    std::string id; ///< the Admin API's "_id"; may be empty
    Namespace place;
    JsonSchema schema;
    std::vector<Relationship> relationships; ///< as they stood in the text
    /// The collection stands in `asymmetric_tables` of the sync configuration: the text form does
    /// not say it.
    bool asymmetric = false;

    friend bool operator==(const CollectionSchema&, const CollectionSchema&) = default;
};

struct AppSchema {
    std::vector<CollectionSchema> collections;

    const CollectionSchema* find(const Namespace& place) const noexcept;
    /// The collection whose schema has this title, in any database of the data source.
    const CollectionSchema* find_title(std::string_view data_source,
                                       std::string_view title) const noexcept;

    friend bool operator==(const AppSchema&, const AppSchema&) = default;
};

/// relationships.json; the texts "" and "null" mean none. Errors: bad_json, limit_exceeded,
/// invalid_schema (context: the path).
Result<std::vector<Relationship>> parse_relationships(std::string_view text);
std::string print_relationships(const std::vector<Relationship>& relationships,
                                JsonStyle style = JsonStyle::compact);

/// The Admin API's form: {"_id", "metadata": {data_source, database, collection}, "schema",
/// "relationships"}. "relationships" may be missing or null, "_id" missing. Members of other names
/// are refused.
Result<CollectionSchema> parse_collection_schema(std::string_view text);
std::string print_collection_schema(const CollectionSchema& schema,
                                    JsonStyle style = JsonStyle::compact);

} // namespace tombolo::schema
