#include <atomic>
#include <bit>
#include <cmath>
#include <fstream>
#include <future>
#include <iterator>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>

#include "core/bytes.hpp"
#include "server/runtime/json.hpp"
#include "server/runtime/log.hpp"
#include "server/runtime/sealer.hpp"
#include "server/runtime/worker_pool.hpp"
#include "server/store/store_fixture.hpp"

namespace tombolo::server {
namespace {

TEST(Sealer, opens_what_it_sealed_for_the_same_purpose_only) {
    const Sealer sealer = Sealer::from_text(std::string(64, 'a')).value();
    const std::string sealed = sealer.seal("tokens", "secret");
    EXPECT_EQ(sealer.open("tokens", sealed).value(), "secret");
    EXPECT_FALSE(sealer.open("mail", sealed));
    EXPECT_NE(sealer.seal("tokens", "secret"), sealed) << "the nonce is random";
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string changed = sealed;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(sealer.open("tokens", changed)) << "byte " << i;
    }
    EXPECT_FALSE(sealer.open("tokens", ""));
}

TEST(Sealer, key_file_is_made_once_readable_by_its_owner_only) {
    const store::TemporaryFolder folder;
    const std::string path = (folder.path() / "master.key").string();
    const std::string sealed = Sealer::from_file(path)->seal("p", "x");
    EXPECT_EQ(Sealer::from_file(path)->open("p", sealed).value(), "x");
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    std::ofstream(path) << "short";
    const auto damaged = Sealer::from_file(path);
    ASSERT_FALSE(damaged);
    EXPECT_NE(std::string(damaged.error().what()).find("master.key"), std::string::npos);
}

TEST(WorkerPool, refuses_work_beyond_its_queue_and_finishes_what_it_took) {
    std::promise<void> release;
    std::promise<void> started;
    std::atomic<int> done{0};
    WorkerPool pool({"test", 1, 2, 0});
    ASSERT_TRUE(pool.submit([&] {
        started.set_value();
        release.get_future().wait();
        ++done;
    }));
    started.get_future().wait();
    EXPECT_TRUE(pool.submit([&] { ++done; }));
    EXPECT_TRUE(pool.submit([&] { ++done; }));
    EXPECT_FALSE(pool.submit([&] { ++done; }));
    release.set_value();
    pool.stop();
    EXPECT_EQ(done, 3);
    EXPECT_FALSE(pool.submit([&] { ++done; }));
}

TEST(Json, errors_name_line_and_column) {
    const auto parsed = parse_json("{\n  \"a\": 1,\n  \"b\": ?\n}");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code(), ErrorCode::bad_json);
    EXPECT_NE(parsed.error().context().find("line 3"), std::string::npos)
        << parsed.error().context();
    for (const char* bad : {"", "{", "{} {}", "[1,]", "nul", "\"\\q\"", "[-1e999]"}) {
        EXPECT_FALSE(parse_json(bad)) << bad;
    }
    EXPECT_NE(parse_json("[-1e999]").error().message().find("too large"), std::string::npos);
    EXPECT_FALSE(parse_json_object("[]"));
    EXPECT_EQ(parse_json(std::string(500, '[') + std::string(500, ']')).error().code(),
              ErrorCode::limit_exceeded);
}

TEST(Json, builds_every_kind_of_value) {
    const std::string text = R"({"a":[null,true,-3,18446744073709551615,"x\u00e9\"",{}],"b":0.5})";
    const auto value = parse_json(text).value();
    EXPECT_EQ(value.at("a").as_array().size(), 6U);
    EXPECT_EQ(value.at("a").as_array()[3].as_uint64(), 18446744073709551615U);
    EXPECT_EQ(value.at("a").as_array()[4].as_string(), "x\xC3\xA9\"");
    EXPECT_EQ(value.at("b").as_double(), 0.5);
    EXPECT_EQ(parse_json(R"({"k":1,"k":2})").value().at("k").as_int64(), 2);
}

RC_GTEST_PROP(Json, reads_back_every_double_that_it_prints, ()) {
    const auto bits = *rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>());
    const double number = std::bit_cast<double>(bits);
    RC_PRE(std::isfinite(number));
    const auto again = parse_json(pretty_json(number)).value();
    RC_ASSERT(again.is_double() && again.get_double() == number);
}

TEST(Json, pretty_form_is_the_one_of_app_directories) {
    const auto value = parse_json(R"({"a":{"b":[1,true,"x"]},"c":{},"d":[]})").value();
    EXPECT_EQ(pretty_json(value), "{\n    \"a\": {\n        \"b\": [\n            1,\n"
                                  "            true,\n            \"x\"\n        ]\n    },\n"
                                  "    \"c\": {},\n    \"d\": []\n}\n");
}

std::string logged(LogFormat format, std::string_view message, std::string value) {
    const store::TemporaryFolder folder;
    const std::string path = (folder.path() / "log").string();
    {
        const auto log = Log::open({LogLevel::info, format, path}).value();
        log->debug("not shown");
        log->info(message, {{"field", std::move(value)}});
    }
    std::ifstream file(path);
    return std::string((std::istreambuf_iterator<char>(file)), {});
}

TEST(Log, values_cannot_forge_lines_or_break_json) {
    const std::string text = logged(LogFormat::text, "said", "a\nb \"c\"");
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
    EXPECT_NE(text.find("said field=\"a\\nb \\\"c\\\"\""), std::string::npos) << text;
    const std::string line = logged(LogFormat::json, "said", std::string("\x01 \xff \n \"", 7));
    const auto parsed = parse_json_object(line);
    ASSERT_TRUE(parsed) << line;
    EXPECT_EQ(string_or(*parsed, "message"), "said");
    EXPECT_TRUE(is_utf8(line));
}

TEST(Log, goes_on_in_a_new_file_after_a_rotation) {
    const TemporaryFolder folder;
    const std::string file = folder.file("log");
    const auto log = Log::open({LogLevel::info, LogFormat::text, file}).value();
    log->info("first");
    std::filesystem::rename(file, file + ".1");
    ASSERT_TRUE(log->reopen());
    log->info("second");
    log->flush();
    EXPECT_NE(read_file(file + ".1").find("first"), std::string::npos);
    EXPECT_EQ(read_file(file + ".1").find("second"), std::string::npos);
    EXPECT_NE(read_file(file).find("second"), std::string::npos);
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    EXPECT_EQ(log->reopen().error().code(), ErrorCode::io);
}

TEST(Log, wrong_names_and_files_are_refused_with_what_there_is) {
    EXPECT_NE(parse_log_level("loud").error().message().find("debug, info"), std::string::npos);
    EXPECT_NE(parse_log_format("xml").error().message().find("text and json"), std::string::npos);
    const store::TemporaryFolder folder;
    const std::string file = (folder.path() / "file").string();
    std::ofstream(file) << "x";
    EXPECT_EQ(Log::open({LogLevel::info, LogFormat::text, file + "/log"}).error().code(),
              ErrorCode::io);
}

} // namespace
} // namespace tombolo::server
