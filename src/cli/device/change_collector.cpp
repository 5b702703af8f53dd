#include "cli/device/change_collector.hpp"

#include <utility>

namespace tombolo::cli {

using changeset::Instruction;
using changeset::Opcode;

void ChangeCollector::before_remote(const changeset::Changeset& changeset,
                                    const changeset::MemoryState& state) {
    for (const Instruction& each : changeset.instructions()) {
        if (changeset::is_schema_instruction(each.op)) {
            continue;
        }
        std::pair<std::string, PrimaryKey> name(changeset.table(each),
                                                to_owned(changeset.object(each)));
        const auto [place, is_new] = touched_.try_emplace(std::move(name));
        if (is_new) {
            place->second.was_there =
                state.find_object(place->first.first, place->first.second) != nullptr;
        }
        if (each.op == Opcode::erase_object) {
            place->second.was_replaced = true;
        } else if (each.op != Opcode::create_object) {
            place->second.fields.emplace(changeset.field(each));
        }
    }
}

std::vector<ObjectChange> ChangeCollector::take(const changeset::MemoryState& state) {
    std::vector<ObjectChange> out;
    for (auto& [name, touched] : std::exchange(touched_, {})) {
        const bool is_there = state.find_object(name.first, name.second) != nullptr;
        if (!is_there && !touched.was_there) {
            continue;
        }
        ObjectChange change;
        change.kind = !is_there           ? ObjectChange::Kind::deleted
                      : touched.was_there ? ObjectChange::Kind::updated
                                          : ObjectChange::Kind::inserted;
        change.class_name = name.first;
        change.key = name.second;
        if (!touched.was_replaced) {
            change.fields = std::move(touched.fields);
        }
        out.push_back(std::move(change));
    }
    return out;
}

} // namespace tombolo::cli
