#pragma once

// Borrowed and owned BSON: what filters, updates and pipelines read and write.
//
//   BsonView          one value: a type and its bytes inside a document. Trivially copyable, 16
//   bytes, borrowed. BsonDocumentView  a document or an array: iteration over raw bytes, no copy,
//   no allocation. Borrowed. BsonValue         one owned value (a computed result). BsonDocument an
//   owned document. BsonWriter        builds documents and arrays.
//
// Trust: lengths inside BSON are checked once, by BsonDocumentView::validate, to full depth;
// everything else relies on it and never reads outside the document. BsonDocumentView::from_trusted
// is for bytes that were validated before (what the store holds, what BsonWriter made). Strings are
// not checked for UTF-8: MongoDB stores them as they come.
//
// A view is valid as long as the bytes it was made from. Thread-safety: views and const objects may
// be shared.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/decimal128.hpp"
#include "core/limits.hpp"
#include "core/object_id.hpp"
#include "core/result.hpp"

namespace tombolo::mql {

/// The type bytes of the BSON specification; `missing` stands for "no such field" and is never
/// stored.
enum class BsonType : std::uint8_t {
    missing = 0x00,
    float64 = 0x01,
    string = 0x02,
    document = 0x03,
    array = 0x04,
    binary = 0x05,
    undefined = 0x06,
    object_id = 0x07,
    boolean = 0x08,
    date = 0x09,
    null = 0x0a,
    regex = 0x0b,
    db_pointer = 0x0c,
    code = 0x0d,
    symbol = 0x0e,
    code_with_scope = 0x0f,
    int32 = 0x10,
    timestamp = 0x11,
    int64 = 0x12,
    decimal128 = 0x13,
    max_key = 0x7f,
    min_key = 0xff,
};

/// The alias that $type and error messages use: "double", "string", "object", "array", "binData",
/// ..., "missing".
std::string_view type_alias(BsonType type) noexcept;

struct BsonBinaryView {
    std::uint8_t subtype = 0;
    ByteView bytes;
};

struct BsonRegexView {
    std::string_view pattern;
    std::string_view options;
};

class BsonDocumentView;

class BsonView {
  public:
    /// Missing.
    constexpr BsonView() noexcept = default;

    /// REQUIRES: `bytes` is a valid value of `type`, as it stands after the key of an element.
    BsonView(BsonType type, ByteView bytes) noexcept
        : data_(bytes.data()), size_(static_cast<std::uint32_t>(bytes.size())), type_(type) {}

    static BsonView null() noexcept { return {BsonType::null, {}}; }

    BsonType type() const noexcept { return type_; }
    /// The value's bytes without type and key.
    ByteView bytes() const noexcept { return {data_, size_}; }

    bool is_missing() const noexcept { return type_ == BsonType::missing; }
    bool is_null() const noexcept { return type_ == BsonType::null; }
    /// Missing, null or the deprecated undefined.
    bool is_nullish() const noexcept {
        return is_missing() || is_null() || type_ == BsonType::undefined;
    }
    bool is_number() const noexcept {
        return type_ == BsonType::int32 || type_ == BsonType::float64 || type_ == BsonType::int64 ||
               type_ == BsonType::decimal128;
    }
    bool is_string() const noexcept { return type_ == BsonType::string; }
    bool is_document() const noexcept { return type_ == BsonType::document; }
    bool is_array() const noexcept { return type_ == BsonType::array; }
    bool is_container() const noexcept { return is_document() || is_array(); }

    // REQUIRES for each: the matching type().
    std::int32_t as_int32() const noexcept { return load<std::int32_t>(); }
    std::int64_t as_int64() const noexcept { return load<std::int64_t>(); }
    double as_double() const noexcept { return load<double>(); }
    bool as_bool() const noexcept { return data_[0] != std::byte{0}; }
    /// Milliseconds since 1970.
    std::int64_t as_date_ms() const noexcept { return load<std::int64_t>(); }
    /// Seconds in the high half, increment in the low half.
    std::uint64_t as_timestamp() const noexcept { return load<std::uint64_t>(); }
    Decimal128 as_decimal() const noexcept;
    ObjectId as_object_id() const noexcept;
    /// string, symbol and code; of code_with_scope the code.
    std::string_view as_string() const noexcept;
    BsonBinaryView as_binary() const noexcept;
    BsonRegexView as_regex() const noexcept;
    /// document and array; of code_with_scope the scope.
    BsonDocumentView as_document() const noexcept;

