#include "query/binder.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "query/bind_context.hpp"
#include "query/lexer.hpp"
#include "query/parser.hpp"
#include "query/printer.hpp"

namespace tombolo::query {
namespace {

using schema::ClassSchema;
using schema::CollectionKind;
using schema::Property;
using schema::PropertyType;
using syntax::Position;

/// From this many constants on, "equals any of" is looked up in order instead of one by one.
constexpr std::size_t lookup_min = 8;

bool is_constant(const syntax::Expression& expression) noexcept {
    if (const auto* arithmetic = std::get_if<syntax::Box<syntax::Arithmetic>>(&expression.node)) {
        return std::all_of((*arithmetic)->operands.begin(), (*arithmetic)->operands.end(),
                           is_constant);
    }
    return std::holds_alternative<syntax::Literal>(expression.node) ||
           std::holds_alternative<syntax::ListLiteral>(expression.node);
}

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

class Binder {
  public:
    explicit Binder(BindContext& context) : context_(context) {}

    Result<Condition> condition(const syntax::Predicate& predicate, const Scope& scope);
    Result<Suffix> suffix(const syntax::Suffix& suffix, const Scope& scope);

  private:
    Result<Condition> bind(const syntax::Comparison& node, const Scope& scope);
    Result<Condition> bind(const syntax::Between& node, const Scope& scope);
    Result<Condition> bind(const syntax::GeoWithin& node, const Scope& scope);
    Result<Condition> bind(const syntax::Constant& node, const Scope& scope);
    Result<Condition> bind(const syntax::Negation& node, const Scope& scope);
    Result<Condition> bind(const syntax::Group& node, const Scope& scope);

    Result<Condition> compare(const syntax::Comparison& node, Operand left, Operand right);
    Result<void> check_operator(const syntax::Comparison& node, const Operand& left,
                                const Operand& right);
    Result<void> check_links(const syntax::Comparison& node, const Operand& left,
                             const Operand& right);
    Result<ComparisonMode> mode(const syntax::Comparison& node, Operand& left, Operand& right);
    Result<Condition> text(const syntax::Comparison& node, const Scope& scope);

    Result<Operand> operand(const syntax::Expression& node, const Scope& scope);
    Result<Operand> operand(const syntax::Property& node, Position position, const Scope& scope);
    Result<Operand> operand(const syntax::Aggregate& node, const Scope& scope);
    Result<Operand> operand(const syntax::Subquery& node, const Scope& scope);
    Result<Operand> operand(const syntax::Arithmetic& node, Position position, const Scope& scope);

    Result<Operand> constant(const syntax::Expression& node, const StaticType* hint);
    Result<Operand> constants(const std::vector<syntax::Literal>& literals, bool is_list,
                              Quantifier quantifier, const StaticType* hint);
    Result<Operand> type_names(const std::vector<Value>& values, bool is_list, Position position);
    Result<Operand> folded(const syntax::Arithmetic& node, Position position);

    Result<GeoShape> shape(const syntax::GeoShapeLiteral& literal);
    Result<GeoPoint> point(const syntax::GeoPointLiteral& literal);
    Result<Path> sort_path(const syntax::Path& path, const Scope& scope);

