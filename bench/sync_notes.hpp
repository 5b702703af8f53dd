#pragma once

// What the devices write: notes of eight fields, one to a changeset; and what they were sent.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "sync_fleet.hpp"

namespace tombolo::bench {

/// As published clients send it before their first object.
std::vector<std::byte> schema_changeset();
/// CreateObject and eight fields.
std::vector<std::byte> new_note(std::int64_t id, std::int64_t group);
/// One field of a note that is there.
std::vector<std::byte> changed_note(std::int64_t id, const std::string& text);

/// {"Note":"..."}
std::string notes_of_group(std::int64_t group);
std::string all_notes();
std::string cities_of(const std::string& country);

/// The body of a DOWNLOAD, inflated.
std::vector<std::byte> opened_body(const DownloadHead& head);
/// How many objects the entries create.
std::size_t created_objects(ByteView opened);

/// The notes that a new device gets from the server: their texts by their ids.
std::map<std::int64_t, std::string> notes_on_server(FleetOptions options, const std::string& token);

} // namespace tombolo::bench
