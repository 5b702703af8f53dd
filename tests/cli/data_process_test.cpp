// Documents in and out, interruptions, indexes, backups.

#include <signal.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "cli/command_process.hpp"

namespace tombolo::cli {
namespace {

using testing::HasSubstr;

class DataProcess : public testing::Test {
  protected:
    Output import(const std::string& file, const std::string& collection,
                  std::vector<std::string> more = {}, const std::string& input = {}) {
        more.insert(more.begin(), {"data", "import", file, "-d", "shop", "-c", collection});
        return setup_.run(more, input);
    }
    Output export_all(const std::string& collection, std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"data", "export", "-d", "shop", "-c", collection});
        return setup_.run(more);
    }
    std::size_t count(const std::string& collection) {
        return export_all(collection).objects().size();
    }

    static std::string lines(int count, const std::string& more = {}) {
        std::string text;
        for (int i = 0; i < count; ++i) {
            text += "{\"_id\":" + std::to_string(i) + more + "}\n";
        }
        return text;
    }

    TemporaryFolder apps_;
    Installation setup_{{"--app", write_app(apps_, "shop")}};
};

TEST_F(DataProcess, what_goes_in_comes_out) {
    const std::string text =
        "{\"_id\":1,\"a\":{\"$date\":\"2024-05-31T00:00:00Z\"}}\n{\"_id\":2,\"b\":[1,2.5]}\n";
    const std::string file = setup_.folder().write("in.jsonl", text);
    const Output imported = import(file, "lines", {"--json"});
    ASSERT_EQ(imported.code, 0) << imported.err;
    EXPECT_EQ(imported.object().at("written").to_number<int>(), 2);
    EXPECT_EQ(export_all("lines").out, text);
    for (const char* name : {"all.json", "all.bson", "all.bson.gz", "all.jsonl.gz"}) {
        const std::string out = setup_.folder().file(name);
        const Output exported = setup_.run({"data", "export", out, "-d", "shop", "-c", "lines"});
        ASSERT_EQ(exported.code, 0) << exported.err;
        ASSERT_EQ(import(out, std::string("again-") + name).code, 0);
        EXPECT_EQ(export_all(std::string("again-") + name).out, text);
    }
    EXPECT_EQ(export_all("lines", {"--query", "{\"_id\": {\"$gt\": 1}}"}).objects().size(), 1U);
    EXPECT_EQ(export_all("lines", {"--query", "{\"_id\": {\"$nonsense\": 1}}"}).code, 1);
    EXPECT_EQ(export_all("nothing").out, "");
}

TEST_F(DataProcess, csv_and_standard_input) {
    const Output imported = import("-", "people", {"--format", "csv", "--id", "name"},
                                   "name,age:int,address.city\nAnn,30,Bern\nBob,,\"Z, x\"\n");
    ASSERT_EQ(imported.code, 0) << imported.err;
    EXPECT_EQ(export_all("people", {"--format", "csv", "--fields", "_id,age,address.city"}).out,
              "_id,age,address.city\nAnn,30,Bern\nBob,,\"Z, x\"\n");
    EXPECT_EQ(export_all("people", {"--format", "csv"}).code, 2);
}

TEST_F(DataProcess, points_and_ids_of_content_are_the_same_in_every_run) {
    const std::string file = setup_.folder().write(
        "cities.json",
        R"([{"name":"Bern","lng":"7.4","lat":"46.9"},{"name":"Basel","lng":7.6,"lat":47.6}])");
    const std::vector<std::string> options = {"--id",        "content", "--point",
                                              "loc=lng,lat", "--mode",  "upsert"};
    ASSERT_EQ(import(file, "cities", options).code, 0);
    const std::string first = export_all("cities").out;
    EXPECT_THAT(first, HasSubstr(R"("loc":{"type":"Point","coordinates":[7.4,46.9]})"));
    ASSERT_EQ(import(file, "cities", options).code, 0);
    EXPECT_EQ(export_all("cities").out, first);
}

