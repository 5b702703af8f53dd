#pragma once

// The work of apply() (applier.hpp) on one changeset: for apply*.cpp only.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "changeset/applier.hpp"

namespace tombolo::changeset {

namespace apply_detail {

inline Error bad(std::string message) {
    return {ErrorCode::bad_changeset, std::move(message)};
}

inline std::string quoted(std::string_view text) {
    return "'" + std::string(text) + "'";
}

/// 2.1 "Key check": the key has the type of the class's key column; null only where the column can
/// be null.
bool key_fits(const ClassInfo& object_class, const PrimaryKeyView& key);

} // namespace apply_detail

class ChangesetApplication {
  public:
    ChangesetApplication(const Changeset& changeset, Applier& store)
        : changeset_(changeset), store_(store) {}

    Result<void> apply(const Instruction& instruction);
    const ApplyReport& report() const { return report_; }

  private:
    /// Where a walk stands: the column whose content or element it is, and whether it is inside a
    /// collection.
    struct Spot {
        const ColumnInfo* column = nullptr;
        bool is_element = false;
    };

    // Schema and objects
    Result<const ClassInfo*> require_class(std::string_view name);
    Result<const ClassInfo*> require_keyed_class(const Instruction& instruction);
    Result<void> add_table(const Instruction& instruction);
    Result<void> erase_table(const Instruction& instruction);
    Result<void> add_column(const Instruction& instruction);
    Result<void> check_new_column(const ColumnInfo& column);
    Result<void> erase_column(const Instruction& instruction);

    // Walking
    Result<Spot> walk(const Instruction& instruction, std::size_t steps);
    Result<void> step(const PathElement& element, Spot& spot);
    Result<const ColumnInfo*> enter_embedded_field(std::string_view class_name,
                                                   std::string_view field);
    const PathElement& last(const Instruction& instruction) const {
        return changeset_.path(instruction).back();
    }

    // Path instructions
    Result<void> update(const Instruction& instruction);
    Result<void> update_slot(const Instruction& instruction, const Spot& spot, ValueType present);
    Result<void> update_key(const Instruction& instruction, const Spot& spot);
    Result<void> add_integer(const Instruction& instruction);
    Result<Spot> walk_to_list(const Instruction& instruction);
    Result<void> array_insert(const Instruction& instruction);
    Result<void> array_move(const Instruction& instruction);
    Result<void> array_erase(const Instruction& instruction);
    Result<void> clear(const Instruction& instruction);
    Result<void> change_set(const Instruction& instruction);

    // Payloads
    Result<NewContent> new_content(const Instruction& instruction, const ColumnInfo& column,
                                   bool is_element);
    Result<NewContent> new_embedded(const ColumnInfo& column);
    Result<NewContent> new_scalar(const ScalarView& value, const ColumnInfo& column,
                                  bool is_element);
    Result<void> check_link(const LinkView& link, const ColumnInfo& column);
    bool is_embedded(const ColumnInfo& column);

    const Changeset& changeset_;
    Applier& store_;
    ApplyReport report_;
};

} // namespace tombolo::changeset
