#pragma once

// Changesets cut by object, made from objects, and applied to one object at a time.
//
// Merge rules are local to one top-level object, so everything the engine does to an upload or to
// history it does object by object. Pure functions over values; not thread-safe only where said.

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "changeset/builder.hpp"
#include "changeset/changeset.hpp"
#include "changeset/memory_state.hpp"
#include "core/result.hpp"
#include "core/value.hpp"
#include "server/sync/engine/field_mask.hpp"
#include "server/sync/engine/model.hpp"
#include "server/sync/engine/object_ref.hpp"

namespace tombolo::server::sync {

/// The instructions on one object, by position in their changeset.
struct ObjectPart {
    ObjectRef object;
    std::vector<std::uint32_t> instructions;
};

/// A changeset with its parts, in order of first mention. Borrows nothing; immutable.
struct CutChangeset {
    changeset::Changeset changeset;
    std::vector<std::uint32_t> schema; ///< positions of schema instructions
    std::vector<ObjectPart> parts;

    explicit CutChangeset(changeset::Changeset whole);

    const ObjectPart* find(const ObjectRef& object) const noexcept;
    changeset::Changeset part(const ObjectPart& part) const;
    /// What of it may be read; null: all.
    changeset::Changeset part(const ObjectPart& part, const FieldMask* mask) const;
};

void append(changeset::ChangesetBuilder& out, const changeset::Changeset& source,
            std::span<const std::uint32_t> instructions);
/// The same, cut to what may be read; null cuts nothing.
void append_readable(changeset::ChangesetBuilder& out, const changeset::Changeset& source,
                     std::span<const std::uint32_t> instructions, const FieldMask* mask);
void append_all(changeset::ChangesetBuilder& out, const changeset::Changeset& source);

void append_erase(changeset::ChangesetBuilder& out, const ObjectRef& object);
/// EraseObject, CreateObject and every field: the object as if it had never been there.
void append_content(changeset::ChangesetBuilder& out, const Model& model, const ObjectRef& object,
                    const Object& content);
/// As append_content without the EraseObject: a new object.
void append_creation(changeset::ChangesetBuilder& out, const Model& model, const ObjectRef& object,
                     const Object& content);

/// The object is gone behind them. REQUIRES: the part's positions are the changeset's.
bool ends_erased(const changeset::Changeset& whole, const ObjectPart& part) noexcept;

bool has_erase(const changeset::Changeset& part) noexcept;
bool has_create(const changeset::Changeset& part) noexcept;
/// Only EraseObject.
bool is_lone_erase(const changeset::Changeset& part) noexcept;

/// Applies parts to objects. Keeps a state with the model's classes and no objects. Not
/// thread-safe.
class PartApplier {
  public:
    explicit PartApplier(std::shared_ptr<const Model> model);

    /// The object after the part; nothing when it ends erased. `before` is the object without its
    /// key. bad_changeset when the part does not fit.
    Result<std::optional<Object>> apply(const changeset::Changeset& part, const ObjectRef& object,
                                        const std::optional<Object>& before);

    const Model& model() const noexcept { return *model_; }

  private:
    std::shared_ptr<const Model> model_;
    changeset::MemoryState scratch_;
};

} // namespace tombolo::server::sync
