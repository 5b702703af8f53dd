// Lines of the Admin API's checklist (admin-api-and-config.md 9), by their ids.

#include <boost/json/serialize.hpp>

#include "server/admin/admin_client.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {
namespace {

namespace json = boost::json;

constexpr const char* base = "/api/admin/v3.0";

std::string data_source(const std::string& sync = {}) {
    return R"({"name": "mongodb", "type": "mongodb", "config": {)" + sync + "}}";
}

constexpr const char* flexible_on =
    R"("flexible_sync": {"state": "enabled", "database_name": "db",
        "queryable_fields_names": ["name"]})";

std::string schema(const std::string& collection, const std::string& properties,
                   const std::string& relationships = "null") {
    return R"({"metadata": {"data_source": "mongodb", "database": "db", "collection": ")" +
           collection + R"("}, "relationships": )" + relationships + R"(, "schema": {"title": ")" +
           collection +
           R"(", "bsonType": "object", "required": ["_id"],
               "properties": {"_id": {"bsonType": "objectId"})" +
           properties + "}}}";
}

std::size_t versions(AdminApp& app) {
    return app.get("sync/schemas/versions").object().at("versions").as_array().size();
}

std::string provider_id(AdminApp& app, const std::string& type) {
    const AdminAnswer answer = app.get("auth_providers");
    for (const json::value& one : answer.array()) {
        if (string_or(one.as_object(), "type") == type) {
            return string_or(one.as_object(), "_id");
        }
    }
    return {};
}

TEST(AdminChecklist, A01_A02_sessions_are_strings_and_the_profile_names_one_group) {
    AdminServer& server = shared_server();
    const AdminAnswer session =
        server.call("POST", std::string(base) + "/auth/providers/local-userpass/login", {},
                    R"({"username": "unique_user@domain.com", "password": "password"})");
    ASSERT_EQ(session.status, 200);
    for (const auto& [key, value] : session.object()) {
        EXPECT_TRUE(value.is_string()) << key;
    }
    const AdminAnswer profile =
        server.call("GET", std::string(base) + "/auth/profile", session["access_token"]);
    bool owner = false;
    for (const json::value& role : profile.object().at("roles").as_array()) {
        EXPECT_EQ(string_or(role.as_object(), "group_id"), server.group());
        owner = owner || string_or(role.as_object(), "role_name") == "GROUP_OWNER";
    }
    EXPECT_TRUE(owner);
    EXPECT_EQ(server
                  .call("POST", std::string(base) + "/auth/providers/local-userpass/login", {},
                        R"({"username": "nobody", "password": "password"})")
                  .status,
              401);
}

TEST(AdminChecklist, A03_A05_refresh_tokens_refresh_until_they_are_revoked) {
    AdminServer& server = shared_server();
    const std::string path = std::string(base) + "/auth/session";
    const AdminAnswer session =
        server.call("POST", std::string(base) + "/auth/providers/local-userpass/login", {},
                    R"({"username": "unique_user@domain.com", "password": "password"})");
    EXPECT_EQ(server.call("POST", path, session["refresh_token"]).status, 201);
    const AdminAnswer wrong = server.call("POST", path, session["access_token"]);
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(wrong["error"], "invalid refresh token: incorrect token type");
    EXPECT_EQ(server.call("DELETE", path, session["refresh_token"]).status, 204);
    const AdminAnswer gone = server.call("POST", path, session["refresh_token"]);
    EXPECT_EQ(gone.status, 401);
    EXPECT_EQ(gone["error_code"], "InvalidSession");
}

TEST(AdminChecklist, A06_tokens_of_one_api_open_nothing_in_the_other) {
    AdminApp app(shared_server());
    ASSERT_EQ(app.post("auth_providers", R"({"type": "anon-user"})").status, 201);
    const AdminAnswer user = app.client("POST", "auth/providers/anon-user/login");
    ASSERT_EQ(user.status, 200) << user.text;
    EXPECT_EQ(shared_server().call("GET", app.path(), user["access_token"]).status, 401);
    EXPECT_EQ(shared_server()
                  .call("GET", "/api/client/v2.0/auth/profile", shared_server().token())
                  .status,
              401);
}

TEST(AdminChecklist, A07_A08_roles_and_key_pairs) {
    AdminServer& server = shared_server();
    const std::string admins = "/api/private/v1.0/admins";
    ASSERT_EQ(server
                  .call("POST", admins, server.token(),
                        R"({"name": "reader", "password": "secret horse",
                            "role": "GROUP_READ_ONLY"})")
                  .status,
              201);
    const AdminAnswer reader =
        server.call("POST", std::string(base) + "/auth/providers/local-userpass/login", {},
                    R"({"username": "reader", "password": "secret horse"})");
    const std::string apps = std::string(base) + "/groups/" + server.group() + "/apps";
    EXPECT_EQ(server.call("GET", apps, reader["access_token"]).status, 200);
    EXPECT_EQ(server.call("POST", apps, reader["access_token"], R"({"name": "x"})").status, 403);
    EXPECT_EQ(server.call("GET", admins, reader["access_token"]).status, 403);
    EXPECT_EQ(server
                  .call("GET", std::string(base) + "/groups/0123456789abcdef01234567/apps",
                        server.token())
                  .status,
              403);
    EXPECT_EQ(server.call("DELETE", admins + "/reader", server.token()).status, 204);

    const AdminAnswer key = server.call("POST", "/api/private/v1.0/keys", server.token(), "{}");
    ASSERT_EQ(key.status, 201);
    const std::string login =
        R"({"username": ")" + key["public_key"] + R"(", "apiKey": ")" + key["private_key"] + "\"}";
    const std::string path = std::string(base) + "/auth/providers/mongodb-cloud/login";
    const AdminAnswer session = server.call("POST", path, {}, login);
    EXPECT_EQ(session.status, 200);
    EXPECT_EQ(
        server.call("DELETE", "/api/private/v1.0/keys/" + key["public_key"], server.token()).status,
        204);
    EXPECT_EQ(server.call("POST", path, {}, login).status, 401);
    EXPECT_EQ(
        server.call("POST", std::string(base) + "/auth/session", session["refresh_token"]).status,
        401);
}

