#include "server_apps.hpp"

#include <unistd.h>

#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "server_load.hpp"
#include "server_process.hpp"

namespace tombolo::bench {

namespace {

constexpr int repetitions = 15;
constexpr double bound_ms = 60;

// One administrator's connection.
class Admin {
  public:
    explicit Admin(std::uint16_t port) : socket_(connect_to(port)) {
        const Reply session = ask(socket_, request("POST", "/auth/providers/local-userpass/login",
                                                   R"({"username": "bench", "password":
                                                       "correct horse"})"));
        token_ = member(session, 200, "access_token");
        const Reply profile = ask(socket_, request("GET", "/auth/profile", {}));
        group_ = std::string(
            boost::json::parse(profile.body).at("roles").at(0).at("group_id").as_string());
    }
    ~Admin() { ::close(socket_); }
    Admin(const Admin&) = delete;
    Admin& operator=(const Admin&) = delete;

    // The answer's member; another status ends the program.
    std::string call(const std::string& method, const std::string& path, int status,
                     const std::string& body, const char* wanted = nullptr) const {
        const Reply reply =
            ask(socket_, request(method,
                                 "/groups/" + group_ + "/apps" + path +
                                     "?bypass_service_change=SyncSchemaVersionIncrease",
                                 body));
        return member(reply, status, wanted);
    }

  private:
    std::string request(const std::string& method, const std::string& path,
                        const std::string& body) const {
        return method + " /api/admin/v3.0" + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
               (token_.empty() ? "" : "Authorization: Bearer " + token_ + "\r\n") +
               "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    }
    static std::string member(const Reply& reply, int status, const char* name) {
        if (reply.status != status) {
            give_up("an administrator's call was answered " + std::to_string(reply.status) + ": " +
                    reply.body);
        }
        return name == nullptr ? std::string()
                               : std::string(boost::json::parse(reply.body).at(name).as_string());
    }

    int socket_;
    std::string token_;
    std::string group_;
};

std::string schema(const std::string& name, const std::string& more) {
    return R"({"metadata": {"data_source": "BackingDB", "database": "test_data", "collection": ")" +
           name + R"("}, "relationships": null, "schema": {"title": ")" + name +
           R"(", "required": ["_id"], "properties": {"_id": {"bsonType": "objectId"})" + more +
           "}}}";
}

void add_users(const Admin& admin, const std::string& app) {
    const char* sources[] = {"updateUserData", "sumFunc", "confirmFunc", "authFunc", "resetFunc"};
    std::string function;
    for (const char* name : sources) {
        function = admin.call("POST", app + "/functions", 201,
                              R"({"name": ")" + std::string(name) +
                                  R"(", "private": false, "can_evaluate": {},
                                      "source": "exports = function(x) { return x; };"})",
                              "_id");
    }
    admin.call("POST", app + "/auth_providers", 201, R"({"type": "anon-user"})");
    admin.call("POST", app + "/auth_providers", 201, R"({"type": "local-userpass", "config":
        {"autoConfirm": false, "resetPasswordUrl": "http://foo/reset",
         "runConfirmationFunction": true, "confirmationFunctionName": "confirmFunc",
         "runResetFunction": true, "resetFunctionName": "resetFunc"}})");
    admin.call("POST", app + "/auth_providers", 201,
               R"({"type": "custom-function", "config": {"authFunctionName": "authFunc"}})");
    admin.call("GET", app + "/auth_providers", 200, {});
    for (const char* name : {"BackingDB_uri", "gcm", "customTokenKey"}) {
        admin.call("POST", app + "/secrets", 201,
                   R"({"name": ")" + std::string(name) + R"(", "value": "a long secret value"})");
    }
    admin.call("POST", app + "/auth_providers", 201, R"({"type": "custom-token", "config":
        {"audience": [], "signingAlgorithm": "HS256", "useJWKURI": false},
        "secret_config": {"signingKeys": ["customTokenKey"]},
        "metadata_fields": [{"required": false, "name": "user_data.name", "field_name": "name"}]})");
}

// As the published client's harness does it (peer-suite.md), from the app to its end.
void create_and_delete(const Admin& admin) {
    const std::string app = "/" + admin.call("POST", "", 201, R"({"name": "test"})", "_id");
    add_users(admin, app);
    const std::string sync = R"("flexible_sync": {"database_name": "test_data",
        "queryable_fields_names": ["name"], "asymmetric_tables": [])";
    const std::string service = app + "/services/" +
                                admin.call("POST", app + "/services", 201,
                                           R"({"name": "BackingDB", "type": "mongodb",
                       "config": {"uri": "mongodb://localhost:26000", )" +
                                               sync + "}}}",
                                           "_id");
    admin.call("POST", service + "/default_rule", 201, R"({"roles": [{"name": "default",
        "apply_when": {}, "document_filters": {"read": true, "write": true}, "insert": true,
        "delete": true, "read": true, "write": true}]})");
    admin.call("GET", app + "/schemas", 200, {});
    for (const char* name : {"Dog", "Person"}) {
        const std::string id = admin.call("POST", app + "/schemas", 200, schema(name, {}), "_id");
        admin.call("PUT", app + "/schemas/" + id, 204,
                   schema(name, R"(, "name": {"bsonType": "string"})"));
    }
    admin.call("PATCH", service + "/config", 204,
               "{" + sync + R"(, "state": "enabled", "is_recovery_mode_disabled": false}})");
    admin.call("PUT", app + "/sync/config", 204, R"({"development_mode_enabled": false})");
    admin.call("POST", service + "/rules", 201, R"({"database": "test_data",
        "collection": "UserData", "roles": [{"name": "default", "apply_when": {}, "read": true,
        "write": true, "insert": true, "delete": true}]})");
    admin.call("PATCH", app + "/custom_user_data", 204,
               R"({"mongo_service_id": ")" + service.substr(service.rfind('/') + 1) +
                   R"(", "enabled": true, "database_name": "test_data",
                       "collection_name": "UserData", "user_id_field": "user_id"})");
    admin.call("POST", app + "/services", 201, R"({"name": "gcm", "type": "gcm",
        "config": {"senderId": "gcm"}, "secret_config": {"apiKey": "gcm"}, "version": 1})");
    admin.call("GET", app + "/sync/progress", 200, {});
    admin.call("DELETE", app, 204, {});
}

} // namespace

void bench_app_create() {
    const ServerProcess daemon = ServerProcess::start_daemon(
        {program_folder() + "/tombolod", "--data", scratch_folder() + "/apps", "--listen",
         "127.0.0.1:0", "--admin-user", "bench", "--admin-password", "correct horse",
         "--requests-per-minute", "0", "--log-file", scratch_folder() + "/apps.log"});
    const std::vector<double> times = in_child([&] {
        const Admin admin(daemon.port());
        create_and_delete(admin); // warm
        std::vector<double> seconds;
        for (int i = 0; i < repetitions; ++i) {
            const double start = seconds_now();
            create_and_delete(admin);
            seconds.push_back(seconds_now() - start);
        }
        return seconds;
    });
    const double ms = median(times) * 1000;
    print("app_create", ms, "ms", "bound", bound_ms, ms / bound_ms);
}

} // namespace tombolo::bench
