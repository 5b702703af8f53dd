#include "server/documents/planner.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "mql/bson_compare.hpp"
#include "mql/path.hpp"

namespace tombolo::documents {

using mql::BsonElement;
using mql::BsonType;
using mql::BsonValue;
using mql::BsonView;

namespace {

/// Ids or ranges of one plan; beyond, a scan is no worse.
constexpr std::size_t points_max = 1000;
/// Levels of $and looked into.
constexpr int depth_max = 8;

// What the filter says of one path. Borrowed from the filter.
struct Condition {
    /// The value is one of these; empty: not said.
    std::vector<BsonView> points;
    BsonView lower;
    BsonView upper;
};

using Conditions = std::map<std::string_view, Condition>;

// Values whose index entry is what a match needs: null stands for missing too, arrays and documents
// match in more ways than one.
bool is_plain(BsonView value) noexcept {
    switch (value.type()) {
    case BsonType::float64:
        return !std::isnan(value.as_double());
    case BsonType::string:
    case BsonType::binary:
    case BsonType::object_id:
    case BsonType::boolean:
    case BsonType::date:
    case BsonType::int32:
    case BsonType::int64:
    case BsonType::timestamp:
        return true;
    default:
        return false;
    }
}

void add_points(Condition& condition, std::vector<BsonView> points) {
    // Any of several lists will do; the shortest is best.
    if (!points.empty() && points.size() <= points_max &&
        (condition.points.empty() || points.size() < condition.points.size())) {
        condition.points = std::move(points);
    }
}

void collect_operators(mql::BsonDocumentView tests, Condition& condition) {
    for (const BsonElement& test : tests) {
        if (test.key == "$in") {
            std::vector<BsonView> points;
            bool plain = test.value.is_array();
            if (plain) {
                for (const BsonElement& element : test.value.as_document()) {
                    plain = plain && is_plain(element.value);
                    points.push_back(element.value);
                }
            }
            if (plain) {
                add_points(condition, std::move(points));
            }
            continue;
        }
        if (!is_plain(test.value)) {
            continue;
        }
        if (test.key == "$eq") {
            add_points(condition, {test.value});
        } else if (test.key == "$gt" || test.key == "$gte") {
            condition.lower = test.value;
        } else if (test.key == "$lt" || test.key == "$lte") {
            condition.upper = test.value;
        }
    }
}

void collect(mql::BsonDocumentView filter, int depth, Conditions& out) {
    for (const BsonElement& element : filter) {
        if (element.key == "$and" && element.value.is_array() && depth < depth_max) {
            for (const BsonElement& part : element.value.as_document()) {
                if (part.value.is_document()) {
                    collect(part.value.as_document(), depth + 1, out);
                }
            }
            continue;
        }
        if (element.key.starts_with('$')) {
            continue;
        }
        const bool is_tests = element.value.is_document() && !element.value.as_document().empty() &&
                              (*element.value.as_document().begin()).key.starts_with('$');
        if (is_tests) {
            collect_operators(element.value.as_document(), out[element.key]);
        } else if (is_plain(element.value)) {
            add_points(out[element.key], {element.value});
        }
    }
}

// The other end of a range among values of the bound's type; missing when there is none to name.
BsonValue type_end(BsonView bound, bool upper) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (bound.is_number()) {
        return BsonValue::from_double(upper ? infinity : -infinity);
    }
    if (bound.type() == BsonType::date) {
        return BsonValue::from_date_ms(upper ? std::numeric_limits<std::int64_t>::max()
                                             : std::numeric_limits<std::int64_t>::min());
    }
    if (bound.is_string() && !upper) {
        return BsonValue::from_string({});
    }
    return {};
}

bool has_range(const Condition& condition) noexcept {
    return !condition.lower.is_missing() || !condition.upper.is_missing();
}

void set_range(const Condition& condition, store::IndexRange& range) {
    const bool from_lower = !condition.lower.is_missing();
    const BsonView bound = from_lower ? condition.lower : condition.upper;
    BsonValue end = type_end(bound, from_lower);
    std::optional<BsonValue> other;
    if (!end.is_missing()) {
        other = std::move(end);
    }
    range.lower = from_lower ? BsonValue(bound) : other;
    range.upper = from_lower ? other : BsonValue(bound);
}

struct IndexUse {
    std::size_t equal = 0;
    bool range = false;
    std::size_t points = 1;

