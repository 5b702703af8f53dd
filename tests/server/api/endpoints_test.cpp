// HTTPS endpoints of apps (admin-api-and-config.md R20).

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "core/bytes.hpp"
#include "core/ejson.hpp"
#include "server/runtime/json.hpp"
#include "server/runtime/sealer.hpp"
#include "server/support/service.hpp"

namespace tombolo::server {
namespace {

using http::Headers;
using http::Method;

// Two functions: "system" runs as the system, "own" as the caller.
ServiceOptions app_with(const std::string& endpoints, const std::string& system,
                        const std::string& own = "exports = () => context.user.id;",
                        const std::string& more_of_own = {}) {
    AppTree tree = demo_app();
    tree["functions/config.json"] =
        R"([{"name": "system", "private": true, "run_as_system": true},
            {"name": "own", "private": false)" +
        more_of_own + "}]";
    tree["functions/system.js"] = system;
    tree["functions/own.js"] = own;
    tree["https_endpoints/config.json"] = endpoints;
    tree["secrets.json"] =
        R"({"token_key": ")" + std::string(demo_token_key) + R"(", "hook": "open sesame"})";
    ServiceOptions options;
    options.apps = {std::move(tree)};
    return options;
}

std::string endpoint(const std::string& method, const std::string& function,
                     const std::string& more = {}) {
    return R"({"route": "/hooks/in", "http_method": ")" + method + R"(", "function_name": ")" +
           function + R"(", "respond_result": true, "disabled": false)" + more + "}";
}

const std::string path = "/app/demo-abcde/endpoint/hooks/in";

Headers headers(std::initializer_list<std::pair<std::string, std::string>> list) {
    Headers out;
    for (const auto& [name, value] : list) {
        out.add(name, value);
    }
    return out;
}

TEST(Endpoints, function_gets_the_request_and_makes_the_response) {
    Service service(app_with("[" + endpoint("POST", "system") + "]", R"(
        exports = ({ query, headers, body }, response) => {
            response.setStatusCode(201);
            response.setHeader("Content-Type", "text/plain");
            response.addHeader("X-Note", "a");
            response.addHeader("X-Note", "b");
            response.addHeader("Content-Length", "1");
            response.addHeader("X-Bad", "a\r\nSet-Cookie: b");
            response.setBody([body.text(), query.a, headers["X-Trace"][0],
                              headers.Authorization[0], context.runningAsSystem()].join());
        };)"));
    const Answer answer = service.call(Method::post, path + "?a=x%20y&a=z", "made up", "hello",
                                       headers({{"x-trace", "t"}}));
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.text, "hello,x y,t,Bearer made up,true");
    EXPECT_EQ(answer.headers.find("Content-Type"), "text/plain");
    EXPECT_EQ(answer.headers.find("X-Note"), "a");
    EXPECT_FALSE(answer.headers.contains("Content-Length"));
    EXPECT_FALSE(answer.headers.contains("X-Bad"));
}

TEST(Endpoints, result_is_json_or_extended_json_as_asked) {
    Service service(app_with("[" + endpoint("*", "system") + "]", R"(
        exports = () => ({ at: new Date(0), id: BSON.ObjectId("0123456789abcdef01234567") });)"));
    const Answer plain = service.call(Method::put, path);
    EXPECT_EQ(plain.status, 200);
    EXPECT_EQ(plain.text, R"({"at":"1970-01-01T00:00:00.000Z","id":"0123456789abcdef01234567"})");
    EXPECT_EQ(plain.headers.find("Content-Type"), "application/json");
    const Answer extended =
        service.call(Method::get, path, {}, {}, headers({{"Accept", "application/ejson"}}));
    EXPECT_EQ(extended.text, R"({"at":{"$date":{"$numberLong":"0"}},)"
                             R"("id":{"$oid":"0123456789abcdef01234567"}})");
    EXPECT_EQ(extended.headers.find("Content-Type"), "application/ejson");
}

TEST(Endpoints, without_respond_result_the_answer_is_empty) {
    Service service(app_with(R"([{"route": "/hooks/in", "http_method": "POST",
                                  "function_name": "system", "respond_result": false}])",
                             "exports = (_, response) => { response.setBody('x'); return 1; };"));
    const Answer answer = service.call(Method::post, path);
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.text, "");
}

