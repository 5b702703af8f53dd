#pragma once

// Runs a bound query on one object of any store (database-and-sdk.md 3.4, 3.5).
//
// Never fails: whatever is stored, a condition is true or false. Nothing is allocated, except where
// two collections are compared element by element and neither is constant. Recursion is bounded by
// the depth of the bound query.
//
// Thread-safety: as the accessor's.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "query/accessor.hpp"
#include "query/bound.hpp"

namespace tombolo::query {

/// Adds up, or finds the least or greatest of, the values of a collection.
class Accumulator {
  public:
    Accumulator(AggregateOperator op, schema::PropertyType type) noexcept : op_(op), type_(type) {}

    /// Nulls, NaN and what the operator does not apply to are skipped.
    void add(const Item& item) noexcept;
    /// Null when nothing was added, except a sum's zero.
    Item result() const noexcept;

  private:
    AggregateOperator op_;
    schema::PropertyType type_;
    std::size_t count_ = 0;
    std::int64_t integers_ = 0;
    double floats_ = 0;
    Decimal128 decimals_;
    Item extreme_;
};

/// True when `item` equals one of the sorted constants.
bool is_in_lookup(const std::vector<Item>& lookup, const Item& item) noexcept;

template <Accessor A>
class Evaluator {
  public:
    using Object = typename A::Object;
    using Cell = typename A::Cell;
    using EachItem = FunctionRef<bool(const Item&)>;

    /// `accessor` must outlive the evaluator.
    explicit Evaluator(const A& accessor) noexcept : accessor_(accessor) {}

    bool matches(const Query& query, const Object& object) const {
        return matches(query.condition, object);
    }

    bool matches(const Condition& condition, const Object& object) const {
        switch (condition.node.index()) {
        case 0:
            return *std::get_if<bool>(&condition.node);
        case 1:
            return compare(*std::get_if<Comparison>(&condition.node), object);
        case 2:
            return search(*std::get_if<TextCondition>(&condition.node), object);
        case 3:
            return within(*std::get_if<GeoCondition>(&condition.node), object);
        case 4:
            return !matches(*std::get_if<Negation>(&condition.node)->operand, object);
        default:
            return group(*std::get_if<Group>(&condition.node), object);
        }
    }

    /// The value of a sort key. REQUIRES: the path is not many.
    Item key(const Path& path, const Object& object) const {
        Item out;
        each(path, object, [&out](const Item& item) {
            out = item;
            return false;
        });
        return out;
    }

  private:
    bool group(const Group& group, const Object& object) const {
        const bool conjunction = group.op == GroupOperator::conjunction;
        for (const Condition& operand : group.operands) {
            if (matches(operand, object) != conjunction) {
                return !conjunction;
            }
        }
        return conjunction;
    }

    // ---- comparisons ----

    bool compare(const Comparison& comparison, const Object& object) const {
        switch (comparison.mode) {
        case ComparisonMode::values:
            break;
        case ComparisonMode::types:
            return compare_types(comparison, object);
        case ComparisonMode::lists:
            return compare_lists(comparison, object);
        case ComparisonMode::mixed_list:
            return compare_mixed_list(comparison, object);
        }
        const auto* constants = std::get_if<Constants>(&comparison.right.node);
        if (constants && !constants->is_list()) {
            const Item& right = constants->items().front();
            return fold(comparison.left, object, [&](const Item& left) {
                return relate(comparison.op, comparison.ignore_case, left, right);
            });
        }
        if (!comparison.lookup.empty()) {
            return fold(comparison.left, object,
                        [&](const Item& left) { return is_in_lookup(comparison.lookup, left); });
        }
        return fold(comparison.left, object, [&](const Item& left) {
            return fold(comparison.right, object, [&](const Item& right) {
                return relate(comparison.op, comparison.ignore_case, left, right);
            });
        });
    }

    bool compare_types(const Comparison& comparison, const Object& object) const {
        const bool wanted = comparison.op == ComparisonOperator::equal;
        return fold(comparison.left, object, [&](const Item& left) {
            return fold(comparison.right, object, [&](const Item& right) {
                const std::int64_t common = *std::get_if<std::int64_t>(&left.value) &
                                            *std::get_if<std::int64_t>(&right.value);
                return (common != 0) == wanted;
            });
        });
    }

    /// Pairs left items with `right`, in order.
    class ListComparison {
      public:
        ListComparison(const Comparison& comparison, const std::vector<Item>& right,
                       bool reversed) noexcept
            : comparison_(comparison), right_(right), reversed_(reversed) {}

