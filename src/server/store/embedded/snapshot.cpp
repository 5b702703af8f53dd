#include "server/store/embedded/snapshot.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "server/store/embedded/status.hpp"
#include "server/store/index_keys.hpp"
#include "server/store/value_key.hpp"

namespace tombolo::store::embedded {

namespace {

rocksdb::Slice slice(std::string_view text) {
    return {text.data(), text.size()};
}
std::string_view view(const rocksdb::Slice& text) {
    return {text.data(), text.size()};
}

Error damaged_document() {
    return Error(ErrorCode::store_corrupt, "a stored document cannot be read");
}

Result<std::optional<StoredDocument>> to_document(std::string_view value) {
    const auto image = decode_image(value);
    if (!image) {
        return damaged_document();
    }
    return std::optional<StoredDocument>(
        StoredDocument{image->created, image->modified, mql::BsonDocument(image->body())});
}

Result<void> cursor_status(const rocksdb::Iterator& cursor) {
    if (cursor.status().ok()) {
        return {};
    }
    return to_error(cursor.status(), "read the store");
}

class FamilyCursor final : public RecordCursor {
  public:
    FamilyCursor(rocksdb::Iterator* cursor, std::string_view begin, std::string end)
        : cursor_(cursor), end_(std::move(end)) {
        cursor_->Seek(slice(begin));
    }

    bool next() override {
        if (started_ && cursor_->Valid()) {
            cursor_->Next();
        }
        started_ = true;
        return cursor_->Valid() && (end_.empty() || view(cursor_->key()) < end_);
    }
    std::string_view key() const override { return view(cursor_->key()); }
    std::string_view value() const override { return view(cursor_->value()); }
    Result<void> status() const override { return cursor_status(*cursor_); }

  private:
    std::unique_ptr<rocksdb::Iterator> cursor_;
    std::string end_;
    bool started_ = false;
};

class CollectionCursor final : public DocumentCursor {
  public:
    CollectionCursor(rocksdb::Iterator* cursor, CollectionId collection, std::string_view after)
        : cursor_(cursor), prefix_(collection_prefix(collection)) {
        std::string begin = prefix_;
        begin.append(after);
        cursor_->Seek(begin);
        if (!after.empty() && cursor_->Valid() && view(cursor_->key()) == begin) {
            cursor_->Next();
        }
    }

    bool next() override {
        if (started_ && cursor_->Valid()) {
            cursor_->Next();
        }
        started_ = true;
        if (!cursor_->Valid() || !cursor_->key().starts_with(prefix_)) {
            return false;
        }
        const auto image = decode_image(view(cursor_->value()));
        damaged_ = !image.has_value();
        if (image) {
            image_ = *image;
        }
        return !damaged_;
    }
    std::string_view key() const override { return view(cursor_->key()).substr(prefix_.size()); }
    mql::BsonDocumentView document() const override { return image_.body(); }
    Version modified() const override { return image_.modified; }
    Result<void> status() const override {
        return damaged_ ? Result<void>(damaged_document()) : cursor_status(*cursor_);
    }

  private:
    std::unique_ptr<rocksdb::Iterator> cursor_;
    std::string prefix_;
    Image image_;
    bool started_ = false;
    bool damaged_ = false;
};

// Entries of one index from `begin` while they start with `equal` and their next field is not
// beyond `upper`.
class IndexCursor final : public DocumentCursor {
  public:
    IndexCursor(const EmbeddedSnapshot& snapshot, rocksdb::Iterator* cursor,
                std::shared_ptr<const CollectionEntry> collection, const IndexEntry& index,
                const IndexRange& range)
        : snapshot_(snapshot), cursor_(cursor), collection_(std::move(collection)), index_(index),
          prefix_(index_prefix(collection_->id, index.number)), equal_(prefix_) {
        for (const mql::BsonValue& value : range.equal) {
            append_value_key(equal_, value.view());
        }
        begin_ = equal_;
        if (range.lower) {
            append_value_key(begin_, range.lower->view());
        }
        if (range.upper) {
            append_value_key(upper_, range.upper->view());
        }
        cursor_->Seek(begin_);
    }

    bool next() override {
        for (;;) {
            if (started_ && cursor_->Valid()) {
                cursor_->Next();
            }
            started_ = true;
            if (!cursor_->Valid() || !in_range(view(cursor_->key()))) {
                return false;
            }
            const std::string_view entry = view(cursor_->key()).substr(prefix_.size());
            const std::size_t values = values_size(entry);
            if (values == 0) {
                error_ = Error(ErrorCode::store_corrupt, "an index entry cannot be read");
                return false;
            }
            key_ = entry.substr(values);
            Result<std::optional<StoredDocument>> found = snapshot_.find(collection_->id, key_);
            if (!found || !*found) {
                error_ = found ? Error(ErrorCode::store_corrupt, "an index entry has no document")
                               : found.error();
                return false;
            }
            document_ = std::move(**found);
            if (is_first_of_document(entry.substr(0, values))) {
                return true;
            }
        }
    }
    std::string_view key() const override { return key_; }
    mql::BsonDocumentView document() const override { return document_.body.view(); }
    Version modified() const override { return document_.modified; }
    Result<void> status() const override {
        return error_ ? Result<void>(*error_) : cursor_status(*cursor_);
    }

  private:
    bool in_range(std::string_view entry) const {
        if (!entry.starts_with(equal_)) {
            return false;
        }
        const std::string_view rest = entry.substr(equal_.size());
        return upper_.empty() || rest.substr(0, upper_.size()) <= upper_;
    }