TEST(Endpoints, method_wins_over_any_and_what_is_not_there_is_404) {
    Service service(
        app_with("[" + endpoint("*", "own") + "," + endpoint("GET", "system") +
                     R"(,{"route": "/off", "http_method": "GET", "function_name": "system",
                 "disabled": true}])",
                 "exports = () => 'system';"));
    EXPECT_EQ(service.call(Method::get, path).text, "\"system\"");
    EXPECT_EQ(service.call(Method::post, path).status, 400) << "as the caller: nobody";
    const Answer off = service.call(Method::get, "/app/demo-abcde/endpoint/off");
    EXPECT_EQ(off.status, 404);
    EXPECT_EQ(off["error_code"], "IncomingWebhookNotFound");
    EXPECT_EQ(service.call(Method::get, "/app/nobody/endpoint/off")["error_code"], "AppNotFound");
}

TEST(Endpoints, callers_are_known_by_token_password_key_or_jwt) {
    Service service(app_with("[" + endpoint("GET", "own") + "]", ""));
    const SignedInUser user = service.user("a@example.com");
    const std::string own = "\"" + user.id + "\"";
    EXPECT_EQ(service.get(path, user.access).text, own);
    EXPECT_EQ(service.get(path, "garbled").status, 401);
    const auto with = [&](std::initializer_list<std::pair<std::string, std::string>> list) {
        return service.call(Method::get, path, {}, {}, headers(list));
    };
    EXPECT_EQ(with({{"email", "a@example.com"}, {"password", "secret horse"}}).text, own);
    EXPECT_EQ(with({{"email", "a@example.com"}, {"password", "another one"}}).status, 401);
    EXPECT_EQ(with({{"email", "a@example.com"}})["error_code"], "MissingParameter");
    EXPECT_EQ(with({})["error"], "no authentication methods were specified");
    const Answer key = service.post("/auth/api_keys", R"({"name": "k"})", user.refresh);
    ASSERT_EQ(key.status, 201);
    EXPECT_EQ(with({{"apiKey", key["key"]}}).text, own);
    const std::string token = make_jwt(
        R"({"aud": "demo-abcde", "sub": "stranger", "exp": 1800000000,
            "user_data": {"name": "S"}})",
        demo_token_key);
    const Answer stranger = with({{"jwtTokenString", token}});
    EXPECT_EQ(stranger.status, 401);
    EXPECT_EQ(stranger["error"], "invalid session: error finding user for endpoint");
}

TEST(Endpoints, create_user_on_auth_makes_a_user_once) {
    Service service(
        app_with("[" + endpoint("GET", "own", R"(, "create_user_on_auth": true)") + "]", ""));
    const std::string token = make_jwt(
        R"({"aud": "demo-abcde", "sub": "stranger", "exp": 1800000000,
            "user_data": {"name": "S"}})",
        demo_token_key);
    const auto call = [&] {
        return service.call(Method::get, path, {}, {}, headers({{"jwtTokenString", token}}));
    };
    const Answer first = call();
    ASSERT_EQ(first.status, 200) << first.text;
    EXPECT_EQ(call().text, first.text);
}