TEST_F(DataProcess, modes_decide_about_documents_that_exist) {
    const std::string file = setup_.folder().write("a.jsonl", lines(10));
    ASSERT_EQ(import(file, "c").code, 0);
    const Output again = import(file, "c");
    EXPECT_EQ(again.code, 1);
    EXPECT_THAT(again.err, HasSubstr("document 1: "));
    EXPECT_THAT(again.out, HasSubstr("10 were refused"));
    const Output skipped = import(file, "c", {"--mode", "skip"});
    EXPECT_EQ(skipped.code, 0);
    EXPECT_THAT(skipped.out, HasSubstr("10 were there already"));
    const std::string other = setup_.folder().write("b.jsonl", lines(12, ",\"n\":1"));
    EXPECT_EQ(import(other, "c", {"--mode", "upsert"}).code, 0);
    EXPECT_EQ(count("c"), 12U);
    EXPECT_THAT(export_all("c").out, HasSubstr("\"n\":1"));
}

TEST_F(DataProcess, wrong_input_names_its_place_and_keeps_what_came_before) {
    const std::string file = setup_.folder().write("a.jsonl", lines(3) + "{\"_id\":}\n");
    const Output wrong = import(file, "c");
    EXPECT_EQ(wrong.code, 2);
    EXPECT_THAT(wrong.err, HasSubstr("document 4, which begins on line 4"));
    EXPECT_EQ(import(setup_.folder().file("none.json"), "c").code, 4);
    EXPECT_EQ(import(setup_.folder().write("x.dat", ""), "c").code, 2);
    EXPECT_EQ(import(file, "c", {"--service", "other"}).code, 4);
    EXPECT_EQ(setup_.run({"data", "import", file, "-d", "shop"}).code, 2);
    EXPECT_EQ(export_all("c", {"--service", "other"}).code, 4);
}

