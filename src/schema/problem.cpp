#include "schema/problem.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace tombolo::schema {

std::string_view problem_code_name(ProblemCode code) noexcept {
    switch (code) {
#define TOMBOLO_PROBLEM(name)                                                                      \
    case ProblemCode::name:                                                                        \
        return #name;
        TOMBOLO_PROBLEM(duplicate_class)
        TOMBOLO_PROBLEM(invalid_class_name)
        TOMBOLO_PROBLEM(too_many_properties)
        TOMBOLO_PROBLEM(duplicate_property)
        TOMBOLO_PROBLEM(duplicate_alias)
        TOMBOLO_PROBLEM(alias_is_property_name)
        TOMBOLO_PROBLEM(invalid_property_name)
        TOMBOLO_PROBLEM(linking_objects_not_list)
        TOMBOLO_PROBLEM(linking_objects_without_origin)
        TOMBOLO_PROBLEM(linking_objects_origin_not_link)
        TOMBOLO_PROBLEM(linking_objects_wrong_target)
        TOMBOLO_PROBLEM(link_not_nullable)
        TOMBOLO_PROBLEM(nullable_list_of_objects)
        TOMBOLO_PROBLEM(dictionary_of_objects_not_nullable)
        TOMBOLO_PROBLEM(mixed_not_nullable)
        TOMBOLO_PROBLEM(bad_primary_key_type)
        TOMBOLO_PROBLEM(two_primary_keys)
        TOMBOLO_PROBLEM(embedded_with_primary_key)
        TOMBOLO_PROBLEM(bad_index_type)
        TOMBOLO_PROBLEM(bad_full_text_type)
        TOMBOLO_PROBLEM(unknown_target)
        TOMBOLO_PROBLEM(unexpected_target)
        TOMBOLO_PROBLEM(set_of_embedded)
        TOMBOLO_PROBLEM(link_to_asymmetric)
        TOMBOLO_PROBLEM(asymmetric_not_allowed)
        TOMBOLO_PROBLEM(missing_primary_key)
        TOMBOLO_PROBLEM(primary_key_not_id)
        TOMBOLO_PROBLEM(embedded_cycle)
        TOMBOLO_PROBLEM(embedded_orphan)
        TOMBOLO_PROBLEM(bad_default)
        TOMBOLO_PROBLEM(bad_namespace)
        TOMBOLO_PROBLEM(duplicate_namespace)
        TOMBOLO_PROBLEM(missing_title)
        TOMBOLO_PROBLEM(duplicate_title)
        TOMBOLO_PROBLEM(root_not_object)
        TOMBOLO_PROBLEM(missing_id)
        TOMBOLO_PROBLEM(reserved_name)
        TOMBOLO_PROBLEM(type_not_syncable)
        TOMBOLO_PROBLEM(unknown_type)
        TOMBOLO_PROBLEM(conflicting_types)
        TOMBOLO_PROBLEM(unsupported_form)
        TOMBOLO_PROBLEM(cannot_be_required)
        TOMBOLO_PROBLEM(unknown_required)
        TOMBOLO_PROBLEM(embedded_title_conflict)
        TOMBOLO_PROBLEM(nested_too_deep)
        TOMBOLO_PROBLEM(unknown_keyword)
        TOMBOLO_PROBLEM(ignored_default)
        TOMBOLO_PROBLEM(bad_relationship)
        TOMBOLO_PROBLEM(relationship_without_field)
        TOMBOLO_PROBLEM(relationship_on_id)
        TOMBOLO_PROBLEM(relationship_required)
        TOMBOLO_PROBLEM(relationship_foreign_key)
        TOMBOLO_PROBLEM(relationship_unknown_target)
        TOMBOLO_PROBLEM(relationship_type_mismatch)
        TOMBOLO_PROBLEM(relationship_is_list_mismatch)
        TOMBOLO_PROBLEM(not_queryable)
#undef TOMBOLO_PROBLEM
    }
    return "unknown";
}

bool has_errors(std::span<const SchemaProblem> problems) noexcept {
    return std::any_of(problems.begin(), problems.end(),
                       [](const SchemaProblem& problem) { return !problem.warning; });
}

Error to_error(std::span<const SchemaProblem> problems) {
    TOMBOLO_CHECK(has_errors(problems));
    const auto count = std::count_if(problems.begin(), problems.end(),
                                     [](const SchemaProblem& problem) { return !problem.warning; });
    std::string text = "the schema is not valid";
    text += count == 1 ? ":" : ", " + std::to_string(count) + " problems:";
    std::string context;
    for (const SchemaProblem& problem : problems) {
        if (problem.warning) {
            continue;
        }
        text += "\n- " + problem.text;
        if (context.empty()) {
            context = problem.class_name;
            if (!problem.property.empty()) {
                context += "." + problem.property;
            }
        }
    }
    return Error(ErrorCode::invalid_schema, std::move(text), std::move(context));
}

} // namespace tombolo::schema
