#include "server/store/store_fixture.hpp"

namespace tombolo::store {
namespace {

class Indexes : public StoreTest {
  protected:
    static IndexSpec by(const std::string& path, bool unique = false) {
        return {path, {{path}}, unique};
    }

    std::vector<std::int64_t> ids(std::string_view index, const IndexRange& range) {
        std::vector<std::int64_t> out;
        const auto snapshot = store_->snapshot();
        const auto cursor = snapshot->scan_index(people_, index, range).value();
        while (cursor->next()) {
            std::int64_t id = 0;
            cursor->document().find("_id").to_int64(id);
            out.push_back(id);
        }
        EXPECT_TRUE(cursor->status());
        return out;
    }

    static IndexRange equal(std::int64_t value) {
        return {{mql::BsonValue::from_int64(value)}, {}, {}};
    }

    static mql::BsonDocument tagged(std::int64_t id, std::initializer_list<std::int64_t> tags) {
        mql::BsonWriter writer;
        writer.append_int64("_id", id);
        writer.begin_array("tags");
        for (const std::int64_t tag : tags) {
            writer.append_int64({}, tag);
        }
        return std::move(writer).finish();
    }
};

TEST_F(Indexes, hold_documents_from_before_and_after_they_were_made) {
    insert(document(1, "age", 30));
    insert(document(2, "age", 20));
    ASSERT_TRUE(store_->ensure_index(people_, by("age")));
    insert(document(3, "age", 30));
    put(document(2, "age", 30));
    erase(1);
    EXPECT_EQ(ids("age", equal(30)), (std::vector<std::int64_t>{2, 3}));
    EXPECT_TRUE(ids("age", equal(20)).empty());
    EXPECT_TRUE(store_->verify().value().problems.empty());
}

TEST_F(Indexes, ranges_are_inclusive_and_ordered) {
    ASSERT_TRUE(store_->ensure_index(people_, by("age")));
    for (int i = 0; i < 10; ++i) {
        insert(document(i, "age", 100 - i));
    }
    insert(document(50)); // no age: null, below every number
    IndexRange range;
    range.lower = mql::BsonValue::from_int64(93);
    range.upper = mql::BsonValue::from_int64(95);
    EXPECT_EQ(ids("age", range), (std::vector<std::int64_t>{7, 6, 5}));
    range = {};
    range.upper = mql::BsonValue::from_int64(91);
    EXPECT_EQ(ids("age", range), (std::vector<std::int64_t>{50, 9}));
}

TEST_F(Indexes, array_elements_are_entries_and_a_document_shows_once) {
    ASSERT_TRUE(store_->ensure_index(people_, by("tags")));
    insert(tagged(1, {3, 5, 5}));
    insert(tagged(2, {4}));
    insert(tagged(3, {}));
    EXPECT_EQ(ids("tags", equal(5)), (std::vector<std::int64_t>{1}));
    IndexRange range;
    range.lower = mql::BsonValue::from_int64(0);
    EXPECT_EQ(ids("tags", range), (std::vector<std::int64_t>{1, 2}));
    range.lower = mql::BsonValue::from_int64(4);
    EXPECT_EQ(ids("tags", range), (std::vector<std::int64_t>{2, 1}));
    put(tagged(1, {9}));
    EXPECT_TRUE(ids("tags", equal(5)).empty());
    EXPECT_TRUE(store_->verify().value().problems.empty());
}

TEST_F(Indexes, unique_ones_refuse_a_second_document_in_the_same_and_in_later_transactions) {
    ASSERT_TRUE(store_->ensure_index(people_, by("mail", true)));
    insert(document(1, "mail", 7));
    Transaction later;
    later.insert(people_, document(2, "mail", 7));
    const Result<Version> refused = store_->commit(std::move(later));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::duplicate_key);

