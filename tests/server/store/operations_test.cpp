#include <algorithm>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "server/store/store_fixture.hpp"

namespace tombolo::store {
namespace {

class Operations : public StoreTest {};

TEST_F(Operations, backup_taken_while_writing_restores_to_a_consistent_store) {
    ASSERT_TRUE(store_->ensure_index(people_, {"age", {{"age"}}, false}));
    for (int i = 0; i < 100; ++i) {
        insert(document(i, "age", i));
    }
    std::thread writer([&] {
        for (int i = 100; i < 400; ++i) {
            insert(document(i, "age", i));
        }
    });
    const std::string backups = (folder_.path() / "backups").string();
    ASSERT_TRUE(store_->backup(backups));
    writer.join();
    store_.reset();

    EmbeddedOptions options;
    options.directory = (folder_.path() / "restored").string();
    ASSERT_TRUE(restore_embedded(backups, options.directory));
    const std::unique_ptr<Store> restored = open_embedded(options).value();
    const VerifyReport report = restored->verify().value();
    EXPECT_TRUE(report.problems.empty());
    EXPECT_GE(report.documents, 100u);
    EXPECT_EQ(report.documents, report.index_entries);
    EXPECT_EQ(report.documents, number(restored->newest_version()));
}

// A commit by who waits for it, among others and index builds: each is answered once, in the order
// of their versions.
TEST_F(Operations, commits_of_those_who_wait_keep_the_order_of_all_commits) {
    constexpr int each = 100;
    std::mutex mutex;
    std::vector<Version> answered;
    const auto note = [&](Result<Version> version) {
        const std::lock_guard lock(mutex);
        answered.push_back(version.value());
    };
    const auto insert_many = [&](int first, bool waits) {
        for (int i = first; i < first + each; ++i) {
            Transaction transaction;
            transaction.insert(people_, document(i, "age", i));
            if (waits) {
                store_->commit_waiting(std::move(transaction), note);
            } else {
                store_->commit_async(std::move(transaction), note);
            }
        }
    };
    std::thread waiting([&] { insert_many(0, true); });
    std::thread other([&] { insert_many(each, false); });
    insert_many(2 * each, true);
    ASSERT_TRUE(store_->ensure_index(people_, {"age", {{"age"}}, false}));
    waiting.join();
    other.join();
    insert(document(-1)); // behind all others
    const std::lock_guard lock(mutex);
    ASSERT_EQ(answered.size(), 3u * each);
    EXPECT_TRUE(std::is_sorted(answered.begin(), answered.end()));
    EXPECT_EQ(std::set<Version>(answered.begin(), answered.end()).size(), answered.size());
    const VerifyReport report = store_->verify().value();
    EXPECT_TRUE(report.problems.empty());
    EXPECT_EQ(report.documents, 3u * each + 1);
}

TEST_F(Operations, restore_refuses_a_folder_in_use_and_an_empty_backup) {
    const std::string backups = (folder_.path() / "none").string();
    EXPECT_EQ(restore_embedded(backups, (folder_.path() / "r").string()).error().code(),
              ErrorCode::not_found);
    ASSERT_TRUE(store_->backup(backups));
    const Result<void> refused = restore_embedded(backups, (folder_.path() / "store").string());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::already_exists);
}

TEST_F(Operations, second_opening_is_refused_and_names_the_cause) {
    EmbeddedOptions options;
    options.directory = (folder_.path() / "store").string();
    const auto second = open_embedded(options);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message().find("another process has the store open"),
              std::string::npos)
        << second.error().what();
}

TEST_F(Operations, trimming_never_moves_back_and_never_beyond_the_newest) {
    insert(document(1));
    const Version newest = insert(document(2));
    ASSERT_TRUE(store_->trim(Version{number(newest) + 100}));
    EXPECT_EQ(store_->floor(), newest);
    ASSERT_TRUE(store_->trim(Version{1}));
    EXPECT_EQ(store_->floor(), newest);
    EXPECT_TRUE(find_at(2, newest));
}

TEST_F(Operations, names_that_are_no_collection_are_refused) {
    EXPECT_EQ(store_->ensure_collection({"s", "", "c"}).error().code(),
              ErrorCode::invalid_argument);
    EXPECT_EQ(store_->ensure_collection({"s", "d", std::string(300, 'c')}).error().code(),
              ErrorCode::invalid_argument);
}

TEST_F(Operations, damaged_data_files_are_noticed) {
    ASSERT_TRUE(store_->ensure_index(people_, {"age", {{"age"}}, false}));
    insert(document(1, "age", 5));
    ASSERT_TRUE(store_->backup((folder_.path() / "backups").string())); // flushes to data files
    store_.reset();
    // A byte of a data file flipped on disk: checksums must notice.
    std::size_t flipped = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path() / "store")) {
        if (entry.path().extension() == ".sst") {
            std::FILE* file = std::fopen(entry.path().c_str(), "r+b");
            std::fseek(file, 8, SEEK_SET);
            const int byte = std::fgetc(file);
            std::fseek(file, 8, SEEK_SET);
            std::fputc(byte ^ 0xff, file);
            std::fclose(file);
            ++flipped;
        }
    }
    ASSERT_GT(flipped, 0u);
    EmbeddedOptions options;
    options.directory = (folder_.path() / "store").string();
    const auto damaged = open_embedded(options);
    if (damaged) {
        const auto report = (*damaged)->verify();
        EXPECT_TRUE(!report || !report->problems.empty());
    } else {
        EXPECT_EQ(damaged.error().code(), ErrorCode::store_corrupt);
    }
}

} // namespace
} // namespace tombolo::store
