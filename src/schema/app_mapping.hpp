#pragma once

// App Services schemas <-> object schema, by the tables of device-sync-server.md 1.3 to 1.6.
//
// Both directions are pure. to_object_schema() never stops at the first mistake: it returns what it
// understood and every problem, the rules of database-and-sdk.md 6.4 for synced classes included. A
// schema with errors is for showing, not for use.

#include <map>
#include <string>
#include <string_view>

#include "schema/app_schema.hpp"
#include "schema/object_schema.hpp"
#include "schema/problem.hpp"

namespace tombolo::schema {

/// Where the objects of each top-level and asymmetric class are stored.
using Places = std::map<std::string, Namespace, std::less<>>;

/// What documents are read and written by: classes, and where they live (links inside Mixed name
/// collections).
struct DocumentSchema {
    Schema schema;
    Places places;

    /// The class whose objects live there, or null. `data_source` is not compared when empty.
    const ClassSchema* class_at(std::string_view database,
                                std::string_view collection) const noexcept;
};

struct MappedSchema {
    DocumentSchema documents;
    SchemaProblems problems;

    bool ok() const noexcept { return !has_errors(problems); }
};

/// Classes in the order of the collections; each class is followed by the embedded classes that it
/// is the first to hold, inner ones before outer ones. `app` holds the collections of one data
/// source: titles are unique there.
MappedSchema to_object_schema(const AppSchema& app);

/// The other way. A class without a place is stored in `fallback` under its own name. Left out,
/// since it has no form here: aliases, indexes, linking objects. Classes whose names start with
/// "__" are not synced and left out. Errors: invalid_schema (to_error of validate() for flexible
/// sync), limit_exceeded (embedded classes that unfold to more than 100,000 properties or 100
/// levels).
Result<AppSchema> to_app_schema(const Schema& schema, const Places& places,
                                const Namespace& fallback);

/// The schema name of a scalar type: "long", "objectId", ... Empty for links and linking objects.
std::string_view bson_type_name(PropertyType type) noexcept;

} // namespace tombolo::schema
