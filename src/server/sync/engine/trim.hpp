#pragma once

// What may be forgotten of an app's history (server-sync-algorithm.md 10; device-sync-server.md
// 6.6).
//
// History, parts and past images at or below F are dropped, where F is the smaller of
//   - the newest version that is older than a client may be offline, and
//   - what every live file has acknowledged (needs_history_above()).
// A file is live while it was seen within that time, or has a session. All others get 222.
//
//   entries     one range erase, in the commit that writes EngineState::trimmed
//   parts       dropped by the store when it rewrites them anyway (Store::drop_records_below)
//   past        the same, by the store's floor: the smallest of all its apps'
//   reciprocals of live files go with their floors, those of files that are long gone with the file
//
// Versions have no time of their own (timestamps are the devices'), so the engine notes now and
// then which version of history and of the store there is: HistoryAges. A floor of the store is
// therefore always that of a note.
//
// Not thread-safe: Engine::run()'s.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "server/store/store.hpp"
#include "server/sync/engine/records.hpp"

namespace tombolo::server::sync {

/// Which versions there were at a time. Immutable order: all three ascend.
class HistoryAges {
  public:
    struct Note {
        std::int64_t unix_ms = 0;
        Number top = 0;           ///< history up to here ...
        store::Version version{}; ///< ... was committed at or before this store version
    };

    /// Adds a note when the last one is old enough for a limit of that length; true when it did.
    bool note(const Note& note, std::int64_t limit_ms);
    /// The newest version of history that is at least that old.
    Number top_before(std::int64_t unix_ms) const noexcept;
    /// The newest store version whose past nobody needs when history is kept above `trimmed`.
    store::Version store_floor(Number trimmed) const noexcept;
    /// Forgets notes that no longer say anything.
    void forget(Number trimmed);

    const std::vector<Note>& notes() const noexcept { return notes_; }

  private:
    friend Result<HistoryAges> decode_ages(std::string_view record);

    std::vector<Note> notes_;
};

std::string encode(const HistoryAges& ages);
Result<HistoryAges> decode_ages(std::string_view record);

/// What is on disk of the history of an app whose engine is not open.
struct StoredHistory {
    Number trimmed = 0;
    HistoryAges ages;

    /// The newest store version whose past the app does not need.
    store::Version store_floor() const noexcept { return ages.store_floor(trimmed); }
    /// Some of it is older than that.
    bool has_before(std::int64_t unix_ms) const noexcept {
        return ages.top_before(unix_ms) > trimmed;
    }
};
/// Nothing: the app never synced, or sync was ended.
Result<std::optional<StoredHistory>> stored_history(const store::Snapshot& snapshot,
                                                    const ObjectId& app);

/// Sync of the app ends: history, files and what clients added to the model go. Versions and idents
/// go on counting, so that a device from before is unknown (208) and never taken for another.
/// REQUIRES: no engine of the app runs.
Result<void> erase_sync(store::Store& store, const ObjectId& app);
/// What is left then: for an app that is no more.
Result<void> forget_sync(store::Store& store, const ObjectId& app);

/// Goes through an app's files a slice at a time, so that writers wait for no more than a slice.
class FileSweep {
  public:
    struct Limits {
        std::int64_t now_ms = 0;
        std::int64_t offline_ms = 0;
    };

    FileSweep(const RecordKeys& keys, Limits limits) : keys_(keys), limits_(limits) {}

    /// Looks at the next files; true when there are no more.
    Result<bool> step(const store::Snapshot& snapshot, std::size_t files_max);

    /// What all live files have acknowledged, and the file that has the least.
    Number acknowledged() const noexcept { return acknowledged_; }
    Number holder() const noexcept { return holder_; }
    /// Not counted: offline for longer than allowed, or told to reset.
    const std::vector<Number>& passed_over() const noexcept { return passed_over_; }
    /// So long gone that nothing of them need be kept.
    const std::vector<Number>& forgotten() const noexcept { return forgotten_; }

    /// Counts the file, whatever was found.
    void count(const FileState& file);

  private:
    const RecordKeys& keys_;
    Limits limits_;
    std::string after_;
    Number acknowledged_ = ~Number{0};
    Number holder_ = 0;
    std::vector<Number> passed_over_;
    std::vector<Number> forgotten_;
};

} // namespace tombolo::server::sync
