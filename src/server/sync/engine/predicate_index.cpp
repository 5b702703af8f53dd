#include "server/sync/engine/predicate_index.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "query/bson_accessor.hpp"

namespace tombolo::server::sync {

using query::Disjunct;
using query::FieldCondition;
using query::MatchPlan;
using schema::PropertyType;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Numbers and times on one line. Rounding keeps the order, so closed intervals lose nothing.
std::optional<double> position(const ScalarView& value) noexcept {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        return static_cast<double>(*integer);
    }
    if (const auto* time = std::get_if<Timestamp>(&value)) {
        return static_cast<double>(time->seconds()) + 1e-9 * time->nanoseconds();
    }
    if (const auto* single = std::get_if<float>(&value)) {
        return double{*single};
    }
    if (const auto* number = std::get_if<double>(&value)) {
        return *number;
    }
    return std::nullopt;
}

bool has_position(PropertyType type) noexcept {
    return type == PropertyType::integer || type == PropertyType::timestamp ||
           type == PropertyType::float32 || type == PropertyType::float64;
}

/// Links compare by more than their value; the index leaves them to the views.
bool can_index_equality(const FieldCondition& condition) {
    return condition.kind == FieldCondition::Kind::equality &&
           condition.field->type != PropertyType::link &&
           std::all_of(condition.values.begin(), condition.values.end(), [](const Value& value) {
               return value.type() < ValueType::list && value.type() != ValueType::link;
           });
}

bool can_index_range(const FieldCondition& condition) {
    const auto fits = [](const std::optional<Value>& bound) {
        return !bound || position(bound->scalar());
    };
    return condition.kind == FieldCondition::Kind::range && has_position(condition.field->type) &&
           fits(condition.low) && fits(condition.high);
}

/// How many documents it lets through, roughly: the less the better.
constexpr std::size_t never_good = std::size_t{1} << 40;

std::size_t cost(const FieldCondition& condition) {
    if (can_index_equality(condition)) {
        return 1 + condition.values.size();
    }
    if (can_index_range(condition)) {
        return condition.low && condition.high ? 1'000 : 100'000;
    }
    return never_good;
}

const FieldCondition* best_condition(const Disjunct& disjunct) {
    const FieldCondition* best = nullptr;
    for (const FieldCondition& each : disjunct.fields) {
        if (cost(each) < (best == nullptr ? never_good : cost(*best))) {
            best = &each;
        }
    }
    return best;
}

double low_of(const FieldCondition& range) {
    return range.low ? *position(range.low->scalar()) : -infinity;
}

double high_of(const FieldCondition& range) {
    return range.high ? *position(range.high->scalar()) : infinity;
}

std::size_t cost(const MatchPlan& plan) {
    std::size_t sum = 0;
    for (const Disjunct& each : plan.disjuncts) {
        const FieldCondition* best = best_condition(each);
        sum += best == nullptr ? never_good : cost(*best);
    }
    return sum;
}

} // namespace

// Intervals

void IntervalTable::add(double low, double high, std::uint32_t member) {
    intervals_.push_back({low, high, high, member});
    is_sorted_ = false;
}

