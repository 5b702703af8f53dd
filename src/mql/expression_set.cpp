// Arrays as sets: order and repetition do not count. Results have each element once, in order of
// first appearance.

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "mql/bson_compare.hpp"
#include "mql/expression_node.hpp"

namespace tombolo::mql::detail {

namespace {

using ValueSet = std::set<BsonView, BsonLess>;

Error not_an_array(std::string_view operator_name, BsonView value) {
    return failed(fmt::format("{} takes arrays, not {}", operator_name, type_alias(value.type())));
}

ValueSet set_of(BsonView array) {
    ValueSet result;
    for (const BsonElement& element : array.as_document()) {
        result.insert(element.value);
    }
    return result;
}

/// False when an operand is nullish; an error when one is no array.
Result<bool> all_arrays(const Arguments& arguments, std::string_view name) {
    for (const BsonView value : arguments.values) {
        if (value.is_nullish()) {
            return false;
        }
        if (!value.is_array()) {
            return not_an_array(name, value);
        }
    }
    return true;
}

Result<BsonView> set_union(const Arguments& arguments) {
    TOMBOLO_TRY(const bool arrays, all_arrays(arguments, "$setUnion"));
    if (!arrays) {
        return BsonView::null();
    }
    ValueSet seen;
    BsonWriter writer(true);
    for (const BsonView value : arguments.values) {
        for (const BsonElement& element : value.as_document()) {
            if (seen.insert(element.value).second) {
                writer.append({}, element.value);
            }
        }
        TOMBOLO_TRY_VOID(check_size(writer.size(), "$setUnion"));
    }
    return arguments.evaluation.array(std::move(writer));
}

Result<BsonView> set_intersection(const Arguments& arguments) {
    TOMBOLO_TRY(const bool arrays, all_arrays(arguments, "$setIntersection"));
    if (!arrays) {
        return BsonView::null();
    }
    BsonWriter writer(true);
    if (arguments.size() == 0) {
        return arguments.evaluation.array(std::move(writer));
    }
    std::vector<ValueSet> others;
    for (const BsonView value : arguments.values.subspan(1)) {
        others.push_back(set_of(value));
    }
    ValueSet seen;
    for (const BsonElement& element : arguments[0].as_document()) {
        const bool everywhere =
            std::all_of(others.begin(), others.end(),
                        [&](const ValueSet& other) { return other.count(element.value) != 0; });
        if (everywhere && seen.insert(element.value).second) {
            writer.append({}, element.value);
        }
    }
    return arguments.evaluation.array(std::move(writer));
}

Result<BsonView> set_difference(const Arguments& arguments) {
    TOMBOLO_TRY(const bool arrays, all_arrays(arguments, "$setDifference"));
    if (!arrays) {
        return BsonView::null();
    }
    ValueSet seen = set_of(arguments[1]);
    BsonWriter writer(true);
    for (const BsonElement& element : arguments[0].as_document()) {
        if (seen.insert(element.value).second) {
            writer.append({}, element.value);
        }
    }
    return arguments.evaluation.array(std::move(writer));
}

bool same_set(const ValueSet& left, const ValueSet& right) {
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(),
                      [](BsonView l, BsonView r) { return equal(l, r); });
}

Result<BsonView> set_equals(const Arguments& arguments) {
    for (const BsonView value : arguments.values) {
        if (!value.is_array()) {
            return not_an_array("$setEquals", value);
        }
    }
    const ValueSet first = set_of(arguments[0]);
    for (const BsonView value : arguments.values.subspan(1)) {
        if (!same_set(first, set_of(value))) {
            return arguments.evaluation.boolean(false);
        }
    }
    return arguments.evaluation.boolean(true);
}

Result<BsonView> set_is_subset(const Arguments& arguments) {
    for (const BsonView value : arguments.values) {
        if (!value.is_array()) {
            return not_an_array("$setIsSubset", value);
        }
    }
    const ValueSet all = set_of(arguments[1]);
    for (const BsonElement& element : arguments[0].as_document()) {
        if (all.count(element.value) == 0) {
            return arguments.evaluation.boolean(false);
        }
    }
    return arguments.evaluation.boolean(true);
}

Result<BsonView> any_element_true(const Arguments& arguments) {
    if (!arguments[0].is_array()) {
        return not_an_array("$anyElementTrue", arguments[0]);
    }
    for (const BsonElement& element : arguments[0].as_document()) {
        if (element.value.truthy()) {
            return arguments.evaluation.boolean(true);
        }
    }
    return arguments.evaluation.boolean(false);
}

Result<BsonView> all_elements_true(const Arguments& arguments) {
    if (!arguments[0].is_array()) {
        return not_an_array("$allElementsTrue", arguments[0]);
    }
    for (const BsonElement& element : arguments[0].as_document()) {
        if (!element.value.truthy()) {
            return arguments.evaluation.boolean(false);
        }
    }
    return arguments.evaluation.boolean(true);
}

constexpr std::array operators = std::to_array<PositionalOperator>({
    {"$setUnion", 0, any_count, set_union},
    {"$setIntersection", 0, any_count, set_intersection},
    {"$setDifference", 2, 2, set_difference},
    {"$setEquals", 2, any_count, set_equals},
    {"$setIsSubset", 2, 2, set_is_subset},
    {"$anyElementTrue", 1, 1, any_element_true},
    {"$allElementsTrue", 1, 1, all_elements_true},
});

} // namespace

std::span<const PositionalOperator> set_operators() noexcept {
    return operators;
}

} // namespace tombolo::mql::detail
