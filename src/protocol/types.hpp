#pragma once

// The numbers of the sync protocol as types of their own, so that a client version is never passed
// for a server version.
//
// All are plain values, ordered and hashable. The wire carries them as decimal text; parsers refuse
// idents, versions and timestamps of 2^63 and more, so adding one to a parsed value never wraps
// (sync-protocol.md 2, 4.3).

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace tombolo::protocol {

template <class Tag, class Rep>
struct StrongNumber {
    Rep value{};
    // NOLINTNEXTLINE(modernize-use-nullptr): the check misreads defaulted comparisons of templates
    friend auto operator<=>(const StrongNumber&, const StrongNumber&) = default;
};

/// Names one bound file on a connection; chosen by the client, never 0.
using SessionIdent = StrongNumber<struct SessionIdentTag, std::uint64_t>;
/// Names one client-side file; given by the server, 0 means "none yet" or, as an origin in UPLOAD,
/// "this client".
using ClientFileIdent = StrongNumber<struct ClientFileIdentTag, std::uint64_t>;
/// A position in the server's history; 0 is before everything.
using ServerVersion = StrongNumber<struct ServerVersionTag, std::uint64_t>;
/// A position in one client file's history; 0 is before everything.
using ClientVersion = StrongNumber<struct ClientVersionTag, std::uint64_t>;
/// A random number that makes an ident or a server version unguessable; never 0 where one is given.
using Salt = StrongNumber<struct SaltTag, std::int64_t>;
/// Numbers the MARK and TEST_COMMAND requests of a session.
using RequestIdent = StrongNumber<struct RequestIdentTag, std::uint64_t>;
/// The version of a subscription set; 0 is the empty set that every file starts with.
using QueryVersion = StrongNumber<struct QueryVersionTag, std::int64_t>;

/// The ident the server uses as the origin of its own changes; never given to a client
/// (changesets-and-merge.md 3).
inline constexpr ClientFileIdent server_file_ident{1};

/// Milliseconds from 1970-01-01 to 2015-01-01, the zero of origin timestamps.
inline constexpr std::uint64_t origin_epoch_unix_ms = 1'420'070'400'000;

/// How far the client has got in the server's history, and the last of its own versions integrated
/// there.
struct DownloadCursor {
    ServerVersion server;
    ClientVersion client;
    friend auto operator<=>(const DownloadCursor&, const DownloadCursor&) = default;
};

/// How far the client's history was uploaded, and the last server version integrated as of there.
struct UploadCursor {
    ClientVersion client;
    ServerVersion server;
    friend auto operator<=>(const UploadCursor&, const UploadCursor&) = default;
};

struct SaltedServerVersion {
    ServerVersion version;
    Salt salt;
    friend auto operator<=>(const SaltedServerVersion&, const SaltedServerVersion&) = default;
};

struct SaltedFileIdent {
    ClientFileIdent ident;
    Salt salt;
    friend auto operator<=>(const SaltedFileIdent&, const SaltedFileIdent&) = default;
};

/// The three cursors of every DOWNLOAD.
struct SyncProgress {
    DownloadCursor download;
    SaltedServerVersion latest;
    UploadCursor upload;
    friend auto operator<=>(const SyncProgress&, const SyncProgress&) = default;
};

/// The negotiated version; 11 to 14 are spoken (sync-protocol.md 1.4, 3.4).
enum class ProtocolVersion : std::uint8_t { v11 = 11, v12 = 12, v13 = 13, v14 = 14 };

inline constexpr ProtocolVersion oldest_protocol_version = ProtocolVersion::v11;
inline constexpr ProtocolVersion newest_protocol_version = ProtocolVersion::v14;

/// Partition-based or flexible sync; decided by the WebSocket subprotocol's prefix.
enum class SyncMode : std::uint8_t { partition, flexible };

/// What a message's form depends on. Constant for the life of a connection.
struct Dialect {
    ProtocolVersion version = newest_protocol_version;
    SyncMode mode = SyncMode::flexible;
    friend auto operator<=>(const Dialect&, const Dialect&) = default;
};

} // namespace tombolo::protocol

template <class Tag, class Rep>
struct std::hash<tombolo::protocol::StrongNumber<Tag, Rep>> {
    std::size_t operator()(const tombolo::protocol::StrongNumber<Tag, Rep>& number) const noexcept {
        return std::hash<Rep>{}(number.value);
    }
};
