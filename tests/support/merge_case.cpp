#include "support/merge_case.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "changeset/codec.hpp"
#include "core/bytes.hpp"
#include "support/vector_json.hpp"

namespace tombolo::testing {

namespace json = boost::json;
using changeset::Changeset;
using changeset::MemoryState;
using changeset::MergeInput;

namespace {

using Side = std::vector<TimedChangeset>;
using Numbers = std::vector<std::vector<std::uint32_t>>;

Changeset write_all(RandomWriter& writer, const std::vector<std::uint32_t>& numbers) {
    for (const std::uint32_t number : numbers) {
        Choices choices(number);
        writer.write(choices);
    }
    return writer.take();
}

Side write_side(const MemoryState& base, const Numbers& numbers, std::uint64_t file_ident,
                Choices& clock, WriterHabit habit) {
    MemoryState state = base;
    RandomWriter writer(state, habit);
    Side side;
    // A tiny range, so that equal timestamps and both orders are common.
    std::uint64_t timestamp = clock.pick(4);
    for (const auto& changeset : numbers) {
        side.push_back({write_all(writer, changeset), timestamp, file_ident});
        timestamp += clock.pick(3);
    }
    return side;
}

std::vector<MergeInput> inputs(Side& side) {
    std::vector<MergeInput> result;
    for (TimedChangeset& item : side) {
        result.push_back({&item.changeset, item.timestamp, item.file_ident});
    }
    return result;
}

struct Merged {
    Side left;
    Side right;
};

Result<Merged> run(const MergeCase& tested, decltype(&changeset::merge) function,
                   bool left_is_ours) {
    Merged merged{tested.left, tested.right};
    std::vector<MergeInput> left = inputs(merged.left);
    std::vector<MergeInput> right = inputs(merged.right);
    TOMBOLO_TRY_VOID(left_is_ours ? function(left, right, {}) : function(right, left, {}));
    return merged;
}

bool same(const Side& left, const Side& right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](const TimedChangeset& one, const TimedChangeset& other) {
                          return same_instructions(one.changeset, other.changeset);
                      });
}

Result<MemoryState> state_after(MemoryState state, const Side& first, const Side& second) {
    for (const Side* side : {&first, &second}) {
        for (const TimedChangeset& item : *side) {
            TOMBOLO_TRY_VOID(apply(item.changeset, state));
        }
    }
    return state;
}

json::string hex_of(const Changeset& changeset) {
    return json::string(to_hex(changeset::encode(changeset)));
}

/// One object, or an array of them when the line is one of merges_multi.jsonl.
template <class Print>
json::value print_side(const Side& side, bool is_multi, Print print) {
    json::array printed;
    for (const TimedChangeset& item : side) {
        printed.emplace_back(print(item));
    }
    return is_multi ? json::value(printed) : printed.at(0);
}

json::value print_state(const Result<MemoryState>& state) {
    return state ? canonical(state_to_json(*state))
                 : json::value(json::object{{"apply_error", true}});
}

std::string vector_line(const MergeCase& tested, const Result<Merged>& merged) {
    const bool is_multi = tested.left.size() != 1 || tested.right.size() != 1;
    json::object line;
    line["name"] = "property";
    json::array base;
    for (const Changeset& changeset : tested.base) {
        base.emplace_back(hex_of(changeset));
    }
    line["base"] = std::move(base);
    const auto print_input = [](const TimedChangeset& item) {
        return json::value(json::object{{"hex", hex_of(item.changeset)},
                                        {"timestamp", item.timestamp},
                                        {"file_ident", item.file_ident}});
    };
    line["left"] = print_side(tested.left, is_multi, print_input);
    line["right"] = print_side(tested.right, is_multi, print_input);
    line["state"] = nullptr;
    if (!merged) {
        line["left_transformed_hex"] = nullptr;
        line["right_transformed_hex"] = nullptr;
        line["outcome"] = "merge_error";
    } else {
        const auto print_hex = [](const TimedChangeset& item) {
            return json::value(hex_of(item.changeset));
        };
        line["left_transformed_hex"] = print_side(merged->left, is_multi, print_hex);
        line["right_transformed_hex"] = print_side(merged->right, is_multi, print_hex);
        line["outcome"] = "diverged";
        line["left_first_state"] =
            print_state(state_after(tested.base_state, tested.left, merged->right));
        line["right_first_state"] =
            print_state(state_after(tested.base_state, tested.right, merged->left));
    }
    return json::serialize(line);
}

std::string describe(const Side& side) {
    std::string text;
    for (const TimedChangeset& item : side) {
        text += "  changeset of " + std::to_string(item.file_ident) + " at " +
                std::to_string(item.timestamp) + "\n" + to_text(item.changeset);
    }
    return text;
}

} // namespace

MergeCase build_merge_case(const MergeCaseNumbers& numbers, WriterHabit habit) {
    MergeCase built;
    RandomWriter writer(built.base_state, habit);
    Choices schema(numbers.schema);
    writer.write_schema(schema);
    built.base.push_back(writer.take());
    built.base.push_back(write_all(writer, numbers.base));
    Choices clock(numbers.clocks);
    built.left = write_side(built.base_state, numbers.left, 2, clock, habit);
    built.right = write_side(built.base_state, numbers.right, 3, clock, habit);
    return built;
}

std::optional<std::string> check_merge_case(const MergeCase& tested) {
    const Result<Merged> merged = run(tested, &changeset::merge, true);
    const auto failure = [&](const std::string& reason) {
        return reason + "\n" + describe(tested.left) + describe(tested.right) +
               vector_line(tested, merged);
    };
    if (!merged) {
        return failure(std::string("merge failed: ") + merged.error().what());
    }
    const Result<Merged> swapped = run(tested, &changeset::merge, false);
    if (!swapped || !same(merged->left, swapped->left) || !same(merged->right, swapped->right)) {
        return failure("merge(left, right) and merge(right, left) differ");
    }
    for (const bool left_is_ours : {true, false}) {
        const Result<Merged> grid = run(tested, &changeset::merge_full_grid, left_is_ours);
        if (!grid || !same(merged->left, grid->left) || !same(merged->right, grid->right)) {
            return failure("the full grid and the index differ");
        }
    }
    const auto left_first = state_after(tested.base_state, tested.left, merged->right);
    const auto right_first = state_after(tested.base_state, tested.right, merged->left);
    if (!left_first || !right_first) {
        return failure(std::string("a transformed changeset does not apply: ") +
                       (left_first ? right_first : left_first).error().what());
    }
    if (!identical(*left_first, *right_first)) {
        return failure("the two orders end in different states");
    }
    return std::nullopt;
}

} // namespace tombolo::testing
