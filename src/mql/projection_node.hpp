#pragma once

// Inside of a compiled projection: a tree of field names. Private to projection*.cpp.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mql/expression.hpp"
#include "mql/filter.hpp"

namespace tombolo::mql::detail {

enum class ProjectionKind : std::uint8_t {
    include,
    exclude,
    compute,
    slice,
    elem_match,
    positional,
    descend,
};

struct ProjectionNode {
    std::string name;
    ProjectionKind kind = ProjectionKind::descend;
    std::vector<ProjectionNode> children; ///< descend, in the order of the spec
    std::optional<Expression> expression; ///< compute
    std::optional<Filter> filter;         ///< elem_match: sees {"": array}
    std::optional<std::int64_t> skip;     ///< slice with two numbers
    std::int64_t count = 0;               ///< slice
    bool computes = false;                ///< this or a node below is computed

    const ProjectionNode* find(std::string_view child) const noexcept {
        for (const ProjectionNode& node : children) {
            if (node.name == child) {
                return &node;
            }
        }
        return nullptr;
    }
};

struct ProjectionProgram {
    BsonDocument spec;
    ProjectionNode root;
    bool inclusion = false;
    bool positional = false;
};

} // namespace tombolo::mql::detail
