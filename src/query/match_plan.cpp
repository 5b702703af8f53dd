#include "query/match_plan.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "query/bound_printer.hpp"
#include "query/literal_text.hpp"

namespace tombolo::query {
namespace {

using Disjuncts = std::vector<Disjunct>;

/// Constant beside a field, with the constant on the right.
struct FieldComparison {
    const Path* path = nullptr;
    const Constants* constants = nullptr;
    ComparisonOperator op = ComparisonOperator::equal;
    bool any_element = false;
};

ComparisonOperator mirrored(ComparisonOperator op) noexcept {
    switch (op) {
    case ComparisonOperator::less:
        return ComparisonOperator::greater;
    case ComparisonOperator::less_or_equal:
        return ComparisonOperator::greater_or_equal;
    case ComparisonOperator::greater:
        return ComparisonOperator::less;
    case ComparisonOperator::greater_or_equal:
        return ComparisonOperator::less_or_equal;
    default:
        return op;
    }
}

bool is_string_operator(ComparisonOperator op) noexcept {
    return op == ComparisonOperator::begins_with || op == ComparisonOperator::ends_with ||
           op == ComparisonOperator::contains || op == ComparisonOperator::like;
}

bool is_any(Quantifier quantifier) noexcept {
    return quantifier == Quantifier::unspecified || quantifier == Quantifier::any;
}

/// The comparison as field op constant(s), if that is what it is.
std::optional<FieldComparison> field_comparison(const Comparison& comparison) noexcept {
    if (comparison.mode != ComparisonMode::values || comparison.ignore_case ||
        is_string_operator(comparison.op)) {
        return std::nullopt;
    }
    const auto* left = std::get_if<Path>(&comparison.left.node);
    const Operand& field = left ? comparison.left : comparison.right;
    const Operand& constant = left ? comparison.right : comparison.left;
    const auto* path = std::get_if<Path>(&field.node);
    const auto* constants = std::get_if<Constants>(&constant.node);
    if (!path || !constants || path->ending != Ending::value || path->steps.empty() ||
        path->steps[0].slot < 0) {
        return std::nullopt;
    }
    const bool scalar = path->steps.size() == 1;
    const bool element = path->steps.size() == 2 && path->steps[1].kind == StepKind::elements &&
                         path->steps[0].property->collection == schema::CollectionKind::list;
    if ((!scalar && !element) || !is_any(field.quantifier) || !is_any(constant.quantifier)) {
        return std::nullopt;
    }
    return FieldComparison{path, constants, left ? comparison.op : mirrored(comparison.op),
                           element};
}

void sort_values(std::vector<Value>& values) {
    const auto less = [](const Value& a, const Value& b) { return compare(a, b) < 0; };
    const auto same = [](const Value& a, const Value& b) { return compare(a, b) == 0; };
    std::sort(values.begin(), values.end(), less);
    values.erase(std::unique(values.begin(), values.end(), same), values.end());
}

std::optional<FieldCondition> equality(const FieldComparison& comparison) {
    if (comparison.constants->values().size() > MatchPlan::max_values) {
        return std::nullopt;
    }
    FieldCondition out;
    out.field = comparison.path->steps[0].property;
    out.any_element = comparison.any_element;
    out.values = comparison.constants->values();
    sort_values(out.values);
    return out;
}

bool has_order(const Item& bound) noexcept {
    return relate(ComparisonOperator::less_or_equal, false, bound, bound);
}

/// The field condition that says exactly what the (possibly negated) comparison says, if there is
/// one.
std::optional<FieldCondition> field_condition(const Condition& condition, bool negated) {
    const auto* comparison = std::get_if<Comparison>(&condition.node);
    const auto found = comparison ? field_comparison(*comparison) : std::nullopt;
    if (!found) {
        return std::nullopt;
    }
    const bool one = !found->constants->is_list();
    if (negated) {
        const bool equal = found->op == ComparisonOperator::not_equal && one && !found->any_element;
        return equal ? equality(*found) : std::nullopt;
    }
    FieldCondition out;
    out.field = found->path->steps[0].property;
    out.any_element = found->any_element;
    out.kind = FieldCondition::Kind::range;
    switch (found->op) {
    case ComparisonOperator::equal:
        return equality(*found);
    case ComparisonOperator::less:
    case ComparisonOperator::less_or_equal:
        out.high_inclusive = found->op == ComparisonOperator::less_or_equal;
        break;
    case ComparisonOperator::greater:
    case ComparisonOperator::greater_or_equal:
        out.low_inclusive = found->op == ComparisonOperator::greater_or_equal;
        break;
    default:
        return std::nullopt;
    }
    // No value is in a range that ends at null or NaN: the residue says so.
    if (!one || !has_order(found->constants->items().front())) {
        return std::nullopt;
    }
    const bool upper =
        found->op == ComparisonOperator::less || found->op == ComparisonOperator::less_or_equal;
    (upper ? out.high : out.low) = found->constants->values().front();
    return out;
}

/// Takes `other` into `into` when both are about the same single value: the narrower bounds of two
/// ranges.
bool merge_ranges(FieldCondition& into, const FieldCondition& other) {
    using Kind = FieldCondition::Kind;
    if (into.field != other.field || into.kind != Kind::range || other.kind != Kind::range ||
        into.any_element || other.any_element) {
        return false;
    }
    if (other.low) {
        const int order = into.low ? compare(*other.low, *into.low) : 1;
        if (order > 0 || (order == 0 && !other.low_inclusive)) {
            into.low = other.low;
            into.low_inclusive = other.low_inclusive;
        }
    }
    if (other.high) {
        const int order = into.high ? compare(*other.high, *into.high) : -1;
        if (order < 0 || (order == 0 && !other.high_inclusive)) {
            into.high = other.high;
            into.high_inclusive = other.high_inclusive;
        }
    }
    return true;
}

/// Adds the conditions of `right` to `into`.
void conjoin(Disjunct& into, const Disjunct& right) {
    for (const FieldCondition& field : right.fields) {
        const bool merged =
            field.kind == FieldCondition::Kind::range &&
            std::any_of(into.fields.begin(), into.fields.end(),
                        [&](FieldCondition& own) { return merge_ranges(own, field); });
        if (!merged) {
            into.fields.push_back(field);
        }
    }
    into.residue.insert(into.residue.end(), right.residue.begin(), right.residue.end());
}

/// A disjunct that is one equality on one field and nothing else.
FieldCondition* lone_equality(Disjunct& disjunct) noexcept {
    const bool lone = disjunct.residue.empty() && disjunct.fields.size() == 1 &&
                      disjunct.fields[0].kind == FieldCondition::Kind::equality;
    return lone ? disjunct.fields.data() : nullptr;
}

class Planner {
  public:
    /// Nothing when there would be too many disjuncts.
    std::optional<Disjuncts> normalise(const Condition& condition, bool negated) {
        if (const bool* constant = std::get_if<bool>(&condition.node)) {
            return *constant != negated ? Disjuncts(1) : Disjuncts();
        }
        if (const auto* negation = std::get_if<Negation>(&condition.node)) {
            return normalise(*negation->operand, !negated);
        }
        if (const auto* group = std::get_if<Group>(&condition.node)) {
            const bool conjunction = (group->op == GroupOperator::conjunction) != negated;
            return conjunction ? conjunction_of(*group, negated) : disjunction_of(*group, negated);
        }
        Disjuncts out(1);
        if (auto field = field_condition(condition, negated)) {
            out[0].fields.push_back(*std::move(field));
        } else {
            out[0].residue.push_back({&condition, negated});
        }
        return out;
    }

