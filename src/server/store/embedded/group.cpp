#include "server/store/embedded/group.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "core/check.hpp"
#include "server/store/embedded/status.hpp"
#include "server/store/index_keys.hpp"
#include "server/store/store.hpp"

namespace tombolo::store::embedded {

namespace {

rocksdb::Slice slice(std::string_view text) {
    return {text.data(), text.size()};
}

bool is_document(const Transaction::Request& request) {
    return std::holds_alternative<Transaction::DocumentRequest>(request);
}

/// Asks what a record is before it is written.
bool has_condition(const Transaction::Request& request) {
    using Kind = Transaction::RecordRequest::Kind;
    const auto* record = std::get_if<Transaction::RecordRequest>(&request);
    return record != nullptr && (record->kind == Kind::insert || record->kind == Kind::replace);
}

} // namespace

void Overlay::put(std::string key, std::optional<std::string> value) {
    values_.insert_or_assign(std::move(key), std::move(value));
}

void Overlay::erase_range(const std::string& begin, const std::string& end) {
    for (auto& [key, value] : values_) {
        if (key >= begin && key < end) {
            value.reset();
        }
    }
    erased_ranges_.emplace_back(begin, end);
}

const std::optional<std::string>* Overlay::find(const std::string& key) const {
    static const std::optional<std::string> erased;
    const auto found = values_.find(key);
    if (found != values_.end()) {
        return &found->second;
    }
    for (const auto& [begin, end] : erased_ranges_) {
        if (key >= begin && key < end) {
            return &erased;
        }
    }
    return nullptr;
}

void Overlay::merge(Overlay&& newer) {
    for (auto& [begin, end] : newer.erased_ranges_) {
        erase_range(begin, end);
    }
    if (values_.empty()) {
        values_ = std::move(newer.values_);
        return;
    }
    for (auto& [key, value] : newer.values_) {
        values_.insert_or_assign(key, std::move(value));
    }
}

Group::Group(rocksdb::DB& db, const Families& families, const Catalog& catalog, Version first,
             std::int64_t now_unix_ms)
    : db_(db), families_(families), catalog_(catalog), next_(first), now_unix_ms_(now_unix_ms) {}

Result<Version> Group::add(Transaction transaction, bool is_last) {
    Staged staged;
    staged.keeps_records = !is_last || std::any_of(transaction.requests().begin(),
                                                   transaction.requests().end(), has_condition);
    const auto documents = static_cast<std::size_t>(
        std::count_if(transaction.requests().begin(), transaction.requests().end(), is_document));
    staged.docs.reserve(documents);
    staged.doc_positions.reserve(documents);
    staged.record_writes.reserve(transaction.requests().size() - documents);
    for (Transaction::Request& request : transaction.requests()) {
        Result<void> done =
            std::visit([&](auto& one) { return stage(staged, std::move(one)); }, request);
        if (!done) {
            return done.error();
        }
    }

    // All old entries are given up before new ones are claimed: documents may swap unique values.
    std::vector<IndexChange> changes;
    changes.reserve(staged.docs.size());
    for (const DocChange& doc : staged.docs) {
        const auto collection = catalog_.find(doc.collection);
        TOMBOLO_CHECK(collection != nullptr); // doc_change looked it up on this thread
        TOMBOLO_TRY(IndexChange change, index_change(*collection, doc));
        for (const std::string& entry : change.erased) {
            staged.unique.put(entry, std::nullopt);
        }
        changes.push_back(std::move(change));
    }
    for (std::size_t i = 0; i < staged.docs.size(); ++i) {
        const auto collection = catalog_.find(staged.docs[i].collection);
        TOMBOLO_TRY_VOID(claim_unique(staged, *collection, staged.docs[i], changes[i]));
    }

    // Nothing can fail from here on.
    std::uint32_t position = 0;
    for (std::size_t i = 0; i < staged.docs.size(); ++i) {
        const DocChange& doc = staged.docs[i];
        if (doc.before || doc.after) {
            write_doc(doc, changes[i], position++, is_last);
        }
    }
    for (const Transaction::RecordRequest& request : staged.record_writes) {
        write_record(request);
    }
    if (!is_last) {
        for (std::size_t family = 0; family < family_count; ++family) {
            pending_[family].merge(std::move(staged.records[family]));
        }
        pending_unique_.merge(std::move(staged.unique));
    }
    ++accepted_;
    const Version taken = next_;
    next_ = Version{number(next_) + 1};
    return taken;
}

Result<std::vector<RefusedDocument>> Group::refused(const Transaction& transaction) const {
    Staged staged;
    for (const Transaction::Request& request : transaction.requests()) {
        if (const auto* document = std::get_if<Transaction::DocumentRequest>(&request)) {
            TOMBOLO_TRY_VOID(stage(staged, Transaction::DocumentRequest(*document)));
        }
    }
    std::vector<RefusedDocument> out;
    std::vector<std::optional<IndexChange>> changes;
    const auto refuse = [&](const DocChange& doc, const Error& error) {
        out.push_back({doc.collection, doc.id_key, error.message()});
    };
    for (const DocChange& doc : staged.docs) {
        const auto collection = catalog_.find(doc.collection);
        Result<IndexChange> change = collection == nullptr ? Result<IndexChange>(IndexChange())
                                                           : index_change(*collection, doc);
        if (!change) {
            refuse(doc, change.error());
            changes.emplace_back();
            continue;
        }
        for (const std::string& entry : change->erased) {
            staged.unique.put(entry, std::nullopt);
        }
        changes.emplace_back(*std::move(change));
    }
    for (std::size_t i = 0; i < staged.docs.size(); ++i) {
        const DocChange& doc = staged.docs[i];
        const auto collection = catalog_.find(doc.collection);
        if (!changes[i] || collection == nullptr) {
            continue;
        }
        const Result<void> claimed = claim_unique(staged, *collection, doc, *changes[i]);
        if (!claimed && claimed.error().code() != ErrorCode::duplicate_key) {
            return claimed.error();
        }
        if (!claimed) {
            refuse(doc, claimed.error());
        }
    }
    return out;
}

rocksdb::WriteBatch& Group::finish() {
    std::string value;
    append_u64(value, number(newest()));
    put(Family::catalog, "version", value);
    return batch_;
}

Result<void> Group::stage(Staged& staged, Transaction::DocumentRequest&& request) const {
    using Kind = Transaction::DocumentRequest::Kind;
    std::string key = std::move(request.key);
    if (request.kind != Kind::erase) {
        TOMBOLO_TRY(key, document_key(request.document.view().find("_id")));
    }
    TOMBOLO_TRY(DocChange * doc, doc_change(staged, request.collection, std::move(key)));

    const bool exists = doc->after.has_value();
    if (request.kind == Kind::insert && exists) {
        return Error(ErrorCode::duplicate_key,
                     "Duplicate key error: a document with this _id exists",
                     catalog_.find(request.collection)->name.to_string());
    }
    if (request.expected) {
        const auto image = doc->before ? decode_image(*doc->before) : std::nullopt;
        if (!image || image->modified != *request.expected || !exists) {
            return Error(ErrorCode::write_conflict,
                         "the document was changed by another write; read it again",
                         catalog_.find(request.collection)->name.to_string());
        }
    }
    if (request.kind == Kind::erase) {
        doc->after.reset();
        doc->created = Version{};
        return {};
    }
    if (!exists) {
        doc->created = next_;
    }
    doc->after = std::move(request.document);
    return {};
}

Result<Group::DocChange*> Group::doc_change(Staged& staged, CollectionId collection,
                                            std::string id_key) const {
    std::string key = doc_key(collection, id_key);
    const auto found = staged.doc_positions.find(key);
    if (found != staged.doc_positions.end()) {
        return &staged.docs[found->second];
    }
    if (catalog_.find(collection) == nullptr) {
        return Error(ErrorCode::not_found, "the collection was dropped");
    }
    DocChange doc;
    doc.collection = collection;
    doc.id_key = std::move(id_key);
    if (const auto* pending = pending_[static_cast<std::size_t>(Family::doc)].find(key)) {
        doc.before = *pending;
    } else {
        TOMBOLO_TRY(doc.before, stored(Family::doc, key));
    }
    if (doc.before) {
        const auto image = decode_image(*doc.before);
        if (!image) {
            return Error(ErrorCode::store_corrupt, "a stored document cannot be read");
        }
        doc.created = image->created;
        doc.after.emplace(image->body());
    }
    staged.doc_positions.emplace(std::move(key), staged.docs.size());
    staged.docs.push_back(std::move(doc));
    return &staged.docs.back();
}

Result<void> Group::stage(Staged& staged, Transaction::RecordRequest&& request) {
    using Kind = Transaction::RecordRequest::Kind;
    const Family family = family_of(request.space);
    Overlay& overlay = staged.records[static_cast<std::size_t>(family)];
    if (request.kind == Kind::insert || request.kind == Kind::replace) {
        TOMBOLO_TRY(const std::optional<std::string> current,
                    current_record(staged, family, request.key));
        if (request.kind == Kind::insert && current) {
            return Error(ErrorCode::already_exists, "the record exists already");
        }
        if (request.kind == Kind::replace && current != request.expected) {
            return Error(ErrorCode::write_conflict,
                         "the record was changed by another write; read it again");
        }
    }
    if (!staged.keeps_records) {
        // Nobody asks.
    } else if (request.kind == Kind::erase_range) {
        overlay.erase_range(request.key, *request.value);
    } else if (request.kind == Kind::erase) {
        overlay.put(request.key, std::nullopt);
    } else {
        overlay.put(request.key, request.value);
    }
    staged.record_writes.push_back(std::move(request));
    return {};
}

Result<std::optional<std::string>> Group::current_record(const Staged& staged, Family family,
                                                         const std::string& key) const {
    const auto position = static_cast<std::size_t>(family);
    if (const auto* value = staged.records[position].find(key)) {
        return *value;
    }
    if (const auto* value = pending_[position].find(key)) {
        return *value;
    }
    return stored(family, key);
}

Result<std::optional<std::string>> Group::stored(Family family, std::string_view key) const {
    std::string value;
    const rocksdb::Status status = db_.Get(
        rocksdb::ReadOptions(), families_[static_cast<std::size_t>(family)], slice(key), &value);
    if (status.IsNotFound()) {
        return std::optional<std::string>();
    }
    if (!status.ok()) {
        return to_error(status, "read the store");
    }
    return std::optional<std::string>(std::move(value));
}

Result<Group::IndexChange> Group::index_change(const CollectionEntry& collection,
                                               const DocChange& doc) const {
    IndexChange change;
    const auto image = doc.before ? decode_image(*doc.before) : std::nullopt;
    for (const IndexEntry& index : collection.indexes) {
        std::vector<std::string> before;
        std::vector<std::string> after;
        if (image) {
            TOMBOLO_TRY(before, index_keys(index.spec, image->body()));
        }
        if (doc.after) {
            TOMBOLO_TRY(after, index_keys(index.spec, doc.after->view()));
        }
        const std::string prefix = index_prefix(collection.id, index.number);
        const auto entry = [&](const std::string& key) { return prefix + key + doc.id_key; };
        std::vector<std::string> only;
        std::set_difference(before.begin(), before.end(), after.begin(), after.end(),
                            std::back_inserter(only));
        std::transform(only.begin(), only.end(), std::back_inserter(change.erased), entry);
        only.clear();
        std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                            std::back_inserter(only));
        std::transform(only.begin(), only.end(), std::back_inserter(change.added), entry);
    }
    return change;
}

