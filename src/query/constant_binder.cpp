// Constants: literals and arguments as values, converted to what they are compared with
// (database-and-sdk.md 3.3).

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "core/civil_date.hpp"
#include "query/bind_context.hpp"
#include "query/literal_text.hpp"

namespace tombolo::query {
namespace {

using schema::PropertyType;
using syntax::Literal;
using syntax::LiteralKind;

constexpr double int64_end = 9223372036854775808.0; ///< 2^63

std::optional<std::int64_t> integral(double value) noexcept {
    if (value >= -int64_end && value < int64_end && std::trunc(value) == value) {
        return static_cast<std::int64_t>(value);
    }
    return std::nullopt;
}

std::optional<double> parse_double(std::string_view text) {
    if (!text.empty() && text.front() == '+') {
        text.remove_prefix(1);
    }
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (stop != end || text.empty() || error == std::errc::invalid_argument) {
        return std::nullopt;
    }
    if (error == std::errc::result_out_of_range) {
        // Too large or too small for a double: an infinity or zero, as the C library rounds.
        return std::strtod(std::string(text).c_str(), nullptr);
    }
    return value;
}

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
    if (!text.empty() && text.front() == '+') {
        text.remove_prefix(1);
    }
    std::int64_t value = 0;
    int base = 10;
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text.remove_prefix(2);
        base = 16;
    }
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    return stop == end && error == std::errc() && !text.empty() ? std::optional<std::int64_t>(value)
                                                                : std::nullopt;
}

bool is_not_finite(const Value& value) noexcept {
    if (const auto* narrow = value.get_if<float>()) {
        return !std::isfinite(*narrow);
    }
    if (const auto* wide = value.get_if<double>()) {
        return !std::isfinite(*wide);
    }
    const auto* decimal = value.get_if<Decimal128>();
    return decimal && (decimal->is_nan() || decimal->is_infinite());
}

/// The numbers of the text, with what stands between them dropped; nothing when one does not fit.
std::optional<std::vector<std::int64_t>> numbers_of(std::string_view text, std::string_view marks) {
    std::vector<std::int64_t> out;
    while (true) {
        const std::size_t end = std::min(text.find_first_of(marks), text.size());
        const auto number = parse_integer(text.substr(0, end));
        if (!number) {
            return std::nullopt;
        }
        out.push_back(*number);
        if (end == text.size()) {
            return out;
        }
        text.remove_prefix(end + 1);
    }
}

class LiteralBinder {
  public:
    LiteralBinder(const BindContext& context, const Literal& literal, const StaticType* hint)
        : context_(context), literal_(literal), hint_(hint) {}

    Result<Value> value() const;

  private:
    Error invalid(std::string_view what) const { return context_.invalid(literal_.position, what); }
    bool hints(PropertyType type) const noexcept { return hint_ && hint_->type == type; }
    bool hints_floating() const noexcept {
        return !hint_ || hints(PropertyType::mixed) || hints(PropertyType::float32) ||
               hints(PropertyType::float64) || hints(PropertyType::decimal128);
    }

    Result<Value> integer() const;
    Result<Value> floating() const;
    Result<Value> special() const;
    Result<Value> string() const;
    Result<Value> timestamp() const;
    Result<Value> date() const;
    Result<Value> link() const;

    const BindContext& context_;
    const Literal& literal_;
    const StaticType* hint_;
};

Result<Value> LiteralBinder::value() const {
    switch (literal_.kind) {
    case LiteralKind::null:
        return Value();
    case LiteralKind::boolean:
        return Value(literal_.text == "true");
    case LiteralKind::integer:
        return integer();
    case LiteralKind::floating:
        return floating();
    case LiteralKind::infinity:
    case LiteralKind::nan:
        return special();
    case LiteralKind::string:
        return string();
    case LiteralKind::base64:
        if (hints(PropertyType::binary)) {
            const ByteView bytes = as_bytes(literal_.text);
            return Value(Binary{{bytes.begin(), bytes.end()}});
        }
        return Value(literal_.text);
    case LiteralKind::binary: {
        const ByteView bytes = as_bytes(literal_.text);
        return Value(Binary{{bytes.begin(), bytes.end()}});
    }
    case LiteralKind::timestamp:
        return literal_.text[0] == 'T' ? timestamp() : date();
    case LiteralKind::uuid: {
        TOMBOLO_TRY(const Uuid id, Uuid::parse(literal_.text));
        return Value(id);
    }
    case LiteralKind::object_id: {
        TOMBOLO_TRY(const ObjectId id, ObjectId::parse(literal_.text));
        return Value(id);
    }
    case LiteralKind::object_link:
        return link();
    case LiteralKind::object_key:
        return context_.unsupported(
            literal_.position,
            fmt::format("'{}' is an object key of the old file format; write obj(\"Class\", key)",
                        literal_.text));
    case LiteralKind::argument:
        break;
    }
    return invalid("an argument cannot stand here");
}

