#include <algorithm>
#include <atomic>
#include <thread>

#include "server/store/store_fixture.hpp"

namespace tombolo::store {
namespace {

class Documents : public StoreTest {};

TEST_F(Documents, are_found_after_commit_and_after_reopening) {
    const Version version = insert(document(1, "age", 30));
    EXPECT_EQ(field(find(1), "age"), 30);
    reopen();
    EXPECT_EQ(field(find(1), "age"), 30);
    EXPECT_EQ(store_->newest_version(), version);
    EXPECT_EQ(find(1)->created, version);
}

TEST_F(Documents, second_insert_of_an_id_is_a_duplicate_key_and_changes_nothing) {
    insert(document(1, "age", 30));
    Transaction transaction;
    transaction.insert(people_, document(2, "age", 1));
    transaction.insert(people_, document(1, "age", 2));
    const Result<Version> answer = store_->commit(std::move(transaction));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::duplicate_key);
    EXPECT_EQ(answer.error().context(), "source/app/people");
    EXPECT_FALSE(find(2));
    EXPECT_EQ(field(find(1), "age"), 30);
}

TEST_F(Documents, ids_that_compare_equal_are_one_id) {
    insert(document(7, "age", 30));
    mql::BsonWriter writer;
    writer.append_double("_id", 7.0);
    Transaction transaction;
    transaction.insert(people_, std::move(writer).finish());
    EXPECT_EQ(store_->commit(std::move(transaction)).error().code(), ErrorCode::duplicate_key);
}

TEST_F(Documents, without_or_with_an_impossible_id_are_refused) {
    mql::BsonWriter no_id;
    no_id.append_int32("a", 1);
    Transaction transaction;
    transaction.put(people_, std::move(no_id).finish());
    EXPECT_EQ(store_->commit(std::move(transaction)).error().code(), ErrorCode::invalid_argument);

    mql::BsonWriter array_id;
    array_id.begin_array("_id");
    array_id.end();
    Transaction second;
    second.put(people_, std::move(array_id).finish());
    EXPECT_EQ(store_->commit(std::move(second)).error().code(), ErrorCode::invalid_argument);
}

TEST_F(Documents, replace_with_an_old_version_is_a_write_conflict) {
    const Version first = insert(document(1, "age", 30));
    put(document(1, "age", 31));
    Transaction transaction;
    transaction.replace(people_, document(1, "age", 99), first);
    EXPECT_EQ(store_->commit(std::move(transaction)).error().code(), ErrorCode::write_conflict);
    EXPECT_EQ(field(find(1), "age"), 31);
}

TEST_F(Documents, replace_of_an_erased_document_is_a_write_conflict) {
    const Version first = insert(document(1));
    erase(1);
    Transaction transaction;
    transaction.replace(people_, document(1, "age", 99), first);
    EXPECT_EQ(store_->commit(std::move(transaction)).error().code(), ErrorCode::write_conflict);
}

TEST_F(Documents, every_transaction_takes_the_next_version) {
    const Version first = insert(document(1));
    const Version second = insert(document(2));
    Transaction failing;
    failing.insert(people_, document(1));
    ASSERT_FALSE(store_->commit(std::move(failing)));
    const Version third = insert(document(3));
    EXPECT_EQ(number(second), number(first) + 1);
    EXPECT_EQ(number(third), number(second) + 1);
}

TEST_F(Documents, are_readable_as_they_were_at_any_retained_version) {
    const Version before = store_->newest_version();
    const Version made = insert(document(1, "age", 30));
    const Version changed = put(document(1, "age", 31));
    const Version erased = erase(1);
    const Version again = insert(document(1, "age", 1));

    EXPECT_FALSE(find_at(1, before));
    EXPECT_EQ(field(find_at(1, made), "age"), 30);
    EXPECT_EQ(field(find_at(1, changed), "age"), 31);
    EXPECT_FALSE(find_at(1, erased));
    EXPECT_EQ(field(find_at(1, again), "age"), 1);
    EXPECT_EQ(find_at(1, again)->created, again);
}

TEST_F(Documents, several_changes_in_one_transaction_are_one_change_of_history) {
    const Version made = insert(document(1, "age", 30));
    Transaction transaction;
    transaction.erase(people_, key_of(1));
    transaction.insert(people_, document(1, "age", 40));
    transaction.put(people_, document(1, "age", 41));
    const Version changed = store_->commit(std::move(transaction)).value();
    EXPECT_EQ(field(find_at(1, made), "age"), 30);
    EXPECT_EQ(field(find_at(1, changed), "age"), 41);
    const auto feed = store_->read_feed(made, 10).value();
    ASSERT_EQ(feed.size(), 1u);
    EXPECT_EQ(feed[0].operation, Operation::replace);
}

TEST_F(Documents, snapshots_see_one_version_and_nothing_after) {
    insert(document(1, "age", 30));
    const auto snapshot = store_->snapshot();
    put(document(1, "age", 31));
    insert(document(2));
    EXPECT_EQ(field(snapshot->find(people_, key_of(1)).value(), "age"), 30);
    EXPECT_FALSE(snapshot->find(people_, key_of(2)).value());
    std::size_t count = 0;
    for (const auto cursor = snapshot->scan(people_, {}); cursor->next();) {
        ++count;
    }
    EXPECT_EQ(count, 1u);
    EXPECT_EQ(snapshot->find_at(people_, key_of(1), store_->newest_version()).error().code(),
              ErrorCode::out_of_range);
}

TEST_F(Documents, feed_lists_changes_in_commit_order_and_trims_with_the_past) {
    const Version start = store_->newest_version();
    const Version made = insert(document(1, "age", 30));
    const Version changed = put(document(1, "age", 31));
    const Version erased = erase(1);
    const auto feed = store_->read_feed(start, 10).value();
    ASSERT_EQ(feed.size(), 3u);
    EXPECT_EQ(feed[0].operation, Operation::insert);
    EXPECT_EQ(feed[1].operation, Operation::replace);
    EXPECT_EQ(feed[2].operation, Operation::erase);
    EXPECT_EQ(feed[2].version, erased);
    EXPECT_EQ(feed[2].key, key_of(1));
    EXPECT_EQ(feed[2].collection, people_);
    EXPECT_EQ(store_->version_before(feed[2].committed_unix_ms).value(), erased);

    ASSERT_TRUE(store_->trim(changed));
    EXPECT_EQ(store_->read_feed(made, 10).error().code(), ErrorCode::out_of_range);
    EXPECT_EQ(store_->read_feed(changed, 10).value().size(), 1u);
    EXPECT_EQ(store_->snapshot()->find_at(people_, key_of(1), made).error().code(),
              ErrorCode::out_of_range);
    EXPECT_EQ(field(find_at(1, changed), "age"), 31);
    reopen();
    EXPECT_EQ(store_->floor(), changed);
}

TEST_F(Documents, listeners_hear_of_versions_after_they_are_durable) {
    std::atomic<std::uint64_t> heard{0};
    const std::uint64_t id =
        store_->add_listener([&](Version version) { heard = number(version); });
    const Version version = insert(document(1));
    insert(document(2)); // the first one's listener has run before the second group
    EXPECT_GE(heard.load(), number(version));
    store_->remove_listener(id);
    const std::uint64_t last = heard;
    insert(document(3));
    EXPECT_EQ(heard.load(), last);
}

TEST_F(Documents, records_change_with_documents_or_not_at_all) {
    Transaction both;
    both.insert(people_, document(1));
    both.put_record(Space::history, "app|1", "entry");
    both.insert_record(Space::meta, "user|ann", "1");
    ASSERT_TRUE(store_->commit(std::move(both)));

    Transaction clash;
    clash.insert(people_, document(2));
    clash.insert_record(Space::meta, "user|ann", "2");
    EXPECT_EQ(store_->commit(std::move(clash)).error().code(), ErrorCode::already_exists);
    EXPECT_FALSE(find(2));
    EXPECT_EQ(store_->snapshot()->record(Space::meta, "user|ann").value(), "1");
    EXPECT_EQ(store_->snapshot()->record(Space::history, "app|1").value(), "entry");
    EXPECT_EQ(store_->snapshot()->record(Space::file, "app|1").value(), std::nullopt);
}

TEST_F(Documents, record_replacement_needs_the_expected_value) {
    Transaction first;
    first.replace_record(Space::meta, "k", std::nullopt, "1");
    ASSERT_TRUE(store_->commit(std::move(first)));
    Transaction wrong;
    wrong.replace_record(Space::meta, "k", "0", "2");
    EXPECT_EQ(store_->commit(std::move(wrong)).error().code(), ErrorCode::write_conflict);
    Transaction erasing;
    erasing.replace_record(Space::meta, "k", "1", std::nullopt);
    ASSERT_TRUE(store_->commit(std::move(erasing)));
    EXPECT_EQ(store_->snapshot()->record(Space::meta, "k").value(), std::nullopt);
}

TEST_F(Documents, record_ranges_are_erased_in_the_order_asked_for) {
    Transaction transaction;
    transaction.put_record(Space::file, "a1", "x");
    transaction.put_record(Space::file, "a2", "x");
    transaction.erase_records(Space::file, "a", "b");
    transaction.put_record(Space::file, "a2", "y");
    transaction.insert_record(Space::file, "a1", "z");
    ASSERT_TRUE(store_->commit(std::move(transaction)));
    std::string seen;
    const auto snapshot = store_->snapshot();
    for (const auto cursor = snapshot->scan_records(Space::file, "a", "b"); cursor->next();) {
        seen += std::string(cursor->key()) + "=" + std::string(cursor->value()) + " ";
    }
    EXPECT_EQ(seen, "a1=z a2=y ");
}

TEST_F(Documents, concurrent_writers_are_committed_in_groups_and_none_is_lost) {
    constexpr int writers = 8;
    constexpr int each = 50;
    std::vector<std::thread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            for (int i = 0; i < each; ++i) {
                Transaction transaction;
                transaction.insert(people_, document(writer * each + i));
                ASSERT_TRUE(store_->commit(std::move(transaction)));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (int i = 0; i < writers * each; ++i) {
        ASSERT_TRUE(find(i)) << i;
    }
    EXPECT_EQ(store_->statistics().commits, static_cast<std::uint64_t>(writers * each));
    EXPECT_LT(store_->statistics().groups, store_->statistics().commits);
}

TEST_F(Documents, only_one_of_many_concurrent_inserts_of_an_id_succeeds) {
    std::atomic<int> succeeded{0};
    std::vector<std::thread> threads;
    for (int writer = 0; writer < 8; ++writer) {
        threads.emplace_back([&] {
            Transaction transaction;
            transaction.insert(people_, document(1));
            if (store_->commit(std::move(transaction))) {
                ++succeeded;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(succeeded, 1);
}

} // namespace
} // namespace tombolo::store
