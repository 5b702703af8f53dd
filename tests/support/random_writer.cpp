#include "support/random_writer.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"

namespace tombolo::testing {

using changeset::ChangesetBuilder;
using changeset::ClassInfo;
using changeset::CollectionKind;
using changeset::ColumnInfo;
using changeset::MemoryApplier;
using changeset::PayloadType;
using changeset::PayloadView;
using changeset::Place;
using changeset::TableKind;

namespace {

constexpr std::size_t list_size_max = 6;
constexpr std::size_t nesting_max = 4;

const std::vector<std::string>& map_keys() {
    static const std::vector<std::string> keys = {"a", "b", "c"};
    return keys;
}

std::int64_t small(Choices& choices) {
    return choices.pick(4);
}

} // namespace

RandomWriter::Where RandomWriter::Where::then(Step step) const {
    Where deeper = *this;
    deeper.path.push_back(std::move(step));
    return deeper;
}

bool RandomWriter::Where::is_element() const {
    return !path.empty() && std::holds_alternative<std::uint32_t>(path.back());
}

RandomWriter::Where RandomWriter::Where::container() const {
    Where outer = *this;
    outer.path.pop_back();
    return outer;
}

Place RandomWriter::Where::place() const {
    Place place{table, to_view(object), field};
    for (const Step& step : path) {
        if (const auto* index = std::get_if<std::uint32_t>(&step)) {
            place.path.emplace_back(*index);
        } else {
            place.path.emplace_back(std::string_view(std::get<std::string>(step)));
        }
    }
    return place;
}

changeset::Changeset RandomWriter::take() {
    return *std::exchange(log_, ChangesetBuilder()).finish();
}

void RandomWriter::emit(ChangesetBuilder& step) {
    const changeset::Changeset written = *step.finish();
    MemoryApplier applier(state_);
    apply(written, applier).value();
    for (const auto& instruction : written.instructions()) {
        log_.append(written, instruction);
    }
}

void RandomWriter::write_schema(Choices& choices) {
    ChangesetBuilder step;
    add_random_schema(choices, step);
    emit(step);
}

void RandomWriter::write(Choices& choices) {
    if (choices.percent(4)) {
        schema_change(choices);
        return;
    }
    std::vector<const ClassInfo*> classes;
    for (const auto& [name, holder] : state_.classes) {
        if (holder.info.kind != TableKind::embedded) {
            classes.push_back(&holder.info);
            if (name == "A") {
                classes.insert(classes.end(), 4, &holder.info);
            }
        }
    }
    // A copy: the class may be erased on the way.
    const ClassInfo info = *choices.one_of(classes);
    const PrimaryKey key = random_key(info.name, choices);
    if (state_.find_object(info.name, key) == nullptr) {
        if (choices.percent(60)) {
            create(info, key, choices);
        }
    } else {
        edit_object(info, key, choices);
    }
}

// Schema and objects

void RandomWriter::schema_change(Choices& choices) {
    ChangesetBuilder step;
    const std::uint32_t what = choices.pick(10);
    if (what == 0 && state_.find_class("Z") != nullptr) {
        step.erase_table("Z");
    } else if (what == 1 && state_.classes.at("A").info.find_column("z") != nullptr) {
        step.erase_column("A", "z");
    } else if (what < 4) {
        add_class(choices.percent(50) ? "N" : "Z", step);
    } else {
        const ColumnMenuItem& item = choices.one_of(column_menu());
        if (state_.find_class(item.table) == nullptr) {
            return;
        }
        step.add_column(item.table, item.name, item.definition);
    }
    emit(step);
}

void RandomWriter::create(const ClassInfo& info, const PrimaryKey& key, Choices& choices) {
    ChangesetBuilder step;
    step.create_object(info.name, to_view(key));
    emit(step);
    for (const ColumnInfo& column : info.columns) {
        const bool has_default = column.collection == CollectionKind::single &&
                                 column.type != PayloadType::link && !column.is_mixed();
        if (has_default && choices.percent(25)) {
            update({info.name, key, column.name, {}}, random_scalar(column, choices).scalar(),
                   true);
        }
    }
}

void RandomWriter::erase(const std::string& table, const PrimaryKey& key, Choices& choices) {
    // A device severs the links it sees first (2.2); a server's own erasure does not.
    if (choices.percent(50)) {
        while (sever_one_link(table, key)) {
        }
    }
    ChangesetBuilder step;
    step.erase_object(table, to_view(key));
    emit(step);
    if (choices.percent(30)) {
        ChangesetBuilder again;
        again.create_object(table, to_view(key));
        emit(again);
    }
}

bool RandomWriter::sever_one_link(const std::string& table, const PrimaryKey& key) {
    const Link target{table, key};
    for (const auto& [name, holder] : state_.classes) {
        for (const auto& [owner, object] : holder.objects) {
            for (const ColumnInfo& column : holder.info.columns) {
                const Where where{name, owner, column.name, {}};
                if (sever_in(where, *object.fields.find(column.name), {column}, target)) {
                    return true;
                }
            }
        }
    }
    return false;
}

/// Severs the first link to the target in this value, if there is one.
bool RandomWriter::sever_in(const Where& where, const Value& value, const Traits& traits,
                            const Link& target) {
    if (const Link* link = value.link(); link != nullptr && *link == target) {
        if (where.is_element()) {
            ChangesetBuilder step;
            step.array_erase(where.place(), list_size(where.container()));
            emit(step);
        } else {
            update(where, PayloadType::null);
        }
        return true;
    }
    if (const auto* list = value.get_if<List>()) {
        std::uint32_t index = 0;
        return std::any_of(list->elements.begin(), list->elements.end(), [&](const Value& element) {
            return sever_in(where.then(index++), element, traits, target);
        });
    }
    if (const auto* dictionary = value.get_if<Dictionary>()) {
        const auto& entries = dictionary->entries();
        return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
            return sever_in(where.then(entry.first), entry.second, traits, target);
        });
    }
    if (const auto* object = value.get_if<Object>()) {
        const auto& columns = state_.classes.at(traits.column.target).info.columns;
        return std::any_of(columns.begin(), columns.end(), [&](const ColumnInfo& column) {
            return sever_in(where.then(column.name), *object->fields.find(column.name), {column},
                            target);
        });
    }
    if (const auto* set = value.get_if<Set>(); set != nullptr && set->contains(target)) {
        ChangesetBuilder step;
        step.set_erase(where.place(), Value(target).scalar());
        emit(step);
        return true;
    }
    return false;
}

