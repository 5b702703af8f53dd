// App directories of every layout: in, out and in again (admin-api-and-config.md 4).

#include "server/app/app_layout.hpp"

#include <gtest/gtest.h>

#include "server/app/app_config.hpp"
#include "server/app/app_json.hpp"
#include "server/app/known_keys.hpp"
#include "server/app/zip_writer.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {
namespace {

namespace json = boost::json;

constexpr const char* schema = R"({"title": "Note", "bsonType": "object", "required": ["_id"],
    "properties": {"_id": {"bsonType": "objectId"}, "owner": {"bsonType": "string"},
                   "parts": {"bsonType": "array", "items": {"bsonType": "objectId"}}}})";
constexpr const char* relationships =
    R"({"parts.[]": {"ref": "#/relationship/mongodb-atlas/db/Part",
    "foreign_key": "_id", "is_list": true}})";

// What the layouts of 20210101 and 20230101 have in common, endpoints apart.
AppTree common() {
    return {{"auth/custom_user_data.json", R"({"enabled": false})"},
            {"auth/providers.json", R"({"anon-user": {"name": "anon-user", "type": "anon-user",
            "disabled": false, "id": "5f1e9c0d2b1a4c3d2e1f0a9b"}})"},
            {"data_sources/mongodb-atlas/config.json", R"({"name": "mongodb-atlas",
            "type": "mongodb-atlas", "version": 1,
            "config": {"clusterName": "Cluster0", "readPreference": "primary"}})"},
            {"data_sources/mongodb-atlas/default_rule.json", R"({"roles": [{"name": "owner",
            "apply_when": {}, "read": true, "write": {"%%root.owner": "%%user.id"}}],
            "filters": []})"},
            {"data_sources/mongodb-atlas/db/Note/rules.json",
             R"({"database": "db", "collection": "Note", "roles": []})"},
            {"data_sources/mongodb-atlas/db/Note/schema.json", schema},
            {"data_sources/mongodb-atlas/db/Note/relationships.json", relationships},
            {"environments/no-environment.json", R"({"values": {"cluster": "Cluster0"}})"},
            {"environments/production.json", R"({"values": {"cluster": "Big"}})"},
            {"functions/config.json", R"([{"name": "sum", "private": true},
            {"name": "math/mean", "private": false, "can_evaluate": {}}])"},
            {"functions/sum.js", "exports = (...all) => all.reduce((a, b) => a + b, 0);\n"},
            {"functions/math/mean.js", "exports = list => 0;\n"},
            {"functions/unlisted.js", "exports = () => 1;\n"},
            {"graphql/config.json", R"({"use_natural_pluralization": true})"},
            {"graphql/custom_resolvers/Query_sum.json",
             R"({"on_type": "Query", "field_name": "sum", "function_name": "sum"})"},
            {"hosting/config.json", R"({"enabled": true})"},
            {"log_forwarders/errors.json", R"({"name": "errors", "log_types": ["auth"]})"},
            {"services/push/config.json", R"({"name": "push", "type": "gcm", "version": 1})"},
            {"services/push/rules/all.json", R"({"name": "all", "actions": ["send"]})"},
            {"sync/config.json", R"({"type": "flexible", "state": "enabled",
            "development_mode_enabled": false, "service_name": "mongodb-atlas",
            "database_name": "db", "queryable_fields_names": ["owner"]})"},
            {"triggers/nightly.json", R"({"name": "nightly", "type": "SCHEDULED",
            "id": "5f1e9c0d2b1a4c3d2e1f0a9c", "config": {"schedule": "0 3 * * *"}})"},
            {"values/limit.json", R"({"name": "limit", "value": 1.5, "private": false})"}};
}

