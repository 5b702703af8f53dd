#pragma once

// Dotted field paths ("a.b.0.c") and how MongoDB's filters follow them through arrays (manual,
// "Query on Embedded Documents" and "Query an Array").
//
// - A document on the way is entered by name; a scalar or a missing field on the way gives one
// `missing`.
// - An array on the way is entered implicitly: each element that is a document is tried with the
// rest of the path. Arrays
//   directly inside arrays are not entered that way. An array that holds no document gives nothing
//   at all, not even `missing`.
// - A numeric component is a name and, in an array, also a position.
// - An array at the end gives its elements and then itself; when the end was reached by position,
// only the element itself.
//
// Recursion is bounded by the number of components. Nothing allocates while following a path.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::mql {

struct PathComponent {
    std::string name;
    std::int64_t index = -1; ///< the position this component also stands for, or -1
};

/// The position a component stands for ("0", "17", not "01"), or -1.
std::int64_t array_index(std::string_view component) noexcept;

class Path {
  public:
    /// The path of the value itself (no component).
    Path() = default;

    /// mql_invalid for more than document_depth_max components, or more than 16 numeric ones: each
    /// may double the ways through nested arrays. Empty components are kept: MongoDB has them.
    static Result<Path> parse(std::string_view dotted);

    const std::vector<PathComponent>& components() const noexcept { return components_; }
    bool empty() const noexcept { return components_.empty(); }
    std::string to_string() const;

  private:
    std::vector<PathComponent> components_;
};

enum class LeafArrays : std::uint8_t {
    expand, ///< elements, then the array
    whole,  ///< the array only
};

namespace detail {

using Components = std::span<const PathComponent>;

template <class Visit>
bool visit_value(BsonView value, Components rest, LeafArrays leaf, std::int32_t outer,
                 Visit& visit);

template <class Visit>
bool visit_array(BsonView array, Components rest, LeafArrays leaf, std::int32_t outer,
                 Visit& visit) {
    std::int32_t index = -1;
    for (const BsonElement& element : array.as_document()) {
        ++index;
        const std::int32_t at = outer >= 0 ? outer : index;
        const BsonView value = element.value;
        if (value.is_document() &&
            visit_value(value.as_document().find(rest[0].name), rest.subspan(1), leaf, at, visit)) {
            return true;
        }
        if (rest[0].index != index) {
            continue;
        }
        if (rest.size() == 1) {
            if (visit(value, at)) {
                return true;
            }
        } else if (value.is_document()) {
            if (visit_value(value.as_document().find(rest[1].name), rest.subspan(2), leaf, at,
                            visit)) {
                return true;
            }
        } else if (value.is_array() && visit_array(value, rest.subspan(1), leaf, at, visit)) {
            return true;
        }
    }
    return false;
}

template <class Visit>
bool visit_value(BsonView value, Components rest, LeafArrays leaf, std::int32_t outer,
                 Visit& visit) {
    if (rest.empty()) {
        if (leaf == LeafArrays::expand && value.is_array()) {
            std::int32_t index = -1;
            for (const BsonElement& element : value.as_document()) {
                ++index;
                if (visit(element.value, outer >= 0 ? outer : index)) {
                    return true;
                }
            }
        }
        return visit(value, outer);
    }
    if (value.is_document()) {
        return visit_value(value.as_document().find(rest[0].name), rest.subspan(1), leaf, outer,
                           visit);
    }
    if (value.is_array()) {
        return visit_array(value, rest, leaf, outer, visit);
    }
    return visit(BsonView(), outer);
}

} // namespace detail

/// Calls `visit(BsonView, outer_index)` for every value the path leads to until it returns true;
/// true if it did. `outer_index` is the position in the outermost array passed through, or -1.
/// REQUIRES: `root` is a document; or an array, whose positions and stored keys both serve as
/// names.
template <class Visit>
bool visit_path(BsonView root, const Path& path, LeafArrays leaf, Visit visit) {
    const detail::Components components = path.components();
    if (components.empty()) {
        return visit(root, -1);
    }
    const BsonView first =
        root.is_array() && components[0].index >= 0
            ? root.as_document().at(static_cast<std::size_t>(components[0].index))
            : root.as_document().find(components[0].name);
    return detail::visit_value(first, components.subspan(1), leaf, -1, visit);
}

} // namespace tombolo::mql
