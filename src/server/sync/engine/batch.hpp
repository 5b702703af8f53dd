#pragma once

// What one commit will make: new history entries, documents, parts, files, on top of a snapshot.
//
// Lives from the start of a batch to the answer of its commit. Nothing in it is visible to sessions
// before. One made while the batch before is on its way to the disk lies over that one, until it is
// durable too; both read one snapshot, which has neither. Not thread-safe: the integrator's.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "server/sync/engine/conflict_log.hpp"
#include "server/sync/engine/history.hpp"
#include "server/sync/engine/recent_objects.hpp"

namespace tombolo::server::sync {

/// A part of D_c(v) as the file knows it by now, after merges with what it uploaded.
struct Reciprocal {
    Number timestamp = 0;
    Number origin = server_ident;
    changeset::Changeset changeset;
};

std::string encode(const Reciprocal& reciprocal);
Result<Reciprocal> decode_reciprocal(std::string_view record);

/// A file in the integrator's memory, with all its reciprocals.
struct LoadedFile {
    using ReciprocalKey = std::pair<Number, std::string>; ///< version, encoded object

    FileState state;
    std::map<ReciprocalKey, Reciprocal> reciprocals;
    /// That of the newest epoch, when it was last asked for.
    std::shared_ptr<const View> view;
    std::shared_ptr<const Epoch> view_epoch;
};

/// A document changed in the batch.
struct ChangedDocument {
    Image base; ///< what the store has
    Image now;
    PartList parts; ///< made in this batch
    bool is_rewritten = false;
};

class Batch final : public HistorySource {
  public:
    /// `older`: the batch below, or null; it outlives this one or rebase() is called first.
    Batch(std::shared_ptr<const store::Snapshot> snapshot, const store::Store& store,
          const RecordKeys& keys, std::shared_ptr<const Model> model, const EntryCache& cache,
          Number top, RecentObjects& recent, const Batch* older = nullptr);

    /// The batch below is durable, the snapshot has it, and nothing of this one.
    void rebase(std::shared_ptr<const store::Snapshot> snapshot);

    const std::shared_ptr<const Model>& model() const noexcept { return model_; }
    /// A client's schema came in.
    void set_model(std::shared_ptr<const Model> model);

    Number top() const override { return top_; }
    Result<std::shared_ptr<const Entry>> entry(Number version) const override;
    Result<PartList> parts(const ObjectRef& object, Number after) const override;
    Result<Image> current(const ObjectRef& object) const override;
    Result<Image> before(const ObjectRef& object, const BeforeImage& image) const override {
        return durable_->before(object, image);
    }

    /// The next version with this entry.
    Number append(std::shared_ptr<const Entry> entry);
    /// The document becomes `after` by the entry just appended.
    void change(const ObjectRef& object, const Image& before, const Image& after);
    /// The document becomes `after`, the object that devices see stays what it was: no entry.
    void rewrite(const ObjectRef& object, const Image& before, const Image& after);
    void add_part(const ObjectRef& object, PartRecord part);

    const store::Snapshot& snapshot() const noexcept { return *snapshot_; }
    const std::shared_ptr<const store::Snapshot>& shared_snapshot() const noexcept {
        return snapshot_;
    }
    Number first_new() const noexcept { return base_top_ + 1; }
    using Entries = std::map<Number, std::shared_ptr<const Entry>>;
    const Entries& entries() const noexcept { return entries_; }
    using Documents = std::unordered_map<ObjectRef, ChangedDocument, ObjectRefHash>;
    /// In the order of their first change, which is the order in which the store takes them:
    /// devices make objects with ascending keys, and those are the fastest to insert there.
    const std::vector<const Documents::value_type*>& documents() const noexcept { return order_; }
    /// Bytes of changes so far, roughly.
    std::size_t bytes() const noexcept { return bytes_; }

    // What is to be written of files.
    std::set<Number> changed_cores;
    std::set<Number> changed_views;
    /// Files whose IDENT is in this batch: their sessions are shown the cursor as the batch leaves
    /// it.
    std::set<Number> identified;
    std::map<std::string, std::optional<std::string>> reciprocals;
    /// For the log of what was dropped of uploads.
    std::vector<Conflict> conflicts;
    /// Of that log behind this batch, if this or the one below has conflicts.
    std::optional<ConflictWriter::Total> conflicts_total;
    /// Which state of Integrator::ages() is in its transaction.
    std::uint64_t ages_written = 0;
    bool model_changed = false;
    /// It has something that the app's configuration has not.
    bool model_grew = false;
    std::size_t unsyncable = 0; ///< outside writes of documents that cannot be synced
    bool state_changed = false;
    /// Requests of outside writes that are none of ours.
    std::vector<store::Transaction::Request> passed_on;
    std::vector<Number> erased_files;
    /// Ranges of records that go: space, begin, end.
    std::vector<std::tuple<store::Space, std::string, std::string>> erased_ranges;
    /// What happens when all of this is durable.
    std::vector<std::function<void(store::Version)>> effects;
    /// Answers to those who are no session: after the new version was published, so that whoever
    /// has one and then asks a device to be up to date sees what was answered.
    std::vector<std::function<void(store::Version)>> answers;
    /// Files that want a point at the end of the batch, with what it brings.
    struct Wish {
        Number file = 0;
        Epoch epoch;
        /// A collapse of what lies above this version.
        std::optional<Number> collapse_after;
    };
    std::vector<Wish> wishes;

    /// Nothing to write.
    bool is_empty() const noexcept {
        return entries_.empty() && documents_.empty() && changed_cores.empty() && !state_changed &&
               !model_changed && passed_on.empty() && wishes.empty() && erased_ranges.empty() &&
               erased_files.empty();
    }

  private:
    /// The document, and whether it is new here.
    std::pair<ChangedDocument*, bool> take(const ObjectRef& object);
    const ChangedDocument* find(const ObjectRef& object) const;
    /// The document as it was before this batch.
    Result<Image> below(const ObjectRef& object) const;

    std::shared_ptr<const store::Snapshot> snapshot_;
    const Batch* older_;
    const store::Store& store_;
    const RecordKeys& keys_;
    const EntryCache& cache_;
    RecentObjects& recent_;
    std::shared_ptr<const Model> model_;
    std::optional<SnapshotHistory> durable_;
    const Number base_top_;
    Number top_;
    std::map<Number, std::shared_ptr<const Entry>> entries_;
    Documents documents_;
    std::vector<const Documents::value_type*> order_;
    std::size_t bytes_ = 0;
};

} // namespace tombolo::server::sync
