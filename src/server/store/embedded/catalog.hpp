#pragma once

// Collections and their indexes, as the embedded store knows them.
//
// Kept in memory and written to the `catalog` family with each change: "collection/<id, 4 bytes>"
// -> a BSON document. Beside it the family holds "format", "version" (newest committed), "floor",
// "next_collection": 8 bytes each.
//
// Thread-safety: reads from any thread; changes on the committer's thread only.

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "server/store/types.hpp"

namespace tombolo::store::embedded {

struct IndexEntry {
    std::uint32_t number = 0;
    IndexSpec spec;
    /// False while it is being built; such an index is dropped when the store opens.
    bool ready = false;
};

struct CollectionEntry {
    CollectionId id{};
    CollectionName name;
    std::uint32_t next_index = 1;
    std::vector<IndexEntry> indexes;

    const IndexEntry* find_index(std::string_view index_name) const noexcept;
};

std::string catalog_key(CollectionId id);
std::string encode_collection(const CollectionEntry& entry);
Result<CollectionEntry> decode_collection(std::string_view key, std::string_view value);

class Catalog {
  public:
    /// Adds or replaces.
    void set(CollectionEntry entry);
    void erase(CollectionId id);

    /// An immutable entry: keeps its state while the catalog moves on. Null when unknown.
    std::shared_ptr<const CollectionEntry> find(CollectionId id) const;
    std::shared_ptr<const CollectionEntry> find(const CollectionName& name) const;
    std::vector<std::shared_ptr<const CollectionEntry>> all() const;

  private:
    mutable std::shared_mutex mutex_;
    std::map<CollectionId, std::shared_ptr<const CollectionEntry>> by_id_;
    std::map<CollectionName, CollectionId> by_name_;
};

} // namespace tombolo::store::embedded