        bool add(const Item& left) noexcept {
            const ComparisonOperator op = comparison_.op == ComparisonOperator::not_equal
                                              ? ComparisonOperator::equal
                                              : comparison_.op;
            good_ = good_ && at_ < right_.size() &&
                    (reversed_ ? relate(op, comparison_.ignore_case, right_[at_], left)
                               : relate(op, comparison_.ignore_case, left, right_[at_]));
            ++at_;
            return good_;
        }

        bool result() const noexcept {
            const bool all = good_ && at_ == right_.size();
            return comparison_.op == ComparisonOperator::not_equal ? !all : all;
        }

      private:
        const Comparison& comparison_;
        const std::vector<Item>& right_;
        bool reversed_;
        std::size_t at_ = 0;
        bool good_ = true;
    };

    bool compare_lists(const Comparison& comparison, const Object& object) const {
        std::vector<Item> gathered;
        const bool left_constant = comparison.left.is_constant();
        const Operand& walked = left_constant ? comparison.right : comparison.left;
        const Operand& other = left_constant ? comparison.left : comparison.right;
        const auto* constants = std::get_if<Constants>(&other.node);
        if (!constants) {
            each(other, object, [&gathered](const Item& item) {
                gathered.push_back(item);
                return true;
            });
        }
        ListComparison pairs(comparison, constants ? constants->items() : gathered, left_constant);
        each(walked, object, [&pairs](const Item& item) { return pairs.add(item); });
        return pairs.result();
    }

    bool compare_mixed_list(const Comparison& comparison, const Object& object) const {
        const bool left_constant = comparison.left.is_constant();
        const Path& path =
            std::get<Path>(left_constant ? comparison.right.node : comparison.left.node);
        const std::vector<Item>& items =
            std::get<Constants>(left_constant ? comparison.left.node : comparison.right.node)
                .items();
        bool result = false;
        auto missing_or_scalar = [&](const Item& value) {
            for (const Item& item : items) {
                result =
                    result ||
                    (left_constant ? relate(comparison.op, comparison.ignore_case, item, value)
                                   : relate(comparison.op, comparison.ignore_case, value, item));
            }
            return !result;
        };
        walk(path, 0, object,
             Sink{[&](const Cell& cell) {
                      const Item value = accessor_.item(cell);
                      if (value.type != ValueType::list) {
                          return missing_or_scalar(value);
                      }
                      ListComparison pairs(comparison, items, left_constant);
                      accessor_.for_each(cell, [&](const Cell& element) {
                          return pairs.add(accessor_.item(element));
                      });
                      result = result || pairs.result();
                      return !result;
                  },
                  [](const Object&) { return true; }, missing_or_scalar});
        return result;
    }

    template <class Predicate>
    bool fold(const Operand& operand, const Object& object, const Predicate& predicate) const {
        if (const Path* path = std::get_if<Path>(&operand.node);
            path && path->steps.size() == 1 && path->steps[0].kind == StepKind::property &&
            path->ending == Ending::value) {
            const Step& step = path->steps[0];
            return predicate(accessor_.item(accessor_.property(object, *step.property, step.slot)));
        }
        // ALL looks for a value that fails, ANY and NONE for one that does not.
        const bool sought = operand.quantifier != Quantifier::all;
        bool found = false;
        each(operand, object, [&](const Item& item) {
            found = predicate(item) == sought;
            return !found;
        });
        const bool found_means_true =
            operand.quantifier == Quantifier::any || operand.quantifier == Quantifier::unspecified;
        return found == found_means_true;
    }

    // ---- text and geo ----

    template <class Predicate>
    bool fold_path(const Path& path, Quantifier quantifier, const Object& object,
                   const Predicate& predicate) const {
        const bool sought = quantifier != Quantifier::all;
        bool found = false;
        each(path, object, [&](const Item& item) {
            found = predicate(item) == sought;
            return !found;
        });
        return found == (quantifier == Quantifier::any || quantifier == Quantifier::unspecified);
    }

    bool search(const TextCondition& condition, const Object& object) const {
        return fold_path(condition.path, condition.quantifier, object, [&](const Item& item) {
            const auto* text = std::get_if<std::string_view>(&item.value);
            return text && condition.search.matches(*text);
        });
    }

