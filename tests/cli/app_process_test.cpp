// Apps, app directories, and the resources of an app.

#include <signal.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "cli/command_process.hpp"

namespace tombolo::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string text(const boost::json::object& object, const char* key) {
    return std::string(object.at(key).as_string());
}

// One server and one deployed app for all of them.
class AppProcess : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        apps_ = std::make_unique<TemporaryFolder>();
        root_ = write_app(*apps_, "notes");
        setup_ = std::make_unique<Installation>(std::vector<std::string>{"--app", root_});
        app_ = text(setup_->run({"apps", "list", "--json"}).object(), "client_app_id");
    }
    static void TearDownTestSuite() {
        setup_.reset();
        apps_.reset();
    }

    // A run about that app.
    static Output run(std::vector<std::string> words, const std::string& input = {}) {
        words.insert(words.end(), {"--app", app_});
        return setup_->run(words, input);
    }

    static std::unique_ptr<TemporaryFolder> apps_;
    static std::unique_ptr<Installation> setup_;
    static std::string root_;
    static std::string app_;
};

std::unique_ptr<TemporaryFolder> AppProcess::apps_;
std::unique_ptr<Installation> AppProcess::setup_;
std::string AppProcess::root_;
std::string AppProcess::app_;

TEST_F(AppProcess, apps_are_created_listed_described_and_deleted) {
    const Output created = setup_->run({"apps", "create", "First-App", "--json"});
    ASSERT_EQ(created.code, 0) << created.err;
    const std::string id = text(created.object(), "client_app_id");
    EXPECT_THAT(id, StartsWith("first-app-"));
    const Output list = setup_->run({"apps", "list"});
    EXPECT_THAT(list.out, HasSubstr(id));
    EXPECT_THAT(list.out, HasSubstr(app_));
    EXPECT_EQ(setup_->run({"apps", "ls", "-a", "first", "--json"}).objects().size(), 1U);
    const Output described = setup_->run({"apps", "describe", "--app", "first-app"});
    EXPECT_EQ(described.code, 0) << described.err;
    EXPECT_THAT(described.out, HasSubstr(id));
    const Output unconfirmed = setup_->run({"apps", "delete", "--app", id});
    EXPECT_EQ(unconfirmed.code, 2);
    EXPECT_THAT(unconfirmed.err, HasSubstr("--yes"));
    EXPECT_EQ(setup_->run({"apps", "delete", "--app", id, "--yes"}).code, 0);
    const Output gone = setup_->run({"apps", "describe", "--app", id});
    EXPECT_EQ(gone.code, 4);
    EXPECT_THAT(gone.err, HasSubstr(id));
    EXPECT_EQ(setup_->run({"apps", "delete", "--yes"}).code, 2);
}

TEST_F(AppProcess, users_live_through_their_states) {
    const Output created =
        run({"users", "create", "--email", "ann@example.com", "--password-stdin", "--json"},
            "secret-password\n");
    ASSERT_EQ(created.code, 0) << created.err;
    const std::string id = text(created.object(), "_id");
    EXPECT_EQ(
        run({"users", "create", "--email", "ann@example.com", "--password", "another-one"}).code,
        1);
    EXPECT_THAT(run({"users", "list"}).out, HasSubstr("ann@example.com"));
    for (const char* action : {"disable", "enable", "revoke"}) {
        EXPECT_EQ(run({"users", action, id}).code, 0) << action;
    }
    EXPECT_EQ(run({"users", "disable", id}).code, 0);
    EXPECT_EQ(run({"users", "list", "--state", "disabled", "--json"}).objects().size(), 1U);
    EXPECT_EQ(run({"users", "count", "--provider", "local-userpass"}).out, "1\n");
    EXPECT_EQ(run({"users", "enable", "65f000000000000000000001"}).code, 4);
    EXPECT_EQ(run({"users", "delete", id}).code, 2); // nobody to ask
    EXPECT_EQ(run({"users", "delete", "-u", id, "--yes"}).code, 0);
    EXPECT_EQ(run({"users", "count"}).out, "0\n");
    EXPECT_EQ(run({"users", "list", "--pending", "--json"}).code, 0);
    EXPECT_EQ(run({"users", "disable"}).code, 2);
}

TEST_F(AppProcess, api_keys_are_shown_once) {
    const Output created = run({"api-keys", "create", "worker", "--json"});
    ASSERT_EQ(created.code, 0) << created.err;
    const std::string key = text(created.object(), "key");
    EXPECT_FALSE(key.empty());
    const Output list = run({"api-keys", "list"});
    EXPECT_THAT(list.out, HasSubstr("worker"));
    EXPECT_THAT(list.out, Not(HasSubstr(key)));
    EXPECT_EQ(run({"api-keys", "disable", "worker"}).code, 0);
    EXPECT_THAT(run({"api-keys", "list"}).out, HasSubstr("disabled"));
    EXPECT_EQ(run({"api-keys", "enable", "worker"}).code, 0);
    EXPECT_EQ(run({"api-keys", "delete", "worker", "--yes"}).code, 0);
    EXPECT_EQ(run({"api-keys", "enable", "worker"}).code, 4);
}