TEST(AdminChecklist, A09_A10_open_routes_content_types_and_unknown_routes) {
    AdminServer& server = shared_server();
    EXPECT_EQ(server.call("GET", "/api/private/v1.0/version").status, 200);
    EXPECT_EQ(server.call("GET", "/").status, 200);
    const AdminAnswer unknown = server.call("GET", std::string(base) + "/no/such/route");
    EXPECT_EQ(unknown.status, 404);
    EXPECT_FALSE(unknown["error"].empty());
    EXPECT_TRUE(unknown.has_header("Content-Type: application/json\r\n"));
    EXPECT_EQ(server.call("GET", std::string(base) + "/auth/profile").status, 401);
}

TEST(AdminChecklist, A12_A54_drafts) {
    AdminApp app(shared_server());
    for (const char* body : {"", "{}", "null"}) {
        const AdminAnswer draft = app.post("drafts", body);
        ASSERT_EQ(draft.status, 201) << draft.text;
        const AdminAnswer second = app.post("drafts", "null");
        EXPECT_EQ(second.status, 409);
        EXPECT_EQ(second["error_code"], "DraftAlreadyExists");
        EXPECT_EQ(app.get("drafts").array().size(), 1U);
        EXPECT_EQ(app.remove("drafts/" + draft["_id"]).status, 204);
    }
    const AdminAnswer draft = app.post("drafts");
    ASSERT_EQ(app.post("values", R"({"name": "v", "value": 1})").status, 201);
    EXPECT_EQ(app.get("values").array().size(), 1U);
    EXPECT_EQ(app.get("deployments").array().size(), 0U);
    EXPECT_EQ(app.get("drafts/" + draft["_id"] + "/diff").object().at("diffs").as_array().size(),
              1U);
    EXPECT_EQ(app.post("drafts/" + draft["_id"] + "/deployment", R"({"name": "first"})").status,
              201);
    const AdminAnswer deployments = app.get("deployments");
    ASSERT_EQ(deployments.array().size(), 1U);
    EXPECT_EQ(string_or(deployments.array()[0].as_object(), "name"), "first");
    EXPECT_EQ(string_or(deployments.array()[0].as_object(), "status"), "successful");
}

