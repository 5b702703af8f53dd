#include "server/sync/engine/bootstrap.hpp"

#include <algorithm>
#include <utility>

#include "changeset/codec.hpp"
#include "query/bson_accessor.hpp"

namespace tombolo::server::sync {

using changeset::ChangesetBuilder;

namespace {

/// Documents looked at in one step, so that one that finds nothing still ends.
constexpr std::size_t looked_at_max = 200'000;

/// What one EraseObject, or an Update of a scalar, takes in a changeset, roughly.
constexpr std::size_t erase_bytes = 20;

} // namespace

Bootstrap::Bootstrap(Options options)
    : options_(std::move(options)), touched_up_to_(options_.point) {
    for (const schema::ClassSchema& each : options_.new_view->model().schema().classes()) {
        const std::string& name = each.name();
        if (options_.new_view->sees_class(name) ||
            (options_.old_view != nullptr && options_.old_view->sees_class(name))) {
            classes_.push_back(name);
        }
    }
}

Result<void> Bootstrap::note_touched(const HistorySource& history) {
    for (; touched_up_to_ < history.top(); ++touched_up_to_) {
        TOMBOLO_TRY(const std::shared_ptr<const Entry> entry, history.entry(touched_up_to_ + 1));
        if (entry->head().kind != EntryKind::change) {
            continue;
        }
        for (const ObjectPart& part : entry->cut().parts) {
            TOMBOLO_TRY(std::string key, document_key_of(to_view(part.object.key)));
            touched_[part.object.class_name].emplace(std::move(key), part.object);
        }
    }
    return {};
}

/// Objects named by entries or by original uploads of the file inside the hole.
Result<void> Bootstrap::note_collapsed(const HistorySource& history) {
    if (collapsed_ || !options_.hole_after) {
        return {};
    }
    std::set<ObjectRef> collapsed;
    for (Number version = *options_.hole_after + 1;
         version < options_.point && !options_.bugs.collapse_of_views_only; ++version) {
        TOMBOLO_TRY(const std::shared_ptr<const Entry> entry, history.entry(version));
        const HistoryEntry& head = entry->head();
        if (head.kind == EntryKind::reset && head.audience != options_.file) {
            continue;
        }
        for (const ObjectPart& part : entry->cut().parts) {
            collapsed.insert(part.object);
        }
        if (head.origin == options_.file || head.origin == server_ident) {
            collapsed.insert(head.dropped.begin(), head.dropped.end());
        }
    }
    collapsed_ = std::move(collapsed);
    return {};
}

void Bootstrap::add(const ObjectRef& object, Image image, bool is_collapsed, ChangesetBuilder& out,
                    std::size_t& bytes) const {
    const View& view = *options_.new_view;
    bool is_in = image.exists() && view.selects(object.class_name, image.bson());
    std::optional<Object> content;
    if (is_in) {
        content = visible_object(view, object.class_name, image);
        is_in = content.has_value();
        image.is_syncable = is_in; // so that nobody reads it again to know
    }
    const bool was_in = is_collapsed || (options_.old_view != nullptr &&
                                         options_.old_view->holds(object.class_name, image));
    if (is_in && (is_collapsed || !was_in)) {
        append_content(out, view.model(), object, *content);
        bytes += options_.batch_objects == 0 ? image.document->size()
                                             : options_.batch_bytes / options_.batch_objects + 1;
    } else if (is_in) {
        const std::size_t said = out.size();
        append_revealed(out, *options_.old_view, *options_.new_view, object, image);
        bytes += erase_bytes * (out.size() - said);
    } else if (was_in) {
        append_erase(out, object);
        bytes += erase_bytes;
    }
}

Result<void> Bootstrap::add_touched(const HistorySource& history, const std::string& key,
                                    const ObjectRef& object, ChangesetBuilder& out,
                                    std::size_t& bytes) {
    position_.key = key;
    Image image;
    if (options_.bugs.bootstrap_from_current_documents) {
        TOMBOLO_TRY(image, history.current(object));
    } else {
        TOMBOLO_TRY(image, history.document_at(object, options_.point));
    }
    const bool is_collapsed = collapsed_ && collapsed_->contains(object);
    if (!is_collapsed) {
        add(object, std::move(image), false, out, bytes);
    }
    return {};
}

/// Current documents and touched objects of one class, together in key order.
Result<void> Bootstrap::fill_class(const SnapshotHistory& history, const store::Snapshot& snapshot,
                                   ChangesetBuilder& out, std::size_t& bytes) {
    const std::string& class_name = classes_[position_.class_index];
    const Model& model = options_.new_view->model();
    const ClassStorage* storage = model.storage(class_name);
    auto& touched = touched_[class_name];
    touched.erase(touched.begin(), touched.upper_bound(position_.key));
    const auto cursor = snapshot.scan(storage->documents, position_.key);
    std::size_t looked_at = 0;
    while (cursor->next()) {
        const std::string key(cursor->key());
        while (!touched.empty() && touched.begin()->first < key) {
            const auto first = touched.extract(touched.begin());
            TOMBOLO_TRY_VOID(add_touched(history, first.key(), first.mapped(), out, bytes));
        }
        if (const auto same = touched.find(key); same != touched.end()) {
            const auto first = touched.extract(same);
            TOMBOLO_TRY_VOID(add_touched(history, first.key(), first.mapped(), out, bytes));
        } else {
            position_.key = key;
            const ByteView document = cursor->document().bytes();
            const bool is_selected =
                options_.new_view->selects(class_name, document) ||
                (options_.old_view != nullptr && options_.old_view->selects(class_name, document));
            if (is_selected) {
                const ObjectRef object{class_name, to_owned(query::primary_key_of(document))};
                Image image;
                image.document = std::make_shared<const std::string>(as_text(document));
                TOMBOLO_TRY(image.sidecar, history.images().sidecar(*storage, key, std::nullopt));
                if (!collapsed_ || !collapsed_->contains(object)) {
                    add(object, std::move(image), false, out, bytes);
                }
            }
        }
        if (bytes >= options_.batch_bytes || ++looked_at >= looked_at_max) {
            return {};
        }
    }
    TOMBOLO_TRY_VOID(cursor->status());
    while (!touched.empty()) {
        const auto first = touched.extract(touched.begin());
        TOMBOLO_TRY_VOID(add_touched(history, first.key(), first.mapped(), out, bytes));
        if (bytes >= options_.batch_bytes) {
            return {};
        }
    }
    ++position_.class_index;
    position_.key.clear();
    return {};
}

Result<void> Bootstrap::fill(const SnapshotHistory& history, const store::Snapshot& snapshot,
                             ChangesetBuilder& out, std::size_t& bytes) {
    TOMBOLO_TRY_VOID(note_touched(history));
    if (options_.hole_after && !collapsed_) {
        TOMBOLO_TRY_VOID(note_collapsed(history));
        // All of them in the first batch: they are as many as were named in the hole.
        for (const ObjectRef& object : *collapsed_) {
            TOMBOLO_TRY(const Image image, history.document_at(object, options_.point));
            add(object, image, true, out, bytes);
        }
    }
    while (!is_done() && bytes < options_.batch_bytes) {
        TOMBOLO_TRY_VOID(fill_class(history, snapshot, out, bytes));
    }
    return {};
}

/// A batch that says something, or nothing at the end.
Result<std::vector<std::byte>> Bootstrap::produce(const SnapshotHistory& history,
                                                  const store::Snapshot& snapshot) {
    for (;;) {
        ChangesetBuilder out;
        std::size_t bytes = 0;
        if (options_.sends_schema) {
            options_.new_view->model().append_schema(out);
            options_.sends_schema = false;
        }
        TOMBOLO_TRY_VOID(fill(history, snapshot, out, bytes));
        TOMBOLO_TRY(const changeset::Changeset whole, out.finish());
        if (!whole.empty() || is_done()) {
            return changeset::encode(whole);
        }
    }
}

Result<Bootstrap::Step> Bootstrap::next(const SnapshotHistory& history,
                                        const store::Snapshot& snapshot) {
    // One batch ahead, so that the last one is known as such.
    if (!ready_) {
        TOMBOLO_TRY(ready_, produce(history, snapshot));
        if (ready_->empty()) {
            // A bootstrap needs a changeset: schema instructions say nothing new.
            ChangesetBuilder out;
            options_.new_view->model().append_schema(out);
            TOMBOLO_TRY(const changeset::Changeset filler, out.finish());
            return Step{changeset::encode(filler), true};
        }
    }
    std::vector<std::byte> following;
    if (!is_done()) {
        TOMBOLO_TRY(following, produce(history, snapshot));
    }
    Step step{*std::move(ready_), following.empty()};
    ready_ = std::move(following);
    return step;
}

} // namespace tombolo::server::sync
