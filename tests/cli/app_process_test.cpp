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

TEST_F(AppProcess, pushing_twice_finds_nothing_to_do) {
    const Output first = setup_->run({"push", "--local", root_, "--yes", "--json"});
    ASSERT_EQ(first.code, 0) << first.err;
    EXPECT_EQ(text(first.object(), "client_app_id"), app_);
    const Output again = setup_->run({"push", "--local", root_, "--yes"});
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_THAT(again.out, HasSubstr("nothing to do"));
    EXPECT_EQ(setup_->run({"apps", "diff", "--local", root_, "--exit-code"}).code, 0);
}

TEST_F(AppProcess, a_changed_directory_is_shown_and_deployed) {
    const std::string root = write_app(setup_->folder(), "changing");
    ASSERT_EQ(setup_->run({"push", "--local", root, "--yes"}).code, 0);
    setup_->folder().write("changing/values/limit.json", R"({"name": "limit", "value": 7})");
    const Output diff = setup_->run({"apps", "diff", "--local", root, "--exit-code"});
    EXPECT_EQ(diff.code, 5) << diff.err;
    EXPECT_THAT(diff.out, HasSubstr("limit"));
    const Output dry = setup_->run({"push", "--local", root, "--dry-run"});
    EXPECT_EQ(dry.code, 0);
    EXPECT_THAT(dry.out, HasSubstr("would change"));
    const Output pushed = setup_->run({"push", "--local", root, "--yes", "-n", "second"});
    EXPECT_EQ(pushed.code, 0) << pushed.err;
    EXPECT_THAT(pushed.out, HasSubstr("deployed 1 change"));
    const Output value =
        setup_->run({"values", "show", "limit", "--local", root, "--app", "changing"});
    EXPECT_EQ(value.code, 2); // --local is none of its options
    EXPECT_EQ(setup_->run({"values", "show", "limit", "--app", "changing"}).out, "7\n");
    const auto deployments =
        setup_->run({"deploy", "list", "--app", "changing", "--json"}).objects();
    ASSERT_GE(deployments.size(), 2U);
    EXPECT_EQ(text(deployments[0], "name"), "second");
    EXPECT_EQ(
        setup_->run({"deploy", "redeploy", text(deployments[1], "_id"), "--app", "changing"}).code,
        0);
    EXPECT_EQ(setup_->run({"values", "show", "limit", "--app", "changing"}).out, "5\n");
}

TEST_F(AppProcess, errors_of_a_directory_are_listed_by_file_and_nothing_changes) {
    const std::string root = write_app(setup_->folder(), "broken");
    setup_->folder().write("broken/values/limit.json", "{");
    const Output syntax = setup_->run({"push", "--local", root, "--yes"});
    EXPECT_EQ(syntax.code, 2);
    EXPECT_THAT(syntax.err, HasSubstr("values/limit.json:"));
    setup_->folder().write("broken/values/limit.json", R"({"name": "limit", "value": 5})");
    ASSERT_EQ(setup_->run({"push", "--local", root, "--yes"}).code, 0);
    setup_->folder().write("broken/values/limit.json", R"({"name": "limit", "value": 9})");
    setup_->folder().write("broken/auth/providers.json",
                           R"({"local-userpass": {"name": "local-userpass", "type":
                               "local-userpass", "config": {"autoConfirm": "perhaps"}}})");
    const Output refused = setup_->run({"push", "--local", root, "--yes"});
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.err, HasSubstr("auth/providers.json"));
    EXPECT_THAT(refused.err, HasSubstr("autoConfirm"));
    EXPECT_EQ(setup_->run({"values", "show", "limit", "--app", "broken"}).out, "5\n");
    const Output nowhere =
        setup_->run({"push", "--local", setup_->folder().path().string(), "--yes"});
    EXPECT_EQ(nowhere.code, 2);
    EXPECT_THAT(nowhere.err, HasSubstr("no app directory"));
}