void RandomWriter::edit_object(const ClassInfo& info, const PrimaryKey& key, Choices& choices) {
    if (choices.percent(8)) {
        erase(info.name, key, choices);
    } else if (choices.percent(3)) {
        ChangesetBuilder step;
        step.create_object(info.name, to_view(key));
        emit(step);
    } else if (!info.columns.empty()) {
        const ColumnInfo& column = choices.one_of(info.columns);
        edit_field({info.name, key, column.name, {}}, column, choices);
    }
}

// Fields and slots

void RandomWriter::edit_field(const Where& where, const ColumnInfo& column, Choices& choices) {
    Traits traits{column};
    traits.is_bare = column.name.starts_with("bare_");
    switch (column.collection) {
    case CollectionKind::single:
        edit_slot(where, traits, choices);
        return;
    case CollectionKind::list:
        edit_list(where, traits, choices);
        return;
    case CollectionKind::dictionary:
        edit_dictionary(where, traits, choices);
        return;
    case CollectionKind::set:
        edit_set(where, traits, choices);
        return;
    }
}

/// A single field, or an element of a collection that is not embedded.
void RandomWriter::edit_slot(const Where& where, const Traits& traits, Choices& choices) {
    const ColumnInfo& column = traits.column;
    if (is_embedded(column)) {
        edit_embedded_slot(where, column.target, choices);
    } else if (traits.is_bare) {
        edit_bare_slot(where, traits, choices);
    } else if (column.is_mixed()) {
        edit_mixed_slot(where, traits, choices);
    } else if (column.type == PayloadType::integer && traits.is_field && choices.percent(40)) {
        ChangesetBuilder step;
        step.add_integer(where.place(), choices.pick(5) - std::int64_t{2});
        emit(step);
    } else {
        update(where, random_scalar(column, choices).scalar());
    }
}

/// A single embedded object (the slot of a field).
void RandomWriter::edit_embedded_slot(const Where& where, const std::string& target,
                                      Choices& choices) {
    if (value_at(where).is_null()) {
        update(where, PayloadType::object_value);
    } else if (choices.percent(20)) {
        update(where, PayloadType::null);
        if (choices.percent(60)) {
            update(where, PayloadType::object_value);
        }
    }
    if (!value_at(where).is_null()) {
        edit_embedded(where, target, choices);
    }
}

/// A field of the embedded object at the place.
void RandomWriter::edit_embedded(const Where& where, const std::string& target, Choices& choices) {
    const auto& columns = state_.classes.at(target).info.columns;
    if (!columns.empty()) {
        const ColumnInfo column = choices.one_of(columns);
        edit_field(where.then(column.name), column, choices);
    }
}

