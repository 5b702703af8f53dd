#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <future>
#include <iterator>
#include <thread>

#include <gtest/gtest.h>

#include "server/functions/functions_fixture.hpp"

namespace tombolo::functions {

namespace {

FunctionOptions quick(std::int64_t time_ms_max) {
    FunctionOptions options;
    options.time_ms_max = time_ms_max;
    options.memory_bytes_max = std::size_t{64} * 1024 * 1024;
    options.workers_max = 2;
    return options;
}

// Whatever happened before, the next call is answered.
void expect_alive(Fixture& fixture) {
    const Outcome outcome = fixture.run("exports = () => 'alive';");
    EXPECT_EQ(outcome.result, R"("alive")") << (outcome.ok() ? "" : outcome.failure->message);
}

pid_t pid_in(const Outcome& outcome) {
    const std::size_t digits = outcome.result.find_first_of("0123456789");
    return static_cast<pid_t>(std::stol(outcome.result.substr(digits)));
}

} // namespace

TEST(FunctionLimits, an_endless_loop_ends_at_the_time_limit) {
    Fixture fixture(quick(1000));
    for (const char* source :
         {"exports = () => { for (;;); };", "exports = () => new Promise(() => {});",
          "exports = async () => { for (;;) await null; };",
          "exports = () => new Promise(() => { setInterval(() => {}, 1); });"}) {
        const Outcome outcome = fixture.run(source);
        EXPECT_EQ(failure_of(outcome), "time limit") << source;
        EXPECT_NE(outcome.failure->message.find("1000 ms"), std::string::npos);
    }
    expect_alive(fixture);
    EXPECT_EQ(fixture.functions().counts().workers_killed, 4U);
}

TEST(FunctionLimits, calls_by_rules_have_less_time) {
    FunctionOptions options = quick(60'000);
    options.rule_time_ms_max = 50;
    Fixture fixture(options);
    Call call;
    call.app = fixture.deploy(app_of({{"f", "exports = () => { for (;;); };"}}));
    call.name = "f";
    call.origin = Origin::rule;
    const Outcome outcome = fixture.functions().call(call);
    EXPECT_EQ(failure_of(outcome), "time limit");
    EXPECT_NE(outcome.failure->message.find(": 50 ms"), std::string::npos);
}

TEST(FunctionLimits, a_loop_in_one_app_does_not_hold_another) {
    Fixture fixture(quick(60'000));
    const auto looping = fixture.deploy(app_of({{"f", "exports = () => { for (;;); };"}}, "one"));
    const auto other = fixture.deploy(app_of({{"f", "exports = () => 1;"}}, "two"));
    std::thread loop([&] { static_cast<void>(fixture.call(looping, "f")); });
    EXPECT_TRUE(fixture.call(other, "f").ok());
    fixture.functions().stop();
    loop.join();
}

TEST(FunctionLimits, a_memory_hog_ends_at_the_memory_limit) {
    Fixture fixture(quick(60'000));
    const Outcome heap =
        fixture.run("exports = () => { const all = []; for (;;) all.push({a: [1, 2, 3]}); };");
    EXPECT_EQ(failure_of(heap), "memory limit") << heap.failure->message;
    const Outcome buffers = fixture.run(
        "exports = () => { const all = []; for (;;) all.push(Buffer.alloc(1 << 24, 1)); };");
    EXPECT_FALSE(buffers.ok()); // an allocation that fails can be caught by the function
    expect_alive(fixture);
}

TEST(FunctionLimits, an_output_flood_is_cut_off) {
    FunctionOptions options = quick(60'000);
    options.log_messages_max = 10;
    options.log_bytes_max = 1000;
    options.result_bytes_max = 10'000;
    Fixture fixture(options);
    const Outcome many =
        fixture.run("exports = () => { for (let i = 0; i < 1e4; ++i) console.log('line', i); };");
    EXPECT_TRUE(many.ok());
    EXPECT_EQ(many.logs.size(), 10U);
    const Outcome longer =
        fixture.run("exports = () => { console.log('x'.repeat(1e6)); console.log('more'); };");
    ASSERT_EQ(longer.logs.size(), 1U);
    EXPECT_EQ(longer.logs[0].size(), 1000U);
    EXPECT_EQ(failure_of(fixture.run("exports = () => 'x'.repeat(1e5);")), "output limit");
    // Around the worker's script: straight to the descriptors.
    const Outcome raw = fixture.run("exports = () => { const fs = require('fs');"
                                    " const start = Buffer.alloc(13); start.writeUInt32LE(9, 0);"
                                    " start.writeUInt8(17, 4);"
                                    " for (;;) { try { fs.writeSync(3, start); } catch {} } };");
    EXPECT_EQ(failure_of(raw), "output limit");
    const Outcome garbage = fixture.run("exports = () => { require('fs').writeSync(3, "
                                        "Buffer.alloc(100, 255)); for (;;); };");
    EXPECT_EQ(failure_of(garbage), "crashed");
    const Outcome errors = fixture.run("exports = () => { for (let i = 0; i < 1e3; ++i) "
                                       "require('fs').writeSync(2, 'x'.repeat(1000)); };");
    EXPECT_TRUE(errors.ok()) << errors.failure->message;
    expect_alive(fixture);
}

TEST(FunctionLimits, a_crash_is_the_calls_own) {
    Fixture fixture(quick(60'000));
    const Outcome killed = fixture.run("exports = () => { process.kill(process.pid, 'SIGKILL'); "
                                       "for (;;); };");
    EXPECT_EQ(failure_of(killed), "crashed");
    EXPECT_NE(killed.failure->message.find("signal 9"), std::string::npos);
    EXPECT_EQ(failure_of(fixture.run("exports = () => process.abort();")), "crashed");
    EXPECT_EQ(failure_of(fixture.run("exports = () => process.reallyExit(3);")), "crashed");
    EXPECT_EQ(failure_of(fixture.run("exports = () => { require('fs').closeSync(3); };")),
              "crashed");
    expect_alive(fixture);
    EXPECT_EQ(fixture.functions().counts().workers_crashed, 4U);
}

TEST(FunctionLimits, a_worker_killed_while_it_waits_is_replaced) {
    Fixture fixture(quick(60'000));
    const Outcome first = fixture.run("exports = () => process.pid;");
    ASSERT_EQ(::kill(pid_in(first), SIGKILL), 0);
    const Outcome second = fixture.run("exports = () => process.pid;");
    ASSERT_TRUE(second.ok()) << second.failure->message;
    EXPECT_NE(pid_in(first), pid_in(second));
}

TEST(FunctionLimits, what_a_call_leaves_behind_does_not_run_on) {
    Fixture fixture(quick(60'000));
    const auto app = fixture.deploy(
        app_of({{"leave", "exports = () => { globalThis.ticks = 0; setInterval(() => "
                          "++globalThis.ticks, 1); return process.pid; };"},
                {"look", "exports = async () => { await new Promise((done) => setTimeout(done, "
                         "20)); return globalThis.ticks; };"}}));
    const pid_t pid = pid_in(fixture.call(app, "leave"));
    // An idle worker is stopped ...
    const auto state = [pid] {
        std::ifstream status("/proc/" + std::to_string(pid) + "/stat");
        const std::string text((std::istreambuf_iterator<char>(status)), {});
        return text.at(text.rfind(')') + 2);
    };
    while (state() != 'T') {
        std::this_thread::yield();
    }
    // ... and timers end with their call.
    EXPECT_EQ(fixture.call(app, "look").result, R"({"$numberLong":"0"})");
}

TEST(FunctionLimits, when_all_workers_are_busy_a_call_waits_and_then_fails) {
    FunctionOptions options = quick(60'000);
    options.workers_max = 1;
    options.wait_ms_max = 50;
    Fixture fixture(options);
    std::promise<void> running;
    std::promise<void> finish;
    Seams seams;
    seams.service = [&](const ServiceRequest&) -> Result<std::string> {
        running.set_value();
        finish.get_future().wait();
        return std::string("null");
    };
    fixture.functions().connect(seams);
    const auto app = fixture.deploy(
        app_of({{"wait", "exports = () => context.services.get('s').db('d').collection('c')"
                         ".findOne({});"},
                {"f", "exports = () => 1;"}}));
    std::thread busy([&] { EXPECT_TRUE(fixture.call(app, "wait").ok()); });
    running.get_future().wait();
    EXPECT_EQ(failure_of(fixture.call(app, "f")), "busy");
    finish.set_value();
    busy.join();
    EXPECT_TRUE(fixture.call(app, "f").ok());
}

TEST(FunctionLimits, a_call_inside_a_call_gets_a_worker_even_when_all_are_busy) {
    FunctionOptions options = quick(60'000);
    options.workers_max = 1;
    Fixture fixture(options);
    std::shared_ptr<const server::App> app;
    Seams seams;
    seams.service = [&](const ServiceRequest& request) -> Result<std::string> {
        Call inner;
        inner.app = app;
        inner.name = "f";
        inner.origin = Origin::rule;
        inner.depth = request.call.depth + 1;
        return fixture.functions().call(inner).result;
    };
    fixture.functions().connect(seams);
    app = fixture.deploy(
        app_of({{"outer",
                 "exports = () => context.services.get('s').db('d').collection('c').findOne({});"},
                {"f", "exports = () => 'inner';"}}));
    EXPECT_EQ(fixture.call(app, "outer").result, R"("inner")");
}

TEST(FunctionLimits, idle_workers_are_ended) {
    FunctionOptions options = quick(60'000);
    options.idle_ms_max = 0;
    Fixture fixture(options);
    const pid_t pid = pid_in(fixture.run("exports = () => process.pid;"));
    while (::kill(pid, 0) == 0) {
        std::this_thread::yield();
    }
    EXPECT_EQ(errno, ESRCH);
}

TEST(FunctionLimits, workers_serve_one_app_and_make_place_for_another) {
    FunctionOptions options = quick(60'000);
    options.workers_max = 1;
    Fixture fixture(options);
    const auto one = fixture.deploy(app_of({{"f", "exports = () => process.pid;"}}, "one"));
    const auto two = fixture.deploy(app_of({{"f", "exports = () => process.pid;"}}, "two"));
    const pid_t first = pid_in(fixture.call(one, "f"));
    EXPECT_EQ(pid_in(fixture.call(one, "f")), first);
    EXPECT_NE(pid_in(fixture.call(two, "f")), first);
    EXPECT_EQ(fixture.functions().counts().workers, 1U);
}

// Whatever ends the server, its workers end with it: also one in an endless loop.
TEST(FunctionLimits, no_worker_outlives_the_server) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    const std::string program = TOMBOLO_FUNCTIONS_PROGRAM;
    const pid_t server = ::fork();
    if (server == 0) {
        ::dup2(pipe[1], 1);
        ::execl(program.c_str(), program.c_str(), nullptr);
        ::_exit(127);
    }
    ::close(pipe[1]);
    std::string line;
    char byte = 0;
    while (::read(pipe[0], &byte, 1) == 1 && byte != '\n') {
        line += byte;
    }
    ASSERT_FALSE(line.empty());
    const auto worker = static_cast<pid_t>(std::stol(line));
    ASSERT_EQ(::kill(worker, 0), 0);
    ASSERT_EQ(::kill(server, SIGKILL), 0);
    ASSERT_EQ(::waitpid(server, nullptr, 0), server);
    // Gone, or a zombie that its new parent has yet to take.
    const auto lives = [worker] {
        std::ifstream status("/proc/" + std::to_string(worker) + "/stat");
        const std::string text((std::istreambuf_iterator<char>(status)), {});
        return !text.empty() && text[text.rfind(')') + 2] != 'Z';
    };
    while (lives()) {
        std::this_thread::yield();
    }
    ::close(pipe[0]);
}

} // namespace tombolo::functions
