#pragma once

// The untyped syntax tree of the device query language (database-and-sdk.md 3.1): what the parser
// makes, the printer prints and the binder reads.
//
// Plain values: copy, compare. Positions are ignored by comparison, so that a tree equals the tree
// of its own printed text. AND and OR are n-ary and flat (a group never directly holds a group of
// the same operator), so that ten thousand terms are one level deep; every other nesting is bounded
// by limits::query_depth_max.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tombolo::query::syntax {

/// A value on the heap with value semantics; never empty except when moved from.
template <class T>
class Box {
  public:
    explicit Box(T value) : value_(std::make_unique<T>(std::move(value))) {}
    Box(const Box& other) : value_(std::make_unique<T>(*other.value_)) {}
    Box(Box&&) noexcept = default;
    Box& operator=(const Box& other) {
        if (this != &other) {
            value_ = std::make_unique<T>(*other.value_);
        }
        return *this;
    }
    Box& operator=(Box&&) noexcept = default;
    ~Box() = default;

    T& operator*() noexcept { return *value_; }
    const T& operator*() const noexcept { return *value_; }
    T* operator->() noexcept { return value_.get(); }
    const T* operator->() const noexcept { return value_.get(); }

    friend bool operator==(const Box& left, const Box& right) { return *left == *right; }

  private:
    std::unique_ptr<T> value_;
};

/// Byte offset in the query text; equal to every other position.
struct Position {
    std::uint32_t offset = 0;
    friend bool operator==(Position, Position) noexcept { return true; }
};

enum class Quantifier : std::uint8_t { unspecified, any, all, none };

enum class LiteralKind : std::uint8_t {
    null,
    boolean,     ///< text "true" or "false"
    integer,     ///< text: decimal or 0x..., optional sign
    floating,    ///< text as written, with its trailing f if it has one
    infinity,    ///< text "inf" or "-inf"
    nan,         ///< text "nan"
    string,      ///< text: decoded
    base64,      ///< text: decoded bytes; a string, or binary beside a binary property
    binary,      ///< text: decoded bytes of bin(...)
    timestamp,   ///< text "T<seconds>:<nanoseconds>"
    uuid,        ///< text: the 36 characters
    object_id,   ///< text: the 24 characters
    argument,    ///< text: the digits behind "$"
    object_link, ///< text: class name; `key` has the primary key
    object_key,  ///< text "O<digits>" or "L<digits>:<digits>": ids of the old file format
};

struct Literal {
    LiteralKind kind = LiteralKind::null;
    std::string text;
    std::vector<Literal> key;                        ///< one element for object_link, else empty
    Quantifier quantifier = Quantifier::unspecified; ///< arguments only
    Position position;
    friend bool operator==(const Literal&, const Literal&) = default;
};

enum class ElementKind : std::uint8_t {
    name,          ///< text; the first element or behind "."
    path_argument, ///< text: the digits behind "$K"
    index,         ///< number
    first,
    last,
    all,          ///< [*]
    key,          ///< text: ["..."]
    key_argument, ///< text: the digits of [$n]
};

struct PathElement {
    ElementKind kind = ElementKind::name;
    std::string text;
    std::uint64_t number = 0;
    Position position;
    friend bool operator==(const PathElement&, const PathElement&) = default;
};

struct Path {
    std::vector<PathElement> elements;
    friend bool operator==(const Path&, const Path&) = default;
};

enum class PathSuffix : std::uint8_t { none, size, type };

struct Property {
    Quantifier quantifier = Quantifier::unspecified;
    Path path;
    PathSuffix suffix = PathSuffix::none;
    friend bool operator==(const Property&, const Property&) = default;
};

enum class AggregateOperator : std::uint8_t { min, max, sum, average };

struct Aggregate {
    Path path;
    AggregateOperator op = AggregateOperator::min;
    std::optional<std::string> property;
    Position position;
    friend bool operator==(const Aggregate&, const Aggregate&) = default;
};

struct ListLiteral {
    Quantifier quantifier = Quantifier::unspecified;
    std::vector<Literal> elements;
    Position position;
    friend bool operator==(const ListLiteral&, const ListLiteral&) = default;
};

struct Predicate;

struct Subquery {
    Path path;
    std::string variable; ///< with its "$"
    Box<Predicate> predicate;
    Position position;
    friend bool operator==(const Subquery& left, const Subquery& right);
};

