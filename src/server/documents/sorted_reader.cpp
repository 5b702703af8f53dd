#include "server/documents/sorted_reader.hpp"

#include <algorithm>
#include <numeric>

namespace tombolo::documents {

namespace {

/// Held at least, beyond twice the limit, before the worst are dropped.
constexpr std::size_t slack = 1024;

} // namespace

SortedReader::SortedReader(const CollectionView& view, const mql::Filter& filter,
                           const mql::SortOrder& order, std::optional<std::size_t> limit,
                           std::size_t memory_bytes_max)
    : filter_(filter), order_(order), limit_(limit), memory_bytes_max_(memory_bytes_max),
      sorts_(!order.empty() || filter.has_near()), reader_(view, &filter) {}

Result<bool> SortedReader::next() {
    if (limit_ && returned_ == *limit_) {
        return false;
    }
    if (!sorts_) {
        TOMBOLO_TRY(const bool more, reader_.next());
        returned_ += more ? 1 : 0;
        return more;
    }
    if (!collected_) {
        TOMBOLO_TRY_VOID(collect());
    }
    if (returned_ == held_.size()) {
        return false;
    }
    ++returned_;
    return true;
}

mql::BsonDocumentView SortedReader::document() const noexcept {
    return sorts_ ? held_[returned_ - 1].document.view() : reader_.shown();
}

const mql::MatchDetails& SortedReader::details() const noexcept {
    return sorts_ ? held_[returned_ - 1].details : reader_.details();
}

Result<void> SortedReader::collect() {
    collected_ = true;
    std::size_t bytes = 0;
    for (;;) {
        TOMBOLO_TRY(const bool more, reader_.next());
        if (!more) {
            break;
        }
        Held held{mql::BsonDocument(reader_.shown()), reader_.details(), 0};
        if (filter_.has_near()) {
            held.distance = filter_.near_distance(held.document).value_or(0);
        }
        bytes += held.document.bytes().size();
        held_.push_back(std::move(held));
        if (limit_ && held_.size() > slack && held_.size() / 2 > *limit_) {
            sort_held();
            bytes = std::accumulate(held_.begin(), held_.end(), std::size_t{0},
                                    [](std::size_t sum, const Held& each) {
                                        return sum + each.document.bytes().size();
                                    });
        }
        if (bytes > memory_bytes_max_) {
            return Error(ErrorCode::limit_exceeded, "the sort needs more than " +
                                                        std::to_string(memory_bytes_max_) +
                                                        " bytes; narrow the query or add a limit");
        }
    }
    sort_held();
    return {};
}

// Stable, and cut to the limit.
void SortedReader::sort_held() {
    struct Entry {
        std::vector<mql::BsonView> keys;
        std::size_t index;
    };
    std::vector<Entry> entries;
    entries.reserve(held_.size());
    for (std::size_t i = 0; i < held_.size(); ++i) {
        entries.push_back({order_.keys(held_[i].document.view().as_value()), i});
    }
    std::stable_sort(entries.begin(), entries.end(), [&](const Entry& left, const Entry& right) {
        return order_.empty() ? held_[left.index].distance < held_[right.index].distance
                              : order_.compare(left.keys, right.keys) < 0;
    });
    if (limit_ && entries.size() > *limit_) {
        entries.resize(*limit_);
    }
    std::vector<Held> sorted;
    sorted.reserve(entries.size());
    for (const Entry& entry : entries) {
        sorted.push_back(std::move(held_[entry.index]));
    }
    held_ = std::move(sorted);
}

} // namespace tombolo::documents
