// kill -9 at random moments of a process that writes; the parent checks what is left.
//
// The writer is this program, started anew: a mere fork() of a process with the store's threads
// could inherit a lock that nobody will release.

#include <array>
#include <atomic>
#include <cstdlib>
#include <random>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>

#include "server/store/store_fixture.hpp"

namespace tombolo::store {
namespace {

constexpr std::uint32_t writers = 4;

// What the writing process says through the pipe; small enough to be written atomically.
struct Said {
    enum class What : std::uint32_t { ready, tries, acknowledged };
    What what;
    std::uint32_t writer;
    std::int64_t n;
};

void say(int pipe, Said said) {
    if (::write(pipe, &said, sizeof said) != static_cast<ssize_t>(sizeof said)) {
        ::_exit(3);
    }
}

constexpr const char* writer_option = "--write-until-killed";

// Never returns.
[[noreturn]] void write_until_killed(const std::string& directory, int pipe,
                                     const std::array<std::int64_t, writers>& from) {
    EmbeddedOptions options;
    options.directory = directory;
    options.write_buffer_bytes = std::size_t{1} << 20;
    auto store = open_embedded(options);
    if (!store) {
        std::fprintf(stderr, "%s\n", store.error().what());
        ::_exit(2);
    }
    const CollectionId collection = (*store)->ensure_collection({"s", "d", "c"}).value();
    (*store)->ensure_index(collection, {"n", {{"n"}}, false}).value();
    say(pipe, {Said::What::ready, 0, 0});
    std::vector<std::thread> threads;
    for (std::uint32_t writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            for (std::int64_t n = from[writer] + 1;; ++n) {
                say(pipe, {Said::What::tries, writer, n});
                mql::BsonWriter body;
                body.append_int64("_id", writer);
                body.append_int64("n", n);
                body.append_string("filler", std::string(static_cast<std::size_t>(n % 500), 'x'));
                Transaction transaction;
                transaction.put(collection, std::move(body).finish());
                transaction.put_record(Space::meta, "writer" + std::to_string(writer),
                                       std::to_string(n));
                if (!(*store)->commit(std::move(transaction))) {
                    ::_exit(4);
                }
                say(pipe, {Said::What::acknowledged, writer, n});
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    ::_exit(5);
}

struct Progress {
    std::array<std::int64_t, writers> tried{};
    std::array<std::int64_t, writers> acknowledged{};
};

// Reads what the child says until it is killed: after `delay_us` of writing, in the middle of some
// write.
void run_and_kill(const std::string& directory, int delay_us, Progress& progress) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    ASSERT_EQ(::fcntl(pipe[0], F_SETFD, FD_CLOEXEC), 0);
    std::vector<std::string> words{"writer", writer_option, directory, std::to_string(pipe[1])};
    for (const std::int64_t n : progress.tried) {
        words.push_back(std::to_string(n));
    }
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        ::execv("/proc/self/exe", arguments.data());
        ::_exit(6);
    }
    ::close(pipe[1]);
    Said said{};
    ASSERT_EQ(::read(pipe[0], &said, sizeof said), static_cast<ssize_t>(sizeof said))
        << "the writing process did not start";
    ::usleep(static_cast<useconds_t>(delay_us));
    ::kill(child, SIGKILL);
    while (::read(pipe[0], &said, sizeof said) == static_cast<ssize_t>(sizeof said)) {
        auto& where = said.what == Said::What::tries ? progress.tried : progress.acknowledged;
        where[said.writer] = said.n;
    }
    ::close(pipe[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writing process ended by itself: " << status;
}

TEST(Kill, nothing_acknowledged_is_lost_in_200_kills) {
    const char* longer = std::getenv("TOMBOLO_LONG");
    const int kills = longer != nullptr ? 5000 : 200;
    const std::uint32_t seed = std::random_device{}();
    std::mt19937 random(seed);
    TemporaryFolder folder;
    const std::string directory = (folder.path() / "store").string();
    Progress progress;
    std::int64_t in_flight = 0;
    int inside_writes = 0;
    for (int kill = 0; kill < kills; ++kill) {
        run_and_kill(directory, static_cast<int>(random() % 30'000), progress);
        if (HasFatalFailure()) {
            return;
        }
        std::int64_t open_now = 0;
        for (std::size_t i = 0; i < writers; ++i) {
            open_now += progress.tried[i] - progress.acknowledged[i];
        }
        in_flight += open_now;
        inside_writes += open_now > 0 ? 1 : 0;

        EmbeddedOptions options;
        options.directory = directory;
        const std::unique_ptr<Store> store = open_embedded(options).value();
        const CollectionId collection = store->find_collection({"s", "d", "c"}).value();
        const auto snapshot = store->snapshot();
        for (std::size_t i = 0; i < writers; ++i) {
            const auto found =
                snapshot->find(collection, key_of(static_cast<std::int64_t>(i))).value();
            const std::int64_t n = found ? field(found, "n") : 0;
            ASSERT_GE(n, progress.acknowledged[i]) << "kill " << kill << ", seed " << seed;
            ASSERT_LE(n, progress.tried[i]);
            const auto record = snapshot->record(Space::meta, "writer" + std::to_string(i)).value();
            ASSERT_EQ(record.value_or("0"), std::to_string(n)) << "a transaction came half";
            progress.tried[i] = n;
            progress.acknowledged[i] = n;
        }
        if (kill % 20 == 0) {
            ASSERT_TRUE(store->verify().value().problems.empty());
        }
    }
    std::int64_t acknowledged = 0;
    for (const std::int64_t n : progress.acknowledged) {
        acknowledged += n;
    }
    std::printf("kills: %d, inside a write: %d, acknowledged writes: %lld, in flight at the kills: "
                "%lld\n",
                kills, inside_writes, static_cast<long long>(acknowledged),
                static_cast<long long>(in_flight));
    EXPECT_GT(inside_writes, kills / 2);
}

// The writer's command line, as run_and_kill() makes it; returns when it is another one.
void become_writer(int argc, char** argv) {
    if (argc != 4 + static_cast<int>(writers) || std::string_view(argv[1]) != writer_option) {
        return;
    }
    std::array<std::int64_t, writers> from{};
    for (std::size_t i = 0; i < writers; ++i) {
        from[i] = std::stoll(argv[4 + i]);
    }
    write_until_killed(argv[2], std::stoi(argv[3]), from);
}

} // namespace
} // namespace tombolo::store

int main(int argc, char** argv) {
    tombolo::store::become_writer(argc, argv);
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
