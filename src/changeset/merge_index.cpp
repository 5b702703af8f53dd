// merge(): the grid of 4.2, cut into groups whose members alone can meet (4.3).
//
// Two instructions can only meet when they are on one object, add one class, or add one column.
// Each such thing is a group; a group that only one side touches is never looked at again. Inside a
// group without an EraseObject only instructions on one field meet. EraseTable and EraseColumn
// reach across groups: with one of them on either side the full grid runs.

#include <algorithm>
#include <numeric>

#include "changeset/merge.hpp"
#include "changeset/merge_grid.hpp"
#include "changeset/merge_list.hpp"
#include "changeset/merge_rules.hpp"
#include "changeset/merge_state.hpp"

namespace tombolo::changeset {

namespace {

bool erases_schema(std::span<const MergeInput> inputs) {
    return std::any_of(inputs.begin(), inputs.end(), [](const MergeInput& input) {
        std::span<const Instruction> list = input.changeset->instructions();
        return std::any_of(list.begin(), list.end(), [](const Instruction& instruction) {
            return instruction.op == Opcode::erase_table || instruction.op == Opcode::erase_column;
        });
    });
}

/// An instruction of one side and the group it is in.
struct Member {
    ObjectSymbol group = no_object;
    std::uint32_t input = 0;
    std::uint32_t source = 0;
};

class IndexedMerge {
  public:
    IndexedMerge(std::span<MergeInput> ours, std::span<MergeInput> theirs,
                 const MergeOptions& options)
        : state_(ours, theirs), rules_(state_, options) {}

    Result<MergeReport> run() {
        TOMBOLO_TRY_VOID(state_.intern_strings());
        find_members();
        make_items();
        for (std::size_t group = 0; group < group_count_; ++group) {
            if (!run_group(group)) {
                return rules_.failed()
                           ? rules_.error()
                           : Error(ErrorCode::limit_exceeded,
                                   "cannot merge: more pairs of instructions than allowed");
            }
        }
        state_.write_back(items_);
        return MergeReport{rules_.take_edges()};
    }

  private:
    /// Their instructions make the groups, ours look them up. Runs of instructions on one object
    /// share a look-up.
    void find_members() {
        for_each(Side::theirs, [this](const ObjectTable::Entry& entry) {
            return state_.objects().intern(entry);
        });
        group_count_ = state_.objects().size();
        for_each(Side::ours,
                 [this](const ObjectTable::Entry& entry) { return state_.objects().find(entry); });
    }

    template <class GroupOf>
    void for_each(Side side, GroupOf group_of) {
        std::vector<Member>& members = members_[static_cast<std::size_t>(side)];
        std::span<MergeInput> inputs = state_.inputs(side);
        for (std::size_t input = 0; input < inputs.size(); ++input) {
            std::span<const Instruction> list = inputs[input].changeset->instructions();
            const Instruction* before = nullptr;
            ObjectSymbol group = no_object;
            for (std::size_t i = 0; i < list.size(); ++i) {
                bool same_object = before != nullptr && !is_schema_instruction(list[i].op) &&
                                   !is_schema_instruction(before->op) &&
                                   before->table == list[i].table &&
                                   before->object == list[i].object;
                if (!same_object) {
                    group = group_of(state_.object_entry(side, input, list[i]));
                }
                before = &list[i];
                if (group != no_object) {
                    members.push_back(
                        {group, static_cast<std::uint32_t>(input), static_cast<std::uint32_t>(i)});
                }
            }
        }
    }

    /// Copies the members of all groups that both sides touch, group by group, ours first, each
    /// side in its order.
    void make_items() {
        std::vector<std::uint32_t> counts[2];
        for (std::size_t side = 0; side < 2; ++side) {
            counts[side].resize(group_count_);
            for (const Member& member : members_[side]) {
                ++counts[side][member.group];
            }
        }
        std::size_t total = 0;
        bounds_.resize(group_count_);
        for (std::size_t group = 0; group < group_count_; ++group) {
            if (counts[0][group] != 0 && counts[1][group] != 0) {
                bounds_[group] = {total, total + counts[0][group],
                                  total + counts[0][group] + counts[1][group]};
                total = bounds_[group].end;
            }
        }
        items_.resize(total);
        for (std::size_t side = 0; side < 2; ++side) {
            std::vector<std::uint32_t>& placed = counts[side];
            std::fill(placed.begin(), placed.end(), 0);
            for (const Member& member : members_[side]) {
                const Bounds& bounds = bounds_[member.group];
                if (bounds.begin == bounds.end) {
                    continue;
                }
                std::size_t first = side == 0 ? bounds.begin : bounds.middle;
                items_[first + placed[member.group]++] = state_.make_item(
                    static_cast<Side>(side), member.input, member.source, member.group);
            }
        }
    }

    /// False on an error.
    bool run_group(std::size_t group) {
        const Bounds& bounds = bounds_[group];
        if (bounds.begin == bounds.end) {
            return true;
        }
        bool whole = false;
        ours_.clear();
        theirs_.clear();
        for (std::size_t i = bounds.begin; i < bounds.end; ++i) {
            whole = whole || items_[i].op == Opcode::erase_object;
            (i < bounds.middle ? ours_ : theirs_).push_back(&items_[i]);
        }
        return whole || ours_.size() * theirs_.size() <= small_grid ? run_lists(ours_, theirs_)
                                                                    : run_fields();
    }

    /// Runs a group without EraseObject field by field. Creations and schema instructions count as
    /// field 0.
    bool run_fields() {
        auto by_field = [](const Item* left, const Item* right) {
            return left->field < right->field;
        };
        std::stable_sort(ours_.begin(), ours_.end(), by_field);
        std::stable_sort(theirs_.begin(), theirs_.end(), by_field);
        auto our = ours_.begin();
        auto their = theirs_.begin();
        while (our != ours_.end() && their != theirs_.end()) {
            if ((*our)->field != (*their)->field) {
                ((*our)->field < (*their)->field ? our : their)++;
                continue;
            }
            auto our_end = std::upper_bound(our, ours_.end(), *our, by_field);
            auto their_end = std::upper_bound(their, theirs_.end(), *their, by_field);
            our_field_.assign(our, our_end);
            their_field_.assign(their, their_end);
            if (!run_lists(our_field_, their_field_)) {
                return false;
            }
            our = our_end;
            their = their_end;
        }
        return true;
    }

    bool run_lists(ItemList& ours, ItemList& theirs) {
        if (!rules_.admit_meetings(ours.size(), theirs.size())) {
            return false;
        }
        if (!run_list_grid(ours, theirs, rules_)) {
            run_grid(ours, theirs, rules_);
        }
        return !rules_.failed();
    }

    struct Bounds {
        std::size_t begin = 0;
        std::size_t middle = 0; ///< ours before it, theirs from it on
        std::size_t end = 0;
    };

    static constexpr std::size_t small_grid = 64; ///< sorting by field does not pay below

    MergeState state_;
    MergeRules rules_;
    std::size_t group_count_ = 0;
    std::vector<Member> members_[2];
    std::vector<Bounds> bounds_;
    std::vector<Item> items_;
    ItemList ours_;
    ItemList theirs_;
    ItemList our_field_;
    ItemList their_field_;
};

} // namespace

Result<MergeReport> merge(std::span<MergeInput> ours, std::span<MergeInput> theirs,
                          const MergeOptions& options) {
    if (erases_schema(ours) || erases_schema(theirs)) {
        return merge_full_grid(ours, theirs, options);
    }
    return IndexedMerge(ours, theirs, options).run();
}

} // namespace tombolo::changeset
