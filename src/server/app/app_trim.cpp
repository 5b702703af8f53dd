// Old deployments and the file contents that only they had.

#include <mutex>
#include <set>

#include "server/app/app_records.hpp"

namespace tombolo::server {

using namespace records;

namespace {

void add_hashes(mql::BsonDocumentView record, std::set<std::string>& hashes) {
    const mql::BsonView files = record.find("files");
    if (!files.is_array()) {
        return;
    }
    for (const mql::BsonElement& element : files.as_document()) {
        hashes.insert(text(element.value.as_document(), "hash"));
    }
}

struct StoredDeployment {
    std::string key;
    std::uint64_t number = 0;
};

// Oldest first.
Result<std::vector<StoredDeployment>> stored_deployments(const store::Snapshot& snapshot,
                                                         const std::string& prefix) {
    std::vector<StoredDeployment> out;
    const auto cursor =
        snapshot.scan_records(Space::meta, prefix, store::embedded::prefix_end(prefix));
    while (cursor->next()) {
        StoredDeployment one{std::string(cursor->key()), 0};
        for (const char byte : one.key.substr(prefix.size())) {
            one.number = one.number << 8U | static_cast<unsigned char>(byte);
        }
        out.push_back(std::move(one));
    }
    TOMBOLO_TRY_VOID(cursor->status());
    return out;
}

} // namespace

Result<std::size_t> AppRepository::trim_deployments(std::size_t kept) {
    std::size_t removed = 0;
    for (const auto& app : all()) {
        const std::lock_guard lock(deploy_mutex_);
        if (const auto current = find(app->id)) {
            TOMBOLO_TRY(const std::size_t count, trim_deployments(*current, kept));
            removed += count;
        }
    }
    return removed;
}

// REQUIRES: deploy_mutex_ is held.
Result<std::size_t> AppRepository::trim_deployments(const App& app, std::size_t kept) {
    const auto snapshot = store_.snapshot();
    const std::string id = app.id.to_string();
    TOMBOLO_TRY(const std::vector<StoredDeployment> stored,
                stored_deployments(*snapshot, "deployments/" + id + "/"));
    if (stored.size() <= kept) {
        return std::size_t{0};
    }
    std::set<std::uint64_t> needed = {app.deployment};
    std::set<std::string> hashes;
    const std::string drafts = "drafts/" + id + "/";
    const auto draft =
        snapshot->scan_records(Space::meta, drafts, store::embedded::prefix_end(drafts));
    while (draft->next()) {
        TOMBOLO_TRY(const mql::BsonDocumentView record,
                    mql::BsonDocumentView::validate(as_bytes(draft->value())));
        needed.insert(static_cast<std::uint64_t>(integer(record, "base")));
        add_hashes(record, hashes);
    }
    TOMBOLO_TRY_VOID(draft->status());

    store::Transaction transaction;
    std::size_t removed = 0;
    for (std::size_t at = 0; at < stored.size(); ++at) {
        if (at + kept < stored.size() && !needed.contains(stored[at].number)) {
            transaction.erase_record(Space::meta, stored[at].key);
            ++removed;
            continue;
        }
        TOMBOLO_TRY(const std::optional<std::string> content,
                    snapshot->record(Space::meta, stored[at].key));
        if (content) {
            TOMBOLO_TRY(const mql::BsonDocumentView record,
                        mql::BsonDocumentView::validate(as_bytes(*content)));
            add_hashes(record, hashes);
        }
    }
    if (removed == 0) {
        return removed;
    }
    const std::string blobs = "blobs/" + id + "/";
    const auto blob =
        snapshot->scan_records(Space::meta, blobs, store::embedded::prefix_end(blobs));
    while (blob->next()) {
        if (!hashes.contains(std::string(blob->key().substr(blobs.size())))) {
            transaction.erase_record(Space::meta, std::string(blob->key()));
        }
    }
    TOMBOLO_TRY_VOID(blob->status());
    TOMBOLO_TRY(const store::Version written, store_.commit(std::move(transaction)));
    static_cast<void>(written);
    return removed;
}

} // namespace tombolo::server
