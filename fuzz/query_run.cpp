// The first line is a query on Person; what binds runs on the fixture's objects, on their
// documents, and by its plan with one result. The rest of the input is taken for a document: any
// bytes are read without harm, and the same by the one-pass filter as by the evaluator.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.hpp"
#include "query/bson_documents.hpp"
#include "query/document_filter.hpp"
#include "query/fixture.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tombolo;
    using namespace tombolo::query;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t line = std::min(input.find('\n'), input.size());
    const auto bound = compile(input.substr(0, line), test::fixture_schema(), "Person");
    if (!bound) {
        return 0;
    }
    static const test::DocumentStore documents(test::fixture_store());
    static const auto refs = test::fixture_store().objects("Person");
    const ObjectAccessor objects(test::fixture_store());
    const Evaluator<ObjectAccessor> evaluator(objects);
    const DocumentFilter filter(*bound, &documents);
    const MatchPlan plan = make_match_plan(*bound);
    const bool local = input.substr(0, line).find("@links") != std::string_view::npos;
    for (std::size_t i = 0; i < refs.size(); ++i) {
        const bool expected = evaluator.matches(*bound, refs[i]);
        TOMBOLO_CHECK(test::plan_matches(plan, objects, refs[i]) == expected);
        TOMBOLO_CHECK(local || filter.matches(documents.documents("Person")[i]) == expected);
    }
    run(*bound, objects, refs);
    if (line < input.size()) {
        const std::string_view bytes = input.substr(line + 1);
        const BsonAccessor bson(&documents);
        const BsonObject object{as_bytes(bytes), bound->object_class, nullptr, 0};
        TOMBOLO_CHECK(filter.matches(as_bytes(bytes)) ==
                      Evaluator<BsonAccessor>(bson).matches(*bound, object));
    }
    return 0;
}
