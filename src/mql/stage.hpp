#pragma once

// Inside of pipelines: what a stage is, and what one run shares between its stages.
//
// A stage is compiled and immutable; open() puts its source on top of the input's. Sources borrow
// the stage and the Run, which outlive them.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "mql/expression.hpp"
#include "mql/filter.hpp"
#include "mql/pipeline.hpp"

namespace tombolo::mql::detail {

/// The memory that the stages of one run hold together.
class MemoryBudget {
  public:
    explicit MemoryBudget(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}

    /// limit_exceeded when nothing is left.
    Result<void> take(std::size_t bytes);
    void give_back(std::size_t bytes) noexcept { used_ -= bytes; }

  private:
    std::size_t bytes_max_;
    std::size_t used_ = 0;
};

/// A share of the budget that ends with its holder.
class MemoryShare {
  public:
    explicit MemoryShare(MemoryBudget& budget) noexcept : budget_(&budget) {}
    ~MemoryShare() { budget_->give_back(held_); }
    MemoryShare(const MemoryShare&) = delete;
    MemoryShare& operator=(const MemoryShare&) = delete;

    Result<void> take(std::size_t bytes);
    void give_back(std::size_t bytes) noexcept;
    std::size_t held() const noexcept { return held_; }

  private:
    MemoryBudget* budget_;
    std::size_t held_ = 0;
};

/// One run of a pipeline, or of a pipeline inside $lookup or $facet.
struct Run {
    EvaluationInput evaluation;
    const ForeignCollections* foreign = nullptr;
    MemoryBudget* budget = nullptr;
};

using SourcePtr = std::unique_ptr<DocumentSource>;

class Stage {
  public:
    virtual ~Stage() = default;
    virtual SourcePtr open(SourcePtr input, const Run& run) const = 0;
    virtual const Filter* filter() const noexcept { return nullptr; }
    /// Tells the stage that only that many of its results will be read. True when it takes notice.
    virtual bool set_limit(std::size_t) noexcept { return false; }
};

using StagePtr = std::unique_ptr<Stage>;

struct PipelineProgram {
    struct NamedStage {
        StagePtr stage;
        std::string name; ///< "[2].$group"
    };
    std::vector<NamedStage> stages;
};

/// How deep pipelines stand in one another: inside $lookup, $facet, $unionWith.
inline constexpr std::size_t pipeline_depth_max = 20; // MongoDB's own bound for views and $lookup
/// Stages of one pipeline.
inline constexpr std::size_t stages_max = 1000; // MongoDB's own bound

/// What compiling a stage needs to know.
struct StageContext {
    ExpressionOptions options;
    std::size_t depth = 0;
    bool in_facet = false;
};

using StageCompiler = Result<StagePtr> (*)(BsonView spec, const StageContext& context);

Result<std::shared_ptr<const PipelineProgram>> compile_stages(BsonView stages,
                                                              const StageContext& context);
SourcePtr open_stages(const PipelineProgram& program, SourcePtr source, const Run& run);
Result<std::vector<BsonDocument>> read_all(DocumentSource& source, MemoryShare& memory);

Result<StagePtr> compile_match(BsonView spec, const StageContext& context);
Result<StagePtr> compile_limit(BsonView spec, const StageContext& context);
Result<StagePtr> compile_skip(BsonView spec, const StageContext& context);
Result<StagePtr> compile_count(BsonView spec, const StageContext& context);
Result<StagePtr> compile_sample(BsonView spec, const StageContext& context);
Result<StagePtr> compile_replace_root(BsonView spec, const StageContext& context);
Result<StagePtr> compile_replace_with(BsonView spec, const StageContext& context);
Result<StagePtr> compile_project(BsonView spec, const StageContext& context);
Result<StagePtr> compile_add_fields(BsonView spec, const StageContext& context);
Result<StagePtr> compile_unset(BsonView spec, const StageContext& context);
Result<StagePtr> compile_group(BsonView spec, const StageContext& context);
Result<StagePtr> compile_sort_by_count(BsonView spec, const StageContext& context);
Result<StagePtr> compile_bucket(BsonView spec, const StageContext& context);
Result<StagePtr> compile_sort(BsonView spec, const StageContext& context);
Result<StagePtr> compile_unwind(BsonView spec, const StageContext& context);
Result<StagePtr> compile_lookup(BsonView spec, const StageContext& context);
Result<StagePtr> compile_union_with(BsonView spec, const StageContext& context);
Result<StagePtr> compile_facet(BsonView spec, const StageContext& context);

/// A stage made of others, one after the other.
StagePtr make_sequence(std::vector<StagePtr> stages);

Error invalid_stage(std::string message);
/// limit_exceeded when a result is larger than a document may be.
Result<void> check_document_size(std::size_t bytes);
/// "a.b": checked parts of a field path as $unwind, $lookup and others take them, without the '$'.
Result<std::vector<std::string>> split_field_path(std::string_view text);
/// A copy of `document` with the field set, or removed when `value` is missing. Documents on the
/// way are made as needed; other values on the way are replaced.
BsonDocument with_field(BsonDocumentView document, const std::vector<std::string>& path,
                        BsonView value);

} // namespace tombolo::mql::detail