AppTree layout_2023() {
    AppTree tree = common();
    tree["root_config.json"] = R"({"name": "notes", "location": "US-VA",
        "provider_region": "aws-us-east-1", "deployment_model": "GLOBAL", "environment": ""})";
    tree["https_endpoints/config.json"] =
        R"([{"route": "/sum", "http_method": "GET", "function_name": "sum"}])";
    tree[".mdb/meta.json"] = R"({"config_version": 20230101, "client_app_id": "notes-abcde"})";
    return tree;
}

AppTree layout_2021() {
    AppTree tree = common();
    tree["realm_config.json"] = R"({"app_id": "notes-abcde", "config_version": 20210101,
        "name": "notes", "location": "US-VA", "deployment_model": "GLOBAL"})";
    tree["http_endpoints/config.json"] =
        R"([{"route": "/sum", "http_method": "GET", "function_name": "sum"}])";
    return tree;
}

AppTree old_layout(const std::string& root, int version) {
    return {
        {root, R"({"app_id": "notes-abcde", "config_version": )" + std::to_string(version) +
                   R"(, "name": "notes", "location": "US-VA", "deployment_model": "GLOBAL",
            "security": {"allowed_request_origins": ["https://example.com"]},
            "custom_user_data_config": {"enabled": false},
            "sync": {"development_mode_enabled": true}})"},
        {"auth_providers/anon-user.json",
         R"({"id": "5f1e9c0d2b1a4c3d2e1f0a9b", "name": "anon-user", "type": "anon-user"})"},
        {"services/mongodb-atlas/config.json", R"({"id": "5f1e9c0d2b1a4c3d2e1f0a9d",
            "name": "mongodb-atlas", "type": "mongodb-atlas", "version": 1,
            "config": {"clusterName": "Cluster0", "sync": {"state": "enabled",
                "database_name": "db", "partition": {"key": "_partition", "type": "string",
                    "permissions": {"read": true, "write": true}}}}})"},
        {"services/mongodb-atlas/rules/db.Note.json",
         std::string(R"({"id": "5f1e9c0d2b1a4c3d2e1f0a9e", "database": "db",
            "collection": "Note", "roles": [{"name": "all", "apply_when": {}}], "schema": )") +
             schema + R"(, "relationships": )" + relationships + "}"},
        {"services/push/config.json", R"({"name": "push", "type": "gcm"})"},
        {"functions/sum/config.json", R"({"id": "5f1e9c0d2b1a4c3d2e1f0a9f", "name": "sum",
            "private": true})"},
        {"functions/sum/source.js", "exports = () => 3;\n"},
        {"values/limit.json", R"({"id": "5f1e9c0d2b1a4c3d2e1f0a90", "name": "limit", "value": 3})"},
        {"triggers/nightly.json", R"({"name": "nightly", "type": "SCHEDULED"})"}};
}

struct Fixture {
    AppLayout layout;
    AppTree tree;
};

std::vector<Fixture> fixtures() {
    return {{AppLayout::v20180301, old_layout("stitch.json", 20180301)},
            {AppLayout::v20200603, old_layout("config.json", 20200603)},
            {AppLayout::v20210101, layout_2021()},
            {AppLayout::v20230101, layout_2023()}};
}

TEST(Layout, each_is_detected_and_read_whole) {
    for (const Fixture& fixture : fixtures()) {
        const ImportedApp imported = normalize_app(fixture.tree).value();
        EXPECT_EQ(imported.layout, fixture.layout);
        EXPECT_EQ(imported.client_app_id, "notes-abcde");
        const AppConfig config = parse_app(imported.tree).value().config;
        EXPECT_EQ(config.name, "notes");
        EXPECT_EQ(config.providers.at("anon-user").disabled, false);
        ASSERT_EQ(config.schemas.size(), 1U);
        EXPECT_EQ(config.schemas[0].database, "db");
        EXPECT_EQ(config.schemas[0].collection, "Note");
        EXPECT_TRUE(config.schemas[0].relationships.contains("parts.[]"));
        EXPECT_NE(config.data_source("mongodb-atlas")->rule("db", "Note"), nullptr);
        EXPECT_TRUE(config.code.functions.at("sum").is_private);
        EXPECT_TRUE(config.code.values.contains("limit"));
        EXPECT_EQ(config.push_services, std::vector<std::string>{"push"});
        EXPECT_EQ(config.sync.service_name, "mongodb-atlas");
        EXPECT_EQ(config.sync.mode, fixture.layout < AppLayout::v20210101
                                        ? SyncConfig::Mode::partition
                                        : SyncConfig::Mode::flexible);
    }
}