TEST_F(AppProcess, what_is_pulled_pushes_without_a_difference) {
    const std::string target = setup_->folder().file("pulled");
    const Output pulled = run({"pull", "--local", target});
    ASSERT_EQ(pulled.code, 0) << pulled.err;
    EXPECT_TRUE(std::filesystem::exists(target + "/functions/sum.js"));
    EXPECT_THAT(read_file(target + "/.mdb/meta.json"), HasSubstr(app_));
    EXPECT_THAT(run({"pull", "--local", target}).out, HasSubstr("nothing to do"));
    EXPECT_THAT(setup_->run({"apps", "diff", "--local", target}).out, HasSubstr("no differences"));
    // A local change is not overwritten without a question.
    setup_->folder().write("pulled/functions/sum.js", "exports = () => 0;\n");
    EXPECT_THAT(run({"pull", "--local", target, "--dry-run"}).out,
                HasSubstr("changed: functions/sum.js"));
    EXPECT_EQ(run({"pull", "--local", target}).code, 2);
    EXPECT_THAT(read_file(target + "/functions/sum.js"), HasSubstr("=> 0"));
    EXPECT_EQ(run({"pull", "--local", target, "--yes"}).code, 0);
    EXPECT_THAT(read_file(target + "/functions/sum.js"), HasSubstr("a + b"));
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

TEST_F(AppProcess, npm_packages_are_deployed_from_their_folder) {
    const std::string root = write_app(setup_->folder(), "packages");
    setup_->folder().write("packages/functions/greet.js", "exports = () => require('greeting');");
    setup_->folder().write("packages/functions/package.json",
                           R"({"dependencies": {"greeting": "1.0.0"}})");
    setup_->folder().write("packages/functions/node_modules/greeting/index.js",
                           "module.exports = 'hello from a package';");
    const Output pushed = setup_->run({"push", "--local", root, "--yes", "--include-node-modules"});
    ASSERT_EQ(pushed.code, 0) << pushed.err;
    const Output greeting = setup_->run({"function", "run", "greet", "--app", "packages"});
    EXPECT_EQ(greeting.code, 0) << greeting.err;
    EXPECT_THAT(greeting.out, HasSubstr("hello from a package"));
    const Output pulled = setup_->run({"pull", "--app", "packages", "--local", root + "-again"});
    EXPECT_EQ(pulled.code, 0) << pulled.err;
    EXPECT_TRUE(std::filesystem::exists(root + "-again/functions/node_modules.zip"));
}

TEST_F(AppProcess, a_new_directory_can_be_pushed) {
    const std::string root = (setup_->folder().path() / "begun").string();
    const Output made = setup_->run({"apps", "init", "begun", "--local", root});
    ASSERT_EQ(made.code, 0) << made.err;
    EXPECT_EQ(setup_->run({"apps", "init", "begun", "--local", root}).code, 1);
    const Output pushed = setup_->run({"push", "--local", root, "--yes"});
    EXPECT_EQ(pushed.code, 0) << pushed.err;
}

TEST_F(AppProcess, a_new_directory_can_begin_with_what_another_app_has) {
    const std::string root = (setup_->folder().path() / "second").string();
    const Output made = setup_->run({"apps", "init", "second", "--remote", app_, "--local", root});
    ASSERT_EQ(made.code, 0) << made.err;
    EXPECT_TRUE(std::filesystem::exists(root + "/functions/sum.js"));
    const Output pushed = setup_->run({"push", "--local", root, "--yes"});
    ASSERT_EQ(pushed.code, 0) << pushed.err;
    EXPECT_THAT(pushed.out, HasSubstr("second-"));
    EXPECT_EQ(setup_->run({"apps", "init", "x", "--remote", "nobody", "--local", root + "2"}).code,
              4);
}

TEST_F(AppProcess, keys_that_nobody_knows_are_errors_for_who_wants_it) {
    const std::string file = setup_->folder().write(
        "odd/root_config.json", R"({"name": "odd", "favourite_colour": "blue"})");
    const std::string root = file.substr(0, file.rfind('/'));
    ASSERT_EQ(setup_->run({"apps", "create", "odd"}).code, 0);
    const Output refused =
        setup_->run({"push", "--local", root, "--app", "odd", "--yes", "--strict"});
    EXPECT_EQ(refused.code, 1) << refused.out;
    EXPECT_THAT(refused.err, HasSubstr("root_config.json"));
    EXPECT_THAT(refused.err, HasSubstr("favourite_colour"));
    const Output pushed = setup_->run({"push", "--local", root, "--app", "odd", "--yes"});
    EXPECT_EQ(pushed.code, 0);
    EXPECT_THAT(pushed.out + pushed.err, HasSubstr("favourite_colour"));
    // In every file, not only in the root.
    setup_->folder().write("odd/root_config.json", R"({"name": "odd"})");
    setup_->folder().write("odd/auth/providers.json",
                           R"({"local-userpass": {"config": {"autoConfrim": true}}})");
    for (const auto& words : {std::vector<std::string>{"push", "--yes"}, {"apps", "diff"}}) {
        std::vector<std::string> all = words;
        all.insert(all.end(), {"--local", root, "--app", "odd", "--strict"});
        const Output nested = setup_->run(all);
        EXPECT_EQ(nested.code, 1) << nested.out;
        EXPECT_THAT(nested.err, HasSubstr("auth/providers.json"));
        EXPECT_THAT(nested.err, HasSubstr("unknown key 'local-userpass.config.autoConfrim'"));
    }
}

TEST_F(AppProcess, schemas_are_made_from_documents_and_classes_from_schemas) {
    ASSERT_EQ(setup_->run({"apps", "create", "models", "--cluster", "Cluster0"}).code, 0);
    const auto models = [](std::vector<std::string> words, const std::string& input = {}) {
        words.insert(words.end(), {"--app", "models"});
        return setup_->run(words, input);
    };
    const std::string cats = setup_->folder().write("cats.json", R"({"_id": 1, "name": "Mia"})");
    ASSERT_EQ(models({"data", "import", cats, "-d", "models", "-c", "Cat"}).code, 0);
    const Output schema =
        models({"schema", "generate", "-d", "models", "-c", "Cat", "--title", "Cat"});
    ASSERT_EQ(schema.code, 0) << schema.err;
    EXPECT_THAT(schema.out, HasSubstr("\"title\": \"Cat\""));
    EXPECT_EQ(models({"schema", "generate", "-d", "models", "-c", "Dog"}).code, 1);
    const Output swift = run({"schema", "datamodels", "-l", "swift", "--flat"});
    ASSERT_EQ(swift.code, 0) << swift.err;
    EXPECT_THAT(swift.out, StartsWith("import Foundation\nimport RealmSwift\n\nclass "));
    EXPECT_EQ(run({"schema", "datamodels", "-l", "cobol"}).code, 2);
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
}

TEST_F(AppProcess, functions_run_as_system_and_print_results) {
    EXPECT_THAT(run({"function", "list"}).out, HasSubstr("sum"));
    const Output sum = run({"function", "run", "sum", "--args", "1", "--args", "2"});
    EXPECT_EQ(sum.code, 0) << sum.err;
    EXPECT_THAT(sum.out, HasSubstr("3"));
    EXPECT_THAT(sum.err, HasSubstr("adding"));
    const Output text = run({"function", "run", "sum", "--args", "a", "--args", "b"});
    EXPECT_EQ(text.out, "\"ab\"\n");
    const Output failed = run({"function", "run", "fail"});
    EXPECT_EQ(failed.code, 1);
    EXPECT_THAT(failed.err, HasSubstr("as it should"));
    EXPECT_EQ(run({"function", "run", "none"}).code, 4);
    EXPECT_EQ(run({"function", "run", "sum", "--args", R"({"$oid": "x"})"}).code, 2);
}

TEST_F(AppProcess, a_function_of_the_directory_runs_without_being_deployed) {
    const std::string root = setup_->folder().write("local/root_config.json", R"({"name": "l"})");
    static_cast<void>(
        setup_->folder().write("local/functions/twice.js",
                               "exports = async (n) => { console.log('here'); return 2 * n; };"));
    const std::string local = root.substr(0, root.rfind('/'));
    EXPECT_EQ(run({"function", "run", "twice", "--args", "21"}).code, 4) << "not deployed";
    const Output twice =
        run({"function", "run", "twice", "--args", "21", "--use-local-app", "--local", local});
    EXPECT_EQ(twice.code, 0) << twice.err;
    EXPECT_THAT(twice.out, HasSubstr("42"));
    EXPECT_THAT(twice.err, HasSubstr("here"));
    EXPECT_EQ(run({"function", "run", "none", "--use-local-app", "--local", local}).code, 4);
    EXPECT_THAT(run({"function", "list", "--local", local}).out, HasSubstr("twice"));
}

TEST_F(AppProcess, an_access_list_is_kept) {
    ASSERT_EQ(setup_->run({"apps", "create", "guarded"}).code, 0);
    const auto guarded = [](std::vector<std::string> words) {
        words.insert(words.end(), {"--app", "guarded"});
        return setup_->run(words);
    };
    EXPECT_THAT(guarded({"accessList", "list"}).err, HasSubstr("every address"));
    EXPECT_EQ(guarded({"accessList", "create"}).code, 2);
    EXPECT_EQ(guarded({"accessList", "create", "--ip", "nowhere"}).code, 1);
    const Output added =
        guarded({"access-list", "create", "--ip", "192.0.2.0/24", "--comment", "office"});
    EXPECT_EQ(added.code, 0) << added.err;
    EXPECT_THAT(added.err, HasSubstr("your own address"));
    EXPECT_EQ(guarded({"accessList", "create", "--use-current"}).code, 0);
    EXPECT_THAT(guarded({"accessList", "ls"}).out, HasSubstr("office"));
    EXPECT_EQ(
        guarded({"accessList", "update", "--ip", "192.0.2.0/24", "--new-ip", "192.0.2.7"}).code, 0);
    EXPECT_EQ(guarded({"accessList", "delete", "--ip", "192.0.2.0/24", "--yes"}).code, 4);
    EXPECT_EQ(guarded({"accessList", "delete", "--ip", "192.0.2.7", "--yes"}).code, 0);
    EXPECT_EQ(guarded({"accessList", "list", "--json"}).objects().size(), 1U);
}

TEST_F(AppProcess, an_app_can_be_copied_with_its_directory) {
    const std::string local = setup_->folder().path().string() + "/copy";
    const Output copied =
        setup_->run({"apps", "create", "copy", "--remote", app_, "--local", local});
    ASSERT_EQ(copied.code, 0) << copied.err;
    EXPECT_THAT(setup_->run({"function", "list", "--app", "copy"}).out, HasSubstr("sum"));
    EXPECT_TRUE(std::filesystem::exists(local + "/functions/sum.js"));
    EXPECT_EQ(setup_->run({"apps", "create", "x", "--remote", "nobody"}).code, 4);
    EXPECT_EQ(setup_->run({"apps", "create", "x", "--template", "any"}).code, 2);
}

TEST_F(AppProcess, documents_are_checked_against_the_deployed_schema) {
    ASSERT_EQ(setup_->run({"apps", "create", "checked", "--cluster", "Cluster0"}).code, 0);
    const auto checked = [](std::vector<std::string> words) {
        words.insert(words.end(), {"--app", "checked"});
        return setup_->run(words);
    };
    const std::string root = setup_->folder().write("checked/root_config.json", R"({"name": "c"})");
    const std::string place = "checked/data_sources/mongodb-atlas/";
    static_cast<void>(setup_->folder().write(place + "config.json",
                                             R"({"name": "mongodb-atlas", "type": "mongodb-atlas",
                                   "config": {"clusterName": "Cluster0"}})"));
    static_cast<void>(setup_->folder().write(place + "db/Cat/schema.json",
                                             R"({"title": "Cat", "bsonType": "object",
            "properties": {"_id": {"bsonType": "int"}, "name": {"bsonType": "string"}}})"));
    const Output pushed = checked({"push", "--local", root.substr(0, root.rfind('/')), "--yes"});
    ASSERT_EQ(pushed.code, 0) << pushed.err;
    const std::string cats = setup_->folder().write(
        "mixed.json", "{\"_id\": 1, \"name\": \"Mia\"}\n{\"_id\": 2, \"name\": 3}");
    ASSERT_EQ(checked({"data", "import", cats, "-d", "db", "-c", "Cat"}).code, 0);
    const std::string errors = setup_->folder().path().string() + "/errors.json";
    const Output all = checked({"schema", "validate", "-d", "db", "-c", "Cat", "-e", errors});
    EXPECT_EQ(all.code, 1);
    EXPECT_THAT(all.out, HasSubstr("1 of 2 documents do not fit"));
    EXPECT_TRUE(std::filesystem::exists(errors));
    EXPECT_EQ(
        checked({"schema", "validate", "-d", "db", "-c", "Cat", "--filter", R"({"_id": 1})"}).code,
        0);
    EXPECT_EQ(checked({"schema", "validate", "-d", "db", "-c", "Dog"}).code, 4);
    const Output sampled = setup_->run({"schema", "generate", "--path", cats, "--title", "Cat"});
    EXPECT_EQ(sampled.code, 0) << sampled.err;
    EXPECT_THAT(sampled.out, HasSubstr("\"mixed\""));
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
