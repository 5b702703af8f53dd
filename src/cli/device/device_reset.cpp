#include "cli/device/device_reset.hpp"

#include <algorithm>
#include <utility>

#include "changeset/codec.hpp"
#include "changeset/content_writer.hpp"
#include "changeset/difference.hpp"
#include "changeset/state_classes.hpp"

namespace tombolo::cli {

using changeset::Changeset;
using changeset::ChangesetBuilder;
using changeset::ClassInfo;
using changeset::Instruction;
using changeset::MemoryState;
using changeset::Opcode;

namespace {

void note(std::vector<WaitingObject>& out, const Changeset& changeset) {
    for (const Instruction& each : changeset.instructions()) {
        if (changeset::is_schema_instruction(each.op)) {
            continue;
        }
        ObjectName name{std::string(changeset.table(each)), to_owned(changeset.object(each))};
        auto found = std::find_if(out.begin(), out.end(), [&](const WaitingObject& one) {
            return one.object.class_name == name.class_name && one.object.key == name.key;
        });
        if (found == out.end()) {
            out.push_back({std::move(name), false, false, {}});
            found = std::prev(out.end());
        }
        if (each.op == Opcode::create_object) {
            found->was_created = true;
            found->is_erased = false;
        } else if (each.op == Opcode::erase_object) {
            found->is_erased = true;
        } else {
            found->fields.emplace(changeset.field(each));
        }
    }
}

// The fields of a class that both states have in the same form.
bool is_same_column(const changeset::ColumnInfo& left, const changeset::ColumnInfo& right) {
    return left.type == right.type && left.nullable == right.nullable &&
           left.collection == right.collection && left.target == right.target;
}

/// `now` with the named fields as `old` has them.
Object with_fields(const Object& now, const Object& old, const ClassInfo& now_class,
                   const ClassInfo& old_class, const WaitingObject& waiting) {
    Object out = now;
    for (const changeset::ColumnInfo& column : old_class.columns) {
        const changeset::ColumnInfo* there = now_class.find_column(column.name);
        const Value* value = old.fields.find(column.name);
        const bool is_meant = waiting.was_created || waiting.fields.contains(column.name);
        if (is_meant && there != nullptr && is_same_column(column, *there) && value != nullptr) {
            out.fields.set(column.name, *value);
        }
    }
    return out;
}

} // namespace

std::vector<WaitingObject> waiting_objects(const client::Replica& replica) {
    std::vector<WaitingObject> out;
    for (const client::LocalCommit* commit :
         replica.commits(replica.progress().upload.client, replica.newest_version())) {
        if (const auto changeset = changeset::decode(commit->changeset)) {
            note(out, *changeset);
        }
    }
    return out;
}

Result<Recovery> recover(const client::Replica& old, const MemoryState& fresh) {
    Recovery out;
    ChangesetBuilder builder;
    const changeset::StateClasses classes(fresh);
    for (const WaitingObject& each : waiting_objects(old)) {
        const std::string name =
            each.object.class_name + " " + tombolo::to_text(to_view(each.object.key));
        const ClassInfo* now_class = classes.find_class(each.object.class_name);
        const auto* held_class = old.state().find_class(each.object.class_name);
        const Object* held = old.state().find_object(each.object.class_name, each.object.key);
        if (now_class == nullptr || held_class == nullptr) {
            out.lost.push_back(name + ": the server has no such class any more");
            continue;
        }
        const Object* now = fresh.find_object(each.object.class_name, each.object.key);
        const PrimaryKeyView key = to_view(each.object.key);
        if (each.is_erased || held == nullptr) {
            if (now != nullptr) {
                builder.erase_object(each.object.class_name, key);
            }
        } else if (now != nullptr) {
            append_difference(builder, classes, *now_class, key, *now,
                              with_fields(*now, *held, *now_class, held_class->info, each));
        } else if (each.was_created) {
            builder.create_object(each.object.class_name, key);
            changeset::Place place{each.object.class_name, key, "", {}};
            changeset::ContentWriter(builder, classes)
                .fields(place, *now_class,
                        with_fields({}, *held, *now_class, held_class->info, each), true);
        } else {
            out.lost.push_back(name + ": the server does not have it any more");
        }
    }
    TOMBOLO_TRY(out.changeset, builder.finish());
    return out;
}

} // namespace tombolo::cli