void RandomWriter::edit_mixed_slot(const Where& where, const Traits& traits, Choices& choices) {
    const ValueType present = value_at(where).type();
    const bool is_collection = present == ValueType::list || present == ValueType::dictionary;
    if (is_collection && choices.percent(70)) {
        edit_inside(where, traits, choices);
        return;
    }
    const bool is_integer = present == ValueType::null || present == ValueType::integer;
    if (is_integer && traits.is_field && choices.percent(30)) {
        ChangesetBuilder step;
        step.add_integer(where.place(), choices.pick(5));
        emit(step);
    } else if (choices.percent(50) && where.path.size() < nesting_max) {
        make_collection(where,
                        choices.percent(50) ? CollectionKind::list : CollectionKind::dictionary);
    } else {
        update(where, random_scalar(traits.column, choices).scalar());
    }
}

/// A slot of a bare_* column that is null or holds its collection.
void RandomWriter::edit_bare_slot(const Where& where, const Traits& traits, Choices& choices) {
    const bool is_list = traits.column.name == "bare_list";
    if (value_at(where).is_null()) {
        update(where, is_list ? PayloadType::list : PayloadType::dictionary);
    } else if (choices.percent(8)) {
        clear(where, is_list ? CollectionKind::list : CollectionKind::dictionary, false);
        return;
    }
    edit_inside(where, traits, choices);
}

/// The list or dictionary that a Mixed slot holds.
void RandomWriter::edit_inside(const Where& where, const Traits& traits, Choices& choices) {
    Traits inner = traits;
    inner.is_field = false;
    if (value_at(where).type() == ValueType::list) {
        edit_list(where, inner, choices);
    } else {
        edit_dictionary(where, inner, choices);
    }
}

void RandomWriter::make_collection(const Where& where, CollectionKind kind) {
    const PayloadType type =
        kind == CollectionKind::list ? PayloadType::list : PayloadType::dictionary;
    if (!is_careful_) {
        update(where, type);
        return;
    }
    ChangesetBuilder step;
    if (where.is_element()) {
        step.array_erase(where.place(), list_size(where.container()));
        step.array_insert(where.place(), type, list_size(where.container()) - 1);
    } else {
        step.update(where.place(), type);
        step.clear(where.place(), kind);
    }
    emit(step);
}

/// Nothing for a collection that is itself an element of a list (E7). One in a slot is made again
/// first, in case the dictionary key it stands under is erased elsewhere (E9).
void RandomWriter::clear(const Where& where, CollectionKind kind, bool is_in_slot) {
    if (where.is_element() && is_careful_) {
        return;
    }
    ChangesetBuilder step;
    if (is_in_slot && is_careful_) {
        step.update(where.place(),
                    kind == CollectionKind::list ? PayloadType::list : PayloadType::dictionary);
    }
    step.clear(where.place(), kind);
    emit(step);
}

// Collections

void RandomWriter::edit_list(const Where& where, const Traits& traits, Choices& choices) {
    const std::uint32_t size = list_size(where);
    const bool has_inner_edits =
        is_careful_ && (traits.column.is_mixed() || is_embedded(traits.column));
    const std::uint32_t what = choices.pick(100);
    ChangesetBuilder step;
    if (size == 0 || (what < 40 && size < list_size_max)) {
        insert_element(where, traits, choices);
        return;
    }
    const std::uint32_t index = choices.pick(size);
    const Where element = where.then(index);
    if (what < 60) {
        step.array_erase(element.place(), size);
    } else if (what < 64) {
        clear(where, CollectionKind::list, !traits.is_field && !traits.is_bare);
        return;
    } else if (what < 80 && size > 1 && !has_inner_edits) {
        const std::uint32_t to = choices.pick(size - 1);
        step.array_move(element.place(), to < index ? to : to + 1, size);
    } else if (is_embedded(traits.column)) {
        if (choices.percent(20)) {
            step.array_erase(element.place(), size);
            step.array_insert(element.place(), PayloadType::object_value, size - 1);
            emit(step);
        }
        edit_embedded(element, traits.column.target, choices);
        return;
    } else {
        Traits inner = traits;
        inner.is_field = false;
        // Elements of a bare list are scalars.
        inner.is_bare = false;
        if (traits.is_bare) {
            update(element, random_scalar(traits.column, choices).scalar());
        } else {
            edit_slot(element, inner, choices);
        }
        return;
    }
    emit(step);
}

void RandomWriter::insert_element(const Where& where, const Traits& traits, Choices& choices) {
    const std::uint32_t size = list_size(where);
    const Where element = where.then(choices.pick(size + 1));
    ChangesetBuilder step;
    if (is_embedded(traits.column)) {
        step.array_insert(element.place(), PayloadType::object_value, size);
    } else if (traits.column.is_mixed() && !traits.is_bare && choices.percent(30) &&
               where.path.size() < nesting_max) {
        step.array_insert(element.place(),
                          choices.percent(50) ? PayloadType::list : PayloadType::dictionary, size);
    } else {
        const Value value = random_scalar(traits.column, choices);
        step.array_insert(element.place(), value.scalar(), size);
    }
    emit(step);
}

