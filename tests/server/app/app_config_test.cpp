#include "server/app/app_config.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace tombolo::server {
namespace {

AppTree minimal() {
    return {{"root_config.json", R"({"name": "notes", "app_id": "notes-abcde"})"}};
}

bool any_contains(const std::vector<std::string>& lines, const std::string& text) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return line.find(text) != std::string::npos;
    });
}

TEST(AppConfig, both_current_root_files_are_read) {
    EXPECT_EQ(parse_app(minimal())->config.client_app_id, "notes-abcde");
    const AppTree older = {{"realm_config.json", R"({"name": "notes", "app_id": "notes-abcde"})"}};
    EXPECT_EQ(parse_app(older)->config.name, "notes");
    const AppTree newest = {{"root_config.json", R"({"name": "notes"})"},
                            {".mdb/meta.json", R"({"client_app_id": "notes-zzzzz"})"}};
    EXPECT_EQ(parse_app(newest)->config.client_app_id, "notes-zzzzz");
}

TEST(AppConfig, folder_without_a_root_file_is_not_an_app) {
    const auto parsed = parse_app({{"README.md", "x"}});
    ASSERT_FALSE(parsed);
    EXPECT_NE(parsed.error().message().find("not an app directory"), std::string::npos);
}

TEST(AppConfig, all_problems_are_reported_together_with_file_and_key) {
    AppTree tree = minimal();
    tree["auth/providers.json"] = R"({"local-userpass": {"config": {"autoConfirm": "yes"}},
        "custom-token": {"config": {"signingAlgorithm": "none"}}, "anon-user": 7})";
    tree["auth/custom_user_data.json"] = R"({"enabled": true})";
    tree["secrets.json"] = "{ not json";
    const auto parsed = parse_app(tree);
    ASSERT_FALSE(parsed);
    const std::string text = parsed.error().message();
    for (const char* part :
         {"auth/providers.json 'local-userpass': 'autoConfirm' must be true or false",
          "'signingAlgorithm' must be HS256, RS256 or ES256", "'anon-user' must be an object",
          "auth/custom_user_data.json: enabled custom user data needs", "secrets.json: "}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\nin: " << text;
    }
}

TEST(AppConfig, what_is_kept_but_not_run_and_unknown_keys_are_warnings) {
    AppTree tree = minimal();
    tree["root_config.json"] = R"({"name": "notes", "surprise": 1})";
    tree["triggers/nightly.json"] = R"({"name": "nightly"})";
    tree["auth/providers.json"] = R"({"carrier-pigeon": {}})";
    const auto parsed = parse_app(tree);
    ASSERT_TRUE(parsed);
    EXPECT_TRUE(any_contains(parsed->warnings, "unknown key 'surprise'"));
    EXPECT_TRUE(any_contains(parsed->warnings, "triggers are kept but not run"));
    EXPECT_TRUE(any_contains(parsed->warnings, "no such authentication provider"));
}

TEST(AppConfig, api_key_provider_is_there_and_disabled_unless_configured) {
    EXPECT_TRUE(parse_app(minimal())->config.providers.at("api-key").disabled);
    AppTree tree = minimal();
    tree["auth/providers.json"] = R"({"api-key": {"disabled": false}})";
    EXPECT_FALSE(parse_app(tree)->config.providers.at("api-key").disabled);
}

TEST(AppConfig, metadata_paths_keep_escaped_dots) {
    AppTree tree = minimal();
    tree["auth/providers.json"] = R"({"custom-token": {"config": {"signingAlgorithm": "HS256"},
        "secret_config": {"signingKeys": ["k"]},
        "metadata_fields": [{}, {"required": true, "name": "user\\.data.full"}]}})";
    const auto parsed = parse_app(tree);
    ASSERT_TRUE(parsed) << parsed.error().what();
    const auto& fields = parsed->config.providers.at("custom-token").metadata_fields;
    ASSERT_EQ(fields.size(), 1u);
    EXPECT_EQ(fields[0].path, (std::vector<std::string>{"user.data", "full"}));
    EXPECT_EQ(fields[0].field_name, "full");
}

TEST(AppConfig, the_mask_of_a_signing_key_is_no_key) {
    AppTree tree = minimal();
    tree["auth/providers.json"] =
        R"({"custom-token": {"config": {"signingAlgorithm": "HS256", "signingKey": "****"}}})";
    const auto parsed = parse_app(tree);
    ASSERT_FALSE(parsed);
    EXPECT_NE(parsed.error().message().find("'signingKey' is masked"), std::string::npos);
}

TEST(AppConfig, key_sets_force_a_public_key_algorithm) {
    AppTree tree = minimal();
    tree["auth/providers.json"] = R"({"custom-token": {"config": {"signingAlgorithm": "HS256",
        "useJWKURI": true, "jwkURI": "https://issuer.example/keys"}}})";
    EXPECT_EQ(parse_app(tree)->config.providers.at("custom-token").custom_token.signing_algorithm,
              "RS256");
}

TEST(AppConfig, both_forms_of_secrets_are_read) {
    AppTree tree = minimal();
    tree["secrets.json"] =
        R"({"plain": "a", "auth_providers": {"custom-token": {"signingKey": "b"}}})";
    const auto parsed = parse_app(tree);
    EXPECT_EQ(parsed->secrets.at("plain"), "a");
    EXPECT_EQ(parsed->secrets.at("__custom-token_signingKey"), "b");
}

TEST(AppTree, diff_names_what_was_added_removed_and_changed) {
    const AppTree before = {{"a.json", "{\n  \"x\": 1,\n  \"y\": 2\n}\n"}, {"gone.json", "{}\n"}};
    const AppTree after = {{"a.json", "{\n  \"x\": 1,\n  \"y\": 3\n}\n"}, {"new.json", "{}\n"}};
    const std::vector<FileChange> changes = diff(before, after);
    ASSERT_EQ(changes.size(), 3u);
    EXPECT_EQ(changes[0].path, "a.json");
    EXPECT_EQ(changes[0].lines,
              (std::vector<std::string>{" {", "   \"x\": 1,", "-  \"y\": 2", "+  \"y\": 3", " }"}));
    EXPECT_EQ(changes[1].kind, FileChange::Kind::removed);
    EXPECT_EQ(changes[2].kind, FileChange::Kind::added);
    EXPECT_TRUE(diff(after, after).empty());
}

} // namespace
} // namespace tombolo::server
