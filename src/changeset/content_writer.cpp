#include "changeset/content_writer.hpp"

namespace tombolo::changeset {

void ContentWriter::put(const Place& place, const PayloadView& value,
                        std::optional<std::uint32_t> insert_at,
                        std::optional<std::uint32_t> replace_in) {
    if (insert_at) {
        out_.array_insert(place, value, *insert_at);
    } else if (replace_in) {
        out_.update_element(place, value, *replace_in);
    } else {
        out_.update(place, value);
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as documents are, which limits bound
void ContentWriter::slot(Place& place, const ColumnInfo* column, const Value& value,
                         std::optional<std::uint32_t> insert_at,
                         std::optional<std::uint32_t> replace_in) {
    if (const auto* object = value.get_if<Object>()) {
        put(place, PayloadType::object_value, insert_at, replace_in);
        if (const ClassInfo* info = column ? classes_.find_class(column->target) : nullptr) {
            fields(place, *info, *object, false);
        }
    } else if (const auto* inner = value.get_if<List>()) {
        put(place, PayloadType::list, insert_at, replace_in);
        list(place, nullptr, *inner);
    } else if (const auto* entries = value.get_if<Dictionary>()) {
        put(place, PayloadType::dictionary, insert_at, replace_in);
        dictionary(place, nullptr, *entries);
    } else {
        put(place, value.scalar(), insert_at, replace_in);
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as above
void ContentWriter::list(Place& place, const ColumnInfo* column, const List& list) {
    for (std::uint32_t i = 0; i < list.elements.size(); ++i) {
        place.path.emplace_back(i);
        slot(place, column, list.elements[i], i);
        place.path.pop_back();
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as above
void ContentWriter::dictionary(Place& place, const ColumnInfo* column,
                               const Dictionary& dictionary) {
    for (const auto& [key, value] : dictionary.entries()) {
        place.path.emplace_back(std::string_view(key));
        slot(place, column, value, std::nullopt);
        place.path.pop_back();
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as above
void ContentWriter::field(Place& place, const ColumnInfo& column, const Value& value) {
    switch (column.collection) {
    case CollectionKind::list:
        if (const auto* elements = value.get_if<List>()) {
            list(place, &column, *elements);
        }
        return;
    case CollectionKind::dictionary:
        if (const auto* entries = value.get_if<Dictionary>()) {
            dictionary(place, &column, *entries);
        }
        return;
    case CollectionKind::set:
        if (const auto* set = value.get_if<Set>()) {
            for (const Value& element : set->elements()) {
                out_.set_insert(place, element.scalar());
            }
        }
        return;
    case CollectionKind::single:
        if (!identical(value, default_value(column))) {
            slot(place, &column, value, std::nullopt);
        }
        return;
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as above
void ContentWriter::fields(Place& place, const ClassInfo& info, const Object& object,
                           bool is_root) {
    for (const ColumnInfo& column : info.columns) {
        const Value* value = object.fields.find(column.name);
        if (value == nullptr) {
            continue;
        }
        if (is_root) {
            place.field = column.name;
        } else {
            place.path.emplace_back(std::string_view(column.name));
        }
        field(place, column, *value);
        if (!is_root) {
            place.path.pop_back();
        }
    }
}

} // namespace tombolo::changeset
