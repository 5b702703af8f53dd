#include "server/sync/engine/conflict_log.hpp"

#include <algorithm>

#include "changeset/codec.hpp"
#include "core/ejson.hpp"
#include "core/record_codec.hpp"

namespace tombolo::server::sync {

namespace {

constexpr Number format = 1;
/// Looked at in one commit or one call of trim(), beside those that were added.
constexpr std::size_t trimmed_max = 1000;
/// Looked at for one page.
constexpr std::uint64_t scanned_max = 50'000;
constexpr Number chunk = 256;

std::string key_of_number(const std::string& prefix, Number number) {
    std::string key = prefix;
    append_number(key, number);
    return key;
}

using Total = ConflictWriter::Total;

Result<Total> read_total(const store::Snapshot& snapshot, const std::string& key) {
    TOMBOLO_TRY(const std::optional<std::string> record, snapshot.record(store::Space::meta, key));
    Total total;
    if (record) {
        RecordReader in(*record);
        total.next = in.number();
        total.bytes = in.number();
        TOMBOLO_TRY_VOID(in.finish("total of the conflict log"));
    }
    return total;
}

} // namespace

const char* conflict_cause_name(ConflictCause cause) noexcept {
    switch (cause) {
    case ConflictCause::overwritten:
        return "overwritten";
    case ConflictCause::deleted:
        return "deleted";
    case ConflictCause::left_view:
        return "out_of_view";
    case ConflictCause::refused:
        return "refused";
    case ConflictCause::upload_refused:
        return "upload_refused";
    }
    return "refused";
}

std::string conflict_prefix(const ObjectId& app) {
    return "sync/" + to_hex(app.bytes) + "/conflict";
}

std::string conflict_key(const ObjectId& app, Number number) {
    return key_of_number(conflict_prefix(app) + "/", number);
}

std::string encode(const Conflict& conflict) {
    RecordWriter out;
    out.number(format)
        .number(conflict.bytes_before)
        .number(static_cast<Number>(conflict.time_ms))
        .number(static_cast<Number>(conflict.cause))
        .text(conflict.reason)
        .text(encode_object(conflict.object))
        .text(conflict.user)
        .number(conflict.file)
        .number(conflict.client_version)
        .number(conflict.version)
        .number(static_cast<Number>(conflict.made_ms))
        .text(conflict.winner_user)
        .number(conflict.winner_file)
        .number(conflict.winner_version)
        .bytes(conflict.changeset)
        .text(conflict.document)
        .number(static_cast<Number>(conflict.restored_ms))
        .text(conflict.restored_by);
    return out.take();
}

Result<Conflict> decode_conflict(std::string_view record) {
    RecordReader in(record);
    if (in.number() != format) {
        return Error(ErrorCode::store_corrupt,
                     "an entry of the conflict log has a format that this server does not know");
    }
    Conflict conflict;
    conflict.bytes_before = in.number();
    conflict.time_ms = static_cast<std::int64_t>(in.number());
    const Number cause = in.number();
    conflict.cause = static_cast<ConflictCause>(std::min<Number>(cause, 4));
    conflict.reason = in.text();
    std::string_view object = in.text();
    conflict.user = in.text();
    conflict.file = in.number();
    conflict.client_version = in.number();
    conflict.version = in.number();
    conflict.made_ms = static_cast<std::int64_t>(in.number());
    conflict.winner_user = in.text();
    conflict.winner_file = in.number();
    conflict.winner_version = in.number();
    conflict.changeset = in.bytes();
    conflict.document = in.text();
    conflict.restored_ms = static_cast<std::int64_t>(in.number());
    conflict.restored_by = in.text();
    TOMBOLO_TRY_VOID(in.finish("entry of the conflict log"));
    TOMBOLO_TRY(conflict.object, decode_object(object));
    return conflict;
}

// Writing

ConflictWriter::ConflictWriter(const ObjectId& app, const ConflictLimits& limits)
    : limits_(limits), prefix_(conflict_prefix(app) + "/"), total_key_(conflict_prefix(app) + "s") {
}

Result<void> ConflictWriter::write(std::vector<Conflict> conflicts, const store::Snapshot& snapshot,
                                   std::int64_t now_ms, std::optional<Total>& known,
                                   store::Transaction& transaction) const {
    if (!known) {
        TOMBOLO_TRY(known, read_total(snapshot, total_key_));
    }
    Total& total = *known;
    for (Conflict& conflict : conflicts) {
        conflict.bytes_before = total.bytes;
        std::string record = encode(conflict);
        total.bytes += record.size();
        transaction.put_record(store::Space::meta, key_of_number(prefix_, total.next++),
                               std::move(record));
    }
    RecordWriter out;
    out.number(total.next).number(total.bytes);
    transaction.put_record(store::Space::meta, total_key_, out.take());
    const std::size_t looks = trimmed_max + 2 * conflicts.size();
    TOMBOLO_TRY([[maybe_unused]] const bool done,
                drop_oldest(snapshot, now_ms, total.bytes, looks, transaction));
    return {};
}

Result<bool> ConflictWriter::trim(const store::Snapshot& snapshot, std::int64_t now_ms,
                                  store::Transaction& transaction) const {
    TOMBOLO_TRY(const Total total, read_total(snapshot, total_key_));
    return drop_oldest(snapshot, now_ms, total.bytes, trimmed_max, transaction);
}

/// True when nothing more is to be dropped.
Result<bool> ConflictWriter::drop_oldest(const store::Snapshot& snapshot, std::int64_t now_ms,
                                         Number bytes, std::size_t looks,
                                         store::Transaction& transaction) const {
    const auto cursor = snapshot.scan_records(store::Space::meta, prefix_, end_of_prefix(prefix_));
    std::string end;
    std::size_t seen = 0;
    for (; seen < looks; ++seen) {
        if (!cursor->next()) {
            TOMBOLO_TRY_VOID(cursor->status());
            break;
        }
        const Result<Conflict> conflict = decode_conflict(cursor->value());
        const bool stays = conflict && now_ms - conflict->time_ms <= limits_.keep_ms &&
                           bytes - conflict->bytes_before <= limits_.bytes_max;
        if (stays) {
            break;
        }
        end = cursor->key();
        end.push_back('\0');
    }
    if (!end.empty()) {
        transaction.erase_records(store::Space::meta, prefix_, std::move(end));
    }
    return seen < looks;
}

// Reading

std::string key_text(const PrimaryKey& key) {
    if (const auto* text = std::get_if<std::string>(&key)) {
        return *text;
    }
    if (const auto* id = std::get_if<ObjectId>(&key)) {
        return id->to_string();
    }
    if (const auto* id = std::get_if<Uuid>(&key)) {
        return id->to_string();
    }
    return to_text(to_view(key));
}

Result<ConflictPage> list_conflicts(const store::Store& store, const ObjectId& app,
                                    const ConflictFilter& filter, Number before,
                                    std::size_t count_max, std::int64_t oldest_ms) {
    const auto snapshot = store.snapshot();
    const std::string prefix = conflict_prefix(app) + "/";
    TOMBOLO_TRY(const Total total, read_total(*snapshot, conflict_prefix(app) + "s"));
    Number first = total.next;
    {
        const auto oldest =
            snapshot->scan_records(store::Space::meta, prefix, end_of_prefix(prefix));
        if (oldest->next()) {
            first = version_in_key(oldest->key());
        }
        TOMBOLO_TRY_VOID(oldest->status());
    }
    ConflictPage page;
    const auto fits = [&](const Conflict& each) {
        return each.time_ms >= oldest_ms && (filter.user.empty() || each.user == filter.user) &&
               (filter.class_name.empty() || each.object.class_name == filter.class_name) &&
               (filter.key.empty() || key_text(each.object.key) == filter.key);
    };
    Number end = before == 0 ? total.next : std::min(before, total.next);
    while (end > first && page.conflicts.size() < count_max && page.scanned < scanned_max) {
        const Number begin = end > chunk ? std::max(first, end - chunk) : first;
        const auto cursor = snapshot->scan_records(store::Space::meta, key_of_number(prefix, begin),
                                                   key_of_number(prefix, end));
        std::vector<NumberedConflict> found;
        while (cursor->next()) {
            ++page.scanned;
            TOMBOLO_TRY(Conflict conflict, decode_conflict(cursor->value()));
            if (fits(conflict)) {
                found.push_back({version_in_key(cursor->key()), std::move(conflict)});
            }
        }
        TOMBOLO_TRY_VOID(cursor->status());
        end = begin;
        while (!found.empty() && page.conflicts.size() < count_max) {
            page.conflicts.push_back(std::move(found.back()));
            found.pop_back();
        }
        if (!found.empty()) {
            end = page.conflicts.back().number;
        }
    }
    if (end > first) {
        page.next = end;
    }
    for (NumberedConflict& each : page.conflicts) {
        TOMBOLO_TRY(each.came_later, has_come_later(*snapshot, app, each.conflict));
    }
    return page;
}

Result<bool> has_come_later(const store::Snapshot& snapshot, const ObjectId& app,
                            const Conflict& conflict) {
    if (conflict.cause != ConflictCause::upload_refused) {
        return false;
    }
    TOMBOLO_TRY(const std::optional<std::string> core,
                snapshot.record(store::Space::file, RecordKeys(app).file(conflict.file)));
    if (!core) {
        return false;
    }
    TOMBOLO_TRY(const Number taken, decode_upload_cursor(*core));
    return taken >= conflict.client_version;
}

Result<Conflict> find_conflict(const store::Snapshot& snapshot, const ObjectId& app,
                               Number number) {
    TOMBOLO_TRY(const std::optional<std::string> record,
                snapshot.record(store::Space::meta, conflict_key(app, number)));
    if (!record) {
        return Error(ErrorCode::not_found,
                     "there is no conflict " + std::to_string(number) + " in the log (any more)");
    }
    return decode_conflict(*record);
}

namespace {

std::string place_of(const changeset::Changeset& changeset,
                     const changeset::Instruction& instruction) {
    if (!changeset::is_path_instruction(instruction.op)) {
        return {};
    }
    std::string text(changeset.field(instruction));
    for (const changeset::PathElement& element : changeset.path(instruction)) {
        text += element.is_index() ? "[" + std::to_string(element.index()) + "]"
                                   : "." + std::string(changeset.string(element.name()));
    }
    return text;
}

const char* action_of(const changeset::Instruction& instruction) noexcept {
    using changeset::Opcode;
    switch (instruction.op) {
    case Opcode::create_object:
        return "create object";
    case Opcode::erase_object:
        return "delete object";
    case Opcode::update:
        return instruction.type == changeset::PayloadType::erased ? "remove key" : "set";
    case Opcode::add_integer:
        return "add";
    case Opcode::array_insert:
        return "insert";
    case Opcode::array_move:
        return "move";
    case Opcode::array_erase:
        return "remove";
    case Opcode::clear:
        return "clear";
    case Opcode::set_insert:
        return "add to set";
    case Opcode::set_erase:
        return "remove from set";
    default:
        return "change";
    }
}

std::optional<std::string> value_of(const changeset::Changeset& changeset,
                                    const changeset::Instruction& instruction) {
    using changeset::PayloadType;
    std::optional<Value> value;
    if (instruction.op == changeset::Opcode::add_integer) {
        value = Value(instruction.addend());
    } else if (changeset::has_payload(instruction.op)) {
        if (changeset::is_scalar(instruction.type)) {
            value = Value(changeset.scalar(instruction));
        } else if (instruction.type == PayloadType::list || instruction.type == PayloadType::set) {
            value = Value(List());
        } else if (instruction.type != PayloadType::erased) {
            value = Value(Dictionary());
        }
    }
    if (!value) {
        return std::nullopt;
    }
    const Result<std::string> text = value_to_ejson(*value, EjsonForm::relaxed);
    return text ? std::optional(*text) : std::nullopt;
}

} // namespace

Result<std::vector<LostValue>> lost_values(const Conflict& conflict) {
    std::vector<LostValue> out;
    if (conflict.changeset.empty()) {
        return out;
    }
    TOMBOLO_TRY(const changeset::Changeset lost, changeset::decode(conflict.changeset));
    for (const changeset::Instruction& each : lost.instructions()) {
        out.push_back({place_of(lost, each), action_of(each), value_of(lost, each)});
    }
    return out;
}

} // namespace tombolo::server::sync
