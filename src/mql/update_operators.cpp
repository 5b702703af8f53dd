// Updates: what the operators do to a value.

#include <algorithm>
#include <string>

#include "mql/bson_compare.hpp"
#include "mql/bson_text.hpp"
#include "mql/update_program.hpp"

namespace tombolo::mql::detail {

namespace {

std::int64_t integer(BsonView value) noexcept {
    return value.type() == BsonType::int32 ? value.as_int32() : value.as_int64();
}

Decimal128 decimal(BsonView value) noexcept {
    switch (value.type()) {
    case BsonType::decimal128:
        return value.as_decimal();
    case BsonType::float64:
        return Decimal128::from_double(value.as_double());
    default:
        return Decimal128::from_int64(integer(value));
    }
}

// The wider of the two types, int32 becoming int64 on overflow; missing when int64 overflows.
BsonValue combine(UpdateOperator op, BsonView left, BsonView right) {
    const bool product = op == UpdateOperator::mul;
    if (left.type() == BsonType::decimal128 || right.type() == BsonType::decimal128) {
        return BsonValue::from_decimal(product ? multiply(decimal(left), decimal(right))
                                               : add(decimal(left), decimal(right)));
    }
    if (left.type() == BsonType::float64 || right.type() == BsonType::float64) {
        return BsonValue::from_double(product ? left.to_double() * right.to_double()
                                              : left.to_double() + right.to_double());
    }
    std::int64_t out = 0;
    if (product ? __builtin_mul_overflow(integer(left), integer(right), &out)
                : __builtin_add_overflow(integer(left), integer(right), &out)) {
        return {};
    }
    const bool narrow = left.type() == BsonType::int32 && right.type() == BsonType::int32 &&
                        out >= INT32_MIN && out <= INT32_MAX;
    return narrow ? BsonValue::from_int32(static_cast<std::int32_t>(out))
                  : BsonValue::from_int64(out);
}

std::string has_field(const UpdateOperation& operation, const UpdateContext& context,
                      std::string_view kind, BsonType type) {
    return to_text("_id", context.document_id) + " has the field '" + operation.path.back().name +
           "' of non-" + std::string(kind) + " type " + std::string(type_alias(type));
}

Result<void> apply_arithmetic(const UpdateOperation& operation, MutableValue& target,
                              UpdateContext& context) {
    if (target.is_missing()) {
        // $inc of nothing is the operand, $mul of nothing a zero of the operand's type.
        target = operation.op == UpdateOperator::inc
                     ? MutableValue(operation.operand)
                     : MutableValue(combine(UpdateOperator::mul, operation.operand,
                                            BsonValue::from_int32(0)));
        return {};
    }
    BsonValue storage;
    const BsonView current = target.view(storage);
    const std::string name(operator_name(operation.op));
    if (!current.is_number()) {
        return update_failed(operation,
                             "Cannot apply " + name + " to a value of non-numeric type. " +
                                 has_field(operation, context, "numeric", current.type()));
    }
    BsonValue result = combine(operation.op, current, operation.operand);
    if (result.is_missing()) {
        return update_failed(operation, "Failed to apply " + name +
                                            " operations to current value (" + to_text(current) +
                                            ") for document " +
                                            to_text("_id", context.document_id));
    }
    if (!identical(current, result)) {
        target = MutableValue(std::move(result));
    }
    return {};
}

void apply_extreme(const UpdateOperation& operation, MutableValue& target) {
    BsonValue storage;
    const int order = target.is_missing() ? 0 : compare(operation.operand, target.view(storage));
    if (target.is_missing() || (operation.op == UpdateOperator::min ? order < 0 : order > 0)) {
        target = MutableValue(operation.operand);
    }
}

Result<void> need_array(const UpdateOperation& operation, const MutableValue& target,
                        const UpdateContext& context) {
    if (target.is_array()) {
        return {};
    }
    std::string message;
    switch (operation.op) {
    case UpdateOperator::push:
        message = "The field '" + operation.dotted + "' must be an array but is of type " +
                  std::string(type_alias(target.type())) + " in document " +
                  to_text("_id", context.document_id);
        break;
    case UpdateOperator::add_to_set:
        message = "Cannot apply $addToSet to non-array field. Field named '" +
                  operation.path.back().name + "' has non-array type " +
                  std::string(type_alias(target.type()));
        break;
    case UpdateOperator::pop:
        message = "Path '" + operation.dotted + "' contains an element of non-array type '" +
                  std::string(type_alias(target.type())) + "'";
        break;
    default:
        message = "Cannot apply $pull to a non-array value";
        break;
    }
    return update_failed(operation, std::move(message));
}

void sort_elements(const PushArgument& push, std::vector<BsonView>& elements) {
    if (push.sort) {
        push.sort->sort(elements);
    } else if (push.sort_direction != 0) {
        std::stable_sort(elements.begin(), elements.end(), [&](BsonView left, BsonView right) {
            return compare(left, right) * push.sort_direction < 0;
        });
    }
}

void slice_elements(std::int64_t slice, std::vector<BsonView>& elements) {
    const auto size = static_cast<std::int64_t>(elements.size());
    if (slice >= 0) {
        elements.resize(static_cast<std::size_t>(std::min(slice, size)));
    } else if (-size < slice) {
        elements.erase(elements.begin(), elements.begin() + (size + slice));
    }
}

void replace_elements(MutableValue& target, const std::vector<BsonView>& elements) {
    BsonWriter writer(true);
    for (const BsonView element : elements) {
        writer.append({}, element);
    }
    target = MutableValue(std::move(writer).finish().into_array_value());
}

std::vector<BsonView> elements_of(BsonView array) {
    std::vector<BsonView> elements;
    for (const BsonElement& element : array.as_document()) {
        elements.push_back(element.value);
    }
    return elements;
}

Result<void> apply_push(const UpdateOperation& operation, MutableValue& target,
                        UpdateContext& context) {
    const auto& push = std::get<PushArgument>(operation.argument);
    if (target.is_missing()) {
        target.clear_to(BsonType::array);
    }
    TOMBOLO_TRY_VOID(need_array(operation, target, context));
    BsonValue storage;
    std::vector<BsonView> elements = elements_of(target.view(storage));
    const auto size = static_cast<std::int64_t>(elements.size());
    std::int64_t position = std::min(push.position.value_or(size), size);
    if (position < 0) {
        position = std::max<std::int64_t>(size + std::max(position, -size), 0);
    }
    elements.insert(elements.begin() + position, push.values.begin(), push.values.end());
    sort_elements(push, elements);
    if (push.slice) {
        slice_elements(*push.slice, elements);
    }
    replace_elements(target, elements);
    return {};
}

Result<void> apply_add_to_set(const UpdateOperation& operation, MutableValue& target,
                              UpdateContext& context) {
    if (target.is_missing()) {
        target.clear_to(BsonType::array);
    }
    TOMBOLO_TRY_VOID(need_array(operation, target, context));
    BsonValue storage;
    std::vector<BsonView> elements = elements_of(target.view(storage));
    std::vector<BsonView> sorted = elements;
    std::sort(sorted.begin(), sorted.end(), BsonLess());
    const std::size_t before = elements.size();
    for (const BsonView value : std::get<PushArgument>(operation.argument).values) {
        const auto place = std::lower_bound(sorted.begin(), sorted.end(), value, BsonLess());
        if (place == sorted.end() || !equal(*place, value)) {
            sorted.insert(place, value);
            elements.push_back(value);
        }
    }
    if (elements.size() != before) {
        replace_elements(target, elements);
    }
    return {};
}

Result<bool> is_pulled(const UpdateOperation& operation, BsonView element,
                       const std::vector<BsonView>& unwanted, const EvaluationInput& input) {
    if (operation.op == UpdateOperator::pull_all) {
        return std::binary_search(unwanted.begin(), unwanted.end(), element, BsonLess());
    }
    const auto& pull = std::get<PullArgument>(operation.argument);
    if (!pull.filter) {
        return equal(operation.operand, element);
    }
    if (!pull.wrapped) {
        if (!element.is_document()) {
            return false;
        }
        return pull.filter->matches(element.as_document(), input);
    }
    BsonWriter writer;
    writer.append("", element);
    return pull.filter->matches(std::move(writer).finish(), input);
}

Result<void> apply_pull(const UpdateOperation& operation, MutableValue& target,
                        UpdateContext& context) {
    TOMBOLO_TRY_VOID(need_array(operation, target, context));
    std::vector<BsonView> unwanted;
    if (operation.op == UpdateOperator::pull_all) {
        unwanted = elements_of(operation.operand);
        std::sort(unwanted.begin(), unwanted.end(), BsonLess());
    }
    BsonValue storage;
    std::vector<BsonView> kept;
    bool removed = false;
    for (const BsonElement& element : target.view(storage).as_document()) {
        TOMBOLO_TRY(const bool pulled,
                    is_pulled(operation, element.value, unwanted, context.input.evaluation));
        removed = removed || pulled;
        if (!pulled) {
            kept.push_back(element.value);
        }
    }
    if (removed) {
        replace_elements(target, kept);
    }
    return {};
}

Result<void> apply_pop(const UpdateOperation& operation, MutableValue& target,
                       UpdateContext& context) {
    TOMBOLO_TRY_VOID(need_array(operation, target, context));
    std::vector<MutableValue::Field>& fields = target.fields();
    if (fields.empty()) {
        return {};
    }
    if (operation.operand.to_double() < 0) {
        fields.erase(fields.begin());
    } else {
        fields.pop_back();
    }
    return {};
}

Result<void> apply_bit(const UpdateOperation& operation, MutableValue& target,
                       UpdateContext& context) {
    BsonValue storage;
    const BsonView current = target.view(storage);
    if (!current.is_missing() && current.type() != BsonType::int32 &&
        current.type() != BsonType::int64) {
        return update_failed(operation,
                             "Cannot apply $bit to a value of non-integral type." +
                                 has_field(operation, context, "integer", current.type()));
    }
    bool narrow = current.is_missing() || current.type() == BsonType::int32;
    std::int64_t bits = current.is_missing() ? 0 : integer(current);
    for (const auto& [op, operand] : std::get<BitArgument>(operation.argument).steps) {
        narrow = narrow && operand.type() == BsonType::int32;
        switch (op) {
        case BitOperator::bit_and:
            bits &= integer(operand);
            break;
        case BitOperator::bit_or:
            bits |= integer(operand);
            break;
        case BitOperator::bit_xor:
            bits ^= integer(operand);
            break;
        }
    }
    target = MutableValue(narrow ? BsonValue::from_int32(static_cast<std::int32_t>(bits))
                                 : BsonValue::from_int64(bits));
    return {};
}

void apply_current_date(const UpdateOperation& operation, MutableValue& target,
                        const UpdateInput& input) {
    const std::int64_t now_ms = input.evaluation.now_ms;
    if (std::get<DateArgument>(operation.argument).timestamp) {
        const auto seconds = static_cast<std::uint64_t>(now_ms / 1000) & 0xffffffffU;
        target =
            MutableValue(BsonValue::from_timestamp((seconds << 32U) | input.timestamp_increment));
    } else {
        target = MutableValue(BsonValue::from_date_ms(now_ms));
    }
}

} // namespace

std::string_view operator_name(UpdateOperator op) noexcept {
    switch (op) {
    case UpdateOperator::set:
        return "$set";
    case UpdateOperator::unset:
        return "$unset";
    case UpdateOperator::inc:
        return "$inc";
    case UpdateOperator::mul:
        return "$mul";
    case UpdateOperator::min:
        return "$min";
    case UpdateOperator::max:
        return "$max";
    case UpdateOperator::rename:
        return "$rename";
    case UpdateOperator::set_on_insert:
        return "$setOnInsert";
    case UpdateOperator::current_date:
        return "$currentDate";
    case UpdateOperator::push:
        return "$push";
    case UpdateOperator::pull:
        return "$pull";
    case UpdateOperator::pull_all:
        return "$pullAll";
    case UpdateOperator::pop:
        return "$pop";
    case UpdateOperator::add_to_set:
        return "$addToSet";
    case UpdateOperator::bit:
        return "$bit";
    }
    return "?";
}

bool creates_field(UpdateOperator op) noexcept {
    return op != UpdateOperator::unset && op != UpdateOperator::pull &&
           op != UpdateOperator::pull_all && op != UpdateOperator::pop;
}

Error update_failed(const UpdateOperation& operation, std::string message) {
    return Error(ErrorCode::mql_failed, std::move(message),
                 std::string(operator_name(operation.op)) + " '" + operation.dotted + "'");
}

Result<void> apply_to_value(const UpdateOperation& operation, MutableValue& target,
                            UpdateContext& context) {
    switch (operation.op) {
    case UpdateOperator::set:
    case UpdateOperator::set_on_insert:
        target = MutableValue(operation.operand);
        return {};
    case UpdateOperator::rename:
        target = std::move(*context.renamed);
        return {};
    case UpdateOperator::inc:
    case UpdateOperator::mul:
        return apply_arithmetic(operation, target, context);
    case UpdateOperator::min:
    case UpdateOperator::max:
        apply_extreme(operation, target);
        return {};
    case UpdateOperator::current_date:
        apply_current_date(operation, target, context.input);
        return {};
    case UpdateOperator::push:
        return apply_push(operation, target, context);
    case UpdateOperator::add_to_set:
        return apply_add_to_set(operation, target, context);
    case UpdateOperator::pull:
    case UpdateOperator::pull_all:
        return apply_pull(operation, target, context);
    case UpdateOperator::pop:
        return apply_pop(operation, target, context);
    case UpdateOperator::bit:
        return apply_bit(operation, target, context);
    case UpdateOperator::unset:
        break; // done by the parent
    }
    return {};
}

} // namespace tombolo::mql::detail
