#include "server/store/embedded/catalog.hpp"

#include <mutex>

#include "server/store/embedded/layout.hpp"

namespace tombolo::store::embedded {

namespace {

constexpr std::string_view key_prefix = "collection/";

std::string text(mql::BsonDocumentView document, std::string_view field) {
    const mql::BsonView value = document.find(field);
    return value.is_string() ? std::string(value.as_string()) : std::string();
}

std::uint32_t count(mql::BsonDocumentView document, std::string_view field) {
    const mql::BsonView value = document.find(field);
    std::int64_t out = 0;
    return value.is_number() && value.to_int64(out) ? static_cast<std::uint32_t>(out) : 0;
}

bool flag(mql::BsonDocumentView document, std::string_view field) {
    return document.find(field).truthy();
}

} // namespace

const IndexEntry* CollectionEntry::find_index(std::string_view index_name) const noexcept {
    for (const IndexEntry& index : indexes) {
        if (index.spec.name == index_name) {
            return &index;
        }
    }
    return nullptr;
}

std::string catalog_key(CollectionId id) {
    std::string key(key_prefix);
    append_u32(key, number(id));
    return key;
}

std::string encode_collection(const CollectionEntry& entry) {
    mql::BsonWriter writer;
    writer.append_string("data_source", entry.name.data_source);
    writer.append_string("database", entry.name.database);
    writer.append_string("collection", entry.name.collection);
    writer.append_int64("next_index", entry.next_index);
    writer.begin_array("indexes");
    for (const IndexEntry& index : entry.indexes) {
        writer.begin_document({});
        writer.append_int64("number", index.number);
        writer.append_string("name", index.spec.name);
        writer.begin_array("fields");
        for (const IndexField& field : index.spec.fields) {
            writer.append_string({}, field.path);
        }
        writer.end();
        writer.append_bool("unique", index.spec.unique);
        writer.append_bool("ready", index.ready);
        writer.end();
    }
    writer.end();
    const mql::BsonDocument document = std::move(writer).finish();
    return std::string(as_text(document.bytes()));
}

Result<CollectionEntry> decode_collection(std::string_view key, std::string_view value) {
    if (!key.starts_with(key_prefix) || key.size() != key_prefix.size() + 4) {
        return Error(ErrorCode::store_corrupt, "the store's catalog has a key that is none");
    }
    TOMBOLO_TRY(const mql::BsonDocumentView document,
                mql::BsonDocumentView::validate(as_bytes(value)));
    CollectionEntry entry;
    entry.id = CollectionId{read_u32(key, key_prefix.size())};
    entry.name = {text(document, "data_source"), text(document, "database"),
                  text(document, "collection")};
    entry.next_index = count(document, "next_index");
    const mql::BsonView indexes = document.find("indexes");
    if (indexes.is_array()) {
        for (const mql::BsonElement& element : indexes.as_document()) {
            const mql::BsonDocumentView stored = element.value.as_document();
            IndexEntry index;
            index.number = count(stored, "number");
            index.spec.name = text(stored, "name");
            index.spec.unique = flag(stored, "unique");
            index.ready = flag(stored, "ready");
            for (const mql::BsonElement& field : stored.find("fields").as_document()) {
                index.spec.fields.push_back({std::string(field.value.as_string())});
            }
            entry.indexes.push_back(std::move(index));
        }
    }
    return entry;
}

void Catalog::set(CollectionEntry entry) {
    auto shared = std::make_shared<const CollectionEntry>(std::move(entry));
    const std::unique_lock lock(mutex_);
    by_name_[shared->name] = shared->id;
    by_id_[shared->id] = std::move(shared);
}

void Catalog::erase(CollectionId id) {
    const std::unique_lock lock(mutex_);
    const auto found = by_id_.find(id);
    if (found != by_id_.end()) {
        by_name_.erase(found->second->name);
        by_id_.erase(found);
    }
}

std::shared_ptr<const CollectionEntry> Catalog::find(CollectionId id) const {
    const std::shared_lock lock(mutex_);
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

std::shared_ptr<const CollectionEntry> Catalog::find(const CollectionName& name) const {
    const std::shared_lock lock(mutex_);
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : by_id_.at(found->second);
}

std::vector<std::shared_ptr<const CollectionEntry>> Catalog::all() const {
    const std::shared_lock lock(mutex_);
    std::vector<std::shared_ptr<const CollectionEntry>> entries;
    entries.reserve(by_id_.size());
    for (const auto& [id, entry] : by_id_) {
        entries.push_back(entry);
    }
    return entries;
}

} // namespace tombolo::store::embedded
