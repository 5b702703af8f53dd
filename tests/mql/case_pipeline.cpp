// Cases of kind "pipeline". Options: "foreign": {collection: [documents]} for $lookup, "now": date.

#include "mql/case_operations.hpp"
#include "mql/pipeline.hpp"

namespace tombolo::mql::test {

namespace {

std::vector<BsonDocument> documents_of(BsonView array) {
    std::vector<BsonDocument> documents;
    if (array.is_array()) {
        for (const BsonElement& element : array.as_document()) {
            if (element.value.is_document()) {
                documents.emplace_back(element.value.as_document());
            }
        }
    }
    return documents;
}

class CaseCollections : public ForeignCollections {
  public:
    explicit CaseCollections(BsonView collections) : collections_(collections) {}

    Result<std::unique_ptr<DocumentSource>> open(std::string_view collection) const override {
        const BsonView documents =
            collections_.is_document() ? collections_.as_document().find(collection) : BsonView();
        return make_source(documents_of(documents));
    }

  private:
    BsonView collections_;
};

} // namespace

Result<std::vector<BsonDocument>> run_pipeline(const CaseInput& input) {
    TOMBOLO_TRY(const Pipeline pipeline, Pipeline::compile(input.spec));
    const CaseCollections collections(input.options.find("foreign"));
    const std::function<double()> random = [] { return 0.5; };
    PipelineInput run;
    run.evaluation.random = &random;
    if (const BsonView now = input.options.find("now"); now.type() == BsonType::date) {
        run.evaluation.now_ms = now.as_date_ms();
    }
    run.foreign = &collections;
    std::vector<BsonDocument> documents(input.docs.begin(), input.docs.end());
    return pipeline.run_all(make_source(std::move(documents)), run);
}

} // namespace tombolo::mql::test
