// Two documents one after the other: {"p": [stages]} and one more input document beside two fixed
// ones.

#include <cstddef>
#include <cstdint>
#include <functional>

#include "mql/pipeline.hpp"
#include "mql_filter_input.hpp"

namespace {

using namespace tombolo;
using namespace tombolo::mql;

std::vector<BsonDocument> documents(BsonDocumentView extra) {
    std::vector<BsonDocument> all;
    for (std::int32_t i = 0; i < 2; ++i) {
        BsonWriter writer;
        writer.append_int32("_id", i);
        writer.append_string("s", i == 0 ? "Hello" : "");
        writer.append_date_ms("d", 1'700'000'000'000 + i);
        writer.begin_array("a");
        writer.append_int32({}, i);
        writer.append_double({}, 2.5);
        writer.append_null({});
        writer.end();
        all.push_back(std::move(writer).finish());
    }
    all.emplace_back(extra);
    return all;
}

class Collections : public ForeignCollections {
  public:
    explicit Collections(BsonDocumentView extra) : extra_(extra) {}
    Result<std::unique_ptr<DocumentSource>> open(std::string_view) const override {
        return make_source(documents(extra_));
    }

  private:
    BsonDocumentView extra_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz::two_documents(data, size);
    if (!input) {
        return 0;
    }
    const auto pipeline = Pipeline::compile(input->first.find("p"));
    if (!pipeline) {
        return 0;
    }
    const std::function<double()> random = [] { return 0.5; };
    const Collections collections(input->second);
    PipelineInput run;
    run.evaluation = fuzz::small_evaluation();
    run.evaluation.random = &random;
    run.foreign = &collections;
    run.memory_bytes_max = 256 * 1024;
    auto results = pipeline->run(make_source(documents(input->second)), run);
    // Joins multiply: a bounded number of results is enough.
    for (int i = 0; results && i < 200; ++i) {
        const auto document = (*results)->next();
        if (!document || !*document) {
            break;
        }
        if (!BsonDocumentView::validate((*document)->bytes(), limits::document_bytes_max * 2,
                                        400)) {
            __builtin_trap(); // what a pipeline gives is BSON
        }
    }
    return 0;
}
