// The lines of client-http-api.md section 12 that need no socket and no functions, by number.
// Lines of sessions and tokens are in session_test.cpp, of browsers in browser_test.cpp.

#include <gtest/gtest.h>

#include "server/auth/user_data.hpp"
#include "server/support/service.hpp"

namespace tombolo::server {
namespace {

constexpr const char* userpass = "auth/providers/local-userpass/";

std::string credentials(const std::string& address, const std::string& password) {
    return R"({"username": ")" + address + R"(", "password": ")" + password + "\"}";
}
std::string registration(const std::string& address, const std::string& password) {
    return R"({"email": ")" + address + R"(", "password": ")" + password + "\"}";
}

TEST(Checklist_01, location_names_four_strings_without_trailing_slashes) {
    Service service;
    const Answer answer = service.get("location");
    for (const char* key : {"hostname", "ws_hostname", "deployment_model", "location"}) {
        EXPECT_FALSE(answer[key].empty()) << key;
        EXPECT_FALSE(answer[key].ends_with('/')) << key;
    }
}

TEST(Checklist_02, unknown_app_is_named_in_single_quotes) {
    Service service;
    service.app_id = "nowhere-aaaaa";
    for (const Answer& answer : {service.get("location"), service.log_in("anon-user", "")}) {
        EXPECT_EQ(answer.status, 404);
        EXPECT_EQ(answer["error"], "cannot find app using Client App ID 'nowhere-aaaaa'");
        EXPECT_EQ(answer.headers.find("content-type"), "application/json");
    }
}

TEST(Checklist_04, two_anonymous_logins_with_empty_bodies_give_two_users) {
    Service service;
    EXPECT_NE(service.anonymous().id, service.anonymous().id);
}

TEST(Checklist_05, login_gives_four_strings_and_tokens_with_integer_times) {
    Service service;
    const Answer login = service.log_in("anon-user", "{}");
    ASSERT_EQ(login.body.as_object().size(), 4U);
    for (const auto& [key, value] : login.body.as_object()) {
        EXPECT_TRUE(value.is_string()) << key;
    }
    for (const char* token : {"access_token", "refresh_token"}) {
        const boost::json::object claims = jwt_claims(login[token]);
        EXPECT_TRUE(claims.at("exp").is_int64());
        EXPECT_TRUE(claims.at("iat").is_int64());
    }
    const boost::json::object access = jwt_claims(login["access_token"]);
    EXPECT_EQ(access.at("exp").as_int64() - access.at("iat").as_int64(), 1800);
}

TEST(Checklist_06, login_with_a_device_gives_a_device_id) {
    Service service;
    const SignedInUser user =
        Service::signed_in(service.log_in("anon-user", R"({"options": {"device": {}}})"));
    EXPECT_NE(user.device, "000000000000000000000000");
    EXPECT_EQ(jwt_claims(user.access).at("baas_device_id").as_string(), user.device);
    EXPECT_EQ(jwt_claims(user.refresh).at("baas_device_id").as_string(), user.device);
    EXPECT_EQ(service.anonymous().device, "000000000000000000000000");
}

TEST(Checklist_07, a_known_device_id_is_kept_and_a_strange_one_is_not) {
    Service service;
    const auto login = [&](const std::string& device) {
        return Service::signed_in(
                   service.log_in("anon-user",
                                  R"({"options": {"device": {"deviceId": )" + device + "}}}"))
            .device;
    };
    const std::string strange = "0123456789abcdef01234567";
    const std::string first = login(R"({"$oid": ")" + strange + "\"}");
    EXPECT_NE(first, strange);
    EXPECT_EQ(login(R"({"$oid": ")" + first + "\"}"), first);
    EXPECT_EQ(login("\"" + first + "\""), first);
    EXPECT_NE(login("17"), first);
}

