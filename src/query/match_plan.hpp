#pragma once

// What a server needs to match documents with many subscriptions at once (DESIGN.md, "Matching by
// predicate index").
//
// A plan is the query as a disjunction: a document matches the query exactly when it matches one
// disjunct, that is, all of the disjunct's field conditions and all of its residue. Field
// conditions are what a predicate index can hold: equality, membership, ranges on the fields of the
// class. Beyond max_disjuncts the plan is one disjunct without field conditions, whose residue is
// the whole query: such a query is tested on every document of its class.
//
// canonical() is equal for queries that differ only in the order of operands, in parentheses,
// spelling, the side of constants, and the form of literals; equal canonical texts mean equal
// results. Borrows the query.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/value.hpp"
#include "query/bound.hpp"

namespace tombolo::query {

struct FieldCondition {
    enum class Kind : std::uint8_t { equality, range };

    const schema::Property* field = nullptr;
    Kind kind = Kind::equality;
    /// The field is an array, and the condition holds when some element satisfies it.
    bool any_element = false;
    /// Equality: one of these, in order, each once; null among them stands for null and missing.
    std::vector<Value> values;
    /// Range: no bound means none on that side; null and NaN are in no range.
    std::optional<Value> low;
    std::optional<Value> high;
    bool low_inclusive = false;
    bool high_inclusive = false;

    /// Whether one value of the field (or one element) satisfies it.
    bool holds(const Item& value) const noexcept;
};

struct ResidualCondition {
    const Condition* condition = nullptr;
    bool negated = false;
};

struct Disjunct {
    std::vector<FieldCondition> fields;
    std::vector<ResidualCondition> residue;
};

struct MatchPlan {
    static constexpr std::size_t max_disjuncts = 64;
    /// Values of one equality: beyond, the condition stays in the residue.
    static constexpr std::size_t max_values = 256;

    /// Empty: nothing can match.
    std::vector<Disjunct> disjuncts;
    bool is_class_scan = false; ///< some disjunct has no field condition
};

MatchPlan make_match_plan(const Query& query);

/// The canonical text of the query, class included.
std::string canonical(const Query& query);

} // namespace tombolo::query