Result<void> Group::claim_unique(Staged& staged, const CollectionEntry& collection,
                                 const DocChange& doc, const IndexChange& change) const {
    for (const std::string& entry : change.added) {
        const std::uint32_t index_number = read_u32(entry, 4);
        const auto index =
            std::find_if(collection.indexes.begin(), collection.indexes.end(),
                         [&](const IndexEntry& one) { return one.number == index_number; });
        if (!index->spec.unique) {
            continue;
        }
        const std::string values = entry.substr(0, entry.size() - doc.id_key.size());
        TOMBOLO_TRY(const std::optional<std::string> owner, unique_owner(staged, values));
        if (owner && *owner != doc.id_key) {
            return Error(ErrorCode::duplicate_key,
                         "Duplicate key error: unique index '" + index->spec.name +
                             "' holds this value for another document",
                         collection.name.to_string());
        }
        staged.unique.put(values, doc.id_key);
        staged.unique.put(entry, std::string());
    }
    return {};
}

// The id key of the document that holds a unique entry now, transactions before this one included.
Result<std::optional<std::string>> Group::unique_owner(const Staged& staged,
                                                       const std::string& values) const {
    const auto given_up = [&](const std::string& entry) {
        const auto* said = staged.unique.find(entry);
        said = said != nullptr ? said : pending_unique_.find(entry);
        return said != nullptr && !said->has_value();
    };
    for (const Overlay* overlay : {&staged.unique, &pending_unique_}) {
        const auto* owner = overlay->find(values);
        if (owner != nullptr && owner->has_value() && !given_up(values + **owner)) {
            return *owner;
        }
    }
    const std::unique_ptr<rocksdb::Iterator> cursor(db_.NewIterator(
        rocksdb::ReadOptions(), families_[static_cast<std::size_t>(Family::index)]));
    for (cursor->Seek(slice(values)); cursor->Valid() && cursor->key().starts_with(slice(values));
         cursor->Next()) {
        const std::string entry = cursor->key().ToString();
        if (!given_up(entry)) {
            return std::optional<std::string>(entry.substr(values.size()));
        }
    }
    if (!cursor->status().ok()) {
        return to_error(cursor->status(), "read an index");
    }
    return std::optional<std::string>();
}

