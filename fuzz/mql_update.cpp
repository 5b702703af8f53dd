// Two documents one after the other: {u: update, f: [array filters], q: filter, p: projection} and
// what it is applied to.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mql/bson_compare.hpp"
#include "mql/bson_diff.hpp"
#include "mql/projection.hpp"
#include "mql/update.hpp"
#include "mql_filter_input.hpp"

namespace {

using namespace tombolo::mql;

BsonDocumentView part(BsonDocumentView spec, std::string_view name) {
    const BsonView value = spec.find(name);
    return value.is_document() ? value.as_document() : BsonDocumentView();
}

void check_result(BsonDocumentView before, BsonDocumentView after) {
    if (!BsonDocumentView::validate(after.bytes())) {
        __builtin_trap();
    }
    if (!before.find("_id").is_missing() && !equal(before.find("_id"), after.find("_id"))) {
        __builtin_trap();
    }
    diff(before, after);
}

void update(BsonDocumentView spec, BsonDocumentView document) {
    UpdateOptions options;
    if (const BsonView filters = spec.find("f"); filters.is_array()) {
        for (const BsonElement& element : filters.as_document()) {
            if (element.value.is_document()) {
                options.array_filters.push_back(element.value.as_document());
            }
        }
    }
    const auto compiled = Update::compile(spec.find("u"), options);
    const auto filter = Filter::compile(part(spec, "q"));
    if (!compiled || !filter) {
        return;
    }
    UpdateInput input;
    input.evaluation = fuzz::small_evaluation();
    const auto matched = filter->matches(document, input.evaluation, &input.match);
    if (matched && *matched) {
        if (const auto result = compiled->apply(document, input)) {
            check_result(document, *result);
        }
    } else if (const auto inserted = compiled->upsert(*filter, input)) {
        check_result({}, *inserted);
    }
}

void project(BsonDocumentView spec, BsonDocumentView document) {
    if (const auto projection = Projection::compile(part(spec, "p"))) {
        MatchDetails details;
        details.array_index = 0;
        const auto result = projection->apply(document, fuzz::small_evaluation(), details);
        if (result && !BsonDocumentView::validate(result->bytes())) {
            __builtin_trap();
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (const auto input = fuzz::two_documents(data, size)) {
        update(input->first, input->second);
        project(input->first, input->second);
    }
    return 0;
}
