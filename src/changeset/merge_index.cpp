// merge(): the grid of 4.2, cut into groups whose members alone can meet (4.3).
//
// Two instructions can only meet when they are on one object, add one class, or add one column.
// Each such thing is a group; a group that only one side touches is never looked at again. Inside a
// group without an EraseObject only instructions on one field meet. EraseTable and EraseColumn
// reach across groups: with one of them on either side the full grid runs.

#include <algorithm>
#include <array>

#include "changeset/merge.hpp"
#include "changeset/merge_grid.hpp"
#include "changeset/merge_list.hpp"
#include "changeset/merge_rules.hpp"
#include "changeset/merge_state.hpp"

namespace tombolo::changeset {

namespace {

/// Consecutive instructions of one changeset that are in one group.
struct Run {
    std::uint32_t group = 0;
    std::uint32_t input = 0;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
};

/// Reads a byte of what is needed soon, and waits for nothing. For what the merge has not looked at
/// yet, because the processor drops prefetches of pages whose address it does not have at hand.
void touch(const void* place) noexcept {
    static_cast<void>(*static_cast<const volatile std::byte*>(place));
}

/// A run whose object is not looked up yet.
struct Pending {
    ObjectTable::Asked object;
    Run run;
};

class IndexedMerge {
  public:
    IndexedMerge(std::span<MergeInput> ours, std::span<MergeInput> theirs,
                 const MergeOptions& options)
        : state_(ours, theirs), rules_(state_, options), options_(options) {}

    Result<MergeReport> run() {
        TOMBOLO_TRY_VOID(state_.intern_strings());
        if (!find_groups()) {
            return merge_full_grid(state_.inputs(Side::ours), state_.inputs(Side::theirs),
                                   options_);
        }
        for (std::size_t i = 0; i < groups_.size(); ++i) {
            ask_ahead(i);
            if (!run_group(groups_[i])) {
                return rules_.failed()
                           ? rules_.error()
                           : Error(ErrorCode::limit_exceeded,
                                   "cannot merge: more pairs of instructions than allowed");
            }
        }
        state_.write_back();
        return MergeReport{rules_.take_edges()};
    }

  private:
    /// What both sides touch, and the runs it has in our_runs_ and their_runs_.
    struct Group {
        ObjectSymbol object = no_object;
        std::size_t our_count = 0;
        std::size_t their_count = 0;
        std::size_t our_first = 0;
        std::size_t their_first = 0;
    };

    /// Enters their objects into the table, then looks ours up: what both touch becomes a group, in
    /// the order in which ours come to it. False when one side erases a class or property: then
    /// everything can meet.
    bool find_groups() {
        ObjectTable& objects = state_.objects();
        objects.reserve(key_count(state_.inputs(Side::theirs)));
        std::vector<Run> runs;
        if (!find_runs(Side::theirs, runs, [&objects](const ObjectTable::Asked& asked) {
                return objects.intern(asked);
            })) {
            return false;
        }
        std::vector<std::uint32_t> group_of(objects.size(), 0); // number + 1
        auto our_group = [this, &objects, &group_of](const ObjectTable::Asked& asked) {
            ObjectSymbol object = objects.find(asked);
            if (object == no_object) {
                return no_object;
            }
            if (group_of[object] == 0) {
                groups_.push_back({object});
                group_of[object] = static_cast<std::uint32_t>(groups_.size());
            }
            return group_of[object] - 1;
        };
        if (!find_runs(Side::ours, our_runs_, our_group)) {
            return false;
        }
        for (const Run& run : runs) {
            if (std::uint32_t number = group_of[run.group]; number != 0) {
                their_runs_.push_back({number - 1, run.input, run.first, run.count});
            }
        }
        sort_runs();
        return true;
    }

    static std::size_t key_count(std::span<const MergeInput> inputs) {
        std::size_t count = 0;
        for (const MergeInput& input : inputs) {
            count += input.changeset->parts().keys.size();
        }
        return count;
    }

