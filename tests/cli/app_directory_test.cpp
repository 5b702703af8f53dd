#include "cli/app_directory.hpp"

#include <filesystem>

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>

#include "server/app/app_json.hpp"
#include "server/app/app_layout.hpp"
#include "server/runtime/json.hpp"
#include "support/temporary_folder.hpp"

namespace tombolo::cli {
namespace {

using server::AppTree;
using testing::HasSubstr;

boost::json::value json_of(const std::string& text) {
    return server::parse_json(text).value();
}

TEST(AppDirectory, the_current_layout_becomes_the_import_form) {
    const AppTree tree = {
        {"root_config.json", R"({"name": "notes"})"},
        {"auth/providers.json", R"({"anon-user": {"name": "anon-user"}})"},
        {"auth/custom_user_data.json", R"({"enabled": false})"},
        {"data_sources/m/config.json", R"({"name": "m", "type": "mongodb-atlas"})"},
        {"data_sources/m/default_rule.json", R"({"roles": []})"},
        {"data_sources/m/db/Note/schema.json", R"({"title": "Note"})"},
        {"data_sources/m/db/Note/relationships.json", "{}"},
        {"environments/testing.json", R"({"values": {"a": 1}})"},
        {"functions/config.json", R"([{"name": "dir/f"}])"},
        {"functions/dir/f.js", "exports = 1;"},
        {"https_endpoints/config.json", "[]"},
        {"sync/config.json", R"({"type": "flexible"})"},
        {"triggers/t.json", R"({"name": "t"})"},
        {"values/v.json", R"({"name": "v", "value": 5})"},
        {"README.md", "not ours"},
    };
    const AppJson app = app_to_json(tree);
    EXPECT_TRUE(app.problems.empty());
    const auto& object = app.app;
    EXPECT_EQ(object.at("config_version"), json_of("20230101"));
    EXPECT_EQ(object.at("name"), json_of("\"notes\""));
    EXPECT_EQ(object.at("auth").at("providers"),
              json_of(R"({"anon-user": {"name": "anon-user"}})"));
    EXPECT_EQ(object.at("data_sources"),
              json_of(R"([{"config": {"name": "m", "type": "mongodb-atlas"}, "default_rule":
                          {"roles": []}, "rules": [{"database": "db", "collection": "Note",
                          "schema": {"title": "Note"}, "relationships": {}}]}])"));
    EXPECT_EQ(
        object.at("functions"),
        json_of(R"({"config": [{"name": "dir/f"}], "sources": {"dir/f.js": "exports = 1;"}})"));
    EXPECT_EQ(object.at("environments"), json_of(R"({"testing.json": {"values": {"a": 1}}})"));
    EXPECT_EQ(object.at("sync"), json_of(R"({"config": {"type": "flexible"}})"));
    EXPECT_EQ(object.at("triggers"), json_of(R"([{"name": "t"}])"));
    EXPECT_EQ(object.at("values"), json_of(R"([{"name": "v", "value": 5}])"));
    EXPECT_FALSE(object.contains("secrets"));
}

TEST(AppDirectory, the_old_layout_becomes_the_old_form) {
    const AppTree tree = {
        {"stitch.json", R"({"name": "old", "config_version": 20180301, "security": {}})"},
        {"auth_providers/anon-user.json", R"({"type": "anon-user"})"},
        {"functions/f/config.json", R"({"name": "f"})"},
        {"functions/f/source.js", "exports = 1;"},
        {"services/m/config.json", R"({"name": "m", "type": "mongodb"})"},
        {"services/m/rules/db.c.json", R"({"database": "db"})"},
        {"services/t/config.json", R"({"name": "t", "type": "twilio"})"},
        {"services/t/incoming_webhooks/w/config.json", R"({"name": "w"})"},
        {"services/t/incoming_webhooks/w/source.js", "exports = 2;"},
    };
    const AppJson app = app_to_json(tree);
    EXPECT_TRUE(app.problems.empty());
    EXPECT_EQ(app.app.at("auth_providers"), json_of(R"([{"type": "anon-user"}])"));
    EXPECT_EQ(app.app.at("functions"),
              json_of(R"([{"config": {"name": "f"}, "source": "exports = 1;"}])"));
    EXPECT_EQ(app.app.at("services"),
              json_of(R"([{"config": {"name": "m", "type": "mongodb"}, "incoming_webhooks": [],
                           "rules": [{"database": "db"}]},
                          {"config": {"name": "t", "type": "twilio"}, "incoming_webhooks":
                           [{"config": {"name": "w"}, "source": "exports = 2;"}], "rules": []}])"));
}