    /// REQUIRES: is_number(). The nearest double.
    double to_double() const noexcept;
    /// True and the value when this is a number that an int64 holds exactly (5, 5.0,
    /// NumberDecimal("5")).
    bool to_int64(std::int64_t& out) const noexcept;
    /// MongoDB's truth: false for missing, null, undefined, false and zero; true otherwise (NaN
    /// too).
    bool truthy() const noexcept;

  private:
    template <class T>
    T load() const noexcept {
        static_assert(sizeof(T) <= 8);
        T out;
        std::memcpy(&out, data_, sizeof out);
        return out;
    }

    const std::byte* data_ = nullptr;
    std::uint32_t size_ = 0;
    BsonType type_ = BsonType::missing;
};

struct BsonElement {
    std::string_view key; ///< in arrays the index as text, as stored; not to be relied on
    BsonView value;
};

namespace detail {

/// Bytes of the value at `data`. REQUIRES: validated.
std::uint32_t variable_value_size(BsonType type, const std::byte* data) noexcept;

inline std::uint32_t value_size(BsonType type, const std::byte* data) noexcept {
    switch (type) {
    case BsonType::int32:
        return 4;
    case BsonType::float64:
    case BsonType::date:
    case BsonType::timestamp:
    case BsonType::int64:
        return 8;
    case BsonType::boolean:
        return 1;
    case BsonType::object_id:
        return 12;
    case BsonType::decimal128:
        return 16;
    case BsonType::null:
        return 0;
    case BsonType::string:
    case BsonType::document:
    case BsonType::array: {
        std::uint32_t length = 0;
        std::memcpy(&length, data, sizeof length);
        return type == BsonType::string ? length + 4 : length;
    }
    default:
        return variable_value_size(type, data);
    }
}

} // namespace detail

/// A document or array. Iteration costs a scan of the key and one switch an element.
class BsonDocumentView {
  public:
    class Iterator {
      public:
        using iterator_category = std::input_iterator_tag; // NOLINT(readability-identifier-naming)
        using value_type = BsonElement;                    // NOLINT(readability-identifier-naming)
        using difference_type = std::ptrdiff_t;            // NOLINT(readability-identifier-naming)
        using pointer = const BsonElement*;                // NOLINT(readability-identifier-naming)
        using reference = const BsonElement&;              // NOLINT(readability-identifier-naming)

        Iterator() noexcept = default;
        explicit Iterator(const std::byte* at) noexcept : at_(at) { read(); }

        const BsonElement& operator*() const noexcept { return element_; }
        const BsonElement* operator->() const noexcept { return &element_; }
        Iterator& operator++() noexcept {
            at_ = element_.value.bytes().data() + element_.value.bytes().size();
            read();
            return *this;
        }
        void operator++(int) noexcept { ++*this; }
        /// Where the element starts (its type byte).
        const std::byte* position() const noexcept { return at_; }
        friend bool operator==(const Iterator& left, const Iterator& right) noexcept {
            return left.at_ == right.at_;
        }

      private:
        void read() noexcept {
            const auto type = static_cast<BsonType>(*at_);
            if (type == BsonType::missing) {
                return; // the document's closing NUL
            }
            const auto* key = reinterpret_cast<const char*>(at_ + 1);
            element_.key = {key, std::strlen(key)};
            const std::byte* data = at_ + 2 + element_.key.size();
            element_.value = BsonView(type, {data, detail::value_size(type, data)});
        }

        const std::byte* at_ = nullptr;
        BsonElement element_;
    };

    /// The empty document.
    BsonDocumentView() noexcept;

    /// Checks every length, type and terminator of the document and of all it contains. bad_bson
    /// names the offset; limit_exceeded when it is larger or deeper than allowed. `bytes` must be
    /// exactly the document.
    static Result<BsonDocumentView> validate(ByteView bytes,
                                             std::size_t bytes_max = limits::document_bytes_max,
                                             std::size_t depth_max = limits::document_depth_max);

    /// REQUIRES: validate(bytes) would succeed.
    static BsonDocumentView from_trusted(ByteView bytes) noexcept {
        return BsonDocumentView(bytes.data());
    }

    Iterator begin() const noexcept { return Iterator(data_ + 4); }
    Iterator end() const noexcept { return Iterator(data_ + size() - 1); }

    /// Bytes of the document, at least 5.
    std::size_t size() const noexcept {
        std::uint32_t length = 0;
        std::memcpy(&length, data_, sizeof length);
        return length;
    }
    ByteView bytes() const noexcept { return {data_, size()}; }
    bool empty() const noexcept { return size() == 5; }
    /// Counts the elements: O(n).
    std::size_t count() const noexcept;