Result<Value> LiteralBinder::integer() const {
    if (const auto value = parse_integer(literal_.text)) {
        return Value(*value);
    }
    if (literal_.text.find_first_of("xX") != std::string::npos) {
        return invalid(fmt::format("the number {} does not fit in 64 bits", literal_.text));
    }
    return floating();
}

Result<Value> LiteralBinder::floating() const {
    std::string_view text = literal_.text;
    const bool narrow = text.back() == 'f' || text.back() == 'F';
    text.remove_suffix(narrow ? 1 : 0);
    if (hints(PropertyType::decimal128) && !narrow) {
        TOMBOLO_TRY(const Decimal128 value, Decimal128::parse(text));
        return Value(value);
    }
    const auto value = parse_double(text);
    if (!value) {
        return invalid(fmt::format("'{}' is not a number", literal_.text));
    }
    return narrow ? Value(static_cast<float>(*value)) : Value(*value);
}

Result<Value> LiteralBinder::special() const {
    if (!hints_floating()) {
        return invalid(fmt::format("cannot compare '{}' with a value of type '{}'", literal_.text,
                                   type_word(*hint_)));
    }
    const double value = literal_.kind == LiteralKind::nan
                             ? std::numeric_limits<double>::quiet_NaN()
                         : literal_.text[0] == '-' ? -std::numeric_limits<double>::infinity()
                                                   : std::numeric_limits<double>::infinity();
    return Value(value);
}

/// A string beside a number is read as a number, if it is one from end to end.
Result<Value> LiteralBinder::string() const {
    if (!hint_ || hint_->is_type_name || !is_numeric(hint_->type)) {
        return Value(literal_.text);
    }
    if (hints(PropertyType::decimal128)) {
        if (auto decimal = Decimal128::parse(literal_.text)) {
            return Value(*decimal);
        }
    } else if (const auto whole = parse_integer(literal_.text)) {
        return Value(*whole);
    } else if (const auto value = parse_double(literal_.text)) {
        if (hints(PropertyType::integer) && !std::isfinite(*value)) {
            return invalid(fmt::format("cannot compare '{}' with a value of type '{}'",
                                       literal_.text, type_word(*hint_)));
        }
        return Value(*value);
    }
    return invalid(fmt::format("cannot convert the string '{}' to a number of type '{}'",
                               literal_.text, type_word(*hint_)));
}

Result<Value> LiteralBinder::timestamp() const {
    const auto parts = numbers_of(std::string_view(literal_.text).substr(1), ":");
    if (!parts || !Timestamp::is_valid((*parts)[0], (*parts)[1])) {
        return invalid(fmt::format("'{}' is no timestamp: seconds and nanoseconds must have the "
                                   "same sign and fewer than 10^9 nanoseconds",
                                   literal_.text));
    }
    TOMBOLO_TRY(const Timestamp time,
                Timestamp::make((*parts)[0], static_cast<std::int32_t>((*parts)[1])));
    return Value(time);
}