std::vector<std::string> unknown_in(const AppTree& tree) {
    return unknown_keys(normalize_app(tree).value().tree);
}

TEST(Layout, none_has_keys_that_nobody_knows) {
    for (const Fixture& fixture : fixtures()) {
        EXPECT_EQ(unknown_in(fixture.tree), std::vector<std::string>());
        const AppTree kept = normalize_app(fixture.tree).value().tree;
        for (const Fixture& target : fixtures()) {
            EXPECT_EQ(unknown_in(export_app(kept, {target.layout, "notes-abcde"})),
                      std::vector<std::string>());
        }
    }
}

TEST(Layout, misspelt_keys_are_found_in_all) {
    for (const Fixture& fixture : fixtures()) {
        AppTree tree = fixture.tree;
        const bool is_old = fixture.layout < AppLayout::v20210101;
        const std::string source =
            is_old ? "services/mongodb-atlas/" : "data_sources/mongodb-atlas/";
        tree["values/limit.json"] = R"({"name": "limit", "value": 3, "privat": true})";
        tree[source + "config.json"] = R"({"name": "mongodb-atlas", "type": "mongodb-atlas",
            "config": {"clusterName": "Cluster0", "readPreferenc": "primary"}})";
        tree[is_old ? source + "rules/db.Note.json" : source + "db/Note/rules.json"] =
            R"({"database": "db", "collection": "Note", "roles": [{"name": "all", "serach": true}]})";
        EXPECT_EQ(unknown_in(tree),
                  (std::vector<std::string>{
                      "data_sources/mongodb-atlas/config.json: unknown key 'config.readPreferenc'",
                      "data_sources/mongodb-atlas/db/Note/rules.json: unknown key "
                      "'roles[0].serach'",
                      "values/limit.json: unknown key 'privat'"}));
    }
}

TEST(Layout, export_import_export_gives_the_same_bytes_in_every_layout) {
    for (const Fixture& fixture : fixtures()) {
        const AppTree kept = normalize_app(fixture.tree).value().tree;
        for (const AppLayout target : {AppLayout::v20180301, AppLayout::v20200603,
                                       AppLayout::v20210101, AppLayout::v20230101}) {
            const ExportOptions options{target, "notes-abcde"};
            const AppTree first = export_app(kept, options);
            const AppTree again = normalize_app(first).value().tree;
            const AppTree second = export_app(again, options);
            EXPECT_EQ(first, second) << static_cast<std::uint32_t>(target);
            EXPECT_EQ(write_zip(first).value(), write_zip(second).value());
        }
    }
}

TEST(Layout, what_is_not_run_is_kept_byte_for_byte) {
    const AppTree given = layout_2021();
    const AppTree out =
        export_app(normalize_app(given).value().tree, {AppLayout::v20210101, "notes-abcde"});
    for (const char* path :
         {"graphql/config.json", "graphql/custom_resolvers/Query_sum.json", "hosting/config.json",
          "log_forwarders/errors.json", "http_endpoints/config.json", "sync/config.json",
          "services/push/rules/all.json", "functions/unlisted.js", "values/limit.json"}) {
        EXPECT_EQ(out.at(path), given.at(path)) << path;
    }
}

