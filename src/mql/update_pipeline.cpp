// Updates: the pipeline form.

#include "mql/update_program.hpp"

namespace tombolo::mql::detail {

struct UpdatePipeline {};

Result<std::shared_ptr<const UpdatePipeline>>
compile_update_pipeline(BsonDocumentView /*stages*/, const ExpressionOptions& /*options*/) {
    return Error(ErrorCode::mql_unsupported, "updates by a pipeline are not supported");
}

Result<BsonDocument> run_update_pipeline(const UpdatePipeline& /*pipeline*/,
                                         BsonDocumentView document,
                                         const EvaluationInput& /*input*/) {
    return BsonDocument(document);
}

} // namespace tombolo::mql::detail
