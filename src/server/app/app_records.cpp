#include "server/app/app_records.hpp"

namespace tombolo::server::records {

namespace {

// A custom JWT provider of the old kind has its key in here (admin-api-and-config.md 5.5).
bool may_hold_secrets(const std::string& path) {
    return path == "auth/providers.json";
}

// What the sealer's keys for file contents are derived from.
std::string purpose_of(const ObjectId& app) {
    return "blobs/" + app.to_string();
}

} // namespace

void write_files(const ObjectId& app, const AppTree& tree, const AppTree* known,
                 const Sealer& sealer, mql::BsonWriter& record, store::Transaction& transaction) {
    record.begin_array("files");
    for (const auto& [path, content] : tree) {
        const bool sealed = may_hold_secrets(path);
        const std::string hash =
            sealed ? to_hex(as_bytes(sealer.fingerprint(purpose_of(app), content)))
                   : hash_of(content);
        record.begin_document({});
        record.append_string("path", path);
        record.append_string("hash", hash);
        if (sealed) {
            record.append_bool("sealed", true);
        }
        record.end();
        const auto stored = known != nullptr ? known->find(path) : AppTree::const_iterator();
        if (known == nullptr || stored == known->end() || stored->second != content) {
            transaction.put_record(Space::meta, blob_key(app, hash),
                                   sealed ? sealer.seal(purpose_of(app), content) : content);
        }
    }
    record.end();
}

Result<AppTree> read_files(const ObjectId& app, mql::BsonDocumentView record, const Sealer& sealer,
                           const store::Snapshot& snapshot) {
    AppTree tree;
    for (const mql::BsonElement& element : record.find("files").as_document()) {
        const mql::BsonDocumentView file = element.value.as_document();
        TOMBOLO_TRY(std::optional<std::string> content,
                    snapshot.record(Space::meta, blob_key(app, text(file, "hash"))));
        if (!content) {
            return Error(ErrorCode::store_corrupt, "a deployment misses a file",
                         text(file, "path"));
        }
        const mql::BsonView sealed = file.find("sealed");
        if (sealed.type() == mql::BsonType::boolean && sealed.as_bool()) {
            TOMBOLO_TRY(content, sealer.open(purpose_of(app), *content));
        }
        tree.emplace(text(file, "path"), std::move(*content));
    }
    return tree;
}

} // namespace tombolo::server::records
