#include "changeset/memory_state.hpp"

#include <algorithm>

namespace tombolo::changeset {

namespace {

bool identical(const ColumnInfo& left, const ColumnInfo& right) {
    return left.name == right.name && left.type == right.type && left.nullable == right.nullable &&
           left.collection == right.collection && left.target == right.target;
}

bool identical(const ClassInfo& left, const ClassInfo& right) {
    return left.kind == right.kind && left.primary_key == right.primary_key &&
           left.key_type == right.key_type && left.key_nullable == right.key_nullable &&
           left.columns.size() == right.columns.size() &&
           std::all_of(left.columns.begin(), left.columns.end(), [&](const ColumnInfo& column) {
               const ColumnInfo* other = right.find_column(column.name);
               return other != nullptr && identical(column, *other);
           });
}

bool identical(const MemoryClass& left, const MemoryClass& right) {
    return identical(left.info, right.info) &&
           std::equal(left.objects.begin(), left.objects.end(), right.objects.begin(),
                      right.objects.end(), [](const auto& one, const auto& other) {
                          return one.first == other.first &&
                                 tombolo::identical(Value(one.second), Value(other.second));
                      });
}

} // namespace

const MemoryClass* MemoryState::find_class(std::string_view name) const noexcept {
    const auto found = classes.find(name);
    return found == classes.end() ? nullptr : &found->second;
}

const Object* MemoryState::find_object(std::string_view class_name,
                                       const PrimaryKey& key) const noexcept {
    const MemoryClass* holder = find_class(class_name);
    if (holder == nullptr) {
        return nullptr;
    }
    const auto found = holder->objects.find(key);
    return found == holder->objects.end() ? nullptr : &found->second;
}

bool MemoryState::is_live(const Link& link) const noexcept {
    return find_object(link.class_name, link.key) != nullptr;
}

bool identical(const MemoryState& left, const MemoryState& right) {
    return std::equal(left.classes.begin(), left.classes.end(), right.classes.begin(),
                      right.classes.end(), [](const auto& one, const auto& other) {
                          return one.first == other.first && identical(one.second, other.second);
                      });
}

std::string to_text(const MemoryState& state) {
    std::string text;
    for (const auto& [name, holder] : state.classes) {
        text += name;
        text += ':';
        for (const ColumnInfo& column : holder.info.columns) {
            text += ' ';
            text += column.name;
        }
        text += '\n';
        for (const auto& [key, object] : holder.objects) {
            text += "  " + tombolo::to_text(to_view(key)) + " " + tombolo::to_text(Value(object)) +
                    "\n";
        }
    }
    return text;
}

} // namespace tombolo::changeset
