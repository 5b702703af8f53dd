#pragma once

// A second opinion on a run of the engine: replays the durable history in the plainest way and
// holds it against the documents, the uploads and what devices have (server-sync-algorithm.md 11).
//
// It knows no views, merges or batches. Every check names the invariant that it asserts. Not
// thread-safe; lives as long as the run.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "changeset/memory_state.hpp"
#include "server/sync/engine/records.hpp"
#include "sim/engine_world.hpp"
#include "sim/view_documents.hpp"

namespace tombolo::sim {

class EngineOracle {
  public:
    EngineOracle(World& world, std::string database);

    /// Whether a device may be told `said` of a document; by default that they are the same.
    using IsShown =
        std::function<bool(std::uint64_t file, const Document& said, const Document& document)>;
    void set_is_shown(IsShown is_shown) { is_shown_ = std::move(is_shown); }

    /// Before the changeset is uploaded: what invariant 5 judges its fate by.
    void note_upload(std::uint64_t file, std::uint64_t client_version, std::uint64_t base,
                     const changeset::Changeset& changeset);

    /// Reads what has become durable since. The first violated invariant, or nothing.
    const std::optional<std::string>& read();
    const std::optional<std::string>& violation() const { return violation_; }

    /// The history as it was read, for people.
    std::string describe() const;
    /// The newest version read.
    std::uint64_t top() const { return top_; }
    /// doc(O, v) for a version read.
    const Document& at(ObjectKey key, std::uint64_t version) const;
    /// A reset above the version is going to repair the object on that device.
    bool is_reset_above(std::uint64_t file, ObjectKey key, std::uint64_t version) const;

    /// Invariant 1: an object of a device that has nothing pending and integrated up to `version`.
    std::optional<std::string> check_held(std::uint64_t file, ObjectKey key, const Document& held,
                                          View view, std::uint64_t version) const;
    /// Invariants 4 and 7: an entry of a durable version, with the client version of its place.
    std::optional<std::string> check_header(std::uint64_t file, std::uint64_t version,
                                            std::uint64_t client_version) const;
    /// The table of section 3, invariant 3 with it: what a device with that view is sent for a
    /// version in steady state. `told` null: nothing.
    std::optional<std::string> check_row(std::uint64_t file, std::uint64_t version, View view,
                                         const changeset::Changeset* told) const;
    /// Invariant 9: what an entry that was sent tells of objects is readable by the role.
    std::optional<std::string> check_told(const changeset::Changeset& told, View readable,
                                          std::uint64_t version) const;

    /// Invariant 2, from both sides: what an upload was merged with, and an entry of a DOWNLOAD.
    /// They are compared when the second of them comes.
    void note_met(std::uint64_t file, std::uint64_t version, const server::sync::ObjectRef& object,
                  const changeset::Changeset& part);
    std::optional<std::string> check_sent(std::uint64_t file, std::uint64_t version,
                                          const changeset::Changeset& told);
    /// The server died: versions that were not durable are made anew.
    void forget_met();
    /// How often the two were compared.
    std::uint64_t compared() const { return compared_; }

  private:
    struct Upload {
        std::uint64_t base = 0;
        std::vector<ObjectKey> objects;
        std::set<ObjectKey> erased; ///< gone at its end
    };

    void take(std::uint64_t version, const server::sync::HistoryEntry& entry);
    void take_change(std::uint64_t version, const server::sync::HistoryEntry& entry,
                     const changeset::Changeset& changeset);
    void take_reset(std::uint64_t version, const server::sync::HistoryEntry& entry,
                    const changeset::Changeset& changeset);
    void check_fate(std::uint64_t version, const server::sync::HistoryEntry& entry,
                    const std::vector<ObjectKey>& kept);
    std::uint64_t integrated_at(std::uint64_t file, std::uint64_t version) const;
    void settle_fates();
    void check_documents();
    void violate(int invariant, std::uint64_t version, const std::string& what);

    struct Entry {
        server::sync::EntryKind kind = server::sync::EntryKind::point;
        std::uint64_t origin = 0;
        std::uint64_t audience = 0;
        changeset::Changeset changeset;
    };
    enum class Row { nothing, unchanged, erase, content };

    Row row(const Entry& entry, ObjectKey key, std::uint64_t file, std::uint64_t version,
            View view) const;

    World& world_;
    std::string database_;
    IsShown is_shown_ = [](std::uint64_t, const Document& said, const Document& document) {
        return same_document(said, document);
    };
    server::sync::RecordKeys keys_;
    changeset::MemoryState state_ = empty_state();
    std::uint64_t top_ = 0;
    /// By object: the document from that version on.
    std::map<ObjectKey, std::map<std::uint64_t, Document>> documents_;
    std::map<std::pair<std::uint64_t, std::uint64_t>, Upload> uploads_;
    /// By file: client versions by the server version that integrated them.
    std::map<std::uint64_t, std::map<std::uint64_t, std::uint64_t>> integrated_;
    std::map<std::uint64_t, Entry> entries_;
    std::set<std::uint64_t> points_;
    std::map<ObjectKey, std::set<std::uint64_t>> named_; ///< versions that name the object
    std::map<std::pair<std::uint64_t, ObjectKey>, std::set<std::uint64_t>> resets_;
    /// Writes that vanished and met nothing: a reset of the same commit must name the object.
    std::map<std::pair<std::uint64_t, ObjectKey>, std::uint64_t> lost_;
    /// By file, version and object; as text.
    using Parts = std::map<std::tuple<std::uint64_t, std::uint64_t, std::string>, std::string>;
    Parts met_;
    Parts sent_;
    std::uint64_t compared_ = 0;
    std::optional<std::string> violation_;
};

} // namespace tombolo::sim
