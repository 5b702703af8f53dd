#include "changeset/difference.hpp"

#include <algorithm>

#include "changeset/content_writer.hpp"

namespace tombolo::changeset {

namespace {

class DifferenceWriter {
  public:
    DifferenceWriter(ChangesetBuilder& out, const ClassSource& classes)
        : out_(out), classes_(classes), content_(out, classes) {}

    void fields(Place& place, const ClassInfo& info, const Object& before, const Object& after,
                bool is_root);

  private:
    void field(Place& place, const ColumnInfo& column, const Value& before, const Value& after);
    void list(Place& place, const ColumnInfo* column, const List& before, const List& after);
    void set(const Place& place, const Set& before, const Set& after);
    void dictionary(Place& place, const ColumnInfo* column, const Dictionary& before,
                    const Dictionary& after);
    /// One slot of a column, a collection or a Mixed. `list_size`: of the list whose element it is.
    void slot(Place& place, const ColumnInfo* column, const Value& before, const Value& after,
              std::optional<std::uint32_t> list_size, bool is_key);

    ChangesetBuilder& out_;
    const ClassSource& classes_;
    ContentWriter content_;
};

// NOLINTNEXTLINE(misc-no-recursion): as deep as documents are, which limits bound
void DifferenceWriter::slot(Place& place, const ColumnInfo* column, const Value& before,
                            const Value& after, std::optional<std::uint32_t> list_size,
                            bool is_key) {
    if (identical(before, after)) {
        return;
    }
    if (before.get_if<Object>() != nullptr && after.get_if<Object>() != nullptr) {
        fields(place, *classes_.find_class(column->target), *before.get_if<Object>(),
               *after.get_if<Object>(), false);
    } else if (before.get_if<List>() != nullptr && after.get_if<List>() != nullptr) {
        list(place, nullptr, *before.get_if<List>(), *after.get_if<List>());
    } else if (before.get_if<Dictionary>() != nullptr && after.get_if<Dictionary>() != nullptr) {
        dictionary(place, nullptr, *before.get_if<Dictionary>(), *after.get_if<Dictionary>());
    } else {
        if (is_key && after.get_if<Object>() != nullptr) {
            out_.update(place, PayloadType::erased);
        }
        content_.slot(place, column, after, std::nullopt, list_size);
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as above
void DifferenceWriter::list(Place& place, const ColumnInfo* column, const List& before,
                            const List& after) {
    const auto& old = before.elements;
    const auto& now = after.elements;
    const std::size_t shorter = std::min(old.size(), now.size());
    std::size_t front = 0;
    while (front < shorter && identical(old[front], now[front])) {
        ++front;
    }
    std::size_t back = 0;
    while (back < shorter - front &&
           identical(old[old.size() - 1 - back], now[now.size() - 1 - back])) {
        ++back;
    }
    const std::size_t old_end = old.size() - back;
    const std::size_t now_end = now.size() - back;
    auto size = static_cast<std::uint32_t>(old.size());
    const std::size_t both = std::min(old_end, now_end);
    for (std::size_t i = front; i < both; ++i) {
        place.path.emplace_back(static_cast<std::uint32_t>(i));
        // An element becomes an embedded object, or stops being one, by taking its place.
        const bool is_object =
            (old[i].get_if<Object>() == nullptr) != (now[i].get_if<Object>() == nullptr);
        if (is_object) {
            out_.array_erase(place, size);
            content_.slot(place, column, now[i], size - 1);
        } else {
            slot(place, column, old[i], now[i], size, false);
        }
        place.path.pop_back();
    }
    for (std::size_t i = old_end; i > both; --i) {
        place.path.emplace_back(static_cast<std::uint32_t>(i - 1));
        out_.array_erase(place, size--);
        place.path.pop_back();
    }
    for (std::size_t i = both; i < now_end; ++i) {
        place.path.emplace_back(static_cast<std::uint32_t>(i));
        content_.slot(place, column, now[i], size++);
        place.path.pop_back();
    }
}

void DifferenceWriter::set(const Place& place, const Set& before, const Set& after) {
    for (const Value& element : before.elements()) {
        if (!after.contains(element)) {
            out_.set_erase(place, element.scalar());
        }
    }
    for (const Value& element : after.elements()) {
        if (!before.contains(element)) {
            out_.set_insert(place, element.scalar());
        }
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as above
void DifferenceWriter::dictionary(Place& place, const ColumnInfo* column, const Dictionary& before,
                                  const Dictionary& after) {
    for (const auto& [key, value] : before.entries()) {
        if (after.find(key) == nullptr) {
            place.path.emplace_back(std::string_view(key));
            out_.update(place, PayloadType::erased);
            place.path.pop_back();
        }
    }
    for (const auto& [key, value] : after.entries()) {
        place.path.emplace_back(std::string_view(key));
        if (const Value* old = before.find(key)) {
            slot(place, column, *old, value, std::nullopt, true);
        } else {
            content_.slot(place, column, value, std::nullopt);
        }
        place.path.pop_back();
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as above
void DifferenceWriter::field(Place& place, const ColumnInfo& column, const Value& before,
                             const Value& after) {
    switch (column.collection) {
    case CollectionKind::list:
        return list(place, &column, *before.get_if<List>(), *after.get_if<List>());
    case CollectionKind::dictionary:
        return dictionary(place, &column, *before.get_if<Dictionary>(),
                          *after.get_if<Dictionary>());
    case CollectionKind::set:
        return set(place, *before.get_if<Set>(), *after.get_if<Set>());
    case CollectionKind::single:
        return slot(place, &column, before, after, std::nullopt, false);
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as above
void DifferenceWriter::fields(Place& place, const ClassInfo& info, const Object& before,
                              const Object& after, bool is_root) {
    for (const ColumnInfo& column : info.columns) {
        const Value* old = before.fields.find(column.name);
        const Value* now = after.fields.find(column.name);
        if (old == nullptr || now == nullptr || identical(*old, *now)) {
            continue;
        }
        if (is_root) {
            place.field = column.name;
        } else {
            place.path.emplace_back(std::string_view(column.name));
        }
        field(place, column, *old, *now);
        if (!is_root) {
            place.path.pop_back();
        }
    }
}

} // namespace

void append_difference(ChangesetBuilder& out, const ClassSource& classes, const ClassInfo& info,
                       const PrimaryKeyView& key, const Object& before, const Object& after) {
    Place place{info.name, key, "", {}};
    DifferenceWriter(out, classes).fields(place, info, before, after, true);
}

} // namespace tombolo::changeset
