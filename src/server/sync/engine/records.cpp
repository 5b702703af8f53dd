#include "server/sync/engine/records.hpp"

#include <sodium.h>

#include <algorithm>

#include "core/bytes.hpp"
#include "core/record_codec.hpp"

namespace tombolo::server::sync {

namespace {

constexpr Number format = 1;
/// Of the views of a file: 2 has field permissions.
constexpr Number views_format = 2;
/// Of a file that has an upload in the conflict log.
constexpr Number logged_format = 2;
/// Deeper than rules can be.
constexpr int field_depth_max = 200;

// NOLINTNEXTLINE(misc-no-recursion): as deep as rules are, which limits bound
void write(RecordWriter& out, const FieldPermissions& fields) {
    out.number((fields.read ? 1U : 0U) | (fields.write ? 2U : 0U)).number(fields.fields.size());
    for (const auto& [name, inside] : fields.fields) {
        out.text(name);
        write(out, inside);
    }
}

// NOLINTNEXTLINE(misc-no-recursion): depth is counted
FieldPermissions read_fields(RecordReader& in, int depth) {
    FieldPermissions fields;
    const Number flags = in.number();
    fields.read = (flags & 1) != 0;
    fields.write = (flags & 2) != 0;
    const Number count = in.number();
    for (Number i = 0; i < count && !in.failed() && depth < field_depth_max; ++i) {
        std::string name(in.text());
        fields.fields[std::move(name)] = read_fields(in, depth + 1);
    }
    return fields;
}

void write(RecordWriter& out, const ClassPermissions& permissions) {
    out.text(permissions.read)
        .text(permissions.write)
        .text(permissions.insert)
        .text(permissions.erase);
    write(out, permissions.fields);
}

ClassPermissions read_permissions(RecordReader& in, Number version) {
    ClassPermissions permissions;
    permissions.read = in.text();
    permissions.write = in.text();
    permissions.insert = in.text();
    permissions.erase = in.text();
    if (version >= views_format) {
        permissions.fields = read_fields(in, 0);
    }
    return permissions;
}

void write(RecordWriter& out, const Role& role) {
    write(out, role.others);
    out.number(role.classes.size());
    for (const auto& [name, permissions] : role.classes) {
        out.text(name);
        write(out, permissions);
    }
}

Role read_role(RecordReader& in, Number version) {
    Role role;
    role.others = read_permissions(in, version);
    const Number count = in.number();
    for (Number i = 0; i < count && !in.failed(); ++i) {
        std::string name(in.text());
        role.classes[std::move(name)] = read_permissions(in, version);
    }
    return role;
}

void write(RecordWriter& out, const ObjectRef& object) {
    out.text(encode_object(object));
}

Result<ObjectRef> read_object(RecordReader& in) {
    std::string_view bytes = in.text();
    return decode_object(bytes);
}

} // namespace

RecordKeys::RecordKeys(const ObjectId& app)
    : app_(as_text(app.bytes)), state_("sync/" + to_hex(app.bytes) + "/state"),
      schema_("sync/" + to_hex(app.bytes) + "/schema"),
      ages_("sync/" + to_hex(app.bytes) + "/ages") {}

std::string RecordKeys::history(Number version) const {
    std::string key = app_;
    append_number(key, version);
    return key;
}

std::string RecordKeys::part_prefix(const ObjectRef& object) const {
    return app_ + encode_object(object);
}

std::string RecordKeys::part(const ObjectRef& object, Number version) const {
    std::string key = part_prefix(object);
    append_number(key, version);
    return key;
}

std::string RecordKeys::reciprocal_prefix(Number ident) const {
    return history(ident);
}

std::string RecordKeys::reciprocal(Number ident, const ObjectRef& object, Number version) const {
    std::string key = history(ident) + encode_object(object);
    append_number(key, version);
    return key;
}

std::string RecordKeys::file(Number ident) const {
    return history(ident) + "c";
}

std::string RecordKeys::file_views(Number ident) const {
    return history(ident) + "v";
}

void append_number(std::string& key, Number value) {
    for (int shift = 56; shift >= 0; shift -= 8) {
        key.push_back(static_cast<char>(value >> shift));
    }
}

Number version_in_key(std::string_view key) noexcept {
    Number value = 0;
    for (std::size_t i = key.size() < 8 ? 0 : key.size() - 8; i < key.size(); ++i) {
        value = value << 8 | static_cast<unsigned char>(key[i]);
    }
    return value;
}

std::string end_of_prefix(std::string prefix) {
    while (!prefix.empty()) {
        if (prefix.back() != '\xFF') {
            prefix.back() = static_cast<char>(prefix.back() + 1);
            break;
        }
        prefix.pop_back();
    }
    return prefix;
}

std::string encode(const HistoryEntry& entry) {
    RecordWriter out;
    out.number(format)
        .number(static_cast<Number>(entry.kind))
        .number(entry.origin)
        .number(entry.client_version)
        .number(entry.timestamp)
        .number(entry.audience)
        .bytes(entry.changeset)
        .number(entry.dropped.size());
    for (const ObjectRef& object : entry.dropped) {
        write(out, object);
    }
    out.number(entry.rejected_client_version).number(entry.rejected.size());
    for (const RejectedObject& rejected : entry.rejected) {
        write(out, rejected.object);
        out.text(rejected.reason);
    }
    return out.take();
}

Result<HistoryEntry> decode_history(std::string_view record) {
    RecordReader in(record);
    in.number();
    HistoryEntry entry;
    entry.kind = static_cast<EntryKind>(in.number());
    entry.origin = in.number();
    entry.client_version = in.number();
    entry.timestamp = in.number();
    entry.audience = in.number();
    entry.changeset = in.bytes();
    const Number dropped = in.number();
    for (Number i = 0; i < dropped && !in.failed(); ++i) {
        TOMBOLO_TRY(ObjectRef object, read_object(in));
        entry.dropped.push_back(std::move(object));
    }
    entry.rejected_client_version = in.number();
    const Number rejected = in.number();
    for (Number i = 0; i < rejected && !in.failed(); ++i) {
        TOMBOLO_TRY(ObjectRef object, read_object(in));
        entry.rejected.push_back({std::move(object), std::string(in.text())});
    }
    TOMBOLO_TRY_VOID(in.finish("history entry"));
    return entry;
}

std::string encode(const PartRecord& part) {
    RecordWriter out;
    out.number(format)
        .number(static_cast<Number>(part.kind))
        .number(part.audience)
        .number(static_cast<Number>(part.before.kind))
        .number(store::number(part.before.version))
        .text(part.before.document)
        .text(part.before.sidecar);
    return out.take();
}

Result<PartRecord> decode_part(std::string_view record) {
    RecordReader in(record);
    in.number();
    PartRecord part;
    part.kind = static_cast<PartKind>(in.number());
    part.audience = in.number();
    part.before.kind = static_cast<BeforeImage::Kind>(in.number());
    part.before.version = store::Version{in.number()};
    part.before.document = in.text();
    part.before.sidecar = in.text();
    TOMBOLO_TRY_VOID(in.finish("part"));
    return part;
}

std::string encode_core(const FileState& file) {
    RecordWriter out;
    out.number(file.logged_client == 0 ? format : logged_format)
        .number(file.ident)
        .number(static_cast<Number>(file.salt))
        .text(file.user)
        .number(file.schema_version)
        .number(file.upload_client)
        .number(file.floor)
        .number(file.locked)
        .number(file.scan)
        .number(static_cast<Number>(file.last_seen_ms))
        .number(file.is_expired ? 2
                : file.is_dead  ? 1
                                : 0);
    if (file.logged_client != 0) {
        out.number(file.logged_client);
    }
    return out.take();
}

std::string encode_views(const FileState& file) {
    RecordWriter out;
    out.number(views_format).number(file.epochs.size());
    for (const auto& epoch : file.epochs) {
        out.number(epoch->point)
            .number(static_cast<Number>(epoch->query_version))
            .text(epoch->body);
        write(out, *epoch->role);
    }
    out.number(file.holes.size());
    for (const Hole& hole : file.holes) {
        out.number(hole.after).number(hole.point);
    }
    return out.take();
}

Result<FileState> decode_file(std::string_view core, std::string_view views) {
    RecordReader in(core);
    const Number core_format = in.number();
    FileState file;
    file.ident = in.number();
    file.salt = static_cast<std::int64_t>(in.number());
    file.user = in.text();
    file.schema_version = in.number();
    file.upload_client = in.number();
    file.floor = in.number();
    file.locked = in.number();
    file.scan = in.number();
    file.last_seen_ms = static_cast<std::int64_t>(in.number());
    const Number death = in.number();
    file.is_dead = death != 0;
    file.is_expired = death == 2;
    file.logged_client = core_format >= logged_format ? in.number() : 0;
    TOMBOLO_TRY_VOID(in.finish("file"));

    RecordReader view_reader(views);
    const Number views_version = view_reader.number();
    const Number epochs = view_reader.number();
    for (Number i = 0; i < epochs && !view_reader.failed(); ++i) {
        const Number point = view_reader.number();
        const auto version = static_cast<std::int64_t>(view_reader.number());
        std::string body(view_reader.text());
        auto role = std::make_shared<const Role>(read_role(view_reader, views_version));
        file.epochs.push_back(
            std::make_shared<Epoch>(make_epoch(point, version, std::move(body), std::move(role))));
    }
    const Number holes = view_reader.number();
    for (Number i = 0; i < holes && !view_reader.failed(); ++i) {
        const Number after = view_reader.number();
        file.holes.push_back({after, view_reader.number()});
    }
    TOMBOLO_TRY_VOID(view_reader.finish("views of a file"));
    return file;
}

Result<Number> decode_upload_cursor(std::string_view core) {
    TOMBOLO_TRY(const FileState file, decode_file(core, encode_views({})));
    return file.upload_client;
}

std::string encode(const EngineState& state) {
    RecordWriter out;
    out.number(format)
        .number(state.top)
        .number(state.next_ident)
        .number(state.trimmed)
        .number(state.generations.size());
    for (const SaltGeneration& generation : state.generations) {
        out.number(generation.first).text(generation.secret);
    }
    return out.take();
}

Result<EngineState> decode_state(std::string_view record) {
    RecordReader in(record);
    // Every commit writes this record, so its number stands for all of them.
    if (const Number found = in.number(); found > format) {
        return Error(ErrorCode::unsupported,
                     "the app's sync records have format " + std::to_string(found) +
                         ", written by a newer version of Tombolo; this one reads up to " +
                         std::to_string(format));
    }
    EngineState state;
    state.top = in.number();
    state.next_ident = in.number();
    state.trimmed = in.number();
    const Number generations = in.number();
    for (Number i = 0; i < generations && !in.failed(); ++i) {
        const Number first = in.number();
        state.generations.push_back({first, std::string(in.text())});
    }
    TOMBOLO_TRY_VOID(in.finish("engine state"));
    return state;
}

Number begin_of_stream(const FileState& file) noexcept {
    const Number first = file.epochs.front()->point;
    // A collapse may have dropped the very first point, and uploads came after that one.
    for (const Hole& hole : file.holes) {
        if (hole.point == first) {
            return hole.after;
        }
    }
    return first - 1;
}

std::optional<Number> needs_history_above(const FileState& file, Number scan) noexcept {
    if (file.epochs.empty()) {
        return std::nullopt;
    }
    const Number held = std::max({file.scan, file.locked, scan});
    return std::max(std::min(file.floor, held), begin_of_stream(file));
}

Digest digest_of(std::string_view text) noexcept {
    Digest digest;
    crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr,
                       0);
    return digest;
}

Epoch make_epoch(Number point, std::int64_t query_version, std::string body,
                 std::shared_ptr<const Role> role) {
    Epoch epoch{point, query_version, std::move(body), std::move(role), {}};
    epoch.identity = digest_of(epoch.body + '\0' + role_text(*epoch.role));
    return epoch;
}

std::string role_text(const Role& role) {
    Role least = role;
    std::erase_if(least.classes, [&](const auto& each) { return each.second == least.others; });
    RecordWriter out;
    write(out, least);
    return out.take();
}

} // namespace tombolo::server::sync
