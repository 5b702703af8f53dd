#pragma once

// One value met while a query runs, and the relations between two of them
// (database-and-sdk.md 3.3, 3.4).
//
// Borrowed: valid as long as the object it was read from, or the constant it stands for. Nothing
// here allocates.

#include "core/value.hpp"
#include "query/syntax.hpp"

namespace tombolo::query {

struct Item {
    ScalarView value{};
    /// Same as the type of `value`, or list, set, dictionary, object for what is no scalar (value
    /// is then empty).
    ValueType type = ValueType::null;
    /// Null because a link on the way is null (sorting puts these last, database-and-sdk.md 3.5).
    bool through_null_link = false;

    Item() = default;
    Item(const ScalarView& scalar) noexcept : value(scalar), type(type_of(scalar)) {}
    static Item of_type(ValueType type) noexcept {
        Item item;
        item.type = type;
        return item;
    }
    bool is_null() const noexcept { return type == ValueType::null; }
    bool is_scalar() const noexcept { return type < ValueType::list; }
};

bool is_numeric(ValueType type) noexcept;

/// null == null; numbers by value across types, NaN equal to NaN; other types only with themselves.
bool equal(const Item& left, const Item& right) noexcept;

/// left op right for every operator but `in` and `text`. Null, NaN, and values of kinds that do not
/// compare make a relational operator false.
bool relate(syntax::ComparisonOperator op, bool ignore_case, const Item& left,
            const Item& right) noexcept;

/// left op right with two-valued nulls: null when an operand is null or no number, and for an
/// integer divided by zero.
Item calculate(syntax::ArithmeticOperator op, const Item& left, const Item& right) noexcept;

/// Order of sort keys: null first, then as Mixed sorts; objects behind a null link last.
int order(const Item& left, const Item& right) noexcept;

/// Bit set of the kinds that @type tells apart.
using TypeMask = std::uint32_t;
TypeMask type_mask(ValueType type) noexcept;

/// The mask of a type name (any letter case); 0 when there is no such name.
TypeMask type_mask_of_name(std::string_view name) noexcept;
/// The first name that has this mask.
std::string_view type_mask_name(TypeMask mask) noexcept;
/// "null, int, integer, ...": for messages.
std::string type_names();

} // namespace tombolo::query
