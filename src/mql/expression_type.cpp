// Types and conversions (MongoDB manual, "$convert").

#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/object_id.hpp"
#include "core/uuid.hpp"
#include "mql/expression_calendar.hpp"
#include "mql/expression_decimal.hpp"
#include "mql/expression_node.hpp"
#include "mql/expression_number.hpp"

namespace tombolo::mql::detail {

namespace {

/// Why a value does not convert; its type is added by the caller.
Error cannot_convert(BsonView value, BsonType target, std::string_view reason = {}) {
    return failed(fmt::format("cannot convert {} to {}{}{}", type_alias(value.type()),
                              type_alias(target), reason.empty() ? "" : ": ", reason));
}

Result<double> parse_double(BsonView value, BsonType target) {
    const std::string_view text = value.as_string();
    if (text == "Infinity" || text == "-Infinity") {
        return text[0] == '-' ? -std::numeric_limits<double>::infinity()
                              : std::numeric_limits<double>::infinity();
    }
    if (text == "NaN") {
        return std::numeric_limits<double>::quiet_NaN();
    }
    double number = 0;
    const char* const first = text.data() + (text.starts_with('+') ? 1 : 0);
    const char* const last = text.data() + text.size();
    const auto parsed = std::from_chars(first, last, number);
    if (parsed.ec != std::errc() || parsed.ptr != last || !std::isfinite(number)) {
        return cannot_convert(value, target, "the text is not such a number");
    }
    return number;
}

Result<std::int64_t> parse_integer(BsonView value, BsonType target) {
    const std::string_view text = value.as_string();
    std::int64_t number = 0;
    const bool plus = text.starts_with('+') && !text.substr(1).starts_with('-');
    const char* const last = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + (plus ? 1 : 0), last, number);
    if (parsed.ec != std::errc() || parsed.ptr != last) {
        return cannot_convert(value, target, "the text is not such a number");
    }
    return number;
}

/// Fractions are cut off; NaN, infinities and what does not fit are refused.
Result<std::int64_t> whole_number(BsonView value, BsonType target) {
    if (value.is_string()) {
        return parse_integer(value, target);
    }
    if (value.type() == BsonType::boolean) {
        return std::int64_t{value.as_bool() ? 1 : 0};
    }
    if (value.type() == BsonType::date && target == BsonType::int64) {
        return value.as_date_ms();
    }
    if (!value.is_number()) {
        return cannot_convert(value, target);
    }
    if (is_integer(value)) {
        return to_integer(value);
    }
    if (value.type() == BsonType::decimal128) {
        std::int64_t number = 0;
        const BsonValue whole = BsonValue::from_decimal(
            round_decimal(value.as_decimal(), 0, DecimalRounding::toward_zero));
        if (!whole.view().to_int64(number)) {
            return cannot_convert(value, target, "the number does not fit");
        }
        return number;
    }
    const double whole = std::trunc(value.as_double());
    if (!(whole >= -0x1p63 && whole < 0x1p63)) {
        return cannot_convert(value, target, "the number does not fit");
    }
    return static_cast<std::int64_t>(whole);
}

Result<BsonView> convert_to_int32(Evaluation& evaluation, BsonView value) {
    TOMBOLO_TRY(const std::int64_t number, whole_number(value, BsonType::int32));
    if (number > std::numeric_limits<std::int32_t>::max() ||
        number < std::numeric_limits<std::int32_t>::min()) {
        return cannot_convert(value, BsonType::int32, "the number does not fit");
    }
    return evaluation.int32(static_cast<std::int32_t>(number));
}

Result<BsonView> convert_to_double(Evaluation& evaluation, BsonView value) {
    if (value.is_string()) {
        TOMBOLO_TRY(const double number, parse_double(value, BsonType::float64));
        return evaluation.float64(number);
    }
    if (value.type() == BsonType::boolean) {
        return evaluation.float64(value.as_bool() ? 1 : 0);
    }
    if (value.type() == BsonType::date) {
        return evaluation.float64(static_cast<double>(value.as_date_ms()));
    }
    if (!value.is_number()) {
        return cannot_convert(value, BsonType::float64);
    }
    const double number = value.to_double();
    if (value.type() == BsonType::decimal128 && std::isinf(number) &&
        !value.as_decimal().is_infinite()) {
        return cannot_convert(value, BsonType::float64, "the number does not fit");
    }
    return evaluation.float64(number);
}

Result<BsonView> convert_to_decimal(Evaluation& evaluation, BsonView value) {
    if (value.is_string()) {
        auto parsed = Decimal128::parse(value.as_string());
        if (!parsed) {
            return cannot_convert(value, BsonType::decimal128, "the text is not such a number");
        }
        return evaluation.decimal(*parsed);
    }
    if (value.type() == BsonType::boolean) {
        return evaluation.decimal(Decimal128::from_int64(value.as_bool() ? 1 : 0));
    }
    if (value.type() == BsonType::date) {
        return evaluation.decimal(Decimal128::from_int64(value.as_date_ms()));
    }
    if (!value.is_number()) {
        return cannot_convert(value, BsonType::decimal128);
    }
    return evaluation.decimal(to_decimal(value));
}

Result<BsonView> convert_to_date(Evaluation& evaluation, BsonView value) {
    switch (value.type()) {
    case BsonType::date:
        return value;
    case BsonType::timestamp:
        return evaluation.date(static_cast<std::int64_t>(value.as_timestamp() >> 32) * 1000);
    case BsonType::object_id:
        return evaluation.date(std::int64_t{value.as_object_id().unix_seconds()} * 1000);
    case BsonType::string: {
        TOMBOLO_TRY(const std::int64_t ms, parse_date(value.as_string(), {}, {}));
        return evaluation.date(ms);
    }
    case BsonType::int64:
    case BsonType::float64:
    case BsonType::decimal128: {
        TOMBOLO_TRY(const std::int64_t ms, whole_number(value, BsonType::date));
        return evaluation.date(ms);
    }
    default:
        return cannot_convert(value, BsonType::date);
    }
}

Result<BsonView> convert_to_object_id(Evaluation& evaluation, BsonView value) {
    if (value.type() == BsonType::object_id) {
        return value;
    }
    if (!value.is_string()) {
        return cannot_convert(value, BsonType::object_id);
    }
    auto id = ObjectId::parse(value.as_string());
    if (!id) {
        return cannot_convert(value, BsonType::object_id, "the text is not 24 hex digits");
    }
    return evaluation.scratch().keep(BsonValue::from_object_id(*id));
}

std::string uuid_text(ByteView bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        text += fmt::format("{:02x}", static_cast<unsigned>(bytes[i]));
        text += (i == 3 || i == 5 || i == 7 || i == 9) ? "-" : "";
    }
    return text;
}