struct Arithmetic;

struct Expression {
    std::variant<Literal, Property, ListLiteral, Aggregate, Subquery, Box<Arithmetic>> node;
    Position position;
    friend bool operator==(const Expression& left, const Expression& right);
};

enum class ArithmeticOperator : std::uint8_t { add, subtract, multiply, divide };

/// operands[0] operators[0] operands[1] ..., left to right; the operators are all of one
/// precedence.
struct Arithmetic {
    std::vector<Expression> operands;
    std::vector<ArithmeticOperator> operators;
    friend bool operator==(const Arithmetic&, const Arithmetic&) = default;
};

enum class ComparisonOperator : std::uint8_t {
    equal,
    not_equal,
    less,
    less_or_equal,
    greater,
    greater_or_equal,
    in,
    begins_with,
    ends_with,
    contains,
    like,
    text,
};

/// "==", "BEGINSWITH", ...
const char* operator_text(ComparisonOperator op) noexcept;

struct Comparison {
    ComparisonOperator op = ComparisonOperator::equal;
    bool ignore_case = false;
    Expression left;
    Expression right;
    Position position; ///< of the operator
    friend bool operator==(const Comparison&, const Comparison&) = default;
};

struct Between {
    Expression subject;
    ListLiteral bounds;
    Position position;
    friend bool operator==(const Between&, const Between&) = default;
};

/// Coordinates are literals (numbers or arguments) as written.
struct GeoPointLiteral {
    std::vector<Literal> coordinates; ///< 2 or 3
    friend bool operator==(const GeoPointLiteral&, const GeoPointLiteral&) = default;
};

enum class GeoShapeKind : std::uint8_t { box, circle, polygon };

struct GeoShapeLiteral {
    GeoShapeKind kind = GeoShapeKind::box;
    std::vector<std::vector<GeoPointLiteral>>
        rings;                   ///< box: one of 2; circle: one of 1; polygon: all
    std::vector<Literal> radius; ///< circle: one, in radians
    friend bool operator==(const GeoShapeLiteral&, const GeoShapeLiteral&) = default;
};

struct GeoWithin {
    Property property;
    std::variant<GeoShapeLiteral, Literal> shape; ///< the literal is an argument
    Position position;
    friend bool operator==(const GeoWithin&, const GeoWithin&) = default;
};

struct Constant {
    bool value = true;
    friend bool operator==(const Constant&, const Constant&) = default;
};

struct Negation {
    Box<Predicate> operand;
    friend bool operator==(const Negation& left, const Negation& right);
};

enum class GroupOperator : std::uint8_t { conjunction, disjunction };

struct Group {
    GroupOperator op = GroupOperator::conjunction;
    std::vector<Predicate> operands; ///< at least two, none a Group of the same operator
    friend bool operator==(const Group& left, const Group& right);
};

struct Predicate {
    std::variant<Constant, Comparison, Between, GeoWithin, Negation, Group> node;
    friend bool operator==(const Predicate&, const Predicate&) = default;
};

struct SortKey {
    Path path;
    bool ascending = true;
    friend bool operator==(const SortKey&, const SortKey&) = default;
};

struct Sort {
    std::vector<SortKey> keys;
    friend bool operator==(const Sort&, const Sort&) = default;
};

struct Distinct {
    std::vector<Path> paths;
    friend bool operator==(const Distinct&, const Distinct&) = default;
};

struct Limit {
    std::uint64_t count = 0;
    friend bool operator==(const Limit&, const Limit&) = default;
};

using Suffix = std::variant<Sort, Distinct, Limit>;

struct Query {
    Predicate predicate;
    std::vector<Suffix> suffixes; ///< in the order written, which is the order they are applied in
    friend bool operator==(const Query&, const Query&) = default;
};

inline bool operator==(const Subquery& left, const Subquery& right) {
    return left.path == right.path && left.variable == right.variable &&
           left.predicate == right.predicate;
}
inline bool operator==(const Expression& left, const Expression& right) {
    return left.node == right.node;
}
inline bool operator==(const Negation& left, const Negation& right) {
    return left.operand == right.operand;
}
inline bool operator==(const Group& left, const Group& right) {
    return left.op == right.op && left.operands == right.operands;
}

} // namespace tombolo::query::syntax
