// The calls with which the published client's own test suite starts, in their order
// (peer-suite.md, "The calls of the start").

#include <boost/json/serialize.hpp>

#include "server/admin/admin_client.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {
namespace {

namespace json = boost::json;

struct Functions {
    std::string confirm;
    std::string reset;
    std::string authenticate;
};

// Step 4.
Functions add_functions(AdminApp& app) {
    const auto add = [&](const std::string& name, const std::string& source) {
        const AdminAnswer made =
            app.post("functions", json::serialize(json::object{{"name", name},
                                                               {"private", false},
                                                               {"can_evaluate", json::object()},
                                                               {"source", source}}));
        EXPECT_EQ(made.status, 201) << made.text;
        EXPECT_EQ(made["name"], name);
        return made["_id"];
    };
    static_cast<void>(add("updateUserData", "exports = async function(data) { return true; };"));
    static_cast<void>(add("sumFunc", "exports = (...all) => all.reduce((a, b) => a + b, 0);"));
    Functions out;
    out.confirm = add("confirmFunc", "exports = () => ({status: 'pending'});");
    out.authenticate = add("authFunc", "exports = p => p.realmCustomAuthFuncUserId;");
    out.reset = add("resetFunc", "exports = () => ({status: 'fail'});");
    return out;
}

void expect_created(const AdminAnswer& answer) {
    EXPECT_EQ(answer.status, 201) << answer.text;
    EXPECT_TRUE(answer.body.is_object()) << answer.text;
}

// Steps 5 to 8.
void add_providers(AdminApp& app, const Functions* functions) {
    expect_created(app.post("auth_providers", R"({"type": "anon-user"})"));
    json::object config{{"autoConfirm", functions == nullptr},
                        {"emailConfirmationUrl", "http://foo/confirmEmail"},
                        {"confirmEmailSubject", ""},
                        {"resetPasswordUrl", "http://foo/resetPassword"},
                        {"resetPasswordSubject", ""}};
    if (functions != nullptr) {
        config["confirmationFunctionName"] = "confirmFunc";
        config["confirmationFunctionId"] = functions->confirm;
        config["runConfirmationFunction"] = true;
        config["resetFunctionName"] = "resetFunc";
        config["resetFunctionId"] = functions->reset;
        config["runResetFunction"] = true;
    }
    expect_created(
        app.post("auth_providers",
                 json::serialize(json::object{{"type", "local-userpass"}, {"config", config}})));
    if (functions != nullptr) {
        expect_created(
            app.post("auth_providers",
                     json::serialize(json::object{
                         {"type", "custom-function"},
                         {"config", json::object{{"authFunctionName", "authFunc"},
                                                 {"authFunctionId", functions->authenticate}}}})));
    }
    std::string api_key;
    const AdminAnswer listed = app.get("auth_providers");
    for (const json::value& one : listed.array()) {
        if (string_or(one.as_object(), "type") == "api-key") {
            api_key = string_or(one.as_object(), "_id");
        }
    }
    ASSERT_FALSE(api_key.empty());
    const AdminAnswer enabled = app.put("auth_providers/" + api_key + "/enable");
    EXPECT_EQ(enabled.status, 204);
    EXPECT_TRUE(enabled.text.empty());
    for (const auto& [name, value] :
         {std::pair{"BackingDB_uri", "mongodb://localhost:26000"}, std::pair{"gcm", "gcm"},
          std::pair{"customTokenKey", "My_very_confidential_secretttttt"}}) {
        const AdminAnswer secret =
            app.post("secrets", json::serialize(json::object{{"name", name}, {"value", value}}));
        expect_created(secret);
        EXPECT_EQ(secret["name"], name);
    }
    if (functions != nullptr) {
        expect_created(app.post("auth_providers", R"({
            "type": "custom-token",
            "config": {"audience": [], "signingAlgorithm": "HS256", "useJWKURI": false},
            "secret_config": {"signingKeys": ["customTokenKey"]},
            "disabled": false,
            "metadata_fields": [
                {"required": false, "name": "user_data.name", "field_name": "name"},
                {"required": true, "name": "user_data.occupation", "field_name": "occupation"},
                {"required": true, "name": "my_metadata.name", "field_name": "anotherName"}]})"));
    }
}

constexpr const char* roles = R"({"roles": [{
    "name": "default", "apply_when": {},
    "document_filters": {"read": true, "write": true},
    "insert": true, "delete": true, "read": true, "write": true}]})";