  private:
    std::optional<Disjuncts> conjunction_of(const Group& group, bool negated) {
        Disjuncts out(1);
        for (const Condition& operand : group.operands) {
            const auto next = normalise(operand, negated);
            if (!next || next->size() * out.size() > MatchPlan::max_disjuncts) {
                return std::nullopt;
            }
            if (next->size() == 1) {
                // In place: a conjunction of thousands is not copied for each of them.
                for (Disjunct& left : out) {
                    conjoin(left, next->front());
                }
                continue;
            }
            Disjuncts product;
            for (const Disjunct& left : out) {
                for (const Disjunct& right : *next) {
                    conjoin(product.emplace_back(left), right);
                }
            }
            out = std::move(product);
        }
        return out;
    }

    /// Equalities of one field become one membership, so that a long list of keys is one disjunct.
    std::optional<Disjuncts> disjunction_of(const Group& group, bool negated) {
        Disjuncts out;
        std::map<std::pair<const schema::Property*, bool>, std::size_t> equalities;
        for (const Condition& operand : group.operands) {
            auto next = normalise(operand, negated);
            if (!next) {
                return std::nullopt;
            }
            for (Disjunct& disjunct : *next) {
                FieldCondition* lone = lone_equality(disjunct);
                if (!lone) {
                    out.push_back(std::move(disjunct));
                } else {
                    const auto [at, added] =
                        equalities.try_emplace({lone->field, lone->any_element}, out.size());
                    if (added) {
                        out.push_back(std::move(disjunct));
                    } else {
                        std::vector<Value>& values = out[at->second].fields[0].values;
                        values.insert(values.end(), lone->values.begin(), lone->values.end());
                    }
                }
                if (out.size() > MatchPlan::max_disjuncts) {
                    return std::nullopt;
                }
            }
        }
        for (const auto& [field, at] : equalities) {
            std::vector<Value>& values = out[at].fields[0].values;
            sort_values(values);
            if (values.size() > MatchPlan::max_values) {
                return std::nullopt;
            }
        }
        return out;
    }
};

// ---- canonical text
// ---------------------------------------------------------------------------------------------

std::string list_text(std::vector<std::string> texts) {
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    std::string out;
    for (const std::string& text : texts) {
        out += out.empty() ? "{" : ", ";
        out += text;
    }
    return out.empty() ? "{}" : out + "}";
}

std::string value_text(const Value& value) {
    std::string out;
    append_scalar(out, value.scalar());
    return value.type() == ValueType::decimal128 ? out + "d" : out;
}

class Canonicaliser {
  public:
    std::string text(const Condition& condition, bool negated) {
        if (const bool* constant = std::get_if<bool>(&condition.node)) {
            return *constant != negated ? "TRUE" : "FALSE";
        }
        if (const auto* negation = std::get_if<Negation>(&condition.node)) {
            return text(*negation->operand, !negated);
        }
        if (const auto* group = std::get_if<Group>(&condition.node)) {
            return group_text(*group, negated);
        }
        if (const auto* comparison = std::get_if<Comparison>(&condition.node)) {
            if (auto known = comparison_text(*comparison, negated)) {
                return *std::move(known);
            }
        }
        const std::string plain = print(condition, PrintStyle::canonical);
        return negated ? "NOT(" + plain + ")" : plain;
    }

