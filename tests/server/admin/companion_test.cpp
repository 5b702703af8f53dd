// The routes that stand in for the cloud's project list, asked by a real digest client; and what
// depends on the clock of administrators' sessions.

#include <array>

#include <boost/json/serialize.hpp>
#include <curl/curl.h>
#include <openssl/evp.h>

#include "core/bytes.hpp"
#include "server/admin/admin_client.hpp"
#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/digest.hpp"
#include "server/runtime/json.hpp"
#include "server/support/service.hpp"

namespace tombolo::server {
namespace {

namespace json = boost::json;
using api::admin::DigestGate;

constexpr const char* base = "/api/admin/v3.0";

std::size_t take(char* data, std::size_t /*one*/, std::size_t size, std::string* out) {
    out->append(data, size);
    return size;
}

// GET with HTTP Digest, challenge and all.
AdminAnswer digest_get(const std::string& path, const std::string& name,
                       const std::string& secret) {
    AdminAnswer answer;
    CURL* curl = curl_easy_init();
    const std::string url = "http://127.0.0.1:" + std::to_string(shared_server().port()) + path;
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST);
    curl_easy_setopt(curl, CURLOPT_USERNAME, name.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, secret.c_str());
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.text);
    EXPECT_EQ(curl_easy_perform(curl), CURLE_OK);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    answer.status = static_cast<int>(status);
    if (const auto parsed = parse_json(answer.text)) {
        answer.body = *parsed;
    }
    return answer;
}

AdminAnswer new_key() {
    return shared_server().call("POST", "/api/private/v1.0/keys", shared_server().token(), "{}");
}

std::string key_login(const AdminAnswer& key) {
    return R"({"username": ")" + key["public_key"] + R"(", "apiKey": ")" + key["private_key"] +
           "\"}";
}

TEST(Companion, key_pairs_find_the_project_and_create_an_app_in_it) {
    AdminServer& server = shared_server();
    EXPECT_EQ(server.call("GET", "/api/public/v1.0").status, 200);
    const AdminAnswer key = new_key();
    const AdminAnswer session = server.call(
        "POST", std::string(base) + "/auth/providers/mongodb-cloud/login", {}, key_login(key));
    ASSERT_EQ(session.status, 200);
    const std::string token = session["access_token"];

    const AdminAnswer projects =
        digest_get("/api/public/v1.0/groups", key["public_key"], key["private_key"]);
    ASSERT_EQ(projects.status, 200) << projects.text;
    EXPECT_EQ(projects.object().at("totalCount").as_int64(), 1);
    const json::array& results = projects.object().at("results").as_array();
    ASSERT_EQ(results.size(), 1U);
    const std::string project = string_or(results[0].as_object(), "id");
    EXPECT_EQ(project, server.group());

    const std::string apps = std::string(base) + "/groups/" + project + "/apps";
    for (const char* product : {"standard", "atlas", "data-api", "device-sync"}) {
        EXPECT_EQ(server.call("GET", apps + "?product=" + product, token).status, 200);
    }
    const std::string atlas = "/api/atlas/v1.0/groups/" + project;
    const AdminAnswer clusters =
        digest_get(atlas + "/clusters?pageNum=1", key["public_key"], key["private_key"]);
    ASSERT_EQ(clusters.status, 200);
    const std::string cluster =
        string_or(clusters.object().at("results").as_array().at(0).as_object(), "name");
    EXPECT_EQ(cluster, "Cluster0");
    const AdminAnswer made = server.call(
        "POST", apps, token,
        R"({"name": "fresh", "data_source": {"name": "mongodb-atlas", "type": "mongodb-atlas",
            "config": {"clusterName": "Mine"}}})");
    ASSERT_EQ(made.status, 201) << made.text;
    const std::string import = apps + "/" + made["_id"] + "/import?strategy=replace-by-name";
    const AdminAnswer exported = server.call("GET", apps + "/" + made["_id"] + "/pull", token);
    ASSERT_EQ(exported.status, 200);
    EXPECT_NE(exported.text.find("Mine"), std::string::npos);
    const AdminAnswer linked =
        digest_get(atlas + "/clusters", key["public_key"], key["private_key"]);
    EXPECT_EQ(linked.object().at("results").as_array().size(), 2U) << linked.text;
    // A push as that command line makes it.
    const std::string app = apps + "/" + made["_id"];
    const std::string body =
        R"({"name": "fresh", "config_version": 20210101, "values": [{"name": "v", "value": 1}]})";
    EXPECT_FALSE(server.call("POST", import + "&diff=true", token, body).array().empty());
    const AdminAnswer draft = server.call("POST", app + "/drafts", token);
    ASSERT_EQ(draft.status, 201) << draft.text;
    EXPECT_EQ(server.call("POST", import, token, body).status, 204);
    const AdminAnswer deployment =
        server.call("POST", app + "/drafts/" + draft["_id"] + "/deployment", token);
    ASSERT_EQ(deployment.status, 201) << deployment.text;
    EXPECT_EQ(server.call("GET", app + "/deployments/" + deployment["_id"], token)["status"],
              "successful");
    EXPECT_TRUE(server.call("POST", import + "&diff=true", token, body).array().empty());
    EXPECT_EQ(server.call("DELETE", apps + "/" + made["_id"], token).status, 204);
    EXPECT_EQ(digest_get(atlas + "/serverless", key["public_key"], key["private_key"])
                  .object()
                  .at("results")
                  .as_array()
                  .size(),
              0U);
    EXPECT_EQ(
        digest_get(atlas + "/dataLakes", key["public_key"], key["private_key"]).array().size(), 0U);
}

