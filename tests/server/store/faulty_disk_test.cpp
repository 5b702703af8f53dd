// Power cuts and full disks: what was acknowledged is there, what was not is whole or absent.

#include "server/store/faulty_disk.hpp"

#include <atomic>
#include <thread>

#include "server/store/store_fixture.hpp"

namespace tombolo::store {
namespace {

constexpr int writers = 4;

mql::BsonDocument payload(std::int64_t id, std::int64_t n) {
    mql::BsonWriter writer;
    writer.append_int64("_id", id);
    writer.append_int64("n", n);
    writer.append_string("filler", std::string(static_cast<std::size_t>(n % 300), 'x'));
    return std::move(writer).finish();
}

struct Cuts {
    int made = 0;
    int that_lost_something = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t in_flight = 0;
};

// Opens what a power cut left: is anything of `acknowledged` missing?
bool lost_something(const EmbeddedOptions& options,
                    const std::array<std::int64_t, writers>& acknowledged) {
    const auto opened = open_embedded(options);
    if (!opened) {
        return true;
    }
    const auto collection = (*opened)->find_collection({"s", "d", "c"});
    const auto snapshot = (*opened)->snapshot();
    const auto n = [&](std::int64_t id) {
        return collection ? field(snapshot->find(*collection, key_of(id)).value(), "n") : -1;
    };
    bool lost = false;
    for (std::size_t i = 0; i < writers; ++i) {
        const auto id = static_cast<std::int64_t>(i) * 2;
        EXPECT_EQ(n(id), n(id + 1)) << "a transaction came half";
        lost = lost || (acknowledged[i] > 0 && n(id) < acknowledged[i]);
    }
    EXPECT_TRUE((*opened)->verify().value().problems.empty());
    return lost;
}

// Writers run; at some moments the power goes and what the disk kept is opened and checked.
Cuts cut_the_power(int cuts, bool skip_sync) {
    TemporaryFolder folder;
    FaultyDisk disk;
    EmbeddedOptions options;
    options.directory = (folder.path() / "store").string();
    options.env = disk.env();
    options.planted_bug_skip_sync = skip_sync;
    options.write_buffer_bytes = std::size_t{1} << 20; // so that flushes are cut too
    const std::unique_ptr<Store> store = open_embedded(options).value();
    const CollectionId collection = store->ensure_collection({"s", "d", "c"}).value();

    std::array<std::atomic<std::int64_t>, writers> tried{};
    std::array<std::atomic<std::int64_t>, writers> acknowledged{};
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            const auto self = static_cast<std::size_t>(writer);
            for (std::int64_t n = 1; !stop; ++n) {
                tried[self] = n;
                Transaction transaction; // two documents that only make sense together
                transaction.put(collection, payload(writer * 2, n));
                transaction.put(collection, payload(writer * 2 + 1, n));
                if (store->commit(std::move(transaction))) {
                    acknowledged[self] = n;
                }
            }
        });
    }

    const auto end_writers = [&] {
        stop = true;
        for (std::thread& thread : threads) {
            thread.join();
        }
        threads.clear();
    };
    Cuts result;
    try {
        for (; result.made < cuts; ++result.made) {
            std::array<std::int64_t, writers> before{};
            for (std::size_t i = 0; i < writers; ++i) {
                before[i] = acknowledged[i];
                result.acknowledged += static_cast<std::uint64_t>(before[i]);
                result.in_flight += static_cast<std::uint64_t>(tried[i] - before[i]);
            }
            EmbeddedOptions left;
            left.directory = (folder.path() / ("cut" + std::to_string(result.made))).string();
            disk.synced_copy(options.directory, left.directory);

            result.that_lost_something += lost_something(left, before) ? 1 : 0;
            std::filesystem::remove_all(left.directory);
        }
    } catch (...) {
        end_writers();
        throw;
    }
    end_writers();
    return result;
}

TEST(PowerCut, nothing_acknowledged_is_lost_when_the_disk_forgets_what_was_not_synced) {
    const Cuts cuts = cut_the_power(60, false);
    std::printf("power cuts: %d, acknowledged at the cuts: %llu, in flight: %llu\n", cuts.made,
                static_cast<unsigned long long>(cuts.acknowledged),
                static_cast<unsigned long long>(cuts.in_flight));
    EXPECT_EQ(cuts.that_lost_something, 0);
    EXPECT_GT(cuts.in_flight, 0u);
}

TEST(PowerCut, store_that_skips_the_sync_is_caught) {
    EXPECT_GT(cut_the_power(10, true).that_lost_something, 0);
}

TEST(FullDisk, commits_fail_clearly_nothing_is_damaged_and_writing_goes_on_once_there_is_room) {
    TemporaryFolder folder;
    FaultyDisk disk;
    EmbeddedOptions options;
    options.directory = (folder.path() / "store").string();
    options.env = disk.env();
    std::unique_ptr<Store> store = open_embedded(options).value();
    const CollectionId collection = store->ensure_collection({"s", "d", "c"}).value();
    const auto insert = [&](std::int64_t id) {
        Transaction transaction;
        transaction.insert(collection, payload(id, 200));
        return store->commit(std::move(transaction));
    };

    for (const std::int64_t room : {0, 1, 100, 1000, 5000}) {
        const std::int64_t first = room * 10'000;
        disk.set_free_bytes(room);
        std::int64_t id = first;
        Result<Version> answer = insert(id);
        while (answer) {
            answer = insert(++id);
        }
        EXPECT_EQ(answer.error().code(), ErrorCode::disk_full) << answer.error().what();
        EXPECT_NE(answer.error().message().find("disk is full"), std::string::npos);
        // RocksDB's own recovery writes too: it can be what found no room, with some left.
        disk.set_free_bytes(0);
        const Version newest = store->newest_version();
        EXPECT_FALSE(insert(id));
        EXPECT_EQ(store->newest_version(), newest);
        EXPECT_FALSE(store->snapshot()->find(collection, key_of(id)).value());

        disk.set_free_bytes(-1);
        const Result<Version> again = insert(id);
        ASSERT_TRUE(again) << again.error().what();
        for (std::int64_t i = first; i <= id; ++i) {
            EXPECT_TRUE(store->snapshot()->find(collection, key_of(i)).value()) << i;
        }
    }
    const Version newest = store->newest_version();
    const std::string left = (folder.path() / "left").string();
    disk.synced_copy(options.directory, left);
    store.reset();
    EmbeddedOptions after;
    after.directory = left;
    const std::unique_ptr<Store> opened = open_embedded(after).value();
    EXPECT_EQ(opened->newest_version(), newest);
    EXPECT_TRUE(opened->verify().value().problems.empty());
}

} // namespace
} // namespace tombolo::store
