#pragma once

// The initial sync of documents that are there already, and how many documents no device gets
// (device-sync-server.md 2.6, 6.4).
//
// Devices are sent documents straight from the store, so nothing is copied: the pass reads every
// document of a class once and judges whether it can be synced. From then on each write that goes
// through the engine moves the count of those that cannot, in the commit that changes the document,
// so that the count is exact without reading anything again.
//
// A class is first counted (how many documents there are, for the progress), then judged, in key
// order, a slice between two batches. What lies behind the position of the pass is not looked at
// when it is written: the pass comes to it. A class whose properties change is judged anew.
//
//   meta  "sync/" app hex "/census"   Census
//
// The record is written with counts that moved, at the end of each class and now and then in
// between: position and counts always fit the documents of the same commit, so a process that dies
// goes on where the record is.
//
// Not thread-safe: the integrator's.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "server/store/store.hpp"
#include "server/sync/engine/model.hpp"
#include "server/sync/engine/object_ref.hpp"
#include "server/sync/engine/reports.hpp"

namespace tombolo::server::sync {

struct ClassCensus {
    enum class Phase : std::uint8_t { counting = 0, judging = 1, complete = 2 };
    /// Of the class and all embedded ones, as it was judged.
    std::uint64_t fingerprint = 0;
    Phase phase = Phase::counting;
    std::string position; ///< key of the last document that this phase has passed
    std::uint64_t total = 0;
    std::uint64_t done = 0;
    std::uint64_t unsynced = 0;
};

struct Census {
    /// Devices wait until it is complete: nobody has a file yet.
    bool holds_clients = false;
    std::map<std::string, ClassCensus, std::less<>> classes;

    bool is_complete() const noexcept;
    std::uint64_t unsynced() const noexcept;
};

std::string census_key(const ObjectId& app);
std::string encode(const Census& census);
Result<Census> decode_census(std::string_view record);

class CensusTaker {
  public:
    /// What the store says; nothing: this is the first time.
    void start(std::optional<Census> stored, bool has_files, const Model& model);
    /// The model may have changed: new classes, and those that did, are begun anew.
    void adopt(const Model& model);
    bool is_complete() const noexcept { return census_.is_complete(); }
    const Census& census() const noexcept { return census_; }

    /// A slice of the pass. REQUIRES: the snapshot has all that was counted.
    Result<void> step(const Model& model, const store::Snapshot& snapshot);
    /// Whether writes of the class are judged at all: some of its documents were.
    bool has_begun(std::string_view class_name) const noexcept;
    /// False: nothing of the class is known to be unsynced, so what is there can be synced.
    bool may_be_unsynced(std::string_view class_name) const noexcept;
    /// A document was written: whether it could not be synced before and cannot now.
    Result<void> count(const ObjectRef& object, bool was_unsynced, bool is_unsynced);

    /// The census is to be written with the batch at hand.
    bool has_record() const noexcept { return is_to_be_written_; }
    /// Something moved since forget(): the report has changed.
    bool has_moved() const noexcept { return before_.has_value(); }
    /// The batch is durable.
    void forget() noexcept;
    void abandon() noexcept;

    std::vector<ClassProgress> report() const;

  private:
    struct Slice;

    void touch();
    Result<void> count_documents(ClassCensus& of, store::DocumentCursor& cursor, Slice& slice);
    Result<void> judge_documents(const Model& model, const std::string& class_name, ClassCensus& of,
                                 store::DocumentCursor& cursor, Slice& slice);

    Census census_;
    std::optional<Census> before_; ///< of the batch
    bool is_to_be_written_ = false;
    std::uint64_t judged_since_written_ = 0;
};

} // namespace tombolo::server::sync
