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

class Model final : public changeset::ClassSource {
  public:
    /// Makes the collections that are not there yet.
    static Result<std::shared_ptr<const Model>> make(SyncModel model, store::Store& store);

    const SyncModel& config() const noexcept { return config_; }
    const schema::DocumentSchema& documents() const noexcept { return config_.documents; }
    const schema::Schema& schema() const noexcept { return config_.documents.schema; }

    /// Classes as changesets see them, embedded ones included.
    const std::map<std::string, changeset::ClassInfo, std::less<>>& classes() const noexcept {
        return classes_;
    }
    const changeset::ClassInfo* find_class(std::string_view name) const noexcept override;
    /// Null for embedded classes and unknown names.
    const ClassStorage* storage(std::string_view class_name) const noexcept;
    /// The class whose objects live there, or null.
    const std::string* class_of(store::CollectionId collection) const noexcept;

    /// AddTable and AddColumn for everything.
    void append_schema(changeset::ChangesetBuilder& out) const;

  private:
    SyncModel config_;
    std::map<std::string, changeset::ClassInfo, std::less<>> classes_;
    std::map<std::string, ClassStorage, std::less<>> storage_;
    std::map<store::CollectionId, std::string> by_collection_;
};

/// The fact that a schema instruction states; nothing for EraseTable and EraseColumn.
std::optional<schema::SchemaFact> fact_of(const changeset::Changeset& changeset,
                                          const changeset::Instruction& instruction);
void append_fact(changeset::ChangesetBuilder& out, const schema::SchemaFact& fact);

/// A required property that comes to a class which has documents already: those without the field
/// read as zero, as on the devices that hold them, instead of falling out of sync.
void fill_missing(SyncModel& model, const schema::SchemaFact& fact);

/// The model with the fact in it. incompatible_schema when it conflicts.
Result<bool> add_fact(SyncModel& model, const schema::SchemaFact& fact);

} // namespace tombolo::server::sync
