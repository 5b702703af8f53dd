#include "mql/case_operations.hpp"

#include <algorithm>
#include <string>

#include "mql/filter.hpp"

namespace tombolo::mql::test {

namespace {

using Documents = std::vector<BsonDocument>;

Error bad_case(std::string_view what) {
    return Error(ErrorCode::invalid_argument, "bad case: " + std::string(what));
}

Result<Documents> run_filter(const CaseInput& input) {
    if (!input.spec.is_document()) {
        return bad_case("a filter is a document");
    }
    TOMBOLO_TRY(const Filter filter, Filter::compile(input.spec.as_document()));
    std::vector<BsonDocumentView> matched;
    for (const BsonDocumentView document : input.docs) {
        TOMBOLO_TRY(const bool matches, filter.matches(document));
        if (matches) {
            matched.push_back(document);
        }
    }
    if (filter.has_near()) {
        std::stable_sort(matched.begin(), matched.end(), [&](auto left, auto right) {
            return *filter.near_distance(left) < *filter.near_distance(right);
        });
    }
    return Documents(matched.begin(), matched.end());
}

} // namespace

Result<Documents> run_operation(std::string_view kind, const CaseInput& input) {
    if (kind == "filter") {
        return run_filter(input);
    }
    return bad_case("unknown kind '" + std::string(kind) + "'");
}

} // namespace tombolo::mql::test
