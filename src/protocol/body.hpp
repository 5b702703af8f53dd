#pragma once

// Bodies of UPLOAD and DOWNLOAD: compression, and the changeset entries inside (sync-protocol.md 2,
// 3; changesets-and-merge.md 3).
//
//   body  = the entries, or one zlib stream (RFC 1950, no preset dictionary) that inflates to them
//   UPLOAD entry   = <client ver> SP <server ver> SP <origin timestamp> SP <origin ident> SP <size>
//   SP <size bytes> DOWNLOAD entry = <server ver> SP <client ver> SP <origin timestamp> SP <origin
//   ident> SP <original size> SP <size>
//                    SP <size bytes>
//
// Reading is in two steps, so that a receiver decides when to spend the time: open_body() gives the
// inflated bytes, an entry reader walks them without copying. Errors: bad_compression,
// bad_changeset_header, bad_changeset_size. Memory: open_body() allocates at most twice what the
// stream has yielded so far plus 64 KiB, and never more than the declared size; the parser has
// checked that against the limit and against what deflate can expand to.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "protocol/limits.hpp"
#include "protocol/types.hpp"

namespace tombolo::protocol {

/// A body as it stands on the wire. Borrows: valid as long as the message or the storage it was
/// made from.
struct Body {
    bool is_compressed = false;
    std::size_t uncompressed_size = 0; ///< equals wire.size() when not compressed
    ByteView wire;

    static Body plain(ByteView bytes) noexcept { return {false, bytes.size(), bytes}; }
};

struct CompressionOptions {
    /// zlib's 1 (fast) to 9 (small); published clients use 1.
    int level = 1;
    /// Smaller bodies stay as they are.
    std::size_t threshold_bytes = limits::compression_threshold_bytes;
};

/// `plain` itself when it is not above the threshold or does not shrink, else compressed into
/// `storage`, which the result borrows.
Body compress_body(ByteView plain, const CompressionOptions& options,
                   std::vector<std::byte>& storage);

/// The entries' bytes: body.wire itself, or inflated into `storage`, which the result then borrows.
Result<ByteView> open_body(const Body& body, std::vector<std::byte>& storage);

/// `changeset` borrows from the opened body.
struct UploadEntry {
    ClientVersion client_version;          ///< the version this changeset made
    ServerVersion server_version;          ///< its merge base
    std::uint64_t origin_timestamp_ms = 0; ///< since 2015-01-01T00:00:00Z
    ClientFileIdent origin;                ///< 0: the uploading client
    ByteView changeset;
};

struct DownloadEntry {
    ServerVersion server_version;          ///< the version made on the server, never 0
    ClientVersion client_version;          ///< its merge base on the receiving client
    std::uint64_t origin_timestamp_ms = 0; ///< since 2015-01-01T00:00:00Z
    ClientFileIdent origin;                ///< never 0, never the receiver's own
    std::uint64_t original_size_bytes = 0; ///< before compaction; statistics only
    ByteView changeset;
};

/// Walks the entries of an opened body. After an error every further call gives the same error.
template <class Entry>
class EntryReader {
  public:
    explicit EntryReader(ByteView opened_body) noexcept : rest_(opened_body) {}

    /// The next entry, or nothing at the end.
    Result<std::optional<Entry>> next();

  private:
    ByteView rest_;
    std::size_t index_ = 0;
};

using UploadEntryReader = EntryReader<UploadEntry>;
using DownloadEntryReader = EntryReader<DownloadEntry>;

extern template class EntryReader<UploadEntry>;
extern template class EntryReader<DownloadEntry>;

void append_entry(std::vector<std::byte>& body, const UploadEntry& entry);
void append_entry(std::vector<std::byte>& body, const DownloadEntry& entry);

} // namespace tombolo::protocol
