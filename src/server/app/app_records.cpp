#include "server/app/app_records.hpp"

namespace tombolo::server::records {

void write_files(const ObjectId& app, const AppTree& tree, const AppTree* known,
                 mql::BsonWriter& record, store::Transaction& transaction) {
    record.begin_array("files");
    for (const auto& [path, content] : tree) {
        const std::string hash = hash_of(content);
        record.begin_document({});
        record.append_string("path", path);
        record.append_string("hash", hash);
        record.end();
        const auto stored = known != nullptr ? known->find(path) : AppTree::const_iterator();
        if (known == nullptr || stored == known->end() || stored->second != content) {
            transaction.put_record(Space::meta, blob_key(app, hash), content);
        }
    }
    record.end();
}

Result<AppTree> read_files(const ObjectId& app, mql::BsonDocumentView record,
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
        tree.emplace(text(file, "path"), std::move(*content));
    }
    return tree;
}

} // namespace tombolo::server::records
