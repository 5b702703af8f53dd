#include "server/sync/engine/field_mask.hpp"

#include <algorithm>

#include "changeset/applier.hpp"

namespace tombolo::server::sync {

using changeset::Changeset;
using changeset::ClassInfo;
using changeset::CollectionKind;
using changeset::ColumnInfo;
using changeset::Instruction;
using changeset::TableKind;

namespace {

/// Embedded classes may hold each other; rules deeper than this deny.
constexpr int depth_max = 16;

} // namespace

const FieldMask::Node* FieldMask::Node::find(std::string_view name) const noexcept {
    const auto found = std::lower_bound(
        fields.begin(), fields.end(), name,
        [](const Field& each, std::string_view wanted) { return each.name < wanted; });
    return found != fields.end() && found->name == name ? &found->node : nullptr;
}

// NOLINTNEXTLINE(misc-no-recursion): depth is counted
FieldMask::Node FieldMask::compile_field(const Model& model, const ColumnInfo& column,
                                         const FieldPermissions& permissions, int depth) {
    if (permissions.fields.empty()) {
        return {permissions.read || permissions.write, permissions.write, {}};
    }
    const ClassInfo* inside = column.target.empty() ? nullptr : model.find_class(column.target);
    const bool is_embedded = inside != nullptr && inside->kind == TableKind::embedded;
    const bool has_places =
        column.collection == CollectionKind::single || column.collection == CollectionKind::list;
    return is_embedded && has_places && depth < depth_max
               ? compile(model, *inside, permissions, depth + 1)
               : Node{false, false, {}};
}

// NOLINTNEXTLINE(misc-no-recursion): depth is counted
FieldMask::Node FieldMask::compile(const Model& model, const ClassInfo& info,
                                   const FieldPermissions& permissions, int depth) {
    const FieldPermissions rest{permissions.read, permissions.write, {}};
    Node out;
    for (const ColumnInfo& column : info.columns) {
        const auto listed = permissions.fields.find(column.name);
        const FieldPermissions& of = listed == permissions.fields.end() ? rest : listed->second;
        const bool is_single = column.collection == CollectionKind::single;
        Field field{column.name, is_single ? changeset::default_value(column) : Value(),
                    compile_field(model, column, of, depth)};
        switch (column.collection) {
        case CollectionKind::list:
            field.hidden = List();
            break;
        case CollectionKind::dictionary:
            field.hidden = Dictionary();
            break;
        case CollectionKind::set:
            field.hidden = Set();
            break;
        case CollectionKind::single:
            break;
        }
        out.fields.push_back(std::move(field));
    }
    std::sort(out.fields.begin(), out.fields.end(),
              [](const Field& left, const Field& right) { return left.name < right.name; });
    const bool is_even = std::all_of(out.fields.begin(), out.fields.end(), [&](const Field& each) {
        const Node& first = out.fields.front().node;
        return each.node.is_leaf() && each.node.read == first.read &&
               each.node.write == first.write;
    });
    if (out.fields.empty()) {
        return {permissions.read || permissions.write, permissions.write, {}};
    }
    // A visible object keeps its fields, even if only to hold their defaults.
    return is_even && (depth > 0 || out.fields.front().node.read) ? Node(out.fields.front().node)
                                                                  : out;
}

std::unique_ptr<const FieldMask> FieldMask::compile(const Model& model, std::string_view class_name,
                                                    const FieldPermissions& permissions) {
    const ClassInfo* info = model.find_class(class_name);
    if (permissions.allows_all() || info == nullptr) {
        return nullptr;
    }
    auto mask = std::make_unique<FieldMask>();
    mask->root_ = compile(model, *info, permissions, 0);
    return mask->reads_all() && mask->writes_all() ? nullptr : std::move(mask);
}

bool FieldMask::reads_field(std::string_view name) const noexcept {
    if (root_.is_leaf()) {
        return root_.read;
    }
    const Node* node = root_.find(name);
    return node == nullptr || !node->is_leaf() || node->read; // the key is none of the fields
}

/// The node that speaks for the instruction's place; null for a field that nobody has.
const FieldMask::Node* FieldMask::node_at(const Changeset& changeset,
                                          const Instruction& instruction) const {
    const Node* node = root_.is_leaf() ? &root_ : root_.find(changeset.field(instruction));
    for (const changeset::PathElement& element : changeset.path(instruction)) {
        if (node == nullptr || node->is_leaf()) {
            break;
        }
        if (element.is_name()) {
            node = node->find(changeset.string(element.name()));
        }
    }
    return node;
}

bool FieldMask::reads(const Changeset& changeset, const Instruction& instruction) const {
    if (!changeset::is_path_instruction(instruction.op)) {
        return true;
    }
    const Node* node = node_at(changeset, instruction);
    // What makes or removes an embedded object that is readable in part.
    return node != nullptr && (!node->is_leaf() || node->read);
}

bool FieldMask::writes(const Changeset& changeset, const Instruction& instruction) const {
    if (!changeset::is_path_instruction(instruction.op)) {
        return true;
    }
    const Node* node = node_at(changeset, instruction);
    // An embedded object comes and goes with all its fields.
    return node != nullptr && node->is_leaf() && node->write;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the mask, which has a limit
void FieldMask::hide(const Node& node, Object& object) {
    for (const Field& field : node.fields) {
        Value* value = object.fields.find(field.name);
        if (value == nullptr || (field.node.is_leaf() && field.node.read)) {
            continue;
        }
        if (field.node.is_leaf()) {
            *value = field.hidden;
        } else if (auto* inside = value->get_if<Object>()) {
            hide(field.node, *inside);
        } else if (auto* list = value->get_if<List>()) {
            for (Value& element : list->elements) {
                if (auto* each = element.get_if<Object>()) {
                    hide(field.node, *each);
                }
            }
        }
    }
}

void FieldMask::hide(Object& object) const {
    hide(root_, object);
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the masks, which have a limit
bool FieldMask::reads_within(const Node& narrow, const Node& wide) noexcept {
    if (wide.is_leaf() && wide.read) {
        return true;
    }
    if (narrow.is_leaf() && !narrow.read) {
        return true;
    }
    if (narrow.is_leaf() || wide.is_leaf()) {
        return false;
    }
    return std::all_of(narrow.fields.begin(), narrow.fields.end(), [&](const Field& each) {
        const Node* other = wide.find(each.name);
        return other != nullptr && reads_within(each.node, *other);
    });
}

bool FieldMask::reads_within(const FieldMask* narrow, const FieldMask* wide) noexcept {
    static const Node everything;
    return reads_within(narrow == nullptr ? everything : narrow->root_,
                        wide == nullptr ? everything : wide->root_);
}

bool FieldMask::reads_the_same(const FieldMask* left, const FieldMask* right) noexcept {
    return reads_within(left, right) && reads_within(right, left);
}

} // namespace tombolo::server::sync