    /// Collects the runs for which group_of() gives a number other than no_object. False at an
    /// EraseTable or EraseColumn. The table of objects is larger than the processor's caches when
    /// the changesets are: each place in it is asked for some runs before it is looked at.
    template <class GroupOf>
    bool find_runs(Side side, std::vector<Run>& runs, GroupOf group_of) {
        std::span<MergeInput> inputs = state_.inputs(side);
        runs.reserve(key_count(inputs));
        std::array<Pending, runs_ahead> pending;
        std::size_t begun = 0;
        std::size_t done = 0;
        auto finish_one = [&] {
            Pending& next = pending[done++ % runs_ahead];
            next.run.group = group_of(next.object);
            if (next.run.group != no_object) {
                runs.push_back(next.run);
            }
        };
        for (std::size_t input = 0; input < inputs.size(); ++input) {
            std::span<const Instruction> list = inputs[input].changeset->instructions();
            for (std::size_t first = 0; first < list.size();) {
                if (list[first].op == Opcode::erase_table ||
                    list[first].op == Opcode::erase_column) {
                    return false;
                }
                if (begun - done == runs_ahead) {
                    finish_one();
                }
                std::size_t end = end_of_run(list, first);
                Pending& next = pending[begun++ % runs_ahead];
                next.object = state_.objects().ask(state_.object_entry(side, input, list[first]));
                next.run = {no_object, static_cast<std::uint32_t>(input),
                            static_cast<std::uint32_t>(first),
                            static_cast<std::uint32_t>(end - first)};
                first = end;
            }
        }
        for (std::size_t left = begun - done; left > 0; --left) {
            finish_one();
        }
        return true;
    }

    static std::size_t end_of_run(std::span<const Instruction> list, std::size_t first) noexcept {
        std::size_t end = first + 1;
        if (!is_schema_instruction(list[first].op)) {
            while (end < list.size() && !is_schema_instruction(list[end].op) &&
                   list[end].table == list[first].table && list[end].object == list[first].object) {
                ++end;
            }
        }
        return end;
    }

    /// Brings the runs of each group together, in their order.
    void sort_runs() {
        auto by_group = [](const Run& left, const Run& right) { return left.group < right.group; };
        for (std::vector<Run>* runs : {&our_runs_, &their_runs_}) {
            if (!std::is_sorted(runs->begin(), runs->end(), by_group)) {
                std::stable_sort(runs->begin(), runs->end(), by_group);
            }
        }
        for (const Run& run : our_runs_) {
            groups_[run.group].our_count += 1;
        }
        for (const Run& run : their_runs_) {
            groups_[run.group].their_count += 1;
        }
        std::size_t our_first = 0;
        std::size_t their_first = 0;
        for (Group& group : groups_) {
            group.our_first = our_first;
            group.their_first = their_first;
            our_first += group.our_count;
            their_first += group.their_count;
        }
    }

