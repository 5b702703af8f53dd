// What the log of conflicts is told of an upload. Nothing here runs for uploads that lose nothing.

#include <algorithm>

#include "changeset/codec.hpp"
#include "server/sync/engine/integrator.hpp"

namespace tombolo::server::sync {

using changeset::Changeset;
using changeset::ChangesetBuilder;
using changeset::Instruction;
using changeset::MergeInput;
using changeset::Opcode;

namespace {

/// Kept of one UPLOAD that ended its session.
constexpr std::size_t lost_objects_max = 10'000;
constexpr std::size_t reason_max = 500;

/// Says a value that is gone when it is dropped. Deletions that meet deletions lose nothing.
bool has_value(const Instruction& instruction) noexcept {
    switch (instruction.op) {
    case Opcode::update:
    case Opcode::add_integer:
    case Opcode::array_insert:
    case Opcode::set_insert:
    case Opcode::set_erase:
        return true;
    default:
        return false;
    }
}

bool is_same_value(const Changeset& left, const Instruction& one, const Changeset& right,
                   const Instruction& other) {
    return one.op == other.op && changeset::has_payload(one.op) && one.type == other.type &&
           (!changeset::is_scalar(one.type) ||
            identical(Value(left.scalar(one)), Value(right.scalar(other))));
}

/// Whether the winner acts on the place or on something that it lies in. Indices move in merges:
/// they are not compared.
bool reaches(const Changeset& left, const Instruction& winner, const Changeset& right,
             const Instruction& lost) {
    if (winner.op == Opcode::erase_object) {
        return true;
    }
    const bool takes_away = winner.op != Opcode::array_insert && winner.op != Opcode::array_move &&
                            winner.op != Opcode::add_integer;
    if (!takes_away || !changeset::is_path_instruction(winner.op) ||
        !changeset::is_path_instruction(lost.op) || left.field(winner) != right.field(lost) ||
        winner.path_count > lost.path_count) {
        return false;
    }
    const auto outer = left.path(winner);
    const auto inner = right.path(lost);
    for (std::size_t i = 0; i < outer.size(); ++i) {
        if (outer[i].is_name() != inner[i].is_name() ||
            (outer[i].is_name() && left.string(outer[i].name()) != right.string(inner[i].name()))) {
            return false;
        }
    }
    return true;
}

enum class Fate { lost, same, none };

/// What the winner's changeset did to the lost write.
Fate fate_by(const MergeInput& winner, const Changeset& of, const Instruction& lost, bool& erased) {
    Fate fate = Fate::none;
    const auto look = [&](const Instruction& each) {
        if (!reaches(*winner.changeset, each, of, lost)) {
            return;
        }
        if (is_same_value(*winner.changeset, each, of, lost)) {
            fate = Fate::same;
        } else if (fate != Fate::same) {
            fate = Fate::lost;
        }
        erased = erased || each.op == Opcode::erase_object;
    };
    for (const Instruction& each : winner.changeset->instructions()) {
        look(each);
    }
    // Two that undo each other are both gone.
    for (const Instruction& each : *winner.discarded) {
        look(each);
    }
    return fate;
}

/// Some of the discarded ones as a changeset of their own; nothing when it would be too large.
std::vector<std::byte> encoded(const Changeset& source, const std::vector<Instruction>& some) {
    ChangesetBuilder out;
    for (const Instruction& each : some) {
        out.append(source, each);
    }
    const Result<Changeset> part = out.finish();
    std::vector<std::byte> bytes = part ? changeset::encode(*part) : std::vector<std::byte>();
    return bytes.size() <= conflict_bytes_max ? std::move(bytes) : std::vector<std::byte>();
}

std::int64_t unix_ms_of(Number timestamp) {
    return static_cast<std::int64_t>(timestamp + protocol::origin_epoch_unix_ms);
}

/// With the part as it came.
Conflict of_refused(const Changeset& part) {
    Conflict conflict;
    conflict.cause = ConflictCause::refused;
    conflict.changeset = changeset::encode(part);
    if (conflict.changeset.size() > conflict_bytes_max) {
        conflict.changeset.clear();
    }
    return conflict;
}

void keep_document(const Image& image, Conflict& conflict) {
    if (image.exists() && image.document->size() <= conflict_bytes_max) {
        conflict.document = *image.document;
    }
}

} // namespace

std::string Integrator::user_of(Number file) {
    if (file < first_file_ident) {
        return {};
    }
    const Result<LoadedFile*> loaded = load(file);
    return loaded ? (*loaded)->state.user : std::string();
}

/// Why an EraseObject of that version is what the device was sent.
void Integrator::name_cause(const ObjectRef& object, Number version, Conflict& conflict) {
    conflict.cause = ConflictCause::left_view;
    const auto entry = batch_->entry(version);
    if (!entry || (*entry)->head().kind == EntryKind::point) {
        return;
    }
    if ((*entry)->head().kind == EntryKind::reset) {
        conflict.cause = ConflictCause::refused;
        conflict.reason = "it stands on a write of the same object that was refused before";
        return;
    }
    const ObjectPart* part = (*entry)->cut().find(object);
    if (part == nullptr || !has_erase((*entry)->cut().part(*part))) {
        return;
    }
    conflict.cause = ConflictCause::deleted;
    if (const auto parts = batch_->parts(object, version - 1); parts && !parts->empty()) {
        if (const auto image = batch_->before(object, parts->front().second.before)) {
            keep_document(*image, conflict);
        }
    }
}

void Integrator::note_merge(const FileState& file, const UploadItem& item, const MergeInput& theirs,
                            const std::vector<MergeInput>& major, const Met& ours, Judged& judged) {
    if (!conflict_writer_.is_on()) {
        return;
    }
    // What the upload lost, by what it lost to.
    std::map<std::size_t, std::vector<Instruction>> lost;
    std::set<std::size_t> erasers;
    for (const Instruction& each : *theirs.discarded) {
        std::size_t by = major.size();
        bool is_same = false;
        for (std::size_t i = 0; i < major.size(); ++i) {
            bool erased = false;
            const Fate fate = fate_by(major[i], *theirs.changeset, each, erased);
            is_same = is_same || fate == Fate::same;
            if (erased) {
                erasers.insert(i);
            }
            if (fate == Fate::lost && (by == major.size() || !erasers.contains(by))) {
                by = i;
            }
        }
        if (!is_same && (has_value(each) || each.op == Opcode::create_object)) {
            lost[by].push_back(each);
        }
    }
    for (const auto& [by, instructions] : lost) {
        if (std::none_of(instructions.begin(), instructions.end(), has_value)) {
            continue;
        }
        Conflict conflict;
        conflict.file = file.ident;
        conflict.client_version = item.client_version;
        conflict.made_ms = unix_ms_of(item.timestamp);
        if (by < ours.size()) {
            conflict.winner_version = ours[by].first.first;
            conflict.winner_file = ours[by].second.origin;
            if (erasers.contains(by)) {
                name_cause(judged.object, conflict.winner_version, conflict);
            }
        }
        conflict.changeset = encoded(*theirs.changeset, instructions);
        judged.lost.push_back(std::move(conflict));
    }
    // What it took the place of, made at the same time by others.
    for (std::size_t i = 0; i < major.size(); ++i) {
        std::vector<Instruction> instructions;
        bool erased = false;
        for (const Instruction& each : *major[i].discarded) {
            const bool counts = has_value(each) || each.op == Opcode::create_object;
            if (counts && fate_by(theirs, *major[i].changeset, each, erased) == Fate::lost) {
                instructions.push_back(each);
            }
        }
        if (std::none_of(instructions.begin(), instructions.end(), has_value)) {
            continue;
        }
        Conflict conflict;
        conflict.version = ours[i].first.first;
        conflict.file = ours[i].second.origin;
        if (const auto entry = batch_->entry(conflict.version)) {
            conflict.client_version = (*entry)->head().client_version;
        }
        conflict.made_ms = unix_ms_of(ours[i].second.timestamp);
        conflict.winner_file = file.ident;
        if (erased) {
            conflict.cause = ConflictCause::deleted;
            keep_document(judged.before, conflict);
        }
        conflict.changeset = encoded(*major[i].changeset, instructions);
        judged.lost.push_back(std::move(conflict));
    }
}

void Integrator::note_refused(const FileState& file, const UploadItem& item, const Changeset& part,
                              Judged& judged) {
    // What it would have taken the place of stands.
    std::erase_if(judged.lost, [&](const Conflict& each) { return each.file != file.ident; });
    if (!conflict_writer_.is_on()) {
        return;
    }
    Conflict conflict = of_refused(part);
    conflict.reason = judged.why_refused == nullptr ? "" : judged.why_refused;
    conflict.file = file.ident;
    conflict.client_version = item.client_version;
    conflict.made_ms = unix_ms_of(item.timestamp);
    judged.lost.push_back(std::move(conflict));
}

Result<void> Integrator::note_lost_upload(Number ident, ByteView entries, const std::string& why) {
    ++statistics_.refused_uploads;
    const Result<LoadedFile*> file = load(ident);
    if (!file && file.error().code() != ErrorCode::not_found) {
        return file.error();
    }
    if (!file || !conflict_writer_.is_on()) {
        return {};
    }
    FileState& state = (*file)->state;
    const Number known = std::max(state.upload_client, state.logged_client);
    Number newest = known;
    std::size_t kept = 0;
    protocol::UploadEntryReader reader(entries);
    while (kept < lost_objects_max) {
        const Result<std::optional<protocol::UploadEntry>> next = reader.next();
        if (!next || !*next) {
            break;
        }
        const protocol::UploadEntry& entry = **next;
        if (entry.client_version.value <= known) {
            continue;
        }
        newest = std::max(newest, entry.client_version.value);
        Result<Changeset> decoded = changeset::decode(entry.changeset);
        if (!decoded) {
            continue;
        }
        const CutChangeset cut(*std::move(decoded));
        for (const ObjectPart& part : cut.parts) {
            if (++kept > lost_objects_max) {
                host_.log("sync: file " + std::to_string(ident) +
                          ": the conflict log has the first " + std::to_string(lost_objects_max) +
                          " objects of an upload that was refused");
                break;
            }
            Conflict conflict = of_refused(cut.part(part));
            conflict.cause = ConflictCause::upload_refused;
            conflict.reason = why.substr(0, reason_max);
            conflict.object = part.object;
            conflict.user = state.user;
            conflict.file = ident;
            conflict.client_version = entry.client_version.value;
            conflict.made_ms = unix_ms_of(entry.origin_timestamp_ms);
            conflict.time_ms = clock_.unix_ms();
            batch_->conflicts.push_back(std::move(conflict));
        }
    }
    if (newest != known) {
        state.logged_client = newest;
        batch_->changed_cores.insert(ident);
    }
    return {};
}

/// The upload has its version now.
void Integrator::keep_conflicts(std::vector<Judged>& judged) {
    for (Judged& each : judged) {
        for (Conflict& conflict : each.lost) {
            conflict.time_ms = clock_.unix_ms();
            conflict.object = each.object;
            (conflict.version == 0 ? conflict.version : conflict.winner_version) = state_.top;
            conflict.user = user_of(conflict.file);
            conflict.winner_user = user_of(conflict.winner_file);
            batch_->conflicts.push_back(std::move(conflict));
        }
    }
}

} // namespace tombolo::server::sync
