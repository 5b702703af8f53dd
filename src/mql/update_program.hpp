#pragma once

// Inside of a compiled update. Private to update*.cpp.
//
// Operations are sorted by path; their arguments borrow from the program's own copy of the spec.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mql/bson_value.hpp"
#include "mql/filter.hpp"
#include "mql/mutable_value.hpp"
#include "mql/sort.hpp"
#include "mql/update.hpp"

namespace tombolo::mql::detail {

enum class UpdateOperator : std::uint8_t {
    set,
    unset,
    inc,
    mul,
    min,
    max,
    rename,
    set_on_insert,
    current_date,
    push,
    pull,
    pull_all,
    pop,
    add_to_set,
    bit,
};

std::string_view operator_name(UpdateOperator op) noexcept;

enum class StepKind : std::uint8_t {
    field,    ///< a name, in arrays a position
    matched,  ///< $
    all,      ///< $[]
    filtered, ///< $[identifier]
};

struct UpdateStep {
    StepKind kind = StepKind::field;
    std::string name;        ///< as it stands in the path
    std::int64_t index = -1; ///< of a numeric name
    std::size_t filter = 0;  ///< of a filtered step: which array filter
};

struct PushArgument {
    std::vector<BsonView> values;
    std::optional<std::int64_t> slice;
    std::optional<std::int64_t> position;
    std::optional<SortOrder> sort; ///< by fields
    int sort_direction = 0;        ///< by whole elements: 1, -1, or 0
};

struct PullArgument {
    std::optional<Filter> filter;
    bool wrapped =
        false; ///< the filter sees {"": element}; else the element itself, which must be a document
};

enum class BitOperator : std::uint8_t { bit_and, bit_or, bit_xor };

struct BitArgument {
    std::vector<std::pair<BitOperator, BsonView>> steps;
};

struct RenameArgument {
    std::vector<UpdateStep> source;
};

struct DateArgument {
    bool timestamp = false;
};

using UpdateArgument = std::variant<std::monostate, PushArgument, PullArgument, BitArgument,
                                    RenameArgument, DateArgument>;

struct UpdateOperation {
    UpdateOperator op = UpdateOperator::set;
    std::string dotted;
    std::vector<UpdateStep> path;
    BsonView operand;
    UpdateArgument argument;
    std::size_t order = 0; ///< place in the spec
};

struct ArrayFilter {
    std::string identifier;
    Filter filter; ///< sees {identifier: element}
};

/// The stages of a pipeline-style update.
struct UpdatePipeline;

struct UpdateProgram {
    BsonValue spec;
    std::vector<BsonDocument> array_filter_specs;
    std::vector<ArrayFilter> array_filters;
    std::vector<UpdateOperation> operations;
    bool is_replacement = false;
    std::shared_ptr<const UpdatePipeline> pipeline;
};

/// What applying one operation needs; lives for one call of apply.
struct UpdateContext {
    const UpdateProgram& program;
    const UpdateInput& input;
    BsonView document_id;
    MutableValue* renamed = nullptr; ///< the value that $rename moves
};

/// Parses "a.b.$[x]"; the errors are MongoDB's.
Result<std::vector<UpdateStep>> parse_update_path(std::string_view dotted,
                                                  const std::vector<ArrayFilter>& filters);

/// Compiles the argument of one operator on one path.
Result<UpdateArgument> compile_update_argument(UpdateOperator op, std::string_view path,
                                               BsonView operand);

/// True for operators that make their field (and its parents) when it is not there.
bool creates_field(UpdateOperator op) noexcept;

/// Carries the operation out on the value at its path; a missing target was just created.
Result<void> apply_to_value(const UpdateOperation& operation, MutableValue& target,
                            UpdateContext& context);

/// "mql_failed" with the operation's path as context.
Error update_failed(const UpdateOperation& operation, std::string message);

Result<std::shared_ptr<const UpdatePipeline>>
compile_update_pipeline(BsonDocumentView stages, const ExpressionOptions& options);
Result<BsonDocument> run_update_pipeline(const UpdatePipeline& pipeline, BsonDocumentView document,
                                         const EvaluationInput& input);

} // namespace tombolo::mql::detail
