#include "server/sync/engine/role_change.hpp"

#include <algorithm>
#include <optional>

#include "query/binder.hpp"
#include "query/match_plan.hpp"
#include "server/sync/engine/field_mask.hpp"

namespace tombolo::server::sync {

namespace {

using query::Disjunct;
using query::FieldCondition;

bool same_bound(const std::optional<Value>& left, const std::optional<Value>& right) {
    return left.has_value() == right.has_value() && (!left || identical(*left, *right));
}

/// Every value that satisfies `narrow` satisfies `wide`.
bool implies(const FieldCondition& narrow, const FieldCondition& wide) {
    if (narrow.field != wide.field || narrow.any_element != wide.any_element) {
        return false;
    }
    if (narrow.kind == FieldCondition::Kind::equality) {
        return std::all_of(narrow.values.begin(), narrow.values.end(), [&](const Value& value) {
            return wide.holds(query::Item(value.scalar()));
        });
    }
    return wide.kind == narrow.kind && same_bound(narrow.low, wide.low) &&
           same_bound(narrow.high, wide.high) && narrow.low_inclusive == wide.low_inclusive &&
           narrow.high_inclusive == wide.high_inclusive;
}

bool implies(const Disjunct& narrow, const Disjunct& wide) {
    return wide.residue.empty() &&
           std::all_of(wide.fields.begin(), wide.fields.end(), [&](const FieldCondition& asked) {
               return std::any_of(
                   narrow.fields.begin(), narrow.fields.end(),
                   [&](const FieldCondition& given) { return implies(given, asked); });
           });
}

std::optional<query::Query> bind(const Model& model, std::string_view class_name,
                                 const std::string& text) {
    query::BindOptions options;
    options.judges_writes = true;
    Result<query::Query> bound = query::compile(text, model.schema(), class_name, {}, options);
    return bound ? std::optional(*std::move(bound)) : std::nullopt;
}

bool filter_within(const Model& model, std::string_view class_name, const std::string& narrow,
                   const std::string& wide) {
    if (narrow == wide) {
        return true;
    }
    const auto small = bind(model, class_name, narrow);
    const auto large = bind(model, class_name, wide);
    if (!small || !large) {
        return !small; // one that does not bind denies
    }
    const query::MatchPlan from = query::make_match_plan(*small);
    const query::MatchPlan to = query::make_match_plan(*large);
    return std::all_of(from.disjuncts.begin(), from.disjuncts.end(), [&](const Disjunct& each) {
        return std::any_of(to.disjuncts.begin(), to.disjuncts.end(),
                           [&](const Disjunct& other) { return implies(each, other); });
    });
}

} // namespace

bool reads_within(const Model& model, const Role& narrow, const Role& wide) {
    const auto& classes = model.schema().classes();
    return std::all_of(classes.begin(), classes.end(), [&](const schema::ClassSchema& each) {
        if (each.is_embedded() || each.is_asymmetric()) {
            return true;
        }
        const std::string& name = each.name();
        const ClassPermissions& before = narrow.of(name);
        const ClassPermissions& after = wide.of(name);
        const auto old_mask = FieldMask::compile(model, name, before.fields);
        const auto new_mask = FieldMask::compile(model, name, after.fields);
        return filter_within(model, name, before.read, after.read) &&
               FieldMask::reads_within(old_mask.get(), new_mask.get());
    });
}

} // namespace tombolo::server::sync