// Step 11: targets exist before links.
void add_schemas(AdminApp& app, const std::string& partition) {
    const AdminAnswer none = app.get("schemas");
    EXPECT_EQ(none.status, 200);
    EXPECT_TRUE(none.array().empty());
    const auto metadata = [](const char* name) {
        return json::object{
            {"data_source", "BackingDB"}, {"database", "test_data"}, {"collection", name}};
    };
    json::object properties{{"_id", json::object{{"bsonType", "objectId"}}}};
    json::array required{"_id"};
    if (!partition.empty()) {
        properties[partition] = json::object{{"bsonType", "string"}};
        required.emplace_back(partition);
    }
    std::map<std::string, std::string> ids;
    for (const char* name : {"Dog", "Person"}) {
        const AdminAnswer made = app.post(
            "schemas",
            json::serialize(json::object{{"metadata", metadata(name)},
                                         {"relationships", nullptr},
                                         {"schema", json::object{{"title", name},
                                                                 {"properties", properties},
                                                                 {"required", required}}}}));
        EXPECT_EQ(made.status, 200) << made.text;
        ids[name] = made["_id"];
    }
    json::object dog = properties;
    dog["name"] = json::object{{"bsonType", "string"}};
    json::object person = properties;
    person["dogs"] =
        json::object{{"bsonType", "array"}, {"items", json::object{{"bsonType", "objectId"}}}};
    const json::object to_dogs{
        {"dogs", json::object{{"ref", "#/relationship/BackingDB/test_data/Dog"},
                              {"foreign_key", "_id"},
                              {"is_list", true}}}};
    for (const char* name : {"Dog", "Person"}) {
        const bool is_dog = std::string(name) == "Dog";
        const AdminAnswer put =
            app.put("schemas/" + ids[name],
                    json::serialize(json::object{
                        {"_id", ids[name]},
                        {"metadata", metadata(name)},
                        {"relationships", is_dog ? json::value(nullptr) : json::value(to_dogs)},
                        {"schema", json::object{{"title", name},
                                                {"properties", is_dog ? dog : person},
                                                {"required", required}}}}));
        EXPECT_EQ(put.status, 204) << put.text;
        EXPECT_TRUE(put.text.empty());
    }
    EXPECT_EQ(app.get("schemas").array().size(), 2U);
}

std::string service(const std::string& key, const std::string& sync) {
    return R"({"name": "BackingDB", "type": "mongodb",
               "config": {"uri": "mongodb://localhost:26000", ")" +
           key + "\": " + sync + "}}";
}

// Steps 14 and 15.
void finish(AdminApp& app, const std::string& service_id) {
    expect_created(app.post("services/" + service_id + "/rules", R"({
        "database": "test_data", "collection": "UserData", "roles": [{
            "name": "default", "apply_when": {}, "insert": true, "delete": true,
            "additional_fields": {}, "read": true, "write": true}]})"));
    EXPECT_EQ(app.patch("custom_user_data", R"({"mongo_service_id": ")" + service_id +
                                                R"(", "enabled": true, "database_name": "test_data",
                                "collection_name": "UserData", "user_id_field": "user_id"})")
                  .status,
              204);
    expect_created(app.post("services", R"({"name": "gcm", "type": "gcm",
        "config": {"senderId": "gcm"}, "secret_config": {"apiKey": "gcm"}, "version": 1})"));
}

