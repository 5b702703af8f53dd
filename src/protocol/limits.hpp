#pragma once

// Every bound on sync messages, in one place, each with its reason (sync-protocol.md 2,
// device-sync-server.md 8.3).

#include <cstddef>
#include <cstdint>

namespace tombolo::protocol::limits {

/// The longest legal header is a DOWNLOAD: a word and 13 numbers of at most 20 characters, 281
/// bytes.
inline constexpr std::size_t header_bytes_max = 512;
/// Idents, versions and timestamps stay below 2^63 on the wire.
inline constexpr std::uint64_t number_max = 0x7FFF'FFFF'FFFF'FFFF;
/// The hosted service closed the connection on a client message of more than 20 MiB, as sent; the
/// default of a setting.
inline constexpr std::size_t client_message_bytes_max = 20 * 1024 * 1024;
/// An UPLOAD body once inflated: a client puts one transaction of any size into one message, and
/// changesets of bulk inserts compress about sixfold, so that what fits the message fits here.
inline constexpr std::size_t upload_body_bytes_max = 128 * 1024 * 1024;
/// Published clients accept any size. Servers send at most about 16 MiB; ours some 1 MiB. A client
/// of ours refuses what no sound server sends.
inline constexpr std::size_t server_message_bytes_max = 64 * 1024 * 1024;
inline constexpr std::size_t download_body_bytes_max = 128 * 1024 * 1024;
/// Deflate cannot expand by more than this (258 bytes from two bits): a larger declared size is a
/// lie.
inline constexpr std::size_t deflate_ratio_max = 1032;
/// Inflating starts with a buffer of this size, whatever the message declares, and doubles as bytes
/// come out.
inline constexpr std::size_t inflate_step_bytes = 64 * 1024;
/// Bodies up to this size are sent as they are: both known implementations compress from here on.
inline constexpr std::size_t compression_threshold_bytes = 1024;
/// A subscription set as documented by the hosted service.
inline constexpr std::size_t query_body_bytes_max = 256 * 1024;
/// BIND: a partition value or a JSON object of a few short keys. The old server took 1024 bytes.
inline constexpr std::size_t bind_data_bytes_max = 64 * 1024;
/// BIND: always empty from published clients; the old server took 2048 bytes.
inline constexpr std::size_t bind_token_bytes_max = 2048;
/// JSON that a client sends: an error text or a test command.
inline constexpr std::size_t client_json_bytes_max = 1024 * 1024;
/// JSON that a server sends: the list of rejected updates of one UPLOAD can be long.
inline constexpr std::size_t server_json_bytes_max = 16 * 1024 * 1024;
/// Nothing in a sync message nests deeper than an array of objects; test commands carry an error
/// body.
inline constexpr std::size_t json_depth_max = 16;
/// A Sec-WebSocket-Protocol value; published clients refuse header lines above 8192 bytes too.
inline constexpr std::size_t subprotocol_list_bytes_max = 8192;

} // namespace tombolo::protocol::limits
