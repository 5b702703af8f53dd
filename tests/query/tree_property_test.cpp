// Printing and parsing undo each other on random syntax trees.

#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "query/parser.hpp"
#include "query/printer.hpp"

namespace tombolo::query::test {
namespace {

int number(int end) {
    return *rc::gen::inRange(0, end);
}
bool coin() {
    return number(2) == 0;
}

using namespace syntax;

syntax::Path random_path() {
    static const char* names[] = {"a", "any", "first name", "contains", "x-1", "$v", "IN"};
    syntax::Path path;
    path.elements.push_back({ElementKind::name, names[number(6)], 0, {}});
    for (int count = number(3); count > 0; --count) {
        static constexpr ElementKind kinds[] = {
            ElementKind::name, ElementKind::index, ElementKind::first,       ElementKind::last,
            ElementKind::all,  ElementKind::key,   ElementKind::key_argument};
        PathElement element;
        element.kind = kinds[number(7)];
        if (element.kind == ElementKind::name) {
            element.text = names[number(7)];
        } else if (element.kind == ElementKind::index) {
            element.number = static_cast<std::uint64_t>(number(100));
        } else if (element.kind == ElementKind::key) {
            element.text = "k\"\\\n" + std::to_string(number(9));
        } else if (element.kind == ElementKind::key_argument) {
            element.text = std::to_string(number(3));
        }
        path.elements.push_back(element);
    }
    return path;
}

Literal random_literal() {
    static const std::pair<LiteralKind, const char*> literals[] = {
        {LiteralKind::null, ""},
        {LiteralKind::boolean, "true"},
        {LiteralKind::boolean, "false"},
        {LiteralKind::integer, "12"},
        {LiteralKind::integer, "-3"},
        {LiteralKind::integer, "0x1F"},
        {LiteralKind::floating, "1.5"},
        {LiteralKind::floating, "-2e3f"},
        {LiteralKind::infinity, "-inf"},
        {LiteralKind::nan, "nan"},
        {LiteralKind::string, "plain text"},
        {LiteralKind::string, "a\"b\\c\n\x01"},
        {LiteralKind::base64, "quote\" and \n"},
        {LiteralKind::binary, "bytes"},
        {LiteralKind::timestamp, "T5:6"},
        {LiteralKind::timestamp, "2020-02-29@00:00:00"},
        {LiteralKind::uuid, "d1b186e1-e9e0-4768-a1a7-c492519d47ee"},
        {LiteralKind::object_id, "507f1f77bcf86cd799439011"},
        {LiteralKind::argument, "2"},
        {LiteralKind::object_key, "L3:4"},
        {LiteralKind::object_link, "Class"}};
    const auto& [kind, text] = literals[number(21)];
    Literal literal{kind, text, {}, Quantifier::unspecified, {}};
    if (kind == LiteralKind::object_link) {
        literal.key.push_back({LiteralKind::integer, "7", {}, Quantifier::unspecified, {}});
    }
    return literal;
}

Quantifier random_quantifier() {
    return static_cast<Quantifier>(number(4));
}

Predicate random_predicate(int depth);

Expression random_operand(int depth) {
    switch (number(depth > 0 ? 6 : 4)) {
    case 0: {
        Literal literal = random_literal();
        if (literal.kind == LiteralKind::argument) {
            literal.quantifier = random_quantifier();
        }
        return {literal, {}};
    }
    case 1: {
        syntax::Property property{random_quantifier(), random_path(),
                                  static_cast<PathSuffix>(number(3))};
        if (property.path.elements.front().text == "contains") {
            // Behind a quantifier such a name is read as a property only before a symbol.
            property.quantifier = Quantifier::unspecified;
        }
        return {property, {}};
    }
    case 2: {
        ListLiteral list;
        list.quantifier = random_quantifier();
        for (int count = number(4); count > 0; --count) {
            list.elements.push_back(random_literal());
        }
        return {list, {}};
    }
    case 3: {
        syntax::Aggregate aggregate{
            random_path(), static_cast<AggregateOperator>(number(4)), std::nullopt, {}};
        if (coin()) {
            aggregate.property = "age";
        }
        return {aggregate, {}};
    }
    case 4:
        return {
            syntax::Subquery{random_path(), "$x", Box<Predicate>(random_predicate(depth - 1)), {}},
            {}};
    default: {
        syntax::Arithmetic arithmetic;
        const int kind = number(2) * 2;
        arithmetic.operands.push_back(random_operand(depth - 1));
        for (int count = 1 + number(2); count > 0; --count) {
            arithmetic.operators.push_back(static_cast<ArithmeticOperator>(kind + number(2)));
            arithmetic.operands.push_back(random_operand(depth - 1));
        }
        return {Box<syntax::Arithmetic>(std::move(arithmetic)), {}};
    }
    }
}

Predicate random_predicate(int depth) {
    switch (number(depth > 0 ? 6 : 3)) {
    case 0:
        return {syntax::Constant{coin()}};
    case 1: {
        const auto op = static_cast<ComparisonOperator>(number(12));
        const bool folds =
            op != ComparisonOperator::text &&
            (op < ComparisonOperator::less || op > ComparisonOperator::greater_or_equal);
        return {syntax::Comparison{
            op, folds && coin(), random_operand(depth), random_operand(depth), {}}};
    }
    case 2:
        return {
            Between{random_operand(0),
                    ListLiteral{Quantifier::unspecified, {random_literal(), random_literal()}, {}},
                    {}}};
    case 3:
        return {syntax::Negation{Box<Predicate>(random_predicate(depth - 1))}};
    default: {
        syntax::Group group{coin() ? GroupOperator::conjunction : GroupOperator::disjunction, {}};
        for (int count = 2 + number(2); count > 0; --count) {
            Predicate operand = random_predicate(depth - 1);
            const auto* inner = std::get_if<syntax::Group>(&operand.node);
            if (inner && inner->op == group.op) {
                operand = {syntax::Constant{true}};
            }
            group.operands.push_back(std::move(operand));
        }
        return {group};
    }
    }
}

RC_GTEST_PROP(QueryTrees, parse_undoes_print, ()) {
    syntax::Query query{random_predicate(3), {}};
    if (coin()) {
        query.suffixes.push_back(syntax::Sort{{{random_path(), coin()}, {random_path(), coin()}}});
    }
    if (coin()) {
        query.suffixes.push_back(syntax::Distinct{{random_path()}});
    }
    if (coin()) {
        query.suffixes.push_back(syntax::Limit{static_cast<std::uint64_t>(number(100))});
    }
    const std::string text = print(query);
    RC_LOG() << text << '\n';
    const auto parsed = parse(text);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == query);
}

} // namespace
} // namespace tombolo::query::test
