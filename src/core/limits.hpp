#pragma once

// Every bound on what comes from outside, in one place, each with its reason.

#include <cstddef>

namespace tombolo::limits {

/// Longest string value in bytes: the published clients' own storage limit
/// (database-and-sdk.md 1.2).
inline constexpr std::size_t string_bytes_max = 16'777'199;
/// Longest binary value in bytes (database-and-sdk.md 1.2).
inline constexpr std::size_t binary_bytes_max = 16'777'200;
/// Longest changeset: offsets into it are 32 bits wide.
inline constexpr std::size_t changeset_bytes_max = 0xFFFF'FFFF;
/// Class names: 63 bytes of storage name minus its "class_" prefix.
inline constexpr std::size_t class_name_bytes_max = 57;
inline constexpr std::size_t property_name_bytes_max = 63;
/// Nesting of collections inside Mixed that the published clients accept.
inline constexpr std::size_t collection_depth_max = 100;
/// Levels of nesting read from JSON or BSON: libbson refuses deeper JSON, and MongoDB stores no
/// deeper documents.
inline constexpr std::size_t document_depth_max = 100;
/// Largest document: what MongoDB stores and Atlas accepted.
inline constexpr std::size_t document_bytes_max = 16 * 1024 * 1024;
/// Longest Extended JSON text: the canonical form takes up to some four times the bytes of the
/// document.
inline constexpr std::size_t ejson_bytes_max = 4 * document_bytes_max;
/// Points of a polygon: checking a hostile one costs up to the square of it (some 1 s), and a
/// subscription's query text of 256 kB holds few more.
inline constexpr std::size_t geo_vertices_max = 10'000;

// Store

/// Longest encoded _id. RocksDB has no limit; keys are held in memory for each file.
inline constexpr std::size_t document_key_bytes_max = 8 * 1024;
inline constexpr std::size_t collection_name_bytes_max = 255;
inline constexpr std::size_t index_name_bytes_max = 127;
/// As MongoDB.
inline constexpr std::size_t index_fields_max = 32;
inline constexpr std::size_t indexes_per_collection_max = 64;
/// Entries of one document in one index: an array's elements.
inline constexpr std::size_t index_entries_max = 10'000;
inline constexpr std::size_t index_key_bytes_max = 32 * 1024;
/// A group is closed beyond this, so that one sync does not keep early comers waiting for
/// megabytes.
inline constexpr std::size_t commit_group_bytes_max = 8 * 1024 * 1024;
inline constexpr std::size_t commit_group_transactions_max = 4096;
inline constexpr std::size_t verify_problems_max = 100;

// Queries

/// Query text: far above the 256 kB the sync protocol takes, so that a list of some hundred
/// thousand keys fits.
inline constexpr std::size_t query_bytes_max = 16 * 1024 * 1024;
/// Nesting of parentheses, NOT and subqueries, and elements of one path: recursion stays within a
/// small thread's stack. AND and OR chains are flat and not counted.
inline constexpr std::size_t query_depth_max = 200;
/// Text of one subscription (device-sync-server.md 3.4).
inline constexpr std::size_t subscription_bytes_max = 256 * 1024;

// Apps

/// Files of an app directory, dependencies of functions not counted.
inline constexpr std::size_t app_files_max = 10'000;
inline constexpr std::size_t app_bytes_max = std::size_t{64} * 1024 * 1024;

// Users

/// RFC 5321's longest path, with room.
inline constexpr std::size_t address_bytes_max = 320;
inline constexpr std::size_t api_keys_per_user_max = 20;
/// Custom user data travels in every request's token.
inline constexpr std::size_t custom_user_data_bytes_max = std::size_t{16} * 1024;

} // namespace tombolo::limits
