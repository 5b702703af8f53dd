// The end of the write-ahead log as crashes leave it: half records among the zeros ahead of it.

#include "server/store/embedded/log_tail.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include "server/store/store_fixture.hpp"

namespace tombolo::store {
namespace {

namespace fs = std::filesystem;

mql::BsonDocument padded(std::int64_t id, std::size_t bytes) {
    mql::BsonWriter writer;
    writer.append_int64("_id", id);
    std::string filler(bytes, 'x'); // nothing that compresses away or that looks like zeros
    std::mt19937 random(static_cast<std::uint32_t>(id));
    std::generate(filler.begin(), filler.end(),
                  [&] { return static_cast<char>('a' + random() % 26); });
    writer.append_string("filler", filler);
    return std::move(writer).finish();
}

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// A store that is written to, its files as they are after each commit.
class LogTail : public StoreTest {
  protected:
    /// Where the log ends after each commit, the zeros not counted.
    std::vector<std::size_t> commit(const std::vector<std::size_t>& sizes) {
        std::vector<std::size_t> ends{log().find_last_not_of('\0') + 1};
        for (const std::size_t size : sizes) {
            insert(padded(static_cast<std::int64_t>(ends.size()), size));
            ends.push_back(log().find_last_not_of('\0') + 1);
        }
        return ends;
    }

    fs::path log_path() const {
        for (const auto& entry : fs::directory_iterator(folder_.path() / "store")) {
            if (entry.path().extension() == ".log") {
                return entry.path();
            }
        }
        throw std::runtime_error("the store has no log");
    }
    std::string log() const { return read(log_path()); }

    /// A copy of the store's folder with this log.
    Result<std::unique_ptr<Store>> open_with(const std::string& log) {
        const fs::path copy = folder_.path() / "copy";
        fs::remove_all(copy);
        fs::copy(folder_.path() / "store", copy);
        fs::remove(copy / "LOCK");
        write(copy / log_path().filename(), log);
        EmbeddedOptions options;
        options.directory = copy.string();
        return open_embedded(options);
    }

    /// How many of 1, 2, 3... are there; -1 if one is missing before another.
    static int count_of(const Store& store, std::size_t most) {
        const auto collection = store.find_collection({"source", "app", "people"});
        const auto snapshot = store.snapshot();
        int found = 0;
        for (std::size_t id = 1; id <= most; ++id) {
            if (snapshot->find(*collection, key_of(static_cast<std::int64_t>(id))).value()) {
                if (++found != static_cast<int>(id)) {
                    return -1;
                }
            }
        }
        return found;
    }
};

TEST_F(LogTail, zeros_lie_ahead_of_small_commits_and_go_when_the_store_closes) {
    const std::vector<std::size_t> ends = commit({100, 200, 300});
    EXPECT_GT(log().size(), ends.back() + 1000);
    EXPECT_FALSE(embedded::torn_log_tail(as_bytes(log())));
    const fs::path path = log_path();
    store_.reset();
    EXPECT_EQ(fs::file_size(path), ends.back());
}

TEST_F(LogTail, a_log_cut_anywhere_among_its_zeros_opens_with_every_whole_commit) {
    // Records within a block, over the edge of one, over several.
    const std::vector<std::size_t> ends =
        commit({100, 2000, 30'000, 10, 3000, 70'000, 5, 31'000, 40'000, 17});
    const std::string whole = log();
    std::mt19937 random(7);
    for (int run = 0; run < 120; ++run) {
        const std::size_t cut = ends.front() + random() % (ends.back() - ends.front());
        std::string torn = whole;
        std::fill(torn.begin() + static_cast<std::ptrdiff_t>(cut), torn.end(), '\0');
        const auto opened = open_with(torn);
        ASSERT_TRUE(opened) << "cut at " << cut << ": " << opened.error().what();
        const auto kept = std::upper_bound(ends.begin(), ends.end(), cut) - ends.begin() - 1;
        EXPECT_GE(count_of(**opened, ends.size() - 1), kept) << "cut at " << cut;
        EXPECT_TRUE((*opened)->verify().value().problems.empty());
    }
}

TEST_F(LogTail, a_last_record_of_which_the_disk_has_any_sectors_is_whole_or_absent) {
    const std::vector<std::size_t> ends = commit({100, 2000, 30'000, 90'000});
    const std::string whole = log();
    const std::size_t begin = ends[ends.size() - 2];
    std::mt19937 random(8);
    for (int run = 0; run < 60; ++run) {
        std::string torn = whole;
        const unsigned kept_of_8 = random() % 8;
        for (std::size_t at = begin; at < ends.back(); at = (at / 512 + 1) * 512) {
            if (random() % 8 >= kept_of_8) {
                const std::size_t end = std::min((at / 512 + 1) * 512, ends.back());
                std::fill(torn.begin() + static_cast<std::ptrdiff_t>(at),
                          torn.begin() + static_cast<std::ptrdiff_t>(end), '\0');
            }
        }
        const auto opened = open_with(torn);
        ASSERT_TRUE(opened) << "run " << run << ": " << opened.error().what();
        EXPECT_GE(count_of(**opened, 4), 3);
        EXPECT_TRUE((*opened)->verify().value().problems.empty());
    }
}

TEST_F(LogTail, damage_before_a_later_record_refuses_to_open) {
    const std::vector<std::size_t> ends = commit({100, 2000, 40'000, 50'000, 10});
    for (const std::size_t place : {ends[1] + 100, ends[2] + 1000, ends[2] + 35'000}) {
        std::string damaged = log();
        damaged[place] = static_cast<char>(damaged[place] ^ 1);
        std::string torn_too = damaged;
        torn_too.resize(ends.back() - 5);
        torn_too.resize(log().size());
        for (const std::string& left : {damaged, torn_too}) {
            EXPECT_FALSE(embedded::torn_log_tail(as_bytes(left))) << place;
            const auto opened = open_with(left);
            ASSERT_FALSE(opened) << place;
            EXPECT_EQ(opened.error().code(), ErrorCode::store_corrupt) << opened.error().what();
        }
    }
}

TEST_F(LogTail, a_store_that_another_has_open_is_left_alone) {
    commit({100});
    EmbeddedOptions options;
    options.directory = (folder_.path() / "store").string();
    const auto opened = open_embedded(options);
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message().find("another process has the store open"),
              std::string::npos);
    insert(padded(2, 100));
    reopen();
    EXPECT_TRUE(find(2));
}

} // namespace
} // namespace tombolo::store
