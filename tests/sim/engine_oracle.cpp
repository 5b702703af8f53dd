#include "sim/engine_oracle.hpp"

#include <algorithm>
#include <utility>

#include "changeset/codec.hpp"
#include "schema/document.hpp"
#include "server/sync/engine/changes.hpp"

namespace tombolo::sim {

using changeset::Changeset;
using changeset::Instruction;
using changeset::Opcode;
using server::sync::EntryKind;
using server::sync::HistoryEntry;

namespace {

std::string print(const Document& document) {
    return document ? to_text(Value(*document)) : "absent";
}

/// A changeset without its schema instructions.
Changeset without_schema(const Changeset& whole) {
    changeset::ChangesetBuilder out;
    for (const Instruction& instruction : whole.instructions()) {
        if (instruction.op != Opcode::add_table && instruction.op != Opcode::add_column) {
            out.append(whole, instruction);
        }
    }
    return *out.finish();
}

/// What comes last is the EraseObject.
bool ends_erased(const Changeset& changeset, ObjectKey key) {
    const Changeset part = part_of(changeset, key);
    return part.instructions().back().op == Opcode::erase_object;
}

bool is_only_erased(const Changeset& changeset, ObjectKey key) {
    const Changeset part = part_of(changeset, key);
    return std::all_of(
        part.instructions().begin(), part.instructions().end(),
        [](const Instruction& instruction) { return instruction.op == Opcode::erase_object; });
}

} // namespace

EngineOracle::EngineOracle(World& world, std::string database)
    : world_(world), database_(std::move(database)), keys_(world.options().app) {
    for (ObjectKey key = 0; key < object_key_count; ++key) {
        documents_[key][0] = std::nullopt;
    }
}

void EngineOracle::note_upload(std::uint64_t file, std::uint64_t client_version, std::uint64_t base,
                               const Changeset& changeset) {
    Upload upload{base, objects_of(changeset), {}};
    for (const ObjectKey key : upload.objects) {
        if (ends_erased(changeset, key)) {
            upload.erased.insert(key);
        }
    }
    uploads_[{file, client_version}] = std::move(upload);
}

void EngineOracle::violate(int invariant, std::uint64_t version, const std::string& what) {
    if (!violation_) {
        violation_ = "invariant " + std::to_string(invariant) + " at version " +
                     std::to_string(version) + ": " + what;
    }
}

const std::optional<std::string>& EngineOracle::read() {
    if (violation_) {
        return violation_;
    }
    const auto snapshot = shared_store().snapshot();
    const auto record = snapshot->record(store::Space::meta, keys_.state());
    if (!*record) {
        return violation_;
    }
    const std::uint64_t top = server::sync::decode_state(**record)->top;
    if (top < top_) {
        violate(7, top_, "a durable version is gone");
    }
    const bool has_new = top > top_;
    while (top_ < top && !violation_) {
        const auto stored = snapshot->record(store::Space::history, keys_.history(top_ + 1));
        if (!*stored) {
            violate(4, top_ + 1, "history has a gap");
            break;
        }
        ++top_;
        take(top_, *server::sync::decode_history(**stored));
    }
    if (has_new) {
        settle_fates();
        check_documents();
    }
    return violation_;
}

void EngineOracle::take(std::uint64_t version, const HistoryEntry& entry) {
    if (entry.kind == EntryKind::point) {
        points_.insert(version);
        entries_[version] = {};
        return;
    }
    Changeset changeset;
    if (!entry.changeset.empty()) {
        auto decoded = changeset::decode(entry.changeset);
        if (!decoded) {
            violate(3, version, "history holds a changeset that cannot be decoded");
            return;
        }
        changeset = without_schema(*decoded);
    }
    entries_[version] = {entry.kind, entry.origin, entry.audience, changeset};
    if (entry.kind == EntryKind::reset) {
        take_reset(version, entry, changeset);
    } else {
        take_change(version, entry, changeset);
    }
}

void EngineOracle::take_change(std::uint64_t version, const HistoryEntry& entry,
                               const Changeset& changeset) {
    const std::vector<ObjectKey> kept = objects_of(changeset);
    if (entry.origin != server::sync::server_ident) {
        if (entry.client_version <= integrated_at(entry.origin, version)) {
            violate(8, version,
                    "client version " + std::to_string(entry.client_version) + " of file " +
                        std::to_string(entry.origin) + " was integrated before");
        }
        integrated_[entry.origin][version] = entry.client_version;
        check_fate(version, entry, kept);
    }
    for (const ObjectKey key : kept) {
        named_[key].insert(version);
    }
    if (const auto applied = apply(changeset, state_); !applied) {
        violate(6, version,
                std::string("does not fit the documents before: ") + applied.error().what());
        return;
    }
    for (const ObjectKey key : kept) {
        documents_[key][version] = sim::document(state_, key);
    }
}

/// What of an upload came to nothing did so by a merge, or a reset repairs it on the device.
void EngineOracle::check_fate(std::uint64_t version, const HistoryEntry& entry,
                              const std::vector<ObjectKey>& kept) {
    const auto found = uploads_.find({entry.origin, entry.client_version});
    if (found == uploads_.end()) {
        violate(5, version, "nobody uploaded this");
        return;
    }
    const Upload& upload = found->second;
    const auto met_something = [&](const std::set<std::uint64_t>& versions) {
        const auto first = versions.upper_bound(upload.base);
        return first != versions.end() && *first < version;
    };
    for (const ObjectKey key : upload.objects) {
        const bool is_there = std::find(kept.begin(), kept.end(), key) != kept.end();
        const bool was_nothing = upload.erased.contains(key) && !at(key, version - 1);
        if (!is_there && !was_nothing && !met_something(named_[key]) && !met_something(points_) &&
            !met_something(resets_[{entry.origin, key}])) {
            lost_[{entry.origin, key}] = version;
        }
    }
}

void EngineOracle::take_reset(std::uint64_t version, const HistoryEntry& entry,
                              const Changeset& changeset) {
    for (const ObjectKey key : objects_of(changeset)) {
        resets_[{entry.audience, key}].insert(version);
        lost_.erase({entry.audience, key});
        changeset::MemoryState scratch = state_of(key, std::nullopt);
        const Changeset part = part_of(changeset, key);
        if (is_only_erased(part, key)) {
            continue;
        }
        if (!apply(part, scratch) ||
            !is_shown_(entry.audience, sim::document(scratch, key), at(key, version))) {
            violate(5, version, "a reset says something else than the document");
        }
    }
}

void EngineOracle::settle_fates() {
    if (!lost_.empty()) {
        const auto& [whose, version] = *lost_.begin();
        violate(5, version,
                "what file " + std::to_string(whose.first) + " wrote to object " +
                    std::to_string(whose.second) + " vanished without a reset");
    }
}

/// Replayed history and documents are the same thing.
void EngineOracle::check_documents() {
    const auto collection = *shared_store().find_collection({"source", database_, "T"});
    const auto snapshot = shared_store().snapshot();
    for (ObjectKey key = 0; key < object_key_count; ++key) {
        const auto stored =
            snapshot->find(collection, *store::document_key(mql::BsonValue::from_int64(key)));
        Document found;
        std::string misfit;
        if (*stored) {
            schema::ReadDocument read =
                schema::document_to_object(world_.model().documents, "T", (*stored)->body.bytes());
            if (read.ok()) {
                read.object.fields.erase("_id");
                found = std::move(read.object);
            } else {
                misfit = " (a document that fits no class)";
            }
        }
        if (!violation_ && !same_document(found, at(key, top_))) {
            violate(8, top_,
                    "object " + std::to_string(key) + " is " + print(found) + misfit +
                        ", its history gives " + print(at(key, top_)));
        }
    }
}

std::string EngineOracle::describe() const {
    std::string text;
    for (const auto& [version, entry] : entries_) {
        text += "HISTORY " + std::to_string(version);
        if (entry.kind == EntryKind::point) {
            text += " point";
        } else if (entry.kind == EntryKind::reset) {
            text += " reset for " + std::to_string(entry.audience);
        } else {
            text += " of " + std::to_string(entry.origin);
        }
        text += "\n" + to_text(entry.changeset);
    }
    return text;
}

const Document& EngineOracle::at(ObjectKey key, std::uint64_t version) const {
    return std::prev(documents_.at(key).upper_bound(version))->second;
}

bool EngineOracle::is_reset_above(std::uint64_t file, ObjectKey key, std::uint64_t version) const {
    const auto found = resets_.find({file, key});
    return found != resets_.end() && found->second.upper_bound(version) != found->second.end();
}

std::optional<std::string> EngineOracle::check_held(std::uint64_t file, ObjectKey key,
                                                    const Document& held, View view,
                                                    std::uint64_t version) const {
    if (version > top_ || is_reset_above(file, key, version)) {
        return std::nullopt;
    }
    const Document& document = at(key, version);
    const Document should = is_member(document, view) ? document : std::nullopt;
    if (same_document(held, should)) {
        return std::nullopt;
    }
    return "invariant 1: object " + std::to_string(key) + " at version " + std::to_string(version) +
           " is " + print(held) + ", should be " + print(should);
}

std::uint64_t EngineOracle::integrated_at(std::uint64_t file, std::uint64_t version) const {
    const auto found = integrated_.find(file);
    if (found == integrated_.end()) {
        return 0;
    }
    const auto after = found->second.upper_bound(version);
    return after == found->second.begin() ? 0 : std::prev(after)->second;
}

std::optional<std::string> EngineOracle::check_header(std::uint64_t file, std::uint64_t version,
                                                      std::uint64_t client_version) const {
    if (version > top_) {
        return "invariant 7: version " + std::to_string(version) + " is not durable";
    }
    if (client_version != integrated_at(file, version)) {
        return "invariant 4: the entry of version " + std::to_string(version) +
               " carries client version " + std::to_string(client_version) + " instead of " +
               std::to_string(integrated_at(file, version));
    }
    return std::nullopt;
}

EngineOracle::Row EngineOracle::row(const Entry& entry, ObjectKey key, std::uint64_t file,
                                    std::uint64_t version, View view) const {
    if (entry.kind == EntryKind::reset) {
        return entry.audience == file ? Row::unchanged : Row::nothing;
    }
    const Document& before = at(key, version - 1);
    const Document& after = at(key, version);
    const bool was_in = is_member(before, view);
    const bool is_in = is_member(after, view);
    if (entry.origin == file) {
        return was_in && after && !is_in ? Row::erase : Row::nothing;
    }
    if ((was_in && (is_in || !after)) || (!before && is_in)) {
        return Row::unchanged;
    }
    if (was_in) {
        return Row::erase;
    }
    return is_in ? Row::content : Row::nothing;
}

std::optional<std::string> EngineOracle::check_row(std::uint64_t file, std::uint64_t version,
                                                   View view, const Changeset* told) const {
    if (version > top_) {
        return "invariant 7: version " + std::to_string(version) + " is not durable";
    }
    const Entry& entry = entries_.at(version);
    const Changeset content = told == nullptr ? Changeset() : without_schema(*told);
    std::set<ObjectKey> keys;
    for (const ObjectKey key : objects_of(content)) {
        keys.insert(key);
    }
    for (const ObjectKey key : objects_of(entry.changeset)) {
        keys.insert(key);
    }
    for (const ObjectKey key : keys) {
        const Changeset part = part_of(content, key);
        const Changeset whole = part_of(entry.changeset, key);
        const Row expected = row(entry, key, file, version, view);
        bool is_right = false;
        if (expected == Row::nothing) {
            is_right = part.empty();
        } else if (expected == Row::unchanged) {
            is_right = to_text(part) == to_text(whole);
        } else if (expected == Row::erase) {
            is_right = !part.empty() && is_only_erased(part, key);
        } else {
            is_right = part.instructions().size() >= 2 &&
                       part.instructions()[0].op == Opcode::erase_object &&
                       part.instructions()[1].op == Opcode::create_object;
        }
        if (!is_right) {
            return "invariant 3: for object " + std::to_string(key) + " version " +
                   std::to_string(version) + " was sent as\n" + to_text(part) +
                   "which is not the row " + std::to_string(static_cast<int>(expected)) + " of\n" +
                   to_text(whole);
        }
    }
    return std::nullopt;
}

std::optional<std::string> EngineOracle::check_told(const Changeset& told, View readable,
                                                    std::uint64_t version) const {
    const Changeset content = without_schema(told);
    for (const ObjectKey key : objects_of(content)) {
        if (is_only_erased(content, key)) {
            continue;
        }
        const Document& after = at(key, version);
        if (!is_member(after ? after : at(key, version - 1), readable)) {
            return "invariant 9: the entry of version " + std::to_string(version) +
                   " tells of object " + std::to_string(key) + ", which the role does not read";
        }
    }
    return std::nullopt;
}

namespace {

/// An object that is made anew ends whatever was pending on it: with its fields or without, the
/// merge is the same.
std::string for_merge(const changeset::Changeset& part) {
    std::string text = changeset::to_text(part);
    const std::size_t first = text.find('\n');
    if (text.starts_with("EraseObject") && first != std::string::npos &&
        text.compare(first + 1, 12, "CreateObject") == 0) {
        text.resize(std::min(text.find('\n', first + 1), text.size() - 1) + 1);
    }
    return text;
}

} // namespace

void EngineOracle::note_met(std::uint64_t file, std::uint64_t version,
                            const server::sync::ObjectRef& object,
                            const changeset::Changeset& part) {
    const Parts::key_type key(file, version, encode_object(object));
    const std::string& met = met_[key] = for_merge(part);
    const auto sent = sent_.find(key);
    if (sent != sent_.end()) {
        ++compared_;
        if (sent->second != met) {
            violate(2, version, "merged with\n" + met + "but sent was\n" + sent->second);
        }
    }
}

std::optional<std::string> EngineOracle::check_sent(std::uint64_t file, std::uint64_t version,
                                                    const changeset::Changeset& told) {
    const server::sync::CutChangeset cut(told);
    for (const server::sync::ObjectPart& part : cut.parts) {
        const Parts::key_type key(file, version, encode_object(part.object));
        const std::string& sent = sent_[key] = for_merge(cut.part(part));
        const auto met = met_.find(key);
        if (met != met_.end()) {
            ++compared_;
            if (sent != met->second) {
                return "invariant 2, version " + std::to_string(version) + ": sent\n" + sent +
                       "but merged with\n" + met->second;
            }
        }
    }
    return std::nullopt;
}

void EngineOracle::forget_met() {
    read();
    std::erase_if(met_, [this](const auto& each) { return std::get<1>(each.first) > top_; });
}

} // namespace tombolo::sim