TEST(AdminChecklist, A14_logs_find_the_entry_of_a_request) {
    AdminApp app(shared_server());
    ASSERT_EQ(app.post("auth_providers", R"({"type": "anon-user"})").status, 201);
    const AdminAnswer user = app.client("POST", "auth/providers/anon-user/login");
    ASSERT_EQ(user.status, 200);
    const std::string name = "x-appservices-request-id: ";
    ASSERT_TRUE(user.has_header(name));
    const std::string id = user.head.substr(user.head.find(name) + name.size(), 24);
    static_cast<void>(app.client("POST", "auth/providers/api-key/login", R"({"key": "no"})"));
    const AdminAnswer found = app.get("logs?co_id=" + id);
    ASSERT_EQ(found.object().at("logs").as_array().size(), 1U) << found.text;
    const json::object& entry = found.object().at("logs").as_array()[0].as_object();
    EXPECT_EQ(string_or(entry, "type"), "AUTH");
    EXPECT_EQ(string_or(entry, "error"), "");
    EXPECT_EQ(string_or(entry, "user_id"), user["user_id"]);
    EXPECT_EQ(app.get("logs").object().at("logs").as_array().size(), 2U);
    const AdminAnswer errors = app.get("logs?errors_only=true&type=AUTH,FUNCTION&limit=1");
    ASSERT_EQ(errors.object().at("logs").as_array().size(), 1U);
    EXPECT_NE(string_or(errors.object().at("logs").as_array()[0].as_object(), "error"), "");
    const AdminAnswer first = app.get("logs?limit=1");
    const AdminAnswer second = app.get("logs?limit=1&end_date=" + first["nextEndDate"] + "&skip=1");
    ASSERT_EQ(second.object().at("logs").as_array().size(), 1U) << first.text << second.text;
}

TEST(AdminMetrics, are_counted_from_the_logs) {
    AdminApp app(shared_server());
    ASSERT_EQ(app.post("auth_providers", R"({"type": "anon-user"})").status, 201);
    for (int n = 0; n < 3; ++n) {
        ASSERT_EQ(app.client("POST", "auth/providers/anon-user/login").status, 200);
    }
    ASSERT_NE(app.client("POST", "auth/providers/api-key/login", R"({"key": "no"})").status, 200);
    const auto sum = [&](const std::string& query) {
        const AdminAnswer answer = app.get("metrics?" + query);
        EXPECT_EQ(answer.status, 200) << answer.text;
        std::int64_t total = 0;
        for (const json::value& series : answer.object().at("measurements").as_array()) {
            for (const json::value& point : series.at("data_points").as_array()) {
                total += point.at("value").as_int64();
            }
        }
        return total;
    };
    EXPECT_EQ(sum("granularity=PT1H&metrics=AUTH_SUCCESSFUL_REQUESTS"), 3);
    EXPECT_EQ(sum("metrics=AUTH_FAILED_REQUESTS&metrics=AUTH_SUCCESSFUL_REQUESTS"), 4);
    EXPECT_EQ(sum("metrics=AUTH_FAILED_REQUESTS,AUTH_SUCCESSFUL_REQUESTS&end="
                  "2020-01-01T00:00:00Z"),
              0);
    EXPECT_EQ(sum("metrics=SYNC_OT_MS"), 0);
    EXPECT_EQ(sum("metrics=AUTH_TOTAL_USERS"), 3);
    EXPECT_EQ(sum("metrics=ACTIVE_OPEN_SYNC_SESSIONS"), 0);
    const AdminAnswer unknown = app.get("metrics?metrics=NO_SUCH");
    EXPECT_EQ(unknown.status, 400);
    EXPECT_EQ(app.get("metrics?granularity=5m").status, 400);
    EXPECT_EQ(app.get("metrics?granularity=PT1S&start=2020-01-01T00:00:00Z").status, 400);
    const AdminAnswer usage = app.get("measurements");
    const json::array& series = usage.object().at("measurements").as_array();
    ASSERT_EQ(series.size(), 5U);
    EXPECT_EQ(series[0].at("name").as_string(), "request_count");
    EXPECT_EQ(series[0].at("data_points").as_array().at(0).at("value").as_int64(), 4);
}

TEST(AdminChecklist, A22_A23_A24_new_apps) {
    AdminApp first(shared_server());
    AdminApp second(shared_server());
    EXPECT_NE(first.client_app_id(), second.client_app_id());
    const AdminAnswer providers = first.get("auth_providers");
    ASSERT_EQ(providers.array().size(), 1U);
    EXPECT_EQ(string_or(providers.array()[0].as_object(), "type"), "api-key");
    EXPECT_TRUE(bool_or(providers.array()[0].as_object(), "disabled", false));
    AdminApp development(shared_server(),
                         R"({"name": "dev", "sync": {"development_mode_enabled": true}})");
    EXPECT_FALSE(provider_id(development, "anon-user").empty());
    EXPECT_EQ(development.post("auth_providers", R"({"type": "anon-user"})").status, 201);
    EXPECT_EQ(development.post("auth_providers", R"({"type": "anon-user"})").status, 409);
    EXPECT_EQ(development.get("deploy/config").object().at("ui_drafts_disabled").as_bool(), true);
    EXPECT_EQ(development.patch("deploy/config", R"({"ui_drafts_disabled": false})").status, 400);
}

