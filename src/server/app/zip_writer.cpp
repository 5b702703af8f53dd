#include "server/app/zip_writer.hpp"

#include <cstdint>

#include <zlib.h>

#include "core/check.hpp"

namespace tombolo::server {

namespace {

constexpr std::uint32_t local_mark = 0x04034b50;
constexpr std::uint32_t central_mark = 0x02014b50;
constexpr std::uint32_t end_mark = 0x06054b50;
constexpr std::uint16_t utf8_names = 0x0800;
constexpr std::uint16_t deflated = 8;
constexpr std::uint16_t version_needed = 20;
constexpr std::uint16_t first_of_1980 = 0x0021;

void put16(std::string& out, std::uint32_t value) {
    out += static_cast<char>(value & 0xff);
    out += static_cast<char>((value >> 8) & 0xff);
}
void put32(std::string& out, std::uint32_t value) {
    put16(out, value & 0xffff);
    put16(out, value >> 16);
}

std::string deflate_raw(const std::string& content) {
    z_stream stream{};
    TOMBOLO_CHECK(::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8,
                                 Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(::deflateBound(&stream, static_cast<uLong>(content.size())), '\0');
    // zlib's interface takes what it only reads as not const.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
    stream.avail_in = static_cast<uInt>(content.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    TOMBOLO_CHECK(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    ::deflateEnd(&stream);
    return out;
}

// What the local and the central header share: version, flags, method, time, sizes, name length.
void put_facts(std::string& out, const std::string& path, const std::string& content,
               std::size_t packed) {
    const auto sum = static_cast<std::uint32_t>(::crc32(
        0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
    put16(out, version_needed);
    put16(out, utf8_names);
    put16(out, deflated);
    put16(out, 0); // midnight
    put16(out, first_of_1980);
    put32(out, sum);
    put32(out, static_cast<std::uint32_t>(packed));
    put32(out, static_cast<std::uint32_t>(content.size()));
    put16(out, static_cast<std::uint32_t>(path.size()));
    put16(out, 0); // extra
}

} // namespace

Result<std::string> write_zip(const AppTree& tree) {
    std::string out;
    std::string central;
    for (const auto& [path, content] : tree) {
        const std::string packed = deflate_raw(content);
        if (tree.size() > 0xffff || path.size() > 0xffff ||
            out.size() + packed.size() + content.size() > 0xffff'ffff) {
            return Error(ErrorCode::limit_exceeded, "the app does not fit a zip archive", path);
        }
        put32(central, central_mark);
        put16(central, version_needed);
        put_facts(central, path, content, packed.size());
        put16(central, 0); // comment
        put16(central, 0); // disk
        put16(central, 0); // internal attributes
        put32(central, 0); // external attributes
        put32(central, static_cast<std::uint32_t>(out.size()));
        central += path;
        put32(out, local_mark);
        put_facts(out, path, content, packed.size());
        out += path;
        out += packed;
    }
    const auto start = static_cast<std::uint32_t>(out.size());
    out += central;
    put32(out, end_mark);
    put16(out, 0);
    put16(out, 0);
    put16(out, static_cast<std::uint32_t>(tree.size()));
    put16(out, static_cast<std::uint32_t>(tree.size()));
    put32(out, static_cast<std::uint32_t>(central.size()));
    put32(out, start);
    put16(out, 0);
    return out;
}

} // namespace tombolo::server
