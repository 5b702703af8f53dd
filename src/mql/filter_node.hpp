#pragma once

// Inside of a compiled filter: a tree of logical nodes over leaves, each a path and a predicate on
// one value.
//
// Operands borrow from the program's own copy of the spec. Private to filter*.cpp.

#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "mql/bson_compare.hpp"
#include "mql/bson_value.hpp"
#include "mql/expression.hpp"
#include "mql/filter.hpp"
#include "mql/filter_geo.hpp"
#include "mql/path.hpp"
#include "mql/regex.hpp"

namespace tombolo::mql::detail {

enum class CompareOperator : std::uint8_t { eq, lt, lte, gt, gte };

struct ComparePredicate {
    CompareOperator op;
    BsonView operand;
    int kind; ///< canonical type of the operand
    bool is_nan;
};

struct RegexPredicate {
    Regex regex;
    BsonRegexView source; ///< a stored regular expression with the same source matches too
};

struct InPredicate {
    std::vector<BsonView> values; ///< sorted
    std::vector<RegexPredicate> regexes;
    bool has_null = false;
};

struct ExistsPredicate {};

struct TypePredicate {
    std::bitset<256> types; ///< by BsonType
};

struct ModPredicate {
    std::int64_t divisor;
    std::int64_t remainder;
};

struct SizePredicate {
    std::int64_t count; ///< -1 matches nothing
};

struct FilterNode;

struct ElemMatchPredicate {
    std::unique_ptr<FilterNode> condition;
    bool on_documents; ///< the condition has paths into each element; else it is on the element
};

enum class BitsOperator : std::uint8_t { all_set, all_clear, any_set, any_clear };

struct BitsPredicate {
    BitsOperator op;
    std::vector<std::uint32_t> positions;
};

using Predicate =
    std::variant<ComparePredicate, RegexPredicate, InPredicate, ExistsPredicate, TypePredicate,
                 ModPredicate, SizePredicate, ElemMatchPredicate, BitsPredicate, GeoPredicate>;

enum class NodeKind : std::uint8_t { all_of, any_of, none_of, leaf, expression, never };

struct FilterNode {
    NodeKind kind = NodeKind::all_of;
    std::vector<FilterNode> children;

    // leaf
    Path path;
    LeafArrays leaf_arrays = LeafArrays::expand;
    std::optional<Predicate> predicate;

    std::optional<Expression> expression;
};

struct FilterProgram {
    BsonDocument spec;
    FilterNode root;
    const FilterNode* near = nullptr; ///< the leaf with $near, inside root
};

struct MatchState {
    const EvaluationInput& input;
    std::int32_t array_index = -1;
    std::optional<Error> error;
};

/// REQUIRES: `root` is a document, or an array inside $elemMatch. With an error set the answer
/// means nothing.
bool matches(const FilterNode& node, BsonView root, MatchState& state);

/// Where a condition stands: $near may only stand on top, $expr not on an element of $elemMatch.
enum class Place : std::uint8_t { top, logical, element };

/// Compiles the conditions of a document ($elemMatch needs it from below).
Result<FilterNode> compile_conditions(BsonDocumentView spec, const FilterOptions& options,
                                      Place place);

/// Compiles what stands to the right of a path: a value, a regular expression or operators.
Result<FilterNode> compile_field(const Path& path, BsonView operand, const FilterOptions& options,
                                 Place place);

/// True when the document is made of operators: its first key starts with '$' and it is no DBRef.
bool is_operator_document(BsonView value) noexcept;

} // namespace tombolo::mql::detail