TEST(AppDirectory, old_layouts_lose_nothing_of_a_new_app) {
    const AppTree kept =
        server::normalize_app(
            {{"root_config.json", R"({"name": "notes"})"},
             {"data_sources/m/config.json", R"({"name": "m", "type": "mongodb-atlas"})"},
             {"functions/config.json",
              R"([{"name": "hooks/in", "private": true, "run_as_system": true}])"},
             {"functions/hooks/in.js", "exports = () => 1;"},
             {"https_endpoints/config.json",
              R"([{"route": "/in", "http_method": "POST", "function_name": "hooks/in"}])"},
             {"https_endpoints/data_api_config.json", R"({"disabled": false})"},
             {"sync/config.json",
              R"({"type": "flexible", "service_name": "m", "state": "enabled"})"}})
            .value()
            .tree;
    for (const auto layout : {server::AppLayout::v20180301, server::AppLayout::v20200603}) {
        const auto again = [&](const AppTree& exported) {
            const AppJson app = app_to_json(exported);
            EXPECT_TRUE(app.problems.empty());
            const AppTree tree = server::app_tree_of_json(app.app).value();
            return server::export_app(server::normalize_app(tree).value().tree,
                                      {layout, "notes-abcde"});
        };
        const AppTree first = server::export_app(kept, {layout, "notes-abcde"});
        const AppTree second = again(first);
        EXPECT_EQ(again(second), second);
        for (const auto& [path, content] : first) {
            ASSERT_TRUE(second.contains(path)) << path;
            if (path.ends_with(".json")) {
                EXPECT_EQ(json_of(second.at(path)), json_of(content));
            } else {
                EXPECT_EQ(second.at(path), content);
            }
        }
    }
}

TEST(AppDirectory, every_broken_file_is_named) {
    const AppJson app = app_to_json({{"root_config.json", "{"},
                                     {"values/a.json", "[]"},
                                     {"functions/config.json", "{}"},
                                     {"data_sources/m/db/c/schema.json", "{}"}});
    std::string paths;
    for (const FileProblem& problem : app.problems) {
        paths += problem.path + " " + problem.message + "\n";
    }
    for (const char* expected :
         {"root_config.json", "values/a.json must be a JSON object",
          "functions/config.json must be a JSON array", "data_sources/m/config.json is missing"}) {
        EXPECT_THAT(paths, HasSubstr(expected));
    }
    EXPECT_EQ(app_to_json({{"x", "y"}}).problems.size(), 1U);
}

TEST(AppDirectory, the_root_is_found_from_below_and_names_the_app) {
    const TemporaryFolder folder;
    folder.write("app/realm_config.json", R"({"app_id": "notes-abcde", "name": "notes"})");
    folder.write("app/functions/deep/f.js", "");
    folder.write("app/functions/config.json", "[]");
    const std::string root = folder.file("app");
    EXPECT_EQ(find_app_root(folder.file("app/functions/deep")), root);
    EXPECT_EQ(find_app_root(root + "/"), root);
    EXPECT_FALSE(find_app_root(folder.path().string()));
    EXPECT_EQ(app_id_of(root), "notes-abcde");
    ASSERT_TRUE(write_app_meta(root, "65f000000000000000000001", "65f000000000000000000002",
                               "notes-vwxyz"));
    EXPECT_EQ(app_id_of(root), "notes-vwxyz");
}

TEST(AppDirectory, the_example_has_no_problems) {
    const auto tree =
        server::read_app_directory(std::string(TOMBOLO_SOURCE) + "/examples/field-notes").value();
    const AppJson app = app_to_json(tree);
    EXPECT_TRUE(app.problems.empty());
    EXPECT_FALSE(app.app.at("data_sources").get_array().empty());
}

} // namespace
} // namespace tombolo::cli
