// Operands: properties, aggregates, subqueries, arithmetic, constants.

#include <utility>

#include <fmt/format.h>

#include "query/binder_class.hpp"

namespace tombolo::query::detail {

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

static PropertyType promote(PropertyType left, PropertyType right) noexcept {
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
    out.node = Constants::of_types(masks, is_list);
    return out;
}

} // namespace tombolo::query::detail
