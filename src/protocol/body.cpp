#include "protocol/body.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>

#include <zlib.h>

#include "core/check.hpp"
#include "protocol/wire_text.hpp"

namespace tombolo::protocol {

namespace {

constexpr std::size_t chunk_bytes_max = std::numeric_limits<uInt>::max();

/// zlib's input pointer is not const in its C declaration, but is never written through.
Bytef* zlib_input(ByteView bytes) {
    return const_cast<Bytef*>( // NOLINT(cppcoreguidelines-pro-type-const-cast)
        reinterpret_cast<const Bytef*>(bytes.data()));
}

Bytef* zlib_output(std::byte* bytes) {
    return reinterpret_cast<Bytef*>(bytes);
}

/// Owns a z_stream of either direction.
template <int (*End)(z_streamp)>
struct ZlibStream {
    ZlibStream() = default;
    ~ZlibStream() { End(&stream); }
    ZlibStream(const ZlibStream&) = delete;
    ZlibStream& operator=(const ZlibStream&) = delete;
    z_stream stream{};
};

Error compression_error(const char* message) {
    return {ErrorCode::bad_compression, message};
}

/// Runs inflate until it is done or the declared size is filled; leaves the produced bytes in
/// `storage`.
Result<void> inflate_all(z_stream& stream, std::size_t declared_size,
                         std::vector<std::byte>& storage) {
    std::size_t produced = 0;
    for (;;) {
        if (produced == storage.size() && produced < declared_size) {
            storage.resize(
                std::min(declared_size, std::max(limits::inflate_step_bytes, storage.size() * 2)));
        }
        // A spare byte finds streams that yield more than was declared.
        std::byte spare{};
        const bool is_full = produced == declared_size;
        stream.next_out = zlib_output(is_full ? &spare : storage.data() + produced);
        const std::size_t space = is_full ? 1 : storage.size() - produced;
        stream.avail_out = static_cast<uInt>(space);
        const int status = inflate(&stream, Z_NO_FLUSH);
        const std::size_t written = space - stream.avail_out;
        if (is_full && written > 0) {
            return compression_error("the body inflates to more than its declared size");
        }
        produced += written;
        if (status == Z_STREAM_END) {
            break;
        }
        if (status == Z_NEED_DICT) {
            return compression_error("the body needs a preset dictionary");
        }
        if (status == Z_BUF_ERROR || (status == Z_OK && written == 0 && stream.avail_in == 0)) {
            return compression_error("the compressed body is cut off");
        }
        if (status != Z_OK) {
            return compression_error("the body is not a zlib stream");
        }
    }
    if (stream.avail_in != 0) {
        return compression_error("bytes follow the compressed stream");
    }
    if (produced != declared_size) {
        return compression_error("the body inflates to less than its declared size");
    }
    return {};
}

std::uint64_t head_number(ByteView& rest, bool& is_bad) {
    constexpr std::size_t digits_max = 19; // 2^63 has 19
    const std::string_view text = as_text(rest.first(std::min(rest.size(), digits_max + 1)));
    const std::size_t end = text.find(' ');
    if (end == std::string_view::npos) {
        is_bad = true;
        return 0;
    }
    const auto number = detail::parse_unsigned(text.substr(0, end), limits::number_max);
    is_bad = is_bad || !number;
    rest = rest.subspan(end + 1);
    return number.value_or(0);
}

/// Reads the head into `entry`; the result is the changeset's size.
std::uint64_t read_head(ByteView& rest, bool& is_bad, UploadEntry& entry) {
    entry.client_version.value = head_number(rest, is_bad);
    entry.server_version.value = head_number(rest, is_bad);
    entry.origin_timestamp_ms = head_number(rest, is_bad);
    entry.origin.value = head_number(rest, is_bad);
    return head_number(rest, is_bad);
}

std::uint64_t read_head(ByteView& rest, bool& is_bad, DownloadEntry& entry) {
    entry.server_version.value = head_number(rest, is_bad);
    entry.client_version.value = head_number(rest, is_bad);
    entry.origin_timestamp_ms = head_number(rest, is_bad);
    entry.origin.value = head_number(rest, is_bad);
    entry.original_size_bytes = head_number(rest, is_bad);
    return head_number(rest, is_bad);
}

template <std::size_t Count>
void append_head(std::vector<std::byte>& body, const std::array<std::uint64_t, Count>& numbers) {
    for (const std::uint64_t number : numbers) {
        std::array<char, 24> text{};
        const auto [end, failure] = std::to_chars(text.data(), text.data() + text.size(), number);
        static_cast<void>(failure); // 20 digits always fit
        const ByteView digits =
            as_bytes({text.data(), static_cast<std::size_t>(end - text.data())});
        body.insert(body.end(), digits.begin(), digits.end());
        body.push_back(std::byte{' '});
    }
}

} // namespace

Body compress_body(ByteView plain, const CompressionOptions& options,
                   std::vector<std::byte>& storage) {
    if (plain.size() <= options.threshold_bytes || plain.empty() ||
        plain.size() > chunk_bytes_max) {
        return Body::plain(plain);
    }
    ZlibStream<deflateEnd> deflater;
    TOMBOLO_CHECK(deflateInit(&deflater.stream, options.level) == Z_OK);
    // No room for a result that is not smaller.
    storage.resize(plain.size() - 1);
    deflater.stream.next_in = zlib_input(plain);
    deflater.stream.avail_in = static_cast<uInt>(plain.size());
    deflater.stream.next_out = zlib_output(storage.data());
    deflater.stream.avail_out = static_cast<uInt>(storage.size());
    if (deflate(&deflater.stream, Z_FINISH) != Z_STREAM_END) {
        return Body::plain(plain);
    }
    storage.resize(storage.size() - deflater.stream.avail_out);
    return {true, plain.size(), storage};
}

Result<ByteView> open_body(const Body& body, std::vector<std::byte>& storage) {
    if (!body.is_compressed) {
        return body.wire;
    }
    if (body.wire.size() > chunk_bytes_max || body.uncompressed_size > chunk_bytes_max) {
        return Error(ErrorCode::sync_message_too_large, "a body has 4 GiB or more");
    }
    ZlibStream<inflateEnd> inflater;
    inflater.stream.next_in = zlib_input(body.wire);
    inflater.stream.avail_in = static_cast<uInt>(body.wire.size());
    TOMBOLO_CHECK(inflateInit(&inflater.stream) == Z_OK);
    storage.clear();
    TOMBOLO_TRY_VOID(inflate_all(inflater.stream, body.uncompressed_size, storage));
    return ByteView(storage);
}

template <class Entry>
Result<std::optional<Entry>> EntryReader<Entry>::next() {
    if (rest_.empty()) {
        return std::optional<Entry>{};
    }
    Entry entry;
    bool is_bad = false;
    ByteView rest = rest_;
    const std::uint64_t size = read_head(rest, is_bad, entry);
    const auto context = [this] { return "entry " + std::to_string(index_); };
    if (is_bad) {
        return Error(ErrorCode::bad_changeset_header, "the head of a changeset cannot be parsed",
                     context());
    }
    if (size > rest.size()) {
        return Error(ErrorCode::bad_changeset_size,
                     "a changeset is declared with " + std::to_string(size) + " bytes but " +
                         std::to_string(rest.size()) + " are there",
                     context());
    }
    entry.changeset = rest.first(static_cast<std::size_t>(size));
    rest_ = rest.subspan(entry.changeset.size());
    ++index_;
    return std::optional<Entry>{entry};
}

template class EntryReader<UploadEntry>;
template class EntryReader<DownloadEntry>;

void append_entry(std::vector<std::byte>& body, const UploadEntry& entry) {
    append_head(body, std::array<std::uint64_t, 5>{
                          entry.client_version.value, entry.server_version.value,
                          entry.origin_timestamp_ms, entry.origin.value, entry.changeset.size()});
    body.insert(body.end(), entry.changeset.begin(), entry.changeset.end());
}

void append_entry(std::vector<std::byte>& body, const DownloadEntry& entry) {
    append_head(body,
                std::array<std::uint64_t, 6>{entry.server_version.value, entry.client_version.value,
                                             entry.origin_timestamp_ms, entry.origin.value,
                                             entry.original_size_bytes, entry.changeset.size()});
    body.insert(body.end(), entry.changeset.begin(), entry.changeset.end());
}

} // namespace tombolo::protocol
