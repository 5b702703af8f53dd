// Updates: what the operators take, checked when the update is compiled.

#include <string>

#include "mql/bson_text.hpp"
#include "mql/update_program.hpp"

namespace tombolo::mql::detail {

namespace {

Error invalid(std::string message) {
    return Error(ErrorCode::mql_invalid, std::move(message));
}

bool is_integer(BsonView value) noexcept {
    return value.type() == BsonType::int32 || value.type() == BsonType::int64;
}

Result<std::int64_t> push_integer(std::string_view name, BsonView value) {
    std::int64_t out = 0;
    if (!value.is_number() || !value.to_int64(out)) {
        return invalid("The value for " + std::string(name) +
                       " must be an integer value but was given type: " +
                       std::string(type_alias(value.type())));
    }
    return out;
}

Result<void> parse_push_sort(PushArgument& out, BsonView value) {
    if (value.is_document()) {
        if (value.as_document().empty()) {
            return invalid("The $sort pattern is empty when it should be a set of fields.");
        }
        TOMBOLO_TRY(out.sort, SortOrder::compile(value.as_document()));
        return {};
    }
    std::int64_t direction = 0;
    if (!value.is_number() || !value.to_int64(direction) || (direction != 1 && direction != -1)) {
        return invalid("The $sort element value must be either 1 or -1");
    }
    out.sort_direction = static_cast<int>(direction);
    return {};
}

Result<UpdateArgument> parse_push(BsonView operand) {
    PushArgument out;
    const BsonView each = operand.is_document() ? operand.as_document().find("$each") : BsonView();
    if (each.is_missing()) {
        out.values.push_back(operand);
        return UpdateArgument(std::move(out));
    }
    if (!each.is_array()) {
        return invalid("The argument to $each in $push must be an array but it was of type: " +
                       std::string(type_alias(each.type())));
    }
    for (const BsonElement& element : each.as_document()) {
        out.values.push_back(element.value);
    }
    for (const BsonElement& clause : operand.as_document()) {
        if (clause.key == "$slice") {
            TOMBOLO_TRY(out.slice, push_integer("$slice", clause.value));
        } else if (clause.key == "$position") {
            TOMBOLO_TRY(out.position, push_integer("$position", clause.value));
        } else if (clause.key == "$sort") {
            TOMBOLO_TRY_VOID(parse_push_sort(out, clause.value));
        } else if (clause.key != "$each") {
            return invalid("Unrecognized clause in $push: " + std::string(clause.key));
        }
    }
    return UpdateArgument(std::move(out));
}

Result<UpdateArgument> parse_add_to_set(BsonView operand) {
    PushArgument out;
    const BsonView each = operand.is_document() ? operand.as_document().find("$each") : BsonView();
    if (each.is_missing()) {
        out.values.push_back(operand);
        return UpdateArgument(std::move(out));
    }
    if (!each.is_array()) {
        return invalid("The argument to $each in $addToSet must be an array but it was of type " +
                       std::string(type_alias(each.type())));
    }
    if (operand.as_document().count() != 1) {
        return invalid("Found unexpected fields after $each in $addToSet: " + to_text(operand));
    }
    for (const BsonElement& element : each.as_document()) {
        out.values.push_back(element.value);
    }
    return UpdateArgument(std::move(out));
}

bool starts_with_operator(BsonView value) noexcept {
    return value.is_document() && !value.as_document().empty() &&
           value.as_document().begin()->key.starts_with('$');
}

Result<UpdateArgument> parse_pull(BsonView operand) {
    PullArgument out;
    if (operand.is_document() && !starts_with_operator(operand)) {
        TOMBOLO_TRY(out.filter, Filter::compile(operand.as_document()));
        return UpdateArgument(std::move(out));
    }
    const bool logical = operand.is_document() && [&] {
        const std::string_view first = operand.as_document().begin()->key;
        return first == "$and" || first == "$or" || first == "$nor" || first == "$expr";
    }();
    if (logical) {
        TOMBOLO_TRY(out.filter, Filter::compile(operand.as_document()));
        return UpdateArgument(std::move(out));
    }
    if (operand.is_document() || operand.type() == BsonType::regex) {
        BsonWriter writer;
        writer.append("", operand);
        TOMBOLO_TRY(out.filter, Filter::compile(std::move(writer).finish()));
        out.wrapped = true;
    }
    return UpdateArgument(std::move(out));
}

Result<UpdateArgument> parse_bit(std::string_view path, BsonView operand) {
    if (!operand.is_document()) {
        return invalid("The $bit modifier is not compatible with a " +
                       std::string(type_alias(operand.type())) +
                       ". You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}");
    }
    BitArgument out;
    for (const BsonElement& element : operand.as_document()) {
        BitOperator op = BitOperator::bit_and;
        if (element.key == "or") {
            op = BitOperator::bit_or;
        } else if (element.key == "xor") {
            op = BitOperator::bit_xor;
        } else if (element.key != "and") {
            return invalid("The $bit modifier only supports 'and', 'or', and 'xor', not '" +
                           std::string(element.key) +
                           "' which is an unknown operator: " + to_text(path, operand));
        }
        if (!is_integer(element.value)) {
            return invalid("The $bit modifier field must be an Integer(32/64 bit); a '" +
                           std::string(type_alias(element.value.type())) +
                           "' is not supported here: " + to_text(path, operand));
        }
        out.steps.emplace_back(op, element.value);
    }
    if (out.steps.empty()) {
        return invalid("You must pass in at least one bitwise operation. The format is: "
                       "{$bit: {field: {and/or/xor: #}}");
    }
    return UpdateArgument(std::move(out));
}

Result<UpdateArgument> parse_current_date(BsonView operand) {
    DateArgument out;
    if (operand.type() == BsonType::boolean) {
        return UpdateArgument(out);
    }
    if (!operand.is_document()) {
        return invalid(std::string(type_alias(operand.type())) +
                       " is not valid type for $currentDate. Please use a boolean ('true') or a "
                       "$type expression ({$type: 'timestamp/date'}).");
    }
    for (const BsonElement& element : operand.as_document()) {
        if (element.key != "$type") {
            return invalid("Unrecognized $currentDate option: " + std::string(element.key));
        }
    }
    const BsonView type = operand.as_document().find("$type");
    const std::string_view name = type.is_string() ? type.as_string() : std::string_view();
    if (name != "date" && name != "timestamp") {
        return invalid("The '$type' string field is required to be 'date' or 'timestamp': "
                       "{$currentDate: {field : {$type: 'date'}}}");
    }
    out.timestamp = name == "timestamp";
    return UpdateArgument(out);
}

Result<void> check_same_path(const std::vector<UpdateStep>& source, std::string_view path,
                             BsonView target) {
    TOMBOLO_TRY(const std::vector<UpdateStep> destination,
                parse_update_path(target.as_string(), {}));
    for (const UpdateStep& step : destination) {
        if (step.kind != StepKind::field) {
            return invalid("The destination field for $rename may not be dynamic: " +
                           std::string(target.as_string()));
        }
    }
    if (path == target.as_string()) {
        return invalid("The source and target field for $rename must differ: " +
                       to_text(path, target));
    }
    const std::size_t shared = std::min(source.size(), destination.size());
    std::size_t same = 0;
    while (same < shared && source[same].name == destination[same].name) {
        ++same;
    }
    if (same == shared) {
        return invalid("The source and target field for $rename must not be on the same path: " +
                       to_text(path, target));
    }
    return {};
}

Result<UpdateArgument> parse_rename(std::string_view path, BsonView operand) {
    if (!operand.is_string()) {
        return invalid("The 'to' field for $rename must be a string: " + to_text(path, operand));
    }
    if (operand.as_string().find('\0') != std::string_view::npos) {
        return invalid("The 'to' field for $rename cannot contain an embedded null byte");
    }
    RenameArgument out;
    TOMBOLO_TRY(out.source, parse_update_path(path, {}));
    for (const UpdateStep& step : out.source) {
        if (step.kind != StepKind::field) {
            return invalid("The source field for $rename may not be dynamic: " + std::string(path));
        }
    }
    TOMBOLO_TRY_VOID(check_same_path(out.source, path, operand));
    return UpdateArgument(std::move(out));
}

} // namespace

Result<UpdateArgument> compile_update_argument(UpdateOperator op, std::string_view path,
                                               BsonView operand) {
    switch (op) {
    case UpdateOperator::inc:
    case UpdateOperator::mul:
        if (!operand.is_number()) {
            return invalid(
                std::string(op == UpdateOperator::inc ? "Cannot increment" : "Cannot multiply") +
                " with non-numeric argument: " + to_text(path, operand));
        }
        break;
    case UpdateOperator::push:
        return parse_push(operand);
    case UpdateOperator::add_to_set:
        return parse_add_to_set(operand);
    case UpdateOperator::pull:
        return parse_pull(operand);
    case UpdateOperator::pull_all:
        if (!operand.is_array()) {
            return invalid("$pullAll requires an array argument but was given a " +
                           std::string(type_alias(operand.type())));
        }
        break;
    case UpdateOperator::pop: {
        std::int64_t end = 0;
        if (!operand.is_number()) {
            return invalid("Expected a number in: " + to_text(path, operand));
        }
        if (!operand.to_int64(end) || (end != 1 && end != -1)) {
            return invalid("$pop expects 1 or -1, found: " + to_text(operand));
        }
        break;
    }
    case UpdateOperator::bit:
        return parse_bit(path, operand);
    case UpdateOperator::current_date:
        return parse_current_date(operand);
    case UpdateOperator::rename:
        return parse_rename(path, operand);
    default:
        break;
    }
    return UpdateArgument();
}

} // namespace tombolo::mql::detail
