#include "sync_notes.hpp"

#include "changeset/builder.hpp"
#include "changeset/codec.hpp"
#include "protocol/body.hpp"
#include "protocol/json_bodies.hpp"
#include "server_process.hpp"

namespace tombolo::bench {

using changeset::ChangesetBuilder;
using changeset::CollectionKind;
using changeset::PayloadType;
using changeset::TableKind;

std::vector<std::byte> schema_changeset() {
    ChangesetBuilder builder;
    builder.add_table("City", TableKind::top_level, "_id", PayloadType::object_id, false);
    builder.add_embedded_table("Location");
    builder.add_table("Note", TableKind::top_level, "_id", PayloadType::integer, false);
    builder.add_column("City", "admin1", {PayloadType::string, true});
    builder.add_column("City", "admin2", {PayloadType::string, true});
    builder.add_column("City", "country", {PayloadType::string, false});
    builder.add_column("City", "loc",
                       {PayloadType::link, true, CollectionKind::single, "Location"});
    builder.add_column("City", "name", {PayloadType::string, false});
    builder.add_column("Location", "coordinates",
                       {PayloadType::float64, false, CollectionKind::list});
    builder.add_column("Location", "type", {PayloadType::string, false});
    builder.add_column("Note", "author", {PayloadType::string, true});
    builder.add_column("Note", "done", {PayloadType::boolean, false});
    builder.add_column("Note", "group", {PayloadType::integer, false});
    builder.add_column("Note", "place", {PayloadType::string, true});
    builder.add_column("Note", "rank", {PayloadType::integer, false});
    builder.add_column("Note", "text", {PayloadType::string, true});
    builder.add_column("Note", "title", {PayloadType::string, true});
    builder.add_column("Note", "weight", {PayloadType::float64, false});
    return changeset::encode(builder.finish().value());
}

std::vector<std::byte> new_note(std::int64_t id, std::int64_t group) {
    ChangesetBuilder builder;
    builder.create_object("Note", id);
    builder.update({"Note", id, "author"}, "a person of some name");
    builder.update({"Note", id, "done"}, changeset::PayloadView(ScalarView(id % 2 == 0)));
    builder.update({"Note", id, "group"}, group);
    builder.update({"Note", id, "place"}, "52.52, 13.40");
    builder.update({"Note", id, "rank"}, id % 100);
    const std::string text = "what was seen at place " + std::to_string(id) + ", and when";
    builder.update({"Note", id, "text"}, std::string_view(text));
    builder.update({"Note", id, "title"}, "seen from the lighthouse");
    builder.update({"Note", id, "weight"},
                   changeset::PayloadView(ScalarView(static_cast<double>(id) / 7)));
    return changeset::encode(builder.finish().value());
}

std::vector<std::byte> changed_note(std::int64_t id, const std::string& text) {
    ChangesetBuilder builder;
    builder.update({"Note", id, "text"}, std::string_view(text));
    return changeset::encode(builder.finish().value());
}

std::string notes_of_group(std::int64_t group) {
    return protocol::write_query_body({{"Note", "group == " + std::to_string(group)}});
}

std::string all_notes() {
    return protocol::write_query_body({{"Note", "TRUEPREDICATE"}});
}

std::string cities_of(const std::string& country) {
    return protocol::write_query_body(
        {{"City", country.empty() ? "TRUEPREDICATE" : "country == \"" + country + "\""}});
}

std::vector<std::byte> opened_body(const DownloadHead& head) {
    std::vector<std::byte> storage;
    const ByteView wire = as_bytes(head.body);
    const protocol::Body body{head.is_compressed, head.plain_bytes, wire};
    const ByteView opened = protocol::open_body(body, storage).value();
    return {opened.begin(), opened.end()};
}

std::size_t created_objects(ByteView opened) {
    std::size_t count = 0;
    protocol::DownloadEntryReader reader(opened);
    while (const auto entry = reader.next().value()) {
        const changeset::Changeset decoded = changeset::decode(entry->changeset).value();
        for (const auto& instruction : decoded.instructions()) {
            count += instruction.op == changeset::Opcode::create_object ? 1 : 0;
        }
    }
    return count;
}

std::map<std::int64_t, std::string> notes_on_server(FleetOptions options,
                                                    const std::string& token) {
    Fleet fleet(std::move(options));
    std::map<std::int64_t, std::string> notes;
    const auto take = [&](const changeset::Changeset& decoded) {
        for (const auto& instruction : decoded.instructions()) {
            const bool is_update = instruction.op == changeset::Opcode::update;
            if (!is_update && instruction.op != changeset::Opcode::create_object) {
                continue;
            }
            std::string& text = notes[std::get<std::int64_t>(decoded.object(instruction))];
            if (is_update && decoded.field(instruction) == "text") {
                text = std::get<std::string_view>(decoded.scalar(instruction));
            }
        }
    };
    fleet.on_download = [&](Fleet::Index, const DownloadHead& head) {
        const std::vector<std::byte> opened = opened_body(head);
        protocol::DownloadEntryReader reader(opened);
        while (const auto entry = reader.next().value()) {
            take(changeset::decode(entry->changeset).value());
        }
    };
    fleet.add(token, all_notes());
    fleet.run_until([&] { return fleet.ready() == 1; }, "what was acknowledged");
    return notes;
}

} // namespace tombolo::bench
