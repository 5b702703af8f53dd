#pragma once

// What has come from the server, object by object: for people who watch. Not thread-safe.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/replica.hpp"

namespace tombolo::cli {

struct ObjectChange {
    enum class Kind : std::uint8_t { inserted, updated, deleted };
    Kind kind = Kind::updated;
    std::string class_name;
    PrimaryKey key;
    std::set<std::string> fields; ///< of updated: top-level fields that were named
};

class ChangeCollector final : public client::ReplicaObserver {
  public:
    void before_remote(const changeset::Changeset& changeset,
                       const changeset::MemoryState& state) override;

    /// What has changed since the last call, by class and key, in the end: an object that came and
    /// went is left out.
    std::vector<ObjectChange> take(const changeset::MemoryState& state);
    /// Objects named since the last take().
    std::size_t count() const noexcept { return touched_.size(); }

  private:
    struct Touched {
        bool was_there = false;
        bool was_replaced = false; ///< erased, then created again
        std::set<std::string> fields;
    };
    std::map<std::pair<std::string, PrimaryKey>, Touched> touched_;
};

} // namespace tombolo::cli