TEST(Checklist_08, tokens_name_user_and_session) {
    Service service;
    const SignedInUser user = service.anonymous();
    EXPECT_EQ(jwt_claims(user.access).at("sub").as_string(), user.id);
    EXPECT_EQ(jwt_claims(user.access).at("iss"), jwt_claims(user.refresh).at("baas_id"));
}

TEST(Checklist_09, user_data_is_absent_without_a_document_and_an_object_with_one) {
    AppTree tree = demo_app();
    tree["auth/custom_user_data.json"] =
        R"({"enabled": true, "mongo_service_name": "mongodb-atlas", "database_name": "app",
            "collection_name": "people", "user_id_field": "owner"})";
    tree["data_sources/mongodb-atlas/config.json"] =
        R"({"name": "mongodb-atlas", "type": "mongodb-atlas", "config": {}})";
    ServiceOptions options;
    options.apps = {tree};
    Service service(options);
    ASSERT_TRUE(auth::prepare_custom_user_data(service.context().store, *service.app()));
    const SignedInUser user = service.anonymous();
    EXPECT_FALSE(jwt_claims(user.access).contains("user_data"));

    const auto people = service.context().store.find_collection({"mongodb-atlas", "app", "people"});
    ASSERT_TRUE(people);
    for (const char* colour : {"red", "blue"}) { // the first inserted wins
        mql::BsonWriter writer;
        writer.append_string("_id", colour);
        writer.append_string("owner", user.id);
        writer.append_string("colour", colour);
        store::Transaction transaction;
        transaction.insert(*people, std::move(writer).finish());
        ASSERT_TRUE(service.context().store.commit(std::move(transaction)));
    }
    const Answer renewed = service.post("/auth/session", "", user.refresh);
    const boost::json::object claims = jwt_claims(renewed["access_token"]);
    EXPECT_EQ(claims.at("user_data").as_object().at("colour").as_string(), "red");
}

TEST(Checklist_10, profile_has_its_five_members) {
    Service service;
    const Answer profile = service.get("/auth/profile", service.user("a@example.com").access);
    EXPECT_EQ(profile["type"], "normal");
    EXPECT_EQ(profile["user_id"].size(), 24U);
    EXPECT_EQ(profile["domain_id"].size(), 24U);
    EXPECT_EQ(profile.body.at("data"), (boost::json::object{{"email", "a@example.com"}}));
    EXPECT_EQ(profile.body.at("identities").as_array().size(), 1U);
}

TEST(Checklist_11, wrong_password_unknown_and_deleted_user_answer_identically) {
    Service service;
    static_cast<void>(service.user("known@example.com"));
    const SignedInUser gone = service.user("gone@example.com");
    ASSERT_EQ(service.call(http::Method::delete_, "/auth/delete", gone.access).status, 204);
    const Answer wrong =
        service.log_in("local-userpass", credentials("known@example.com", "not the horse"));
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(wrong["error"], "unauthorized");
    EXPECT_EQ(wrong["error_code"], "InvalidPassword");
    for (const char* address : {"gone@example.com", "never@example.com", "", "a b", "x\\u0000y"}) {
        const Answer other = service.log_in("local-userpass", credentials(address, "secret horse"));
        EXPECT_EQ(other.status, wrong.status) << address;
        EXPECT_EQ(other.text, wrong.text) << address;
    }
}

TEST(Checklist_16, duplicate_registration_says_so_with_a_link) {
    Service service;
    static_cast<void>(service.user("a@example.com"));
    const Answer again = service.post(std::string(userpass) + "register",
                                      registration("a@example.com", "another password"));
    EXPECT_EQ(again.status, 409);
    EXPECT_EQ(again["error"], "name already in use");
    EXPECT_EQ(again["error_code"], "AccountNameInUse");
    EXPECT_NE(again["link"].find("http://127.0.0.1:9090"), std::string::npos);
}

