// Pipelines: bounds, laziness, and properties. What each stage gives:
// tests/cases/mql/pipelines.jsonl.

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "mql/bson_compare.hpp"
#include "mql/case_runner.hpp"
#include "mql/filter.hpp"
#include "mql/pipeline.hpp"

namespace tombolo::mql {
namespace {

using Documents = std::vector<BsonDocument>;

Result<Pipeline> compile(const std::string& stages) {
    const BsonDocument holder = test::from_json("{\"p\": " + stages + "}").value();
    return Pipeline::compile(holder.view().find("p"));
}

Result<Documents> run(const std::string& stages, Documents documents,
                      const PipelineInput& input = {}) {
    TOMBOLO_TRY(const Pipeline pipeline, compile(stages));
    return pipeline.run_all(make_source(std::move(documents)), input);
}

Documents numbered(std::size_t count, std::size_t text_bytes = 0) {
    Documents documents;
    for (std::size_t i = 0; i < count; ++i) {
        BsonWriter writer;
        writer.append_int32("_id", static_cast<std::int32_t>(i));
        writer.append_int32("n", static_cast<std::int32_t>(i * 7919 % 101));
        if (text_bytes > 0) {
            writer.append_string("text", std::string(text_bytes, 'x'));
        }
        documents.push_back(std::move(writer).finish());
    }
    return documents;
}

bool same(const Documents& left, const Documents& right) {
    if (left.size() != right.size()) {
        return false;
    }
    for (std::size_t i = 0; i < left.size(); ++i) {
        if (!identical(left[i].view().as_value(), right[i].view().as_value())) {
            return false;
        }
    }
    return true;
}

/// Counts what is pulled from it.
class CountingSource : public DocumentSource {
  public:
    explicit CountingSource(std::size_t& count) : count_(&count) {}
    Result<std::optional<BsonDocument>> next() override {
        ++*count_;
        return std::optional(BsonDocument());
    }

