// What an operator asks of sync where there is none, or where it cannot run; alerts; documents that
// no device gets; collections that go.

#include <filesystem>

#include <gmock/gmock.h>

#include "cli/command_process.hpp"

namespace tombolo::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::vector<std::vector<std::string>> inquiries = {
    {"sync", "progress"},
    {"sync", "progress", "--wait"},
    {"sync", "devices"},
    {"sync", "history"},
    {"sync", "unsynced"},
    {"sync", "conflicts"},
    {"sync", "restore-conflict", "5"},
    {"sync", "reset-file", "5"},
    {"sync", "expire-device", "5", "--yes"},
    {"sync", "explain", "--user", "65f0c0ffee00000000000002", "--object", "Note/5"},
};

std::string words_of(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& each : words) {
        text += each + " ";
    }
    return text;
}

class OperatorProcess : public testing::Test {
  protected:
    Output run(std::vector<std::string> words, const std::string& app = "notes") {
        words.insert(words.end(), {"--app", app});
        return setup_.run(words);
    }
    Output drop(const std::string& collection, std::vector<std::string> more = {"--yes"}) {
        more.insert(more.begin(), {"data", "drop", "-d", "notes", "-c", collection});
        return run(more);
    }
    // One document that fits the class and one that does not.
    void import_one_that_does_not_fit() {
        const std::string file = setup_.folder().write(
            "in.jsonl", "{\"_id\":{\"$oid\":\"65f0c0ffee00000000000001\"},\"n\":1}\n"
                        "{\"_id\":{\"$oid\":\"65f0c0ffee00000000000002\"},\"text\":\"x\"}\n");
        ASSERT_EQ(run({"data", "import", file, "-d", "notes", "-c", "Note"}).code, 0);
    }

    static std::string write_plain_app(const TemporaryFolder& folder) {
        const std::string path = write_app(folder, "plain");
        std::filesystem::remove_all(path + "/sync");
        return path;
    }

    TemporaryFolder apps_;
    Installation setup_{{"--app", write_app(apps_, "notes"), "--app", write_plain_app(apps_)}};
};

TEST_F(OperatorProcess, without_sync_every_inquiry_says_how_to_enable_it) {
    for (const auto& words : inquiries) {
        const Output told = run(words, "plain");
        EXPECT_EQ(told.code, 4) << words_of(words);
        EXPECT_EQ(told.out, "") << words_of(words);
        EXPECT_THAT(told.err, AllOf(HasSubstr("sync is not enabled for this app"),
                                    HasSubstr("tombolo sync enable --database NAME")))
            << words_of(words);
    }
    EXPECT_EQ(run({"sync", "pause"}, "plain").code, 4);
    EXPECT_EQ(run({"sync", "resume"}, "plain").code, 4);
    EXPECT_THAT(run({"sync", "terminate"}, "plain").out, HasSubstr("nothing to do"));
    EXPECT_THAT(run({"sync", "status"}, "plain").out, HasSubstr("sync: not enabled"));
    EXPECT_EQ(run({"sync", "enable"}, "plain").code, 2) << "of which database?";
}

TEST_F(OperatorProcess, an_app_without_a_data_source_has_no_sync_either) {
    ASSERT_EQ(setup_.run({"apps", "create", "--name", "empty", "--local", ""}).code, 0);
    EXPECT_THAT(run({"sync", "status"}, "empty").out, HasSubstr("sync: not enabled"));
    EXPECT_THAT(run({"sync", "terminate"}, "empty").out, HasSubstr("nothing to do"));
    EXPECT_THAT(run({"sync", "enable", "--database", "d"}, "empty").err,
                HasSubstr("the app has no data source"));
}

TEST_F(OperatorProcess, a_wrong_app_is_named_by_every_inquiry) {
    for (const auto& words : inquiries) {
        const Output told = run(words, "other");
        EXPECT_EQ(told.code, 4) << words_of(words);
        EXPECT_THAT(told.err, HasSubstr("there is no app 'other'")) << words_of(words);
    }
}

TEST_F(OperatorProcess, paused_sync_answers_and_is_not_waited_for) {
    ASSERT_EQ(run({"sync", "pause"}).code, 0);
    const Output progress = run({"sync", "progress"});
    EXPECT_EQ(progress.code, 0);
    EXPECT_THAT(progress.out, AllOf(HasSubstr("does not accept clients: sync is paused"),
                                    HasSubstr("tombolo sync resume")));
    EXPECT_EQ(run({"sync", "progress", "--json"}).object().at("state").as_string(), "paused");
    EXPECT_EQ(run({"sync", "progress", "--wait"}).code, 1);
    EXPECT_EQ(run({"sync", "devices"}).code, 0);
    EXPECT_EQ(run({"sync", "unsynced"}).code, 0);
    EXPECT_THAT(run({"sync", "reset-file", "5"}).err, HasSubstr("no such client file"));
    EXPECT_THAT(run({"sync", "status"}).out, HasSubstr("accepts clients: no: sync is paused"));
}

TEST_F(OperatorProcess, sync_that_cannot_start_says_why_wherever_it_is_asked) {
    // The database of the other app.
    const Output enabled = run({"sync", "enable", "--database", "notes"}, "plain");
    EXPECT_EQ(enabled.code, 0) << enabled.err;
    const std::string why = "the collection is synced by another app of this server";
    EXPECT_THAT(enabled.err, HasSubstr(why));
    const Output progress = run({"sync", "progress", "--wait"}, "plain");
    EXPECT_EQ(progress.code, 1);
    EXPECT_THAT(progress.out,
                AllOf(HasSubstr("sync cannot start: " + why), HasSubstr("Mend the configuration")));
    for (const char* each : {"devices", "history"}) {
        const Output told = run({"sync", each}, "plain");
        EXPECT_EQ(told.code, 1);
        EXPECT_THAT(told.err, AllOf(HasSubstr(why), HasSubstr("tombolo sync progress")));
    }
    EXPECT_THAT(run({"sync", "reset-file", "5"}, "plain").err, HasSubstr(why));
}

