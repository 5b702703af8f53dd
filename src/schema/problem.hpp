#pragma once

// What is wrong with a schema: collected, never one at a time, so that a person mends everything in
// one go.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace tombolo::schema {

enum class ProblemCode : std::uint8_t {
    // Any schema (database-and-sdk.md 6.4)
    duplicate_class,
    invalid_class_name,
    too_many_properties,
    duplicate_property,
    duplicate_alias,
    alias_is_property_name,
    invalid_property_name,
    linking_objects_not_list,
    linking_objects_without_origin,
    linking_objects_origin_not_link,
    linking_objects_wrong_target,
    link_not_nullable,
    nullable_list_of_objects,
    dictionary_of_objects_not_nullable,
    mixed_not_nullable,
    bad_primary_key_type,
    two_primary_keys,
    embedded_with_primary_key,
    bad_index_type,
    bad_full_text_type,
    unknown_target,
    unexpected_target,
    set_of_embedded,
    link_to_asymmetric,
    asymmetric_not_allowed,
    missing_primary_key,
    primary_key_not_id,
    embedded_cycle,
    embedded_orphan,
    bad_default,
    // App Services schemas (device-sync-server.md 1 and 3)
    bad_namespace,
    duplicate_namespace,
    missing_title,
    duplicate_title,
    root_not_object,
    missing_id,
    reserved_name,
    type_not_syncable,
    unknown_type,
    conflicting_types,
    unsupported_form,
    cannot_be_required,
    unknown_required,
    embedded_title_conflict,
    nested_too_deep,
    unknown_keyword,
    ignored_default,
    bad_relationship,
    relationship_without_field,
    relationship_on_id,
    relationship_required,
    relationship_foreign_key,
    relationship_unknown_target,
    relationship_type_mismatch,
    relationship_is_list_mismatch,
    // Queryable fields (device-sync-server.md 3.2 and 3.3)
    not_queryable,
};

/// "duplicate_class", ...
std::string_view problem_code_name(ProblemCode code) noexcept;

struct SchemaProblem {
    ProblemCode code = ProblemCode::duplicate_class;
    std::string class_name;
    std::string property; ///< empty when the class as a whole is meant; a dotted path inside an App
                          ///< Services schema
    std::string text;     ///< one sentence that names class and property and says what to do
    bool warning = false; ///< the schema can be used; something in it has no effect
};

using SchemaProblems = std::vector<SchemaProblem>;

/// True when one of them is more than a warning.
bool has_errors(std::span<const SchemaProblem> problems) noexcept;

/// invalid_schema with one line a problem (warnings left out); its context names the first class
/// and property. REQUIRES: has_errors(problems)
Error to_error(std::span<const SchemaProblem> problems);

} // namespace tombolo::schema
