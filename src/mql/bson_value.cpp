#include "mql/bson_value.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "core/check.hpp"

namespace tombolo::mql {

namespace {

constexpr std::array<std::byte, 5> empty_document{std::byte{5}, std::byte{0}, std::byte{0},
                                                  std::byte{0}, std::byte{0}};

std::int32_t load_length(const std::byte* data) noexcept {
    std::int32_t out = 0;
    std::memcpy(&out, data, sizeof out);
    return out;
}

std::vector<std::byte> copy_bytes(const void* data, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(data);
    return {first, first + size};
}

} // namespace

std::string_view type_alias(BsonType type) noexcept {
    switch (type) {
    case BsonType::missing:
        return "missing";
    case BsonType::float64:
        return "double";
    case BsonType::string:
        return "string";
    case BsonType::document:
        return "object";
    case BsonType::array:
        return "array";
    case BsonType::binary:
        return "binData";
    case BsonType::undefined:
        return "undefined";
    case BsonType::object_id:
        return "objectId";
    case BsonType::boolean:
        return "bool";
    case BsonType::date:
        return "date";
    case BsonType::null:
        return "null";
    case BsonType::regex:
        return "regex";
    case BsonType::db_pointer:
        return "dbPointer";
    case BsonType::code:
        return "javascript";
    case BsonType::symbol:
        return "symbol";
    case BsonType::code_with_scope:
        return "javascriptWithScope";
    case BsonType::int32:
        return "int";
    case BsonType::timestamp:
        return "timestamp";
    case BsonType::int64:
        return "long";
    case BsonType::decimal128:
        return "decimal";
    case BsonType::max_key:
        return "maxKey";
    case BsonType::min_key:
        return "minKey";
    }
    return "unknown";
}

Decimal128 BsonView::as_decimal() const noexcept {
    Decimal128 out;
    std::memcpy(&out.low, data_, 8);
    std::memcpy(&out.high, data_ + 8, 8);
    return out;
}

ObjectId BsonView::as_object_id() const noexcept {
    ObjectId out;
    std::memcpy(out.bytes.data(), data_, out.bytes.size());
    return out;
}

std::string_view BsonView::as_string() const noexcept {
    const std::byte* data = type_ == BsonType::code_with_scope ? data_ + 4 : data_;
    const auto length = static_cast<std::size_t>(load_length(data));
    return {reinterpret_cast<const char*>(data + 4), length - 1};
}

BsonBinaryView BsonView::as_binary() const noexcept {
    return {static_cast<std::uint8_t>(data_[4]), {data_ + 5, size_ - 5}};
}

BsonRegexView BsonView::as_regex() const noexcept {
    const auto* pattern = reinterpret_cast<const char*>(data_);
    const std::string_view text(pattern);
    return {text, std::string_view(pattern + text.size() + 1)};
}

BsonDocumentView BsonView::as_document() const noexcept {
    if (type_ == BsonType::code_with_scope) {
        const auto code = static_cast<std::size_t>(load_length(data_ + 4));
        return BsonDocumentView::from_trusted({data_ + 8 + code, size_ - 8 - code});
    }
    return BsonDocumentView::from_trusted(bytes());
}

double BsonView::to_double() const noexcept {
    switch (type_) {
    case BsonType::int32:
        return as_int32();
    case BsonType::int64:
        return static_cast<double>(as_int64());
    case BsonType::decimal128:
        return as_decimal().to_double();
    default:
        return as_double();
    }
}

bool BsonView::to_int64(std::int64_t& out) const noexcept {
    switch (type_) {
    case BsonType::int32:
        out = as_int32();
        return true;
    case BsonType::int64:
        out = as_int64();
        return true;
    case BsonType::float64: {
        const double value = as_double();
        if (!(value >= -0x1p63 && value < 0x1p63) || std::trunc(value) != value) {
            return false;
        }
        out = static_cast<std::int64_t>(value);
        return true;
    }
    case BsonType::decimal128: {
        const Decimal128 value = as_decimal();
        if (value.is_nan() || value.is_infinite()) {
            return false;
        }
        // The nearest double is within one unit of any integer of 63 bits only below 2^53; beyond,
        // try its neighbours by their exact decimal form.
        const double near = value.to_double();
        if (!(near >= -0x1p63 && near <= 0x1p63)) {
            return false;
        }
        const std::int64_t base = near >= 0x1p63 ? INT64_MAX : static_cast<std::int64_t>(near);
        const Decimal128 rest = subtract(value, Decimal128::from_int64(base));
        const double difference = rest.to_double();
        if (std::trunc(difference) != difference || std::fabs(difference) > 4096) {
            return false;
        }
        std::int64_t sum = 0;
        if (__builtin_add_overflow(base, static_cast<std::int64_t>(difference), &sum) ||
            tombolo::compare(Decimal128::from_int64(sum), value) != 0) {
            return false;
        }
        out = sum;
        return true;
    }
    default:
        return false;
    }
}

bool BsonView::truthy() const noexcept {
    switch (type_) {
    case BsonType::missing:
    case BsonType::null:
    case BsonType::undefined:
        return false;
    case BsonType::boolean:
        return as_bool();
    case BsonType::int32:
        return as_int32() != 0;
    case BsonType::int64:
        return as_int64() != 0;
    case BsonType::float64:
        return as_double() != 0;
    case BsonType::decimal128:
        return !as_decimal().is_zero();
    default:
        return true;
    }
}

std::uint32_t detail::variable_value_size(BsonType type, const std::byte* data) noexcept {
    const auto* text = reinterpret_cast<const char*>(data);
    switch (type) {
    case BsonType::binary:
        return static_cast<std::uint32_t>(load_length(data)) + 5;
    case BsonType::regex: {
        const std::size_t pattern = std::strlen(text) + 1;
        return static_cast<std::uint32_t>(pattern + std::strlen(text + pattern) + 1);
    }
    case BsonType::db_pointer:
        return static_cast<std::uint32_t>(load_length(data)) + 4 + 12;
    case BsonType::code:
    case BsonType::symbol:
        return static_cast<std::uint32_t>(load_length(data)) + 4;
    case BsonType::code_with_scope:
        return static_cast<std::uint32_t>(load_length(data));
    default:
        return 0; // undefined, min_key, max_key
    }
}

BsonDocumentView::BsonDocumentView() noexcept : data_(empty_document.data()) {}

std::size_t BsonDocumentView::count() const noexcept {
    std::size_t count = 0;
    for (auto it = begin(), last = end(); it != last; ++it) {
        ++count;
    }
    return count;
}

// Names are short, and most differ in their first letters: that is seen before a name's end is
// looked for.
BsonView BsonDocumentView::find(std::string_view key) const noexcept {
    const std::byte* at = data_ + 4;
    while (*at != std::byte{0}) {
        const auto type = static_cast<BsonType>(*at);
        const auto* name = reinterpret_cast<const char*>(at + 1);
        std::size_t length = 0;
        while (length < key.size() && name[length] != '\0' && name[length] == key[length]) {
            ++length;
        }
        const bool found = length == key.size() && name[length] == '\0';
        while (name[length] != '\0') {
            ++length;
        }
        const std::byte* value = at + 2 + length;
        const std::uint32_t size = detail::value_size(type, value);
        if (found) {
            return {type, {value, size}};
        }
        at = value + size;
    }
    return {};
}

BsonView BsonDocumentView::at(std::size_t index) const noexcept {
    for (const BsonElement& element : *this) {
        if (index-- == 0) {
            return element.value;
        }
    }
    return {};
}

BsonValue::BsonValue(BsonView value)
    : type_(value.type()), bytes_(value.bytes().begin(), value.bytes().end()) {}

BsonValue BsonValue::from_null() {
    return {BsonType::null, {}};
}

BsonValue BsonValue::from_bool(bool value) {
    return {BsonType::boolean, {value ? std::byte{1} : std::byte{0}}};
}

BsonValue BsonValue::from_int32(std::int32_t value) {
    return {BsonType::int32, copy_bytes(&value, sizeof value)};
}

BsonValue BsonValue::from_int64(std::int64_t value) {
    return {BsonType::int64, copy_bytes(&value, sizeof value)};
}

BsonValue BsonValue::from_double(double value) {
    return {BsonType::float64, copy_bytes(&value, sizeof value)};
}

BsonValue BsonValue::from_decimal(Decimal128 value) {
    std::vector<std::byte> bytes = copy_bytes(&value.low, sizeof value.low);
    const std::vector<std::byte> high = copy_bytes(&value.high, sizeof value.high);
    bytes.insert(bytes.end(), high.begin(), high.end());
    return {BsonType::decimal128, std::move(bytes)};
}

BsonValue BsonValue::from_string(std::string_view value) {
    const auto length = static_cast<std::uint32_t>(value.size() + 1);
    std::vector<std::byte> bytes(value.size() + 5);
    std::memcpy(bytes.data(), &length, sizeof length);
    if (!value.empty()) {
        std::memcpy(bytes.data() + 4, value.data(), value.size());
    }
    return {BsonType::string, std::move(bytes)};
}

BsonValue BsonValue::from_date_ms(std::int64_t value) {
    return {BsonType::date, copy_bytes(&value, sizeof value)};
}

BsonValue BsonValue::from_timestamp(std::uint64_t value) {
    return {BsonType::timestamp, copy_bytes(&value, sizeof value)};
}

BsonValue BsonValue::from_object_id(const ObjectId& value) {
    return {BsonType::object_id, copy_bytes(value.bytes.data(), value.bytes.size())};
}

BsonValue BsonValue::from_binary(std::uint8_t subtype, ByteView data) {
    const auto length = static_cast<std::uint32_t>(data.size());
    std::vector<std::byte> bytes = copy_bytes(&length, sizeof length);
    bytes.push_back(static_cast<std::byte>(subtype));
    bytes.insert(bytes.end(), data.begin(), data.end());
    return {BsonType::binary, std::move(bytes)};
}

BsonDocument::BsonDocument(BsonDocumentView document)
    : bytes_(document.bytes().begin(), document.bytes().end()) {}

Result<BsonDocument> BsonDocument::validate(std::vector<std::byte> bytes) {
    TOMBOLO_TRY_VOID([&]() -> Result<void> {
        TOMBOLO_TRY([[maybe_unused]] const auto view, BsonDocumentView::validate(bytes));
        return {};
    }());
    return BsonDocument(std::move(bytes));
}

BsonValue BsonDocument::into_value() && {
    if (bytes_.empty()) {
        return BsonValue(view().as_value());
    }
    return {BsonType::document, std::move(bytes_)};
}

BsonValue BsonDocument::into_array_value() && {
    if (bytes_.empty()) {
        return BsonValue(view().as_array_value());
    }
    return {BsonType::array, std::move(bytes_)};
}

BsonWriter::BsonWriter(bool top_level_array) {
    scopes_.push_back({0, 0, top_level_array});
    bytes_.resize(4);
}

void BsonWriter::raw(const void* data, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), first, first + size);
}

