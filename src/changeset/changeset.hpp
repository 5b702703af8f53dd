#pragma once

// The ordered instructions of one write transaction, with everything they refer to.
//
// A Changeset owns its text, string table, keys, path elements and instructions in five flat arrays
// (ChangesetParts); what it hands out (string_view, span, ScalarView, PrimaryKeyView) borrows from
// it and is valid until it is changed or destroyed. Moving a Changeset keeps borrowed views valid,
// copying is deep. Distinct changesets may be used from distinct threads; one changeset may be read
// from several.
//
// Made by decode() (codec.hpp) from bytes, by ChangesetBuilder (builder.hpp) from code; edited in
// place by merge() (merge.hpp). Spec: changesets-and-merge.md 1.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "changeset/instruction.hpp"
#include "changeset/string_table.hpp"
#include "core/bytes.hpp"
#include "core/check.hpp"
#include "core/primary_key.hpp"
#include "core/value.hpp"

namespace tombolo::changeset {

/// The arrays of a changeset. Invariant: every id, range and path of every instruction, key and
/// payload lies inside them. For the codec, the builder and the merge; others read through
/// Changeset.
struct ChangesetParts {
    std::vector<std::byte> bytes; ///< the text of strings and payloads lies in here
    StringTable strings;
    std::vector<Key> keys;
    std::vector<PathElement> path_elements;
    std::vector<Instruction> instructions;
};

class Changeset {
  public:
    Changeset() = default;
    explicit Changeset(ChangesetParts parts) : parts_(std::move(parts)) {}

    std::span<const Instruction> instructions() const noexcept { return parts_.instructions; }
    bool empty() const noexcept { return parts_.instructions.empty(); }

    std::size_t string_count() const noexcept { return parts_.strings.size(); }
    std::string_view string(StringId id) const noexcept {
        return parts_.strings.text(id, parts_.bytes.data());
    }
    PrimaryKeyView key(KeyId id) const noexcept;

    std::string_view table(const Instruction& instruction) const noexcept {
        return string(instruction.table);
    }
    /// The key field's name for add_table.
    std::string_view field(const Instruction& instruction) const noexcept {
        return string(instruction.field);
    }
    PrimaryKeyView object(const Instruction& instruction) const noexcept {
        return key(instruction.object);
    }
    std::span<const PathElement> path(const Instruction& instruction) const noexcept {
        return std::span(parts_.path_elements)
            .subspan(instruction.path_begin, instruction.path_count);
    }
    /// An Update whose path ends in an index: it has a prior_size and no is_default.
    bool is_array_update(const Instruction& instruction) const noexcept {
        return instruction.op == Opcode::update && ends_in_index(instruction);
    }
    bool ends_in_index(const Instruction& instruction) const noexcept {
        return instruction.path_count != 0 &&
               parts_.path_elements[instruction.path_begin + instruction.path_count - 1].is_index();
    }
    /// REQUIRES: instruction.op is add_column with type link.
    std::string_view link_target(const Instruction& instruction) const noexcept {
        return string(instruction.link_target());
    }
    /// The payload. REQUIRES: has_payload(instruction.op) and is_scalar(instruction.type)
    ScalarView scalar(const Instruction& instruction) const;
    /// The payload when its type is string or binary.
    ByteView payload_bytes(const Instruction& instruction) const noexcept {
        return ByteView(parts_.bytes).subspan(instruction.body.words[0], instruction.body.words[1]);
    }

    const ChangesetParts& parts() const noexcept { return parts_; }
    /// For the codec, the builder and the merge, which keep the invariant.
    ChangesetParts& parts() noexcept { return parts_; }

  private:
    ChangesetParts parts_;
};

/// The same instructions in the same order, compared by content: floats by bits, ids through their
/// text. Unused strings and the order of the string table do not matter.
bool same_instructions(const Changeset& left, const Changeset& right);

/// The same instruction by content.
bool same_instruction(const Changeset& left, const Instruction& left_instruction,
                      const Changeset& right, const Instruction& right_instruction);

/// One line for messages and test output, e.g. `Update Foo[5].kids[2]["name"] = "Bo" default=0`.
std::string to_text(const Changeset& changeset, const Instruction& instruction);
/// All instructions, a line each.
std::string to_text(const Changeset& changeset);

} // namespace tombolo::changeset
