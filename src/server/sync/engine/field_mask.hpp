#pragma once

// Field permissions of a role, compiled against a class: which instructions a device may be sent
// and may send, and what of an object it holds (device-sync-server.md 4.3).
//
// A field that may not be read keeps its default on the device: null, else the type's zero, or an
// empty collection. A part of history is cut to what may be read instruction by instruction: merge
// rules never join two fields, so a device that merges with the cut part ends as one that merges
// with the whole part and forgets those fields.
//
// Permissions inside embedded objects are kept where a field holds one embedded object or a list of
// them. Where all fields of an embedded class have the same permission the field has it.
//
// Immutable; const use from any thread.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "changeset/changeset.hpp"
#include "core/value.hpp"
#include "server/sync/engine/model.hpp"
#include "server/sync/engine/roles.hpp"

namespace tombolo::server::sync {

class FieldMask {
  public:
    /// Null when every field may be read and written.
    static std::unique_ptr<const FieldMask> compile(const Model& model, std::string_view class_name,
                                                    const FieldPermissions& permissions);

    bool reads_all() const noexcept { return root_.is_leaf() && root_.read; }
    bool writes_all() const noexcept { return root_.is_leaf() && root_.write; }
    /// Whether anything of the object's field may be read.
    bool reads_field(std::string_view name) const noexcept;
    /// CreateObject and EraseObject are always yes: they are judged elsewhere.
    bool reads(const changeset::Changeset& changeset,
               const changeset::Instruction& instruction) const;
    bool writes(const changeset::Changeset& changeset,
                const changeset::Instruction& instruction) const;

    /// Fields that may not be read become their defaults.
    void hide(Object& object) const;

    /// The same fields may be read; null is a mask that hides nothing.
    static bool reads_the_same(const FieldMask* left, const FieldMask* right) noexcept;
    /// Whatever `narrow` lets read may be read under `wide`.
    static bool reads_within(const FieldMask* narrow, const FieldMask* wide) noexcept;

  private:
    struct Node;
    struct Field;
    /// A leaf speaks for all inside; else `fields` has every field of the class, sorted by name.
    struct Node {
        bool read = true;
        bool write = true;
        std::vector<Field> fields;

        bool is_leaf() const noexcept { return fields.empty(); }
        const Node* find(std::string_view name) const noexcept;
    };
    struct Field {
        std::string name;
        Value hidden; ///< the default that stands for what may not be read
        Node node;
    };

    static Node compile(const Model& model, const changeset::ClassInfo& info,
                        const FieldPermissions& permissions, int depth);
    static Node compile_field(const Model& model, const changeset::ColumnInfo& column,
                              const FieldPermissions& permissions, int depth);
    static bool reads_within(const Node& narrow, const Node& wide) noexcept;
    static void hide(const Node& node, Object& object);
    const Node* node_at(const changeset::Changeset& changeset,
                        const changeset::Instruction& instruction) const;

    Node root_;
};

} // namespace tombolo::server::sync