Result<Value> LiteralBinder::date() const {
    const auto parts = numbers_of(literal_.text, "-@T:");
    bool good = parts && parts->size() >= 6;
    if (good) {
        static constexpr std::array<std::int64_t, 7> lows = {1900, 1, 1, 0, 0, 0, 0};
        static constexpr std::array<std::int64_t, 7> highs = {292'000'000, 12, 31,         23,
                                                              59,          59, 999'999'999};
        for (std::size_t i = 0; i < parts->size(); ++i) {
            good = good && (*parts)[i] >= lows[i] && (*parts)[i] <= highs[i];
        }
    }
    if (!good) {
        return invalid(fmt::format("'{}' is no date: years start at 1900, and each part must be in "
                                   "its range",
                                   literal_.text));
    }
    const std::int64_t days = days_from_civil((*parts)[0], (*parts)[1], (*parts)[2]);
    const std::int64_t seconds = days * 86400 + (*parts)[3] * 3600 + (*parts)[4] * 60 + (*parts)[5];
    const auto nanoseconds = static_cast<std::int32_t>(parts->size() > 6 ? (*parts)[6] : 0);
    // From 1900 to 1970 seconds are negative, and then nanoseconds may not be positive.
    const bool before = seconds < 0 && nanoseconds > 0;
    TOMBOLO_TRY(const Timestamp time,
                Timestamp::make(before ? seconds + 1 : seconds,
                                before ? nanoseconds - 1'000'000'000 : nanoseconds));
    return Value(time);
}

Result<Value> LiteralBinder::link() const {
    const schema::ClassSchema* target = context_.schema.find(literal_.text);
    const schema::Property* key = target ? target->primary_key() : nullptr;
    if (!key) {
        return invalid(fmt::format("no class '{}' with a primary key", literal_.text));
    }
    const StaticType hint{key->type, nullptr, false};
    bool is_list = false;
    TOMBOLO_TRY(std::vector<Value> values,
                bind_literal(context_, literal_.key.front(), &hint, is_list));
    const bool fits = !is_list && (values[0].is_null() ||
                                   schema::property_type_of(values[0].type()) == key->type);
    if (!fits) {
        return invalid(
            fmt::format("the primary key of '{}' has type '{}'", literal_.text, type_word(hint)));
    }
    Link link{literal_.text, {}};
    const Value& value = values[0];
    if (const auto* integer = value.get_if<std::int64_t>()) {
        link.key = *integer;
    } else if (const auto* string = value.get_if<std::string>()) {
        link.key = *string;
    } else if (const auto* object_id = value.get_if<ObjectId>()) {
        link.key = *object_id;
    } else if (const auto* uuid = value.get_if<Uuid>()) {
        link.key = *uuid;
    }
    return Value(std::move(link));
}

std::string value_word(const Value& value) {
    std::string out;
    if (value.is_scalar()) {
        append_scalar(out, value.scalar());
    } else {
        out = "a collection";
    }
    return out;
}

} // namespace

bool is_numeric(PropertyType type) noexcept {
    return type == PropertyType::integer || type == PropertyType::float32 ||
           type == PropertyType::float64 || type == PropertyType::decimal128;
}

std::string type_word(const StaticType& type) {
    if (type.is_type_name) {
        return "type name";
    }
    switch (type.type) {
    case PropertyType::integer:
        return "int";
    case PropertyType::boolean:
        return "bool";
    case PropertyType::string:
        return "string";
    case PropertyType::binary:
        return "binary";
    case PropertyType::timestamp:
        return "date";
    case PropertyType::float32:
        return "float";
    case PropertyType::float64:
        return "double";
    case PropertyType::decimal128:
        return "decimal128";
    case PropertyType::object_id:
        return "objectid";
    case PropertyType::uuid:
        return "uuid";
    case PropertyType::link:
    case PropertyType::linking_objects:
        return type.target ? fmt::format("link to {}", type.target->name()) : "link";
    case PropertyType::mixed:
        break;
    }
    return "mixed";
}

bool is_comparable(const StaticType& left, const StaticType& right) noexcept {
    if (left.is_type_name || right.is_type_name) {
        return left.is_type_name && right.is_type_name;
    }
    if (left.type == PropertyType::mixed || right.type == PropertyType::mixed) {
        return true;
    }
    if (left.type == PropertyType::link && right.type == PropertyType::link) {
        return left.target == right.target;
    }
    return left.type == right.type || (is_numeric(left.type) && is_numeric(right.type));
}

Value adapt(Value value, const StaticType& hint) {
    const auto* integer = value.get_if<std::int64_t>();
    const auto* narrow = value.get_if<float>();
    const auto* wide = value.get_if<double>();
    switch (hint.type) {
    case PropertyType::integer:
        if (wide || narrow) {
            const auto whole = integral(wide ? *wide : static_cast<double>(*narrow));
            return whole ? Value(*whole) : value;
        }
        return value;
    case PropertyType::float32:
        if (wide) {
            return Value(static_cast<float>(*wide));
        }
        if (integer && integral(static_cast<double>(static_cast<float>(*integer))) == *integer) {
            return Value(static_cast<float>(*integer));
        }
        return value;
    case PropertyType::float64:
        if (narrow) {
            return Value(static_cast<double>(*narrow));
        }
        if (integer && integral(static_cast<double>(*integer)) == *integer) {
            return Value(static_cast<double>(*integer));
        }
        return value;
    case PropertyType::decimal128:
        if (integer) {
            return Value(Decimal128::from_int64(*integer));
        }
        if (wide || narrow) {
            return Value(Decimal128::from_double(wide ? *wide : static_cast<double>(*narrow)));
        }
        return value;
    default:
        return value;
    }
}

Result<void> check_constant(const BindContext& context, syntax::Position position,
                            const Value& value, const StaticType& type) {
    if (value.is_null() || type.type == PropertyType::mixed) {
        return {};
    }
    if (const Link* link = value.link(); link && type.type == PropertyType::link) {
        if (type.target && link->class_name != type.target->name()) {
            return context.invalid(position,
                                   fmt::format("the object of class '{}' cannot be compared with a "
                                               "link to class '{}'",
                                               link->class_name, type.target->name()));
        }
        return {};
    }
    // "inf" and "nan" cannot be written beside an integer, so neither may arithmetic nor an
    // argument bring them there: the query could not be printed.
    if (type.type == PropertyType::integer && is_not_finite(value)) {
        return context.invalid(position,
                               fmt::format("cannot compare '{}' with a value of type '{}'",
                                           to_text(value), type_word(type)));
    }
    const StaticType own{schema::property_type_of(value.type()), nullptr, false};
    if (!value.is_scalar() || !is_comparable(own, type)) {
        return context.invalid(
            position, fmt::format("unsupported comparison between type '{}' and type '{}' ({})",
                                  type_word(type), type_word(own), value_word(value)));
    }
    return {};
}

Result<std::vector<Value>> bind_literal(const BindContext& context, const Literal& literal,
                                        const StaticType* hint, bool& is_list) {
    is_list = false;
    std::vector<Value> out;
    if (literal.kind != LiteralKind::argument) {
        TOMBOLO_TRY(Value value, LiteralBinder(context, literal, hint).value());
        out.push_back(std::move(value));
    } else {
        TOMBOLO_TRY(const Argument* argument, context.argument(literal.text, literal.position));
        const Value* value = std::get_if<Value>(argument);
        if (!value) {
            return context.invalid(
                literal.position,
                fmt::format("argument ${} is a shape: only geoWithin takes it", literal.text));
        }
        if (const List* list = value->get_if<List>()) {
            is_list = true;
            out = list->elements;
        } else if (const Set* set = value->get_if<Set>()) {
            is_list = true;
            out = set->elements();
        } else {
            out.push_back(*value);
        }
    }
    for (Value& value : out) {
        if (!value.is_scalar()) {
            return context.invalid(literal.position,
                                   fmt::format("argument ${} holds a collection in a place for a "
                                               "single value",
                                               literal.text));
        }
        if (hint && !hint->is_type_name) {
            value = adapt(std::move(value), *hint);
        }
    }
    if (literal.quantifier != syntax::Quantifier::unspecified && !is_list) {
        return context.invalid(
            literal.position,
            fmt::format("argument ${} behind ANY, ALL or NONE must be a list", literal.text));
    }
    return out;
}

Result<double> bind_number(const BindContext& context, const Literal& literal) {
    const StaticType hint{PropertyType::float64, nullptr, false};
    bool is_list = false;
    TOMBOLO_TRY(std::vector<Value> values, bind_literal(context, literal, &hint, is_list));
    const double* number = is_list || values.empty() ? nullptr : values[0].get_if<double>();
    if (!number) {
        return context.invalid(literal.position, "a coordinate or radius must be a number");
    }
    return *number;
}

} // namespace tombolo::query
