// Filters: matching. Nothing here allocates unless a predicate fails or an expression runs.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "mql/filter.hpp"
#include "mql/filter_node.hpp"

namespace tombolo::mql {

namespace detail {

namespace {

bool is_nan(BsonView value) noexcept {
    return (value.type() == BsonType::float64 && std::isnan(value.as_double())) ||
           (value.type() == BsonType::decimal128 && value.as_decimal().is_nan());
}

bool holds(CompareOperator op, int order) noexcept {
    switch (op) {
    case CompareOperator::eq:
        return order == 0;
    case CompareOperator::lt:
        return order < 0;
    case CompareOperator::lte:
        return order <= 0;
    case CompareOperator::gt:
        return order > 0;
    case CompareOperator::gte:
        return order >= 0;
    }
    return false;
}

// Types whose values are equal exactly when their bytes are.
constexpr bool is_equal_by_bytes(BsonType type) noexcept {
    return type == BsonType::string || type == BsonType::object_id || type == BsonType::date;
}

bool same_bytes(BsonView left, BsonView right) noexcept {
    return left.bytes().size() == right.bytes().size() &&
           std::memcmp(left.bytes().data(), right.bytes().data(), left.bytes().size()) == 0;
}

/// So many values are looked through before they are searched.
constexpr std::size_t few_values = 8;

bool test(const ComparePredicate& predicate, BsonView value) noexcept {
    if (predicate.op == CompareOperator::eq && value.type() == predicate.operand.type() &&
        is_equal_by_bytes(value.type())) {
        return same_bytes(value, predicate.operand);
    }
    const int kind = canonical_type(value.type());
    if (kind == predicate.kind) {
        if (value.is_number() && (predicate.is_nan || is_nan(value))) {
            // NaN equals NaN and has no order with other numbers.
            return predicate.is_nan && is_nan(value) && holds(predicate.op, 0);
        }
        return holds(predicate.op, compare(value, predicate.operand));
    }
    if (predicate.operand.is_null()) {
        return value.is_nullish() && holds(predicate.op, 0);
    }
    if (predicate.operand.type() == BsonType::min_key ||
        predicate.operand.type() == BsonType::max_key) {
        return holds(predicate.op, kind < predicate.kind ? -1 : 1);
    }
    return false;
}

bool test(const RegexPredicate& predicate, BsonView value, MatchState& state) {
    if (value.is_string() || value.type() == BsonType::symbol) {
        const auto found = predicate.regex.matches(value.as_string());
        if (!found) {
            state.error = found.error();
            return true;
        }
        return *found;
    }
    if (value.type() == BsonType::regex) {
        const BsonRegexView stored = value.as_regex();
        return stored.pattern == predicate.source.pattern &&
               stored.options == predicate.source.options;
    }
    return false;
}

bool test(const InPredicate& predicate, BsonView value, MatchState& state) {
    if (predicate.has_null && value.is_nullish()) {
        return true;
    }
    if (is_equal_by_bytes(value.type()) && predicate.values.size() <= few_values &&
        std::any_of(predicate.values.begin(), predicate.values.end(), [&](BsonView each) {
            return each.type() == value.type() && same_bytes(each, value);
        })) {
        return true;
    }
    if (!value.is_missing() &&
        std::binary_search(predicate.values.begin(), predicate.values.end(), value, BsonLess())) {
        return true;
    }
    return std::any_of(predicate.regexes.begin(), predicate.regexes.end(),
                       [&](const RegexPredicate& regex) { return test(regex, value, state); });
}

// The value as an integer, fractions cut off; false for what has none.
bool truncated(BsonView value, std::int64_t& out) noexcept {
    if (value.to_int64(out)) {
        return true;
    }
    const double number = std::trunc(value.to_double());
    if (!(number >= -0x1p63 && number < 0x1p63)) {
        return false;
    }
    out = static_cast<std::int64_t>(number);
    return true;
}

bool test(const ModPredicate& predicate, BsonView value) noexcept {
    std::int64_t number = 0;
    if (!value.is_number() || !truncated(value, number)) {
        return false;
    }
    const std::int64_t rest = predicate.divisor == -1 ? 0 : number % predicate.divisor;
    return rest == predicate.remainder;
}

bool test(const SizePredicate& predicate, BsonView value) noexcept {
    if (!value.is_array()) {
        return false;
    }
    std::int64_t left = predicate.count;
    for (auto it = value.as_document().begin(), end = value.as_document().end(); it != end; ++it) {
        if (--left < 0) {
            return false;
        }
    }
    return left == 0;
}

bool test(const ElemMatchPredicate& predicate, BsonView value, MatchState& state) {
    if (!value.is_array()) {
        return false;
    }
    std::int32_t index = -1;
    for (const BsonElement& element : value.as_document()) {
        ++index;
        if (predicate.on_documents && !element.value.is_container()) {
            continue;
        }
        if (matches(*predicate.condition, element.value, state)) {
            state.array_index = index;
            return true;
        }
        if (state.error) {
            return false;
        }
    }
    return false;
}

bool bit_of(std::int64_t number, std::uint32_t position) noexcept {
    // Numbers are sign-extended without end.
    return ((number >> std::min<std::uint32_t>(position, 63)) & 1) != 0;
}

bool bit_of(ByteView bytes, std::uint32_t position) noexcept {
    const std::size_t byte = position / 8;
    return byte < bytes.size() &&
           ((static_cast<unsigned>(bytes[byte]) >> (position % 8)) & 1U) != 0;
}

template <class Bits>
bool bits_hold(const BitsPredicate& predicate, Bits bits) noexcept {
    const bool wanted =
        predicate.op == BitsOperator::all_set || predicate.op == BitsOperator::any_set;
    const bool all =
        predicate.op == BitsOperator::all_set || predicate.op == BitsOperator::all_clear;
    for (const std::uint32_t position : predicate.positions) {
        if ((bit_of(bits, position) == wanted) != all) {
            return !all;
        }
    }
    return all;
}

bool test(const BitsPredicate& predicate, BsonView value) noexcept {
    if (value.type() == BsonType::binary) {
        return bits_hold(predicate, value.as_binary().bytes);
    }
    std::int64_t number = 0;
    return value.is_number() && value.to_int64(number) && bits_hold(predicate, number);
}

bool test(const Predicate& predicate, BsonView value, MatchState& state) {
    if (const auto* comparison = std::get_if<ComparePredicate>(&predicate)) {
        return test(*comparison, value);
    }
    if (const auto* in = std::get_if<InPredicate>(&predicate)) {
        return test(*in, value, state);
    }
    if (std::holds_alternative<ExistsPredicate>(predicate)) {
        return !value.is_missing();
    }
    if (const auto* regex = std::get_if<RegexPredicate>(&predicate)) {
        return test(*regex, value, state);
    }
    if (const auto* type = std::get_if<TypePredicate>(&predicate)) {
        return type->types[static_cast<std::size_t>(value.type())];
    }
    if (const auto* mod = std::get_if<ModPredicate>(&predicate)) {
        return test(*mod, value);
    }
    if (const auto* size = std::get_if<SizePredicate>(&predicate)) {
        return test(*size, value);
    }
    if (const auto* elem_match = std::get_if<ElemMatchPredicate>(&predicate)) {
        return test(*elem_match, value, state);
    }
    if (const auto* bits = std::get_if<BitsPredicate>(&predicate)) {
        return test(*bits, value);
    }
    return geo_matches(std::get<GeoPredicate>(predicate), value);
}

bool matches_leaf(const FilterNode& node, BsonView root, MatchState& state) {
    const Predicate& predicate = *node.predicate;
    return visit_path(root, node.path, node.leaf_arrays,
                      [&](BsonView value, std::int32_t outer_index) {
                          if (!test(predicate, value, state)) {
                              return state.error.has_value();
                          }
                          if (outer_index >= 0) {
                              state.array_index = outer_index;
                          }
                          return true;
                      });
}

bool matches_expression(const FilterNode& node, BsonView root, MatchState& state) {
    const auto truth = node.expression->evaluate_truth(root.as_document(), state.input);
    if (!truth) {
        state.error = truth.error().within("$expr");
        return false;
    }
    return *truth;
}

} // namespace

bool matches(const FilterNode& node, BsonView root, MatchState& state) {
    switch (node.kind) {
    case NodeKind::leaf:
        return matches_leaf(node, root, state);
    case NodeKind::all_of:
        return std::all_of(
            node.children.begin(), node.children.end(),
            [&](const FilterNode& child) { return matches(child, root, state) && !state.error; });
    case NodeKind::any_of:
        return std::any_of(
            node.children.begin(), node.children.end(),
            [&](const FilterNode& child) { return matches(child, root, state) || state.error; });
    case NodeKind::none_of: {
        const std::int32_t index = state.array_index;
        for (const FilterNode& child : node.children) {
            if (matches(child, root, state) || state.error) {
                return false;
            }
        }
        state.array_index = index;
        return true;
    }
    case NodeKind::expression:
        return matches_expression(node, root, state);
    case NodeKind::never:
        return false;
    }
    return false;
}

} // namespace detail

Result<bool> Filter::matches(BsonDocumentView document, const EvaluationInput& input,
                             MatchDetails* details) const {
    detail::MatchState state{input, -1, std::nullopt};
    const bool matched = detail::matches(program_->root, document.as_value(), state);
    if (state.error) {
        return *state.error;
    }
    if (details != nullptr) {
        details->array_index = matched ? state.array_index : -1;
    }
    return matched;
}

std::optional<double> Filter::near_distance(BsonDocumentView document) const {
    std::optional<double> least;
    const detail::FilterNode& node = *program_->near;
    const auto& predicate = std::get<detail::GeoPredicate>(*node.predicate);
    visit_path(document.as_value(), node.path, node.leaf_arrays,
               [&](BsonView value, std::int32_t /*outer_index*/) {
                   const std::optional<double> distance = detail::geo_distance(predicate, value);
                   if (distance && (!least || *distance < *least)) {
                       least = distance;
                   }
                   return false;
               });
    return least;
}

} // namespace tombolo::mql