void IntervalTable::remove(std::uint32_t member) {
    std::erase_if(intervals_, [&](const Interval& each) { return each.member == member; });
    is_sorted_ = false;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the logarithm of their number
double IntervalTable::measure(std::size_t begin, std::size_t end) const {
    if (begin == end) {
        return -infinity;
    }
    const std::size_t root = begin + (end - begin) / 2;
    const double below = measure(begin, root);
    const double above = measure(root + 1, end);
    intervals_[root].highest = std::max({intervals_[root].high, below, above});
    return intervals_[root].highest;
}

// NOLINTNEXTLINE(misc-no-recursion): as above
void IntervalTable::find(std::size_t begin, std::size_t end, double value,
                         std::vector<std::uint32_t>& out) const {
    if (begin == end) {
        return;
    }
    const std::size_t root = begin + (end - begin) / 2;
    const Interval& here = intervals_[root];
    if (here.highest < value) {
        return;
    }
    find(begin, root, value, out);
    if (here.low <= value) {
        if (value <= here.high) {
            out.push_back(here.member);
        }
        find(root + 1, end, value, out);
    }
}

void IntervalTable::find(double value, std::vector<std::uint32_t>& out) const {
    if (!is_sorted_) {
        std::sort(intervals_.begin(), intervals_.end(),
                  [](const Interval& a, const Interval& b) { return a.low < b.low; });
        measure(0, intervals_.size());
        is_sorted_ = true;
    }
    find(0, intervals_.size(), value, out);
}

void IntervalTable::find_all(std::vector<std::uint32_t>& out) const {
    for (const Interval& each : intervals_) {
        out.push_back(each.member);
    }
}

// The index

template <class Always, class Place>
void PredicateIndex::places(const View& view, const std::string& class_name, Always always,
                            Place place) {
    const MatchPlan query = query::make_match_plan(*view.query_of(class_name));
    const MatchPlan read = query::make_match_plan(*view.read_filter_of(class_name));
    const MatchPlan& plan = cost(read) < cost(query) ? read : query;
    if (cost(plan) >= never_good) {
        always();
        return;
    }
    for (const Disjunct& disjunct : plan.disjuncts) {
        place(*best_condition(disjunct));
    }
}

void PredicateIndex::add(std::uint32_t member, const View& view) {
    for (const std::string& class_name : view.classes()) {
        if (!view.sees_class(class_name)) {
            continue;
        }
        OfClass& of = classes_[class_name];
        const auto place = [&](const FieldCondition& condition) {
            Field& field = of.fields[condition.field->name];
            field.model = view.shared_model();
            field.property = condition.field;
            if (condition.kind == FieldCondition::Kind::range) {
                field.ranges.add(low_of(condition), high_of(condition), member);
            }
            for (const Value& value : condition.values) {
                field.equal[hash_value(value.scalar())].push_back(member);
            }
        };
        places(
            view, class_name, [&] { of.always.push_back(member); }, place);
    }
}

void PredicateIndex::remove(std::uint32_t member, const View& view) {
    for (const std::string& class_name : view.classes()) {
        const auto found = classes_.find(class_name);
        if (found == classes_.end() || !view.sees_class(class_name)) {
            continue;
        }
        OfClass& of = found->second;
        const auto place = [&](const FieldCondition& condition) {
            const auto at = of.fields.find(condition.field->name);
            if (at == of.fields.end()) {
                return;
            }
            Field& field = at->second;
            if (condition.kind == FieldCondition::Kind::range) {
                field.ranges.remove(member);
            }
            for (const Value& value : condition.values) {
                const auto equal = field.equal.find(hash_value(value.scalar()));
                if (equal != field.equal.end() && std::erase(equal->second, member) > 0 &&
                    equal->second.empty()) {
                    field.equal.erase(equal);
                }
            }
            if (field.equal.empty() && field.ranges.empty()) {
                of.fields.erase(at);
            }
        };
        places(
            view, class_name, [&] { std::erase(of.always, member); }, place);
    }
}

void PredicateIndex::find_in(const Field& field, ByteView document,
                             std::vector<std::uint32_t>& out) {
    const query::BsonAccessor accessor;
    const query::BsonCell cell =
        accessor.property(query::BsonObject{document, nullptr, nullptr, 0}, *field.property, -1);
    const auto look_up = [&](const query::Item& item) {
        if (!item.is_scalar()) {
            return;
        }
        if (const auto found = field.equal.find(hash_value(item.value));
            found != field.equal.end()) {
            out.insert(out.end(), found->second.begin(), found->second.end());
        }
        if (const std::optional<double> value = position(item.value)) {
            field.ranges.find(*value, out);
        } else if (item.type == ValueType::decimal128) {
            field.ranges.find_all(out);
        }
    };
    if (field.property->is_collection()) {
        accessor.for_each(cell, [&](const query::BsonCell& element) {
            look_up(accessor.item(element));
            return true;
        });
    } else {
        look_up(accessor.item(cell));
    }
}

void PredicateIndex::find(const std::string& class_name, ByteView document,
                          std::vector<std::uint32_t>& out) {
    const auto found = classes_.find(class_name);
    if (found == classes_.end()) {
        return;
    }
    const std::size_t before = out.size();
    out.insert(out.end(), found->second.always.begin(), found->second.always.end());
    for (const auto& [name, field] : found->second.fields) {
        find_in(field, document, out);
    }
    const auto begin = out.begin() + static_cast<std::ptrdiff_t>(before);
    std::sort(begin, out.end());
    out.erase(std::unique(begin, out.end()), out.end());
}

} // namespace tombolo::server::sync
