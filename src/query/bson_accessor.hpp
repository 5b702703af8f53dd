#pragma once

// BSON documents as the evaluator sees them, by the App Services mapping
// (device-sync-server.md 1.3, 1.4), read in place.
//
// A link is stored as its target's primary key, inside Mixed as a DBRef; an embedded object as a
// sub-document. What is behind a link comes from a BsonLookup that the caller supplies; without
// one, links compare by key and lead nowhere (subscriptions never cross them). Every read is
// checked against the document's end: malformed bytes end a document early, they never fail or
// overrun.
//
// Thread-safety: const members may be called from several threads, as far as the lookup allows.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/bytes.hpp"
#include "query/accessor.hpp"
#include "schema/object_schema.hpp"

namespace tombolo::query {

/// BSON's type bytes that the mapping knows.
enum class BsonType : std::uint8_t {
    missing = 0x00, ///< our own: no such element
    float64 = 0x01,
    string = 0x02,
    document = 0x03,
    array = 0x04,
    binary = 0x05,
    undefined = 0x06,
    object_id = 0x07,
    boolean = 0x08,
    date = 0x09,
    null = 0x0A,
    int32 = 0x10,
    int64 = 0x12,
    decimal128 = 0x13,
};

struct BsonElement {
    BsonType type = BsonType::missing;
    std::string_view name;
    const std::byte* value = nullptr;
    std::uint32_t size = 0; ///< of the value's bytes
};

/// Bytes of a value of this type at `value`, at most `room`; false when it does not fit or the type
/// is unknown.
bool bson_value_size(BsonType type, const std::byte* value, std::size_t room,
                     std::size_t& size) noexcept;

/// Walks the elements of a document or array.
class BsonReader {
  public:
    explicit BsonReader(ByteView document) noexcept;

    /// False at the end, and where the bytes stop being BSON.
    bool next(BsonElement& element) noexcept;

  private:
    const std::byte* at_;
    const std::byte* end_;
};

/// The documents behind links.
class BsonLookup {
  public:
    virtual ~BsonLookup() = default;
    /// Empty when there is none. The bytes stay valid until the evaluation ends.
    virtual ByteView document(std::string_view class_name, const PrimaryKeyView& key) const = 0;
    /// The class of a collection that a DBRef names.
    virtual std::string_view class_of(std::string_view collection) const = 0;
    /// All documents of a class, for backlinks; `f` returns false to stop, and so does this.
    virtual bool for_each(std::string_view class_name, FunctionRef<bool(ByteView)> f) const = 0;
};

/// A value in a document. Borrows the document and the schema.
struct BsonCell {
    const std::byte* value = nullptr;
    std::uint32_t size = 0;
    BsonType type = BsonType::missing;
    bool is_element = false;                    ///< inside the property's collection
    const schema::Property* property = nullptr; ///< null: inside a Mixed
};

struct BsonObject {
    ByteView document;
    const schema::ClassSchema* object_class = nullptr;
    /// Properties read before, by Step::slot, those whose bit is set in `read`; null when none
    /// were.
    const BsonCell* slots = nullptr;
    std::uint64_t read = 0;
};

class BsonAccessor {
  public:
    using Object = BsonObject;
    using Cell = BsonCell;

    /// `lookup` may be null, and must outlive the accessor.
    explicit BsonAccessor(const BsonLookup* lookup = nullptr) noexcept : lookup_(lookup) {}

    Cell property(const Object& object, const schema::Property& property, int slot) const noexcept {
        if (object.slots && slot >= 0) {
            const bool read = (object.read >> static_cast<unsigned>(slot) & 1) != 0;
            return read ? object.slots[slot]
                        : Cell{nullptr, 0, BsonType::missing, false, &property};
        }
        return search(object.document, property);
    }
    Item self(const Object& object, const schema::ClassSchema& object_class) const noexcept;
    Item item(const Cell& cell) const noexcept;
    std::size_t size(const Cell& cell) const noexcept;
    std::optional<Cell> element(const Cell& cell, std::size_t index) const noexcept;
    std::optional<Cell> find(const Cell& cell, std::string_view key) const noexcept;
    bool for_each(const Cell& cell, FunctionRef<bool(const Cell&)> f) const;
    bool for_each_key(const Cell& cell, FunctionRef<bool(std::string_view)> f) const;
    std::optional<Object> follow(const Cell& cell, const schema::ClassSchema& object_class) const;
    /// Origins of top-level classes only: documents do not say where embedded ones are.
    bool for_each_backlink(const Object& object, const schema::ClassSchema& object_class,
                           const schema::Property& property,
                           FunctionRef<bool(const Object&)> f) const;
    /// Always zero: a document does not know the classes that link to it.
    std::size_t backlink_count(const Object& object) const noexcept;

  private:
    static Cell search(ByteView document, const schema::Property& property) noexcept;
    Item link_item(const Cell& cell) const noexcept;
    Item reference(const Cell& cell) const noexcept;
    static Item plain(const Cell& cell) noexcept;
    std::size_t count_links(const Cell& cell, const Item& target) const;

    const BsonLookup* lookup_;
};

static_assert(Accessor<BsonAccessor>);

/// The primary key in a document's `_id`; monostate when it is null or none.
PrimaryKeyView primary_key_of(ByteView document) noexcept;

} // namespace tombolo::query
