#include "query/parser.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/bytes.hpp"
#include "core/limits.hpp"
#include "query/lexer.hpp"

namespace tombolo::query {
namespace {

using namespace syntax;

bool same_letters(std::string_view text, std::string_view lower) noexcept {
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
void append_flat(Group& group, Predicate&& operand) {
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

Result<Predicate> Parser::geo_within(Expression subject) {
    const Position position = here();
    Property* property = std::get_if<Property>(&subject.node);
    if (!property || property->suffix != PathSuffix::none) {
        return syntax_error(lexer_.text(), subject.position.offset,
                            "expected a property before geoWithin");
    }
    TOMBOLO_TRY_VOID(advance());
    GeoWithin within{std::move(*property), Literal{}, position};
    if (token_.kind == TokenKind::argument) {
        within.shape = Literal{LiteralKind::argument, std::string(token_.text), {}, {}, here()};
        TOMBOLO_TRY_VOID(advance());
        return Predicate{std::move(within)};
    }
    static constexpr std::array<std::pair<std::string_view, GeoShapeKind>, 3> kinds = {
        {{"geobox", GeoShapeKind::box},
         {"geocircle", GeoShapeKind::circle},
         {"geopolygon", GeoShapeKind::polygon}}};
    for (const auto& [name, kind] : kinds) {
        if (is_keyword(name)) {
            TOMBOLO_TRY_VOID(advance());
            TOMBOLO_TRY(within.shape, geo_shape(kind));
            return Predicate{std::move(within)};
        }
    }
    return expected("geoBox, geoCircle, geoPolygon or an argument");
}

Result<GeoShapeLiteral> Parser::geo_shape(GeoShapeKind kind) {
    GeoShapeLiteral shape;
    shape.kind = kind;
    TOMBOLO_TRY_VOID(expect_symbol("("));
    if (kind != GeoShapeKind::polygon) {
        TOMBOLO_TRY(GeoPointLiteral first, geo_point());
        TOMBOLO_TRY_VOID(expect_symbol(","));
        shape.rings.push_back({std::move(first)});
        if (kind == GeoShapeKind::box) {
            TOMBOLO_TRY(GeoPointLiteral second, geo_point());
            shape.rings.front().push_back(std::move(second));
        } else {
            TOMBOLO_TRY(Literal radius, coordinate());
            shape.radius.push_back(std::move(radius));
        }
        TOMBOLO_TRY_VOID(expect_symbol(")"));
        return shape;
    }
    while (true) {
        TOMBOLO_TRY_VOID(expect_symbol("{"));
        std::vector<GeoPointLiteral>& ring = shape.rings.emplace_back();
        while (true) {
            TOMBOLO_TRY(GeoPointLiteral point, geo_point());
            ring.push_back(std::move(point));
            if (!is_symbol(",")) {
                break;
            }
            TOMBOLO_TRY_VOID(advance());
        }
        TOMBOLO_TRY_VOID(expect_symbol("}"));
        if (!is_symbol(",")) {
            break;
        }
        TOMBOLO_TRY_VOID(advance());
    }
    TOMBOLO_TRY_VOID(expect_symbol(")"));
    return shape;
}

Result<GeoPointLiteral> Parser::geo_point() {
    GeoPointLiteral point;
    TOMBOLO_TRY_VOID(expect_symbol("["));
    while (true) {
        TOMBOLO_TRY(Literal number, coordinate());
        point.coordinates.push_back(std::move(number));
        if (point.coordinates.size() == 3 || !is_symbol(",")) {
            break;
        }
        TOMBOLO_TRY_VOID(advance());
    }
    if (point.coordinates.size() < 2) {
        return expected("',' and the latitude");
    }
    TOMBOLO_TRY_VOID(expect_symbol("]"));
    return point;
}

Result<Literal> Parser::coordinate() {
    Literal out;
    const bool number = token_.kind == TokenKind::integer || token_.kind == TokenKind::floating ||
                        token_.kind == TokenKind::argument || is_symbol("-") || is_symbol("+");
    if (!number) {
        return expected("a number");
    }
    TOMBOLO_TRY(const bool found, literal(out));
    if (!found) {
        return expected("a number");
    }
    return out;
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

// ---- expressions
// ------------------------------------------------------------------------------------------------

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

/// True when the token behind the current one can start a path, list or argument: then "any" is a
/// quantifier, else it is a property of that name.
Result<bool> Parser::is_path_start() {
    TOMBOLO_TRY(const Token behind, peek());
    switch (behind.kind) {
    case TokenKind::name:
        return behind.text != "in" && behind.text != "IN" &&
               !same_letters(behind.text, "between") && !same_letters(behind.text, "and") &&
               !same_letters(behind.text, "or");
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

bool is_path_suffix(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 7> suffixes = {"@count", "@size", "@type", "@min",
                                                                 "@max",   "@sum",  "@avg"};
    return std::find(suffixes.begin(), suffixes.end(), name) != suffixes.end();
}

/// Ends before "." and a suffix such as @count, and at "[SIZE]".
Result<Path> Parser::path() {
    Path path;
    bool size_index = false;
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
        if (size_index) {
            PathElement mark;
            mark.kind = ElementKind::name;
            mark.text = "[SIZE]";
            path.elements.push_back(std::move(mark));
            return path;
        }
        if (!is_symbol(".")) {
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
    TOMBOLO_TRY(property.path, path());
    if (property.path.elements.back().text == "[SIZE]" &&
        property.path.elements.back().kind == ElementKind::name) {
        property.path.elements.pop_back();
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

// ---- literals
// ---------------------------------------------------------------------------------------------------

Result<Literal> Parser::required_literal(std::string_view what) {
    Literal out;
    TOMBOLO_TRY(const bool found, literal(out));
    if (!found) {
        return expected(what);
    }
    return out;
}

/// Reads a constant if the current token starts one; false (and nothing read) otherwise.
Result<bool> Parser::literal(Literal& out) {
    out.position = here();
    switch (token_.kind) {
    case TokenKind::integer:
    case TokenKind::hex:
        out.kind = LiteralKind::integer;
        out.text = token_.text;
        break;
    case TokenKind::floating:
        out.kind = LiteralKind::floating;
        out.text = token_.text;
        break;
    case TokenKind::string:
        out.kind = LiteralKind::string;
        out.text = decode_string(token_.text);
        break;
    case TokenKind::base64: {
        auto bytes = from_base64(token_.text.substr(4, token_.text.size() - 5));
        if (!bytes) {
            return expected("base64 text between B64\" and \"");
        }
        out.kind = LiteralKind::base64;
        out.text = as_text(*bytes);
        break;
    }
    case TokenKind::timestamp:
        out.kind = LiteralKind::timestamp;
        out.text = token_.text;
        break;
    case TokenKind::uuid:
        out.kind = LiteralKind::uuid;
        out.text = token_.text;
        break;
    case TokenKind::object_id:
        out.kind = LiteralKind::object_id;
        out.text = token_.text;
        break;
    case TokenKind::object_key:
        out.kind = LiteralKind::object_key;
        out.text = token_.text;
        break;
    case TokenKind::argument:
        out.kind = LiteralKind::argument;
        out.text = token_.text;
        break;
    case TokenKind::symbol:
        return signed_literal(out);
    case TokenKind::name:
        return named_literal(out);
    default:
        return false;
    }
    TOMBOLO_TRY_VOID(advance());
    return true;
}

Result<bool> Parser::signed_literal(Literal& out) {
    if (!is_symbol("+") && !is_symbol("-")) {
        return false;
    }
    TOMBOLO_TRY(const Token behind, peek());
    const bool touches = behind.offset == token_.end;
    const std::string sign = token_.text == "-" ? "-" : "";
    if (touches && (behind.kind == TokenKind::integer || behind.kind == TokenKind::floating)) {
        out.kind = behind.kind == TokenKind::integer ? LiteralKind::integer : LiteralKind::floating;
        out.text = sign + std::string(behind.text);
    } else if (touches && behind.kind == TokenKind::name &&
               (same_letters(behind.text, "inf") || same_letters(behind.text, "infinity"))) {
        out.kind = LiteralKind::infinity;
        out.text = sign + "inf";
    } else if (touches && behind.kind == TokenKind::name && same_letters(behind.text, "nan")) {
        out.kind = LiteralKind::nan;
        out.text = "nan";
    } else {
        TOMBOLO_TRY_VOID(advance());
        return expected("a number behind the sign");
    }
    TOMBOLO_TRY_VOID(advance());
    TOMBOLO_TRY_VOID(advance());
    return true;
}

Result<bool> Parser::named_literal(Literal& out) {
    if (is_exactly("true") || is_exactly("TRUE") || is_exactly("false") || is_exactly("FALSE")) {
        out.kind = LiteralKind::boolean;
        out.text = token_.text[0] == 't' || token_.text[0] == 'T' ? "true" : "false";
    } else if (is_keyword("null") || is_keyword("nil")) {
        out.kind = LiteralKind::null;
    } else if (is_keyword("inf") || is_keyword("infinity")) {
        out.kind = LiteralKind::infinity;
        out.text = "inf";
    } else if (is_keyword("nan")) {
        out.kind = LiteralKind::nan;
        out.text = "nan";
    } else if (is_keyword("bin") || is_keyword("binary") || is_keyword("obj")) {
        const bool object = is_keyword("obj");
        TOMBOLO_TRY(const Token behind, peek());
        if (behind.kind != TokenKind::symbol || behind.text != "(") {
            return false;
        }
        TOMBOLO_TRY_VOID(advance());
        TOMBOLO_TRY_VOID(advance());
        if (object) {
            TOMBOLO_TRY_VOID(object_literal(out));
        } else {
            TOMBOLO_TRY_VOID(binary_literal(out));
        }
        TOMBOLO_TRY_VOID(expect_symbol(")"));
        return true;
    } else {
        return false;
    }
    TOMBOLO_TRY_VOID(advance());
    return true;
}

Result<void> Parser::object_literal(Literal& out) {
    out.kind = LiteralKind::object_link;
    if (token_.kind != TokenKind::string) {
        return expected("the class name as a string");
    }
    out.text = decode_string(token_.text);
    TOMBOLO_TRY_VOID(advance());
    TOMBOLO_TRY_VOID(expect_symbol(","));
    TOMBOLO_TRY(Literal key, required_literal("a primary key"));
    switch (key.kind) {
    case LiteralKind::integer:
    case LiteralKind::string:
    case LiteralKind::base64:
    case LiteralKind::uuid:
    case LiteralKind::object_id:
    case LiteralKind::argument:
    case LiteralKind::null:
        out.key.push_back(std::move(key));
        return {};
    default:
        return syntax_error(
            lexer_.text(), key.position.offset,
            "expected a number, string, uuid(...), oid(...) or argument as primary key");
    }
}

Result<void> Parser::binary_literal(Literal& out) {
    Literal inner;
    const bool text = token_.kind == TokenKind::string || token_.kind == TokenKind::base64;
    if (!text) {
        return expected("a string or B64\"...\"");
    }
    TOMBOLO_TRY(const bool found, literal(inner));
    static_cast<void>(found);
    out.kind = LiteralKind::binary;
    out.text = std::move(inner.text);
    return {};
}

} // namespace

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
    return Parser(text).query();
}

} // namespace tombolo::query