TEST(AdminChecklist, A25_A26_schemas_before_their_data_source_and_cycles) {
    AdminApp app(shared_server());
    const AdminAnswer a = app.post("schemas", schema("A", ""));
    const AdminAnswer b = app.post("schemas", schema("B", ""));
    ASSERT_EQ(a.status, 200) << a.text;
    ASSERT_EQ(app.post("services", data_source(flexible_on)).status, 201);
    const auto link = [](const char* to) {
        return std::string(R"({"link": {"ref": "#/relationship/mongodb/db/)") + to +
               R"(", "foreign_key": "_id", "is_list": false}})";
    };
    const std::string field = R"(, "link": {"bsonType": "objectId"})";
    EXPECT_EQ(app.put("schemas/" + a["_id"], schema("A", field, link("B"))).status, 204);
    EXPECT_EQ(app.put("schemas/" + b["_id"], schema("B", field, link("A"))).status, 204);
    EXPECT_EQ(app.get("sync/progress").object().at("progress").as_object().size(), 2U);
    EXPECT_EQ(app.post("schemas", schema("A", "")).status, 409);
    EXPECT_EQ(app.post("schemas", R"({"metadata": {"data_source": "mongodb", "database": "db",
        "collection": "C"}, "schema": {"bsonType": 7}})")["error_code"],
              "SchemaValidationFailedWrite");
}

TEST(AdminChecklist, A27_A28_A29_config_merges_and_toggles) {
    AdminApp app(shared_server());
    const std::string path =
        "services/" + app.post("services", data_source(flexible_on))["_id"] + "/config";
    EXPECT_EQ(app.get("sync/state?sync_type=flexible")["state"], "enabled");
    EXPECT_EQ(
        app.patch(path, R"({"flexible_sync": {"state": "disabled", "enabled": false}})").status,
        204);
    json::object whole = app.get(path).object();
    json::object& sync = whole["flexible_sync"].as_object();
    EXPECT_EQ(string_or(sync, "state"), "disabled");
    EXPECT_EQ(string_or(sync, "database_name"), "db");
    sync["state"] = "enabled";
    EXPECT_EQ(app.patch(path, json::serialize(whole)).status, 204);
    EXPECT_EQ(string_or(app.get(path).object().at("flexible_sync").as_object(), "state"),
              "enabled");
    EXPECT_EQ(app.patch(path, R"({"sync": {"state": "enabled", "database_name": "db"}})").status,
              400);
    EXPECT_EQ(app.patch(path, R"({"flexible_sync": {"indexed_queryable_fields_names": ["name"]}})")
                  .status,
              400);

    AdminApp partition(shared_server());
    const std::string other = "services/" +
                              partition.post("services", data_source(R"("sync": {"state": "enabled",
            "database_name": "db", "partition": {"key": "p", "type": "string"}})"))["_id"] +
                              "/config";
    EXPECT_EQ(partition
                  .patch(other, R"({"sync": {"partition": {"key": "p",
        "permissions": {"read": true, "write": false}}}})")
                  .status,
              204);
    const AdminAnswer merged = partition.get(other);
    const json::object& block = merged.object().at("sync").as_object().at("partition").as_object();
    EXPECT_EQ(string_or(block, "type"), "string");
    EXPECT_TRUE(block.contains("permissions"));
}

TEST(AdminChecklist, A31_default_rules) {
    AdminApp app(shared_server());
    const std::string path =
        "services/" + app.post("services", data_source())["_id"] + "/default_rule";
    EXPECT_EQ(app.get(path)["error"], "default rule does not exist on service");
    EXPECT_EQ(app.put(path, R"({"roles": []})")["error"], "default rule does not exist");
    const std::string rule = R"({"roles": [{"name": "all", "apply_when": {}, "read": true}]})";
    ASSERT_EQ(app.post(path, rule).status, 201);
    EXPECT_EQ(app.post(path, rule)["error"], "default rule already exists");
    AdminAnswer shown = app.get(path);
    EXPECT_EQ(shown.status, 200);
    const std::size_t before = app.get("deployments").array().size();
    EXPECT_EQ(app.put(path, shown.text).status, 204);
    EXPECT_EQ(app.get("deployments").array().size(), before) << "equal: nothing was deployed";
    json::object changed = shown.object();
    changed["_id"] = "0123456789abcdef01234567";
    EXPECT_EQ(app.put(path, json::serialize(changed))["error"], "service default rule id mismatch");
    EXPECT_EQ(app.remove(path).status, 204);
    EXPECT_EQ(app.remove(path).status, 404);
}

