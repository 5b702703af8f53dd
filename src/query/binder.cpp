#include "query/binder.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "query/binder_class.hpp"
#include "query/lexer.hpp"
#include "query/parser.hpp"

namespace tombolo::query {
namespace detail {
namespace {

/// From this many constants on, "equals any of" is looked up in order instead of one by one.
constexpr std::size_t lookup_min = 8;

bool is_string_operator(ComparisonOperator op) noexcept {
    return op == ComparisonOperator::begins_with || op == ComparisonOperator::ends_with ||
           op == ComparisonOperator::contains || op == ComparisonOperator::like;
}

bool is_equality(ComparisonOperator op) noexcept {
    return op == ComparisonOperator::equal || op == ComparisonOperator::not_equal ||
           op == ComparisonOperator::in;
}

bool is_text_like(PropertyType type) noexcept {
    return type == PropertyType::string || type == PropertyType::binary ||
           type == PropertyType::mixed;
}

} // namespace

Result<Condition> Binder::condition(const syntax::Predicate& predicate, const Scope& scope) {
    return std::visit([&](const auto& node) { return bind(node, scope); }, predicate.node);
}

Result<Condition> Binder::bind(const syntax::Constant& node, const Scope&) {
    return Condition{node.value};
}

Result<Condition> Binder::bind(const syntax::Negation& node, const Scope& scope) {
    TOMBOLO_TRY(Condition inner, condition(*node.operand, scope));
    return Condition{Negation{std::make_unique<const Condition>(std::move(inner))}};
}

Result<Condition> Binder::bind(const syntax::Group& node, const Scope& scope) {
    Group group{node.op, {}};
    group.operands.reserve(node.operands.size());
    for (const syntax::Predicate& operand : node.operands) {
        TOMBOLO_TRY(Condition inner, condition(operand, scope));
        group.operands.push_back(std::move(inner));
    }
    return Condition{std::move(group)};
}

Result<Condition> Binder::bind(const syntax::Comparison& node, const Scope& scope) {
    if (node.op == ComparisonOperator::text) {
        return text(node, scope);
    }
    const bool left_constant = is_constant(node.left);
    const bool right_constant = is_constant(node.right);
    if (left_constant && right_constant) {
        return context_.invalid(node.left.position, "cannot compare two constants");
    }
    if (left_constant) {
        TOMBOLO_TRY(Operand right, operand(node.right, scope));
        TOMBOLO_TRY(Operand left, constant(node.left, &right.type));
        return compare(node, std::move(left), std::move(right));
    }
    TOMBOLO_TRY(Operand left, operand(node.left, scope));
    if (right_constant) {
        TOMBOLO_TRY(Operand right, constant(node.right, &left.type));
        return compare(node, std::move(left), std::move(right));
    }
    TOMBOLO_TRY(Operand right, operand(node.right, scope));
    return compare(node, std::move(left), std::move(right));
}

Result<void> Binder::check_operator(const syntax::Comparison& node, const Operand& left,
                                    const Operand& right) {
    const bool strings = is_string_operator(node.op);
    if (strings && (!is_text_like(left.type.type) || left.type.is_type_name)) {
        return context_.invalid(node.position,
                                fmt::format("unsupported operator '{}' for type '{}'",
                                            operator_text(node.op), type_word(left.type)));
    }
    if (strings || node.ignore_case) {
        bool good = is_text_like(right.type.type) && !right.type.is_type_name;
        if (const auto* values = std::get_if<Constants>(&right.node)) {
            good =
                std::all_of(values->values().begin(), values->values().end(), [](const Value& v) {
                    return v.is_null() || v.type() == ValueType::string ||
                           v.type() == ValueType::binary;
                });
        }
        if (!good) {
            return context_.invalid(
                node.right.position,
                fmt::format(
                    "the operator '{}{}' needs a string, binary or mixed value on its right",
                    operator_text(node.op), node.ignore_case ? "[c]" : ""));
        }
    }
    return {};
}

Result<void> Binder::check_links(const syntax::Comparison& node, const Operand& left,
                                 const Operand& right) {
    const bool left_link = left.type.type == PropertyType::link;
    const bool right_link = right.type.type == PropertyType::link;
    if ((left_link || right_link) && !is_equality(node.op)) {
        return context_.invalid(
            node.position, fmt::format("links can be compared with ==, != and IN, not with '{}'",
                                       operator_text(node.op)));
    }
    for (const auto& [side, other] : {std::pair(&left, &right), std::pair(&right, &left)}) {
        const auto* values = std::get_if<Constants>(&other->node);
        if (side->is_constant() || side->type.type != PropertyType::link || !side->is_many() ||
            !values) {
            continue;
        }
        for (const Value& value : values->values()) {
            if (value.is_null()) {
                return context_.invalid(node.position, "cannot compare linklist with NULL");
            }
        }
    }
    return {};
}

/// An operand that reads a Mixed at its end and may find a collection there.
static bool ends_in_mixed(const Operand& operand) noexcept {
    const auto* path = std::get_if<Path>(&operand.node);
    return path && path->ending == Ending::value && path->mixed;
}

Result<ComparisonMode> Binder::mode(const syntax::Comparison& node, Operand& left, Operand& right) {
    for (Operand* side : {&left, &right}) {
        if (side->quantifier == Quantifier::unspecified || side->is_many()) {
            continue;
        }
        auto* path = std::get_if<Path>(&side->node);
        if (!path || !path->mixed || path->ending == Ending::size) {
            return context_.invalid(side == &left ? node.left.position : node.right.position,
                                    "the key path behind ANY, ALL or NONE must contain a list");
        }
        path->steps.emplace_back().kind = StepKind::all;
        path->many = true;
    }
    if (left.type.is_type_name || right.type.is_type_name) {
        if (!is_equality(node.op)) {
            return context_.invalid(node.position, "@type can be compared with ==, != and IN");
        }
        return ComparisonMode::types;
    }
    const bool unquantified =
        left.quantifier == Quantifier::unspecified && right.quantifier == Quantifier::unspecified;
    if (!unquantified) {
        return ComparisonMode::values;
    }
    if (left.is_many() && right.is_many()) {
        if (!left.is_constant() && !right.is_constant() && !ends_in_mixed(left) &&
            !ends_in_mixed(right)) {
            return context_.unsupported(
                node.position,
                "comparing two list properties needs ANY, ALL or NONE before one of them");
        }
        return ComparisonMode::lists;
    }
    const auto is_list_constant = [](const Operand& operand) {
        const auto* values = std::get_if<Constants>(&operand.node);
        return values && values->is_list();
    };
    const bool mixed_list = (ends_in_mixed(left) && is_list_constant(right)) ||
                            (ends_in_mixed(right) && is_list_constant(left));
    return mixed_list && node.op != ComparisonOperator::in ? ComparisonMode::mixed_list
                                                           : ComparisonMode::values;
}

/// The one string operator whose null needle does not match everything (database-and-sdk.md 3.4).
static bool is_folded_binary_contains_null(const syntax::Comparison& node, const Operand& left,
                                           const Operand& right) noexcept {
    const auto* values = std::get_if<Constants>(&right.node);
    return node.op == ComparisonOperator::contains && node.ignore_case &&
           left.type.type == PropertyType::binary && values && !values->is_list() &&
           values->items().front().is_null();
}

Result<Condition> Binder::compare(const syntax::Comparison& node, Operand left, Operand right) {
    if (node.op == ComparisonOperator::in && !right.is_many() && !ends_in_mixed(right)) {
        return context_.invalid(node.right.position, "the right side of IN must be a list");
    }
    TOMBOLO_TRY_VOID(check_links(node, left, right));
    TOMBOLO_TRY_VOID(check_operator(node, left, right));
    if (!left.is_constant() && !right.is_constant() && !is_comparable(left.type, right.type)) {
        return context_.invalid(
            node.position, fmt::format("unsupported comparison between type '{}' and type '{}'",
                                       type_word(left.type), type_word(right.type)));
    }
    Comparison comparison;
    if (node.op == ComparisonOperator::in && ends_in_mixed(right) && !right.is_many()) {
        right.quantifier = Quantifier::any;
    }
    TOMBOLO_TRY(comparison.mode, mode(node, left, right));
    comparison.op = node.op == ComparisonOperator::in ? ComparisonOperator::equal : node.op;
    comparison.ignore_case = node.ignore_case;
    if (is_folded_binary_contains_null(node, left, right)) {
        comparison.op = ComparisonOperator::not_equal;
        comparison.ignore_case = false;
    }
    comparison.left = std::move(left);
    comparison.right = std::move(right);
    const auto* values = std::get_if<Constants>(&comparison.right.node);
    const bool any = comparison.right.quantifier == Quantifier::unspecified ||
                     comparison.right.quantifier == Quantifier::any;
    if (values && values->is_list() && values->items().size() >= lookup_min && any &&
        comparison.op == ComparisonOperator::equal && !comparison.ignore_case &&
        comparison.mode == ComparisonMode::values) {
        comparison.lookup = values->items();
        std::sort(comparison.lookup.begin(), comparison.lookup.end(),
                  [](const Item& a, const Item& b) { return order(a, b) < 0; });
    }
    return Condition{std::move(comparison)};
}

Result<Condition> Binder::bind(const syntax::Between& node, const Scope& scope) {
    if (is_constant(node.subject)) {
        return context_.invalid(node.subject.position, "cannot compare two constants");
    }
    Group group{GroupOperator::conjunction, {}};
    for (std::size_t i = 0; i < 2; ++i) {
        TOMBOLO_TRY(Operand subject, operand(node.subject, scope));
        if (subject.is_many() && subject.quantifier != Quantifier::all) {
            return context_.invalid(node.subject.position,
                                    "BETWEEN on a collection needs ALL before it");
        }
        const syntax::Literal& literal = node.bounds.elements[i];
        TOMBOLO_TRY(Operand bound,
                    constants({literal}, false, Quantifier::unspecified, &subject.type));
        if (bound.is_many()) {
            return context_.invalid(literal.position, "a bound of BETWEEN must be one value");
        }
        syntax::Comparison half{
            i == 0 ? ComparisonOperator::greater_or_equal : ComparisonOperator::less_or_equal,
            false, node.subject, syntax::Expression{literal, literal.position}, node.position};
        TOMBOLO_TRY(Condition condition, compare(half, std::move(subject), std::move(bound)));
        group.operands.push_back(std::move(condition));
    }
    return Condition{std::move(group)};
}

Result<Condition> Binder::text(const syntax::Comparison& node, const Scope& scope) {
    const auto* property = std::get_if<syntax::Property>(&node.left.node);
    if (!property || property->suffix != syntax::PathSuffix::none) {
        return context_.invalid(node.left.position, "the left side of TEXT must be a property");
    }
    TOMBOLO_TRY(Operand subject, operand(node.left, scope));
    Path& path = std::get<Path>(subject.node);
    const bool indexed = !path.steps.empty() && path.steps.back().kind == StepKind::property &&
                         path.steps.back().property->full_text;
    if (!indexed) {
        return context_.unsupported(node.position,
                                    "TEXT needs a full-text index on the property on its left");
    }
    if (!is_constant(node.right)) {
        return context_.invalid(node.right.position, "the right side of TEXT must be a string");
    }
    TOMBOLO_TRY(Operand search, constant(node.right, &subject.type));
    const Constants& values = std::get<Constants>(search.node);
    const std::string* words = values.is_list() || values.values().empty()
                                   ? nullptr
                                   : values.values()[0].get_if<std::string>();
    if (!words) {
        return context_.invalid(node.right.position, "the right side of TEXT must be a string");
    }
    auto parsed = TextSearch::parse(*words);
    if (!parsed) {
        return context_.invalid(node.right.position, parsed.error().message());
    }
    if (subject.quantifier != Quantifier::unspecified && !path.many) {
        return context_.invalid(node.left.position,
                                "the key path behind ANY, ALL or NONE must contain a list");
    }
    return Condition{
        TextCondition{std::move(path), subject.quantifier, std::move(*parsed), *words}};
}

Result<Path> Binder::sort_path(const syntax::Path& path, const Scope& scope) {
    TOMBOLO_TRY(Path bound, bind_path(context_, scope, path, PathUse::value));
    const Position position = path.elements.front().position;
    if (bound.many) {
        return context_.invalid(position, "cannot sort or make distinct by a collection");
    }
    if (bound.ending != Ending::value || bound.type.type == PropertyType::link) {
        return context_.invalid(position,
                                "a key of SORT or DISTINCT must end in a property with a value");
    }
    return bound;
}

Result<Suffix> Binder::suffix(const syntax::Suffix& suffix, const Scope& scope) {
    if (const auto* sort = std::get_if<syntax::Sort>(&suffix)) {
        Sort out;
        for (const syntax::SortKey& key : sort->keys) {
            TOMBOLO_TRY(Path path, sort_path(key.path, scope));
            out.keys.push_back({std::move(path), key.ascending});
        }
        return Suffix(std::move(out));
    }
    if (const auto* distinct = std::get_if<syntax::Distinct>(&suffix)) {
        Distinct out;
        for (const syntax::Path& path : distinct->paths) {
            TOMBOLO_TRY(Path bound, sort_path(path, scope));
            out.paths.push_back(std::move(bound));
        }
        return Suffix(std::move(out));
    }
    return Suffix(Limit{std::get<syntax::Limit>(suffix).count});
}

} // namespace detail

using detail::Binder;
using schema::ClassSchema;
using syntax::Position;

Error BindContext::invalid(Position position, std::string_view what) const {
    if (text.empty()) {
        return Error(ErrorCode::query_invalid, fmt::format("Invalid predicate: {}", what));
    }
    return error_at(ErrorCode::query_invalid, text, position.offset, what);
}

Error BindContext::unsupported(Position position, std::string_view what) const {
    if (text.empty()) {
        return Error(ErrorCode::query_unsupported, fmt::format("Invalid predicate: {}", what));
    }
    return error_at(ErrorCode::query_unsupported, text, position.offset, what);
}

Result<const Argument*> BindContext::argument(std::string_view digits, Position position) const {
    std::size_t index = 0;
    const bool fits =
        std::from_chars(digits.data(), digits.data() + digits.size(), index).ec == std::errc();
    if (!fits || index >= arguments.size()) {
        return invalid(
            position, fmt::format("request for argument at index {} but {}", digits,
                                  arguments.empty()
                                      ? std::string("no arguments are provided")
                                      : fmt::format("only {} argument{} provided", arguments.size(),
                                                    arguments.size() == 1 ? " is" : "s are")));
    }
    return &arguments[index];
}

Result<Query> bind_query(const syntax::Query& query, std::string_view text,
                         const schema::Schema& schema, std::string_view class_name,
                         const Arguments& arguments, const BindOptions& options) {
    const ClassSchema* object_class = schema.find(class_name);
    if (!object_class) {
        return Error(ErrorCode::query_invalid, fmt::format("there is no class '{}'", class_name));
    }
    if (object_class->is_asymmetric() && !options.judges_writes) {
        return Error(
            ErrorCode::query_unsupported,
            fmt::format("cannot query the asymmetric class '{}': its objects are ephemeral",
                        class_name));
    }
    BindContext context{text, schema, arguments, options, {}};
    const Scope scope{object_class, {}, nullptr};
    Binder binder(context);
    Query out;
    out.object_class = object_class;
    TOMBOLO_TRY(out.condition, binder.condition(query.predicate, scope));
    for (const syntax::Suffix& suffix : query.suffixes) {
        TOMBOLO_TRY(Suffix bound, binder.suffix(suffix, scope));
        out.suffixes.push_back(std::move(bound));
    }
    out.root_properties = std::move(context.root_properties);
    return out;
}

Result<Query> compile(std::string_view text, const schema::Schema& schema,
                      std::string_view class_name, const Arguments& arguments,
                      const BindOptions& options) {
    TOMBOLO_TRY(const syntax::Query query, parse(text));
    return bind_query(query, text, schema, class_name, arguments, options);
}

} // namespace tombolo::query