void Group::write_doc(const DocChange& doc, const IndexChange& change, std::uint32_t position,
                      bool is_last) {
    const std::string key = doc_key(doc.collection, doc.id_key);
    if (doc.before) {
        put(Family::past, past_key(key, next_), *doc.before);
    }
    Overlay& pending = pending_[static_cast<std::size_t>(Family::doc)];
    if (doc.after) {
        std::string image = encode_image(doc.created, next_, doc.after->bytes());
        put(Family::doc, key, image);
        if (!is_last) {
            pending.put(key, std::move(image));
        }
    } else {
        erase(Family::doc, key);
        if (!is_last) {
            pending.put(key, std::nullopt);
        }
    }
    for (const std::string& entry : change.erased) {
        erase(Family::index, entry);
    }
    for (const std::string& entry : change.added) {
        put(Family::index, entry, {});
    }

    const Operation operation = !doc.after    ? Operation::erase
                                : !doc.before ? Operation::insert
                                              : Operation::replace;
    std::string value;
    value.reserve(13 + doc.id_key.size());
    append_u64(value, static_cast<std::uint64_t>(now_unix_ms_));
    value.push_back(static_cast<char>(operation));
    append_u32(value, number(doc.collection));
    value += doc.id_key;
    put(Family::feed, feed_key(next_, position), value);
}

void Group::write_record(const Transaction::RecordRequest& request) {
    using Kind = Transaction::RecordRequest::Kind;
    const Family family = family_of(request.space);
    if (request.kind == Kind::erase_range) {
        batch_.DeleteRange(families_[static_cast<std::size_t>(family)], slice(request.key),
                           slice(*request.value));
    } else if (request.kind == Kind::erase || !request.value) {
        erase(family, request.key);
    } else {
        put(family, request.key, *request.value);
    }
}

void Group::put(Family family, std::string_view key, std::string_view value) {
    batch_.Put(families_[static_cast<std::size_t>(family)], slice(key), slice(value));
}

void Group::erase(Family family, std::string_view key) {
    batch_.Delete(families_[static_cast<std::size_t>(family)], slice(key));
}

} // namespace tombolo::store::embedded
