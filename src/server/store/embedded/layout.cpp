#include "server/store/embedded/layout.hpp"

#include <cstring>

namespace tombolo::store::embedded {

namespace {

constexpr std::size_t image_head_bytes = 16;

template <int Bytes>
void append_big_endian(std::string& out, std::uint64_t value) {
    for (int shift = (Bytes - 1) * 8; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>((value >> shift) & 0xff));
    }
}

template <int Bytes>
std::uint64_t read_big_endian(std::string_view bytes, std::size_t at) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = at; i < at + Bytes; ++i) {
        value = (value << 8) | static_cast<unsigned char>(bytes[i]);
    }
    return value;
}

} // namespace

void append_u32(std::string& out, std::uint32_t value) {
    append_big_endian<4>(out, value);
}
void append_u64(std::string& out, std::uint64_t value) {
    append_big_endian<8>(out, value);
}

std::uint32_t read_u32(std::string_view bytes, std::size_t at) noexcept {
    return static_cast<std::uint32_t>(read_big_endian<4>(bytes, at));
}

std::uint64_t read_u64(std::string_view bytes, std::size_t at) noexcept {
    return read_big_endian<8>(bytes, at);
}

std::string collection_prefix(CollectionId collection) {
    std::string key;
    append_u32(key, number(collection));
    return key;
}

std::string doc_key(CollectionId collection, std::string_view id_key) {
    std::string key;
    key.reserve(4 + id_key.size() + 8); // room to become a past key
    append_u32(key, number(collection));
    key.append(id_key);
    return key;
}

std::string past_key(std::string_view doc_key, Version version) {
    std::string key(doc_key);
    append_u64(key, number(version));
    return key;
}

std::string index_prefix(CollectionId collection, std::uint32_t index) {
    std::string key;
    append_u32(key, number(collection));
    append_u32(key, index);
    return key;
}

std::string feed_key(Version version, std::uint32_t position) {
    std::string key;
    append_u64(key, number(version));
    append_u32(key, position);
    return key;
}

std::string prefix_end(std::string prefix) {
    while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) {
        prefix.pop_back();
    }
    if (!prefix.empty()) {
        prefix.back() = static_cast<char>(prefix.back() + 1);
    }
    return prefix;
}

std::string encode_image(Version created, Version modified, ByteView bson) {
    std::string value;
    value.reserve(image_head_bytes + bson.size());
    const std::uint64_t head[2] = {number(created), number(modified)};
    value.append(reinterpret_cast<const char*>(head), sizeof head);
    value.append(as_text(bson));
    return value;
}

std::optional<Image> decode_image(std::string_view value) noexcept {
    if (value.size() < image_head_bytes + 5) {
        return std::nullopt;
    }
    std::uint64_t head[2];
    std::memcpy(head, value.data(), sizeof head);
    std::uint32_t length = 0;
    std::memcpy(&length, value.data() + image_head_bytes, sizeof length);
    if (length != value.size() - image_head_bytes) {
        return std::nullopt;
    }
    return Image{Version{head[0]}, Version{head[1]}, value.substr(image_head_bytes)};
}

} // namespace tombolo::store::embedded
