#pragma once

// A view: which objects a device holds, and what of them. The query of an epoch AND what its role
// may read (server-sync-algorithm.md 2), compiled against a model.
//
// A query that asks for a field which the role hides matches nothing: membership would tell the
// field's value.
//
// Views are shared: files with equal queries and roles have the same View object, and what is sent
// to one of them can be sent to all. A class whose query or role does not bind (any more) matches
// nothing.
//
// Thread-safety: View is immutable; ViewCache may be used from any thread.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "changeset/builder.hpp"
#include "core/mutex.hpp"
#include "core/result.hpp"
#include "protocol/json_bodies.hpp"
#include "query/bound.hpp"
#include "query/document_filter.hpp"
#include "server/sync/engine/documents.hpp"
#include "server/sync/engine/field_mask.hpp"
#include "server/sync/engine/model.hpp"
#include "server/sync/engine/records.hpp"

namespace tombolo::server::sync {

/// One predicate over documents of a class.
class Predicate {
  public:
    Predicate(query::Query query);
    bool matches(ByteView document) const { return filter_.matches(document); }
    const query::Query& query() const noexcept { return query_; }

  private:
    query::Query query_;
    query::DocumentFilter filter_;
};

/// A role compiled against a model: what the views of all who have it share. Immutable.
class CompiledRole {
  public:
    struct OfClass {
        std::shared_ptr<const Predicate> read; ///< null: denied
        std::shared_ptr<const Predicate> write;
        std::shared_ptr<const Predicate> insert;
        std::shared_ptr<const Predicate> erase;
        std::unique_ptr<const FieldMask> mask;
        std::string readable; ///< which fields may be read, in one form; empty: all
    };

    CompiledRole(const Model& model, const Role& role);
    /// Null for a class that is embedded or unknown.
    const OfClass* find(std::string_view class_name) const noexcept;

  private:
    std::map<std::string, OfClass, std::less<>> classes_;
};

class View {
  public:
    View(const std::shared_ptr<const Model>& model, const std::string& body, const Role& role);
    /// REQUIRES: the role was compiled against the model.
    View(std::shared_ptr<const Model> model, const std::string& body,
         std::shared_ptr<const CompiledRole> role);

    const Model& model() const noexcept { return *model_; }
    const std::shared_ptr<const Model>& shared_model() const noexcept { return model_; }
    /// Everything that decides what a device with the view is sent, in canonical texts. Views of
    /// one cache that say the same here share it: equal pointers, equal streams.
    const std::shared_ptr<const std::string>& reading() const noexcept { return reading_; }
    /// What is subscribed to, and what the role may read. Not null for a class that is seen.
    const query::Query* query_of(std::string_view class_name) const noexcept;
    const query::Query* read_filter_of(std::string_view class_name) const noexcept;
    /// False: no object of the class can be in the view.
    bool sees_class(std::string_view class_name) const noexcept;
    /// Classes with a query, in the model's order.
    const std::vector<std::string>& classes() const noexcept { return order_; }
    /// Query and role match the document, whether or not it can be synced.
    bool selects(std::string_view class_name, ByteView document) const;
    /// The same for one that exists and can be synced: the chapter's `member`.
    bool holds(std::string_view class_name, const Image& image) const;

    /// Null: all fields may be read and written.
    const FieldMask* mask(std::string_view class_name) const noexcept;

    bool may_write(std::string_view class_name, ByteView document) const;
    bool may_insert(std::string_view class_name, ByteView document) const;
    bool may_erase(std::string_view class_name, ByteView document) const;

  private:
    /// Null: not subscribed to, or the query does not bind.
    const Predicate* find_query(std::string_view class_name) const noexcept;
    std::string reading_text() const;

    friend class ViewCache;
    std::shared_ptr<const Model> model_;
    std::shared_ptr<const CompiledRole> role_; ///< shared by all who have the role
    std::shared_ptr<const std::string> reading_;
    std::vector<std::string> order_;
    std::vector<std::unique_ptr<const Predicate>> queries_; ///< of order_; null: does not bind
};

/// The object as a device with the view sees it; nothing when the document cannot be synced.
/// REQUIRES: the image exists.
std::optional<Object> visible_object(const View& view, std::string_view class_name,
                                     const Image& image);
/// What a device that holds the object learns and forgets of it when its view changes: fields that
/// may be read from now on, and defaults for those that may not any more. REQUIRES: both hold it.
void append_revealed(changeset::ChangesetBuilder& out, const View& before, const View& after,
                     const ObjectRef& object, const Image& image);

/// Says yes, or the text of the QUERY_ERROR.
Result<void> check_query_body(const Model& model, std::string_view body);
/// The same for a role: a query may not ask for what is hidden from it.
Result<void> check_query_body(const Model& model, std::string_view body, const Role& role);

class ViewCache {
  public:
    struct SharedRole {
        std::shared_ptr<const Role> role;
        std::shared_ptr<const std::string> text; ///< role_text()
    };
    /// The role, or one like it that others hold already: roles are large, and most users have the
    /// same.
    SharedRole share(Role role) TOMBOLO_EXCLUDES(mutex_);
    /// The same for the roles of a file.
    void share_roles(FileState& file) TOMBOLO_EXCLUDES(mutex_);
    /// The view of the epoch under the model; views nobody holds are forgotten.
    std::shared_ptr<const View> get(const std::shared_ptr<const Model>& model, const Epoch& epoch)
        TOMBOLO_EXCLUDES(mutex_);
    std::size_t size() const TOMBOLO_EXCLUDES(mutex_);

  private:
    struct KnownRole {
        std::weak_ptr<const Role> role;
        std::weak_ptr<const std::string> text;
    };
    std::shared_ptr<const CompiledRole> compiled(const Model& model,
                                                 const std::shared_ptr<const Role>& role)
        TOMBOLO_REQUIRES(mutex_);

    mutable Mutex mutex_;
    std::map<std::pair<const Model*, Digest>, std::weak_ptr<const View>>
        views_ TOMBOLO_GUARDED_BY(mutex_);
    std::map<std::pair<const Model*, const Role*>, std::weak_ptr<const CompiledRole>>
        compiled_ TOMBOLO_GUARDED_BY(mutex_);
    std::map<std::string, KnownRole, std::less<>> roles_ TOMBOLO_GUARDED_BY(mutex_);
    std::map<std::pair<const Model*, Digest>, std::weak_ptr<const std::string>>
        readings_ TOMBOLO_GUARDED_BY(mutex_);
    std::size_t sweep_at_ TOMBOLO_GUARDED_BY(mutex_) = 64;
    std::size_t sweep_roles_at_ TOMBOLO_GUARDED_BY(mutex_) = 64;
};

} // namespace tombolo::server::sync