void BsonWriter::key(BsonType type, std::string_view key) {
    bytes_.push_back(static_cast<std::byte>(type));
    Scope& scope = scopes_.back();
    if (scope.is_array) {
        std::array<char, 10> text{};
        const auto written =
            std::to_chars(text.data(), text.data() + text.size(), scope.next_index++);
        raw(text.data(), static_cast<std::size_t>(written.ptr - text.data()));
    } else {
        TOMBOLO_CHECK(key.find('\0') == std::string_view::npos);
        raw(key.data(), key.size());
    }
    bytes_.push_back(std::byte{0});
}

void BsonWriter::append(std::string_view key_text, BsonView value) {
    if (value.is_missing()) {
        return;
    }
    key(value.type(), key_text);
    raw(value.bytes().data(), value.bytes().size());
}

void BsonWriter::append_null(std::string_view key_text) {
    key(BsonType::null, key_text);
}

void BsonWriter::append_bool(std::string_view key_text, bool value) {
    key(BsonType::boolean, key_text);
    bytes_.push_back(value ? std::byte{1} : std::byte{0});
}

void BsonWriter::append_int32(std::string_view key_text, std::int32_t value) {
    key(BsonType::int32, key_text);
    raw(&value, sizeof value);
}

void BsonWriter::append_int64(std::string_view key_text, std::int64_t value) {
    key(BsonType::int64, key_text);
    raw(&value, sizeof value);
}