Result<BsonView> convert_to_string(Evaluation& evaluation, BsonView value) {
    switch (value.type()) {
    case BsonType::boolean:
        return evaluation.string(value.as_bool() ? "true" : "false");
    case BsonType::object_id:
        return evaluation.string(value.as_object_id().to_string());
    case BsonType::binary:
        if (value.as_binary().subtype == 4 && value.as_binary().bytes.size() == 16) {
            return evaluation.string(uuid_text(value.as_binary().bytes));
        }
        return cannot_convert(value, BsonType::string);
    case BsonType::string:
    case BsonType::symbol:
    case BsonType::date:
    case BsonType::int32:
    case BsonType::int64:
    case BsonType::float64:
    case BsonType::decimal128: {
        TOMBOLO_TRY(const std::string text, coerce_to_string(value, "$toString"));
        return evaluation.string(text);
    }
    default:
        return cannot_convert(value, BsonType::string);
    }
}

Result<BsonView> convert(Evaluation& evaluation, BsonView value, BsonType target) {
    if (value.type() == target && target != BsonType::symbol) {
        return value;
    }
    switch (target) {
    case BsonType::float64:
        return convert_to_double(evaluation, value);
    case BsonType::string:
        return convert_to_string(evaluation, value);
    case BsonType::object_id:
        return convert_to_object_id(evaluation, value);
    case BsonType::boolean:
        return evaluation.boolean(value.truthy());
    case BsonType::date:
        return convert_to_date(evaluation, value);
    case BsonType::int32:
        return convert_to_int32(evaluation, value);
    case BsonType::int64: {
        TOMBOLO_TRY(const std::int64_t number, whole_number(value, BsonType::int64));
        return evaluation.int64(number);
    }
    case BsonType::decimal128:
        return convert_to_decimal(evaluation, value);
    default:
        return failed(fmt::format("$convert to {} is not supported", type_alias(target)));
    }
}

template <BsonType target>
Result<BsonView> convert_operand(const Arguments& arguments) {
    return arguments[0].is_nullish() ? BsonView::null()
                                     : convert(arguments.evaluation, arguments[0], target);
}

