// User functions over the client API, and those that authentication runs.

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "server/runtime/json.hpp"
#include "server/support/service.hpp"

namespace tombolo::server {

namespace {

AppTree app_with(const std::map<std::string, std::string>& sources,
                 const std::string& providers = {}, const std::string& manifest = "[]") {
    AppTree tree = demo_app();
    for (const auto& [name, source] : sources) {
        tree["functions/" + name + ".js"] = source;
    }
    tree["functions/config.json"] = manifest;
    if (!providers.empty()) {
        tree["auth/providers.json"] = providers;
    }
    return tree;
}

ServiceOptions with(AppTree tree) {
    ServiceOptions options;
    options.apps = {std::move(tree)};
    return options;
}

const std::string by_function = R"({
    "anon-user": {"name": "anon-user", "type": "anon-user"},
    "custom-function": {"name": "custom-function", "type": "custom-function",
        "config": {"authFunctionName": "check"}},
    "local-userpass": {"name": "local-userpass", "type": "local-userpass", "config": {
        "runConfirmationFunction": true, "confirmationFunctionName": "confirm",
        "runResetFunction": true, "resetFunctionName": "reset"}}})";

Answer call_function(Service& service, const SignedInUser& user, const std::string& name,
                     const std::string& arguments = "[]") {
    return service.post("functions/call",
                        R"({"name": ")" + name + R"(", "arguments": )" + arguments + "}",
                        user.access);
}

std::string email_body(const std::string& address, const std::string& more = {}) {
    return R"({"email": ")" + address + "\"" + more + "}";
}

const std::string password_member = R"(, "password": "secret horse")";

Answer email_login(Service& service, const std::string& address,
                   const std::string& password = "secret horse") {
    return service.log_in("local-userpass",
                          R"({"username": ")" + address + R"(", "password": ")" + password + "\"}");
}

} // namespace

TEST(FunctionRoutes, a_function_answers_in_canonical_extended_json) {
    Service service(
        with(app_with({{"sum", "exports = (...all) => all.reduce((a, b) => a + b);"}})));
    const Answer answer =
        call_function(service, service.anonymous(), "sum", R"([1, {"$numberLong": "2"}, 3.5])");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.find("content-type"), "application/json");
    EXPECT_EQ(answer.text, R"({"$numberDouble":"6.5"})");
}

TEST(FunctionRoutes, the_user_is_the_caller_with_custom_data) {
    Service service(
        with(app_with({{"me", "exports = () => [context.user.id, context.user.type, "
                              "context.request.remoteIPAddress, "
                              "context.request.requestHeaders.Authorization ?? 0];"}})));
    const SignedInUser user = service.anonymous();
    EXPECT_EQ(call_function(service, user, "me").text,
              "[\"" + user.id + R"(","normal","192.0.2.1",{"$numberLong":"0"}])");
}

TEST(FunctionRoutes, errors_have_the_apis_form) {
    Service service(with(app_with({{"throws", "exports = () => { throw new Error('no good'); };"},
                                   {"hidden", "exports = () => 1;"},
                                   {"broken", "exports = ("},
                                   {"guarded", "exports = () => 1;"}},
                                  {},
                                  R"([{"name": "hidden", "private": true},
                                      {"name": "guarded", "can_evaluate": {"x": 1}}])")));
    const SignedInUser user = service.anonymous();
    const auto expect = [&](const Answer& answer, int status, const std::string& code,
                            const std::string& text) {
        EXPECT_EQ(answer.status, status) << answer.text;
        EXPECT_EQ(answer["error_code"], code);
        EXPECT_EQ(answer["error"].substr(0, text.size()), text);
    };
    expect(call_function(service, user, "throws"), 400, "FunctionExecutionError", "no good");
    expect(call_function(service, user, "nothing"), 404, "FunctionNotFound",
           "function not found: 'nothing'");
    expect(call_function(service, user, "hidden"), 404, "FunctionNotFound",
           "function not found: 'hidden'");
    expect(call_function(service, user, "broken"), 400, "FunctionSyntaxError", "");
    expect(call_function(service, user, "guarded"), 403, "NoMatchingRuleFound", "");
    expect(call_function(service, user, "throws", "{}"), 400, "InvalidParameter", "'arguments'");
    expect(service.post("functions/call", "{}", user.access), 400, "MissingParameter", "'name'");
    expect(service.post("functions/call", "[", user.access), 400, "BadRequest", "");
    expect(service.post("functions/call", R"({"name": "f", "service": "x"})", user.access), 404,
           "ServiceNotFound", "service not found: 'x'");
    expect(service.post("functions/call", R"({"name": "throws"})"), 401, "MissingAuthReq", "");
}

TEST(FunctionRoutes, without_node_calls_say_so_and_everything_else_works) {
    ServiceOptions options = with(app_with({{"f", "exports = () => 1;"}}));
    options.node = "no-such-node";
    Service service(std::move(options));
    const Answer answer = call_function(service, service.anonymous(), "f");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer["error_code"], "FunctionsUnavailable");
    EXPECT_NE(answer["error"].find("install Node.js"), std::string::npos);
}

