#include "changeset/memory_applier.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/check.hpp"

namespace tombolo::changeset {

namespace {

Object default_object(const ClassInfo& object_class) {
    Object object;
    for (const ColumnInfo& column : object_class.columns) {
        object.fields.set(column.name, default_value(column));
    }
    return object;
}

Value make_value(const NewContent& content) {
    switch (content.type) {
    case ValueType::list:
        return List{};
    case ValueType::dictionary:
        return Dictionary{};
    case ValueType::object:
        return default_object(*content.object_class);
    default:
        return Value(content.scalar);
    }
}

/// Calls `change` on every embedded object that `value`, the content of a column with that target,
/// holds.
void for_each_embedded(Value& value, const std::function<void(Object&)>& change) {
    if (auto* object = value.get_if<Object>()) {
        change(*object);
    } else if (auto* list = value.get_if<List>()) {
        for (Value& element : list->elements) {
            if (auto* inner = element.get_if<Object>()) {
                change(*inner);
            }
        }
    } else if (auto* dictionary = value.get_if<Dictionary>()) {
        for (auto& entry : dictionary->entries()) {
            if (auto* inner = entry.second.get_if<Object>()) {
                change(*inner);
            }
        }
    }
}

/// Calls `change` on every object of the class, embedded ones inside `object` (of class `holder`)
/// included. The recursion is as deep as embedded objects are nested, which paths bound.
void for_each_object(const MemoryState& state, const ClassInfo& holder, Object& object,
                     std::string_view class_name, const std::function<void(Object&)>& change) {
    for (const ColumnInfo& column : holder.columns) {
        const MemoryClass* target =
            column.target.empty() ? nullptr : state.find_class(column.target);
        Value* field = object.fields.find(column.name);
        if (target != nullptr && target->info.kind == TableKind::embedded && field != nullptr) {
            for_each_embedded(*field, [&](Object& inner) {
                for_each_object(state, target->info, inner, class_name, change);
            });
        }
    }
    if (holder.name == class_name) {
        change(object);
    }
}

void for_each_object(MemoryState& state, std::string_view class_name,
                     const std::function<void(Object&)>& change) {
    for (auto& [name, holder] : state.classes) {
        for (auto& [key, object] : holder.objects) {
            for_each_object(state, holder.info, object, class_name, change);
        }
    }
}

} // namespace

MemoryClass& MemoryApplier::holder_of(std::string_view class_name) {
    const auto found = state_.classes.find(class_name);
    TOMBOLO_CHECK(found != state_.classes.end());
    return found->second;
}

template <class Collection>
Collection& MemoryApplier::current() {
    TOMBOLO_CHECK(value_ != nullptr);
    auto* collection = value_->get_if<Collection>();
    TOMBOLO_CHECK(collection != nullptr);
    return *collection;
}

const ClassInfo* MemoryApplier::find_class(std::string_view class_name) {
    const MemoryClass* holder = state_.find_class(class_name);
    return holder == nullptr ? nullptr : &holder->info;
}

bool MemoryApplier::is_link_target(std::string_view class_name) {
    return std::any_of(state_.classes.begin(), state_.classes.end(), [&](const auto& entry) {
        const auto& columns = entry.second.info.columns;
        return entry.first != class_name &&
               std::any_of(columns.begin(), columns.end(),
                           [&](const ColumnInfo& column) { return column.target == class_name; });
    });
}

Result<void> MemoryApplier::add_class(const ClassInfo& info) {
    state_.classes.try_emplace(info.name, MemoryClass{info, {}});
    return {};
}

Result<void> MemoryApplier::erase_class(std::string_view class_name) {
    state_.classes.erase(state_.classes.find(class_name));
    return {};
}

Result<void> MemoryApplier::add_column(std::string_view class_name, const ColumnInfo& column) {
    for_each_object(state_, class_name,
                    [&](Object& object) { object.fields.set(column.name, default_value(column)); });
    holder_of(class_name).info.columns.push_back(column);
    return {};
}

Result<void> MemoryApplier::erase_column(std::string_view class_name, std::string_view column) {
    // A copy of the name: the caller's may be the column's own.
    const std::string name(column);
    for_each_object(state_, class_name, [&](Object& object) { object.fields.erase(name); });
    auto& columns = holder_of(class_name).info.columns;
    columns.erase(std::find_if(columns.begin(), columns.end(), [&](const ColumnInfo& candidate) {
        return candidate.name == name;
    }));
    return {};
}

Result<void> MemoryApplier::create_object(const ClassInfo& object_class, PrimaryKeyView key) {
    auto& objects = holder_of(object_class.name).objects;
    PrimaryKey owned = to_owned(key);
    if (objects.find(owned) == objects.end()) {
        objects.emplace(std::move(owned), default_object(object_class));
    }
    return {};
}

Result<void> MemoryApplier::erase_object(const ClassInfo& object_class, PrimaryKeyView key) {
    holder_of(object_class.name).objects.erase(to_owned(key));
    return {};
}

Result<bool> MemoryApplier::open_object(const ClassInfo& object_class, PrimaryKeyView key) {
    auto& objects = holder_of(object_class.name).objects;
    const auto found = objects.find(to_owned(key));
    object_ = found == objects.end() ? nullptr : &found->second;
    value_ = nullptr;
    return object_ != nullptr;
}

Result<void> MemoryApplier::enter_field(const ColumnInfo& column) {
    Object* object = value_ == nullptr ? object_ : &current<Object>();
    TOMBOLO_CHECK(object != nullptr);
    value_ = object->fields.find(column.name);
    TOMBOLO_CHECK(value_ != nullptr);
    return {};
}

Result<bool> MemoryApplier::enter_index(std::size_t index) {
    auto& elements = current<List>().elements;
    if (index >= elements.size()) {
        return false;
    }
    value_ = &elements[index];
    return true;
}

Result<bool> MemoryApplier::enter_key(std::string_view key) {
    Value* found = current<Dictionary>().find(key);
    if (found == nullptr) {
        return false;
    }
    value_ = found;
    return true;
}

Result<ValueType> MemoryApplier::content() {
    return value_ == nullptr ? ValueType::object : value_->type();
}

Result<std::size_t> MemoryApplier::size() {
    return current<List>().elements.size();
}

Result<std::int64_t> MemoryApplier::integer() {
    return current<std::int64_t>();
}

Result<void> MemoryApplier::put(const NewContent& content) {
    TOMBOLO_CHECK(value_ != nullptr);
    *value_ = make_value(content);
    return {};
}

Result<void> MemoryApplier::list_insert(std::size_t index, const NewContent& content) {
    auto& elements = current<List>().elements;
    TOMBOLO_CHECK(index <= elements.size());
    elements.insert(elements.begin() + static_cast<std::ptrdiff_t>(index), make_value(content));
    return {};
}

Result<void> MemoryApplier::list_erase(std::size_t index) {
    auto& elements = current<List>().elements;
    TOMBOLO_CHECK(index < elements.size());
    elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(index));
    return {};
}