TEST(Endpoints, secrets_are_asked_for) {
    const std::string secret = R"(, "secret_name": "hook", "validation_method": )";
    Service service(app_with("[" + endpoint("GET", "system", secret + "\"SECRET_AS_QUERY_PARAM\"") +
                                 "," + endpoint("POST", "system", secret + "\"VERIFY_PAYLOAD\"") +
                                 "," + endpoint("PUT", "system", secret + "\"NEW_METHOD\"") + "]",
                             "exports = () => 1;"));
    EXPECT_EQ(service.get(path + "?secret=open%20sesame").status, 200);
    EXPECT_EQ(service.get(path + "?secret=sesame").status, 401);
    EXPECT_EQ(service.get(path).status, 401);
    const std::string made = to_hex(as_bytes(hmac_sha256("open sesame", "payload")));
    const auto post = [&](const std::string& signature, const std::string& body) {
        return service
            .call(Method::post, path, {}, body, headers({{"Endpoint-Signature", signature}}))
            .status;
    };
    EXPECT_EQ(post("sha256=" + made, "payload"), 200);
    EXPECT_EQ(post("sha256=" + made, "payload!"), 401);
    EXPECT_EQ(post(made, "payload"), 401);
    EXPECT_EQ(service.call(Method::put, path).status, 401) << "what is not understood is refused";
}

TEST(Endpoints, can_evaluate_of_the_endpoint_and_of_the_function_are_asked) {
    const std::string rule = R"(, "can_evaluate": {"%%request.remoteIPAddress": "192.0.2.7"})";
    const std::string endpoints =
        "[" + endpoint("GET", "system", rule) + "," + endpoint("POST", "own") + "]";
    Service service(app_with(endpoints, "exports = () => 1;", "exports = () => 2;", rule));
    const SignedInUser user = service.anonymous();
    EXPECT_EQ(service.get(path).status, 403);
    EXPECT_EQ(service.call(Method::post, path, user.access).status, 403);
    service.remote_address = "192.0.2.7";
    EXPECT_EQ(service.get(path).text, "1");
    EXPECT_EQ(service.call(Method::post, path, user.access).text, "2");
}

TEST(Endpoints, give_custom_user_data_only_when_they_fetch_it) {
    for (const bool fetches : {false, true}) {
        ServiceOptions options =
            app_with("[" +
                         endpoint("POST", "own",
                                  std::string(R"(, "fetch_custom_user_data": )") +
                                      (fetches ? "true" : "false")) +
                         "]",
                     "exports = () => 1;", "exports = () => context.user.custom_data;");
        AppTree& tree = options.apps[0];
        tree["data_sources/s/config.json"] =
            R"({"name": "s", "type": "mongodb", "config": {"uri": "mongodb://localhost"}})";
        tree["auth/custom_user_data.json"] =
            R"({"enabled": true, "mongo_service_name": "s", "database_name": "d",
                "collection_name": "c", "user_id_field": "who"})";
        Service service(std::move(options));
        const SignedInUser user = service.anonymous();
        const auto document =
            ejson_to_bson(
                R"({"database": "d", "collection": "c", "document": {"_id": 1, "who": ")" +
                user.id + R"(", "color": "red"}})")
                .value();
        const auto arguments = mql::BsonDocument::validate(document).value();
        ASSERT_TRUE(service.data_sources().documents().call(
            {*service.app(), documents::system_caller(), "s", "insertOne", arguments}));
        const std::string text = service.call(Method::post, path, user.access).text;
        EXPECT_EQ(text.find("red") != std::string::npos, fetches) << text;
    }
}

TEST(Endpoints, calls_are_in_the_apps_log_without_what_was_sent) {
    Service service(
        app_with("[" + endpoint("POST", "system") + "]", "exports = () => { throw 'no'; };"));
    EXPECT_EQ(service.call(Method::post, path, "hidden", "hidden").status, 400);
    const AppLogPage page = service.app_log().find(service.app()->id, {}).value();
    ASSERT_EQ(page.entries.size(), 1u);
    EXPECT_EQ(string_or(page.entries[0].get_object(), "type"), "ENDPOINT");
    EXPECT_EQ(boost::json::serialize(page.entries).find("hidden"), std::string::npos);
}

} // namespace
} // namespace tombolo::server
