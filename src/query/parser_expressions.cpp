// Operands: arithmetic, paths, lists, aggregates, subqueries.

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "core/limits.hpp"
#include "query/parser_class.hpp"

namespace tombolo::query::detail {

Result<Expression> Parser::expression() {
    TOMBOLO_TRY(Expression first, operand());
    return expression_from(std::move(first));
}

Result<Expression> Parser::product_from(Expression first_operand) {
    if (!is_symbol("*") && !is_symbol("/")) {
        return first_operand;
    }
    const Position position = first_operand.position;
    Arithmetic product;
    product.operands.push_back(std::move(first_operand));
    while (is_symbol("*") || is_symbol("/")) {
        product.operators.push_back(is_symbol("*") ? ArithmeticOperator::multiply
                                                   : ArithmeticOperator::divide);
        TOMBOLO_TRY_VOID(advance());
        TOMBOLO_TRY(Expression next, operand());
        product.operands.push_back(std::move(next));
    }
    return Expression{Box<Arithmetic>(std::move(product)), position};
}

Result<Expression> Parser::expression_from(Expression first_operand) {
    const Position position = first_operand.position;
    TOMBOLO_TRY(Expression first, product_from(std::move(first_operand)));
    if (!is_symbol("+") && !is_symbol("-")) {
        return first;
    }
    Arithmetic sum;
    sum.operands.push_back(std::move(first));
    while (is_symbol("+") || is_symbol("-")) {
        sum.operators.push_back(is_symbol("+") ? ArithmeticOperator::add
                                               : ArithmeticOperator::subtract);
        TOMBOLO_TRY_VOID(advance());
        TOMBOLO_TRY(Expression next, operand());
        TOMBOLO_TRY(Expression term, product_from(std::move(next)));
        sum.operands.push_back(std::move(term));
    }
    return Expression{Box<Arithmetic>(std::move(sum)), position};
}

Result<Expression> Parser::operand() {
    const Position position = here();
    if (is_symbol("(")) {
        Depth depth(*this);
        if (depth.exceeded()) {
            return too_deep();
        }
        TOMBOLO_TRY_VOID(advance());
        TOMBOLO_TRY(Expression inner, expression());
        TOMBOLO_TRY_VOID(expect_symbol(")"));
        return inner;
    }
    TOMBOLO_TRY(const Quantifier quantified, quantifier());
    if (is_symbol("{")) {
        TOMBOLO_TRY(ListLiteral values, list(quantified));
        return Expression{std::move(values), position};
    }
    Literal constant;
    TOMBOLO_TRY(const bool found, literal(constant));
    if (found) {
        if (quantified != Quantifier::unspecified && constant.kind != LiteralKind::argument) {
            return syntax_error(lexer_.text(), constant.position.offset,
                                "expected a property, list or argument behind ANY, ALL or NONE");
        }
        constant.quantifier = quantified;
        return Expression{std::move(constant), position};
    }
    if (is_keyword("subquery") && quantified == Quantifier::unspecified) {
        TOMBOLO_TRY(const Token behind, peek());
        if (behind.kind == TokenKind::symbol && behind.text == "(") {
            return subquery();
        }
    }
    return path_or_aggregate(quantified);
}

/// True for a word that is an operator or suffix when an operand stands before it.
static bool is_infix_word(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 12> words = {
        "and",      "or",   "in",   "between",   "contains", "beginswith",
        "endswith", "like", "text", "geowithin", "sort",     "distinct"};
    return std::any_of(words.begin(), words.end(),
                       [name](std::string_view word) { return same_letters(name, word); }) ||
           same_letters(name, "limit");
}

/// True when the token behind the current one can start a path, list or argument: then "any" is a
/// quantifier, else it is a property of that name. Behind a word that may be an operator, the token
/// after it decides: in "any contains 'x'" any is a property, in "any contains == 'x'" contains is.
Result<bool> Parser::is_path_start() {
    Lexer ahead = lexer_;
    TOMBOLO_TRY(const Token behind, ahead.next());
    switch (behind.kind) {
    case TokenKind::name: {
        if (!is_infix_word(behind.text)) {
            return true;
        }
        TOMBOLO_TRY(const Token second, ahead.next());
        if (second.kind != TokenKind::symbol || second.text == "(" || second.text == "{") {
            return false;
        }
        if (second.text == "[") {
            TOMBOLO_TRY(const Token third, ahead.next());
            return third.text != "c";
        }
        return true;
    }
    case TokenKind::argument:
    case TokenKind::path_argument:
    case TokenKind::string:
    case TokenKind::base64:
    case TokenKind::integer:
    case TokenKind::hex:
    case TokenKind::floating:
        return true;
    case TokenKind::symbol:
        return behind.text == "{";
    default:
        return false;
    }
}

Result<Quantifier> Parser::quantifier() {
    struct Spelling {
        std::string_view lower;
        std::string_view upper;
        Quantifier quantifier;
    };
    static constexpr std::array<Spelling, 4> spellings = {{{"any", "ANY", Quantifier::any},
                                                           {"some", "SOME", Quantifier::any},
                                                           {"all", "ALL", Quantifier::all},
                                                           {"none", "NONE", Quantifier::none}}};
    for (const Spelling& spelling : spellings) {
        if (is_exactly(spelling.lower) || is_exactly(spelling.upper)) {
            TOMBOLO_TRY(const bool starts, is_path_start());
            if (!starts) {
                return Quantifier::unspecified;
            }
            TOMBOLO_TRY_VOID(advance());
            return spelling.quantifier;
        }
    }
    return Quantifier::unspecified;
}

Result<ListLiteral> Parser::list(Quantifier quantified) {
    ListLiteral values;
    values.quantifier = quantified;
    values.position = here();
    TOMBOLO_TRY_VOID(expect_symbol("{"));
    while (!is_symbol("}")) {
        if (!values.elements.empty()) {
            TOMBOLO_TRY_VOID(expect_symbol(","));
        }
        TOMBOLO_TRY(Literal element, required_literal("a constant (lists hold no properties)"));
        values.elements.push_back(std::move(element));
    }
    TOMBOLO_TRY_VOID(advance());
    return values;
}

Result<Expression> Parser::subquery() {
    Depth depth(*this);
    if (depth.exceeded()) {
        return too_deep();
    }
    const Position position = here();
    TOMBOLO_TRY_VOID(advance());
    TOMBOLO_TRY_VOID(expect_symbol("("));
    TOMBOLO_TRY(Path list_path, path());
    TOMBOLO_TRY_VOID(expect_symbol(","));
    if (token_.kind != TokenKind::name || token_.text.size() < 2 || token_.text[0] != '$') {
        return expected("a variable as $name");
    }
    std::string variable = decode_name(token_.text);
    TOMBOLO_TRY_VOID(advance());
    TOMBOLO_TRY_VOID(expect_symbol(","));
    TOMBOLO_TRY(Predicate inner, predicate());
    TOMBOLO_TRY_VOID(expect_symbol(")"));
    TOMBOLO_TRY_VOID(expect_symbol("."));
    if (!is_exactly("@count") && !is_exactly("@size")) {
        return expected("'@count' or '@size' behind SUBQUERY(...)");
    }
    TOMBOLO_TRY_VOID(advance());
    return Expression{Subquery{std::move(list_path), std::move(variable),
                               Box<Predicate>(std::move(inner)), position},
                      position};
}

/// Reads "[...]" groups. "[SIZE]" ends the path.
Result<void> Parser::path_indexes(Path& path, bool& size_index) {
    while (is_symbol("[") && !size_index) {
        TOMBOLO_TRY_VOID(advance());
        PathElement element;
        element.position = here();
        if (token_.kind == TokenKind::integer) {
            element.kind = ElementKind::index;
            const char* end = token_.text.data() + token_.text.size();
            if (std::from_chars(token_.text.data(), end, element.number).ec != std::errc()) {
                return expected("an index below 2^64");
            }
        } else if (is_exactly("first") || is_exactly("FIRST")) {
            element.kind = ElementKind::first;
        } else if (is_exactly("last") || is_exactly("LAST")) {
            element.kind = ElementKind::last;
        } else if (is_symbol("*")) {
            element.kind = ElementKind::all;
        } else if (token_.kind == TokenKind::string) {
            element.kind = ElementKind::key;
            element.text = decode_string(token_.text);
        } else if (token_.kind == TokenKind::argument) {
            element.kind = ElementKind::key_argument;
            element.text = token_.text;
        } else if (is_exactly("size") || is_exactly("SIZE")) {
            size_index = true;
        } else {
            return expected("an index, FIRST, LAST, SIZE, *, a string or an argument");
        }
        TOMBOLO_TRY_VOID(advance());
        TOMBOLO_TRY_VOID(expect_symbol("]"));
        if (!size_index) {
            path.elements.push_back(std::move(element));
        }
    }
    return {};
}

static bool is_path_suffix(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 7> suffixes = {"@count", "@size", "@type", "@min",
                                                                 "@max",   "@sum",  "@avg"};
    return std::find(suffixes.begin(), suffixes.end(), name) != suffixes.end();
}

/// A path where the size of what it leads to cannot be meant: to sort by, to group by, to look
/// through.
Result<Path> Parser::path() {
    const Position position = here();
    bool size_index = false;
    TOMBOLO_TRY(Path path, path_or_size(size_index));
    if (size_index) {
        return syntax_error(lexer_.text(), position.offset,
                            "expected a property, not the size of one ([SIZE])");
    }
    return path;
}

/// Ends before "." and a suffix such as @count, and behind "[SIZE]", which sets `size_index`.
Result<Path> Parser::path_or_size(bool& size_index) {
    Path path;
    size_index = false;
    while (true) {
        PathElement element;
        element.position = here();
        const bool argument = token_.kind == TokenKind::path_argument && path.elements.empty();
        if (argument) {
            element.kind = ElementKind::path_argument;
            element.text = token_.text;
        } else if (token_.kind == TokenKind::name && !is_path_suffix(token_.text)) {
            element.text = decode_name(token_.text);
        } else if ((token_.kind == TokenKind::object_key || token_.kind == TokenKind::argument) &&
                   !path.elements.empty() && token_.text.find(':') == std::string_view::npos) {
            element.text = lexer_.text().substr(token_.offset, token_.end - token_.offset);
        } else {
            return expected("a property name");
        }
        path.elements.push_back(std::move(element));
        TOMBOLO_TRY_VOID(advance());
        if (argument) {
            return path;
        }
        TOMBOLO_TRY_VOID(path_indexes(path, size_index));
        if (path.elements.size() > limits::query_depth_max) {
            return syntax_error(
                lexer_.text(), path.elements.front().position.offset,
                fmt::format("a path has more than {} elements", limits::query_depth_max));
        }
        if (size_index || !is_symbol(".")) {
            return path;
        }
        TOMBOLO_TRY(const Token behind, peek());
        if (behind.kind == TokenKind::name && is_path_suffix(behind.text)) {
            return path;
        }
        TOMBOLO_TRY_VOID(advance());
    }
}

Result<Expression> Parser::path_or_aggregate(Quantifier quantified) {
    const Position position = here();
    if (token_.kind != TokenKind::name && token_.kind != TokenKind::path_argument) {
        return expected("a property, constant, list or '('");
    }
    Property property;
    property.quantifier = quantified;
    bool size_index = false;
    TOMBOLO_TRY(property.path, path_or_size(size_index));
    if (size_index) {
        property.suffix = PathSuffix::size;
        return Expression{std::move(property), position};
    }
    if (!is_symbol(".")) {
        return Expression{std::move(property), position};
    }
    TOMBOLO_TRY_VOID(advance());
    const std::string_view name = token_.text;
    if (name == "@count" || name == "@size" || name == "@type") {
        property.suffix = name == "@type" ? PathSuffix::type : PathSuffix::size;
        TOMBOLO_TRY_VOID(advance());
        return Expression{std::move(property), position};
    }
    if (quantified != Quantifier::unspecified || !is_path_suffix(name)) {
        return expected("@count, @size, @type or, without ANY, ALL and NONE, an aggregate");
    }
    Aggregate aggregate;
    aggregate.position = here();
    aggregate.path = std::move(property.path);
    aggregate.op = name == "@min"   ? AggregateOperator::min
                   : name == "@max" ? AggregateOperator::max
                   : name == "@sum" ? AggregateOperator::sum
                                    : AggregateOperator::average;
    TOMBOLO_TRY_VOID(advance());
    if (is_symbol(".")) {
        TOMBOLO_TRY_VOID(advance());
        if (token_.kind != TokenKind::name || token_.text[0] == '@') {
            return expected("the property to aggregate");
        }
        aggregate.property = decode_name(token_.text);
        TOMBOLO_TRY_VOID(advance());
    }
    return Expression{std::move(aggregate), position};
}

} // namespace tombolo::query::detail
