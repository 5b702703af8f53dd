// Updates, projections and sort orders beyond the text-driven cases.

#include <algorithm>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "mql/bson_compare.hpp"
#include "mql/bson_diff.hpp"
#include "mql/bson_gen.hpp"
#include "mql/case_runner.hpp"
#include "mql/projection.hpp"
#include "mql/sort.hpp"
#include "mql/update.hpp"

namespace tombolo::mql {
namespace {

BsonDocument json(std::string_view text) {
    return *test::from_json(text);
}

Result<BsonDocument> applied(std::string_view update, BsonDocumentView document) {
    TOMBOLO_TRY(const Update compiled, Update::compile(json(update).view().as_value()));
    return compiled.apply(document, {});
}

TEST(Update, gives_the_same_bytes_when_nothing_changes) {
    const BsonDocument before = json(R"({"_id": 1, "a": {"b": [1, 2]}, "c": 5})");
    const auto after = applied(
        R"({"$set": {"a.b.0": 1}, "$inc": {"c": 0}, "$unset": {"x": 1}, "$pull": {"a.z": 5}})",
        before);
    ASSERT_TRUE(after);
    EXPECT_TRUE(identical(before.view().as_value(), after->view().as_value()));
}

TEST(Update, changes_only_the_fields_it_names) {
    const BsonDocument before = json(R"({"_id": 1, "a": {"b": [1, 2], "c": 3}, "d": 4})");
    const auto after = applied(R"({"$inc": {"a.b.1": 5}, "$set": {"e.f": 1}})", before);
    ASSERT_TRUE(after);
    const std::vector<FieldChange> changes = diff(before, *after);
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[0].path, (std::vector<std::string_view>{"a", "b", "1"}));
    EXPECT_EQ(changes[0].after.as_int32(), 7);
    EXPECT_EQ(changes[1].path, std::vector<std::string_view>{"e"});
}

TEST(Update, outlives_its_spec) {
    auto spec = std::make_unique<BsonDocument>(json(R"({"$push": {"a": {"$each": [{"x": 1}]}}})"));
    const Update update = *Update::compile(spec->view().as_value());
    spec.reset();
    EXPECT_TRUE(update.apply(json(R"({"a": []})"), {}));
}

TEST(Update, can_be_applied_to_many_documents) {
    const Update update = *Update::compile(json(R"({"$inc": {"n": 1}})").view().as_value());
    for (int i = 0; i < 3; ++i) {
        BsonWriter writer;
        writer.append_int32("n", i);
        EXPECT_EQ(update.apply(std::move(writer).finish(), {})->view().find("n").as_int32(), i + 1);
    }
}

TEST(Update, refuses_a_result_that_is_too_deep) {
    BsonWriter writer;
    for (std::size_t i = 0; i < 90; ++i) {
        writer.begin_document("a");
    }
    const BsonDocument deep = std::move(writer).finish();
    BsonWriter update;
    update.begin_document("$set");
    update.append("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", deep.view().as_value());
    const auto compiled = Update::compile(std::move(update).finish().view().as_value());
    ASSERT_TRUE(compiled);
    const auto result = compiled->apply({}, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::limit_exceeded);
}

TEST(Update, refuses_a_result_that_is_too_large) {
    BsonWriter writer;
    writer.append_string("a", std::string(9 * 1024 * 1024, 'x'));
    const BsonDocument large = std::move(writer).finish();
    BsonWriter update;
    update.begin_document("$set");
    update.append("b", large.view().find("a"));
    const auto result =
        Update::compile(std::move(update).finish().view().as_value())->apply(large, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::limit_exceeded);
}

TEST(Update, errors_name_the_operator_and_the_path) {
    const auto failed = applied(R"({"$inc": {"a.b": 1}})", json(R"({"_id": 1, "a": {"b": "x"}})"));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::mql_failed);
    EXPECT_EQ(failed.error().context(), "$inc 'a.b'");
}

TEST(Update, knows_its_form) {
    EXPECT_TRUE(Update::compile(json(R"({"a": 1})").view().as_value())->is_replacement());
    EXPECT_FALSE(
        Update::compile(json(R"({"$set": {"a": 1}})").view().as_value())->is_replacement());
}

RC_GTEST_PROP(Update, sets_exactly_what_differs, ()) {
    // The difference of two documents, written as $set and $unset, carries one into the other.
    const BsonDocument before = test::any_document(1);
    const BsonDocument after = test::any_document(1);
    BsonWriter writer;
    writer.begin_document("$set");
    for (const BsonElement& element : after.view()) {
        writer.append(element.key, element.value);
    }
    writer.end();
    writer.begin_document("$unset");
    for (const BsonElement& element : before.view()) {
        if (after.view().find(element.key).is_missing()) {
            writer.append_int32(element.key, 1);
        }
    }
    const auto update = Update::compile(std::move(writer).finish().view().as_value());
    RC_ASSERT(update.has_value());
    const auto result = update->apply(before, {});
    RC_ASSERT(result.has_value());
    RC_ASSERT(diff(*result, after).empty());
}

RC_GTEST_PROP(Update, inc_is_undone_by_its_negative, (std::int32_t start, std::int32_t step)) {
    BsonWriter document;
    document.append_int64("n", start);
    BsonWriter up;
    up.begin_document("$inc");
    up.append_int64("n", step);
    BsonWriter down;
    down.begin_document("$inc");
    down.append_int64("n", -std::int64_t{step});
    const BsonDocument before = std::move(document).finish();
    const auto there = Update::compile(std::move(up).finish().view().as_value())->apply(before, {});
    const auto back =
        Update::compile(std::move(down).finish().view().as_value())->apply(*there, {});
    RC_ASSERT(identical(before.view().as_value(), back->view().as_value()));
}

RC_GTEST_PROP(Projection, inclusion_and_exclusion_share_out_the_fields, ()) {
    const BsonDocument document = test::any_document(1);
    const auto included = Projection::compile(json(R"({"a": 1, "c": 1})"))->apply(document);
    const auto excluded = Projection::compile(json(R"({"a": 0, "c": 0})"))->apply(document);
    RC_ASSERT(included->view().count() + excluded->view().count() == document.view().count());
}

RC_GTEST_PROP(SortOrder, sorts_by_its_own_comparison_and_is_stable, ()) {
    std::vector<BsonDocument> documents;
    std::vector<BsonView> views;
    for (int count = *rc::gen::inRange(0, 8); count > 0; --count) {
        documents.push_back(test::any_document(1));
    }
    views.reserve(documents.size());
    for (const BsonDocument& document : documents) {
        views.push_back(document.view().as_value());
    }
    const SortOrder order = *SortOrder::compile(json(R"({"a": 1, "b": -1})"));
    std::vector<BsonView> sorted = views;
    order.sort(sorted);
    for (std::size_t i = 1; i < sorted.size(); ++i) {
        const int compared = order.compare(order.keys(sorted[i - 1]), order.keys(sorted[i]));
        RC_ASSERT(compared <= 0);
        if (compared == 0) {
            RC_ASSERT(sorted[i - 1].bytes().data() != sorted[i].bytes().data());
            const auto place = [&](BsonView view) {
                return std::find_if(views.begin(), views.end(), [&](BsonView other) {
                    return other.bytes().data() == view.bytes().data();
                });
            };
            RC_ASSERT(place(sorted[i - 1]) < place(sorted[i]));
        }
    }
}

} // namespace
} // namespace tombolo::mql