TEST_F(AppProcess, secrets_never_show_their_values) {
    ASSERT_EQ(run({"secrets", "create", "token", "--value", "-"}, "very-secret\n").code, 0);
    const Output list = run({"secrets", "list", "--json"});
    EXPECT_EQ(text(list.object(), "name"), "token");
    EXPECT_THAT(list.out, Not(HasSubstr("very-secret")));
    EXPECT_EQ(run({"secrets", "update", "token", "--value", "other"}).code, 0);
    EXPECT_EQ(run({"secrets", "update", "token", "--new-name", "key"}).code, 0);
    EXPECT_EQ(run({"secrets", "delete", "token", "--yes"}).code, 4);
    EXPECT_EQ(run({"secrets", "delete", "key", "--yes"}).code, 0);
    EXPECT_EQ(run({"secrets", "create", "x"}).code, 2); // nobody to ask for the value
}

TEST_F(AppProcess, values_are_json_or_text) {
    ASSERT_EQ(run({"values", "create", "json", "-v", R"({"a": [1]})"}).code, 0);
    ASSERT_EQ(run({"values", "create", "text", "-v", "plain words", "--private"}).code, 0);
    EXPECT_EQ(run({"values", "show", "json"}).out, "{\"a\":[1]}\n");
    EXPECT_EQ(run({"values", "show", "text"}).out, "plain words\n");
    EXPECT_EQ(run({"values", "update", "text", "-v", "5"}).code, 0);
    EXPECT_EQ(run({"values", "show", "text"}).out, "5\n");
    EXPECT_THAT(run({"values", "list"}).out, HasSubstr("json"));
    for (const char* name : {"json", "text"}) {
        EXPECT_EQ(run({"values", "delete", name, "--yes"}).code, 0);
    }
    EXPECT_EQ(run({"values", "show", "text"}).code, 4);
}

TEST_F(AppProcess, schemas_are_checked_here_and_there) {
    EXPECT_THAT(run({"schema", "list"}).out, HasSubstr("Note"));
    const Output good = run({"schema", "validate"});
    EXPECT_EQ(good.code, 0) << good.out << good.err;
    const std::string root = write_app(setup_->folder(), "schemas");
    const CommandLine offline(setup_->folder().file("offline"));
    EXPECT_EQ(offline.run({"schema", "validate", root}).code, 0);
    setup_->folder().write("schemas/data_sources/mongodb-atlas/notes/Note/schema.json",
                           R"({"title": "Note", "properties": {"text": {"bsonType": "strin"}}})");
    const Output bad = offline.run({"schema", "validate", root, "--json"});
    EXPECT_EQ(bad.code, 2);
    EXPECT_THAT(bad.out, HasSubstr("_id"));
    EXPECT_EQ(offline.run({"schema", "validate"}).code, 2);
}

TEST_F(AppProcess, sync_is_shown_paused_and_terminated) {
    EXPECT_THAT(run({"sync", "status"}).out, HasSubstr("sync: running"));
    EXPECT_EQ(run({"sync", "progress"}).code, 0);
    EXPECT_EQ(run({"sync", "pause"}).code, 0);
    EXPECT_THAT(run({"sync", "status"}).out, HasSubstr("sync: paused"));
    EXPECT_THAT(run({"sync", "pause"}).out, HasSubstr("nothing to do"));
    EXPECT_EQ(run({"sync", "resume"}).code, 0);
    EXPECT_EQ(run({"sync", "dev-mode", "on"}).code, 0);
    EXPECT_THAT(run({"sync", "status", "--json"}).out,
                HasSubstr("\"development_mode_enabled\":true"));
    EXPECT_EQ(run({"sync", "dev-mode", "off"}).code, 0);
    EXPECT_EQ(run({"sync", "dev-mode", "perhaps"}).code, 2);
    EXPECT_EQ(run({"sync", "terminate", "--confirm", "other"}).code, 2);
    EXPECT_EQ(run({"sync", "terminate", "--confirm", app_}).code, 0);
    EXPECT_THAT(run({"sync", "status"}).out, HasSubstr("sync: not enabled"));
    EXPECT_EQ(run({"sync", "enable", "--database", "notes", "--queryable-field", "text"}).code, 0);
    EXPECT_EQ(run({"sync", "reset-client", "--file", "77"}).code, 4);
}

TEST_F(AppProcess, logs_are_listed_and_followed) {
    const Output list = run({"logs", "list", "--limit", "5", "--json"});
    EXPECT_EQ(list.code, 0) << list.err;
    EXPECT_EQ(run({"logs", "list", "--start", "yesterday"}).code, 2);
    EXPECT_EQ(run({"logs", "list", "--type", "nonsense"}).code, 2);
    CommandLine::Running tail =
        setup_->command().start({"logs", "tail", "--limit", "0", "--app", app_});
    tail.wait_for("waiting for entries");
    tail.signal(SIGINT);
    EXPECT_EQ(tail.wait().code, 0);
}

TEST_F(AppProcess, output_goes_to_a_file_when_asked) {
    const std::string file = setup_->folder().file("listing");
    const Output listed = run({"apps", "list", "-f", "json", "-o", file});
    EXPECT_EQ(listed.code, 0);
    EXPECT_EQ(listed.out, "");
    EXPECT_THAT(read_file(file), HasSubstr(app_));
    EXPECT_EQ(run({"apps", "list", "-o", "/no/such/folder/x"}).code, 1);
}

} // namespace
} // namespace tombolo::cli