TEST(Checklist_17, refused_confirmation_leaves_no_account) {
    AppTree tree = confirming_app();
    tree["auth/providers.json"] =
        R"({"local-userpass": {"type": "local-userpass", "config":
            {"runConfirmationFunction": true, "confirmationFunctionName": "confirm"}}})";
    ServiceOptions options;
    options.apps = {tree};
    Service service(options);
    for (int attempt = 0; attempt < 2; ++attempt) {
        const Answer answer = service.post(std::string(userpass) + "register",
                                           registration("a@example.com", "secret horse"));
        EXPECT_EQ(answer.status, 400);
        EXPECT_EQ(answer["error"], "failed to confirm user \"a@example.com\"");
        EXPECT_EQ(answer["error_code"], "BadRequest");
    }
}

TEST(Checklist_18, short_and_long_passwords_create_nothing) {
    Service service;
    for (const std::string& password : {std::string("12345"), std::string(129, 'x')}) {
        const Answer answer = service.post(std::string(userpass) + "register",
                                           registration("a@example.com", password));
        EXPECT_EQ(answer.status, 400);
        EXPECT_EQ(answer["error"], "password must be between 6 and 128 characters");
    }
    EXPECT_EQ(
        service.post(std::string(userpass) + "register", registration("a@example.com", "123456"))
            .status,
        201);
}

TEST(Checklist_19, malformed_confirmation_token_is_invalid_token_data) {
    Service service;
    const Answer answer = service.post(std::string(userpass) + "confirm",
                                       R"({"token": "e30=", "tokenId": "some-token-id"})");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer["error"], "invalid token data");
}

TEST(Checklist_20, confirmation_of_the_confirmed) {
    Service service;
    static_cast<void>(service.user("a@example.com"));
    const Answer send =
        service.post(std::string(userpass) + "confirm/send", R"({"email": "a@example.com"})");
    EXPECT_EQ(send["error"], "already confirmed");
    EXPECT_EQ(send["error_code"], "UserAlreadyConfirmed");
    const Answer call =
        service.post(std::string(userpass) + "confirm/call", R"({"email": "a@example.com"})");
    EXPECT_EQ(call["error"],
              "cannot run confirmation for a@example.com: automatic confirmation is enabled");
}

TEST(Checklist_21, reset_by_function_and_for_unknown_users) {
    AppTree tree = demo_app();
    tree["auth/providers.json"] =
        R"({"local-userpass": {"type": "local-userpass", "config":
            {"autoConfirm": true, "runResetFunction": true, "resetFunctionName": "reset"}}})";
    ServiceOptions options;
    options.apps = {tree};
    Service service(options);
    EXPECT_EQ(service.post(std::string(userpass) + "reset/send", R"({"email": "a@b.c"})")["error"],
              "please use reset password via function");
    const Answer unknown = service.post(std::string(userpass) + "reset/call",
                                        R"({"email": "a@b.c", "password": "123456",
                                            "arguments": []})");
    EXPECT_EQ(unknown.status, 404);
    EXPECT_EQ(unknown["error"], "user not found");
    EXPECT_EQ(unknown["error_code"], "UserNotFound");
}

TEST(Checklist_21, a_strict_server_hides_unknown_users) {
    ServiceOptions options;
    options.hide_unknown_users = true;
    Service service(options);
    static_cast<void>(service.user("a@b.c"));
    const auto reset = [&](const std::string& address) {
        return service
            .post(std::string(userpass) + "reset/call",
                  R"({"email": ")" + address + R"(", "password": "123456", "arguments": []})")
            .status;
    };
    EXPECT_EQ(reset("a@b.c"), reset("x@y.z"));
}

TEST(Checklist_22, only_creation_shows_the_key) {
    Service service;
    const SignedInUser user = service.user("a@example.com");
    const Answer created = service.post("/auth/api_keys", R"({"name": "one"})", user.refresh);
    EXPECT_EQ(created.status, 201);
    ASSERT_EQ(created.body.as_object().size(), 4U);
    EXPECT_EQ(created["key"].size(), 64U);
    EXPECT_EQ(created["_id"].size(), 24U);
    const boost::json::object shown{{"_id", created["_id"]}, {"name", "one"}, {"disabled", false}};
    EXPECT_EQ(service.get("/auth/api_keys", user.refresh).body, (boost::json::array{shown}));
    EXPECT_EQ(service.get("/auth/api_keys/" + created["_id"], user.refresh).body, shown);
}

