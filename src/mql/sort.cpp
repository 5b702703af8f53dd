#include "mql/sort.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "mql/bson_compare.hpp"

namespace tombolo::mql {

namespace {

constexpr std::size_t sort_fields_max = 32; // as MongoDB has it

BsonView undefined() noexcept {
    return {BsonType::undefined, {}};
}

// The least or greatest of the values offered.
struct Extreme {
    bool greatest;
    BsonView value;
    bool found = false;

    void offer(BsonView candidate) noexcept {
        if (candidate.is_missing()) {
            candidate = BsonView::null();
        }
        const int order = found ? compare(candidate, value) : 0;
        if (!found || (greatest ? order > 0 : order < 0)) {
            value = candidate;
            found = true;
        }
    }
};

void collect(BsonView value, std::span<const PathComponent> rest, Extreme& out) noexcept {
    if (rest.empty()) {
        if (!value.is_array()) {
            return out.offer(value);
        }
        if (value.as_document().empty()) {
            return out.offer(undefined());
        }
        for (const BsonElement& element : value.as_document()) {
            out.offer(element.value);
        }
        return;
    }
    if (value.is_document()) {
        return collect(value.as_document().find(rest[0].name), rest.subspan(1), out);
    }
    if (!value.is_array() || value.as_document().empty()) {
        return out.offer(BsonView());
    }
    if (rest[0].index >= 0) {
        const auto position = static_cast<std::size_t>(rest[0].index);
        return collect(value.as_document().at(position), rest.subspan(1), out);
    }
    for (const BsonElement& element : value.as_document()) {
        // Arrays directly in arrays are not entered.
        collect(element.value.is_document() ? element.value : BsonView(), rest, out);
    }
}

} // namespace

Result<SortOrder> SortOrder::compile(BsonDocumentView spec) {
    SortOrder out;
    for (const BsonElement& element : spec) {
        const std::string where = "sort field '" + std::string(element.key) + "'";
        if (element.value.is_document()) {
            return Error(ErrorCode::mql_unsupported, "sorting by $meta is not supported", where);
        }
        std::int64_t direction = 0;
        if (!element.value.is_number() || !element.value.to_int64(direction) ||
            (direction != 1 && direction != -1)) {
            return Error(ErrorCode::mql_invalid,
                         "$sort key ordering must be 1 (for ascending) or -1 (for descending)",
                         where);
        }
        TOMBOLO_TRY(Path path, Path::parse(element.key));
        for (const PathComponent& component : path.components()) {
            if (component.name.empty() || component.name.starts_with('$')) {
                return Error(ErrorCode::mql_invalid,
                             "a sort path may not have an empty component or one that starts with "
                             "'$'",
                             where);
            }
        }
        if (out.fields_.size() == sort_fields_max) {
            return Error(ErrorCode::mql_invalid, "too many fields to sort by: at most 32", where);
        }
        out.fields_.push_back({std::move(path), direction < 0});
    }
    return out;
}

std::vector<BsonView> SortOrder::keys(BsonView document) const {
    std::vector<BsonView> keys;
    keys.reserve(fields_.size());
    for (const Field& field : fields_) {
        Extreme extreme{field.descending, {}};
        collect(document.is_document() ? document : BsonView(), field.path.components(), extreme);
        keys.push_back(extreme.value);
    }
    return keys;
}

int SortOrder::compare(std::span<const BsonView> left,
                       std::span<const BsonView> right) const noexcept {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        const int order = mql::compare(left[i], right[i]);
        if (order != 0) {
            return fields_[i].descending ? -order : order;
        }
    }
    return 0;
}

void SortOrder::sort(std::vector<BsonView>& documents) const {
    std::vector<std::vector<BsonView>> all_keys;
    all_keys.reserve(documents.size());
    for (const BsonView document : documents) {
        all_keys.push_back(keys(document));
    }
    std::vector<std::size_t> order(documents.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
        return compare(all_keys[left], all_keys[right]) < 0;
    });
    std::vector<BsonView> sorted;
    sorted.reserve(documents.size());
    for (const std::size_t index : order) {
        sorted.push_back(documents[index]);
    }
    documents = std::move(sorted);
}

} // namespace tombolo::mql