void RandomWriter::edit_dictionary(const Where& where, const Traits& traits, Choices& choices) {
    const std::string& key = choices.one_of(map_keys());
    const Where entry = where.then(key);
    const Value* present = value_at(where).get_if<Dictionary>()->find(key);
    const std::uint32_t what = choices.pick(100);
    if (what < 4) {
        clear(where, CollectionKind::dictionary, !traits.is_field && !traits.is_bare);
    } else if (what < 20) {
        update(entry, PayloadType::erased);
    } else if (is_embedded(traits.column)) {
        if (present == nullptr || present->is_null() || what < 35) {
            if (is_careful_) {
                update(entry, PayloadType::erased);
            }
            update(entry, PayloadType::object_value);
        }
        edit_embedded(entry, traits.column.target, choices);
    } else if (traits.column.is_mixed() && !traits.is_bare && present != nullptr) {
        Traits inner = traits;
        inner.is_field = false;
        edit_mixed_slot(entry, inner, choices);
    } else {
        update(entry, random_scalar(traits.column, choices).scalar());
    }
}

void RandomWriter::edit_set(const Where& where, const Traits& traits, Choices& choices) {
    const Value value = random_scalar(traits.column, choices, true);
    ChangesetBuilder step;
    const std::uint32_t what = choices.pick(100);
    if (what < 5) {
        step.clear(where.place(), CollectionKind::set);
    } else if (what < 60) {
        step.set_insert(where.place(), value.scalar());
    } else {
        step.set_erase(where.place(), value.scalar());
    }
    emit(step);
}

// Values

void RandomWriter::update(const Where& where, const PayloadView& value, bool is_default) {
    ChangesetBuilder step;
    if (where.is_element()) {
        step.update_element(where.place(), value, list_size(where.container()));
    } else {
        step.update(where.place(), value, is_default);
    }
    emit(step);
}

Value RandomWriter::random_link(std::string_view table, Choices& choices) {
    return Link{std::string(table), random_key(table, choices)};
}

Value RandomWriter::random_scalar(const ColumnInfo& column, Choices& choices, bool for_set) {
    if (column.nullable && choices.percent(15)) {
        return {};
    }
    switch (column.type) {
    case PayloadType::integer:
        return small(choices);
    case PayloadType::boolean:
        return choices.percent(50);
    case PayloadType::string:
        return choices.one_of(std::vector<std::string>{"", "aa", "bb", "\xe2\x82\xac"});
    case PayloadType::binary:
        return Binary{{std::byte{1}, std::byte(choices.pick(3))}};
    case PayloadType::timestamp:
        return *Timestamp::make(small(choices), 7);
    case PayloadType::float32:
        return static_cast<float>(choices.pick(3)) - 0.5F;
    case PayloadType::float64:
        return for_set ? 0.5 + choices.pick(3) : (choices.percent(30) ? -0.0 : 0.0);
    case PayloadType::decimal128:
        return Decimal128::from_int64(small(choices));
    case PayloadType::object_id:
        return ObjectId::from_parts(choices.pick(3), 5, 9);
    case PayloadType::uuid: {
        Uuid uuid;
        uuid.bytes[3] = std::byte(choices.pick(3));
        return uuid;
    }
    case PayloadType::link:
        return random_link(column.target, choices);
    default:
        break;
    }
    switch (choices.pick(for_set ? 4 : 6)) { // Mixed
    case 0:
    case 1:
        return small(choices);
    case 2:
        return choices.one_of(std::vector<std::string>{"aa", "bb"});
    case 3:
        return random_link(choices.percent(50) ? "A" : "B", choices);
    case 4:
        return choices.percent(50);
    default:
        return 1.5;
    }
}

const Value& RandomWriter::value_at(const Where& where) const {
    const Object* owner = state_.find_object(where.table, where.object);
    TOMBOLO_CHECK(owner != nullptr);
    const Value* value = owner->fields.find(where.field);
    for (const Step& step : where.path) {
        TOMBOLO_CHECK(value != nullptr);
        if (const auto* index = std::get_if<std::uint32_t>(&step)) {
            value = &value->get_if<List>()->elements.at(*index);
        } else if (const auto* object = value->get_if<Object>()) {
            value = object->fields.find(std::get<std::string>(step));
        } else {
            value = value->get_if<Dictionary>()->find(std::get<std::string>(step));
        }
    }
    TOMBOLO_CHECK(value != nullptr);
    return *value;
}

bool RandomWriter::is_embedded(const ColumnInfo& column) const {
    return column.target == "E" || column.target == "F";
}

std::uint32_t RandomWriter::list_size(const Where& where) const {
    const auto* list = value_at(where).get_if<List>();
    TOMBOLO_CHECK(list != nullptr);
    return static_cast<std::uint32_t>(list->elements.size());
}

} // namespace tombolo::testing
