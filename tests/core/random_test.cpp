#include "core/random.hpp"

#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace tombolo {
namespace {

TEST(Random, the_same_seed_gives_the_same_sequence) {
    SeededRandom first(42);
    SeededRandom second(42);
    SeededRandom other(43);
    EXPECT_EQ(first.next(), second.next());
    EXPECT_EQ(first.uuid(), second.uuid());
    EXPECT_NE(first.next(), other.next());
}

TEST(Random, numbers_below_a_bound_reach_all_of_them) {
    SeededRandom random(1);
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) {
        seen.insert(random.below(7));
    }
    EXPECT_EQ(seen.size(), 7U);
    EXPECT_EQ(*seen.rbegin(), 6U);
    EXPECT_EQ(random.below(1), 0U);
    EXPECT_THROW(random.below(0), Error);
}

TEST(Random, fill_reaches_every_byte) {
    SeededRandom seeded(7);
    SystemRandom system;
    for (Random* random : {static_cast<Random*>(&seeded), static_cast<Random*>(&system)}) {
        for (std::size_t size : {0U, 1U, 3U, 8U, 13U}) {
            std::vector<std::byte> all(size);
            for (int i = 0; i < 64; ++i) {
                std::vector<std::byte> bytes(size);
                random->fill(bytes);
                for (std::size_t j = 0; j < size; ++j) {
                    all[j] |= bytes[j];
                }
            }
            EXPECT_EQ(all, std::vector<std::byte>(size, std::byte{0xff}));
        }
    }
}

TEST(Random, uuids_are_version_4) {
    SystemRandom random;
    const std::string text = random.uuid().to_string();
    EXPECT_EQ(text[14], '4');
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
    EXPECT_NE(random.uuid(), random.uuid());
}

TEST(ObjectIdGenerator, ids_are_unique_across_threads) {
    SeededRandom random(3);
    ObjectIdGenerator generator(random);
    std::vector<std::vector<ObjectId>> made(4);
    std::vector<std::thread> threads;
    threads.reserve(made.size());
    for (auto& ids : made) {
        threads.emplace_back([&generator, &ids] {
            for (int i = 0; i < 1000; ++i) {
                ids.push_back(generator.next(1'700'000'000));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    std::set<ObjectId> all;
    for (const auto& ids : made) {
        all.insert(ids.begin(), ids.end());
    }
    EXPECT_EQ(all.size(), 4000U);
    EXPECT_EQ(all.begin()->unix_seconds(), 1'700'000'000U);
}

} // namespace
} // namespace tombolo
