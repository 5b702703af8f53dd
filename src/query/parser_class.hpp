#pragma once

// The recursive-descent parser behind parse(). Internal to query/.
//
// One token of lookahead, more only to tell a keyword from a property of that name. Functions that
// may or may not find what they look for return a bool and read nothing when it is false.

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>

#include "core/limits.hpp"
#include "core/result.hpp"
#include "query/lexer.hpp"
#include "query/syntax.hpp"

namespace tombolo::query::detail {

using namespace syntax;

inline bool same_letters(std::string_view text, std::string_view lower) noexcept {
    return text.size() == lower.size() &&
           std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
               return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b;
           });
}

/// A parenthesised thing may turn out to be a predicate or an arithmetic operand.
using PredicateOrExpression = std::variant<Predicate, Expression>;

class Parser {
  public:
    explicit Parser(std::string_view text) : lexer_(text) {}

    Result<Query> query();

  private:
    class Depth;

    Result<void> advance();
    bool is_symbol(std::string_view symbol) const noexcept {
        return token_.kind == TokenKind::symbol && token_.text == symbol;
    }
    bool is_keyword(std::string_view lower) const noexcept {
        return token_.kind == TokenKind::name && same_letters(token_.text, lower);
    }
    bool is_exactly(std::string_view name) const noexcept {
        return token_.kind == TokenKind::name && token_.text == name;
    }
    /// The token behind the current one.
    Result<Token> peek() {
        Lexer ahead = lexer_;
        return ahead.next();
    }
    Error expected(std::string_view what) const;
    Error too_deep() const;
    Result<void> expect_symbol(std::string_view symbol);
    Position here() const noexcept { return {token_.offset}; }

    Result<PredicateOrExpression> disjunction(bool expression_allowed);
    Result<PredicateOrExpression> conjunction(bool expression_allowed);
    Result<PredicateOrExpression> factor(bool expression_allowed);
    Result<Predicate> predicate();
    Result<Predicate> comparison(Expression left);
    Result<Predicate> between(Expression subject);
    Result<Predicate> geo_within(Expression subject);
    Result<bool> comparison_operator(ComparisonOperator& op);
    Result<bool> ignore_case_mark();

    Result<Expression> expression();
    Result<Expression> expression_from(Expression first_operand);
    Result<Expression> product_from(Expression first_operand);
    Result<Expression> operand();
    Result<Expression> path_or_aggregate(Quantifier quantifier);
    Result<Expression> subquery();
    Result<ListLiteral> list(Quantifier quantifier);
    Result<Quantifier> quantifier();
    Result<Path> path();
    Result<Path> path_or_size(bool& size_index);
    Result<void> path_indexes(Path& path, bool& size_index);
    Result<bool> is_path_start();

    Result<bool> literal(Literal& out);
    Result<bool> named_literal(Literal& out);
    Result<bool> signed_literal(Literal& out);
    Result<void> object_literal(Literal& out);
    Result<void> binary_literal(Literal& out);
    Result<Literal> required_literal(std::string_view what);

    Result<GeoShapeLiteral> geo_shape(GeoShapeKind kind);
    Result<GeoPointLiteral> geo_point();
    Result<Literal> coordinate();

    Result<Suffix> suffix();
    Result<SortKey> sort_key();

    Lexer lexer_;
    Token token_;
    std::size_t depth_ = 0;
};

class Parser::Depth {
  public:
    explicit Depth(Parser& parser) noexcept : parser_(parser) { ++parser_.depth_; }
    ~Depth() { --parser_.depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    bool exceeded() const noexcept { return parser_.depth_ > limits::query_depth_max; }

  private:
    Parser& parser_;
};

} // namespace tombolo::query::detail