TEST_F(OperatorProcess, documents_that_no_device_gets_are_listed) {
    const Output none = run({"sync", "unsynced"});
    EXPECT_EQ(none.code, 0);
    EXPECT_EQ(none.out, "");
    EXPECT_THAT(none.err, HasSubstr("every document of the synced collections can be synced"));
    EXPECT_THAT(run({"sync", "unsynced", "--json"}).out, IsEmpty());

    import_one_that_does_not_fit();
    const Output listed = run({"sync", "unsynced"});
    EXPECT_EQ(listed.code, 0);
    EXPECT_THAT(listed.out,
                AllOf(HasSubstr("65f0c0ffee00000000000001"), HasSubstr("the field is required"),
                      Not(HasSubstr("65f0c0ffee00000000000002"))));
    const auto document = run({"sync", "unsynced", "--json"}).object();
    EXPECT_EQ(document.at("class").as_string(), "Note");
    EXPECT_EQ(document.at("ns").as_object().at("db").as_string(), "notes");
}

TEST_F(OperatorProcess, dropping_a_synced_collection_stops_sync_and_raises_an_alert) {
    const Output quiet = run({"alerts"});
    EXPECT_EQ(quiet.code, 0);
    EXPECT_THAT(quiet.err, HasSubstr("no alerts"));
    EXPECT_THAT(run({"alerts", "--json"}).out, IsEmpty());

    import_one_that_does_not_fit();
    const Output asked = drop("Note", {});
    EXPECT_EQ(asked.code, 2) << "nobody is there to say yes";
    EXPECT_THAT(asked.err, HasSubstr("--yes"));
    const Output dropped = drop("Note", {"--yes", "--json"});
    EXPECT_EQ(dropped.code, 0) << dropped.err;
    EXPECT_EQ(dropped.object().at("dropped").as_string(), "notes.Note");
    EXPECT_TRUE(dropped.object().at("sync_failed").as_bool());
    EXPECT_EQ(drop("Note").code, 4) << "it is gone";

    const Output alerts = run({"alerts"});
    EXPECT_EQ(alerts.code, 0);
    EXPECT_THAT(alerts.out, AllOf(HasSubstr("sync_failed"), HasSubstr("notes/Note was dropped"),
                                  HasSubstr("do: terminate sync")));
    const auto alert = run({"alerts", "--json"}).object();
    EXPECT_EQ(alert.at("kind").as_string(), "sync_failed");
    EXPECT_THAT(run({"alerts"}, "plain").err, HasSubstr("no alerts")) << "they are another app's";
    EXPECT_THAT(run({"sync", "progress"}).out, HasSubstr("sync has failed"));
    EXPECT_EQ(run({"sync", "progress", "--wait"}).code, 1);
}

TEST_F(OperatorProcess, a_collection_that_nothing_syncs_just_goes) {
    const std::string file = setup_.folder().write("in.jsonl", "{\"_id\":1}\n");
    ASSERT_EQ(run({"data", "import", file, "-d", "notes", "-c", "scratch"}).code, 0);
    const Output dropped = drop("scratch");
    EXPECT_EQ(dropped.code, 0) << dropped.err;
    EXPECT_EQ(dropped.out, "erased notes.scratch\n");
    EXPECT_EQ(dropped.err, "");
    EXPECT_THAT(run({"sync", "progress"}).out, HasSubstr("accepts clients"));
}

TEST_F(OperatorProcess, wrong_arguments_are_refused_before_anything_is_asked) {
    for (const char* limit : {"0", "-1", "many", "100001"}) {
        EXPECT_EQ(run({"alerts", "--limit", limit}).code, 2) << limit;
        EXPECT_EQ(run({"sync", "unsynced", "--limit", limit}).code, 2) << limit;
    }
    EXPECT_EQ(run({"alerts", "extra"}).code, 2);
    EXPECT_EQ(run({"sync", "unsynced", "extra"}).code, 2);
    EXPECT_EQ(run({"data", "drop", "--yes"}).code, 2);
    EXPECT_EQ(run({"data", "drop", "--yes", "-d", "notes"}).code, 2);
    EXPECT_EQ(drop("Note", {"--yes", "--service", "other"}).code, 4);
    EXPECT_EQ(run({"alerts"}, "other").code, 4);
    EXPECT_EQ(drop("none").code, 4);
}

TEST_F(OperatorProcess, who_is_not_logged_in_is_told_and_an_absent_server_too) {
    const std::vector<std::vector<std::string>> commands = {
        {"alerts"}, {"sync", "unsynced"}, {"data", "drop", "--yes", "-d", "notes", "-c", "Note"}};
    ASSERT_EQ(setup_.run({"logout"}).code, 0);
    for (const auto& words : commands) {
        const Output told = run(words);
        EXPECT_EQ(told.code, 3) << words_of(words);
        EXPECT_THAT(told.err, HasSubstr("tombolo login")) << words_of(words);
    }
    setup_.command().set_environment("TOMBOLO_USERNAME", "admin");
    setup_.command().set_environment("TOMBOLO_PASSWORD", "password");
    setup_.command().set_environment("TOMBOLO_URL", "http://127.0.0.1:1");
    for (const auto& words : commands) {
        const Output told = run(words);
        EXPECT_EQ(told.code, 1) << words_of(words);
        EXPECT_THAT(told.err, HasSubstr("127.0.0.1")) << words_of(words);
    }
}

} // namespace
} // namespace tombolo::cli