TEST(FunctionRoutes, calls_are_in_the_apps_log) {
    Service service(with(app_with({{"f", "exports = () => { console.log('hello'); throw "
                                         "new TypeError('bad'); };"},
                                   {"quiet", "exports = () => 1;"}},
                                  {}, R"([{"name": "quiet", "disable_arg_logs": true}])")));
    const SignedInUser user = service.anonymous();
    static_cast<void>(call_function(service, user, "f", "[7]"));
    static_cast<void>(call_function(service, user, "quiet", "[8]"));
    AppLogQuery query;
    query.types = {"FUNCTION"};
    const AppLogPage page = service.app_log().find(service.app()->id, query).value();
    ASSERT_EQ(page.entries.size(), 2U);
    const auto entry = [&](std::string_view name) {
        for (const boost::json::value& one : page.entries) {
            if (string_or(one.get_object(), "function_name") == name) {
                return one.get_object();
            }
        }
        return boost::json::object();
    };
    const boost::json::object failed = entry("f");
    EXPECT_EQ(string_or(failed, "error"), "TypeError: bad");
    EXPECT_EQ(string_or(failed, "user_id"), user.id);
    EXPECT_EQ(failed.at("messages").as_array().at(0).as_string(), "hello");
    EXPECT_EQ(failed.at("function_call").at("arguments").as_array().size(), 1U);
    EXPECT_EQ(string_or(entry("quiet"), "error"), "");
    EXPECT_FALSE(entry("quiet").at("function_call").as_object().contains("arguments"));
}

TEST(CustomFunctionProvider, the_function_says_who_the_user_is) {
    Service service(with(app_with(
        {{"check", "exports = async (payload) => { if (payload.options) throw new Error('has "
                   "options'); if (!payload.id) throw new Error('who?'); return payload.name ? "
                   "{id: payload.id, name: payload.name} : payload.id; };"}},
        by_function)));
    const auto log_in = [&](const std::string& body) {
        return service.log_in("custom-function", body);
    };
    const SignedInUser first = Service::signed_in(
        log_in(R"({"id": "ext-1", "provider": "mine", "options": {"device": {}}})"));
    const SignedInUser again =
        Service::signed_in(log_in(R"({"id": "ext-1", "name": "Ann", "when": {"$oid":
            "0123456789abcdef01234567"}})"));
    EXPECT_EQ(first.id, again.id);
    EXPECT_NE(Service::signed_in(log_in(R"({"id": "ext-2"})")).id, first.id);
    const Answer profile = service.get("/auth/profile", again.access);
    const auto& identity = profile.body.at("identities").as_array().at(0).as_object();
    EXPECT_EQ(string_or(identity, "id"), "ext-1");
    EXPECT_EQ(string_or(identity, "provider_type"), "custom-function");
    EXPECT_EQ(string_or(profile.body.at("data").as_object(), "name"), "Ann");
    const Answer refused = log_in("");
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused["error"], "who?");
    EXPECT_EQ(refused["error_code"], "AuthError");
    EXPECT_EQ(log_in(R"({"id": 7})").status, 401);
    EXPECT_EQ(log_in("[").status, 400);
}

TEST(ConfirmationFunction, decides_about_new_users) {
    Service service(with(app_with(
        {{"confirm", "exports = ({token, tokenId, username}) => { if (username.startsWith('throw'))"
                     " throw new Error('x'); if (token.length !== 64 || tokenId.length !== 24) "
                     "return {status: 'fail'}; return {status: username.split('@')[0]}; };"}},
        by_function)));
    const auto register_user = [&](const std::string& address) {
        return service.post("auth/providers/local-userpass/register",
                            email_body(address, password_member));
    };
    EXPECT_EQ(register_user("success@example.com").status, 201);
    EXPECT_EQ(email_login(service, "success@example.com").status, 200);
    EXPECT_EQ(register_user("pending@example.com").status, 201);
    EXPECT_EQ(email_login(service, "pending@example.com")["error"], "confirmation required");
    for (const char* address : {"fail@example.com", "throw@example.com", "other@example.com"}) {
        for (int time = 0; time < 2; ++time) { // the address is free again
            const Answer refused = register_user(address);
            EXPECT_EQ(refused.status, 400);
            EXPECT_EQ(refused["error_code"], "BadRequest");
            EXPECT_EQ(refused["error"], "failed to confirm user \"" + std::string(address) + "\"");
        }
    }
    EXPECT_EQ(register_user("success@example.com").status, 409);
    const auto again = [&](const std::string& address) {
        return service.post("auth/providers/local-userpass/confirm/call", email_body(address));
    };
    EXPECT_EQ(again("pending@example.com").status, 202);
    EXPECT_EQ(again("success@example.com")["error"], "already confirmed");
    EXPECT_EQ(again("nobody@example.com")["error"], "user not found");
}