void BsonWriter::append_double(std::string_view key_text, double value) {
    key(BsonType::float64, key_text);
    raw(&value, sizeof value);
}

void BsonWriter::append_string(std::string_view key_text, std::string_view value) {
    key(BsonType::string, key_text);
    const auto length = static_cast<std::uint32_t>(value.size() + 1);
    raw(&length, sizeof length);
    raw(value.data(), value.size());
    bytes_.push_back(std::byte{0});
}

void BsonWriter::append_date_ms(std::string_view key_text, std::int64_t value) {
    key(BsonType::date, key_text);
    raw(&value, sizeof value);
}

void BsonWriter::begin(BsonType type, std::string_view key_text) {
    key(type, key_text);
    scopes_.push_back({bytes_.size(), 0, type == BsonType::array});
    bytes_.resize(bytes_.size() + 4);
}

void BsonWriter::begin_document(std::string_view key_text) {
    begin(BsonType::document, key_text);
}

void BsonWriter::begin_array(std::string_view key_text) {
    begin(BsonType::array, key_text);
}

void BsonWriter::close() {
    bytes_.push_back(std::byte{0});
    const std::size_t start = scopes_.back().start;
    const auto length = static_cast<std::uint32_t>(bytes_.size() - start);
    std::memcpy(bytes_.data() + start, &length, sizeof length);
    scopes_.pop_back();
}

void BsonWriter::end() {
    TOMBOLO_CHECK(scopes_.size() > 1);
    close();
}

BsonDocument BsonWriter::finish() && {
    while (!scopes_.empty()) {
        close();
    }
    return BsonDocument(std::move(bytes_));
}

} // namespace tombolo::mql
