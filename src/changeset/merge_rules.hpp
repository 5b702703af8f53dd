#pragma once

// What two concurrent instructions do to each other (changesets-and-merge.md 4.4 to 4.6). Internal
// to the merge.
//
// meet() edits the two items in place, marks discarded ones dead, and keeps the first merge error
// and every edge met. The nested rules are in merge_rules_nested.cpp, the regular ones R1..R29 in
// merge_rules_schema.cpp (R1 to R4, R15 to R17), merge_rules_object.cpp (R5 to R9, R13, R14, R24 to
// R29) and merge_rules_list.cpp (R10 to R12, R18 to R23).

#include <cstddef>
#include <vector>

#include "changeset/merge.hpp"
#include "changeset/merge_state.hpp"
#include "core/result.hpp"

namespace tombolo::changeset {

/// 4.4 "same field".
inline bool same_field(const Item& left, const Item& right) noexcept {
    return left.object == right.object && left.field == right.field;
}
/// True when the first `count` elements are equal. REQUIRES: both paths are that long.
inline bool same_start(const Item& left, const Item& right, std::uint32_t count) noexcept {
    for (std::uint32_t i = 0; i < count; ++i) {
        if (left.path[i] != right.path[i]) {
            return false;
        }
    }
    return true;
}
/// 4.4 "same path".
inline bool same_path(const Item& left, const Item& right) noexcept {
    return left.path_count == right.path_count && same_field(left, right) &&
           same_start(left, right, left.path_count);
}
/// 4.4 "same container".
inline bool same_container(const Item& left, const Item& right) noexcept {
    return left.path_count == right.path_count && same_field(left, right) &&
           (left.path_count == 0 || same_start(left, right, left.path_count - 1));
}
/// 4.4 "strict prefix".
inline bool is_strict_prefix(const Item& outer, const Item& inner) noexcept {
    return outer.path_count < inner.path_count && same_field(outer, inner) &&
           same_start(outer, inner, outer.path_count);
}
/// 4.4 "container prefix".
inline bool is_container_prefix(const Item& outer, const Item& inner) noexcept {
    return outer.path_count != 0 && outer.path_count < inner.path_count &&
           same_field(outer, inner) && same_start(outer, inner, outer.path_count - 1);
}
class MergeRules {
  public:
    MergeRules(MergeState& state, const MergeOptions& options) : state_(state), options_(options) {}

    /// Our instruction meets one of theirs.
    void meet(Item& major, Item& minor);

    /// R4 asked for an EraseColumn in front of the EraseTable of the last meeting: the new item,
    /// once.
    Item* take_prepended() noexcept {
        Item* item = prepended_;
        prepended_ = nullptr;
        return item;
    }

    /// R7 for two updates of one path: marks the loser, or none, dead.
    void update_update(Item& left, Item& right);

    /// True after a merge error.
    bool failed() const noexcept { return failure_ != nullptr; }
    /// REQUIRES: failed()
    Error error() const;

    /// Counts the pairs about to be examined; false when there are more than the options allow.
    bool admit_meetings(std::size_t rows, std::size_t columns) noexcept;
    bool over_limit() const noexcept { return over_limit_; }

    std::vector<EdgeMet> take_edges() noexcept { return std::move(edges_); }

  private:
    friend struct RuleTable;

    void fail(const char* reason, const Item& left, const Item& right) noexcept;
    bool require(bool condition, const char* reason, const Item& left, const Item& right) noexcept;
    /// Both indices and sizes can still grow by one.
    bool require_room(const Item& left, const Item& right) noexcept;
    void report(KnownEdge edge, Item& outer);

    /// 4.4 "same payload", of set instructions.
    bool same_payload(const Item& left, const Item& right) const noexcept;

    void nested(Item& outer, Item& inner);
    void nested_update(Item& outer, Item& inner);
    void nested_array_insert(Item& outer, Item& inner);
    void nested_array_erase(Item& outer, Item& inner);
    void nested_array_move(Item& outer, Item& inner);
    /// The inner's element at the outer's last position; false with a merge error when it is a
    /// name.
    bool corresponding_index(const Item& outer, const Item& inner, std::uint32_t& index) noexcept;

    void regular(Item& major, Item& minor);

    void add_table_add_table(Item& left, Item& right);
    void add_table_erase_table(Item& left, Item& right);
    void erase_table_erase_table(Item& left, Item& right);
    void erase_table_add_column(Item& left, Item& right);
    void create_erase(Item& left, Item& right);
    void erase_erase(Item& left, Item& right);
    void update_add_integer(Item& left, Item& right);
    void update_erase_column(Item& left, Item& right);
    void update_array_insert(Item& left, Item& right);
    void update_array_move(Item& left, Item& right);
    void update_array_erase(Item& left, Item& right);
    void update_clear(Item& left, Item& right);
    void add_integer_clear(Item& left, Item& right);
    void add_column_add_column(Item& left, Item& right);
    void add_column_erase_column(Item& left, Item& right);
    void erase_column_erase_column(Item& left, Item& right);
    void array_insert_array_insert(Item& left, Item& right);
    void array_insert_array_move(Item& left, Item& right);
    void array_insert_array_erase(Item& left, Item& right);
    void array_move_array_move(Item& left, Item& right);
    void array_move_array_erase(Item& left, Item& right);
    void array_erase_array_erase(Item& left, Item& right);
    void array_clear(Item& left, Item& right);
    void clear_clear(Item& left, Item& right);
    void clear_set(Item& left, Item& right);
    void set_set(Item& left, Item& right);
    void update_update_rule(Item& left, Item& right);

    MergeState& state_;
    const MergeOptions& options_;
    Item* prepended_ = nullptr;
    const char* failure_ = nullptr;
    const Item* failed_left_ = nullptr;
    const Item* failed_right_ = nullptr;
    std::uint64_t meetings_ = 0;
    bool over_limit_ = false;
    std::vector<EdgeMet> edges_;
};

/// "Older loses": discards the one from the older changeset; the right one when neither is older.
inline void discard_older(Item& left, Item& right) noexcept {
    (older(left, right) ? left : right).dead = true;
}

} // namespace tombolo::changeset
