#include "server/sync/engine/object_ref.hpp"

#include <cmath>
#include <cstring>

#include "core/hash.hpp"
#include "server/store/store.hpp"

namespace tombolo::server::sync {

namespace {

enum class KeyTag : char {
    null = 0,
    integer = 1,
    text = 3,
    object_id = 10,
    uuid = 11,
    global = 12
};

void append_big_endian(std::string& out, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>(value >> shift));
    }
}

std::uint64_t read_big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return value;
}

template <class Id>
void append_id(std::string& out, const Id& id) {
    out.append(as_text(id.bytes));
}

template <class Id>
bool read_id(std::string_view& bytes, Id& id) {
    if (bytes.size() < id.bytes.size()) {
        return false;
    }
    std::memcpy(id.bytes.data(), bytes.data(), id.bytes.size());
    bytes.remove_prefix(id.bytes.size());
    return true;
}

struct KeyEncoder {
    std::string& out;

    void tag(KeyTag tag) { out.push_back(static_cast<char>(tag)); }
    void operator()(std::monostate) { tag(KeyTag::null); }
    void operator()(std::int64_t value) {
        tag(KeyTag::integer);
        append_big_endian(out, static_cast<std::uint64_t>(value) ^ std::uint64_t{1} << 63);
    }
    /// A NUL inside becomes NUL FF, the end is NUL NUL.
    void operator()(const std::string& text) {
        tag(KeyTag::text);
        for (const char each : text) {
            out.push_back(each);
            if (each == '\0') {
                out.push_back('\xFF');
            }
        }
        out.append(2, '\0');
    }
    void operator()(const ObjectId& id) {
        tag(KeyTag::object_id);
        append_id(out, id);
    }
    void operator()(const Uuid& id) {
        tag(KeyTag::uuid);
        append_id(out, id);
    }
    void operator()(const GlobalKey& id) {
        tag(KeyTag::global);
        append_big_endian(out, id.hi);
        append_big_endian(out, id.lo);
    }
};

std::optional<PrimaryKey> read_text(std::string_view& bytes) {
    std::string text;
    while (bytes.size() >= 2) {
        const char each = bytes.front();
        bytes.remove_prefix(1);
        if (each == '\0') {
            const char next = bytes.front();
            bytes.remove_prefix(1);
            if (next == '\0') {
                return text;
            }
        }
        text.push_back(each);
    }
    return std::nullopt;
}

std::optional<PrimaryKey> read_key(std::string_view& bytes) {
    if (bytes.empty()) {
        return std::nullopt;
    }
    const auto tag = static_cast<KeyTag>(bytes.front());
    bytes.remove_prefix(1);
    switch (tag) {
    case KeyTag::null:
        return PrimaryKey();
    case KeyTag::integer: {
        if (bytes.size() < 8) {
            return std::nullopt;
        }
        const std::uint64_t value = read_big_endian(bytes) ^ std::uint64_t{1} << 63;
        bytes.remove_prefix(8);
        return static_cast<std::int64_t>(value);
    }
    case KeyTag::text:
        return read_text(bytes);
    case KeyTag::object_id: {
        ObjectId id;
        return read_id(bytes, id) ? std::optional<PrimaryKey>(id) : std::nullopt;
    }
    case KeyTag::uuid: {
        Uuid id;
        return read_id(bytes, id) ? std::optional<PrimaryKey>(id) : std::nullopt;
    }
    case KeyTag::global: {
        if (bytes.size() < 16) {
            return std::nullopt;
        }
        const GlobalKey id{read_big_endian(bytes), read_big_endian(bytes.substr(8))};
        bytes.remove_prefix(16);
        return id;
    }
    }
    return std::nullopt;
}

struct BsonMaker {
    mql::BsonValue operator()(std::monostate) const { return mql::BsonValue::from_null(); }
    mql::BsonValue operator()(std::int64_t value) const {
        return mql::BsonValue::from_int64(value);
    }
    mql::BsonValue operator()(std::string_view text) const {
        return mql::BsonValue::from_string(text);
    }
    mql::BsonValue operator()(const ObjectId& id) const {
        return mql::BsonValue::from_object_id(id);
    }
    mql::BsonValue operator()(const Uuid& id) const {
        return mql::BsonValue::from_binary(4, id.bytes);
    }
    mql::BsonValue operator()(const GlobalKey&) const { return {}; }
};

} // namespace

std::size_t ObjectRefHash::operator()(const ObjectRef& object) const noexcept {
    return combine_hash(std::hash<std::string>{}(object.class_name),
                        hash_value(to_view(object.key)));
}

std::string encode_object(const ObjectRef& object) {
    std::string out = object.class_name;
    out.push_back('\0');
    std::visit(KeyEncoder{out}, object.key);
    return out;
}

Result<ObjectRef> decode_object(std::string_view& bytes) {
    const std::size_t end = bytes.find('\0');
    if (end != std::string_view::npos) {
        ObjectRef object;
        object.class_name = bytes.substr(0, end);
        bytes.remove_prefix(end + 1);
        if (std::optional<PrimaryKey> key = read_key(bytes)) {
            object.key = *std::move(key);
            return object;
        }
    }
    return Error(ErrorCode::store_corrupt, "an object's name in a sync record cannot be read");
}

mql::BsonValue to_bson(const PrimaryKeyView& key) {
    return std::visit(BsonMaker{}, key);
}

Result<std::string> document_key_of(const PrimaryKeyView& key) {
    return store::document_key(to_bson(key));
}

std::string to_text(const ObjectRef& object) {
    return object.class_name + "[" + tombolo::to_text(to_view(object.key)) + "]";
}

std::optional<PrimaryKey> key_of(mql::BsonView id) {
    switch (id.type()) {
    case mql::BsonType::int32:
        return std::int64_t{id.as_int32()};
    case mql::BsonType::int64:
        return id.as_int64();
    case mql::BsonType::float64: { // 1 and 1.0 are one _id
        const double number = id.as_double();
        const bool is_whole = number >= -0x1p63 && number < 0x1p63 && number == std::trunc(number);
        return is_whole ? std::optional<PrimaryKey>(static_cast<std::int64_t>(number))
                        : std::nullopt;
    }
    case mql::BsonType::string:
        return std::string(id.as_string());
    case mql::BsonType::object_id:
        return id.as_object_id();
    case mql::BsonType::null:
        return PrimaryKey();
    case mql::BsonType::binary: {
        const mql::BsonBinaryView binary = id.as_binary();
        Uuid uuid;
        if (binary.subtype != 4 || binary.bytes.size() != uuid.bytes.size()) {
            return std::nullopt;
        }
        std::copy(binary.bytes.begin(), binary.bytes.end(), uuid.bytes.begin());
        return uuid;
    }
    default:
        return std::nullopt;
    }
}

} // namespace tombolo::server::sync
