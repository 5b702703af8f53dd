#pragma once

// What the evaluator needs of a store: database rows, BSON documents and in-memory objects each
// provide it.
//
// Object   a cheap handle of one object
// Cell     a cheap handle of one value: a property's, or an element's
//
// Both are borrowed for the time of one evaluation. No function may allocate for scalars. A
// property that is not stored reads as null, a collection that is not stored as an empty one. Links
// whose target does not exist read as null, and are hidden from collections, as far as the store
// can tell.

#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>

#include "core/value.hpp"
#include "query/function_ref.hpp"
#include "query/item.hpp"
#include "schema/object_schema.hpp"

namespace tombolo::query {

template <class A>
concept Accessor = requires(const A& accessor, const typename A::Object& object,
                            const typename A::Cell& cell, const schema::Property& property,
                            const schema::ClassSchema& object_class, std::string_view key,
                            std::size_t index, int slot,
                            FunctionRef<bool(const typename A::Cell&)> each_cell,
                            FunctionRef<bool(std::string_view)> each_key,
                            FunctionRef<bool(const typename A::Object&)> each_object) {
    /// `slot` is Step::slot: the accessor may have read the property before.
    { accessor.property(object, property, slot) } -> std::same_as<typename A::Cell>;
    /// A link to the object; type `object` for an embedded one.
    { accessor.self(object, object_class) } -> std::same_as<Item>;

    /// Scalars with their value, others with their type.
    { accessor.item(cell) } -> std::same_as<Item>;
    /// REQUIRES (all below): the cell is a list, set or dictionary. Callbacks return false to stop;
    /// so do these.
    { accessor.size(cell) } -> std::same_as<std::size_t>;
    { accessor.element(cell, index) } -> std::same_as<std::optional<typename A::Cell>>;
    { accessor.find(cell, key) } -> std::same_as<std::optional<typename A::Cell>>;
    { accessor.for_each(cell, each_cell) } -> std::same_as<bool>;
    { accessor.for_each_key(cell, each_key) } -> std::same_as<bool>;

    /// The object that a link leads to, or the embedded object itself.
    { accessor.follow(cell, object_class) } -> std::same_as<std::optional<typename A::Object>>;
    /// The objects of `object_class` whose `property` links to `object`, once for each link.
    {
        accessor.for_each_backlink(object, object_class, property, each_object)
        } -> std::same_as<bool>;
    /// The number of links of all classes to `object`.
    { accessor.backlink_count(object) } -> std::same_as<std::size_t>;
};

} // namespace tombolo::query