TEST(AdminChecklist, A32_breaking_edits_make_one_version_a_deployment) {
    AdminApp app(shared_server());
    const std::string id = app.post("schemas", schema("A", R"(, "x": {"bsonType": "string"},
        "y": {"bsonType": "string"}, "z": {"bsonType": "string"})"))["_id"];
    ASSERT_EQ(app.post("services", data_source(flexible_on)).status, 201);
    EXPECT_EQ(versions(app), 1U);
    const std::string fewer = schema("A", R"(, "x": {"bsonType": "string"})");
    app.query = "";
    const AdminAnswer refused = app.put("schemas/" + id, fewer);
    EXPECT_EQ(refused.status, 400);
    EXPECT_NE(refused["error"].find("bypass_service_change"), std::string::npos);
    app.query = "?bypass_service_change=syncSchemaVersionIncrease";
    EXPECT_EQ(app.put("schemas/" + id, fewer).status, 204);
    EXPECT_EQ(versions(app), 2U);
    EXPECT_EQ(app.put("schemas/" + id, schema("A", "")).status, 204);
    EXPECT_EQ(versions(app), 3U);
    const std::string draft = app.post("drafts")["_id"];
    EXPECT_EQ(app.put("schemas/" + id, schema("A", R"(, "q": {"bsonType": "long"})")).status, 204);
    EXPECT_EQ(app.put("schemas/" + id, schema("A", R"(, "q": {"bsonType": "string"})")).status,
              204);
    EXPECT_EQ(app.post("drafts/" + draft + "/deployment").status, 201);
    EXPECT_EQ(versions(app), 3U) << "a property was added: nothing breaks";
}

TEST(AdminChecklist, A34_A35_users_are_revoked_disabled_and_verified) {
    AdminApp app(shared_server());
    ASSERT_EQ(app.post("auth_providers", R"({"type": "local-userpass",
        "config": {"autoConfirm": true, "resetPasswordUrl": "http://localhost/reset"}})")
                  .status,
              201);
    const AdminAnswer made =
        app.post("users", R"({"email": "a@example.com", "password": "secret horse"})");
    ASSERT_EQ(made.status, 201) << made.text;
    EXPECT_EQ(app.post("users", R"({"email": "a@example.com", "password": "secret horse"})").status,
              409);
    const std::string login = R"({"username": "a@example.com", "password": "secret horse"})";
    const AdminAnswer session = app.client("POST", "auth/providers/local-userpass/login", login);
    ASSERT_EQ(session.status, 200) << session.text;
    EXPECT_EQ(session["user_id"], made["_id"]);
    const std::string token = R"({"token": ")" + session["access_token"] + "\"}";
    EXPECT_EQ(app.put("users/" + made["_id"] + "/logout").status, 204);
    EXPECT_EQ(shared_server()
                  .call("POST", "/api/client/v2.0/auth/session", session["refresh_token"])
                  .status,
              401);
    EXPECT_EQ(app.post("users/verify_token", token).status, 200);
    EXPECT_EQ(app.post("users/verify_token", R"({"token": "garbled"})").status, 401);
    EXPECT_EQ(app.put("users/" + made["_id"] + "/disable").status, 204);
    EXPECT_EQ(app.client("POST", "auth/providers/local-userpass/login", login)["error_code"],
              "UserDisabled");
    EXPECT_EQ(app.put("users/" + made["_id"] + "/enable").status, 204);
    EXPECT_EQ(app.client("POST", "auth/providers/local-userpass/login", login).status, 200);
    EXPECT_EQ(app.remove("users/" + made["_id"]).status, 204);
    EXPECT_EQ(app.get("users/" + made["_id"]).status, 404);
}

TEST(AdminChecklist, A37_features_and_settings) {
    AdminApp app(shared_server());
    EXPECT_EQ(
        app.private_call("POST", "features", R"({"action": "enable", "feature_flags": ["a", "b"]})")
            .status,
        204);
    EXPECT_EQ(
        app.private_call("POST", "features", R"({"action": "disable", "feature_flags": ["a"]})")
            .status,
        204);
    EXPECT_EQ(app.private_call("GET", "features").text, R"({"enabled":["b"]})");
    for (const char* body : {R"({"sync": {"x": 1}})", R"({"sync": {"y": 2}})"}) {
        EXPECT_EQ(app.private_call("PATCH", "settings", body).status, 204);
    }
    EXPECT_EQ(app.private_call("GET", "settings").text, R"({"sync":{"x":1,"y":2}})");
}

