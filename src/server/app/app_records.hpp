#pragma once

// Keys and records of the AppRepository, internal to server/app.

#include <cstring>
#include <string>

#include "server/app/app_repository.hpp"
#include "server/store/embedded/layout.hpp"

namespace tombolo::server {

// What a deployment's record says besides the files.
struct AppRepository::Writing {
    std::string origin;
    std::string author;
    std::string name;
    std::string draft;
    std::int64_t now_unix_ms = 0;
    bool is_new = false; ///< create(): deployment 0
    bool may_break_sync = false;
    bool always = false; ///< also when nothing changed
};

namespace records {

using store::Space;

inline std::string app_key(const ObjectId& id) {
    return "apps/" + id.to_string();
}
inline std::string deployment_key(const ObjectId& id, std::uint64_t number) {
    std::string key = "deployments/" + id.to_string() + "/";
    for (int shift = 56; shift >= 0; shift -= 8) {
        key.push_back(static_cast<char>((number >> shift) & 0xff));
    }
    return key;
}
inline std::string blob_key(const ObjectId& id, std::string_view hash) {
    return "blobs/" + id.to_string() + "/" + std::string(hash);
}
inline std::string secret_key(const ObjectId& id, std::string_view name) {
    return "secrets/" + id.to_string() + "/" + std::string(name);
}
inline std::string hash_of(std::string_view content) {
    return to_hex(as_bytes(sha256(content)));
}

inline std::string text(mql::BsonDocumentView document, std::string_view key) {
    const mql::BsonView value = document.find(key);
    return value.is_string() ? std::string(value.as_string()) : std::string();
}
inline std::int64_t integer(mql::BsonDocumentView document, std::string_view key) {
    std::int64_t out = 0;
    const mql::BsonView value = document.find(key);
    return value.is_number() && value.to_int64(out) ? out : 0;
}
inline std::string bytes_of(mql::BsonWriter&& writer) {
    const mql::BsonDocument document = std::move(writer).finish();
    return std::string(as_text(document.bytes()));
}

inline ObjectId object_id_of(std::string_view bytes) {
    ObjectId id;
    std::memcpy(id.bytes.data(), bytes.data(), id.bytes.size());
    return id;
}

inline Error no_app() {
    return Error(ErrorCode::not_found, "there is no such app");
}

inline std::string draft_key(const ObjectId& id, std::string_view author) {
    return "drafts/" + id.to_string() + "/" + std::string(author);
}
inline std::string setting_key(const ObjectId& id, std::string_view name) {
    return "app-settings/" + id.to_string() + "/" + std::string(name);
}

/// Appends "files" to the record and puts the contents that `known` (null: nothing) does not hold.
/// Files that may have secrets in them are sealed.
void write_files(const ObjectId& app, const AppTree& tree, const AppTree* known,
                 const Sealer& sealer, mql::BsonWriter& record, store::Transaction& transaction);
/// The other way.
Result<AppTree> read_files(const ObjectId& app, mql::BsonDocumentView record, const Sealer& sealer,
                           const store::Snapshot& snapshot);

} // namespace records

} // namespace tombolo::server