TEST(Startup, flexible_app_of_the_client_suite_comes_up) {
    AdminApp app(shared_server());
    const Functions functions = add_functions(app);
    add_providers(app, &functions);
    const AdminAnswer made =
        app.post("services", service("flexible_sync", R"({"database_name": "test_data",
            "queryable_fields_names": ["name"], "asymmetric_tables": []})"));
    expect_created(made);
    const std::string id = made["_id"];
    EXPECT_EQ(app.get("sync/state?sync_type=flexible")["state"], "");
    expect_created(app.post("services/" + id + "/default_rule", roles));
    add_schemas(app, "");
    const AdminAnswer enabled = app.patch("services/" + id + "/config", R"({"flexible_sync": {
        "database_name": "test_data", "state": "enabled", "is_recovery_mode_disabled": false,
        "queryable_fields_names": ["name"], "asymmetric_tables": []}})");
    EXPECT_EQ(enabled.status, 204) << enabled.text;
    EXPECT_EQ(app.put("sync/config", R"({"development_mode_enabled": false})").status, 204);
    finish(app, id);

    const AdminAnswer progress = app.get("sync/progress");
    EXPECT_EQ(progress.status, 200);
    EXPECT_TRUE(progress.object().at("accepting_clients").as_bool()) << progress.text;
    EXPECT_EQ(app.get("sync/state?sync_type=flexible")["state"], "enabled");
    const AdminAnswer deleted = app.remove("");
    EXPECT_EQ(deleted.status, 204);
    EXPECT_TRUE(deleted.text.empty());
    EXPECT_EQ(app.remove("").status, 404);
}

TEST(Startup, minimal_flexible_app_signs_users_in) {
    AdminApp app(shared_server());
    add_providers(app, nullptr);
    const AdminAnswer made =
        app.post("services", service("flexible_sync", R"({"database_name": "test_data",
            "queryable_fields_names": [], "asymmetric_tables": []})"));
    expect_created(made);
    expect_created(app.post("services/" + made["_id"] + "/default_rule", roles));
    finish(app, made["_id"]);

    EXPECT_EQ(app.client("GET", "location").status, 200);
    const std::string user = R"({"email": "a@example.com", "password": "secret horse"})";
    EXPECT_EQ(app.client("POST", "auth/providers/local-userpass/register", user).status, 201);
    const AdminAnswer session =
        app.client("POST", "auth/providers/local-userpass/login",
                   R"({"username": "a@example.com", "password": "secret horse"})");
    EXPECT_EQ(session.status, 200) << session.text;
    const std::string users = "users/" + session["user_id"];
    EXPECT_EQ(app.post("users/verify_token", R"({"token": ")" + session["access_token"] + "\"}")
                  .object()
                  .at("iat")
                  .is_int64(),
              true);
    for (const char* call : {"/logout", "/disable", "/enable"}) {
        const AdminAnswer answer = app.put(users + call);
        EXPECT_EQ(answer.status, 204) << call;
        EXPECT_TRUE(answer.text.empty());
    }
}

TEST(Startup, partition_app_of_the_client_suite_comes_up) {
    AdminApp app(shared_server());
    const Functions functions = add_functions(app);
    add_providers(app, &functions);
    const std::string partition = R"("partition": {"key": "realm_id", "type": "string",
        "required": false, "permissions": {"read": true, "write": true}})";
    const AdminAnswer made = app.post(
        "services", service("sync", R"({"database_name": "test_data", )" + partition + "}"));
    expect_created(made);
    const std::string id = made["_id"];
    expect_created(app.post("services/" + id + "/default_rule", roles));
    add_schemas(app, "realm_id");
    EXPECT_EQ(app.patch("services/" + id + "/config",
                        R"({"sync": {"database_name": "test_data", "state": "enabled",
                            "is_recovery_mode_disabled": false, )" +
                            partition + "}}")
                  .status,
              204);
    EXPECT_EQ(app.put("sync/config", R"({"development_mode_enabled": true})").status, 204);
    finish(app, id);

    const AdminAnswer answer = app.get("sync/progress");
    const json::object& progress = answer.object().at("progress").as_object();
    EXPECT_EQ(progress.size(), 2U) << answer.text;
    for (const auto& [name, entry] : progress) {
        EXPECT_TRUE(entry.as_object().at("complete").as_bool()) << name;
    }
    const AdminAnswer config = app.get("services/" + id + "/config");
    const json::object& sync = config.object().at("sync").as_object();
    EXPECT_EQ(string_or(sync, "state"), "enabled");
    EXPECT_EQ(string_or(sync, "database_name"), "test_data");
}

} // namespace
} // namespace tombolo::server