Result<BsonView> convert_to_uuid(const Arguments& arguments) {
    const BsonView value = arguments[0];
    if (value.is_nullish()) {
        return BsonView::null();
    }
    if (value.type() == BsonType::binary && value.as_binary().subtype == 4) {
        return value;
    }
    if (!value.is_string()) {
        return cannot_convert(value, BsonType::binary);
    }
    auto id = Uuid::parse(value.as_string());
    if (!id) {
        return cannot_convert(value, BsonType::binary, "the text is not a UUID");
    }
    return arguments.evaluation.scratch().keep(BsonValue::from_binary(4, id->bytes));
}

Result<BsonView> name_of_type(const Arguments& arguments) {
    return arguments.evaluation.string(type_alias(arguments[0].type()));
}

Result<BsonView> is_number(const Arguments& arguments) {
    return arguments.evaluation.boolean(arguments[0].is_number());
}

Result<BsonType> target_type(BsonView to) {
    constexpr std::array targets = {BsonType::float64, BsonType::string,    BsonType::object_id,
                                    BsonType::boolean, BsonType::date,      BsonType::int32,
                                    BsonType::int64,   BsonType::decimal128};
    std::int64_t number = 0;
    for (const BsonType target : targets) {
        if ((to.is_string() && to.as_string() == type_alias(target)) ||
            (to.is_number() && to.to_int64(number) &&
             number == static_cast<std::int64_t>(target))) {
            return target;
        }
    }
    return failed(to.is_string()
                      ? fmt::format("$convert to \"{}\" is not supported", to.as_string())
                      : std::string("the \"to\" of $convert must name a type"));
}

/// onError and onNull are evaluated only when they are needed.
class ConvertNode : public ExpressionNode {
  public:
    ConvertNode(std::vector<NodePtr> arguments, std::string path)
        : arguments_(std::move(arguments)), path_(std::move(path)) {}

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        TOMBOLO_TRY(const BsonView input, arguments_[0]->evaluate(evaluation));
        TOMBOLO_TRY(BsonView to, arguments_[1]->evaluate(evaluation));
        if (to.is_document()) {
            to = to.as_document().find("type");
        }
        if (input.is_nullish()) {
            return arguments_[3] ? arguments_[3]->evaluate(evaluation)
                                 : Result<BsonView>(BsonView::null());
        }
        if (to.is_nullish()) {
            return BsonView::null();
        }
        const auto target = target_type(to);
        if (!target) {
            return target.error().within(path_);
        }
        Result<BsonView> result = convert(evaluation, input, *target);
        if (!result) {
            return arguments_[2] ? arguments_[2]->evaluate(evaluation)
                                 : Result<BsonView>(result.error().within(path_));
        }
        return result;
    }

  private:
    std::vector<NodePtr> arguments_;
    std::string path_;
};

constexpr std::array operators = std::to_array<PositionalOperator>({
    {"$type", 1, 1, name_of_type},
    {"$isNumber", 1, 1, is_number},
    {"$toString", 1, 1, convert_operand<BsonType::string>},
    {"$toInt", 1, 1, convert_operand<BsonType::int32>},
    {"$toLong", 1, 1, convert_operand<BsonType::int64>},
    {"$toDouble", 1, 1, convert_operand<BsonType::float64>},
    {"$toDecimal", 1, 1, convert_operand<BsonType::decimal128>},
    {"$toBool", 1, 1, convert_operand<BsonType::boolean>},
    {"$toDate", 1, 1, convert_operand<BsonType::date>},
    {"$toObjectId", 1, 1, convert_operand<BsonType::object_id>},
    {"$toUUID", 1, 1, convert_to_uuid},
});

} // namespace

std::span<const PositionalOperator> type_operators() noexcept {
    return operators;
}

Result<NodePtr> make_convert(Compiler& compiler, BsonView spec, const std::string& path) {
    constexpr std::array<std::string_view, 5> names = {"input", "to", "?onError", "?onNull",
                                                       "?format"};
    TOMBOLO_TRY(auto arguments, compiler.compile_named(spec, names, path));
    if (arguments[4]) {
        return Error(ErrorCode::mql_unsupported, "\"format\" of $convert is not supported", path);
    }
    return NodePtr(std::make_unique<ConvertNode>(std::move(arguments), path));
}

} // namespace tombolo::mql::detail
