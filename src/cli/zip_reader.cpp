#include "cli/zip_reader.hpp"

#include <zlib.h>

#include <algorithm>
#include <optional>
#include <string>

#include "core/bytes.hpp"

namespace tombolo::cli {

namespace {

constexpr std::size_t end_record_bytes = 22;
constexpr std::size_t comment_bytes_max = 65'535;
constexpr std::size_t central_header_bytes = 46;
constexpr std::size_t local_header_bytes = 30;

Error damaged(const std::string& what) {
    return Error(ErrorCode::invalid_argument, "the archive is damaged: " + what);
}

// Little-endian numbers at an offset; nothing beyond the end.
class Fields {
  public:
    explicit Fields(std::string_view bytes) : bytes_(bytes) {}

    std::uint32_t u16(std::size_t at) const { return byte(at) | byte(at + 1) << 8; }
    std::uint32_t u32(std::size_t at) const { return u16(at) | u16(at + 2) << 16; }

  private:
    std::uint32_t byte(std::size_t at) const {
        return at < bytes_.size() ? static_cast<unsigned char>(bytes_[at]) : 0U;
    }
    std::string_view bytes_;
};

struct Entry {
    std::string_view name;
    std::uint32_t method = 0;
    std::uint32_t flags = 0;
    std::uint32_t crc = 0;
    std::size_t packed_bytes = 0;
    std::size_t bytes = 0;
    std::size_t local_offset = 0;
};

std::optional<std::size_t> find_end_record(std::string_view archive) {
    if (archive.size() < end_record_bytes) {
        return {};
    }
    const std::size_t last = archive.size() - end_record_bytes;
    const std::size_t first = last - std::min(last, comment_bytes_max);
    for (std::size_t at = last + 1; at-- > first;) {
        if (archive.substr(at, 4) == std::string_view("PK\x05\x06", 4)) {
            return at;
        }
    }
    return {};
}

Result<std::string> inflate_entry(std::string_view packed, const Entry& entry) {
    std::string out(entry.bytes, '\0');
    z_stream stream{};
    if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
        return Error(ErrorCode::internal, "cannot start zlib");
    }
    // zlib takes a non-const pointer and does not write through it.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int code = ::inflate(&stream, Z_FINISH);
    const std::size_t made = stream.total_out;
    ::inflateEnd(&stream);
    if (code != Z_STREAM_END || made != entry.bytes) {
        return damaged("a file does not unpack to its size");
    }
    return out;
}

Result<std::string> read_entry(std::string_view archive, const Entry& entry) {
    const Fields fields(archive);
    const std::size_t at = entry.local_offset;
    if (at > archive.size() || archive.size() - at < local_header_bytes ||
        archive.substr(at, 4) != std::string_view("PK\x03\x04", 4)) {
        return damaged("a file's header is missing");
    }
    const std::size_t begin = at + local_header_bytes + fields.u16(at + 26) + fields.u16(at + 28);
    if (begin > archive.size() || archive.size() - begin < entry.packed_bytes) {
        return damaged("a file is cut off");
    }
    const std::string_view packed = archive.substr(begin, entry.packed_bytes);
    std::string content;
    if (entry.method == 8) {
        TOMBOLO_TRY(content, inflate_entry(packed, entry));
    } else if (entry.method == 0 && entry.packed_bytes == entry.bytes) {
        content = packed;
    } else {
        return damaged("a file is packed in an unknown way");
    }
    const uLong crc = ::crc32(0, reinterpret_cast<const Bytef*>(content.data()),
                              static_cast<uInt>(content.size()));
    if (crc != entry.crc) {
        return damaged("a file's checksum is wrong");
    }
    return content;
}

} // namespace

bool is_safe_path(std::string_view path) noexcept {
    if (path.empty() || path.find('\\') != std::string_view::npos ||
        path.find('\0') != std::string_view::npos || !is_utf8(path)) {
        return false;
    }
    while (true) {
        const std::size_t end = std::min(path.find('/'), path.size());
        const std::string_view part = path.substr(0, end);
        if (part.empty() || part == "." || part == "..") {
            return false;
        }
        if (end == path.size()) {
            return true;
        }
        path.remove_prefix(end + 1);
    }
}

Result<server::AppTree> read_zip(std::string_view archive, std::size_t bytes_max) {
    const auto end = find_end_record(archive);
    if (!end) {
        return Error(ErrorCode::invalid_argument, "this is no zip archive");
    }
    const Fields fields(archive);
    const std::size_t count = fields.u16(*end + 10);
    std::size_t at = fields.u32(*end + 16);
    std::size_t total = 0;
    server::AppTree tree;
    for (std::size_t i = 0; i < count; ++i) {
        if (at > archive.size() || archive.size() - at < central_header_bytes ||
            archive.substr(at, 4) != std::string_view("PK\x01\x02", 4)) {
            return damaged("its list of files is cut off");
        }
        Entry entry;
        entry.flags = fields.u16(at + 8);
        entry.method = fields.u16(at + 10);
        entry.crc = fields.u32(at + 16);
        entry.packed_bytes = fields.u32(at + 20);
        entry.bytes = fields.u32(at + 24);
        entry.local_offset = fields.u32(at + 42);
        const std::size_t name_bytes = fields.u16(at + 28);
        entry.name =
            archive.substr(at + central_header_bytes,
                           std::min(name_bytes, archive.size() - at - central_header_bytes));
        at += central_header_bytes + name_bytes + fields.u16(at + 30) + fields.u16(at + 32);
        if (entry.name.ends_with('/')) {
            continue;
        }
        const std::string name(entry.name);
        if (!is_safe_path(name)) {
            return Error(ErrorCode::invalid_argument, "the archive holds a file outside its folder",
                         name);
        }
        if ((entry.flags & 1U) != 0) {
            return Error(ErrorCode::unsupported, "a file of the archive is encrypted", name);
        }
        if (entry.bytes > bytes_max - total) {
            return Error(ErrorCode::limit_exceeded, "the archive unpacks to too many bytes", name);
        }
        total += entry.bytes;
        Result<std::string> content = read_entry(archive, entry);
        if (!content) {
            return content.error().within(name);
        }
        tree.insert_or_assign(name, *std::move(content));
    }
    return tree;
}

} // namespace tombolo::cli
