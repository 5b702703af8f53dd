#pragma once

// The tagged union of every property value.
//
// ScalarView   one scalar or link, borrowed and trivially copyable: what comparisons, queries and
// codecs pass around. Value        owning: a scalar, a link, a collection, or the fields of an
// embedded object.
//
// The order of ValueType's first twelve enumerators is the payload type code of the changeset
// format (changesets-and-merge.md 1.5) and the index of both variants.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/bytes.hpp"
#include "core/decimal128.hpp"
#include "core/object_id.hpp"
#include "core/primary_key.hpp"
#include "core/timestamp.hpp"
#include "core/uuid.hpp"

namespace tombolo {

enum class ValueType : std::uint8_t {
    null = 0,
    integer = 1,
    boolean = 2,
    string = 3,
    binary = 4,
    timestamp = 5,
    float32 = 6,
    float64 = 7,
    decimal128 = 8,
    link = 9,
    object_id = 10,
    uuid = 11,
    list = 12,
    set = 13,
    dictionary = 14,
    object = 15, ///< the fields of an embedded object
};

/// "Int", "Bool", "String", "Data", "Date", ... as error messages name types.
std::string_view type_name(ValueType type) noexcept;

/// Bytes distinct from text. Borrowed.
struct BinaryView {
    ByteView bytes;
};

/// A link to an object of a class. Borrowed.
struct LinkView {
    std::string_view class_name;
    PrimaryKeyView key;
};

using ScalarView = std::variant<std::monostate, std::int64_t, bool, std::string_view, BinaryView,
                                Timestamp, float, double, Decimal128, LinkView, ObjectId, Uuid>;

inline ValueType type_of(const ScalarView& value) noexcept {
    return static_cast<ValueType>(value.index());
}

/// Total order of scalars as Mixed sorts (database-and-sdk.md 1.4): null < Bool < numbers compared
/// together and exactly < String < Binary < Timestamp < ObjectId < UUID < link. Negative, zero or
/// positive.
int compare(const ScalarView& left, const ScalarView& right) noexcept;

/// Equal values (by compare) have equal hashes, across numeric types.
std::size_t hash_value(const ScalarView& value) noexcept;

struct Binary {
    std::vector<std::byte> bytes;
    friend bool operator==(const Binary&, const Binary&) = default;
};

struct Link {
    std::string class_name;
    PrimaryKey key;
    friend bool operator==(const Link&, const Link&) = default;
};

class Value;

struct List {
    std::vector<Value> elements;
};

/// Elements are unique by compare and kept in that order.
class Set {
  public:
    Set() = default;
    Set(std::initializer_list<Value> elements);

    /// False when an equal element was there.
    bool insert(Value element);
    bool erase(const Value& element);
    bool contains(const Value& element) const;
    const std::vector<Value>& elements() const noexcept { return elements_; }
    void clear() noexcept;

  private:
    std::vector<Value> elements_;
};

/// String keys in byte order, each once.
class Dictionary {
  public:
    using Entry = std::pair<std::string, Value>;

    Dictionary() = default;
    Dictionary(std::initializer_list<Entry> entries);
    /// REQUIRES: sorted by key, each key once. For building in linear time.
    static Dictionary from_sorted(std::vector<Entry> entries);

    Value* find(std::string_view key) noexcept;
    const Value* find(std::string_view key) const noexcept;
    /// Inserts or replaces.
    Value& set(std::string_view key, Value value);
    bool erase(std::string_view key);
    const std::vector<Entry>& entries() const noexcept { return entries_; }
    std::vector<Entry>& entries() noexcept { return entries_; } ///< values may be changed, keys not
    std::size_t size() const noexcept;
    void clear() noexcept;

  private:
    std::vector<Entry> entries_;
};

/// Field name -> value. The class is known from the schema.
struct Object {
    Dictionary fields;
};

class Value {
  public:
    using Storage = std::variant<std::monostate, std::int64_t, bool, std::string, Binary, Timestamp,
                                 float, double, Decimal128, std::shared_ptr<const Link>, ObjectId,
                                 Uuid, List, Set, Dictionary, Object>;

    Value() = default;
    Value(std::int64_t value) : storage_(value) {}
    Value(int value) : storage_(std::int64_t{value}) {}
    Value(bool value) : storage_(value) {}
    Value(std::string value) : storage_(std::move(value)) {}
    Value(std::string_view value) : storage_(std::string(value)) {}
    Value(const char* value) : storage_(std::string(value)) {}
    Value(Binary value) : storage_(std::move(value)) {}
    Value(Timestamp value) : storage_(value) {}
    Value(float value) : storage_(value) {}
    Value(double value) : storage_(value) {}
    Value(Decimal128 value) : storage_(value) {}
    Value(Link value) : storage_(std::make_shared<const Link>(std::move(value))) {}
    Value(ObjectId value) : storage_(value) {}
    Value(Uuid value) : storage_(value) {}
    Value(List value) : storage_(std::move(value)) {}
    Value(Set value) : storage_(std::move(value)) {}
    Value(Dictionary value) : storage_(std::move(value)) {}
    Value(Object value) : storage_(std::move(value)) {}
    /// Copies what the view borrows.
    explicit Value(const ScalarView& scalar);

    ValueType type() const noexcept { return static_cast<ValueType>(storage_.index()); }
    bool is_null() const noexcept { return type() == ValueType::null; }
    bool is_scalar() const noexcept { return type() < ValueType::list; }

    /// The value when it is of that type, else nullptr. T is one of Storage's alternatives.
    template <class T>
    T* get_if() noexcept {
        return std::get_if<T>(&storage_);
    }
    template <class T>
    const T* get_if() const noexcept {
        return std::get_if<T>(&storage_);
    }
    /// The link, or nullptr.
    const Link* link() const noexcept;

    /// REQUIRES: is_scalar(). Borrows from this value.
    ScalarView scalar() const noexcept;

    const Storage& storage() const noexcept { return storage_; }

  private:
    Storage storage_;
};

/// Total order: scalars as compare(ScalarView), then lists, sets, dictionaries, embedded objects;
/// collections lexicographically. Negative, zero or positive.
int compare(const Value& left, const Value& right) noexcept;

/// Same type and content, bit for bit: 3 and 3.0 differ, two NaNs of equal bits are the same. What
/// replicas must agree on.
bool identical(const Value& left, const Value& right) noexcept;

std::size_t hash_value(const Value& value) noexcept;

/// Readable one-line text for messages and test output; not a storage format.
std::string to_text(const Value& value);
std::string to_text(const ScalarView& value);

} // namespace tombolo