  private:
    struct Members {
        std::vector<std::string> texts;                        ///< of the operands, flat
        std::map<std::string, std::vector<std::string>> equal; ///< path -> constants, in an OR
    };

    static const char* op_text(ComparisonOperator op) noexcept { return syntax::operator_text(op); }

    /// Field beside constants, constants on the right; nothing for other comparisons.
    std::optional<std::string> comparison_text(const Comparison& comparison, bool negated) {
        const auto found = field_comparison(comparison);
        if (!found) {
            return std::nullopt;
        }
        const bool one = !found->constants->is_list();
        ComparisonOperator op = found->op;
        const bool flips = negated && one && !found->any_element &&
                           (op == ComparisonOperator::equal || op == ComparisonOperator::not_equal);
        if (flips) {
            op = op == ComparisonOperator::equal ? ComparisonOperator::not_equal
                                                 : ComparisonOperator::equal;
        }
        std::vector<std::string> values;
        for (const Value& value : found->constants->values()) {
            values.push_back(value_text(value));
        }
        const std::string list = list_text(std::move(values));
        // ANY tells "some element is" from "the whole list is".
        const std::string plain = (found->any_element ? "ANY " : "") + print(*found->path) + " " +
                                  op_text(op) + " " + list;
        return negated && !flips ? "NOT(" + plain + ")" : plain;
    }