TEST(Layout, exports_have_no_ids) {
    for (const Fixture& fixture : fixtures()) {
        for (const auto& [path, text] :
             export_app(normalize_app(fixture.tree).value().tree, {fixture.layout, ""})) {
            EXPECT_EQ(text.find("5f1e9c0d2b1a4c3d2e1f0a9"), std::string::npos) << path;
            EXPECT_EQ(text.find("app_id"), std::string::npos) << path;
        }
    }
}

TEST(Layout, the_json_form_says_the_same_as_the_directory) {
    for (const Fixture& fixture : fixtures()) {
        const AppTree kept = normalize_app(fixture.tree).value().tree;
        const AppTree back =
            normalize_app(app_tree_of_json(app_json_of_tree(kept)).value()).value().tree;
        EXPECT_EQ(merge_import(kept, back), kept);
    }
}

TEST(Layout, environment_templates_become_values) {
    AppTree tree = layout_2023();
    tree["data_sources/mongodb-atlas/config.json"] =
        R"json({"name": "mongodb-atlas", "type": "mongodb-atlas",
                "config": {"clusterName": "%(%%environment.values.cluster)"}})json";
    EXPECT_EQ(parse_app(normalize_app(tree)->tree)->config.data_source("mongodb-atlas")->address,
              "Cluster0");
    tree["root_config.json"] = R"({"name": "notes", "environment": "production"})";
    EXPECT_EQ(parse_app(normalize_app(tree)->tree)->config.data_source("mongodb-atlas")->address,
              "Big");
    tree["root_config.json"] = R"({"name": "notes", "environment": "qa"})";
    EXPECT_EQ(parse_app(normalize_app(tree)->tree)->config.data_source("mongodb-atlas")->address,
              "Cluster0");
    tree["environments/no-environment.json"] = "{}";
    const auto missing = normalize_app(tree);
    ASSERT_FALSE(missing);
    EXPECT_NE(std::string(missing.error().what()).find("'cluster' is not defined"),
              std::string::npos);
}

TEST(Layout, secrets_by_owner_are_named_in_the_owners_config) {
    AppTree tree = layout_2021();
    tree["secrets.json"] = R"({"services": {"push": {"apiKey": "k"}}})";
    const AppTree kept = normalize_app(tree)->tree;
    const json::object config = parse_json_object(kept.at("services/push/config.json")).value();
    EXPECT_EQ(string_or(object_or_empty(config, "secret_config"), "apiKey"), "__push_apiKey");
    EXPECT_EQ(parse_app(kept)->secrets.at("__push_apiKey"), "k");
}

TEST(Layout, a_directory_without_a_root_file_is_refused) {
    EXPECT_EQ(normalize_app({{"functions/a.js", ""}}).error().code(), ErrorCode::not_found);
    EXPECT_FALSE(normalize_app({{"config.json", "{}"}}));
    EXPECT_FALSE(normalize_app({{"root_config.json", "[]"}}));
    EXPECT_FALSE(
        normalize_app({{"realm_config.json", R"({"name": "a", "config_version": 20990101})"}}));
}

TEST(Layout, an_app_id_that_is_none_is_ignored_and_said) {
    for (const char* id : {"../other", "*********"}) {
        const auto app = normalize_app(
            {{"root_config.json", R"({"name": "a", "app_id": ")" + std::string(id) + "\"}"}});
        ASSERT_TRUE(app) << id;
        EXPECT_EQ(app->client_app_id, "");
        EXPECT_EQ(app->notes.size(), 1U);
    }
}

TEST(Layout, json_with_wrong_types_names_each_place) {
    const json::object app = parse_json_object(
                                 R"({"name": "a", "values": 3, "auth": [], "functions": {
        "sources": {"../../etc/passwd": "x"}}})")
                                 .value();
    const auto refused = app_tree_of_json(app);
    ASSERT_FALSE(refused);
    const std::string text = refused.error().what();
    for (const char* part : {"'values'", "'auth'", "../../etc/passwd"}) {
        EXPECT_NE(text.find(part), std::string::npos) << text;
    }
}

} // namespace
} // namespace tombolo::server
