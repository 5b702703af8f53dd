#pragma once

// Is an object schema one that a database can be opened with? All rules of database-and-sdk.md 6.4,
// reported together. Pure functions.

#include <optional>
#include <string_view>

#include "core/result.hpp"
#include "schema/object_schema.hpp"
#include "schema/problem.hpp"

namespace tombolo::schema {

enum class SchemaUse : std::uint8_t {
    local,
    partition_sync,
    flexible_sync,
};

struct ValidationOptions {
    SchemaUse use = SchemaUse::local;
    /// The classes were listed by hand: an embedded class that nothing holds is a mistake.
    /// Discovered ones may have it.
    bool classes_listed_explicitly = false;
};

/// Every problem: class by class, property by property, then those of the schema as a whole. Empty
/// = valid.
SchemaProblems validate(const Schema& schema, const ValidationOptions& options = {});

/// validate() as one error: invalid_schema, all problems in its text.
Result<void> check_schema(const Schema& schema, const ValidationOptions& options = {});

/// True for words of the query language that no property of a synced class may be called
/// (device-sync-server.md 3.5).
bool is_reserved_name(std::string_view name) noexcept;

/// A field that App Services leaves in documents for a while, and that restored ones may still
/// have: of no schema, shown to no device (device-sync-server.md 6.2).
bool is_foreign_field(std::string_view name) noexcept;

/// True when `value` may stand in the property (null needs nullable). For collections: a whole
/// collection value. Links are not looked up.
bool value_fits(const Property& property, const Value& value) noexcept;

/// Why a field cannot be queryable (device-sync-server.md 3.2): nothing when it can.
std::optional<SchemaProblem> queryable_problem(const Schema& schema, std::string_view class_name,
                                               std::string_view field);

/// An embedded class that holds a GeoJSON point: a `type` string and a list of doubles
/// `coordinates` (device-sync-server.md 1.6).
bool is_geo_point(const ClassSchema& class_schema) noexcept;

} // namespace tombolo::schema
