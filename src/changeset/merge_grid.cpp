#include "changeset/merge_grid.hpp"

#include <algorithm>

namespace tombolo::changeset {

namespace {

class Grid {
  public:
    Grid(ItemList& ours, ItemList& theirs, MergeRules& rules, Meeting meeting)
        : ours_(ours), theirs_(theirs), rules_(rules), meeting_(meeting) {}

    void run() {
        for (std::size_t row = 0; row < ours_.size() && !rules_.failed(); ++row) {
            bool discarded = false;
            row += run_row(row, 0, discarded);
            if (discarded) {
                std::erase_if(theirs_, [](const Item* item) { return item->dead; });
            }
        }
    }

  private:
    /// One item of ours meets theirs from `column` on. Returns how many items were put in front of
    /// it.
    std::size_t run_row(std::size_t row, std::size_t column, bool& discarded) {
        Item* major = ours_[row];
        std::size_t inserted = 0;
        for (; column < theirs_.size() && !major->dead && !rules_.failed(); ++column) {
            Item* minor = theirs_[column];
            if (minor->dead ||
                (meeting_ == Meeting::on_one_field && minor->field != major->field)) {
                continue;
            }
            rules_.meet(*major, *minor);
            discarded = discarded || minor->dead;
            Item* prepended = rules_.take_prepended();
            if (prepended == nullptr) {
                continue;
            }
            if (prepended->side == Side::theirs) {
                // Later items of ours meet it, this one does not.
                theirs_.insert(theirs_.begin() + static_cast<std::ptrdiff_t>(column), prepended);
                ++column;
            } else {
                ours_.insert(ours_.begin() + static_cast<std::ptrdiff_t>(row), prepended);
                run_row(row, column + 1, discarded);
                ++row;
                ++inserted;
            }
        }
        return inserted;
    }

    ItemList& ours_;
    ItemList& theirs_;
    MergeRules& rules_;
    const Meeting meeting_;
};

ItemList all_items(MergeState& state, Side side, std::vector<Item>& items) {
    std::size_t begin = items.size();
    std::span<MergeInput> inputs = state.inputs(side);
    for (std::size_t input = 0; input < inputs.size(); ++input) {
        std::span<const Instruction> instructions = inputs[input].changeset->instructions();
        for (std::size_t i = 0; i < instructions.size(); ++i) {
            ObjectSymbol object =
                state.objects().intern(state.object_entry(side, input, instructions[i]));
            items.push_back(state.make_item(side, input, i, object));
        }
    }
    ItemList list;
    for (std::size_t i = begin; i < items.size(); ++i) {
        list.push_back(&items[i]);
    }
    return list;
}

std::size_t instruction_count(std::span<const MergeInput> inputs) {
    std::size_t count = 0;
    for (const MergeInput& input : inputs) {
        count += input.changeset->instructions().size();
    }
    return count;
}

} // namespace

void run_grid(ItemList& ours, ItemList& theirs, MergeRules& rules, Meeting meeting) {
    Grid(ours, theirs, rules, meeting).run();
}

Result<MergeReport> merge_full_grid(std::span<MergeInput> ours, std::span<MergeInput> theirs,
                                    const MergeOptions& options) {
    MergeState state(ours, theirs);
    TOMBOLO_TRY_VOID(state.intern_strings());
    MergeRules rules(state, options);
    std::vector<Item> items;
    items.reserve(instruction_count(ours) + instruction_count(theirs)); // the lists hold addresses
    ItemList rows = all_items(state, Side::ours, items);
    ItemList columns = all_items(state, Side::theirs, items);
    if (!rules.admit_meetings(rows.size(), columns.size())) {
        return Error(ErrorCode::limit_exceeded,
                     "cannot merge: more pairs of instructions than allowed");
    }
    run_grid(rows, columns, rules, Meeting::all);
    if (rules.failed()) {
        return rules.error();
    }
    state.keep_changes(items);
    state.write_back();
    return MergeReport{rules.take_edges()};
}

} // namespace tombolo::changeset
