#pragma once

// The typed tree: a query bound to a class of a schema, arguments filled in, constants converted,
// every path resolved (database-and-sdk.md 3.2-3.5). What evaluators, printers and analyses read.
//
// Move-only. Borrows the schema, which must outlive it unchanged. Immutable after binding: const
// use from several threads is safe.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/geo.hpp"
#include "core/value.hpp"
#include "query/full_text.hpp"
#include "query/item.hpp"
#include "query/syntax.hpp"
#include "schema/object_schema.hpp"

namespace tombolo::query {

using syntax::AggregateOperator;
using syntax::ArithmeticOperator;
using syntax::ComparisonOperator;
using syntax::GroupOperator;
using syntax::Quantifier;

enum class StepKind : std::uint8_t {
    property,  ///< object -> its property's value
    follow,    ///< link or embedded value -> object
    backlinks, ///< object -> the objects whose property links to it (many)
    elements,  ///< typed collection -> its values (many)
    all,       ///< Mixed holding a collection -> its values (many)
    keys,      ///< dictionary -> its keys (many)
    index,     ///< list or set -> one element
    first,
    last,
    key, ///< dictionary -> the value at a key
};

struct Step {
    StepKind kind = StepKind::property;
    /// property: the property; backlinks: the link property of the origin class.
    const schema::Property* property = nullptr;
    /// follow: the class linked to; backlinks: the origin class.
    const schema::ClassSchema* object_class = nullptr;
    std::uint64_t index = 0;
    std::string key;
    /// The position in Query::root_properties of a property read from the queried object itself,
    /// else -1.
    int slot = -1;
};

enum class Ending : std::uint8_t {
    value,
    size,          ///< of a string, binary or collection
    type,          ///< @type
    object_count,  ///< number of objects reached
    all_backlinks, ///< number of links of any class to the object
};

/// What is statically known of an operand's values.
struct StaticType {
    schema::PropertyType type = schema::PropertyType::mixed;
    const schema::ClassSchema* target = nullptr; ///< of links
    bool is_type_name = false;                   ///< values of @type
};

struct Path {
    const schema::ClassSchema* start = nullptr;
    std::vector<Step> steps; ///< empty: the object itself
    Ending ending = Ending::value;
    bool many = false;  ///< some step yields any number of values
    bool mixed = false; ///< ends at a Mixed, which may hold a collection
    StaticType type;
};

/// One constant, or a list of them. Items borrow the values.
class Constants {
  public:
    Constants() = default;
    Constants(std::vector<Value> values, bool is_list);
    /// Masks of @type.
    static Constants of_types(const std::vector<TypeMask>& masks, bool is_list);

    const std::vector<Value>& values() const noexcept { return values_; }
    const std::vector<Item>& items() const noexcept { return items_; }
    bool is_list() const noexcept { return is_list_; }

    Constants(Constants&&) noexcept = default;
    Constants& operator=(Constants&&) noexcept = default;
    Constants(const Constants&) = delete;
    Constants& operator=(const Constants&) = delete;
    ~Constants() = default;

  private:
    std::vector<Value> values_;
    std::vector<Item> items_;
    bool is_list_ = false;
};

struct Aggregate {
    Path path; ///< to all values taken together
    AggregateOperator op = AggregateOperator::min;
    std::size_t list_steps = 0; ///< how many of the path's steps lead to the collection
};

struct Condition;

struct Subquery {
    Path path; ///< to the objects
    std::unique_ptr<const Condition> condition;
    const schema::ClassSchema* element_class = nullptr;
};

struct Operand;

struct Arithmetic {
    std::vector<Operand> operands;
    std::vector<ArithmeticOperator> operators;
};

struct Operand {
    std::variant<Constants, Path, Aggregate, Subquery, Arithmetic> node;
    StaticType type;
    Quantifier quantifier = Quantifier::unspecified;

    bool is_constant() const noexcept { return std::holds_alternative<Constants>(node); }
    /// Any number of values: a list of constants, or a path with a collection in it.
    bool is_many() const noexcept;
};

enum class ComparisonMode : std::uint8_t {
    values,     ///< by quantifiers
    lists,      ///< both sides element by element, in order
    mixed_list, ///< a Mixed with a list: element by element when it holds a list, else as `values`
    types,      ///< @type masks: equal when they intersect
};

struct Comparison {
    ComparisonOperator op = ComparisonOperator::equal; ///< never `in` or `text`
    bool ignore_case = false;
    ComparisonMode mode = ComparisonMode::values;
    Operand left;
    Operand right;
    /// The right side's constants in order, for equality with any of many; else empty.
    std::vector<Item> lookup;
};

struct TextCondition {
    Path path;
    Quantifier quantifier = Quantifier::unspecified;
    TextSearch search;
    std::string text;
};

struct GeoCondition {
    Path path; ///< to embedded points
    Quantifier quantifier = Quantifier::unspecified;
    GeoShape shape;
    GeoRegion region;
    const schema::Property* type = nullptr;
    const schema::Property* coordinates = nullptr;
};

struct Negation {
    std::unique_ptr<const Condition> operand;
};

struct Group {
    GroupOperator op = GroupOperator::conjunction;
    std::vector<Condition> operands;
};

struct Condition {
    std::variant<bool, Comparison, TextCondition, GeoCondition, Negation, Group> node;
};

struct SortKey {
    Path path;
    bool ascending = true;
};

struct Sort {
    std::vector<SortKey> keys;
};

struct Distinct {
    std::vector<Path> paths;
};

struct Limit {
    std::uint64_t count = 0;
};

using Suffix = std::variant<Sort, Distinct, Limit>;

struct Query {
    const schema::ClassSchema* object_class = nullptr;
    Condition condition;
    std::vector<Suffix> suffixes;
    /// The properties that paths read from the queried object itself, each once; Step::slot counts
    /// in here.
    std::vector<const schema::Property*> root_properties;
};

} // namespace tombolo::query
