#include "query/parser.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "core/bytes.hpp"
#include "core/limits.hpp"
#include "query/parser_class.hpp"

namespace tombolo::query {
namespace detail {

Result<void> Parser::advance() {
    TOMBOLO_TRY(token_, lexer_.next());
    return {};
}

Error Parser::expected(std::string_view what) const {
    const std::string_view found = lexer_.text().substr(token_.offset, token_.end - token_.offset);
    return syntax_error(lexer_.text(), token_.offset, fmt::format("expected {}", what),
                        token_.kind == TokenKind::end ? "end of text" : found);
}

Error Parser::too_deep() const {
    return syntax_error(lexer_.text(), token_.offset,
                        fmt::format("parentheses and NOT are nested deeper than {} levels",
                                    limits::query_depth_max));
}

Result<void> Parser::expect_symbol(std::string_view symbol) {
    if (!is_symbol(symbol)) {
        return expected(fmt::format("'{}'", symbol));
    }
    return advance();
}

Result<Query> Parser::query() {
    TOMBOLO_TRY_VOID(advance());
    Query query;
    TOMBOLO_TRY(query.predicate, predicate());
    while (token_.kind != TokenKind::end) {
        TOMBOLO_TRY(Suffix next, suffix());
        query.suffixes.push_back(std::move(next));
    }
    return query;
}

Result<Predicate> Parser::predicate() {
    TOMBOLO_TRY(PredicateOrExpression item, disjunction(false));
    return std::get<Predicate>(std::move(item));
}

/// Moves a predicate into a group, dissolving a group of the same operator.
static void append_flat(Group& group, Predicate&& operand) {
    if (Group* inner = std::get_if<Group>(&operand.node); inner && inner->op == group.op) {
        std::move(inner->operands.begin(), inner->operands.end(),
                  std::back_inserter(group.operands));
        return;
    }
    group.operands.push_back(std::move(operand));
}

Result<PredicateOrExpression> Parser::disjunction(bool expression_allowed) {
    TOMBOLO_TRY(PredicateOrExpression first, conjunction(expression_allowed));
    if (!std::holds_alternative<Predicate>(first) || !(is_symbol("||") || is_keyword("or"))) {
        return first;
    }
    Group group{GroupOperator::disjunction, {}};
    append_flat(group, std::get<Predicate>(std::move(first)));
    while (is_symbol("||") || is_keyword("or")) {
        TOMBOLO_TRY_VOID(advance());
        TOMBOLO_TRY(PredicateOrExpression next, conjunction(false));
        append_flat(group, std::get<Predicate>(std::move(next)));
    }
    return PredicateOrExpression(Predicate{std::move(group)});
}

Result<PredicateOrExpression> Parser::conjunction(bool expression_allowed) {
    TOMBOLO_TRY(PredicateOrExpression first, factor(expression_allowed));
    if (!std::holds_alternative<Predicate>(first) || !(is_symbol("&&") || is_keyword("and"))) {
        return first;
    }
    Group group{GroupOperator::conjunction, {}};
    append_flat(group, std::get<Predicate>(std::move(first)));
    while (is_symbol("&&") || is_keyword("and")) {
        TOMBOLO_TRY_VOID(advance());
        TOMBOLO_TRY(PredicateOrExpression next, factor(false));
        append_flat(group, std::get<Predicate>(std::move(next)));
    }
    return PredicateOrExpression(Predicate{std::move(group)});
}

Result<PredicateOrExpression> Parser::factor(bool expression_allowed) {
    Depth depth(*this);
    if (depth.exceeded()) {
        return too_deep();
    }
    if (is_symbol("!") || is_exactly("not") || is_exactly("NOT")) {
        TOMBOLO_TRY_VOID(advance());
        TOMBOLO_TRY(PredicateOrExpression inner, factor(false));
        return PredicateOrExpression(
            Predicate{Negation{Box<Predicate>(std::get<Predicate>(std::move(inner)))}});
    }
    if (is_keyword("truepredicate") || is_keyword("falsepredicate")) {
        const bool value = is_keyword("truepredicate");
        TOMBOLO_TRY_VOID(advance());
        return PredicateOrExpression(Predicate{Constant{value}});
    }
    std::optional<Expression> left;
    if (is_symbol("(")) {
        TOMBOLO_TRY_VOID(advance());
        TOMBOLO_TRY(PredicateOrExpression inner, disjunction(true));
        TOMBOLO_TRY_VOID(expect_symbol(")"));
        if (std::holds_alternative<Predicate>(inner)) {
            return inner;
        }
        TOMBOLO_TRY(left, expression_from(std::get<Expression>(std::move(inner))));
    } else {
        TOMBOLO_TRY(left, expression());
    }
    if (expression_allowed && is_symbol(")")) {
        return PredicateOrExpression(*std::move(left));
    }
    TOMBOLO_TRY(Predicate compared, comparison(*std::move(left)));
    return PredicateOrExpression(std::move(compared));
}

/// Reads an operator if the current token is one; false (and nothing read) otherwise.
Result<bool> Parser::comparison_operator(ComparisonOperator& op) {
    struct Spelling {
        std::string_view text;
        ComparisonOperator op;
    };
    using enum ComparisonOperator;
    static constexpr std::array<Spelling, 10> symbols = {{{"==", equal},
                                                          {"=", equal},
                                                          {"!=", not_equal},
                                                          {"<>", not_equal},
                                                          {"<", less},
                                                          {"<=", less_or_equal},
                                                          {"=<", less_or_equal},
                                                          {">", greater},
                                                          {">=", greater_or_equal},
                                                          {"=>", greater_or_equal}}};
    static constexpr std::array<Spelling, 5> words = {{{"beginswith", begins_with},
                                                       {"endswith", ends_with},
                                                       {"contains", contains},
                                                       {"like", like},
                                                       {"text", text}}};
    bool found = false;
    if (token_.kind == TokenKind::symbol) {
        for (const Spelling& spelling : symbols) {
            if (token_.text == spelling.text) {
                op = spelling.op;
                found = true;
            }
        }
    } else if (is_exactly("in") || is_exactly("IN")) {
        op = in;
        found = true;
    } else if (token_.kind == TokenKind::name) {
        for (const Spelling& spelling : words) {
            if (is_keyword(spelling.text)) {
                op = spelling.op;
                found = true;
            }
        }
    }
    if (found) {
        TOMBOLO_TRY_VOID(advance());
    }
    return found;
}

Result<bool> Parser::ignore_case_mark() {
    if (!is_symbol("[")) {
        return false;
    }
    TOMBOLO_TRY_VOID(advance());
    if (!is_exactly("c")) {
        return expected("'c]' behind the operator");
    }
    TOMBOLO_TRY_VOID(advance());
    TOMBOLO_TRY_VOID(expect_symbol("]"));
    return true;
}

Result<Predicate> Parser::comparison(Expression left) {
    const Position position = here();
    if (is_keyword("between")) {
        return between(std::move(left));
    }
    if (is_keyword("geowithin")) {
        return geo_within(std::move(left));
    }
    ComparisonOperator op = ComparisonOperator::equal;
    TOMBOLO_TRY(const bool found, comparison_operator(op));
    if (!found) {
        return expected("a comparison operator");
    }
    bool ignore_case = false;
    using enum ComparisonOperator;
    const bool relational =
        op == less || op == less_or_equal || op == greater || op == greater_or_equal;
    if (!relational && op != text) {
        TOMBOLO_TRY(ignore_case, ignore_case_mark());
    }
    TOMBOLO_TRY(Expression right, expression());
    return Predicate{Comparison{op, ignore_case, std::move(left), std::move(right), position}};
}

Result<Predicate> Parser::between(Expression subject) {
    const Position position = here();
    TOMBOLO_TRY_VOID(advance());
    if (!is_symbol("{")) {
        return expected("'{' and two bounds behind BETWEEN");
    }
    TOMBOLO_TRY(ListLiteral bounds, list(Quantifier::unspecified));
    if (bounds.elements.size() != 2) {
        return syntax_error(lexer_.text(), bounds.position.offset,
                            "expected exactly two bounds behind BETWEEN");
    }
    return Predicate{Between{std::move(subject), std::move(bounds), position}};
}

Result<Suffix> Parser::suffix() {
    const bool sort = is_keyword("sort");
    const bool distinct = is_keyword("distinct");
    if (!sort && !distinct && !is_keyword("limit")) {
        return expected("AND, OR, SORT, DISTINCT, LIMIT or the end");
    }
    TOMBOLO_TRY_VOID(advance());
    TOMBOLO_TRY_VOID(expect_symbol("("));
    if (!sort && !distinct) {
        Limit limit;
        const char* end = token_.text.data() + token_.text.size();
        if (token_.kind != TokenKind::integer ||
            std::from_chars(token_.text.data(), end, limit.count).ec != std::errc()) {
            return expected("a number of results, zero or more");
        }
        TOMBOLO_TRY_VOID(advance());
        TOMBOLO_TRY_VOID(expect_symbol(")"));
        return Suffix(limit);
    }
    Sort keys;
    Distinct paths;
    while (true) {
        if (sort) {
            TOMBOLO_TRY(SortKey key, sort_key());
            keys.keys.push_back(std::move(key));
        } else {
            TOMBOLO_TRY(Path next, path());
            paths.paths.push_back(std::move(next));
        }
        if (!is_symbol(",")) {
            break;
        }
        TOMBOLO_TRY_VOID(advance());
    }
    TOMBOLO_TRY_VOID(expect_symbol(")"));
    return sort ? Suffix(std::move(keys)) : Suffix(std::move(paths));
}

Result<SortKey> Parser::sort_key() {
    SortKey key;
    TOMBOLO_TRY(key.path, path());
    const bool descending = is_keyword("desc") || is_keyword("descending");
    if (!descending && !is_keyword("asc") && !is_keyword("ascending")) {
        return expected("ASC or DESC behind the sort key");
    }
    key.ascending = !descending;
    TOMBOLO_TRY_VOID(advance());
    return key;
}

} // namespace detail

Result<syntax::Query> parse(std::string_view text) {
    if (text.size() > limits::query_bytes_max) {
        return Error(
            ErrorCode::limit_exceeded,
            fmt::format("Invalid predicate: the query has {} bytes; at most {} are allowed",
                        text.size(), limits::query_bytes_max));
    }
    if (!is_utf8(text)) {
        return Error(ErrorCode::query_syntax, "Invalid predicate: the query is not valid UTF-8");
    }
    return detail::Parser(text).query();
}

} // namespace tombolo::query
