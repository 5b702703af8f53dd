#pragma once

// MongoDB's aggregation pipelines: compiled once, run over any source of documents.
//
//     TOMBOLO_TRY(const auto pipeline, Pipeline::compile(stages));
//     TOMBOLO_TRY(auto results, pipeline.run(std::move(source), input));
//     while (true) { TOMBOLO_TRY(const auto document, results->next()); if (!document) break; ... }
//
// Stages: $match $project $addFields $set $unset $group $sort $limit $skip $count $unwind $lookup
// $facet $replaceRoot $replaceWith $sample $sortByCount $bucket $unionWith. Any other stage is an
// error of compile that names it.
//
// Documents are pulled one at a time; only $group, $sort, $facet, $sample, $bucket and $lookup hold
// documents, and what they hold counts against PipelineInput::memory_bytes_max: beyond it the run
// fails with limit_exceeded naming the stage. $sort directly before $limit holds as many documents
// as the limit says. An error names the stage by position and name ("[2].$group").
//
// A Pipeline is immutable and cheap to copy. Thread-safety: const use from any thread; one run
// belongs to one thread.

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "mql/expression.hpp"

namespace tombolo::mql {

class Filter;

/// A stream of documents, pulled.
class DocumentSource {
  public:
    virtual ~DocumentSource() = default;
    /// The next document, or nothing at the end. After the end or an error it is not called again.
    virtual Result<std::optional<BsonDocument>> next() = 0;
};

/// Reads copies of documents that are already in memory.
std::unique_ptr<DocumentSource> make_source(std::vector<BsonDocument> documents);

/// The collections that $lookup and $unionWith read.
class ForeignCollections {
  public:
    virtual ~ForeignCollections() = default;
    /// Every document of the collection that the caller may see. not_found or any other error ends
    /// the run.
    virtual Result<std::unique_ptr<DocumentSource>> open(std::string_view collection) const = 0;
};

struct PipelineInput {
    EvaluationInput evaluation;
    const ForeignCollections* foreign = nullptr; ///< null makes $lookup and $unionWith errors
    std::size_t memory_bytes_max = 100 * 1024 * 1024;
};

namespace detail {
struct PipelineProgram;
}

class Pipeline {
  public:
    /// `stages` is an array of stages.
    static Result<Pipeline> compile(BsonView stages, const ExpressionOptions& options = {});

    /// The results as a stream. What `input` points to and this pipeline must outlive it.
    Result<std::unique_ptr<DocumentSource>> run(std::unique_ptr<DocumentSource> source,
                                                const PipelineInput& input) const;

    /// All results at once.
    Result<std::vector<BsonDocument>> run_all(std::unique_ptr<DocumentSource> source,
                                              const PipelineInput& input) const;

    /// The filter of a leading $match, or null: a store that finds the matching documents by itself
    /// may hand over those only.
    const Filter* leading_match() const noexcept;

  private:
    explicit Pipeline(std::shared_ptr<const detail::PipelineProgram> program)
        : program_(std::move(program)) {}

    // Shared: named pipelines of an app are compiled once and copied into requests.
    std::shared_ptr<const detail::PipelineProgram> program_;
};

} // namespace tombolo::mql