    bool within(const GeoCondition& condition, const Object& object) const {
        const bool sought = condition.quantifier != Quantifier::all;
        bool found = false;
        walk(condition.path, 0, object,
             Sink{[](const Cell&) { return true; },
                  [&](const Object& place) {
                      const std::optional<GeoPoint> point = point_of(condition, place);
                      found = (point && condition.region.contains(*point)) == sought;
                      return !found;
                  },
                  [&](const Item&) {
                      found = !sought;
                      return !found;
                  }});
        return found == (condition.quantifier == Quantifier::any ||
                         condition.quantifier == Quantifier::unspecified);
    }

    std::optional<GeoPoint> point_of(const GeoCondition& condition, const Object& place) const {
        const Item type = accessor_.item(accessor_.property(place, *condition.type, -1));
        const auto* name = std::get_if<std::string_view>(&type.value);
        const Cell cell = accessor_.property(place, *condition.coordinates, -1);
        if (!name || accessor_.item(cell).type != ValueType::list) {
            return std::nullopt;
        }
        double coordinates[3] = {};
        std::size_t count = 0;
        bool numbers = true;
        accessor_.for_each(cell, [&](const Cell& element) {
            const Item item = accessor_.item(element);
            const auto* number = std::get_if<double>(&item.value);
            numbers = numbers && number;
            coordinates[count] = number ? *number : 0;
            return ++count < 3 && numbers;
        });
        if (!numbers) {
            return std::nullopt;
        }
        return geo_point_from(*name, std::span<const double>(coordinates, count));
    }

    // ---- operands ----

    /// All values of an operand, until `f` returns false; then false.
    bool each(const Operand& operand, const Object& object, EachItem f) const {
        switch (operand.node.index()) {
        case 0:
            for (const Item& item : std::get_if<Constants>(&operand.node)->items()) {
                if (!f(item)) {
                    return false;
                }
            }
            return true;
        case 1:
            return each(*std::get_if<Path>(&operand.node), object, f);
        case 2:
            return f(aggregate(*std::get_if<Aggregate>(&operand.node), object));
        case 3:
            return f(count(*std::get_if<Subquery>(&operand.node), object));
        default:
            return each(*std::get_if<Arithmetic>(&operand.node), object, f);
        }
    }

    bool each(const Arithmetic& arithmetic, const Object& object, EachItem f) const {
        for (const Operand& operand : arithmetic.operands) {
            if (operand.is_many()) {
                return each(operand, object, [&](const Item& value) {
                    return f(calculate_with(arithmetic, object, &operand, value));
                });
            }
        }
        return f(calculate_with(arithmetic, object, nullptr, {}));
    }

    /// Left to right, with `value` in the place of `many`.
    Item calculate_with(const Arithmetic& arithmetic, const Object& object, const Operand* many,
                        const Item& value) const {
        Item result;
        for (std::size_t i = 0; i < arithmetic.operands.size(); ++i) {
            Item next = value;
            if (&arithmetic.operands[i] != many) {
                next = {};
                each(arithmetic.operands[i], object, [&next](const Item& item) {
                    next = item;
                    return false;
                });
            }
            result = i == 0 ? next : calculate(arithmetic.operators[i - 1], result, next);
        }
        return result;
    }

    Item aggregate(const Aggregate& aggregate, const Object& object) const {
        Accumulator accumulator(aggregate.op, aggregate.path.type.type);
        each(aggregate.path, object, [&accumulator](const Item& item) {
            accumulator.add(item);
            return true;
        });
        return accumulator.result();
    }

    Item count(const Subquery& subquery, const Object& object) const {
        std::int64_t count = 0;
        walk(subquery.path, 0, object,
             Sink{[](const Cell&) { return true; },
                  [&](const Object& element) {
                      count += matches(*subquery.condition, element) ? 1 : 0;
                      return true;
                  },
                  [](const Item&) { return true; }});
        return Item(ScalarView(count));
    }

    bool each(const Path& path, const Object& object, EachItem f) const {
        switch (path.ending) {
        case Ending::object_count: {
            std::int64_t count = 0;
            walk(path, 0, object,
                 Sink{[](const Cell&) { return true; },
                      [&count](const Object&) {
                          ++count;
                          return true;
                      },
                      [](const Item&) { return true; }});
            return f(Item(ScalarView(count)));
        }
        case Ending::all_backlinks:
            return each_backlink_count(path, object, f);
        case Ending::value:
        case Ending::size:
        case Ending::type:
            break;
        }
        return walk(
            path, 0, object,
            Sink{[&](const Cell& cell) { return f(ending(path, accessor_.item(cell), &cell)); },
                 [&](const Object& at) { return f(ending(path, self(path, at), nullptr)); },
                 [&](const Item& item) { return f(ending(path, item, nullptr)); }});
    }

