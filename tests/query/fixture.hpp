#pragma once

// The people, dogs and places that query tests ask about (tests/cases/query.txt), with a label for
// each object.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/geo.hpp"
#include "query/arguments.hpp"
#include "query/binder.hpp"
#include "query/match_plan.hpp"
#include "query/object_store.hpp"
#include "query/results.hpp"
#include "schema/object_schema.hpp"

namespace tombolo::query::test {

/// Person, Dog, Vet, Place, Address and GeoPoint as database-and-sdk.md 3.7 describes them, and
/// Account (sync).
const schema::Schema& fixture_schema();

/// All objects; built once.
const ObjectStore& fixture_store();

/// "ann", "rex", "near", ...: found by primary key.
std::string label_of(const ObjectRef& object);

/// Labels of the results separated by blanks, in result order when the query sorts, else
/// alphabetically; or "error: <message>".
std::string run_labels(std::string_view class_name, std::string_view text,
                       const Arguments& arguments = {}, const BindOptions& options = {});

/// A constant, list or shape in query syntax, as an argument.
Argument parse_argument(std::string_view text);

ObjectId person_id(int last_byte);

/// Whether an object matches a plan as a predicate index would find it out.
template <Accessor A>
bool plan_matches(const MatchPlan& plan, const A& accessor, const typename A::Object& object) {
    const Evaluator<A> evaluator(accessor);
    const auto field_holds = [&](const FieldCondition& field) {
        const auto cell = accessor.property(object, *field.field, -1);
        if (!field.any_element) {
            return field.holds(accessor.item(cell));
        }
        return !accessor.for_each(cell, [&](const typename A::Cell& element) {
            return !field.holds(accessor.item(element));
        });
    };
    return std::any_of(plan.disjuncts.begin(), plan.disjuncts.end(), [&](const Disjunct& disjunct) {
        return std::all_of(disjunct.fields.begin(), disjunct.fields.end(), field_holds) &&
               std::all_of(disjunct.residue.begin(), disjunct.residue.end(), [&](const auto& r) {
                   return evaluator.matches(*r.condition, object) != r.negated;
               });
    });
}

} // namespace tombolo::query::test