TEST(AdminChecklist, A38_A57_deployments_and_secrets) {
    AdminApp app(shared_server());
    EXPECT_EQ(app.get("deployments").array().size(), 0U);
    ASSERT_EQ(app.post("values", R"({"name": "dummyValue", "value": 1})").status, 201);
    AdminAnswer listed = app.get("deployments");
    ASSERT_EQ(listed.array().size(), 1U);
    const std::string first = string_or(listed.array()[0].as_object(), "_id");
    ASSERT_EQ(app.post("secrets", R"({"name": "key", "value": "very hidden text"})").status, 201);
    EXPECT_EQ(app.post("deployments/" + first + "/redeploy").status, 204);
    listed = app.get("deployments");
    ASSERT_EQ(listed.array().size(), 2U);
    EXPECT_NE(string_or(listed.array()[0].as_object(), "_id"), first);
    EXPECT_TRUE(listed.array()[0].as_object().at("deployed_at").is_int64());
    const AdminAnswer secrets = app.get("secrets");
    ASSERT_EQ(secrets.array().size(), 1U);
    EXPECT_EQ(secrets.text.find("very hidden"), std::string::npos);
    EXPECT_EQ(app.get("pull").text.find("very hidden"), std::string::npos);
    EXPECT_EQ(app.post("deployments/0123456789abcdef01234567/redeploy")["error"],
              "deployment not found");
}

TEST(AdminChecklist, A40_A41_old_clients_bodies) {
    AdminApp app(shared_server());
    EXPECT_EQ(app.post("auth_providers", R"({"type": "local-userpass", "config": {},
        "secret_config": null, "metadata_fields": [{}]})")
                  .status,
              201);
    const std::string service = app.post("services", data_source())["_id"];
    const AdminAnswer rule = app.post("services/" + service + "/rules",
                                      R"({"_id": null, "database": "db", "collection": "Dog test",
        "roles": [], "schema": {"title": "Dog", "properties": {"_id": {"bsonType": "objectId"}},
        "required": ["_id"]}, "relationships": {}})");
    ASSERT_EQ(rule.status, 201) << rule.text;
    for (const auto& [key, value] : rule.object()) {
        EXPECT_TRUE(value.is_string()) << key;
    }
    ASSERT_EQ(app.get("schemas").array().size(), 1U);
    EXPECT_EQ(app.get("services/" + service + "/rules/" + rule["_id"]).status, 200);
}

TEST(AdminChecklist, A50_A51_A52_A53_whole_apps) {
    AdminApp app(shared_server());
    EXPECT_EQ(
        shared_server()
            .call("GET",
                  std::string(base) + "/groups/" + shared_server().group() + "/apps?product=atlas",
                  shared_server().token())
            .text,
        "[]");
    ASSERT_EQ(app.post("services", data_source(flexible_on)).status, 201);
    ASSERT_EQ(app.post("schemas", schema("A", "")).status, 200);
    ASSERT_EQ(app.post("functions", R"({"name": "f", "source": "exports = () => 1;"})").status,
              201);
    const AdminAnswer exported = app.get("export?version=20210101&source_control=true");
    EXPECT_EQ(exported.status, 200);
    EXPECT_TRUE(exported.has_header("Content-Disposition: attachment; filename=\"" +
                                    app.client_app_id() + "_"));
    const AdminAnswer pulled = app.get("pull");
    const std::string import = "import?strategy=replace-by-name";
    EXPECT_EQ(app.post(import + "&diff=true", pulled.text).text, "[]");
    const auto function_id = [&] {
        return string_or(app.get("functions").array().at(0).as_object(), "_id");
    };
    const std::string function = function_id();
    EXPECT_EQ(app.post(import, pulled.text).status, 204);
    EXPECT_EQ(app.get("functions").array().size(), 1U);

    json::object broken = pulled.object();
    broken["values"] =
        json::array{json::object{{"name", "v"}, {"value", "nowhere"}, {"from_secret", true}}};
    const AdminAnswer missing = app.post(import, json::serialize(broken));
    EXPECT_EQ(missing.status, 400);
    EXPECT_NE(missing["error"].find("'nowhere'"), std::string::npos);
    EXPECT_EQ(missing.object().at("details").as_array().size(), 1U);
    EXPECT_TRUE(app.get("values").array().empty());
    ASSERT_EQ(app.post("secrets", R"({"name": "nowhere", "value": "x"})").status, 201);
    EXPECT_EQ(app.post(import, json::serialize(broken)).status, 204);
    EXPECT_EQ(app.get("values").array().size(), 1U);
    EXPECT_EQ(function_id(), function) << "ids are kept";
}

