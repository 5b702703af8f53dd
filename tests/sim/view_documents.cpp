#include "sim/view_documents.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/check.hpp"

namespace tombolo::sim {

using changeset::Changeset;
using changeset::ChangesetBuilder;
using changeset::CollectionKind;
using changeset::Instruction;
using changeset::MemoryState;
using changeset::PayloadType;
using changeset::Place;
using changeset::TableKind;

namespace {

constexpr std::string_view table = "T";

Changeset schema() {
    ChangesetBuilder builder;
    builder.add_embedded_table("E");
    builder.add_column("E", "y", {PayloadType::integer, false, CollectionKind::single});
    builder.add_column("E", "ys", {PayloadType::integer, false, CollectionKind::list});
    builder.add_table(table, TableKind::top_level, "_id", PayloadType::integer, false);
    builder.add_column(table, "q", {PayloadType::integer, false, CollectionKind::single});
    builder.add_column(table, "x", {PayloadType::integer, false, CollectionKind::single});
    builder.add_column(table, "l", {PayloadType::integer, false, CollectionKind::list});
    builder.add_column(table, "k", {PayloadType::link, true, CollectionKind::single, "T"});
    builder.add_column(table, "e", {PayloadType::link, true, CollectionKind::single, "E"});
    return *builder.finish();
}

ObjectKey key_of(const Changeset& changeset, const Instruction& instruction) {
    return std::get<std::int64_t>(changeset.object(instruction));
}

std::int64_t integer_field(const Object& object, std::string_view field) {
    return *object.fields.find(field)->get_if<std::int64_t>();
}

const std::vector<Value>& list_field(const Object& object, std::string_view field) {
    return object.fields.find(field)->get_if<List>()->elements;
}

std::uint32_t size_of(const std::vector<Value>& list) {
    return static_cast<std::uint32_t>(list.size());
}

void append_elements(ChangesetBuilder& builder, const Place& list,
                     const std::vector<Value>& elements) {
    for (std::uint32_t i = 0; i < size_of(elements); ++i) {
        Place element = list;
        element.path.emplace_back(i);
        builder.array_insert(element, elements[i].scalar(), i);
    }
}

void edit_list(ChangesetBuilder& builder, Place list, std::uint32_t size, Choices& choices) {
    const std::uint32_t what = choices.pick(3);
    const auto value = static_cast<std::int64_t>(choices.pick(100));
    list.path.emplace_back(size == 0 || what == 0 ? choices.pick(size + 1) : choices.pick(size));
    if (size == 0 || what == 0) {
        builder.array_insert(list, value, size);
    } else if (what == 1) {
        builder.array_erase(list, size);
    } else {
        builder.update_element(list, value, size);
    }
}

void edit_embedded(ChangesetBuilder& builder, ObjectKey key, const Object& object,
                   Choices& choices) {
    const Place field{table, key, "e"};
    const auto* embedded = object.fields.find("e")->get_if<Object>();
    if (embedded == nullptr) {
        builder.update(field, PayloadType::object_value);
        builder.update({table, key, "e", {"y"}}, std::int64_t{choices.pick(100)});
    } else if (choices.percent(15)) {
        builder.update(field, PayloadType::null);
    } else if (choices.percent(20)) {
        builder.update(field, PayloadType::null);
        builder.update(field, PayloadType::object_value);
    } else if (choices.percent(40)) {
        builder.add_integer({table, key, "e", {"y"}}, choices.pick(5));
    } else {
        edit_list(builder, {table, key, "e", {"ys"}}, size_of(list_field(*embedded, "ys")),
                  choices);
    }
}

void edit_object(ChangesetBuilder& builder, ObjectKey key, const Object& object, Choices& choices) {
    const std::uint32_t what = choices.pick(100);
    if (what < 12) {
        append_erase(builder, key);
    } else if (what < 28) {
        builder.update({table, key, "q"}, std::int64_t{choices.pick(queryable_value_count)});
    } else if (what < 38) {
        builder.update({table, key, "x"}, std::int64_t{choices.pick(100)});
    } else if (what < 46) {
        builder.add_integer({table, key, "x"}, choices.pick(5));
    } else if (what < 52) {
        const Value target = Link{std::string(table), std::int64_t{choices.pick(4)}};
        builder.update({table, key, "k"}, target.scalar());
    } else if (what < 66) {
        edit_embedded(builder, key, object, choices);
    } else {
        edit_list(builder, {table, key, "l"}, size_of(list_field(object, "l")), choices);
    }
}

void create_object(ChangesetBuilder& builder, ObjectKey key, View view, Choices& choices) {
    std::int64_t value = choices.pick(queryable_value_count);
    // Mostly something that the client is going to keep.
    for (int tries = 0; tries < 4 && ((view >> value) & 1U) == 0; ++tries) {
        value = choices.pick(queryable_value_count);
    }
    builder.create_object(table, key);
    builder.update({table, key, "q"}, value);
}

} // namespace

View random_view(Choices& choices) {
    View view = 0;
    for (std::uint32_t value = 0; value < queryable_value_count; ++value) {
        view |= choices.percent(60) ? 1U << value : 0U;
    }
    return view;
}

bool is_member(const Document& document, View view) {
    return document && ((view >> integer_field(*document, "q")) & 1U) != 0;
}

bool same_document(const Document& left, const Document& right) {
    return left.has_value() == right.has_value() &&
           (!left || identical(Value(*left), Value(*right)));
}

MemoryState empty_state() {
    MemoryState state;
    apply(schema(), state).value();
    return state;
}

Document document(const MemoryState& state, ObjectKey key) {
    const Object* object = state.find_object(table, key);
    return object == nullptr ? std::nullopt : Document(*object);
}

MemoryState state_of(ObjectKey key, const Document& document) {
    static const MemoryState empty = empty_state();
    MemoryState state = empty;
    if (document) {
        state.classes.find(table)->second.objects.emplace(key, *document);
    }
    return state;
}

std::vector<ObjectKey> objects_of(const Changeset& changeset) {
    std::vector<ObjectKey> keys;
    for (const Instruction& instruction : changeset.instructions()) {
        const ObjectKey key = key_of(changeset, instruction);
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
            keys.push_back(key);
        }
    }
    return keys;
}