    BindContext& context_;
};

// ---- predicates
// -------------------------------------------------------------------------------------------------

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
bool ends_in_mixed(const Operand& operand) noexcept {
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
bool is_folded_binary_contains_null(const syntax::Comparison& node, const Operand& left,
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

// ---- geo
// --------------------------------------------------------------------------------------------------------

Result<GeoPoint> Binder::point(const syntax::GeoPointLiteral& literal) {
    GeoPoint point;
    TOMBOLO_TRY(point.longitude, bind_number(context_, literal.coordinates[0]));
    TOMBOLO_TRY(point.latitude, bind_number(context_, literal.coordinates[1]));
    if (literal.coordinates.size() > 2) {
        TOMBOLO_TRY(point.altitude, bind_number(context_, literal.coordinates[2]));
    }
    return point;
}

Result<GeoShape> Binder::shape(const syntax::GeoShapeLiteral& literal) {
    std::vector<std::vector<GeoPoint>> rings;
    for (const auto& ring : literal.rings) {
        std::vector<GeoPoint>& points = rings.emplace_back();
        for (const syntax::GeoPointLiteral& vertex : ring) {
            TOMBOLO_TRY(const GeoPoint bound, point(vertex));
            points.push_back(bound);
        }
    }
    switch (literal.kind) {
    case syntax::GeoShapeKind::box:
        return GeoShape(GeoBox{rings[0][0], rings[0][1]});
    case syntax::GeoShapeKind::circle: {
        TOMBOLO_TRY(const double radius, bind_number(context_, literal.radius[0]));
        return GeoShape(GeoCircle{rings[0][0], radius});
    }
    case syntax::GeoShapeKind::polygon:
        break;
    }
    return GeoShape(GeoPolygon{std::move(rings)});
}

Result<Condition> Binder::bind(const syntax::GeoWithin& node, const Scope& scope) {
    TOMBOLO_TRY(Operand subject, operand(node.property, node.position, scope));
    Path& path = std::get<Path>(subject.node);
    const ClassSchema* place = path.type.type == PropertyType::link ? path.type.target : nullptr;
    const Property* type = place && place->is_embedded() ? place->find("type") : nullptr;
    const Property* coordinates = type ? place->find("coordinates") : nullptr;
    const bool good = coordinates && type->type == PropertyType::string &&
                      type->collection == CollectionKind::none &&
                      coordinates->type == PropertyType::float64 &&
                      coordinates->collection == CollectionKind::list;
    if (!good) {
        return context_.invalid(node.position,
                                "geoWithin needs an embedded object with 'type: String' and "
                                "'coordinates: List<Double>' on its left");
    }
    if (subject.quantifier != Quantifier::unspecified && !path.many) {
        return context_.invalid(node.position,
                                "the key path behind ANY, ALL or NONE must contain a list");
    }
    Step follow;
    follow.kind = StepKind::follow;
    follow.object_class = place;
    path.steps.push_back(std::move(follow));
    std::optional<GeoShape> bound;
    if (const auto* argument_literal = std::get_if<syntax::Literal>(&node.shape)) {
        TOMBOLO_TRY(const Argument* argument,
                    context_.argument(argument_literal->text, argument_literal->position));
        const GeoShape* given = std::get_if<GeoShape>(argument);
        if (!given) {
            return context_.invalid(argument_literal->position,
                                    fmt::format("argument ${} behind geoWithin must be a shape",
                                                argument_literal->text));
        }
        bound = *given;
    } else {
        TOMBOLO_TRY(bound, shape(std::get<syntax::GeoShapeLiteral>(node.shape)));
    }
    auto region = GeoRegion::make(*bound);
    if (!region) {
        return context_.invalid(node.position, region.error().message());
    }
    return Condition{GeoCondition{std::move(path), subject.quantifier, *std::move(bound),
                                  std::move(*region), type, coordinates}};
}

// ---- operands
// ---------------------------------------------------------------------------------------------------

Result<Operand> Binder::operand(const syntax::Expression& node, const Scope& scope) {
    if (const auto* property = std::get_if<syntax::Property>(&node.node)) {
        return operand(*property, node.position, scope);
    }
    if (const auto* aggregate = std::get_if<syntax::Aggregate>(&node.node)) {
        return operand(*aggregate, scope);
    }
    if (const auto* subquery = std::get_if<syntax::Subquery>(&node.node)) {
        return operand(*subquery, scope);
    }
    if (const auto* arithmetic = std::get_if<syntax::Box<syntax::Arithmetic>>(&node.node)) {
        return operand(**arithmetic, node.position, scope);
    }
    return constant(node, nullptr);
}

Result<Operand> Binder::operand(const syntax::Property& node, Position, const Scope& scope) {
    const PathUse use = node.suffix == syntax::PathSuffix::size   ? PathUse::size
                        : node.suffix == syntax::PathSuffix::type ? PathUse::type
                                                                  : PathUse::value;
    TOMBOLO_TRY(Path path, bind_path(context_, scope, node.path, use));
    Operand out;
    out.type = path.type;
    out.quantifier = node.quantifier;
    out.node = std::move(path);
    return out;
}

Result<Operand> Binder::operand(const syntax::Aggregate& node, const Scope& scope) {
    static constexpr const char* names[] = {"@min", "@max", "@sum", "@avg"};
    const char* name = names[static_cast<std::size_t>(node.op)];
    TOMBOLO_TRY(Path list, bind_path(context_, scope, node.path, PathUse::value));
    if (!list.many && list.type.type == PropertyType::mixed) {
        list.steps.emplace_back().kind = StepKind::all;
        list.many = true;
    }
    if (!list.many) {
        return context_.invalid(node.position,
                                fmt::format("'{}' needs a collection before it", name));
    }
    const std::size_t list_steps = list.steps.size();
    const bool links = list.type.type == PropertyType::link;
    if (links != node.property.has_value()) {
        return context_.invalid(
            node.position, links ? fmt::format("'{}' over objects needs a property behind it", name)
                                 : fmt::format("'{}' over values has no property behind it", name));
    }
    if (node.property) {
        syntax::Path whole = node.path;
        syntax::PathElement element;
        element.text = *node.property;
        element.position = node.position;
        whole.elements.push_back(std::move(element));
        TOMBOLO_TRY(list, bind_path(context_, scope, whole, PathUse::value));
        const Property* property = list.steps.back().property;
        if (list.steps.back().kind != StepKind::property || property->is_collection()) {
            return context_.invalid(
                node.position, fmt::format("'{}' cannot aggregate '{}'", name, *node.property));
        }
    }
    const PropertyType type = list.type.type;
    const bool ordered = node.op == AggregateOperator::min || node.op == AggregateOperator::max;
    const bool good = is_numeric(type) || type == PropertyType::mixed ||
                      (ordered && type == PropertyType::timestamp);
    if (!good) {
        return context_.invalid(node.position, fmt::format("'{}' is not supported for type '{}'",
                                                           name, type_word(list.type)));
    }
    Operand out;
    out.type.type = type;
    if (!ordered) {
        const bool decimal = type == PropertyType::mixed || type == PropertyType::decimal128;
        const bool integer = type == PropertyType::integer && node.op == AggregateOperator::sum;
        out.type.type = decimal   ? PropertyType::decimal128
                        : integer ? PropertyType::integer
                                  : PropertyType::float64;
    }
    out.node = Aggregate{std::move(list), node.op, list_steps};
    return out;
}

Result<Operand> Binder::operand(const syntax::Subquery& node, const Scope& scope) {
    for (const Scope* outer = &scope; outer; outer = outer->outer) {
        if (outer->variable == node.variable) {
            return context_.invalid(
                node.position,
                fmt::format("the variable '{}' is used by an outer subquery", node.variable));
        }
    }
    TOMBOLO_TRY(Path path, bind_path(context_, scope, node.path, PathUse::objects));
    if (!path.many || path.type.type != PropertyType::link) {
        // A list of objects ends in `follow`, which has the class.
        const bool followed =
            path.many && !path.steps.empty() && path.steps.back().kind == StepKind::follow;
        if (!followed) {
            return context_.invalid(node.position,
                                    "SUBQUERY needs a path that ends in a list of objects");
        }
    }
    Subquery subquery;
    subquery.element_class = path.steps.back().object_class;
    const Scope inner{subquery.element_class, node.variable, &scope};
    TOMBOLO_TRY(Condition bound, condition(*node.predicate, inner));
    subquery.condition = std::make_unique<const Condition>(std::move(bound));
    subquery.path = std::move(path);
    Operand out;
    out.type.type = PropertyType::integer;
    out.node = std::move(subquery);
    return out;
}

PropertyType promote(PropertyType left, PropertyType right) noexcept {
    using enum PropertyType;
    for (PropertyType type : {mixed, decimal128, float64, float32}) {
        if (left == type || right == type) {
            return type;
        }
    }
    return integer;
}

Result<Operand> Binder::operand(const syntax::Arithmetic& node, Position position,
                                const Scope& scope) {
    Arithmetic arithmetic;
    arithmetic.operators = node.operators;
    arithmetic.operands.resize(node.operands.size());
    PropertyType type = PropertyType::integer;
    std::size_t many = 0;
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
        if (is_constant(node.operands[i])) {
            continue;
        }
        TOMBOLO_TRY(arithmetic.operands[i], operand(node.operands[i], scope));
        const Operand& bound = arithmetic.operands[i];
        if ((!is_numeric(bound.type.type) && bound.type.type != PropertyType::mixed) ||
            bound.type.is_type_name) {
            return context_.invalid(
                node.operands[i].position,
                fmt::format("arithmetic on type '{}' is not possible", type_word(bound.type)));
        }
        if (bound.quantifier != Quantifier::unspecified) {
            return context_.invalid(node.operands[i].position,
                                    "ANY, ALL and NONE cannot stand inside arithmetic");
        }
        many += bound.is_many() ? 1 : 0;
        type = promote(type, bound.type.type);
    }
    if (many > 1) {
        return context_.unsupported(position, "arithmetic on two collections is not supported");
    }
    const StaticType hint{type == PropertyType::decimal128 ? type : PropertyType::mixed, nullptr,
                          false};
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
        if (!is_constant(node.operands[i])) {
            continue;
        }
        TOMBOLO_TRY(arithmetic.operands[i], constant(node.operands[i], &hint));
        const Constants& values = std::get<Constants>(arithmetic.operands[i].node);
        const bool number = !values.is_list() &&
                            (values.items()[0].is_null() || is_numeric(values.items()[0].type));
        if (!number) {
            return context_.invalid(node.operands[i].position,
                                    "only numbers can take part in arithmetic");
        }
        if (!values.items()[0].is_null()) {
            type = promote(type, schema::property_type_of(values.items()[0].type));
        }
    }
    Operand out;
    out.type.type = type;
    out.node = std::move(arithmetic);
    return out;
}

// ---- constants
// --------------------------------------------------------------------------------------------------

Result<Operand> Binder::constant(const syntax::Expression& node, const StaticType* hint) {
    if (const auto* literal = std::get_if<syntax::Literal>(&node.node)) {
        return constants({*literal}, false, literal->quantifier, hint);
    }
    if (const auto* list = std::get_if<syntax::ListLiteral>(&node.node)) {
        return constants(list->elements, true, list->quantifier, hint);
    }
    const auto& arithmetic = std::get<syntax::Box<syntax::Arithmetic>>(node.node);
    TOMBOLO_TRY(Operand out, folded(*arithmetic, node.position));
    if (hint) {
        const Value& value = std::get<Constants>(out.node).values()[0];
        TOMBOLO_TRY_VOID(check_constant(context_, node.position, value, *hint));
        std::vector<Value> adapted;
        adapted.push_back(adapt(value, *hint));
        out.node = Constants(std::move(adapted), false);
    }
    return out;
}

/// Arithmetic on constants alone is done now.
Result<Operand> Binder::folded(const syntax::Arithmetic& node, Position position) {
    Item result;
    Value kept;
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
        TOMBOLO_TRY(Operand next, constant(node.operands[i], nullptr));
        const Constants& values = std::get<Constants>(next.node);
        const bool number = !values.is_list() &&
                            (values.items()[0].is_null() || is_numeric(values.items()[0].type));
        if (!number) {
            return context_.invalid(position, "only numbers can take part in arithmetic");
        }
        result = i == 0 ? values.items()[0]
                        : calculate(node.operators[i - 1], result, values.items()[0]);
        kept = Value(result.value);
        result = Item(kept.scalar());
    }
    Operand out;
    out.type.type = schema::property_type_of(kept.type());
    std::vector<Value> values;
    values.push_back(std::move(kept));
    out.node = Constants(std::move(values), false);
    return out;
}

Result<Operand> Binder::constants(const std::vector<syntax::Literal>& literals, bool is_list,
                                  Quantifier quantifier, const StaticType* hint) {
    std::vector<Value> values;
    values.reserve(literals.size());
    bool whole_list = is_list;
    for (const syntax::Literal& literal : literals) {
        bool list_argument = false;
        TOMBOLO_TRY(std::vector<Value> bound, bind_literal(context_, literal, hint, list_argument));
        if (list_argument && is_list) {
            return context_.invalid(
                literal.position, fmt::format("argument ${} is a list and cannot be an element of "
                                              "a list",
                                              literal.text));
        }
        whole_list = whole_list || list_argument;
        for (Value& value : bound) {
            if (hint && !hint->is_type_name) {
                TOMBOLO_TRY_VOID(check_constant(context_, literal.position, value, *hint));
            }
            values.push_back(std::move(value));
        }
    }
    const Position position = literals.empty() ? Position{} : literals.front().position;
    Operand out;
    if (hint && hint->is_type_name) {
        TOMBOLO_TRY(out, type_names(values, whole_list, position));
    } else {
        if (values.size() == 1 && !whole_list) {
            out.type.type = schema::property_type_of(values[0].type());
        }
        out.node = Constants(std::move(values), whole_list);
    }
    out.quantifier = quantifier;
    return out;
}

Result<Operand> Binder::type_names(const std::vector<Value>& values, bool is_list,
                                   Position position) {
    std::vector<TypeMask> masks;
    for (const Value& value : values) {
        const std::string* name = value.get_if<std::string>();
        const TypeMask mask = name ? type_mask_of_name(*name) : 0;
        if (mask == 0) {
            return context_.invalid(position,
                                    fmt::format("{} is no type name for @type; valid names are: {}",
                                                name ? "'" + *name + "'" : to_text(value),
                                                query::type_names()));
        }
        masks.push_back(mask);
    }
    Operand out;
    out.type = {PropertyType::integer, nullptr, true};
    out.node = Constants::of_types(std::move(masks), is_list);
    return out;
}

// ---- suffixes
// ---------------------------------------------------------------------------------------------------

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

} // namespace

// ---- context
// ----------------------------------------------------------------------------------------------------

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
    if (object_class->is_asymmetric()) {
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
