// Updates: the pipeline form, run by the aggregation stages that keep one document one document.

#include <algorithm>
#include <array>
#include <string>

#include "mql/pipeline.hpp"
#include "mql/update_program.hpp"

namespace tombolo::mql::detail {

struct UpdatePipeline {
    Pipeline pipeline;
};

namespace {

Result<void> check_stages(BsonDocumentView stages) {
    static constexpr std::array<std::string_view, 6> allowed{
        "$set", "$addFields", "$unset", "$project", "$replaceWith", "$replaceRoot"};
    for (const BsonElement& stage : stages) {
        if (!stage.value.is_document() || stage.value.as_document().empty()) {
            continue; // the pipeline's own error is better
        }
        const std::string_view name = stage.value.as_document().begin()->key;
        if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
            return Error(ErrorCode::mql_unsupported,
                         std::string(name) + " is not allowed to be used within an update");
        }
    }
    return {};
}

} // namespace

Result<std::shared_ptr<const UpdatePipeline>>
compile_update_pipeline(BsonDocumentView stages, const ExpressionOptions& options) {
    TOMBOLO_TRY_VOID(check_stages(stages));
    TOMBOLO_TRY(Pipeline pipeline, Pipeline::compile(stages.as_array_value(), options));
    return std::make_shared<const UpdatePipeline>(UpdatePipeline{std::move(pipeline)});
}

Result<BsonDocument> run_update_pipeline(const UpdatePipeline& pipeline, BsonDocumentView document,
                                         const EvaluationInput& input) {
    PipelineInput run;
    run.evaluation = input;
    std::vector<BsonDocument> documents;
    documents.emplace_back(document);
    TOMBOLO_TRY(std::vector<BsonDocument> results,
                pipeline.pipeline.run_all(make_source(std::move(documents)), run));
    if (results.size() != 1) {
        return Error(ErrorCode::mql_failed, "an update by a pipeline must give one document");
    }
    return std::move(results.front());
}

} // namespace tombolo::mql::detail
