#pragma once

// A device on disk: what a replica keeps, as bytes (docs/internals/device.md).
//
//   file  = magic (8 bytes "TMBLDEV\x1A")  u32 format version  frame*
//   frame = u32 payload bytes  u32 CRC-32 of those four bytes  payload  u32 CRC-32 of the payload
//
// Integers of the frame are little-endian. The payload holds records, each a kind (varint) and its
// text (core/record_codec.hpp). A frame is written and synced as one: all of its records happened,
// or none. First come the records of a snapshot, then those of the transactions since; reading does
// the transactions again.
//
// A frame that is not whole or not right at the end of the file is what a crash leaves of a write
// that nobody was told of, and is cut off. One with a good frame behind it is damage, and the file
// is refused. Pure functions but for DeviceLog, which collects. Nothing in the bytes is trusted.
//
// Thread-safety: none.

#include <cstdint>
#include <string>
#include <string_view>

#include "client/replica.hpp"
#include "core/bytes.hpp"
#include "core/result.hpp"

namespace tombolo::client {

inline constexpr std::string_view device_magic{"TMBLDEV\x1A", 8};
inline constexpr std::uint32_t device_format_version = 1;

struct DeviceContent {
    /// The caller's own: what the file is a device of.
    std::string settings;
    Replica replica;
};

struct ReadDevice {
    DeviceContent content;
    /// Where the snapshot ends.
    std::size_t snapshot_end = 0;
    /// Where the next frame goes; what lies behind is the rest of a write that did not happen.
    std::size_t end = 0;
};

/// Errors: invalid_argument (another magic), unsupported (a later format version),
/// store_corrupt.
Result<ReadDevice> read_device(ByteView file);

/// A whole file that holds this. REQUIRES: !replica.is_inside_bootstrap().
std::string write_device(const std::string& settings, const Replica& replica);

/// Collects the records of a replica's transactions until they are written.
class DeviceLog final : public ReplicaLog {
  public:
    void on_settings(std::string_view settings);

    void on_file(const protocol::SaltedFileIdent& file) override;
    void on_write(ByteView changeset, std::uint64_t timestamp_ms) override;
    void on_subscribe(const std::string& body) override;
    void on_download(const protocol::Download& header,
                     const std::vector<ReceivedEntry>& entries) override;
    void on_query_error(QueryVersion version, const std::string& message) override;
    void on_up_to_date() override;
    void on_discard() override;

    bool empty() const noexcept { return records_.empty(); }
    std::size_t size() const noexcept { return records_.size(); }
    void clear() noexcept { records_.clear(); }
    /// One frame with everything collected; nothing is left then.
    std::string take_frame();

  private:
    std::string records_;
};

} // namespace tombolo::client
