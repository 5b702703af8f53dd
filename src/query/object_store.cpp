#include "query/object_store.hpp"

#include <utility>

#include "core/check.hpp"

namespace tombolo::query {
namespace {

using schema::ClassSchema;
using schema::CollectionKind;
using schema::Property;

/// The values directly inside a collection; false when `f` stopped.
bool for_each_value(const Value& value, FunctionRef<bool(const Value&)> f) {
    if (const List* list = value.get_if<List>()) {
        for (const Value& element : list->elements) {
            if (!f(element)) {
                return false;
            }
        }
    } else if (const Set* set = value.get_if<Set>()) {
        for (const Value& element : set->elements()) {
            if (!f(element)) {
                return false;
            }
        }
    } else if (const Dictionary* dictionary = value.get_if<Dictionary>()) {
        for (const auto& entry : dictionary->entries()) {
            if (!f(entry.second)) {
                return false;
            }
        }
    }
    return true;
}

/// Links to the object anywhere in the value.
std::size_t count_links(const Value& value, std::string_view class_name,
                        const PrimaryKeyView& key) {
    if (const Link* link = value.link()) {
        return link->class_name == class_name && to_view(link->key) == key ? 1 : 0;
    }
    std::size_t count = 0;
    for_each_value(value, [&](const Value& inner) {
        count += count_links(inner, class_name, key);
        return true;
    });
    return count;
}

} // namespace

PrimaryKeyView primary_key_of(const ObjectRef& object) noexcept {
    const Property* property = object.object_class->primary_key();
    const Value* value = property ? object.fields->fields.find(property->name) : nullptr;
    if (!value) {
        return {};
    }
    if (const auto* integer = value->get_if<std::int64_t>()) {
        return *integer;
    }
    if (const auto* text = value->get_if<std::string>()) {
        return std::string_view(*text);
    }
    if (const auto* object_id = value->get_if<ObjectId>()) {
        return *object_id;
    }
    if (const auto* uuid = value->get_if<Uuid>()) {
        return *uuid;
    }
    return {};
}

void ObjectStore::add(std::string_view class_name, Object object) {
    const ClassSchema* object_class = schema_.find(class_name);
    TOMBOLO_CHECK(object_class && !object_class->is_embedded());
    classes_[std::string(class_name)].push_back(std::move(object));
}

std::vector<ObjectRef> ObjectStore::objects(std::string_view class_name) const {
    std::vector<ObjectRef> out;
    const ClassSchema* object_class = schema_.find(class_name);
    const auto found = classes_.find(class_name);
    if (object_class && found != classes_.end()) {
        for (const Object& object : found->second) {
            out.push_back({&object, object_class});
        }
    }
    return out;
}

std::optional<ObjectRef> ObjectStore::find(std::string_view class_name,
                                           const PrimaryKeyView& key) const {
    const ClassSchema* object_class = schema_.find(class_name);
    const auto found = classes_.find(class_name);
    if (object_class && found != classes_.end()) {
        for (const Object& object : found->second) {
            const ObjectRef candidate{&object, object_class};
            if (primary_key_of(candidate) == key) {
                return candidate;
            }
        }
    }
    return std::nullopt;
}

bool ObjectStore::for_each(const ClassSchema& object_class,
                           FunctionRef<bool(const ObjectRef&)> f) const {
    for (const auto& [name, objects] : classes_) {
        const ClassSchema* top_level = schema_.find(name);
        for (const Object& object : objects) {
            const ObjectRef ref{&object, top_level};
            const bool go_on = object_class.is_embedded()   ? for_each_inside(ref, object_class, f)
                               : top_level == &object_class ? f(ref)
                                                            : true;
            if (!go_on) {
                return false;
            }
        }
    }
    return true;
}

bool ObjectStore::for_each_inside(const ObjectRef& parent, const ClassSchema& object_class,
                                  FunctionRef<bool(const ObjectRef&)> f) const {
    for (const Property& property : parent.object_class->properties()) {
        const Value* value = parent.fields->fields.find(property.name);
        if (!value || !schema_.is_embedded_place(property)) {
            continue;
        }
        const ClassSchema* place = schema_.find(property.target);
        const auto visit = [&](const Value& inner) {
            const Object* object = inner.get_if<Object>();
            if (!object) {
                return true;
            }
            const ObjectRef ref{object, place};
            return (place != &object_class || f(ref)) && for_each_inside(ref, object_class, f);
        };
        if (!(property.is_collection() ? for_each_value(*value, visit) : visit(*value))) {
            return false;
        }
    }
    return true;
}

// ---- accessor
// ---------------------------------------------------------------------------------------------------

bool ObjectAccessor::is_dangling(const Value& value) const {
    const Link* link = value.link();
    return link && !store_.find(link->class_name, to_view(link->key));
}

ObjectAccessor::Cell ObjectAccessor::property(const Object& object, const Property& property,
                                              int) const noexcept {
    return {object.fields->fields.find(property.name), property.collection};
}

Item ObjectAccessor::self(const Object& object, const ClassSchema& object_class) const noexcept {
    if (object_class.is_embedded()) {
        return Item::of_type(ValueType::object);
    }
    return Item(ScalarView(LinkView{object_class.name(), primary_key_of(object)}));
}

Item ObjectAccessor::item(const Cell& cell) const noexcept {
    if (!cell.value || cell.value->is_null()) {
        switch (cell.collection) {
        case CollectionKind::none:
            return {};
        case CollectionKind::list:
            return Item::of_type(ValueType::list);
        case CollectionKind::set:
            return Item::of_type(ValueType::set);
        case CollectionKind::dictionary:
            return Item::of_type(ValueType::dictionary);
        }
    }
    if (!cell.value->is_scalar()) {
        return Item::of_type(cell.value->type());
    }
    return is_dangling(*cell.value) ? Item() : Item(cell.value->scalar());
}

std::size_t ObjectAccessor::size(const Cell& cell) const {
    std::size_t count = 0;
    for_each(cell, [&count](const Cell&) {
        ++count;
        return true;
    });
    return count;
}

std::optional<ObjectAccessor::Cell> ObjectAccessor::element(const Cell& cell,
                                                            std::size_t index) const {
    std::optional<Cell> out;
    for_each(cell, [&](const Cell& element) {
        if (index-- == 0) {
            out = element;
            return false;
        }
        return true;
    });
    return out;
}

std::optional<ObjectAccessor::Cell> ObjectAccessor::find(const Cell& cell,
                                                         std::string_view key) const noexcept {
    const Dictionary* dictionary = cell.value ? cell.value->get_if<Dictionary>() : nullptr;
    const Value* found = dictionary ? dictionary->find(key) : nullptr;
    return found ? std::optional<Cell>(Cell{found, CollectionKind::none}) : std::nullopt;
}

bool ObjectAccessor::for_each(const Cell& cell, FunctionRef<bool(const Cell&)> f) const {
    if (!cell.value) {
        return true;
    }
    // Dictionaries keep the key of a dangling link, with null (database-and-sdk.md 1.8).
    const bool keeps = cell.value->type() == ValueType::dictionary;
    return for_each_value(*cell.value, [&](const Value& element) {
        return (!keeps && is_dangling(element)) || f(Cell{&element, CollectionKind::none});
    });
}

bool ObjectAccessor::for_each_key(const Cell& cell, FunctionRef<bool(std::string_view)> f) const {
    const Dictionary* dictionary = cell.value ? cell.value->get_if<Dictionary>() : nullptr;
    if (dictionary) {
        for (const auto& entry : dictionary->entries()) {
            if (!f(entry.first)) {
                return false;
            }
        }
    }
    return true;
}

std::optional<ObjectAccessor::Object>
ObjectAccessor::follow(const Cell& cell, const ClassSchema& object_class) const {
    if (!cell.value) {
        return std::nullopt;
    }
    if (const tombolo::Object* embedded = cell.value->get_if<tombolo::Object>()) {
        return ObjectRef{embedded, &object_class};
    }
    const Link* link = cell.value->link();
    return link ? store_.find(link->class_name, to_view(link->key)) : std::nullopt;
}

bool ObjectAccessor::for_each_backlink(const Object& object, const ClassSchema& object_class,
                                       const Property& property,
                                       FunctionRef<bool(const Object&)> f) const {
    return store_.for_each(object_class, [&](const ObjectRef& origin) {
        const Value* value = origin.fields->fields.find(property.name);
        if (!value) {
            return true;
        }
        if (object.object_class->is_embedded()) {
            // The only link to an embedded object is its parent's.
            bool parent = value->get_if<tombolo::Object>() == object.fields;
            for_each_value(*value, [&](const Value& element) {
                parent = parent || element.get_if<tombolo::Object>() == object.fields;
                return !parent;
            });
            return !parent || f(origin);
        }
        std::size_t links =
            count_links(*value, object.object_class->name(), primary_key_of(object));
        for (; links > 0; --links) {
            if (!f(origin)) {
                return false;
            }
        }
        return true;
    });
}

std::size_t ObjectAccessor::backlink_count(const Object& object) const {
    if (object.object_class->is_embedded()) {
        return 1;
    }
    std::size_t count = 0;
    const PrimaryKeyView key = primary_key_of(object);
    for (const ClassSchema& origin_class : store_.schema().classes()) {
        store_.for_each(origin_class, [&](const ObjectRef& origin) {
            for (const auto& entry : origin.fields->fields.entries()) {
                count += count_links(entry.second, object.object_class->name(), key);
            }
            return true;
        });
    }
    return count;
}

} // namespace tombolo::query
