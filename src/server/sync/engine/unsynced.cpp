#include "server/sync/engine/unsynced.hpp"

#include "schema/document.hpp"

namespace tombolo::server::sync {

namespace {

/// Goes through one class; false when the page is full.
Result<bool> look_through(const SyncModel& model, const std::string& class_name,
                          const store::Snapshot& snapshot, store::CollectionId collection,
                          std::string_view after, std::size_t count_max, std::size_t scanned_max,
                          UnsyncedPage& page) {
    const schema::Namespace& place = model.documents.places.find(class_name)->second;
    const auto cursor = snapshot.scan(collection, after);
    std::string last(after);
    while (cursor->next()) {
        if (page.scanned == scanned_max || page.documents.size() == count_max) {
            page.next = class_name + '\0' + last;
            return false;
        }
        ++page.scanned;
        last = cursor->key();
        const schema::ReadDocument read =
            schema::document_to_object(model.documents, class_name, cursor->document().bytes());
        if (!read.ok()) {
            mql::BsonWriter id;
            id.append("_id", cursor->document().find("_id"));
            page.documents.push_back({class_name, place.database, place.collection,
                                      std::move(id).finish(),
                                      schema::to_text(read.problems.front())});
        }
    }
    TOMBOLO_TRY_VOID(cursor->status());
    return true;
}

} // namespace

Result<UnsyncedPage> unsynced_documents(const SyncModel& model, const store::Store& store,
                                        std::string_view after, std::size_t count_max,
                                        std::size_t scanned_max) {
    const std::size_t separator = std::min(after.find('\0'), after.size());
    const std::string_view first = after.substr(0, separator);
    std::string_view key = separator < after.size() ? after.substr(separator + 1) : "";
    const auto snapshot = store.snapshot();
    UnsyncedPage page;
    for (auto at = model.documents.places.lower_bound(first); at != model.documents.places.end();
         ++at, key = {}) {
        const auto& [class_name, place] = *at;
        const schema::ClassSchema* of = model.documents.schema.find(class_name);
        const auto collection =
            store.find_collection({place.data_source, place.database, place.collection});
        if (of == nullptr || of->is_asymmetric() || !collection) {
            continue;
        }
        TOMBOLO_TRY(const bool has_room,
                    look_through(model, class_name, *snapshot, *collection,
                                 class_name == first ? key : std::string_view(), count_max,
                                 scanned_max, page));
        if (!has_room) {
            break;
        }
    }
    return page;
}

} // namespace tombolo::server::sync
