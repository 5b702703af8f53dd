#include "changeset/merge_support.hpp"

#include <gtest/gtest.h>

namespace tombolo::changeset::test {

namespace {

struct Way {
    const char* name;
    bool left_is_ours;
    bool full_grid;
};

constexpr Way ways[] = {{"indexed, left is ours", true, false},
                        {"indexed, right is ours", false, false},
                        {"full grid, left is ours", true, true},
                        {"full grid, right is ours", false, true}};

Result<MergeReport> run(const Way& way, MergeInput& left, MergeInput& right,
                        const MergeOptions& options) {
    std::span<MergeInput> ours(way.left_is_ours ? &left : &right, 1);
    std::span<MergeInput> theirs(way.left_is_ours ? &right : &left, 1);
    return way.full_grid ? merge_full_grid(ours, theirs, options) : merge(ours, theirs, options);
}

} // namespace

Changeset build(const Edits& edits) {
    ChangesetBuilder builder;
    edits(builder);
    return *builder.finish();
}

Place at(std::string_view field, std::vector<PathStep> path) {
    return {"Foo", std::int64_t{1}, field, std::move(path)};
}

void nothing(ChangesetBuilder&) {}

std::vector<EdgeMet> expect_merge(const Edits& left, const Edits& right, const Edits& left_after,
                                  const Edits& right_after, Origin left_origin, Origin right_origin,
                                  const MergeOptions& options) {
    const Changeset expected_left = build(left_after);
    const Changeset expected_right = build(right_after);
    std::vector<EdgeMet> edges;
    for (const Way& way : ways) {
        SCOPED_TRACE(way.name);
        const Changeset left_before = build(left);
        const Changeset right_before = build(right);
        Changeset left_now = left_before;
        Changeset right_now = right_before;
        MergeInput left_input{&left_now, left_origin.timestamp, left_origin.file_ident};
        MergeInput right_input{&right_now, right_origin.timestamp, right_origin.file_ident};
        Result<MergeReport> report = run(way, left_input, right_input, options);
        if (!report) {
            ADD_FAILURE() << report.error().what();
            continue;
        }
        EXPECT_EQ(to_text(left_now), to_text(expected_left));
        EXPECT_EQ(to_text(right_now), to_text(expected_right));
        EXPECT_TRUE(same_instructions(left_now, expected_left));
        EXPECT_TRUE(same_instructions(right_now, expected_right));
        EXPECT_EQ(left_input.modified, !same_instructions(left_now, left_before));
        EXPECT_EQ(right_input.modified, !same_instructions(right_now, right_before));
        edges = report->edges;
    }
    return edges;
}

void expect_merge_error(const Edits& left, const Edits& right) {
    for (const Way& way : ways) {
        SCOPED_TRACE(way.name);
        Changeset left_now = build(left);
        Changeset right_now = build(right);
        MergeInput left_input{&left_now, 1, 2};
        MergeInput right_input{&right_now, 2, 3};
        Result<MergeReport> report = run(way, left_input, right_input, {});
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code(), ErrorCode::merge_error);
        EXPECT_FALSE(report.error().context().empty());
        EXPECT_TRUE(same_instructions(left_now, build(left)));
        EXPECT_TRUE(same_instructions(right_now, build(right)));
    }
}

} // namespace tombolo::changeset::test
