#include "mql/stage_sort_key.hpp"

#include <span>

#include <fmt/format.h>

#include "mql/bson_compare.hpp"

namespace tombolo::mql {

namespace {

constexpr std::size_t paths_max = 32; // MongoDB's own bound

/// Keeps the smallest or largest of the values seen.
class Extreme {
  public:
    explicit Extreme(bool largest) noexcept : largest_(largest) {}

    void consider(BsonView value) noexcept {
        if (value.is_missing()) {
            value = BsonView::null();
        }
        const int order = empty_ ? 0 : tombolo::mql::compare(value, best_);
        if (empty_ || (largest_ ? order > 0 : order < 0)) {
            best_ = value;
            empty_ = false;
        }
    }

    BsonView value() const noexcept { return empty_ ? BsonView::null() : best_; }

  private:
    bool largest_;
    bool empty_ = true;
    BsonView best_;
};

// Recursion is as deep as the path is long.
void collect(BsonView value, std::span<const PathComponent> rest, Extreme& out) noexcept {
    while (!rest.empty() && value.is_document()) {
        value = value.as_document().find(rest[0].name);
        rest = rest.subspan(1);
    }
    if (!value.is_array()) {
        out.consider(rest.empty() ? value : BsonView());
        return;
    }
    if (rest.empty()) {
        if (value.as_document().empty()) {
            out.consider(BsonView(BsonType::undefined, {}));
        }
        for (const BsonElement& element : value.as_document()) {
            out.consider(element.value);
        }
        return;
    }
    if (rest[0].index >= 0) {
        collect(value.as_document().at(static_cast<std::size_t>(rest[0].index)), rest.subspan(1),
                out);
        return;
    }
    for (const BsonElement& element : value.as_document()) {
        if (element.value.is_document()) {
            collect(element.value, rest, out);
        } else {
            out.consider({});
        }
    }
}

Result<bool> is_descending(BsonView direction) {
    std::int64_t number = 0;
    if (!direction.is_number() || !direction.to_int64(number) || (number != 1 && number != -1)) {
        return Error(ErrorCode::mql_invalid, "the direction of a sort must be 1 or -1");
    }
    return number < 0;
}

} // namespace

Result<SortKey> SortKey::compile(BsonView spec) {
    SortKey key;
    if (!spec.is_document()) {
        TOMBOLO_TRY(const bool descending, is_descending(spec));
        key.parts_.push_back({Path(), descending});
        return key;
    }
    for (const BsonElement& element : spec.as_document()) {
        if (element.key.empty() || element.key.front() == '$') {
            return Error(ErrorCode::mql_invalid,
                         fmt::format("\"{}\" is not a field to sort by", element.key));
        }
        auto descending = is_descending(element.value);
        if (!descending) {
            return descending.error().within(element.key);
        }
        TOMBOLO_TRY(Path path, Path::parse(element.key));
        key.parts_.push_back({std::move(path), *descending});
        if (key.parts_.size() > paths_max) {
            return Error(ErrorCode::mql_invalid,
                         fmt::format("a sort has more than {} paths", paths_max));
        }
    }
    if (key.parts_.empty()) {
        return Error(ErrorCode::mql_invalid, "a sort needs at least one path");
    }
    return key;
}

BsonView SortKey::part_value(const Part& part, BsonView value) noexcept {
    if (part.path.empty()) {
        return value;
    }
    if (!value.is_document()) {
        return BsonView::null();
    }
    Extreme extreme(part.descending);
    collect(value, part.path.components(), extreme);
    return extreme.value();
}

int SortKey::compare(BsonView left, BsonView right) const noexcept {
    for (const Part& part : parts_) {
        const int order = mql::compare(part_value(part, left), part_value(part, right));
        if (order != 0) {
            return part.descending ? -order : order;
        }
    }
    return 0;
}

std::vector<BsonView> SortKey::key_of(BsonView value) const {
    std::vector<BsonView> key;
    key.reserve(parts_.size());
    for (const Part& part : parts_) {
        key.push_back(part_value(part, value));
    }
    return key;
}

int SortKey::compare_keys(const std::vector<BsonView>& left,
                          const std::vector<BsonView>& right) const noexcept {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        const int order = mql::compare(left[i], right[i]);
        if (order != 0) {
            return parts_[i].descending ? -order : order;
        }
    }
    return 0;
}

} // namespace tombolo::mql
