#pragma once

// Names, versions and requests of the Store (store.hpp).

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/bytes.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::store {

/// Position in the store's commit order. Every transaction takes the next one; 0 is "before
/// everything".
enum class Version : std::uint64_t {};

constexpr std::uint64_t number(Version version) noexcept {
    return static_cast<std::uint64_t>(version);
}

/// Store-internal name of a collection, stable for the collection's life and never reused.
enum class CollectionId : std::uint32_t {};

constexpr std::uint32_t number(CollectionId id) noexcept {
    return static_cast<std::uint32_t>(id);
}

struct CollectionName {
    std::string data_source;
    std::string database;
    std::string collection;

    /// "data source/database/collection", for messages.
    std::string to_string() const;
    friend auto operator<=>(const CollectionName&, const CollectionName&) = default;
};

struct IndexField {
    std::string path; ///< dotted; array elements are indexed each
    friend bool operator==(const IndexField&, const IndexField&) = default;
};

/// Entries are ordered by MongoDB's comparison order of the fields, ascending. A missing field
/// counts as null.
struct IndexSpec {
    std::string name;
    std::vector<IndexField> fields; ///< 1 to limits::index_fields_max
    bool unique = false;
    friend bool operator==(const IndexSpec&, const IndexSpec&) = default;
};

struct StoredDocument {
    Version created{};  ///< when the document came into being (again, after an erase)
    Version modified{}; ///< when it was written last
    mql::BsonDocument body;
};

/// Record spaces beside the documents: what sync and the server keep in the same commits
/// (DESIGN.md, embedded layout). Keys are the caller's and sort bytewise.
enum class Space : std::uint8_t {
    meta,       ///< apps, users, sessions, configuration
    history,    ///< app | server version -> history entry
    part,       ///< app | class | pk | server version -> an object's part of a history entry
    file,       ///< app | client file ident -> state of that file
    reciprocal, ///< app | ident | class | pk | server version -> reciprocal changeset
};

enum class Operation : std::uint8_t { insert = 1, replace = 2, erase = 3 };

/// One change of one document in commit order. The images before and after are read through
/// Snapshot::find_at(collection, key, version), while the store retains them.
struct FeedEntry {
    Version version{};
    std::int64_t committed_unix_ms = 0;
    Operation operation = Operation::insert;
    CollectionId collection{};
    std::string key; ///< document key (document_key)
};

/// A document that the indexes of its collection do not let in.
struct RefusedDocument {
    CollectionId collection{};
    std::string key; ///< document key (document_key)
    std::string why;
};

/// What a transaction asks for. All of it happens, or none.
class Transaction {
  public:
    /// Fails the transaction with duplicate_key when the `_id` exists. REQUIRES: `document` has an
    /// `_id`.
    void insert(CollectionId collection, mql::BsonDocument document);
    /// Inserts or replaces.
    void put(CollectionId collection, mql::BsonDocument document);
    /// Replaces; fails with write_conflict unless the stored document was last written at
    /// `expected`.
    void replace(CollectionId collection, mql::BsonDocument document, Version expected);
    /// Erases the document of that key; without `expected` an absent one is no error.
    void erase(CollectionId collection, std::string key, std::optional<Version> expected = {});

    void put_record(Space space, std::string key, std::string value);
    /// Fails the transaction with already_exists when the key is there.
    void insert_record(Space space, std::string key, std::string value);
    /// Fails with write_conflict unless the record is exactly `expected` (nullopt: absent). An
    /// empty `value` optional erases the record.
    void replace_record(Space space, std::string key, std::optional<std::string> expected,
                        std::optional<std::string> value);
    void erase_record(Space space, std::string key);
    /// Erases the keys in [begin, end).
    void erase_records(Space space, std::string begin, std::string end);

    bool empty() const noexcept { return requests_.empty(); }
    /// Bytes of keys and values, for bounding groups.
    std::size_t bytes() const noexcept { return bytes_; }

    struct DocumentRequest {
        enum class Kind : std::uint8_t { insert, put, replace, erase };
        Kind kind;
        CollectionId collection;
        std::string key; ///< filled for erase only; derived from `_id` otherwise
        mql::BsonDocument document;
        std::optional<Version> expected;
    };
    struct RecordRequest {
        enum class Kind : std::uint8_t { put, insert, replace, erase, erase_range };
        Kind kind;
        Space space;
        std::string key;
        std::optional<std::string> value; ///< of erase_range: the end
        std::optional<std::string> expected;
    };
    using Request = std::variant<DocumentRequest, RecordRequest>;
    const std::vector<Request>& requests() const noexcept { return requests_; }
    std::vector<Request>& requests() noexcept { return requests_; }

  private:
    std::vector<Request> requests_;
    std::size_t bytes_ = 0;
};

} // namespace tombolo::store
