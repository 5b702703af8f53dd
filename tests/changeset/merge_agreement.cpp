#include "changeset/merge_agreement.hpp"

#include <vector>

namespace tombolo::changeset::test {

namespace {

struct Outcome {
    std::vector<Changeset> left;
    std::vector<Changeset> right;
    bool merged = false;
    std::size_t edges = 0;
    std::string problem;
};

std::vector<MergeInput> inputs_of(std::vector<Changeset>& changesets, std::uint64_t file_ident) {
    std::vector<MergeInput> inputs;
    for (Changeset& changeset : changesets) {
        inputs.push_back({&changeset, inputs.size() + 1, file_ident});
    }
    return inputs;
}

std::string check_flags(std::span<const MergeInput> inputs, std::span<const Changeset> before,
                        bool merged) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        bool same = same_instructions(*inputs[i].changeset, before[i]);
        if (!same && (!merged || !inputs[i].modified)) {
            return "changed without saying so: " + to_text(before[i]);
        }
    }
    return {};
}

Outcome run(std::span<const Changeset> left, std::span<const Changeset> right, bool left_is_ours,
            bool full_grid, MoveOverInnerRule rule) {
    Outcome outcome;
    outcome.left.assign(left.begin(), left.end());
    outcome.right.assign(right.begin(), right.end());
    std::vector<MergeInput> left_inputs = inputs_of(outcome.left, 2);
    std::vector<MergeInput> right_inputs = inputs_of(outcome.right, 3);
    std::vector<MergeInput>& ours = left_is_ours ? left_inputs : right_inputs;
    std::vector<MergeInput>& theirs = left_is_ours ? right_inputs : left_inputs;
    MergeOptions options;
    options.move_over_inner = rule;
    Result<MergeReport> report =
        full_grid ? merge_full_grid(ours, theirs, options) : merge(ours, theirs, options);
    outcome.merged = report.has_value();
    outcome.edges = report ? report->edges.size() : 0;
    outcome.problem = check_flags(left_inputs, left, outcome.merged);
    if (outcome.problem.empty()) {
        outcome.problem = check_flags(right_inputs, right, outcome.merged);
    }
    return outcome;
}

std::string text_of(const Outcome& outcome) {
    std::string text = outcome.merged ? "merged\n" : "merge error\n";
    for (const std::vector<Changeset>* side : {&outcome.left, &outcome.right}) {
        for (const Changeset& changeset : *side) {
            text += to_text(changeset) + "--\n";
        }
    }
    return text;
}

bool same_sides(std::span<const Changeset> left, std::span<const Changeset> right) {
    for (std::size_t i = 0; i < left.size(); ++i) {
        if (!same_instructions(left[i], right[i])) {
            return false;
        }
    }
    return true;
}

} // namespace

std::string disagreement(std::span<const Changeset> left, std::span<const Changeset> right,
                         MoveOverInnerRule rule, bool& merged) {
    Outcome reference = run(left, right, true, true, rule);
    merged = reference.merged;
    if (!reference.problem.empty()) {
        return reference.problem;
    }
    for (bool left_is_ours : {true, false}) {
        for (bool full_grid : {false, true}) {
            Outcome outcome = run(left, right, left_is_ours, full_grid, rule);
            if (!outcome.problem.empty()) {
                return outcome.problem;
            }
            // Which edges are met does not depend on the index; on the order of operands it may,
            // where one hides another.
            bool same_edges = outcome.edges == reference.edges || left_is_ours != true;
            if (outcome.merged != reference.merged || !same_edges ||
                !same_sides(outcome.left, reference.left) ||
                !same_sides(outcome.right, reference.right)) {
                return std::string(full_grid ? "full grid" : "index") +
                       (left_is_ours ? ", left is ours: " : ", right is ours: ") +
                       text_of(outcome) + "instead of " + text_of(reference);
            }
        }
    }
    return {};
}

} // namespace tombolo::changeset::test