TEST(Checklist_23, keys_of_another_user_are_not_there) {
    Service service;
    const SignedInUser owner = service.user("a@example.com");
    const SignedInUser other = service.user("b@example.com");
    const std::string path = "/auth/api_keys/" + service.post("/auth/api_keys", R"({"name": "k"})",
                                                              owner.refresh)["_id"];
    using http::Method;
    for (const auto& [method, suffix] :
         {std::pair{Method::get, ""}, std::pair{Method::delete_, ""},
          std::pair{Method::put, "/enable"}, std::pair{Method::put, "/disable"}}) {
        const Answer answer = service.call(method, path + suffix, other.refresh);
        EXPECT_EQ(answer.status, 404);
        EXPECT_EQ(answer["error"], "API key not found");
        EXPECT_EQ(answer["error_code"], "APIKeyNotFound");
    }
    EXPECT_EQ(service.get(path, owner.refresh).status, 200);
}

TEST(Checklist_24, disabled_keys_sign_nobody_in_and_no_session_deletes_its_own) {
    Service service;
    const SignedInUser user = service.user("a@example.com");
    const Answer created = service.post("/auth/api_keys", R"({"name": "k"})", user.refresh);
    const std::string path = "/auth/api_keys/" + created["_id"];
    const std::string login = R"({"key": ")" + created["key"] + "\"}";
    const SignedInUser by_key = Service::signed_in(service.log_in("api-key", login));
    EXPECT_EQ(by_key.id, user.id);
    EXPECT_EQ(service.call(http::Method::delete_, path, by_key.refresh).status, 403);
    EXPECT_EQ(service.call(http::Method::put, path + "/disable", user.refresh).status, 204);
    const Answer refused = service.log_in("api-key", login);
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused["error"], "invalid API key");
    EXPECT_EQ(service.call(http::Method::put, path + "/enable", user.refresh).status, 204);
    EXPECT_EQ(service.log_in("api-key", login).status, 200);
}

TEST(Checklist_25, linking_appends_and_bad_credentials_are_never_401) {
    Service service;
    static_cast<void>(service.user("a@example.com"));
    const SignedInUser user = service.anonymous();
    const auto link = [&](const std::string& provider, const std::string& body) {
        return service.post("auth/providers/" + provider + "/login?link=true", body, user.access);
    };
    for (const auto& [provider, body] :
         {std::pair<std::string, std::string>{"local-userpass", credentials("a@example.com", "no")},
          {"local-userpass", credentials("never@example.com", "secret horse")},
          {"api-key", R"({"key": "wrong"})"},
          {"custom-token", R"({"token": "wrong"})"},
          {"anon-user", ""}}) {
        EXPECT_EQ(link(provider, body).status, 400) << provider;
    }
    EXPECT_EQ(link("local-userpass", credentials("a@example.com", "secret horse")).status, 409);
    ASSERT_EQ(service
                  .post(std::string(userpass) + "register",
                        registration("new@example.com", "secret horse"))
                  .status,
              201);
    const Answer linked = link("local-userpass", credentials("new@example.com", "secret horse"));
    EXPECT_EQ(linked.status, 200);
    EXPECT_EQ(linked["user_id"], user.id);
    EXPECT_EQ(service.post("/auth/session", "", linked["refresh_token"]).status, 201);
    const Answer profile = service.get("/auth/profile", linked["access_token"]);
    const auto& identities = profile.body.at("identities").as_array();
    ASSERT_EQ(identities.size(), 2U);
    EXPECT_EQ(identities[0].at("provider_type").as_string(), "anon-user");
    EXPECT_EQ(identities[1].at("provider_type").as_string(), "local-userpass");
    EXPECT_EQ(service.user("new@example.com").id, user.id);
}

