#include "mql/stage_sort_key.hpp"

#include "mql/bson_compare.hpp"

namespace tombolo::mql {

Result<SortKey> SortKey::compile(BsonView spec) {
    SortKey key;
    if (spec.is_document()) {
        TOMBOLO_TRY(key.order_, SortOrder::compile(spec.as_document()));
        if (key.order_.empty()) {
            return Error(ErrorCode::mql_invalid, "a sort needs at least one path");
        }
        return key;
    }
    std::int64_t direction = 0;
    if (!spec.is_number() || !spec.to_int64(direction) || (direction != 1 && direction != -1)) {
        return Error(ErrorCode::mql_invalid, "the direction of a sort must be 1 or -1");
    }
    key.whole_values_ = true;
    key.descending_ = direction < 0;
    return key;
}

std::vector<BsonView> SortKey::key_of(BsonView value) const {
    return whole_values_ ? std::vector<BsonView>{value} : order_.keys(value);
}

int SortKey::compare_keys(const std::vector<BsonView>& left,
                          const std::vector<BsonView>& right) const noexcept {
    if (!whole_values_) {
        return order_.compare(left, right);
    }
    const int order = mql::compare(left[0], right[0]);
    return descending_ ? -order : order;
}

int SortKey::compare(BsonView left, BsonView right) const {
    return compare_keys(key_of(left), key_of(right));
}

} // namespace tombolo::mql
