// Names and kinds of fields that subscriptions and document filters may use
// (device-sync-server.md 3.2, 3.5).

#include <algorithm>
#include <array>
#include <string>

#include "schema/validation.hpp"

namespace tombolo::schema {

namespace {

// Compared without regard to case.
constexpr std::array<std::string_view, 22> reserved_any_case = {
    "and",          "asc",      "ascending", "beginswith",     "between", "contains", "desc",
    "descending",   "distinct", "endswith",  "falsepredicate", "inf",     "infinity", "like",
    "limit",        "nan",      "nil",       "null",           "or",      "sort",     "subquery",
    "truepredicate"};
// Compared exactly.
constexpr std::array<std::string_view, 19> reserved_exact = {
    "ALL", "ANY",   "B64", "FALSE", "IN",  "NONE", "NOT",  "SOME", "TRUE", "all",
    "any", "false", "in",  "none",  "not", "oid",  "some", "true", "uuid"};

template <std::size_t size>
bool has(const std::array<std::string_view, size>& names, std::string_view name) noexcept {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string lower_ascii(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') {
            c = static_cast<char>(c - 'A' + 'a');
        }
    }
    return lower;
}

} // namespace

bool is_reserved_name(std::string_view name) noexcept {
    constexpr std::size_t longest = 14; // "falsepredicate"
    return name.size() <= longest &&
           (has(reserved_exact, name) || has(reserved_any_case, lower_ascii(name)));
}

bool is_foreign_field(std::string_view name) noexcept {
    return name == "_id__baas_transaction";
}

std::optional<SchemaProblem> queryable_problem(const Schema& schema, std::string_view class_name,
                                               std::string_view field) {
    const auto refuse = [&](std::string_view why) {
        const std::string owner(class_name);
        const std::string name(field);
        return SchemaProblem{ProblemCode::not_queryable, owner, name,
                             "field '" + owner + "." + name +
                                 "' cannot be a queryable field: " + std::string(why)};
    };
    const ClassSchema* class_schema = schema.find(class_name);
    if (class_schema == nullptr) {
        return refuse("there is no such class");
    }
    if (is_reserved_name(field)) {
        return refuse("its name is a word of the query language");
    }
    const Property* property = class_schema->find(field);
    if (property == nullptr) {
        return refuse("the class has no such property");
    }
    if (class_schema->kind() != ClassKind::top_level) {
        return refuse("objects of " + std::string(kind_name(class_schema->kind())) +
                      " classes are not queried by themselves");
    }
    if (schema.is_embedded_place(*property) && !property->is_collection() &&
        is_geo_point(*schema.find(property->target))) {
        return std::nullopt;
    }
    const bool scalar =
        property->type != PropertyType::mixed && !property->is_link() && !property->is_computed();
    const bool plain = property->collection == CollectionKind::none ||
                       property->collection == CollectionKind::list;
    if (!scalar || !plain) {
        return refuse("it is of type " + type_text(*property) +
                      "; queryable are scalars, lists of scalars and GeoJSON points");
    }
    return std::nullopt;
}

} // namespace tombolo::schema
