#pragma once

// Two versions of a schema: every difference, what it means for the server and for devices
// (device-sync-server.md 2.4), in words.

#include <string>
#include <string_view>
#include <vector>

#include "schema/app_mapping.hpp"
#include "schema/object_schema.hpp"

namespace tombolo::schema {

enum class ChangeKind : std::uint8_t {
    class_added,
    class_removed,
    class_kind_changed,
    property_added,
    property_removed,
    type_changed,
    collection_changed,
    target_changed,
    nullability_changed,
    primary_key_changed,
    default_changed,
    index_changed,
    document_type_changed, ///< "int" and "long": how documents store an integer
    alias_changed,
    place_changed, ///< another collection under the same title
    keywords_changed,
};

/// "class_added", ...
std::string_view change_kind_name(ChangeKind kind) noexcept;

enum class ChangeEffect : std::uint8_t {
    none,     ///< nothing to do
    additive, ///< non-breaking: takes effect while everything runs
    breaking, ///< needs a new schema version (server) or a new file (device)
};

struct SchemaChange {
    ChangeKind kind = ChangeKind::class_added;
    std::string class_name;
    std::string property; ///< empty when the class is meant
    /// When the server's schema changes so.
    ChangeEffect on_server = ChangeEffect::none;
    /// When only the model of the client changes so.
    ChangeEffect on_client = ChangeEffect::none;
    /// "property 'Dog.age' changes its type from Int to String"
    std::string text;
};

/// In the order of the new classes and their properties, what was removed last. A rename shows as
/// removal and addition, which is what it is. Empty = the same schema but for order.
std::vector<SchemaChange> compare_schemas(const Schema& before, const Schema& after);

/// Also: where the classes are stored, and keywords of the JSON schemas that no class shows.
std::vector<SchemaChange> compare_apps(const AppSchema& before, const AppSchema& after);

bool breaks_server(const std::vector<SchemaChange>& changes) noexcept;
bool breaks_client(const std::vector<SchemaChange>& changes) noexcept;

} // namespace tombolo::schema