TEST(AdminChecklist, A55_access_lists_restrict_the_client_api) {
    AdminApp app(shared_server());
    ASSERT_EQ(app.post("auth_providers", R"({"type": "anon-user"})").status, 201);
    const AdminAnswer user = app.client("POST", "auth/providers/anon-user/login");
    ASSERT_EQ(user.status, 200);
    const auto profile = [&] {
        return shared_server()
            .call("GET", "/api/client/v2.0/auth/profile", user["access_token"])
            .status;
    };
    const std::string list = "security/access_list";
    EXPECT_EQ(app.get(list)["current_ip"], "127.0.0.1");
    EXPECT_TRUE(app.get(list).object().at("allowed_ips").as_array().empty());
    for (const char* bad : {R"({"address": "nowhere"})", R"({"address": "192.0.2.1/33"})", "{}"}) {
        EXPECT_EQ(app.post(list, bad).status, 400) << bad;
    }
    const AdminAnswer other = app.post(list, R"({"address": "192.0.2.0/24", "comment": "office"})");
    ASSERT_EQ(other.status, 201) << other.text;
    EXPECT_FALSE(other.object().at("includes_current").as_bool());
    EXPECT_EQ(app.post(list, R"({"address": "192.0.2.0/24"})").status, 409);
    const AdminAnswer refused = app.client("POST", "auth/providers/anon-user/login");
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused["error_code"], "Forbidden");
    EXPECT_EQ(app.client("GET", "location").status, 403);
    EXPECT_EQ(app.client("GET", "realm-sync?baas_at=" + user["access_token"]).status, 403);
    EXPECT_EQ(profile(), 403);
    EXPECT_EQ(app.get(list).status, 200) << "administrators are not meant";
    const AdminAnswer changed =
        app.patch(list + "/" + other["_id"], R"({"address": "127.0.0.0/8"})");
    EXPECT_EQ(changed.status, 200);
    EXPECT_EQ(changed["comment"], "office");
    EXPECT_EQ(profile(), 200);
    const AdminAnswer mine = app.post(list, R"({"use_current": true})");
    EXPECT_EQ(mine["address"], "127.0.0.1");
    EXPECT_EQ(app.remove(list + "/" + other["_id"]).status, 204);
    EXPECT_EQ(app.remove(list + "/" + other["_id"]).status, 404);
    EXPECT_EQ(profile(), 200);
    EXPECT_EQ(app.remove(list + "/" + mine["_id"]).status, 204);
    EXPECT_EQ(profile(), 200) << "an empty list admits everybody";
}

TEST(AdminChecklist, A36_apps_without_partition_sync_cannot_be_migrated_and_are_told_why) {
    AdminApp app(shared_server());
    const std::string id = app.post("services", data_source(flexible_on))["_id"];
    const AdminAnswer state = app.get("sync/migration");
    EXPECT_EQ(state["statusMessage"], "");
    for (const char* flag : {"isMigrated", "isCancelable", "isRevertible"}) {
        EXPECT_EQ(state.object().at(flag), json::value(false)) << flag;
    }
    EXPECT_FALSE(state.object().contains("errorMessage"));
    const auto ask = [&](const std::string& action, const std::string& service) {
        return app.put("sync/migration",
                       R"({"serviceId": ")" + service + R"(", "action": ")" + action + "\"}");
    };
    const std::pair<const char*, const char*> reasons[] = {{"start", "partition-based"},
                                                           {"rollback", "was migrated"},
                                                           {"commit", "was migrated"},
                                                           {"cancel", "no migration is running"},
                                                           {"dance", "must be start"}};
    for (const auto& [action, reason] : reasons) {
        const AdminAnswer refused = ask(action, id);
        EXPECT_EQ(refused.status, 400);
        EXPECT_NE(refused["error"].find(reason), std::string::npos) << refused.text;
    }
    EXPECT_EQ(ask("start", "0123456789abcdef01234567")["error_code"], "ServiceNotFound");
    EXPECT_EQ(app.put("sync/migration", "{}").status, 400);

    AdminApp old(shared_server());
    const std::string source = old.post("services", data_source(R"("sync": {"state": "enabled",
        "database_name": "db", "partition": {"key": "realm_id", "type": "string"}})"))["_id"];
    const AdminAnswer refused =
        old.put("sync/migration", R"({"serviceId": ")" + source + R"(", "action": "start"})");
    EXPECT_EQ(refused.status, 400);
    EXPECT_NE(refused["error"].find("not run by this server"), std::string::npos) << refused.text;
}