Result<void> MemoryApplier::list_move(std::size_t from, std::size_t to) {
    auto& elements = current<List>().elements;
    TOMBOLO_CHECK(from < elements.size() && to < elements.size());
    Value moved = std::move(elements[from]);
    elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(from));
    elements.insert(elements.begin() + static_cast<std::ptrdiff_t>(to), std::move(moved));
    return {};
}

Result<void> MemoryApplier::dictionary_put(std::string_view key, const NewContent& content) {
    current<Dictionary>().set(key, make_value(content));
    return {};
}

Result<void> MemoryApplier::dictionary_erase(std::string_view key) {
    current<Dictionary>().erase(key);
    return {};
}

Result<void> MemoryApplier::set_insert(const ScalarView& value) {
    current<Set>().insert(Value(value));
    return {};
}

Result<void> MemoryApplier::set_erase(const ScalarView& value) {
    current<Set>().erase(Value(value));
    return {};
}

Result<void> MemoryApplier::clear() {
    TOMBOLO_CHECK(value_ != nullptr);
    if (auto* list = value_->get_if<List>()) {
        list->elements.clear();
    } else if (auto* dictionary = value_->get_if<Dictionary>()) {
        dictionary->clear();
    } else {
        current<Set>().clear();
    }
    return {};
}

Result<ApplyReport> apply(const Changeset& changeset, MemoryState& state) {
    MemoryState before = state;
    MemoryApplier applier(state);
    Result<ApplyReport> report = apply(changeset, applier);
    if (!report) {
        state = std::move(before);
    }
    return report;
}

} // namespace tombolo::changeset