    /// More equalities first, then a range, then fewer points.
    bool better_than(const IndexUse& other) const noexcept {
        if (equal != other.equal) {
            return equal > other.equal;
        }
        return range != other.range ? range : points < other.points;
    }
};

const Condition* condition_of(const Conditions& conditions, const std::string& path) {
    const auto found = conditions.find(path);
    return found == conditions.end() ? nullptr : &found->second;
}

IndexUse use_of(const store::IndexSpec& index, const Conditions& conditions) {
    IndexUse use;
    for (const store::IndexField& field : index.fields) {
        const Condition* condition = condition_of(conditions, field.path);
        if (condition == nullptr) {
            break;
        }
        if (!condition->points.empty() && use.points * condition->points.size() <= points_max) {
            use.points *= condition->points.size();
            ++use.equal;
            continue;
        }
        use.range = has_range(*condition);
        break;
    }
    return use;
}

std::vector<store::IndexRange> ranges_of(const store::IndexSpec& index, const IndexUse& use,
                                         const Conditions& conditions) {
    std::vector<store::IndexRange> ranges(1);
    for (std::size_t i = 0; i < use.equal; ++i) {
        const Condition& condition = *condition_of(conditions, index.fields[i].path);
        std::vector<store::IndexRange> next;
        for (const store::IndexRange& range : ranges) {
            for (const BsonView point : condition.points) {
                next.push_back(range);
                next.back().equal.emplace_back(point);
            }
        }
        ranges = std::move(next);
    }
    if (use.range) {
        const Condition& condition = *condition_of(conditions, index.fields[use.equal].path);
        for (store::IndexRange& range : ranges) {
            set_range(condition, range);
        }
    }
    return ranges;
}

// Positions in paths mean other things to filters than to indexes.
bool has_position(const std::string& path) {
    const auto parsed = mql::Path::parse(path);
    return !parsed ||
           std::any_of(parsed->components().begin(), parsed->components().end(),
                       [](const mql::PathComponent& component) { return component.index >= 0; });
}

} // namespace

std::string Plan::to_string() const {
    switch (kind) {
    case Kind::keys:
        return "keys " + std::to_string(keys.size());
    case Kind::index:
        return "index " + index + " " + std::to_string(ranges.size());
    case Kind::scan:
        break;
    }
    return "scan";
}

Plan make_plan(const std::vector<mql::BsonDocumentView>& filters,
               const std::vector<store::IndexSpec>& indexes) {
    Conditions conditions;
    for (const mql::BsonDocumentView filter : filters) {
        collect(filter, 0, conditions);
    }
    Plan plan;
    const auto id = conditions.find("_id");
    if (id != conditions.end() && !id->second.points.empty()) {
        plan.kind = Plan::Kind::keys;
        for (const BsonView point : id->second.points) {
            auto key = store::document_key(point);
            if (key) { // what cannot be an id matches nothing
                plan.keys.push_back(*std::move(key));
            }
        }
        std::sort(plan.keys.begin(), plan.keys.end());
        plan.keys.erase(std::unique(plan.keys.begin(), plan.keys.end()), plan.keys.end());
        return plan;
    }
    const store::IndexSpec* best = nullptr;
    IndexUse best_use;
    for (const store::IndexSpec& index : indexes) {
        const bool positions =
            std::any_of(index.fields.begin(), index.fields.end(),
                        [](const store::IndexField& field) { return has_position(field.path); });
        const IndexUse use = use_of(index, conditions);
        if (positions || (use.equal == 0 && !use.range)) {
            continue;
        }
        if (best == nullptr || use.better_than(best_use)) {
            best = &index;
            best_use = use;
        }
    }
    if (best != nullptr) {
        plan.kind = Plan::Kind::index;
        plan.index = best->name;
        plan.ranges = ranges_of(*best, best_use, conditions);
    }
    return plan;
}

} // namespace tombolo::documents
