// The keys of rejected updates: base64 of a type tag and the value in changeset encoding
// (sync-protocol.md 6.4, changesets-and-merge.md 1.2).
//
//   00 null | 01 int | 03 length bytes | 0a 12 bytes (ObjectId) | 0b 16 bytes (UUID)

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "changeset/integer_codec.hpp"
#include "core/bytes.hpp"
#include "core/limits.hpp"
#include "protocol/json_bodies.hpp"

namespace tombolo::protocol {

namespace {

enum class KeyTag : std::uint8_t { null = 0, integer = 1, string = 3, object_id = 10, uuid = 11 };

Error bad_key(const char* message) {
    return {ErrorCode::bad_sync_message, message, "pk"};
}

Result<std::int64_t> take_integer(ByteView& rest) {
    constexpr unsigned value_bits = 63;
    const std::byte* at = rest.data();
    const std::byte* const end = at + rest.size();
    changeset::UnsignedParts parts;
    if (const char* failure = changeset::read_parts(at, end, value_bits, parts)) {
        return bad_key(failure);
    }
    rest = rest.subspan(static_cast<std::size_t>(at - rest.data()));
    return changeset::join_sign(parts);
}

Result<PrimaryKey> take_key(ByteView& rest) {
    if (rest.empty()) {
        return bad_key("a key is empty");
    }
    const auto tag = static_cast<KeyTag>(rest[0]);
    rest = rest.subspan(1);
    switch (tag) {
    case KeyTag::null:
        return PrimaryKey{};
    case KeyTag::integer: {
        TOMBOLO_TRY(const std::int64_t value, take_integer(rest));
        return PrimaryKey{value};
    }
    case KeyTag::string: {
        TOMBOLO_TRY(const std::int64_t size, take_integer(rest));
        if (size < 0 || static_cast<std::uint64_t>(size) > rest.size() ||
            static_cast<std::uint64_t>(size) > tombolo::limits::string_bytes_max) {
            return bad_key("a string key is longer than its bytes");
        }
        const ByteView text = rest.first(static_cast<std::size_t>(size));
        rest = rest.subspan(text.size());
        return PrimaryKey{std::string(as_text(text))};
    }
    case KeyTag::object_id:
        if (ObjectId id; rest.size() >= id.bytes.size()) {
            std::copy_n(rest.begin(), id.bytes.size(), id.bytes.begin());
            rest = rest.subspan(id.bytes.size());
            return PrimaryKey{id};
        }
        return bad_key("an ObjectId key is cut off");
    case KeyTag::uuid:
        if (Uuid id; rest.size() >= id.bytes.size()) {
            std::copy_n(rest.begin(), id.bytes.size(), id.bytes.begin());
            rest = rest.subspan(id.bytes.size());
            return PrimaryKey{id};
        }
        return bad_key("a UUID key is cut off");
    }
    return bad_key("a key has an unknown type tag");
}

struct KeyWriter {
    std::vector<std::byte>& out;

    void tag(KeyTag tag) const { out.push_back(static_cast<std::byte>(tag)); }
    bool operator()(std::monostate) const {
        tag(KeyTag::null);
        return true;
    }
    bool operator()(std::int64_t value) const {
        tag(KeyTag::integer);
        changeset::append_signed(out, value);
        return true;
    }
    bool operator()(std::string_view value) const {
        tag(KeyTag::string);
        changeset::append_unsigned(out, value.size());
        const ByteView bytes = as_bytes(value);
        out.insert(out.end(), bytes.begin(), bytes.end());
        return true;
    }
    bool operator()(const ObjectId& value) const {
        tag(KeyTag::object_id);
        out.insert(out.end(), value.bytes.begin(), value.bytes.end());
        return true;
    }
    bool operator()(const Uuid& value) const {
        tag(KeyTag::uuid);
        out.insert(out.end(), value.bytes.begin(), value.bytes.end());
        return true;
    }
    bool operator()(const GlobalKey&) const { return false; }
};

std::string write_to(const PrimaryKeyView& key, std::string_view class_name) {
    return "write to " + to_text(key) + " in table \"" + std::string(class_name) + "\"";
}

} // namespace

Result<std::string> write_rejected_key(const PrimaryKeyView& key) {
    std::vector<std::byte> bytes;
    if (!std::visit(KeyWriter{bytes}, key)) {
        return Error(ErrorCode::invalid_argument,
                     "a GlobalKey cannot be named in a rejected update", "pk");
    }
    return to_base64(bytes);
}

Result<PrimaryKey> parse_rejected_key(std::string_view base64) {
    const auto bytes = from_base64(base64);
    if (!bytes) {
        return bad_key("a key is not base64");
    }
    ByteView rest = *bytes;
    TOMBOLO_TRY(PrimaryKey key, take_key(rest));
    if (!rest.empty()) {
        return bad_key("bytes follow a key");
    }
    return key;
}

std::string rejection_reason(const PrimaryKeyView& key, std::string_view class_name,
                             bool is_outside_view) {
    std::string reason = write_to(key, class_name) + " not allowed";
    if (is_outside_view) {
        reason += "; object is outside of the current query view";
    }
    return reason;
}

std::string geo_rejection_reason(const PrimaryKeyView& key, std::string_view class_name) {
    return write_to(key, class_name) + " will corrupt geojson data";
}

std::string rejection_reason_of_index(const PrimaryKeyView& key, std::string_view class_name,
                                      std::string_view why) {
    return write_to(key, class_name) + " not allowed; " + std::string(why);
}

} // namespace tombolo::protocol