    void collect(const Group& group, bool negated, bool conjunction, Members& members) {
        for (const Condition& operand : group.operands) {
            const Condition* inner = &operand;
            bool inner_negated = negated;
            while (const auto* negation = std::get_if<Negation>(&inner->node)) {
                inner = negation->operand.get();
                inner_negated = !inner_negated;
            }
            const auto* nested = std::get_if<Group>(&inner->node);
            if (nested &&
                ((nested->op == GroupOperator::conjunction) != inner_negated) == conjunction) {
                collect(*nested, inner_negated, conjunction, members);
            } else if (conjunction || !collect_equality(*inner, inner_negated, members)) {
                members.texts.push_back(text(*inner, inner_negated));
            }
        }
    }

    /// Equality in an OR: joined with the others of its field.
    static bool collect_equality(const Condition& condition, bool negated, Members& members) {
        const auto* comparison = std::get_if<Comparison>(&condition.node);
        const auto found = comparison ? field_comparison(*comparison) : std::nullopt;
        if (!found || found->any_element) {
            return false;
        }
        const bool equal =
            negated ? found->op == ComparisonOperator::not_equal && !found->constants->is_list()
                    : found->op == ComparisonOperator::equal;
        if (!equal) {
            return false;
        }
        std::vector<std::string>& values = members.equal[print(*found->path)];
        for (const Value& value : found->constants->values()) {
            values.push_back(value_text(value));
        }
        return true;
    }

    std::string group_text(const Group& group, bool negated) {
        const bool conjunction = (group.op == GroupOperator::conjunction) != negated;
        Members members;
        collect(group, negated, conjunction, members);
        for (auto& [path, values] : members.equal) {
            members.texts.push_back(path + " == " + list_text(std::move(values)));
        }
        const char* neutral = conjunction ? "TRUE" : "FALSE";
        const char* decisive = conjunction ? "FALSE" : "TRUE";
        std::sort(members.texts.begin(), members.texts.end());
        members.texts.erase(std::unique(members.texts.begin(), members.texts.end()),
                            members.texts.end());
        std::string out;
        std::size_t count = 0;
        for (const std::string& member : members.texts) {
            if (member == decisive) {
                return decisive;
            }
            if (member != neutral) {
                out += count++ == 0 ? "" : conjunction ? " AND " : " OR ";
                out += member;
            }
        }
        return count == 0 ? neutral : count == 1 ? out : "(" + out + ")";
    }
};

} // namespace

bool FieldCondition::holds(const Item& value) const noexcept {
    if (kind == Kind::equality) {
        return std::any_of(values.begin(), values.end(),
                           [&](const Value& v) { return equal(Item(v.scalar()), value); });
    }
    const auto within = [&](const std::optional<Value>& bound, ComparisonOperator op) {
        return !bound || relate(op, false, value, Item(bound->scalar()));
    };
    return within(low, low_inclusive ? ComparisonOperator::greater_or_equal
                                     : ComparisonOperator::greater) &&
           within(high,
                  high_inclusive ? ComparisonOperator::less_or_equal : ComparisonOperator::less);
}

MatchPlan make_match_plan(const Query& query) {
    MatchPlan plan;
    if (auto disjuncts = Planner().normalise(query.condition, false)) {
        plan.disjuncts = *std::move(disjuncts);
    } else {
        plan.disjuncts.resize(1);
        plan.disjuncts[0].residue.push_back({&query.condition, false});
    }
    plan.is_class_scan = std::any_of(plan.disjuncts.begin(), plan.disjuncts.end(),
                                     [](const Disjunct& d) { return d.fields.empty(); });
    return plan;
}

std::string canonical(const Query& query) {
    return query.object_class->name() + ": " + Canonicaliser().text(query.condition, false);
}

} // namespace tombolo::query