Changeset part_of(const Changeset& changeset, ObjectKey key) {
    ChangesetBuilder builder;
    for (const Instruction& instruction : changeset.instructions()) {
        if (key_of(changeset, instruction) == key) {
            builder.append(changeset, instruction);
        }
    }
    return *builder.finish();
}

void append(ChangesetBuilder& builder, const Changeset& added) {
    for (const Instruction& instruction : added.instructions()) {
        builder.append(added, instruction);
    }
}

void append_erase(ChangesetBuilder& builder, ObjectKey key) {
    builder.erase_object(table, key);
}

void append_content(ChangesetBuilder& builder, ObjectKey key, const Object& object) {
    append_erase(builder, key);
    builder.create_object(table, key);
    builder.update({table, key, "q"}, integer_field(object, "q"));
    builder.update({table, key, "x"}, integer_field(object, "x"));
    append_elements(builder, {table, key, "l"}, list_field(object, "l"));
    if (const Value* link = object.fields.find("k"); !link->is_null()) {
        builder.update({table, key, "k"}, link->scalar());
    }
    if (const auto* embedded = object.fields.find("e")->get_if<Object>()) {
        builder.update({table, key, "e"}, PayloadType::object_value);
        builder.update({table, key, "e", {"y"}}, integer_field(*embedded, "y"));
        append_elements(builder, {table, key, "e", {"ys"}}, list_field(*embedded, "ys"));
    }
}

Changeset without_fields(const Changeset& part) {
    ChangesetBuilder builder;
    for (const Instruction& instruction : part.instructions()) {
        if (!changeset::is_path_instruction(instruction.op)) {
            builder.append(part, instruction);
        }
    }
    return *builder.finish();
}

Changeset write_random(MemoryState& state, View view, Choices& choices) {
    ChangesetBuilder log;
    const std::uint32_t count = 1 + choices.pick(4);
    for (std::uint32_t i = 0; i < count; ++i) {
        const ObjectKey key = choices.pick(object_key_count);
        ChangesetBuilder step;
        if (const Object* object = state.find_object(table, key)) {
            edit_object(step, key, *object, choices);
        } else if (choices.percent(60)) {
            create_object(step, key, view, choices);
        }
        const Changeset written = *step.finish();
        apply(written, state).value();
        append(log, written);
    }
    return *log.finish();
}

} // namespace tombolo::sim
