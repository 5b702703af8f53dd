#pragma once

// A Reader's matches in the order and number that were asked for.
//
// Without a sort they stream. With one they are held, as bytes of what the caller sees: all of them
// up to `memory_bytes_max`, or, with a limit, little more than the limit.
//
// Thread-safety: one thread.

#include <vector>

#include "mql/sort.hpp"
#include "server/documents/reader.hpp"

namespace tombolo::documents {

class SortedReader {
  public:
    /// What is borrowed must outlive the reader. A filter with $near sorts by distance unless
    /// `order` says otherwise.
    SortedReader(const CollectionView& view, const mql::Filter& filter, const mql::SortOrder& order,
                 std::optional<std::size_t> limit, std::size_t memory_bytes_max);

    Result<bool> next();
    /// As the caller sees it; valid until next().
    mql::BsonDocumentView document() const noexcept;
    const mql::MatchDetails& details() const noexcept;
    const Reader& reader() const noexcept { return reader_; }

  private:
    struct Held {
        mql::BsonDocument document;
        mql::MatchDetails details;
        double distance = 0;
    };

    Result<void> collect();
    void sort_held();

    const mql::Filter& filter_;
    const mql::SortOrder& order_;
    const std::optional<std::size_t> limit_;
    const std::size_t memory_bytes_max_;
    const bool sorts_;
    Reader reader_;
    bool collected_ = false;
    std::vector<Held> held_;
    std::size_t returned_ = 0;
};

} // namespace tombolo::documents
