#pragma once

// The conflict log: every value of an upload that the merge, a view or a refusal dropped, with the
// cause, so that a person can read it and bring it back.
//
//   space   key                                  value
//   meta    "sync/" app hex "/conflict/" number 8  Conflict
//   meta    "sync/" app hex "/conflicts"           next number, bytes of all that ever were
//
// Written in the commit of the upload. Numbers go up without gaps; the oldest are dropped by age
// and by size, from the front. Uploads without conflicts write and read nothing of this.
//
// Free functions work on the store alone, from any thread; ConflictWriter is the integrator's.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "changeset/changeset.hpp"
#include "core/result.hpp"
#include "server/store/store.hpp"
#include "server/sync/engine/engine.hpp"
#include "server/sync/engine/model.hpp"
#include "server/sync/engine/records.hpp"

namespace tombolo::server::sync {

enum class ConflictCause : std::uint8_t {
    overwritten = 0,    ///< the merge: another write of the same place counts
    deleted = 1,        ///< the merge: the object was deleted
    left_view = 2,      ///< the object had left the view of the device
    refused = 3,        ///< by role, schema or view; `reason` says what
    upload_refused = 4, ///< the upload it was in ended the session; `reason` says with what
};

/// "overwritten", "deleted", "out_of_view", "refused", "upload_refused".
const char* conflict_cause_name(ConflictCause cause) noexcept;

struct Conflict {
    std::int64_t time_ms = 0; ///< when the server found it
    ConflictCause cause = ConflictCause::overwritten;
    std::string reason; ///< of a refusal
    ObjectRef object;
    // Whose write it was. File server_ident: no device's.
    std::string user;
    Number file = 0;
    Number client_version = 0;
    Number version = 0;       ///< server version of the write
    std::int64_t made_ms = 0; ///< by the clock of the device
    // What it lost to; version 0: nothing in history.
    std::string winner_user;
    Number winner_file = 0;
    Number winner_version = 0;
    /// What was dropped, encoded. Empty when it was larger than conflict_bytes_max.
    std::vector<std::byte> changeset;
    /// Of a deletion: the document that was deleted, BSON.
    std::string document;
    std::int64_t restored_ms = 0; ///< 0: not restored
    std::string restored_by;
    Number bytes_before = 0; ///< of all conflicts before it
};

struct NumberedConflict {
    Number number = 0;
    Conflict conflict;
    /// Of a refused upload: the device sent it again and it was taken then.
    bool came_later = false;
};

/// Of one conflict's values; what is larger is logged without them.
inline constexpr std::size_t conflict_bytes_max = std::size_t{1} << 20;

/// What all keys of the log begin with.
std::string conflict_prefix(const ObjectId& app);
std::string conflict_key(const ObjectId& app, Number number);
std::string encode(const Conflict& conflict);
Result<Conflict> decode_conflict(std::string_view record);

/// Adds to a commit what was dropped in it.
class ConflictWriter {
  public:
    ConflictWriter(const ObjectId& app, const ConflictLimits& limits);

    bool is_on() const noexcept { return limits_.keep_ms > 0 && limits_.bytes_max > 0; }
    /// How many were ever logged, and their bytes.
    struct Total {
        Number next = 1;
        Number bytes = 0;
    };
    /// Numbers them and drops what is too old or too much, a bounded number at a time. `total`:
    /// where they follow on one that the snapshot has not; then, behind them.
    Result<void> write(std::vector<Conflict> conflicts, const store::Snapshot& snapshot,
                       std::int64_t now_ms, std::optional<Total>& total,
                       store::Transaction& transaction) const;
    /// Only drops. False when there may be more to drop.
    Result<bool> trim(const store::Snapshot& snapshot, std::int64_t now_ms,
                      store::Transaction& transaction) const;

  private:
    Result<bool> drop_oldest(const store::Snapshot& snapshot, std::int64_t now_ms, Number bytes,
                             std::size_t looks, store::Transaction& transaction) const;

    const ConflictLimits limits_;
    const std::string prefix_;
    const std::string total_key_;
};

/// Empty members let everything through.
struct ConflictFilter {
    std::string user;
    std::string class_name;
    std::string key; ///< as people type it: text, number, hex of an ObjectId, UUID
};

struct ConflictPage {
    std::vector<NumberedConflict> conflicts; ///< newest first
    std::uint64_t scanned = 0;
    std::optional<Number> next; ///< `before` of the next page
};

/// Those numbered below `before` (0: all), at most `count_max`, after looking at a bounded number.
Result<ConflictPage> list_conflicts(const store::Store& store, const ObjectId& app,
                                    const ConflictFilter& filter, Number before,
                                    std::size_t count_max, std::int64_t oldest_ms);
/// Whether the device sent a refused upload again and it was taken then.
Result<bool> has_come_later(const store::Snapshot& snapshot, const ObjectId& app,
                            const Conflict& conflict);
/// not_found when it is not there (any more).
Result<Conflict> find_conflict(const store::Snapshot& snapshot, const ObjectId& app, Number number);

/// The key alone, as people type it.
std::string key_text(const PrimaryKey& key);

/// One of the values that were dropped.
struct LostValue {
    std::string place;                ///< "tags[2]", "address.street"; empty: the object
    std::string action;               ///< "set", "insert", "add", ...
    std::optional<std::string> value; ///< relaxed Extended JSON
};
Result<std::vector<LostValue>> lost_values(const Conflict& conflict);

/// Writes what was dropped over the document as it is, as a transaction for Engine::write(), which
/// also marks the conflict as restored. A deleted object comes back as it was deleted, with the
/// values. write_conflict of that transaction: make it again. Errors: not_found, and
/// invalid_argument when it cannot be put there any more; the text is for people.
Result<store::Transaction> restoration(const std::shared_ptr<const Model>& model,
                                       const store::Store& store, const ObjectId& app,
                                       Number number, const std::string& by, std::int64_t now_ms);

} // namespace tombolo::server::sync