TEST_F(DataProcess, interrupted_import_says_how_far_it_came_and_can_go_on) {
    const std::string text = lines(200'000, ",\"text\":\"" + std::string(200, 'x') + "\"");
    const std::string file = setup_.folder().write("large.jsonl", text);
    CommandLine::Running running = setup_.command().start(
        {"data", "import", file, "-d", "shop", "-c", "large", "--app", "shop"});
    while (export_all("large", {"--query", "{\"_id\": {\"$gte\": 1000}}"}).out.empty()) {
    }
    setup_.server().signal(SIGKILL);
    const Output stopped = running.wait();
    setup_.server().wait_exit();
    EXPECT_EQ(stopped.code, 1);
    EXPECT_THAT(stopped.err, HasSubstr("the import stopped"));
    EXPECT_THAT(stopped.err, HasSubstr("documents were written"));
    EXPECT_THAT(stopped.err, HasSubstr("--mode skip"));
    setup_.restart();
    const Output again = import(file, "large", {"--mode", "skip", "--json"});
    ASSERT_EQ(again.code, 0) << again.err;
    const auto report = again.object();
    EXPECT_EQ(report.at("written").to_number<int>() + report.at("skipped").to_number<int>(),
              200'000);
    EXPECT_GT(report.at("skipped").to_number<int>(), 0);
}

TEST_F(DataProcess, ctrl_c_ends_an_import_in_order) {
    // Standard input is a file, so the import would end by itself: a large one gives time.
    const std::string text = lines(300'000, ",\"text\":\"" + std::string(200, 'x') + "\"");
    const std::string file = setup_.folder().write("large.jsonl", text);
    CommandLine::Running running = setup_.command().start(
        {"data", "import", file, "-d", "shop", "-c", "large", "--app", "shop"});
    while (export_all("large", {"--query", "{\"_id\": 0}"}).out.empty()) {
    }
    running.signal(SIGINT);
    const Output stopped = running.wait();
    EXPECT_EQ(stopped.code, 1) << stopped.out;
    EXPECT_THAT(stopped.err, HasSubstr("interrupted"));
    EXPECT_THAT(stopped.err, HasSubstr("documents were written"));
}

TEST_F(DataProcess, indexes) {
    ASSERT_EQ(import("-", "c", {"--format", "jsonl"}, lines(5, ",\"n\":1")).code, 0);
    const std::vector<std::string> place = {"-d", "shop", "-c", "c"};
    const auto with = [&](std::vector<std::string> words) {
        words.insert(words.end(), place.begin(), place.end());
        return setup_.run(words);
    };
    EXPECT_EQ(with({"indexes", "create", "n", "m.x"}).code, 0);
    EXPECT_EQ(with({"indexes", "create", "n", "m.x"}).code, 0);
    EXPECT_EQ(with({"indexes", "create", "other", "--name", "n_m.x"}).code, 1);
    const Output unique = with({"indexes", "create", "n", "--unique"});
    EXPECT_EQ(unique.code, 1);
    const Output list = with({"indexes", "list"});
    EXPECT_THAT(list.out, HasSubstr("n_m.x"));
    EXPECT_EQ(with({"indexes", "delete", "n_m.x"}).code, 0);
    EXPECT_EQ(with({"indexes", "delete", "n_m.x"}).code, 4);
}

TEST_F(DataProcess, backup_verify_and_restore) {
    ASSERT_EQ(import("-", "c", {"--format", "jsonl"}, lines(100)).code, 0);
    const Output status = setup_.run({"server", "status", "--json"});
    ASSERT_EQ(status.code, 0) << status.err;
    const std::string backups(status.object().at("backup_directory").as_string());
    EXPECT_EQ(setup_.run({"server", "verify"}).code, 0);
    const Output made = setup_.run({"server", "backup", "--json"});
    ASSERT_EQ(made.code, 0) << made.err;
    EXPECT_EQ(made.object().at("directory").as_string(), backups);
    ASSERT_EQ(import("-", "later", {"--format", "jsonl"}, lines(1)).code, 0);

    const Output held = setup_.run({"server", "verify", "--data", setup_.data_folder()});
    EXPECT_EQ(held.code, 1); // the server has it open
    const Output checked = setup_.run({"server", "verify", "--backup", backups});
    EXPECT_EQ(checked.code, 0) << checked.err;
    EXPECT_THAT(checked.out, HasSubstr("all well"));

    EXPECT_EQ(setup_.run({"server", "restore", backups, "--data", setup_.data_folder()}).code, 2);
    EXPECT_EQ(setup_
                  .run({"server", "restore", setup_.folder().file("none"), "--data",
                        setup_.folder().file("x")})
                  .code,
              4);
    const std::string copy = setup_.folder().file("restored");
    const Output restored = setup_.run({"server", "restore", backups, "--data", copy,
                                        "--master-key", setup_.data_folder() + "/master.key"});
    ASSERT_EQ(restored.code, 0) << restored.err;
    EXPECT_EQ(setup_.run({"server", "verify", "--data", copy}).code, 0);

    setup_.server().signal(SIGTERM);
    setup_.server().wait_exit();
    std::filesystem::rename(setup_.data_folder(), setup_.folder().file("lost"));
    std::filesystem::rename(copy, setup_.data_folder());
    setup_.restart();
    EXPECT_EQ(count("c"), 100U);
    EXPECT_EQ(count("later"), 0U);
}

TEST_F(DataProcess, damaged_files_are_found) {
    ASSERT_EQ(import("-", "c", {"--format", "jsonl"}, lines(2000)).code, 0);
    ASSERT_EQ(setup_.run({"server", "backup"}).code, 0);
    const std::string backups = setup_.data_folder() + "/backups";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(backups)) {
        if (entry.is_regular_file() && entry.path().string().find("shared") != std::string::npos) {
            std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
        }
    }
    const Output found = setup_.run({"server", "verify", "--backup", backups});
    EXPECT_EQ(found.code, 1) << found.out;
}

} // namespace
} // namespace tombolo::cli