TEST(AdminChecklist, A56_users_come_in_pages) {
    AdminApp app(shared_server());
    ASSERT_EQ(app.post("auth_providers", R"({"type": "anon-user"})").status, 201);
    for (int i = 0; i < 51; ++i) {
        ASSERT_EQ(app.client("POST", "auth/providers/anon-user/login").status, 200);
    }
    const AdminAnswer first = app.get("users");
    ASSERT_EQ(first.array().size(), 50U);
    const std::string last = string_or(first.array()[49].as_object(), "_id");
    EXPECT_EQ(app.get("users?after=" + last).array().size(), 1U);
    const AdminAnswer reverse = app.get("users?desc=true");
    ASSERT_EQ(reverse.array().size(), 50U);
    EXPECT_GT(string_or(reverse.array()[0].as_object(), "_id"), last);
}

TEST(AdminChecklist, A58_unknown_ids_are_404_with_a_code) {
    AdminApp app(shared_server());
    const std::string id = "/0123456789abcdef01234567";
    for (const char* part :
         {"services", "schemas", "functions", "values", "auth_providers", "users", "api_keys",
          "deployments", "environment_values", "triggers", "log_forwarders", "endpoints"}) {
        const AdminAnswer answer = app.get(part + id);
        EXPECT_EQ(answer.status, 404) << part;
        EXPECT_FALSE(answer["error"].empty()) << part;
        EXPECT_FALSE(answer["error_code"].empty()) << part;
    }
    EXPECT_EQ(app.remove("secrets" + id)["error_code"], "SecretNotFound");
    EXPECT_EQ(app.remove("drafts" + id)["error_code"], "DraftNotFound");
}

TEST(AdminChecklist, A62_deprecated_permissions_become_rules) {
    AdminApp app(shared_server());
    const std::string id = app.post("services", data_source(R"("flexible_sync": {
        "state": "enabled", "database_name": "db", "permissions": {"rules": {}, "defaultRoles": [
            {"name": "all", "applyWhen": {}, "read": true, "write": false}]}})"))["_id"];
    const AdminAnswer rule = app.get("services/" + id + "/default_rule");
    ASSERT_EQ(rule.status, 200) << rule.text;
    const json::object& role = rule.object().at("roles").as_array().at(0).as_object();
    EXPECT_EQ(role.at("document_filters").as_object().at("write").as_bool(), false);
}

TEST(AdminParts, keep_their_ids_and_references_through_renames) {
    AdminApp app(shared_server());
    const std::string id =
        app.post("functions", R"({"name": "f", "source": "exports = () => 1;"})")["_id"];
    ASSERT_EQ(app.post("auth_providers", R"({"type": "custom-function",
        "config": {"authFunctionId": ")" + id +
                                             "\"}}")
                  .status,
              201);
    EXPECT_EQ(app.put("functions/" + id, R"({"name": "g", "source": "exports = () => 2;"})").status,
              200);
    EXPECT_EQ(app.get("functions/" + id)["name"], "g");
    const AdminAnswer provider = app.get("auth_providers/" + provider_id(app, "custom-function"));
    EXPECT_EQ(string_or(provider.object().at("config").as_object(), "authFunctionName"), "g");
    EXPECT_EQ(app.remove("functions/" + id).status, 400) << "it is in use";
    const AdminAnswer again =
        app.post("functions", R"({"name": "f", "source": "exports = () => 3;"})");
    ASSERT_EQ(again.status, 201);
    EXPECT_NE(again["_id"], id);
}

TEST(AdminParts, server_keys_sign_in_until_they_are_deleted) {
    AdminApp app(shared_server());
    ASSERT_EQ(app.put("auth_providers/" + provider_id(app, "api-key") + "/enable").status, 204);
    const AdminAnswer key = app.post("api_keys", R"({"name": "robot"})");
    ASSERT_EQ(key.status, 201) << key.text;
    const std::string login = R"({"key": ")" + key["key"] + "\"}";
    EXPECT_EQ(app.client("POST", "auth/providers/api-key/login", login).status, 200);
    EXPECT_EQ(app.put("api_keys/" + key["_id"] + "/disable").status, 204);
    EXPECT_EQ(app.client("POST", "auth/providers/api-key/login", login).status, 401);
    EXPECT_EQ(app.put("api_keys/" + key["_id"] + "/enable").status, 204);
    EXPECT_EQ(app.get("api_keys").array().size(), 1U);
    EXPECT_EQ(app.remove("api_keys/" + key["_id"]).status, 204);
    EXPECT_EQ(app.client("POST", "auth/providers/api-key/login", login).status, 401);
}

} // namespace
} // namespace tombolo::server