    bool each_backlink_count(const Path& path, const Object& object, EachItem f) const {
        return walk(path, 0, object,
                    Sink{[](const Cell&) { return true; },
                         [&](const Object& at) {
                             const std::size_t count = accessor_.backlink_count(at);
                             return f(Item(ScalarView(static_cast<std::int64_t>(count))));
                         },
                         [&](const Item& item) { return f(item); }});
    }

    Item self(const Path& path, const Object& object) const {
        const schema::ClassSchema* object_class =
            path.steps.empty() ? path.start : path.steps.back().object_class;
        return accessor_.self(object, *object_class);
    }

    Item ending(const Path& path, const Item& item, const Cell* cell) const {
        if (path.ending == Ending::value) {
            return item;
        }
        if (path.ending == Ending::type) {
            return Item(ScalarView(std::int64_t{type_mask(item.type)}));
        }
        if (const auto* text = std::get_if<std::string_view>(&item.value)) {
            return Item(ScalarView(static_cast<std::int64_t>(text->size())));
        }
        if (const auto* binary = std::get_if<BinaryView>(&item.value)) {
            return Item(ScalarView(static_cast<std::int64_t>(binary->bytes.size())));
        }
        const bool collection = item.type == ValueType::list || item.type == ValueType::set ||
                                item.type == ValueType::dictionary;
        if (collection && cell) {
            return Item(ScalarView(static_cast<std::int64_t>(accessor_.size(*cell))));
        }
        // A collection behind a null link is empty.
        const Step& last = path.steps.back();
        if (last.kind == StepKind::property && last.property->is_collection()) {
            return Item(ScalarView(std::int64_t{0}));
        }
        return {};
    }

    // ---- paths ----

    struct Sink {
        FunctionRef<bool(const Cell&)> cell;
        FunctionRef<bool(const Object&)> object;
        FunctionRef<bool(const Item&)> missing;
    };

    bool walk(const Path& path, std::size_t at, const Object& object, const Sink& sink) const {
        if (at == path.steps.size()) {
            return sink.object(object);
        }
        const Step& step = path.steps[at];
        if (step.kind == StepKind::backlinks) {
            return accessor_.for_each_backlink(
                object, *step.object_class, *step.property,
                [&](const Object& origin) { return walk(path, at + 1, origin, sink); });
        }
        const Cell cell = accessor_.property(object, *step.property, step.slot);
        return walk_cell(path, at + 1, cell, sink);
    }

    bool walk_cell(const Path& path, std::size_t at, const Cell& cell, const Sink& sink) const {
        if (at == path.steps.size()) {
            return sink.cell(cell);
        }
        const Step& step = path.steps[at];
        if (step.kind == StepKind::follow) {
            const std::optional<Object> target = accessor_.follow(cell, *step.object_class);
            return target ? walk(path, at + 1, *target, sink) : missing(path, true, sink);
        }
        const ValueType type = accessor_.item(cell).type;
        const bool sequence = type == ValueType::list || type == ValueType::set;
        std::optional<Cell> element;
        switch (step.kind) {
        case StepKind::elements:
        case StepKind::all:
            if (!sequence && type != ValueType::dictionary) {
                return true;
            }
            return accessor_.for_each(
                cell, [&](const Cell& next) { return walk_cell(path, at + 1, next, sink); });
        case StepKind::keys:
            if (type != ValueType::dictionary) {
                return true;
            }
            return accessor_.for_each_key(
                cell, [&](std::string_view key) { return sink.missing(Item(ScalarView(key))); });
        case StepKind::index:
            element = sequence ? accessor_.element(cell, step.index) : std::nullopt;
            break;
        case StepKind::first:
            element = sequence ? accessor_.element(cell, 0) : std::nullopt;
            break;
        case StepKind::last: {
            const std::size_t size = sequence ? accessor_.size(cell) : 0;
            element = size > 0 ? accessor_.element(cell, size - 1) : std::nullopt;
            break;
        }
        default:
            element = type == ValueType::dictionary ? accessor_.find(cell, step.key) : std::nullopt;
        }
        return element ? walk_cell(path, at + 1, *element, sink) : missing(path, false, sink);
    }

    /// A null on the way: the value is null, but among many only what exists counts
    /// (database-and-sdk.md 3.4).
    bool missing(const Path& path, bool through_null_link, const Sink& sink) const {
        if (path.many) {
            return true;
        }
        Item item;
        item.through_null_link = through_null_link;
        return sink.missing(item);
    }

    const A& accessor_;
};

} // namespace tombolo::query