    /// Groups lie scattered over changesets larger than the processor's caches. So asks for the
    /// instructions of several that come soon, all at once because each takes as long as all
    /// together, and for the paths and set elements of those that come next, whose instructions are
    /// there by then.
    void ask_ahead(std::size_t at) const noexcept {
        if (at % asked_groups != 0) {
            return;
        }
        for_groups(at + 2 * asked_groups, touch_instructions);
        for_groups(at + asked_groups, touch_operands);
    }
    template <class Function>
    void for_groups(std::size_t first, Function function) const noexcept {
        const std::size_t end = std::min(first + asked_groups, groups_.size());
        for (std::size_t i = first; i < end; ++i) {
            for_first_run(Side::ours, our_runs_[groups_[i].our_first], function);
            for_first_run(Side::theirs, their_runs_[groups_[i].their_first], function);
        }
    }
    template <class Function>
    void for_first_run(Side side, const Run& run, Function function) const noexcept {
        const ChangesetParts& parts = state_.inputs(side)[run.input].changeset->parts();
        function(parts, std::span(parts.instructions.data() + run.first,
                                  std::min(run.count, touched_max)));
    }
    static void touch_instructions(const ChangesetParts& /*parts*/,
                                   std::span<const Instruction> run) noexcept {
        for (const Instruction& instruction : run) {
            touch(&instruction);
        }
    }
    static void touch_operands(const ChangesetParts& parts,
                               std::span<const Instruction> run) noexcept {
        if (run.front().path_count != 0) {
            touch(parts.path_elements.data() + run.front().path_begin);
        }
        __builtin_prefetch(parts.path_elements.data() + run.back().path_begin);
        for (const Instruction& instruction : run) {
            bool in_set =
                instruction.op == Opcode::set_insert || instruction.op == Opcode::set_erase;
            if (in_set && instruction.type == PayloadType::string &&
                instruction.body.words[1] != 0) {
                touch(parts.bytes.data() + instruction.body.words[0]);
                // memcmp() reads that far, of a short text too.
                __builtin_prefetch(
                    parts.bytes.data() +
                    std::min<std::size_t>(instruction.body.words[0] + 31, parts.bytes.size() - 1));
            }
        }
    }
    void add_items(Side side, std::span<const Run> runs, ObjectSymbol object) {
        for (const Run& run : runs) {
            for (std::uint32_t i = 0; i < run.count; ++i) {
                items_.push_back(state_.make_item(side, run.input, run.first + i, object));
            }
        }
    }

    /// False on an error.
    bool run_group(const Group& group) {
        items_.clear();
        add_items(Side::ours, std::span(our_runs_).subspan(group.our_first, group.our_count),
                  group.object);
        std::size_t our_items = items_.size();
        add_items(Side::theirs,
                  std::span(their_runs_).subspan(group.their_first, group.their_count),
                  group.object);
        // These meet what is on other fields too.
        bool whole = is_schema_instruction(items_.front().op);
        ours_.clear();
        theirs_.clear();
        for (std::size_t i = 0; i < items_.size(); ++i) {
            whole = whole || items_[i].op == Opcode::erase_object;
            (i < our_items ? ours_ : theirs_).push_back(&items_[i]);
        }
        bool sound = false;
        if (whole) {
            sound = run_lists(ours_, theirs_, Meeting::all);
        } else if (ours_.size() * theirs_.size() <= small_grid) {
            sound = run_lists(ours_, theirs_, Meeting::on_one_field);
        } else {
            sound = run_fields();
        }
        if (sound) {
            state_.keep_changes(items_);
        }
        return sound;
    }

    /// Runs a group of one object without EraseObject field by field. Creations count as field 0.
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
            if (!run_lists(our_field_, their_field_, Meeting::all)) {
                return false;
            }
            our = our_end;
            their = their_end;
        }
        return true;
    }

    bool run_lists(ItemList& ours, ItemList& theirs, Meeting meeting) {
        if (!rules_.admit_meetings(ours.size(), theirs.size())) {
            return false;
        }
        if (!run_list_grid(ours, theirs, rules_)) {
            run_grid(ours, theirs, rules_, meeting);
        }
        return !rules_.failed();
    }

    static constexpr std::size_t runs_ahead = 16;
    static constexpr std::size_t asked_groups = 8;
    static constexpr std::uint32_t touched_max = 8; ///< instructions of one run
    static constexpr std::size_t small_grid = 64;   ///< sorting by field does not pay below

    MergeState state_;
    MergeRules rules_;
    const MergeOptions& options_;
    std::vector<Run> our_runs_;
    std::vector<Run> their_runs_;
    std::vector<Group> groups_;
    std::vector<Item> items_;
    ItemList ours_;
    ItemList theirs_;
    ItemList our_field_;
    ItemList their_field_;
};

} // namespace

Result<MergeReport> merge(std::span<MergeInput> ours, std::span<MergeInput> theirs,
                          const MergeOptions& options) {
    return IndexedMerge(ours, theirs, options).run();
}

} // namespace tombolo::changeset