    /// The first field of that name, or missing: O(n).
    BsonView find(std::string_view key) const noexcept;
    /// The element at a position (of an array: by position, whatever its key), or missing: O(n).
    BsonView at(std::size_t index) const noexcept;

    BsonView as_value() const noexcept { return {BsonType::document, bytes()}; }
    BsonView as_array_value() const noexcept { return {BsonType::array, bytes()}; }

  private:
    explicit BsonDocumentView(const std::byte* data) noexcept : data_(data) {}

    const std::byte* data_;
};

/// Owns one value. Default: missing.
class BsonValue {
  public:
    BsonValue() = default;
    /// Copies.
    explicit BsonValue(BsonView value);

    static BsonValue from_null();
    static BsonValue from_bool(bool value);
    static BsonValue from_int32(std::int32_t value);
    static BsonValue from_int64(std::int64_t value);
    static BsonValue from_double(double value);
    static BsonValue from_decimal(Decimal128 value);
    static BsonValue from_string(std::string_view value);
    static BsonValue from_date_ms(std::int64_t value);
    static BsonValue from_timestamp(std::uint64_t value);
    static BsonValue from_object_id(const ObjectId& value);
    static BsonValue from_binary(std::uint8_t subtype, ByteView bytes);

    BsonType type() const noexcept { return type_; }
    bool is_missing() const noexcept { return type_ == BsonType::missing; }
    BsonView view() const noexcept { return {type_, bytes_}; }
    operator BsonView() const noexcept { return view(); }

  private:
    friend class BsonDocument;
    BsonValue(BsonType type, std::vector<std::byte> bytes) noexcept
        : type_(type), bytes_(std::move(bytes)) {}

    BsonType type_ = BsonType::missing;
    std::vector<std::byte> bytes_;
};

/// Owns a document. Default: the empty document.
class BsonDocument {
  public:
    BsonDocument() = default;
    /// Copies.
    explicit BsonDocument(BsonDocumentView document);

    /// Takes bytes from outside: BsonDocumentView::validate.
    static Result<BsonDocument> validate(std::vector<std::byte> bytes);

    BsonDocumentView view() const noexcept {
        return bytes_.empty() ? BsonDocumentView() : BsonDocumentView::from_trusted(bytes_);
    }
    operator BsonDocumentView() const noexcept { return view(); }
    ByteView bytes() const noexcept { return view().bytes(); }

    /// The document as an owned value of type document or array.
    BsonValue into_value() &&;
    BsonValue into_array_value() &&;

  private:
    friend class BsonWriter;
    explicit BsonDocument(std::vector<std::byte> bytes) noexcept : bytes_(std::move(bytes)) {}

    std::vector<std::byte> bytes_; ///< empty stands for the empty document
};

/// Builds one document. Inside an array scope keys are generated and the `key` argument is ignored.
///
///     BsonWriter writer;
///     writer.append("name", value);
///     writer.begin_array("tags");
///     writer.append({}, first_tag);
///     writer.end();
///     BsonDocument document = std::move(writer).finish();
///
/// Keys must not contain NUL: a caller with a key from outside checks it (TOMBOLO_CHECK here).
class BsonWriter {
  public:
    /// The top level is a document, or an array (BsonDocument::into_array_value).
    explicit BsonWriter(bool top_level_array = false);

    /// Copies the value. A missing value appends nothing.
    void append(std::string_view key, BsonView value);
    void append_null(std::string_view key);
    void append_bool(std::string_view key, bool value);
    void append_int32(std::string_view key, std::int32_t value);
    void append_int64(std::string_view key, std::int64_t value);
    void append_double(std::string_view key, double value);
    void append_string(std::string_view key, std::string_view value);
    void append_date_ms(std::string_view key, std::int64_t value);

    void begin_document(std::string_view key);
    void begin_array(std::string_view key);
    /// Closes the innermost open document or array. REQUIRES: one is open beside the top level.
    void end();

    /// Bytes written so far; callers that build from outside input compare it with their limit.
    std::size_t size() const noexcept { return bytes_.size(); }
    /// Open documents and arrays, the top level included.
    std::size_t depth() const noexcept { return scopes_.size(); }

    /// Closes every open scope. The writer is used up.
    BsonDocument finish() &&;

  private:
    struct Scope {
        std::size_t start;
        std::uint32_t next_index;
        bool is_array;
    };

    void key(BsonType type, std::string_view key);
    void raw(const void* data, std::size_t size);
    void begin(BsonType type, std::string_view key_text);
    void close();

    std::vector<std::byte> bytes_;
    std::vector<Scope> scopes_;
};

} // namespace tombolo::mql
