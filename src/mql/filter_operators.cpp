// Filters: the operators of a field.

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "mql/filter.hpp"
#include "mql/filter_node.hpp"

namespace tombolo::mql::detail {

namespace {

constexpr std::size_t bit_positions_max = 16 * 1024 * 1024;

Error invalid(std::string message) {
    return Error(ErrorCode::mql_invalid, std::move(message));
}

FilterNode leaf(const Path& path, Predicate predicate,
                LeafArrays leaf_arrays = LeafArrays::expand) {
    FilterNode node;
    node.kind = NodeKind::leaf;
    node.path = path;
    node.leaf_arrays = leaf_arrays;
    node.predicate = std::move(predicate);
    return node;
}

FilterNode none_of(FilterNode child) {
    FilterNode node;
    node.kind = NodeKind::none_of;
    node.children.push_back(std::move(child));
    return node;
}

bool is_nan(BsonView value) noexcept {
    return value.is_number() && std::isnan(value.to_double());
}

Result<FilterNode> compile_compare(const Path& path, CompareOperator op, BsonView operand) {
    if (operand.type() == BsonType::undefined) {
        return invalid("cannot compare to undefined");
    }
    if (operand.type() == BsonType::regex && op != CompareOperator::eq) {
        return invalid("Can't have RegEx as arg to predicate over field '" + path.to_string() +
                       "'");
    }
    return leaf(path,
                ComparePredicate{op, operand, canonical_type(operand.type()), is_nan(operand)});
}

Result<RegexPredicate> compile_regex(BsonRegexView source) {
    TOMBOLO_TRY(Regex regex, Regex::compile(source.pattern, source.options));
    return RegexPredicate{std::move(regex), source};
}

// {$regex: pattern, $options: flags}: the two may come in either order.
Result<FilterNode> compile_regex_operator(const Path& path, BsonDocumentView operators) {
    const BsonView pattern = operators.find("$regex");
    const BsonView flags = operators.find("$options");
    if (pattern.is_missing()) {
        return invalid("$options needs a $regex");
    }
    if (!flags.is_missing() && !flags.is_string()) {
        return invalid("$options has to be a string");
    }
    BsonRegexView source;
    if (pattern.is_string()) {
        source.pattern = pattern.as_string();
    } else if (pattern.type() == BsonType::regex) {
        source = pattern.as_regex();
        if (!flags.is_missing() && !source.options.empty()) {
            return invalid("options set in both $regex and $options");
        }
    } else {
        return invalid("$regex has to be a string");
    }
    if (!flags.is_missing()) {
        source.options = flags.as_string();
    }
    TOMBOLO_TRY(RegexPredicate predicate, compile_regex(source));
    return leaf(path, std::move(predicate));
}

Result<FilterNode> compile_in(const Path& path, std::string_view op, BsonView operand) {
    if (!operand.is_array()) {
        return invalid(std::string(op) + " needs an array");
    }
    InPredicate predicate;
    for (const BsonElement& element : operand.as_document()) {
        const BsonView value = element.value;
        if (is_operator_document(value)) {
            return invalid("cannot nest $ under " + std::string(op));
        }
        if (value.type() == BsonType::undefined) {
            return invalid("cannot compare to undefined");
        }
        if (value.type() == BsonType::regex) {
            TOMBOLO_TRY(RegexPredicate regex, compile_regex(value.as_regex()));
            predicate.regexes.push_back(std::move(regex));
        }
        if (value.is_null()) {
            predicate.has_null = true;
        } else {
            predicate.values.push_back(value);
        }
    }
    std::sort(predicate.values.begin(), predicate.values.end(), BsonLess());
    return leaf(path, std::move(predicate));
}

Result<void> add_type(TypePredicate& predicate, BsonView name) {
    static constexpr std::array<BsonType, 21> types{
        BsonType::float64,        BsonType::string,     BsonType::document,  BsonType::array,
        BsonType::binary,         BsonType::undefined,  BsonType::object_id, BsonType::boolean,
        BsonType::date,           BsonType::null,       BsonType::regex,     BsonType::db_pointer,
        BsonType::code,           BsonType::symbol,     BsonType::int32,     BsonType::timestamp,
        BsonType::int64,          BsonType::decimal128, BsonType::max_key,   BsonType::min_key,
        BsonType::code_with_scope};
    if (name.is_string()) {
        if (name.as_string() == "number") {
            for (const BsonType type :
                 {BsonType::float64, BsonType::int32, BsonType::int64, BsonType::decimal128}) {
                predicate.types.set(static_cast<std::size_t>(type));
            }
            return {};
        }
        for (const BsonType type : types) {
            if (type_alias(type) == name.as_string()) {
                predicate.types.set(static_cast<std::size_t>(type));
                return {};
            }
        }
        return invalid("Unknown type name alias: " + std::string(name.as_string()));
    }
    std::int64_t code = 0;
    if (!name.is_number()) {
        return invalid("type must be represented as a number or a string");
    }
    if (name.to_int64(code)) {
        for (const BsonType type : types) {
            const std::int64_t own = type == BsonType::min_key ? -1 : static_cast<int>(type);
            if (own == code) {
                predicate.types.set(static_cast<std::size_t>(type));
                return {};
            }
        }
    }
    return invalid("Invalid numerical type code: " + std::to_string(code));
}

Result<FilterNode> compile_type(const Path& path, BsonView operand) {
    TypePredicate predicate;
    if (!operand.is_array()) {
        TOMBOLO_TRY_VOID(add_type(predicate, operand));
        return leaf(path, predicate);
    }
    for (const BsonElement& element : operand.as_document()) {
        TOMBOLO_TRY_VOID(add_type(predicate, element.value));
    }
    if (predicate.types.none()) {
        return invalid("$type must match at least one type");
    }
    return leaf(path, predicate);
}

Result<std::int64_t> mod_operand(BsonView value, std::string_view what) {
    const double number = value.is_number() ? std::trunc(value.to_double()) : NAN;
    std::int64_t exact = 0;
    if (value.is_number() && value.to_int64(exact)) {
        return exact;
    }
    if (!(number >= -0x1p63 && number < 0x1p63)) {
        return invalid("malformed mod, " + std::string(what) + " not a number");
    }
    return static_cast<std::int64_t>(number);
}

Result<FilterNode> compile_mod(const Path& path, BsonView operand) {
    if (!operand.is_array()) {
        return invalid("malformed mod, needs to be an array");
    }
    const std::size_t count = operand.as_document().count();
    if (count != 2) {
        return invalid(count < 2 ? "malformed mod, not enough elements"
                                 : "malformed mod, too many elements");
    }
    TOMBOLO_TRY(const std::int64_t divisor, mod_operand(operand.as_document().at(0), "divisor"));
    TOMBOLO_TRY(const std::int64_t rest, mod_operand(operand.as_document().at(1), "remainder"));
    if (divisor == 0) {
        return invalid("divisor cannot be 0");
    }
    return leaf(path, ModPredicate{divisor, rest});
}

Result<FilterNode> compile_size(const Path& path, BsonView operand) {
    std::int64_t count = 0;
    if (!operand.is_number()) {
        return invalid("$size needs a number");
    }
    if (!operand.to_int64(count)) {
        return invalid("$size must be a whole number");
    }
    if (count < 0) {
        return invalid("$size may not be negative");
    }
    return leaf(path, SizePredicate{count}, LeafArrays::whole);
}

Result<FilterNode> compile_elem_match(const Path& path, BsonView operand,
                                      const FilterOptions& options) {
    if (!operand.is_document()) {
        return invalid("$elemMatch needs an Object");
    }
    const BsonDocumentView spec = operand.as_document();
    bool on_documents = true;
    if (is_operator_document(operand)) {
        const std::string_view first = spec.begin()->key;
        on_documents = first == "$and" || first == "$or" || first == "$nor" || first == "$expr" ||
                       first == "$where" || first == "$jsonSchema" || first == "$text" ||
                       first == "$comment";
    }
    auto condition = on_documents ? compile_conditions(spec, options, Place::element)
                                  : compile_field(Path(), operand, options, Place::element);
    if (!condition) {
        return condition.error().within("$elemMatch");
    }
    auto owned = std::make_unique<FilterNode>(*std::move(condition));
    return leaf(path, ElemMatchPredicate{std::move(owned), on_documents}, LeafArrays::whole);
}

Result<FilterNode> compile_all(const Path& path, BsonView operand, const FilterOptions& options) {
    if (!operand.is_array()) {
        return invalid("$all needs an array");
    }
    FilterNode node;
    std::size_t elem_matches = 0;
    for (const BsonElement& element : operand.as_document()) {
        const BsonView value = element.value;
        if (is_operator_document(value)) {
            const BsonElement first = *value.as_document().begin();
            if (first.key != "$elemMatch" || value.as_document().count() != 1) {
                return invalid("no $ expressions in $all");
            }
            ++elem_matches;
            TOMBOLO_TRY(FilterNode child, compile_elem_match(path, first.value, options));
            node.children.push_back(std::move(child));
        } else {
            TOMBOLO_TRY(FilterNode child,
                        value.is_document() ? compile_compare(path, CompareOperator::eq, value)
                                            : compile_field(path, value, options, Place::logical));
            node.children.push_back(std::move(child));
        }
    }
    if (elem_matches != 0 && elem_matches != node.children.size()) {
        return invalid("$all/$elemMatch has to be consistent");
    }
    if (node.children.empty()) {
        node.kind = NodeKind::never;
    }
    return node;
}

Result<std::vector<std::uint32_t>> bit_positions(BsonView operand) {
    std::vector<std::uint32_t> out;
    if (operand.is_array()) {
        for (const BsonElement& element : operand.as_document()) {
            std::int64_t position = 0;
            if (!element.value.is_number() || !element.value.to_int64(position) || position < 0 ||
                position > INT32_MAX) {
                return invalid("bit positions must be integers from 0 to 2147483647");
            }
            out.push_back(static_cast<std::uint32_t>(position));
        }
        return out;
    }
    if (operand.type() == BsonType::binary) {
        const ByteView bytes = operand.as_binary().bytes;
        if (bytes.size() > bit_positions_max / 8) {
            return invalid("a bit mask is longer than 2 MiB");
        }
        for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
            if (((static_cast<unsigned>(bytes[bit / 8]) >> (bit % 8)) & 1U) != 0) {
                out.push_back(static_cast<std::uint32_t>(bit));
            }
        }
        return out;
    }
    std::int64_t mask = 0;
    if (!operand.is_number() || !operand.to_int64(mask)) {
        return invalid("takes an Array, a number, or a BinData but received: " +
                       std::string(type_alias(operand.type())));
    }
    if (mask < 0) {
        return invalid("a bit mask must not be negative");
    }
    for (std::uint32_t bit = 0; bit < 63; ++bit) {
        if (((mask >> bit) & 1) != 0) {
            out.push_back(bit);
        }
    }
    return out;
}

Result<FilterNode> compile_bits(const Path& path, BitsOperator op, BsonView operand) {
    TOMBOLO_TRY(std::vector<std::uint32_t> positions, bit_positions(operand));
    return leaf(path, BitsPredicate{op, std::move(positions)});
}

Result<FilterNode> compile_not(const Path& path, BsonView operand, const FilterOptions& options) {
    if (operand.type() == BsonType::regex) {
        TOMBOLO_TRY(RegexPredicate predicate, compile_regex(operand.as_regex()));
        return none_of(leaf(path, std::move(predicate)));
    }
    if (!operand.is_document()) {
        return invalid("$not needs a regex or a document");
    }
    if (operand.as_document().empty()) {
        return invalid("$not cannot be empty");
    }
    if (!is_operator_document(operand)) {
        return invalid("$not needs operators, not a value: " +
                       std::string(operand.as_document().begin()->key));
    }
    TOMBOLO_TRY(FilterNode child, compile_field(path, operand, options, Place::logical));
    return none_of(std::move(child));
}

Result<FilterNode> compile_geo_operator(const Path& path, const BsonElement& element,
                                        BsonDocumentView siblings, Place place) {
    TOMBOLO_TRY(GeoPredicate predicate, compile_geo(element.key, element.value, siblings));
    if (geo_is_near(predicate) && place != Place::top) {
        return invalid(std::string(element.key) + " must stand at the top level or inside $and");
    }
    return leaf(path, std::move(predicate));
}

std::optional<CompareOperator> compare_operator(std::string_view op) noexcept {
    if (op == "$eq") {
        return CompareOperator::eq;
    }
    if (op == "$lt") {
        return CompareOperator::lt;
    }
    if (op == "$lte") {
        return CompareOperator::lte;
    }
    if (op == "$gt") {
        return CompareOperator::gt;
    }
    if (op == "$gte") {
        return CompareOperator::gte;
    }
    return std::nullopt;
}

std::optional<BitsOperator> bits_operator(std::string_view op) noexcept {
    if (op == "$bitsAllSet") {
        return BitsOperator::all_set;
    }
    if (op == "$bitsAllClear") {
        return BitsOperator::all_clear;
    }
    if (op == "$bitsAnySet") {
        return BitsOperator::any_set;
    }
    if (op == "$bitsAnyClear") {
        return BitsOperator::any_clear;
    }
    return std::nullopt;
}

Result<FilterNode> compile_ne(const Path& path, BsonView operand) {
    if (operand.type() == BsonType::regex) {
        return invalid("Can't have regex as arg to $ne.");
    }
    TOMBOLO_TRY(FilterNode child, compile_compare(path, CompareOperator::eq, operand));
    return none_of(std::move(child));
}

Result<FilterNode> compile_exists(const Path& path, BsonView operand) {
    FilterNode node = leaf(path, ExistsPredicate{}, LeafArrays::whole);
    return operand.truthy() ? std::move(node) : none_of(std::move(node));
}

Result<FilterNode> compile_operator(const Path& path, const BsonElement& element,
                                    BsonDocumentView siblings, const FilterOptions& options,
                                    Place place) {
    const std::string_view op = element.key;
    if (const auto comparison = compare_operator(op)) {
        return compile_compare(path, *comparison, element.value);
    }
    if (op == "$ne") {
        return compile_ne(path, element.value);
    }
    if (op == "$in") {
        return compile_in(path, op, element.value);
    }
    if (op == "$nin") {
        TOMBOLO_TRY(FilterNode child, compile_in(path, op, element.value));
        return none_of(std::move(child));
    }
    if (op == "$not") {
        return compile_not(path, element.value, options);
    }
    if (op == "$exists") {
        return compile_exists(path, element.value);
    }
    if (op == "$type") {
        return compile_type(path, element.value);
    }
    if (op == "$mod") {
        return compile_mod(path, element.value);
    }
    if (op == "$all") {
        return compile_all(path, element.value, options);
    }
    if (op == "$elemMatch") {
        return compile_elem_match(path, element.value, options);
    }
    if (op == "$size") {
        return compile_size(path, element.value);
    }
    if (const auto bits = bits_operator(op)) {
        return compile_bits(path, *bits, element.value);
    }
    if (op == "$geoWithin" || op == "$within" || op == "$geoIntersects" || op == "$near" ||
        op == "$nearSphere") {
        return compile_geo_operator(path, element, siblings, place);
    }
    return Error(ErrorCode::mql_unsupported, "unknown operator: " + std::string(op));
}

// $options goes with $regex, the distances with a legacy $near; they are read there.
bool is_companion(std::string_view op, BsonDocumentView siblings) {
    return op == "$options" ||
           ((op == "$maxDistance" || op == "$minDistance") &&
            (!siblings.find("$near").is_missing() || !siblings.find("$nearSphere").is_missing()));
}

} // namespace

Result<FilterNode> compile_field(const Path& path, BsonView operand, const FilterOptions& options,
                                 Place place) {
    if (operand.type() == BsonType::regex) {
        TOMBOLO_TRY(RegexPredicate predicate, compile_regex(operand.as_regex()));
        return leaf(path, std::move(predicate));
    }
    if (!is_operator_document(operand)) {
        return compile_compare(path, CompareOperator::eq, operand);
    }
    const BsonDocumentView operators = operand.as_document();
    FilterNode node;
    for (const BsonElement& element : operators) {
        const bool regex = element.key == "$regex" ||
                           (element.key == "$options" && operators.find("$regex").is_missing());
        if (!regex && is_companion(element.key, operators)) {
            continue;
        }
        auto child = regex ? compile_regex_operator(path, operators)
                           : compile_operator(path, element, operators, options, place);
        if (!child) {
            const bool names_itself = child.error().code() == ErrorCode::mql_unsupported;
            return names_itself ? child.error() : child.error().within(element.key);
        }
        node.children.push_back(*std::move(child));
    }
    if (node.children.size() == 1) {
        FilterNode only = std::move(node.children.front());
        return only;
    }
    return node;
}

} // namespace tombolo::mql::detail