TEST(Checklist_37, custom_tokens_that_hold_and_that_do_not) {
    Service service;
    const auto login = [&](const std::string& token) {
        return service.log_in("custom-token", R"({"token": ")" + token + "\"}").status;
    };
    const std::string good =
        R"({"aud": "demo-abcde", "exp": 1700000100, "sub": "s", "user_data": {"name": "Ada"}})";
    EXPECT_EQ(login(make_jwt(good, demo_token_key)), 200);
    EXPECT_EQ(login(make_jwt(good, demo_token_key, R"({"alg":"none"})")), 401);
    for (const char* bad :
         {R"({"aud": "other", "exp": 1700000100, "sub": "s", "user_data": {"name": "Ada"}})",
          R"({"aud": "demo-abcde", "exp": 1700000000, "sub": "s", "user_data": {"name": "Ada"}})",
          R"({"aud": "demo-abcde", "exp": 1700000100, "sub": "s", "user_data": {}})"}) {
        EXPECT_EQ(login(make_jwt(bad, demo_token_key)), 401) << bad;
    }
}

TEST(Checklist_39, profile_after_a_custom_token_has_exactly_the_mapped_fields_as_text) {
    Service service;
    const std::string token = make_jwt(
        R"({"aud": "demo-abcde", "exp": 1700000100, "sub": "s", "min_age": 18, "secret": 1,
            "user_data": {"name": "Ada", "other": true}})",
        demo_token_key);
    const SignedInUser user =
        Service::signed_in(service.log_in("custom-token", R"({"token": ")" + token + "\"}"));
    EXPECT_EQ(service.get("/auth/profile", user.access).body.at("data"),
              (boost::json::object{{"name", "Ada"}, {"min_age", "18"}}));
}

TEST(Checklist_41, push_registration_is_stored_per_user_and_names_an_unknown_service) {
    Service service;
    const SignedInUser user = service.anonymous();
    const auto call = [&](http::Method method, const std::string& name, const std::string& body) {
        return service.call(method, "push/providers/" + name + "/registration", user.access, body);
    };
    const Answer unknown = call(http::Method::put, "nothing", R"({"registrationToken": "t"})");
    EXPECT_EQ(unknown.status, 404);
    EXPECT_EQ(unknown["error"], "service not found: 'nothing'");
    EXPECT_EQ(unknown["error_code"], "ServiceNotFound");
    const std::string key =
        auth::Keys(service.app()->id).push("gcm", ObjectId::parse(user.id).value());
    const auto stored = [&] {
        return service.context().store.snapshot()->record(store::Space::meta, key).value();
    };
    EXPECT_EQ(call(http::Method::put, "gcm", R"({"registrationToken": "t-1"})").status, 204);
    EXPECT_EQ(stored(), "t-1");
    EXPECT_EQ(call(http::Method::put, "gcm", "{}").status, 400);
    EXPECT_EQ(call(http::Method::delete_, "gcm", "").status, 204);
    EXPECT_EQ(stored(), std::nullopt);
}

TEST(Checklist_52, unknown_members_the_provider_and_json_type_with_empty_body_are_accepted) {
    Service service;
    http::Headers headers;
    headers.set("Content-Type", "application/json;charset=utf-8");
    EXPECT_EQ(service
                  .call(http::Method::post, "auth/providers/anon-user/login", {},
                        R"({"provider": "anon-user", "something": [1, {"x": null}]})", headers)
                  .status,
              200);
    const SignedInUser user = service.anonymous();
    EXPECT_EQ(service.call(http::Method::post, "/auth/session", user.refresh, "", headers).status,
              201);
    EXPECT_EQ(service.call(http::Method::get, "/auth/profile", user.access, "", headers).status,
              200);
    EXPECT_EQ(service.log_in("anon-user", R"({"provider": "api-key"})").status, 400);
}

} // namespace
} // namespace tombolo::server