TEST(Companion, wrong_keys_and_projects_are_refused_in_the_cloud_s_words) {
    AdminServer& server = shared_server();
    const AdminAnswer key = new_key();
    const std::string groups = "/api/atlas/v1.0/groups";
    const AdminAnswer wrong = digest_get(groups, key["public_key"], "another");
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(wrong.object().at("error").as_int64(), 401);
    EXPECT_FALSE(wrong["detail"].empty());
    EXPECT_EQ(digest_get(groups, "nobodyis", "another").status, 401);
    EXPECT_EQ(server.call("GET", groups, server.token()).status, 401) << "a token is no key";
    EXPECT_EQ(digest_get(groups + "/0123456789abcdef01234567/clusters", key["public_key"],
                         key["private_key"])
                  .status,
              404);
    EXPECT_EQ(
        digest_get(groups + "/" + server.group(), key["public_key"], key["private_key"]).status,
        200);
    EXPECT_EQ(
        server.call("DELETE", "/api/private/v1.0/keys/" + key["public_key"], server.token()).status,
        204);
    EXPECT_EQ(digest_get(groups, key["public_key"], key["private_key"]).status, 401);
}

std::string md5(const std::string& text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), out.data(), &size, EVP_md5(), nullptr);
    return to_hex(std::as_bytes(std::span(out.data(), size)));
}

// What a client sends after a challenge.
std::string signed_header(const std::string& challenge, const std::string& name,
                          const std::string& secret, const std::string& path,
                          const std::string& count = "00000001") {
    const std::size_t from = challenge.find(R"(nonce=")") + 7;
    const std::string nonce = challenge.substr(from, challenge.find('"', from) - from);
    const std::string response = md5(md5(name + ":MMS Public API:" + secret) + ":" + nonce + ":" +
                                     count + ":00ff:auth:" + md5("GET:" + path));
    return "Digest username=\"" + name + R"(", realm="MMS Public API", nonce=")" + nonce +
           R"(", uri=")" + path + R"(", qop=auth, nc=)" + count + R"(, cnonce="00ff", response=")" +
           response + R"(", algorithm=MD5)";
}

http::Request get_request(const std::string& path) {
    http::Request request;
    request.method = http::Method::get;
    request.path = path;
    return request;
}