TEST(ConfirmationFunction, a_pending_user_confirms_with_the_token_that_the_function_got) {
    Service service(with(app_with(
        {{"confirm", "exports = (what) => { console.log(JSON.stringify(what)); return {status: "
                     "'pending'}; };"}},
        by_function)));
    EXPECT_EQ(service
                  .post("auth/providers/local-userpass/register",
                        email_body("a@example.com", password_member))
                  .status,
              201);
    const AppLogPage page = service.app_log().find(service.app()->id, {}).value();
    const boost::json::string& logged =
        page.entries.at(0).at("messages").as_array().at(0).as_string();
    EXPECT_EQ(service
                  .post("auth/providers/local-userpass/confirm",
                        std::string(logged.data(), logged.size()))
                  .status,
              200);
    EXPECT_EQ(email_login(service, "a@example.com").status, 200);
}

TEST(ResetFunction, decides_about_new_passwords) {
    Service service(with(app_with(
        {{"confirm", "exports = () => ({status: 'success'});"},
         {"reset", "exports = ({username, password, currentPasswordValid}, ...more) => ({status: "
                   "more.length === 0 ? 'fail' : more[0] === 'same' ? (currentPasswordValid ? "
                   "'success' : 'fail') : more[0]});"}},
        by_function)));
    const std::string address = "a@example.com";
    const SignedInUser user = service.user(address);
    const auto reset = [&](const std::string& password, const std::string& arguments) {
        return service.post("auth/providers/local-userpass/reset/call",
                            email_body(address, R"(, "password": ")" + password +
                                                    R"(", "arguments": )" + arguments));
    };
    EXPECT_EQ(reset("another horse", "[]")["error"],
              "failed to reset password for user \"a@example.com\"");
    EXPECT_EQ(reset("another horse", R"(["same"])").status, 400);
    EXPECT_EQ(reset("secret horse", R"(["same"])").status, 202);
    EXPECT_EQ(reset("another horse", R"(["pending"])").status, 202);
    EXPECT_EQ(email_login(service, address, "another horse").status, 401);
    EXPECT_EQ(
        reset("another horse", R"([ "success" , {"$oid": "0123456789abcdef01234567"} ])").status,
        202);
    EXPECT_EQ(email_login(service, address, "another horse").status, 200);
    EXPECT_EQ(email_login(service, address).status, 401);
    EXPECT_EQ(service.post("/auth/session", "", user.refresh).status, 401) << "signed out";
    EXPECT_EQ(reset("another horse", "{}").status, 400);
    const AppLogPage page = service.app_log().find(service.app()->id, {}).value();
    EXPECT_FALSE(page.entries.empty());
    EXPECT_EQ(boost::json::serialize(page.entries).find("horse"), std::string::npos)
        << "passwords are not logged";
    EXPECT_EQ(
        service.post("auth/providers/local-userpass/reset/send", email_body(address))["error"],
        "please use reset password via function");
}

TEST(UserCreationFunction, runs_once_before_the_first_token) {
    AppTree tree = app_with({{"created", "exports = (user) => { if (user.type !== 'normal' || "
                                         "!context.runningAsSystem()) throw new Error('x'); "
                                         "console.log(user.id); };"}});
    tree["auth/custom_user_data.json"] = R"({"enabled": true, "mongo_service_name": "mongodb-atlas",
        "database_name": "d", "collection_name": "c", "user_id_field": "user",
        "on_user_creation_function_name": "created"})";
    Service service(with(tree));
    const SignedInUser user = service.user("a@example.com");
    static_cast<void>(service.user("a@example.com"));
    const AppLogPage page = service.app_log().find(service.app()->id, {}).value();
    ASSERT_EQ(page.entries.size(), 1U);
    EXPECT_EQ(page.entries.at(0).at("messages").as_array().at(0).as_string(), user.id);
}

TEST(UserCreationFunction, when_it_fails_there_is_no_user) {
    AppTree tree = app_with({{"created", "exports = () => { throw new Error('not today'); };"}});
    tree["auth/custom_user_data.json"] = R"({"enabled": true, "mongo_service_name": "mongodb-atlas",
        "database_name": "d", "collection_name": "c", "user_id_field": "user",
        "on_user_creation_function_name": "created"})";
    Service service(with(tree));
    for (int time = 0; time < 2; ++time) {
        const Answer answer = service.log_in("anon-user", "");
        EXPECT_EQ(answer.status, 400);
        EXPECT_EQ(answer["error"], "not today");
    }
}

} // namespace tombolo::server