    Transaction same;
    same.insert(people_, document(3, "mail", 8));
    same.insert(people_, document(4, "mail", 8));
    EXPECT_EQ(store_->commit(std::move(same)).error().code(), ErrorCode::duplicate_key);
    EXPECT_FALSE(find(3));
}

TEST_F(Indexes, unique_values_can_be_swapped_moved_and_freed_in_one_transaction) {
    ASSERT_TRUE(store_->ensure_index(people_, by("mail", true)));
    insert(document(1, "mail", 1));
    insert(document(2, "mail", 2));
    Transaction swap;
    swap.put(people_, document(1, "mail", 2));
    swap.put(people_, document(2, "mail", 1));
    ASSERT_TRUE(store_->commit(std::move(swap)));
    Transaction free_and_take;
    free_and_take.erase(people_, key_of(1));
    free_and_take.insert(people_, document(3, "mail", 2));
    ASSERT_TRUE(store_->commit(std::move(free_and_take)));
    EXPECT_EQ(ids("mail", equal(2)), (std::vector<std::int64_t>{3}));
    EXPECT_EQ(ids("mail", equal(1)), (std::vector<std::int64_t>{2}));
}

TEST_F(Indexes, unique_index_over_contradicting_documents_is_not_made) {
    insert(document(1, "mail", 1));
    insert(document(2, "mail", 1));
    EXPECT_EQ(store_->ensure_index(people_, by("mail", true)).error().code(),
              ErrorCode::duplicate_key);
    EXPECT_TRUE(store_->indexes(people_).value().empty());
    EXPECT_TRUE(store_->verify().value().problems.empty());
}

TEST_F(Indexes, compound_ones_answer_equality_then_range) {
    ASSERT_TRUE(store_->ensure_index(people_, {"by_city_age", {{"city"}, {"age"}}, false}));
    for (int i = 0; i < 12; ++i) {
        mql::BsonWriter writer;
        writer.append_int64("_id", i);
        writer.append_string("city", i % 2 == 0 ? "Oslo" : "Lima");
        writer.append_int64("age", i);
        insert(std::move(writer).finish());
    }
    IndexRange range;
    range.equal.push_back(mql::BsonValue::from_string("Lima"));
    range.lower = mql::BsonValue::from_int64(4);
    range.upper = mql::BsonValue::from_int64(9);
    EXPECT_EQ(ids("by_city_age", range), (std::vector<std::int64_t>{5, 7, 9}));
}

TEST_F(Indexes, parallel_arrays_are_refused_with_the_field_that_is_too_much) {
    ASSERT_TRUE(store_->ensure_index(people_, {"two", {{"a"}, {"b"}}, false}));
    mql::BsonWriter writer;
    writer.append_int64("_id", 1);
    for (const char* name : {"a", "b"}) {
        writer.begin_array(name);
        writer.append_int64({}, 1);
        writer.append_int64({}, 2);
        writer.end();
    }
    Transaction transaction;
    transaction.insert(people_, std::move(writer).finish());
    const Result<Version> refused = store_->commit(std::move(transaction));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("'b'"), std::string::npos);
}

TEST_F(Indexes, bad_specs_are_refused_with_the_reason) {
    for (const IndexSpec& spec :
         {IndexSpec{"", {{"a"}}, false}, IndexSpec{"x", {}, false},
          IndexSpec{"x", {{"a..b"}}, false}, IndexSpec{"x", {{"a"}, {"a"}}, false},
          IndexSpec{"x", {{".a"}}, false}}) {
        EXPECT_EQ(store_->ensure_index(people_, spec).error().code(), ErrorCode::invalid_argument);
    }
    ASSERT_TRUE(store_->ensure_index(people_, by("age")));
    ASSERT_TRUE(store_->ensure_index(people_, by("age")));
    EXPECT_EQ(store_->ensure_index(people_, {"age", {{"other"}}, false}).error().code(),
              ErrorCode::already_exists);
}

TEST_F(Indexes, survive_reopening_and_dropping) {
    ASSERT_TRUE(store_->ensure_index(people_, by("age")));
    insert(document(1, "age", 5));
    reopen();
    EXPECT_EQ(ids("age", equal(5)), (std::vector<std::int64_t>{1}));
    ASSERT_TRUE(store_->drop_index(people_, "age"));
    EXPECT_EQ(store_->snapshot()->scan_index(people_, "age", {}).error().code(),
              ErrorCode::not_found);
    const VerifyReport report = store_->verify().value();
    EXPECT_EQ(report.index_entries, 0u);
    EXPECT_TRUE(report.problems.empty());
}

TEST_F(Indexes, dropping_a_collection_leaves_nothing_of_it) {
    ASSERT_TRUE(store_->ensure_index(people_, by("age")));
    insert(document(1, "age", 5));
    put(document(1, "age", 6));
    ASSERT_TRUE(store_->drop_collection(people_));
    const VerifyReport report = store_->verify().value();
    EXPECT_EQ(report.documents + report.past_images + report.index_entries, 0u);
    EXPECT_TRUE(report.problems.empty());
    Transaction transaction;
    transaction.insert(people_, document(1));
    EXPECT_EQ(store_->commit(std::move(transaction)).error().code(), ErrorCode::not_found);
    EXPECT_NE(store_->ensure_collection({"source", "app", "people"}).value(), people_);
}

} // namespace
} // namespace tombolo::store
