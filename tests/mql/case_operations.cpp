#include "mql/case_operations.hpp"

#include <algorithm>
#include <string>

#include "mql/filter.hpp"
#include "mql/projection.hpp"
#include "mql/sort.hpp"
#include "mql/update.hpp"

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

BsonDocumentView document_option(const CaseInput& input, std::string_view name) {
    const BsonView value = input.options.find(name);
    return value.is_document() ? value.as_document() : BsonDocumentView();
}

UpdateOptions update_options(const CaseInput& input) {
    UpdateOptions options;
    if (const BsonView filters = input.options.find("arrayFilters"); filters.is_array()) {
        for (const BsonElement& element : filters.as_document()) {
            options.array_filters.push_back(element.value.as_document());
        }
    }
    return options;
}

Result<Documents> run_update(const CaseInput& input) {
    TOMBOLO_TRY(const Update update, Update::compile(input.spec, update_options(input)));
    TOMBOLO_TRY(const Filter filter, Filter::compile(document_option(input, "filter")));
    UpdateInput update_input;
    if (const BsonView now = input.options.find("now"); now.type() == BsonType::date) {
        update_input.evaluation.now_ms = now.as_date_ms();
    }
    Documents out;
    bool any = false;
    for (const BsonDocumentView document : input.docs) {
        TOMBOLO_TRY(const bool matched, filter.matches(document, {}, &update_input.match));
        if (!matched) {
            out.emplace_back(document);
            continue;
        }
        any = true;
        TOMBOLO_TRY(BsonDocument updated, update.apply(document, update_input));
        out.push_back(std::move(updated));
    }
    if (!any && input.options.find("upsert").truthy()) {
        TOMBOLO_TRY(BsonDocument inserted, update.upsert(filter, update_input));
        out.push_back(std::move(inserted));
    }
    return out;
}

Result<Documents> run_projection(const CaseInput& input) {
    if (!input.spec.is_document()) {
        return bad_case("a projection is a document");
    }
    TOMBOLO_TRY(const Projection projection, Projection::compile(input.spec.as_document()));
    TOMBOLO_TRY(const Filter filter, Filter::compile(document_option(input, "filter")));
    Documents out;
    for (const BsonDocumentView document : input.docs) {
        MatchDetails details;
        TOMBOLO_TRY(const bool matched, filter.matches(document, {}, &details));
        if (matched) {
            TOMBOLO_TRY(BsonDocument projected, projection.apply(document, {}, details));
            out.push_back(std::move(projected));
        }
    }
    return out;
}

Result<Documents> run_sort(const CaseInput& input) {
    if (!input.spec.is_document()) {
        return bad_case("a sort is a document");
    }
    TOMBOLO_TRY(const SortOrder order, SortOrder::compile(input.spec.as_document()));
    std::vector<BsonView> sorted;
    for (const BsonDocumentView document : input.docs) {
        sorted.push_back(document.as_value());
    }
    order.sort(sorted);
    Documents out;
    for (const BsonView document : sorted) {
        out.emplace_back(document.as_document());
    }
    return out;
}

} // namespace

Result<Documents> run_operation(std::string_view kind, const CaseInput& input) {
    if (kind == "filter") {
        return run_filter(input);
    }
    if (kind == "update") {
        return run_update(input);
    }
    if (kind == "projection") {
        return run_projection(input);
    }
    if (kind == "sort") {
        return run_sort(input);
    }
    if (kind == "pipeline") {
        return run_pipeline(input);
    }
    return bad_case("unknown kind '" + std::string(kind) + "'");
}

} // namespace tombolo::mql::test