TEST(DigestGate, a_signed_request_opens_once_and_for_a_minute) {
    const Sealer sealer(Sealer::Key{1});
    DigestGate gate(sealer);
    const std::string kept = api::admin::digest_secret("user", "secret");
    const std::int64_t now = 1'700'000'000'000;
    const std::string challenge = gate.challenge(now, false);
    const auto check = [&](const std::string& header, const std::string& path, std::int64_t at) {
        const auto given = api::admin::parse_digest(header);
        return given ? gate.check(*given, get_request(path), kept, at) : DigestGate::Outcome::wrong;
    };
    const std::string first = signed_header(challenge, "user", "secret", "/a");
    EXPECT_EQ(check(first, "/b", now), DigestGate::Outcome::wrong) << "signed for another path";
    EXPECT_EQ(check(first, "/a", now + 60'001), DigestGate::Outcome::stale);
    EXPECT_EQ(check(first, "/a", now + 1), DigestGate::Outcome::good);
    EXPECT_EQ(check(first, "/a", now + 2), DigestGate::Outcome::stale) << "somebody recorded it";
    EXPECT_EQ(check(signed_header(challenge, "user", "secret", "/a", "00000002"), "/a", now + 3),
              DigestGate::Outcome::good);
    EXPECT_EQ(check(signed_header(challenge, "user", "wrong", "/a", "00000003"), "/a", now + 3),
              DigestGate::Outcome::wrong);
    const Sealer other(Sealer::Key{2});
    EXPECT_EQ(check(signed_header(DigestGate(other).challenge(now, false), "user", "secret", "/a"),
                    "/a", now),
              DigestGate::Outcome::wrong)
        << "a nonce of another server";
}

TEST(DigestGate, headers_that_are_no_digest_are_nothing) {
    using api::admin::parse_digest;
    for (const std::string& bad :
         {std::string(), std::string("Digest"), std::string("Bearer x"),
          std::string("Digest username"), std::string(R"(Digest username="x)"),
          std::string(R"(Digest username="x", username="y")"),
          "Digest username=\"" + std::string(5000, 'x') + '"'}) {
        EXPECT_FALSE(parse_digest(bad)) << bad;
    }
    const auto good = parse_digest(R"(digest USERNAME = "a\"b" ,, qop=auth,unknown="x")");
    ASSERT_TRUE(good);
    EXPECT_EQ(good->username, "a\"b");
    EXPECT_EQ(good->qop, "auth");
}

// The Admin API on a clock of the test's own.
class AdminOnAClock : public ::testing::Test {
  protected:
    AdminOnAClock() {
        api::admin::add_admin_routes(service_.dispatcher(), admin_);
        static_cast<void>(admin_.accounts.create("owner", "secret horse", "GROUP_OWNER"));
    }

    Service service_;
    Sealer sealer_{Sealer::Key{7}};
    api::admin::AdminContext admin_{service_.context(), sealer_};
};

TEST_F(AdminOnAClock, A04_an_expired_access_token_says_so_and_the_refresh_token_mends_it) {
    const Answer session = service_.post(std::string(base) + "/auth/providers/local-userpass/login",
                                         R"({"username": "owner", "password": "secret horse"})");
    ASSERT_EQ(session.status, 200) << session.text;
    const std::string profile = std::string(base) + "/auth/profile";
    service_.now_ms += 29 * 60 * 1000;
    EXPECT_EQ(service_.get(profile, session["access_token"]).status, 200);
    service_.now_ms += 2 * 60 * 1000;
    const Answer expired = service_.get(profile, session["access_token"]);
    EXPECT_EQ(expired.status, 401);
    EXPECT_EQ(expired["error_code"], "InvalidSession");
    EXPECT_EQ(expired["error"], "invalid session: access token expired");
    const Answer fresh =
        service_.post(std::string(base) + "/auth/session", "", session["refresh_token"]);
    ASSERT_EQ(fresh.status, 201);
    EXPECT_EQ(service_.get(profile, fresh["access_token"]).status, 200);
    service_.now_ms += std::int64_t{61} * 24 * 3600 * 1000;
    EXPECT_EQ(
        service_.post(std::string(base) + "/auth/session", "", session["refresh_token"]).status,
        401);
}

TEST_F(AdminOnAClock, refresh_tokens_of_new_sign_ins_last_as_long_as_the_app_says) {
    const Answer session = service_.post(std::string(base) + "/auth/providers/local-userpass/login",
                                         R"({"username": "owner", "password": "secret horse"})");
    const std::string path = std::string(base) + "/groups/" + api::admin::group_id().to_string() +
                             "/apps/" + service_.app()->id.to_string() +
                             "/security/refresh_token_expiration";
    const auto set = [&](const std::string& seconds) {
        return service_
            .call(http::Method::put, path, session["access_token"],
                  R"({"expiration_time_seconds": )" + seconds + "}")
            .status;
    };
    EXPECT_EQ(service_.get(path, session["access_token"]).text,
              R"({"expiration_time_seconds":5184000})");
    const SignedInUser before = service_.user("a@example.com");
    for (const char* bad : {"1799", "157680001", "\"long\"", "2000.5"}) {
        EXPECT_EQ(set(bad), 400) << bad;
    }
    EXPECT_EQ(set("1800"), 204);
    EXPECT_EQ(service_.get(path, session["access_token"]).text,
              R"({"expiration_time_seconds":1800})");
    const SignedInUser after = service_.user("b@example.com");
    const SignedInUser anonymous = service_.anonymous();
    const auto refresh = [&](const SignedInUser& user) {
        return service_.post("/auth/session", "", user.refresh).status;
    };
    service_.now_ms += 1'799'000;
    EXPECT_EQ(refresh(after), 201);
    service_.now_ms += 2'000;
    EXPECT_EQ(refresh(after), 401);
    EXPECT_EQ(refresh(before), 201) << "signed in before";
    EXPECT_EQ(refresh(anonymous), 201) << "could not sign in again";
}

TEST_F(AdminOnAClock, key_pairs_from_before_digests_were_kept_sign_once_they_have_signed_in) {
    const api::admin::Admin owner = admin_.accounts.list().at(0);
    const auto key = admin_.accounts.create_key(owner, "old");
    const std::string record = "admin-keys/" + key.public_key;
    store::Store& store = service_.context().store;
    json::object old =
        parse_json_object(*store.snapshot()->record(store::Space::meta, record).value()).value();
    EXPECT_EQ(json::serialize(old).find(api::admin::digest_secret(key.public_key, key.private_key)),
              std::string::npos)
        << "it is sealed";
    old.erase("digest");
    store::Transaction transaction;
    transaction.put_record(store::Space::meta, record, json::serialize(old));
    store.commit(std::move(transaction)).value();

    const std::string groups = "/api/public/v1.0/groups";
    const auto ask = [&] {
        http::Headers headers;
        headers.add("Authorization", signed_header(admin_.accounts.challenge(false), key.public_key,
                                                   key.private_key, groups));
        return service_.call(http::Method::get, groups, {}, {}, headers).status;
    };
    EXPECT_EQ(ask(), 401);
    static_cast<void>(admin_.accounts.log_in_with_key(key.public_key, key.private_key));
    EXPECT_EQ(ask(), 200);
}

} // namespace
} // namespace tombolo::server
