#pragma once

// What the engine keeps in the store beside the documents, and under which keys
// (server-sync-algorithm.md 2). All of one batch is written in one transaction with its documents.
//
//   space       key                                  value
//   history     app 12 | version 8                   HistoryEntry
//   part        app 12 | object | version 8          PartRecord
//   reciprocal  app 12 | ident 8 | object | version 8  a changeset
//   file        app 12 | ident 8 | 'c'               FileCore
//   file        app 12 | ident 8 | 'v'               epochs and holes
//   meta        "sync/" app hex "/state"             EngineState
//   meta        "sync/" app hex "/ages"              HistoryAges (trim.hpp)
//   meta        "sync/" app hex "/schema"            changeset: what clients added to the model
//   meta        "sync/" app hex "/schema/queryable"  fields that queries added (queryable.hpp)
//   meta        "sync/" app hex "/schema/told"       changeset: the model that devices know
//
// Integers in keys are big-endian; `object` is encode_object(). Values: record_codec.hpp, first
// byte a format number.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/object_id.hpp"
#include "core/result.hpp"
#include "server/store/types.hpp"
#include "server/sync/engine/object_ref.hpp"
#include "server/sync/engine/roles.hpp"

namespace tombolo::server::sync {

/// A server version, client version or file ident inside the engine: the protocol's strong types
/// end at its interface.
using Number = std::uint64_t;

inline constexpr Number server_ident = 1;
inline constexpr Number first_file_ident = 2;

enum class EntryKind : std::uint8_t {
    change = 0, ///< documents changed (or an upload that came to nothing)
    point = 1,  ///< empty: a place where views change
    reset = 2,  ///< for its audience only; changes no document
};

/// A write that was refused, for the 231.
struct RejectedObject {
    ObjectRef object;
    std::string reason;
};

struct HistoryEntry {
    EntryKind kind = EntryKind::change;
    Number origin = server_ident;
    Number client_version = 0; ///< of the origin; 0 for the server's own
    Number timestamp = 0;      ///< origin timestamp
    Number audience = 0;       ///< of a reset
    std::vector<std::byte> changeset;
    /// Objects of the original upload that the changeset does not name.
    std::vector<ObjectRef> dropped;
    /// Of a reset: what the 231 says. Empty: no 231.
    std::vector<RejectedObject> rejected;
    Number rejected_client_version = 0;
};

/// Where the document before a change is found.
struct BeforeImage {
    enum class Kind : std::uint8_t {
        absent = 0,
        stored = 1, ///< the store's past, at `version`
        inlined = 2 ///< changed more than once in one commit: the bytes are here
    };
    Kind kind = Kind::absent;
    store::Version version{};
    std::string document; ///< BSON
    std::string sidecar;  ///< encoded exact values; empty: none
};

enum class PartKind : std::uint8_t {
    change = 0,
    reset = 1,
    dropped = 2, ///< named by an upload, of which nothing was kept
};

/// That an entry says something about an object; the instructions are in the entry.
struct PartRecord {
    PartKind kind = PartKind::change;
    Number audience = 0; ///< of a reset; of a dropped one: the uploader
    BeforeImage before;  ///< of a change
};

/// Of a text: equal ones, equal texts.
using Digest = std::array<std::byte, 32>;
Digest digest_of(std::string_view text) noexcept;

/// A view from a point on: query AND role.
struct Epoch {
    Number point = 0;
    std::int64_t query_version = 0;
    std::string body;                 ///< of the query, as it came
    std::shared_ptr<const Role> role; ///< thousands of files have the same (ViewCache::share)
    /// Of body and role: equal for equal views. Not stored.
    Digest identity{};
};

/// Fills in `identity`.
Epoch make_epoch(Number point, std::int64_t query_version, std::string body,
                 std::shared_ptr<const Role> role);

/// A collapse (server-sync-algorithm.md 8): nothing was sent strictly between the two.
struct Hole {
    Number after = 0;
    Number point = 0;
};

struct FileState {
    Number ident = 0;
    std::int64_t salt = 0;
    std::string user;
    Number schema_version = 0;
    Number upload_client = 0; ///< upload cursor: client version
    Number floor = 0;         ///< upload cursor: server version
    Number locked = 0;
    Number scan = 0; ///< of the last IDENT
    std::int64_t last_seen_ms = 0;
    /// The newest client version that the conflict log has of uploads that ended a session.
    Number logged_client = 0;
    bool is_dead = false;    ///< told to reset: 208 from now on
    bool is_expired = false; ///< with is_dead: an operator gave it up, 222
    /// Ascending by point; kept from the last one at or below the floor.
    std::vector<std::shared_ptr<const Epoch>> epochs;
    std::vector<Hole> holes;
};

/// At and below this version nothing was ever sent to the file, nor uploaded by it.
/// REQUIRES: it has an epoch.
Number begin_of_stream(const FileState& file) noexcept;
/// The version above which the file needs history: below its first point it was sent nothing, and
/// what it has acknowledged it asks for no more. Nothing: it has no point yet, whatever comes is
/// above. `scan`: what it says to hold, or zero.
std::optional<Number> needs_history_above(const FileState& file, Number scan = 0) noexcept;

/// Salts of the versions from `first` on.
struct SaltGeneration {
    Number first = 0;
    std::string secret; ///< 16 bytes
};

struct EngineState {
    Number top = 0;
    Number next_ident = first_file_ident;
    Number trimmed = 0; ///< history at and below is gone
    std::vector<SaltGeneration> generations;
};

class RecordKeys {
  public:
    explicit RecordKeys(const ObjectId& app);

    std::string history(Number version) const;
    std::string part_prefix(const ObjectRef& object) const;
    std::string part(const ObjectRef& object, Number version) const;
    std::string reciprocal_prefix(Number ident) const;
    std::string reciprocal(Number ident, const ObjectRef& object, Number version) const;
    std::string file(Number ident) const;
    std::string file_views(Number ident) const;
    const std::string& state() const noexcept { return state_; }
    /// What was added in development mode to the classes of a schema version.
    std::string schema(Number version) const {
        return version == 0 ? schema_ : schema_ + "/" + std::to_string(version);
    }
    std::string added_queryable() const { return schema_ + "/queryable"; }
    /// What devices of a schema version have been told of it.
    std::string told(Number version) const { return schema_ + "/told/" + std::to_string(version); }
    const std::string& ages() const noexcept { return ages_; }
    /// Everything of the app in a space other than meta.
    const std::string& app() const noexcept { return app_; }

  private:
    std::string app_;
    std::string state_;
    std::string schema_;
    std::string ages_;
};

/// At the end of a key, in an order that the store keeps.
void append_number(std::string& key, Number value);
/// The version at the end of a key.
Number version_in_key(std::string_view key) noexcept;
/// The smallest key greater than every key with the prefix; empty when there is none.
std::string end_of_prefix(std::string prefix);

std::string encode(const HistoryEntry& entry);
std::string encode(const PartRecord& part);
std::string encode_core(const FileState& file);
std::string encode_views(const FileState& file);
std::string encode(const EngineState& state);

Result<HistoryEntry> decode_history(std::string_view record);
Result<PartRecord> decode_part(std::string_view record);
Result<FileState> decode_file(std::string_view core, std::string_view views);
/// The client version up to which uploads were integrated, of a core.
Result<Number> decode_upload_cursor(std::string_view core);
Result<EngineState> decode_state(std::string_view record);

/// The role in one form: equal texts, equal roles. A class that has what others have is not told
/// apart from one that is not listed.
std::string role_text(const Role& role);

} // namespace tombolo::server::sync
