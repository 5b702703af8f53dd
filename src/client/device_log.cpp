#include "client/device_log.hpp"

#include <zlib.h>

#include <optional>
#include <utility>
#include <vector>

#include "changeset/codec.hpp"
#include "changeset/content_writer.hpp"
#include "changeset/memory_applier.hpp"
#include "changeset/state_classes.hpp"
#include "core/record_codec.hpp"

namespace tombolo::client {

namespace {

using changeset::Changeset;
using changeset::ChangesetBuilder;
using changeset::ClassInfo;
using changeset::MemoryState;

enum class Kind : std::uint8_t {
    settings = 1,
    // Of a snapshot
    cursors = 2,
    base = 3,
    subscriptions = 4,
    content = 5,
    commit = 6,
    // Transactions
    file = 16,
    write = 17,
    subscribe = 18,
    download = 19,
    query_error = 20,
    up_to_date = 21,
    discard = 22,
};

constexpr std::size_t frame_head_bytes = 8;
constexpr std::size_t frame_overhead_bytes = 12;
/// Instructions of one snapshot changeset: enough to share names, few enough to keep memory even.
constexpr std::size_t chunk_instructions = 20'000;
/// Room to count on from any version that is read.
constexpr std::uint64_t version_max = std::uint64_t{1} << 62;

std::uint32_t checksum(std::string_view bytes) {
    return static_cast<std::uint32_t>(
        ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::string little_endian(std::uint32_t value) {
    std::string out;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        out.push_back(static_cast<char>(value >> shift & 0xff));
    }
    return out;
}

std::uint32_t read_u32(std::string_view bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) {
        value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return value;
}

std::string frame_of(std::string_view payload) {
    const std::string size = little_endian(static_cast<std::uint32_t>(payload.size()));
    std::string out = size + little_endian(checksum(size));
    out += payload;
    return out + little_endian(checksum(payload));
}

void append_record(std::string& out, Kind kind, RecordWriter record) {
    out += RecordWriter().number(static_cast<std::uint8_t>(kind)).text(record.take()).take();
}

// ---- writing

RecordWriter cursors_record(const ReplicaData& data) {
    const protocol::SyncProgress& progress = data.progress;
    RecordWriter out;
    out.number(data.file.ident.value).number(static_cast<std::uint64_t>(data.file.salt.value));
    out.number(data.newest.value);
    out.number(progress.download.server.value).number(progress.download.client.value);
    out.number(progress.latest.version.value);
    out.number(static_cast<std::uint64_t>(progress.latest.salt.value));
    out.number(progress.upload.client.value).number(progress.upload.server.value);
    return out;
}

Changeset schema_of(const MemoryState& state) {
    ChangesetBuilder out;
    for (const auto& [name, holder] : state.classes) {
        const ClassInfo& info = holder.info;
        if (info.kind == changeset::TableKind::embedded) {
            out.add_embedded_table(name);
        } else {
            out.add_table(name, info.kind, info.primary_key, info.key_type, info.key_nullable);
        }
    }
    for (const auto& [name, holder] : state.classes) {
        for (const changeset::ColumnInfo& column : holder.info.columns) {
            changeset::ColumnDefinition definition;
            definition.type = column.type;
            definition.nullable = column.nullable;
            definition.collection = column.collection;
            definition.link_target = column.target;
            out.add_column(name, column.name, definition);
        }
    }
    return out.finish().value();
}

void append_content(std::string& out, const Changeset& changeset) {
    const std::vector<std::byte> bytes = changeset::encode(changeset);
    append_record(out, Kind::content, RecordWriter().bytes(bytes));
}

void append_state(std::string& out, const MemoryState& state) {
    append_content(out, schema_of(state));
    const changeset::StateClasses classes(state);
    ChangesetBuilder chunk;
    for (const auto& [name, holder] : state.classes) {
        for (const auto& [key, object] : holder.objects) {
            chunk.create_object(name, to_view(key));
            changeset::Place place{name, to_view(key), "", {}};
            changeset::ContentWriter(chunk, classes).fields(place, holder.info, object, true);
            if (chunk.size() >= chunk_instructions) {
                append_content(out, chunk.finish().value());
            }
        }
    }
    append_content(out, chunk.finish().value());
}

// ---- reading

class Reader {
  public:
    explicit Reader(DeviceContent& content) : content_(content) {}

    /// The records of a frame.
    Result<void> take(std::string_view payload);
    /// After the last frame.
    Result<void> finish();

  private:
    Result<void> record(Kind kind, RecordReader in);
    Result<void> cursors(RecordReader& in);
    Result<void> subscriptions(RecordReader& in);
    Result<void> content(RecordReader& in);
    Result<void> commit(RecordReader& in);
    Result<void> transaction(Kind kind, RecordReader& in);
    Result<void> download(RecordReader& in);
    /// A number that versions can be counted on from.
    static std::uint64_t version(RecordReader& in, bool& good) {
        const std::uint64_t value = in.number();
        good = good && value < version_max;
        return value;
    }
    static Error damaged(std::string what) { return {ErrorCode::store_corrupt, std::move(what)}; }

    DeviceContent& content_;
    ReplicaData data_;
    bool in_snapshot_ = true;
};

Result<void> Reader::take(std::string_view payload) {
    RecordReader in(payload);
    while (!in.at_end()) {
        const std::uint64_t kind = in.number();
        const std::string_view text = in.text();
        if (in.failed() || kind > 0xff) {
            return damaged("a record is cut short");
        }
        TOMBOLO_TRY_VOID(record(static_cast<Kind>(kind), RecordReader(text)));
    }
    return {};
}

Result<void> Reader::finish() {
    if (in_snapshot_) {
        if (data_.sets.empty()) {
            return damaged("the snapshot has no cursors");
        }
        content_.replica = Replica(std::move(data_));
        in_snapshot_ = false;
    }
    return {};
}

Result<void> Reader::record(Kind kind, RecordReader in) {
    const auto read = [&]() -> Result<void> {
        bool good = true;
        switch (kind) {
        case Kind::settings:
            content_.settings = in.text();
            return {};
        case Kind::cursors:
            return cursors(in);
        case Kind::base: {
            const ClientVersion local{version(in, good)};
            const ServerVersion server{version(in, good)};
            data_.bases.emplace_back(local, server);
            return good ? Result<void>() : damaged("a version is too large");
        }
        case Kind::subscriptions:
            return subscriptions(in);
        case Kind::content:
            return content(in);
        case Kind::commit:
            return commit(in);
        default:
            TOMBOLO_TRY_VOID(finish());
            return transaction(kind, in);
        }
    };
    if (!in_snapshot_ && kind < Kind::file && kind != Kind::settings) {
        return damaged("a part of the snapshot stands among the transactions");
    }
    TOMBOLO_TRY_VOID(read());
    if (in.failed() || !in.at_end()) {
        return damaged("a record is too long or too short");
    }
    return {};
}

Result<void> Reader::cursors(RecordReader& in) {
    bool good = true;
    data_.file.ident.value = version(in, good);
    data_.file.salt.value = static_cast<std::int64_t>(in.number());
    data_.newest.value = version(in, good);
    protocol::SyncProgress& progress = data_.progress;
    progress.download.server.value = version(in, good);
    progress.download.client.value = version(in, good);
    progress.latest.version.value = version(in, good);
    progress.latest.salt.value = static_cast<std::int64_t>(in.number());
    progress.upload.client.value = version(in, good);
    progress.upload.server.value = version(in, good);
    data_.bases.clear();
    data_.sets.clear();
    return good ? Result<void>() : damaged("a version is too large");
}

Result<void> Reader::subscriptions(RecordReader& in) {
    bool good = true;
    const auto number = static_cast<std::int64_t>(version(in, good));
    SubscriptionSet set;
    const std::uint64_t state = in.number();
    set.body = in.text();
    set.snapshot.value = version(in, good);
    set.error = in.text();
    if (!good || state > static_cast<std::uint8_t>(SubscriptionSet::State::error) ||
        !protocol::parse_query_body(set.body)) {
        return damaged("a subscription set cannot be read");
    }
    set.state = static_cast<SubscriptionSet::State>(state);
    data_.sets[QueryVersion{number}] = std::move(set);
    return {};
}

Result<void> Reader::content(RecordReader& in) {
    TOMBOLO_TRY(const Changeset changeset, changeset::decode(in.bytes()));
    changeset::MemoryApplier applier(data_.state);
    TOMBOLO_TRY_VOID(changeset::apply(changeset, applier));
    return {};
}

Result<void> Reader::commit(RecordReader& in) {
    bool good = true;
    LocalCommit commit;
    commit.version.value = version(in, good);
    commit.base.value = version(in, good);
    commit.timestamp_ms = version(in, good);
    commit.changeset = in.bytes();
    TOMBOLO_TRY(commit.reciprocal, changeset::decode(in.bytes()));
    if (!good || (!data_.commits.empty() && data_.commits.back().version >= commit.version)) {
        return damaged("the local writes are out of order");
    }
    data_.commits.push_back(std::move(commit));
    return {};
}

Result<void> Reader::transaction(Kind kind, RecordReader& in) {
    Replica& replica = content_.replica;
    bool good = true;
    switch (kind) {
    case Kind::file: {
        protocol::SaltedFileIdent file;
        file.ident.value = version(in, good);
        file.salt.value = static_cast<std::int64_t>(in.number());
        replica.set_file(file);
        break;
    }
    case Kind::write: {
        const std::uint64_t timestamp_ms = version(in, good);
        TOMBOLO_TRY(const Changeset changeset, changeset::decode(in.bytes()));
        TOMBOLO_TRY_VOID(replica.write(changeset, timestamp_ms));
        break;
    }
    case Kind::subscribe: {
        TOMBOLO_TRY(const protocol::QueryBody body, protocol::parse_query_body(in.text()));
        replica.subscribe(body);
        break;
    }
    case Kind::download:
        return download(in);
    case Kind::query_error: {
        const QueryVersion query{static_cast<std::int64_t>(version(in, good))};
        const std::string message(in.text());
        if (!good || replica.subscriptions(query) == nullptr) {
            return damaged("an error of a subscription set that is not there");
        }
        replica.query_error(query, message);
        break;
    }
    case Kind::up_to_date:
        replica.up_to_date();
        break;
    case Kind::discard:
        replica.discard_partial_bootstrap();
        break;
    default:
        return damaged("a record of an unknown kind");
    }
    return good ? Result<void>() : damaged("a version is too large");
}

Result<void> Reader::download(RecordReader& in) {
    bool good = true;
    protocol::Download header;
    protocol::SyncProgress& progress = header.progress;
    progress.download.server.value = version(in, good);
    progress.download.client.value = version(in, good);
    progress.latest.version.value = version(in, good);
    progress.latest.salt.value = static_cast<std::int64_t>(in.number());
    progress.upload.client.value = version(in, good);
    progress.upload.server.value = version(in, good);
    header.query_version.value = static_cast<std::int64_t>(version(in, good));
    const std::uint64_t state = in.number();
    good = good && state <= static_cast<std::uint8_t>(protocol::BatchState::steady);
    header.batch_state = static_cast<protocol::BatchState>(state);
    std::vector<ReceivedEntry> entries;
    while (good && !in.at_end() && !in.failed()) {
        ReceivedEntry entry;
        entry.server_version.value = version(in, good);
        entry.client_version.value = version(in, good);
        entry.timestamp_ms = version(in, good);
        entry.origin.value = version(in, good);
        entry.changeset = in.bytes();
        entries.push_back(std::move(entry));
    }
    Replica& replica = content_.replica;
    if (!good || in.failed() ||
        (header.batch_state != protocol::BatchState::steady &&
         replica.subscriptions(header.query_version) == nullptr)) {
        return damaged("what was downloaded cannot be read");
    }
    return replica.integrate(header, std::move(entries));
}

struct Frame {
    std::string_view payload;
    std::size_t bytes = 0;
};

/// The frame at the beginning of `bytes`, when it is whole and right.
std::optional<Frame> frame_at(std::string_view bytes) {
    if (bytes.size() < frame_overhead_bytes ||
        checksum(bytes.substr(0, 4)) != read_u32(bytes.substr(4))) {
        return std::nullopt;
    }
    const std::size_t size = read_u32(bytes);
    if (size > bytes.size() - frame_overhead_bytes) {
        return std::nullopt;
    }
    const std::string_view payload = bytes.substr(frame_head_bytes, size);
    if (checksum(payload) != read_u32(bytes.substr(frame_head_bytes + size))) {
        return std::nullopt;
    }
    return Frame{payload, frame_overhead_bytes + size};
}

bool holds_frame(std::string_view bytes) {
    for (std::size_t at = 1; at + frame_overhead_bytes <= bytes.size(); ++at) {
        if (frame_at(bytes.substr(at))) {
            return true;
        }
    }
    return false;
}

} // namespace

Result<ReadDevice> read_device(ByteView file) {
    const std::string_view bytes = as_text(file);
    const std::size_t head = device_magic.size() + 4;
    if (!bytes.starts_with(device_magic) || bytes.size() < head) {
        return Error(ErrorCode::invalid_argument, "this is no file of a device");
    }
    const std::uint32_t format = read_u32(bytes.substr(device_magic.size()));
    if (format != device_format_version) {
        return Error(ErrorCode::unsupported, "the file has format " + std::to_string(format) +
                                                 ", of a later tombolo; this one knows format " +
                                                 std::to_string(device_format_version));
    }
    ReadDevice out;
    out.end = head;
    Reader reader(out.content);
    while (const auto frame = frame_at(bytes.substr(out.end))) {
        if (const auto taken = reader.take(frame->payload); !taken) {
            return Error(ErrorCode::store_corrupt, "the file's content is damaged",
                         "offset " + std::to_string(out.end) + ": " + taken.error().what());
        }
        out.end += frame->bytes;
        out.snapshot_end = out.snapshot_end == 0 ? out.end : out.snapshot_end;
    }
    if (out.end == head || holds_frame(bytes.substr(out.end))) {
        return Error(ErrorCode::store_corrupt, "the file is damaged",
                     "offset " + std::to_string(out.end));
    }
    TOMBOLO_TRY_VOID(reader.finish());
    return out;
}

std::string write_device(const std::string& settings, const Replica& replica) {
    const ReplicaData& data = replica.data();
    std::string records;
    append_record(records, Kind::settings, RecordWriter().text(settings));
    append_record(records, Kind::cursors, cursors_record(data));
    for (const auto& [local, server] : data.bases) {
        append_record(records, Kind::base, RecordWriter().number(local.value).number(server.value));
    }
    for (const auto& [number, set] : data.sets) {
        append_record(records, Kind::subscriptions,
                      RecordWriter()
                          .number(static_cast<std::uint64_t>(number.value))
                          .number(static_cast<std::uint8_t>(set.state))
                          .text(set.body)
                          .number(set.snapshot.value)
                          .text(set.error));
    }
    append_state(records, data.state);
    for (const LocalCommit& commit : data.commits) {
        append_record(records, Kind::commit,
                      RecordWriter()
                          .number(commit.version.value)
                          .number(commit.base.value)
                          .number(commit.timestamp_ms)
                          .bytes(commit.changeset)
                          .bytes(changeset::encode(commit.reciprocal)));
    }
    return std::string(device_magic) + little_endian(device_format_version) + frame_of(records);
}

void DeviceLog::on_settings(std::string_view settings) {
    append_record(records_, Kind::settings, RecordWriter().text(settings));
}

void DeviceLog::on_file(const protocol::SaltedFileIdent& file) {
    append_record(records_, Kind::file,
                  RecordWriter()
                      .number(file.ident.value)
                      .number(static_cast<std::uint64_t>(file.salt.value)));
}

void DeviceLog::on_write(ByteView changeset, std::uint64_t timestamp_ms) {
    append_record(records_, Kind::write, RecordWriter().number(timestamp_ms).bytes(changeset));
}

void DeviceLog::on_subscribe(const std::string& body) {
    append_record(records_, Kind::subscribe, RecordWriter().text(body));
}

void DeviceLog::on_download(const protocol::Download& header,
                            const std::vector<ReceivedEntry>& entries) {
    const protocol::SyncProgress& progress = header.progress;
    RecordWriter out;
    out.number(progress.download.server.value).number(progress.download.client.value);
    out.number(progress.latest.version.value);
    out.number(static_cast<std::uint64_t>(progress.latest.salt.value));
    out.number(progress.upload.client.value).number(progress.upload.server.value);
    out.number(static_cast<std::uint64_t>(header.query_version.value));
    out.number(static_cast<std::uint8_t>(header.batch_state));
    for (const ReceivedEntry& entry : entries) {
        out.number(entry.server_version.value).number(entry.client_version.value);
        out.number(entry.timestamp_ms).number(entry.origin.value).bytes(entry.changeset);
    }
    append_record(records_, Kind::download, std::move(out));
}

void DeviceLog::on_query_error(QueryVersion version, const std::string& message) {
    append_record(records_, Kind::query_error,
                  RecordWriter().number(static_cast<std::uint64_t>(version.value)).text(message));
}

void DeviceLog::on_up_to_date() {
    append_record(records_, Kind::up_to_date, {});
}

void DeviceLog::on_discard() {
    append_record(records_, Kind::discard, {});
}

std::string DeviceLog::take_frame() {
    return frame_of(std::exchange(records_, {}));
}

} // namespace tombolo::client
