#pragma once

// The synced model in the forms that the engine's parts need: classes for applying changesets,
// collections for documents, instructions for devices. Immutable; a change makes a new one, and
// whoever started with the old one keeps it.
//
// Thread-safety: const use from any thread.

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "changeset/applier.hpp"
#include "changeset/builder.hpp"
#include "changeset/changeset.hpp"
#include "core/result.hpp"
#include "schema/facts.hpp"
#include "server/store/store.hpp"
#include "server/sync/engine/engine.hpp"

namespace tombolo::server::sync {

/// Where a class's objects live. The sidecar's collection is made when it is first needed.
struct ClassStorage {
    store::CollectionId documents{};
    store::CollectionName sidecar_name;
};

/// What BSON cannot hold exactly of a collection's documents lies there.
store::CollectionName sidecar_of(const store::CollectionName& documents);

class Model final : public changeset::ClassSource, public std::enable_shared_from_this<Model> {
  public:
    /// Of all versions together (schema_versions.hpp): by it history and documents are kept. Makes
    /// the collections that are not there yet.
    static Result<std::shared_ptr<const Model>> make(SyncModel model, store::Store& store);

    /// What files of that version see; the model itself when there is but one, null for an unknown
    /// one.
    std::shared_ptr<const Model> of(std::uint64_t version) const;
    bool has_older_versions() const noexcept { return !versions_.empty(); }
    /// One of several versions: what it is shown of an entry is less than the entry.
    bool is_narrowed() const noexcept { return is_narrowed_; }
    /// Appends what this version sees of a changeset of the whole.
    void project(changeset::ChangesetBuilder& out, const changeset::Changeset& source) const;

    const SyncModel& config() const noexcept { return config_; }
    const schema::DocumentSchema& documents() const noexcept { return documents_; }
    const schema::Schema& schema() const noexcept { return documents_.schema; }
    /// What clients of the version (of the newest one, in the whole) have: schema() and what they
    /// cannot be shown.
    const schema::Schema& declared() const noexcept { return config_.documents.schema; }
    /// Of all versions together: what rules speak of.
    const schema::Schema& whole() const noexcept { return whole_ ? *whole_ : documents_.schema; }

    /// Classes as changesets see them, embedded ones included.
    const std::map<std::string, changeset::ClassInfo, std::less<>>& classes() const noexcept {
        return classes_;
    }
    const changeset::ClassInfo* find_class(std::string_view name) const noexcept override;
    /// Null for embedded classes and unknown names.
    const ClassStorage* storage(std::string_view class_name) const noexcept;
    /// The class whose objects live there, or null.
    const std::string* class_of(store::CollectionId collection) const noexcept;

    /// AddTable and AddColumn for everything declared.
    void append_schema(changeset::ChangesetBuilder& out) const;

  private:
    static Result<std::shared_ptr<Model>> build(SyncModel config, schema::DocumentSchema documents,
                                                store::Store& store);

    SyncModel config_;
    schema::DocumentSchema documents_;
    bool is_narrowed_ = false;
    std::shared_ptr<const schema::Schema> whole_;                    ///< null: schema()
    std::map<std::uint64_t, std::shared_ptr<const Model>> versions_; ///< empty: only one
    std::map<std::string, changeset::ClassInfo, std::less<>> classes_;
    std::map<std::string, ClassStorage, std::less<>> storage_;
    std::map<store::CollectionId, std::string> by_collection_;
};

/// The classes of all versions, and where their documents are.
schema::DocumentSchema documents_of_all(const SyncModel& model);

/// A required property that comes to a class which has documents already: those without the field
/// read as zero, as on the devices that hold them, instead of falling out of sync.
void fill_missing(SyncModel& model, const schema::SchemaFact& fact);

/// The model with the fact in it. incompatible_schema when it conflicts.
Result<bool> add_fact(SyncModel& model, const schema::SchemaFact& fact);

} // namespace tombolo::server::sync