  private:
    std::size_t* count_;
};

TEST(Pipeline, limit_stops_pulling) {
    std::size_t pulled = 0;
    const Pipeline pipeline = compile(R"([{"$addFields": {"a": 1}}, {"$limit": 3}])").value();
    const auto results = pipeline.run_all(std::make_unique<CountingSource>(pulled), {});
    EXPECT_EQ(3U, results.value().size());
    EXPECT_EQ(3U, pulled);
}

TEST(Pipeline, memory_error_names_the_stage) {
    PipelineInput input;
    input.memory_bytes_max = 10'000;
    for (const std::string stage :
         {R"({"$sort": {"n": 1}})", R"({"$group": {"_id": "$_id", "t": {"$push": "$text"}}})",
          R"({"$facet": {"a": []}})"}) {
        const auto results = run("[{\"$match\": {}}, " + stage + "]", numbered(100, 500), input);
        ASSERT_FALSE(results);
        EXPECT_EQ(ErrorCode::limit_exceeded, results.error().code());
        EXPECT_EQ(0U, results.error().context().find("[1].$")) << results.error().what();
    }
}

TEST(Pipeline, sort_with_limit_holds_only_the_limit) {
    PipelineInput input;
    input.memory_bytes_max = 20'000;
    const auto results =
        run(R"([{"$sort": {"n": 1, "_id": 1}}, {"$limit": 5}])", numbered(1000, 500), input);
    EXPECT_EQ(5U, results.value().size());
}

TEST(Pipeline, leading_match_is_shown_to_the_store) {
    EXPECT_NE(nullptr, compile(R"([{"$match": {"a": 1}}])").value().leading_match());
    EXPECT_EQ(nullptr, compile(R"([{"$limit": 1}, {"$match": {"a": 1}}])").value().leading_match());
    EXPECT_EQ(nullptr, compile("[]").value().leading_match());
}

TEST(Pipeline, run_outlives_the_pipeline) {
    std::unique_ptr<DocumentSource> results;
    {
        const Pipeline pipeline = compile(R"([{"$sort": {"n": 1}}, {"$limit": 2}])").value();
        results = pipeline.run(make_source(numbered(10)), {}).value();
    }
    EXPECT_TRUE(results->next().value().has_value());
}

TEST(Pipeline, lookup_without_collections_is_an_error) {
    const auto results =
        run(R"([{"$lookup": {"from": "x", "localField": "a", "foreignField": "b", "as": "c"}}])",
            numbered(1));
    ASSERT_FALSE(results);
    EXPECT_EQ(ErrorCode::mql_unsupported, results.error().code());
}

TEST(Pipeline, sample_draws_distinct_documents) {
    double seed = 0.1;
    const std::function<double()> random = [&seed] {
        seed = seed * 9301.0 + 0.49297;
        seed -= static_cast<double>(static_cast<std::int64_t>(seed));
        return seed;
    };
    PipelineInput input;
    input.evaluation.random = &random;
    const auto results =
        run(R"([{"$sample": {"size": 10}}, {"$group": {"_id": "$_id"}}])", numbered(100), input);
    EXPECT_EQ(10U, results.value().size());
}

TEST(Pipeline, stages_are_bounded) {
    std::string stages = "[{\"$limit\": 1}";
    for (int i = 0; i < 1000; ++i) {
        stages += ", {\"$limit\": 1}";
    }
    const auto compiled = compile(stages + "]");
    ASSERT_FALSE(compiled);
    EXPECT_EQ(ErrorCode::limit_exceeded, compiled.error().code());
}

TEST(Pipeline, documents_nested_stage_by_stage_are_bounded) {
    std::string stages = "[{\"$match\": {}}";
    for (int i = 0; i < 200; ++i) {
        stages += R"(, {"$replaceWith": {"a": "$$ROOT"}})";
    }
    const auto results = run(stages + "]", numbered(1));
    ASSERT_FALSE(results);
    EXPECT_EQ(ErrorCode::limit_exceeded, results.error().code());
}

RC_GTEST_PROP(PipelineProperty, match_is_the_filter, ()) {
    const auto count = *rc::gen::inRange<std::size_t>(0, 60);
    const auto bound = std::to_string(*rc::gen::inRange(0, 101));
    const std::string filter_text = R"({"$or": [{"n": {"$lt": )" + bound + R"(}}, {"_id": 3}]})";
    const BsonDocument spec = test::from_json(filter_text).value();
    const Filter filter = Filter::compile(spec.view()).value();
    Documents expected;
    for (const BsonDocument& document : numbered(count)) {
        if (filter.matches(document.view()).value()) {
            expected.push_back(document);
        }
    }
    RC_ASSERT(same(expected, run("[{\"$match\": " + filter_text + "}]", numbered(count)).value()));
}

RC_GTEST_PROP(PipelineProperty, sort_and_limit_is_sort_then_take, ()) {
    const auto count = *rc::gen::inRange<std::size_t>(0, 200);
    const auto limit = *rc::gen::inRange<std::size_t>(1, 50);
    Documents sorted = run(R"([{"$sort": {"n": -1}}])", numbered(count)).value();
    sorted.resize(std::min(limit, sorted.size()));
    const std::string stages =
        R"([{"$sort": {"n": -1}}, {"$limit": )" + std::to_string(limit) + "}]";
    RC_ASSERT(same(sorted, run(stages, numbered(count)).value()));
}

RC_GTEST_PROP(PipelineProperty, group_counts_every_document_once, ()) {
    const auto count = *rc::gen::inRange<std::size_t>(1, 200);
    const auto divisor = std::to_string(*rc::gen::inRange(1, 20));
    const Documents total =
        run(R"([{"$group": {"_id": {"$mod": ["$n", )" + divisor +
                R"(]}, "c": {"$sum": 1}}}, {"$group": {"_id": null, "c": {"$sum": "$c"}}}])",
            numbered(count))
            .value();
    RC_ASSERT(total.at(0).view().find("c").as_int32() == static_cast<std::int32_t>(count));
}

RC_GTEST_PROP(PipelineProperty, skip_and_limit_partition_the_documents, ()) {
    const auto count = *rc::gen::inRange<std::size_t>(0, 60);
    const auto at = std::to_string(*rc::gen::inRange(1, 70));
    Documents joined = run("[{\"$limit\": " + at + "}]", numbered(count)).value();
    Documents rest = run("[{\"$skip\": " + at + "}]", numbered(count)).value();
    for (BsonDocument& document : rest) {
        joined.push_back(std::move(document));
    }
    RC_ASSERT(same(joined, numbered(count)));
}

} // namespace
} // namespace tombolo::mql
