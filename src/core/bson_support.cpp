#include "core/bson_support.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "core/limits.hpp"

namespace tombolo::detail {

std::string FieldPath::to_string() const {
    std::string text;
    for (const auto& step : steps_) {
        if (const auto* index = std::get_if<std::size_t>(&step)) {
            text += fmt::format("[{}]", *index);
        } else {
            text += text.empty() ? "" : ".";
            text += *std::get_if<std::string_view>(&step);
        }
    }
    return text;
}

Error FieldPath::error(ErrorCode code, std::string message) const {
    return Error(code, std::move(message), to_string());
}

Result<BsonBuffer> OwnedBson::copy() const {
    if (bson_.len > limits::document_bytes_max) {
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("the document would take {} bytes; at most {} are allowed",
                                 bson_.len, limits::document_bytes_max));
    }
    const auto* begin = reinterpret_cast<const std::byte*>(bson_get_data(&bson_));
    return BsonBuffer(begin, begin + bson_.len);
}

ChildBson::ChildBson(bson_t* parent, std::string_view key, Kind kind) noexcept
    : parent_(parent), kind_(kind) {
    open_ = kind == Kind::document
                ? bson_append_document_begin(parent, key.data(), length_of(key), &child_)
                : bson_append_array_begin(parent, key.data(), length_of(key), &child_);
}

ChildBson::~ChildBson() {
    if (!open_) {
        return;
    }
    if (kind_ == Kind::document) {
        bson_append_document_end(parent_, &child_);
    } else {
        bson_append_array_end(parent_, &child_);
    }
}

IndexKey::IndexKey(std::size_t index) noexcept {
    size_ = static_cast<std::size_t>(std::to_chars(text_, text_ + sizeof text_, index).ptr - text_);
}

Result<void> open_bson(ByteView bytes, bson_t& out) {
    if (bytes.size() > limits::document_bytes_max) {
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("a BSON document of {} bytes; at most {} are allowed",
                                 bytes.size(), limits::document_bytes_max));
    }
    // Without bytes there may be no pointer either, which libbson answers by ending the process.
    if (bytes.empty() ||
        !bson_init_static(&out, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                          bytes.size())) {
        return Error(ErrorCode::bad_bson,
                     "the bytes are no BSON document: their length or last byte is wrong");
    }
    return {};
}

std::string_view key_of(const bson_iter_t& element) noexcept {
    return {bson_iter_key(&element), bson_iter_key_len(&element)};
}

bool is_damaged(const bson_iter_t& iteration) noexcept {
    return iteration.err_off != 0;
}

ObjectId object_id_from(const bson_oid_t& oid) noexcept {
    ObjectId id;
    std::memcpy(id.bytes.data(), oid.bytes, id.bytes.size());
    return id;
}

namespace {

struct AppendKey {
    bson_t* out;
    std::string_view key;

    const char* name() const noexcept { return key.data(); }
    int size() const noexcept { return length_of(key); }

    bool operator()(std::monostate) const noexcept { return bson_append_null(out, name(), size()); }
    bool operator()(std::int64_t value) const noexcept {
        return bson_append_int64(out, name(), size(), value);
    }
    bool operator()(bool value) const noexcept {
        return bson_append_bool(out, name(), size(), value);
    }
    bool operator()(std::string_view value) const noexcept {
        return bson_append_utf8(out, name(), size(), value.empty() ? "" : value.data(),
                                length_of(value));
    }
    bool operator()(const BinaryView& value) const noexcept {
        return append_binary(BSON_SUBTYPE_BINARY, value.bytes);
    }
    bool operator()(const Timestamp& value) const noexcept {
        return bson_append_date_time(out, name(), size(), value.to_unix_ms());
    }
    bool operator()(float value) const noexcept {
        return bson_append_double(out, name(), size(), static_cast<double>(value));
    }
    bool operator()(double value) const noexcept {
        return bson_append_double(out, name(), size(), value);
    }
    bool operator()(const Decimal128& value) const noexcept {
        bson_decimal128_t decimal;
        decimal.high = value.high;
        decimal.low = value.low;
        return bson_append_decimal128(out, name(), size(), &decimal);
    }
    bool operator()(const LinkView& link) const noexcept {
        ChildBson reference(out, key, ChildBson::Kind::document);
        return reference.is_open() && append_scalar(reference.get(), "$ref", link.class_name) &&
               std::visit(AppendKey{reference.get(), "$id"}, link.key);
    }
    bool operator()(const ObjectId& value) const noexcept {
        bson_oid_t oid;
        std::memcpy(oid.bytes, value.bytes.data(), value.bytes.size());
        return bson_append_oid(out, name(), size(), &oid);
    }
    bool operator()(const Uuid& value) const noexcept {
        return append_binary(BSON_SUBTYPE_UUID, value.bytes);
    }
    /// A legacy key has no BSON form; encode() refuses it before.
    bool operator()(const GlobalKey&) const noexcept { return false; }

    bool append_binary(bson_subtype_t subtype, ByteView bytes) const noexcept {
        static constexpr std::byte none{}; // libbson wants a pointer for no bytes too
        const std::byte* data = bytes.empty() ? &none : bytes.data();
        return bson_append_binary(out, name(), size(), subtype,
                                  reinterpret_cast<const std::uint8_t*>(data),
                                  static_cast<std::uint32_t>(bytes.size()));
    }
};

} // namespace

bool append_scalar(bson_t* out, std::string_view key, const ScalarView& value) noexcept {
    return std::visit(AppendKey{out, key}, value);
}

} // namespace tombolo::detail