    std::size_t values_size(std::string_view entry) const {
        std::size_t at = 0;
        for (std::size_t i = 0; i < index_.spec.fields.size(); ++i) {
            const std::size_t size = value_key_size(entry.substr(at));
            if (size == 0) {
                return 0;
            }
            at += size;
        }
        return at;
    }

    // A document with an array has several entries: it is shown at its first one in the range.
    bool is_first_of_document(std::string_view values) const {
        const Result<std::vector<std::string>> keys =
            index_keys(index_.spec, document_.body.view());
        if (!keys || keys->size() <= 1) {
            return true;
        }
        const auto first = std::find_if(keys->begin(), keys->end(), [&](const std::string& one) {
            const std::string entry = prefix_ + one;
            return entry >= begin_ && in_range(entry);
        });
        return first != keys->end() && *first == values;
    }

    const EmbeddedSnapshot& snapshot_;
    std::unique_ptr<rocksdb::Iterator> cursor_;
    std::shared_ptr<const CollectionEntry> collection_;
    const IndexEntry& index_; // inside collection_
    std::string prefix_;
    std::string equal_;
    std::string begin_;
    std::string upper_;
    std::string key_;
    StoredDocument document_;
    std::optional<Error> error_;
    bool started_ = false;
};

} // namespace

EmbeddedSnapshot::EmbeddedSnapshot(rocksdb::DB& db, const Families& families,
                                   const Catalog& catalog, const rocksdb::Snapshot* snapshot,
                                   Version version, const std::atomic<std::uint64_t>& floor)
    : db_(db), families_(families), catalog_(catalog), snapshot_(snapshot), version_(version),
      floor_(floor) {}

EmbeddedSnapshot::~EmbeddedSnapshot() {
    db_.ReleaseSnapshot(snapshot_);
}

rocksdb::ReadOptions EmbeddedSnapshot::options() const {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    return options;
}

Result<std::optional<StoredDocument>> EmbeddedSnapshot::find(CollectionId collection,
                                                             std::string_view key) const {
    rocksdb::PinnableSlice value;
    const rocksdb::Status status =
        db_.Get(options(), family(Family::doc), doc_key(collection, key), &value);
    if (status.IsNotFound()) {
        return std::optional<StoredDocument>();
    }
    if (!status.ok()) {
        return to_error(status, "read a document");
    }
    return to_document(view(value));
}

Result<void> EmbeddedSnapshot::check_retained(Version at) const {
    const std::uint64_t floor = floor_.load();
    if (number(at) >= floor && at <= version_) {
        return {};
    }
    return Error(ErrorCode::out_of_range,
                 "version " + std::to_string(number(at)) + " is not retained; there are " +
                     std::to_string(floor) + " to " + std::to_string(number(version_)));
}

Result<std::optional<StoredDocument>>
EmbeddedSnapshot::find_at(CollectionId collection, std::string_view key, Version at) const {
    TOMBOLO_TRY_VOID(check_retained(at));
    const std::string doc = doc_key(collection, key);
    const std::unique_ptr<rocksdb::Iterator> cursor(
        db_.NewIterator(options(), family(Family::past)));
    cursor->Seek(past_key(doc, Version{number(at) + 1}));
    std::optional<StoredDocument> found;
    if (cursor->Valid() && cursor->key().size() == doc.size() + 8 &&
        cursor->key().starts_with(doc)) {
        TOMBOLO_TRY(found, to_document(view(cursor->value())));
    } else if (!cursor->status().ok()) {
        return to_error(cursor->status(), "read a document's past");
    } else {
        TOMBOLO_TRY(found, find(collection, key));
    }
    TOMBOLO_TRY_VOID(check_retained(at)); // trimmed while we read?
    if (found && found->created > at) {
        found.reset();
    }
    return found;
}

std::unique_ptr<DocumentCursor> EmbeddedSnapshot::scan(CollectionId collection,
                                                       std::string_view after) const {
    return std::make_unique<CollectionCursor>(db_.NewIterator(options(), family(Family::doc)),
                                              collection, after);
}

Result<std::unique_ptr<DocumentCursor>>
EmbeddedSnapshot::scan_index(CollectionId collection, std::string_view index,
                             const IndexRange& range) const {
    auto entry = catalog_.find(collection);
    const IndexEntry* found = entry ? entry->find_index(index) : nullptr;
    if (found == nullptr || !found->ready) {
        return Error(ErrorCode::not_found, "there is no index '" + std::string(index) + "'");
    }
    if (range.equal.size() + ((range.lower || range.upper) ? 1 : 0) > found->spec.fields.size()) {
        return Error(ErrorCode::invalid_argument,
                     "the range names more fields than index '" + std::string(index) + "' has");
    }
    return std::unique_ptr<DocumentCursor>(std::make_unique<IndexCursor>(
        *this, db_.NewIterator(options(), family(Family::index)), std::move(entry), *found, range));
}

Result<std::optional<std::string>> EmbeddedSnapshot::record(Space space,
                                                            std::string_view key) const {
    std::string value;
    const rocksdb::Status status = db_.Get(options(), family(family_of(space)), slice(key), &value);
    if (status.IsNotFound()) {
        return std::optional<std::string>();
    }
    if (!status.ok()) {
        return to_error(status, "read a record");
    }
    return std::optional<std::string>(std::move(value));
}

std::unique_ptr<RecordCursor> EmbeddedSnapshot::scan_records(Space space, std::string_view begin,
                                                             std::string_view end) const {
    return std::make_unique<FamilyCursor>(db_.NewIterator(options(), family(family_of(space))),
                                          begin, std::string(end));
}

} // namespace tombolo::store::embedded
