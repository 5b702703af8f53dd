#include "server/app/app_repository.hpp"

#include <fstream>
#include <iterator>

#include "server/store/store_fixture.hpp"

namespace tombolo::server {
namespace {

AppTree notes(const std::string& location = "US-VA") {
    return {{"root_config.json",
             R"({"name": "notes", "app_id": "notes-abcde", "location": ")" + location + "\"}"},
            {"secrets.json", R"({"signing": "a very secret value indeed"})"}};
}

class Deployments : public testing::Test {
  protected:
    void SetUp() override { open(); }

    void open() {
        repository_.reset();
        store_.reset();
        store::EmbeddedOptions options;
        options.directory = (folder_.path() / "store").string();
        store_ = store::open_embedded(options).value();
        repository_ = AppRepository::open(*store_, sealer_).value();
    }

    // In any file of the closed store.
    bool is_on_disk(const std::string& text) {
        repository_.reset();
        store_.reset();
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path() / "store")) {
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string bytes((std::istreambuf_iterator<char>(file)), {});
            if (bytes.find(text) != std::string::npos) {
                return true;
            }
        }
        return false;
    }

    store::TemporaryFolder folder_;
    Sealer sealer_ = Sealer::from_text(std::string(64, '7')).value();
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<AppRepository> repository_;
};

TEST_F(Deployments, first_one_creates_the_app_and_an_equal_tree_changes_nothing) {
    const DeployResult first = repository_->deploy(notes(), "folder", 1000).value();
    EXPECT_TRUE(first.created);
    EXPECT_EQ(first.app->deployment, 1u);
    const DeployResult second = repository_->deploy(notes(), "folder", 2000).value();
    EXPECT_FALSE(second.created);
    EXPECT_FALSE(second.changed);
    EXPECT_EQ(repository_->find("notes-abcde")->id, first.app->id);
}

TEST_F(Deployments, are_listed_compared_and_rolled_back) {
    const ObjectId id = repository_->deploy(notes("US-VA"), "folder", 1000)->app->id;
    repository_->deploy(notes("DE-FF"), "folder", 2000).value();
    EXPECT_EQ(repository_->find(id)->config.location, "DE-FF");

    const auto changes = diff(repository_->tree(id, 1).value(), repository_->tree(id, 2).value());
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes[0].path, "root_config.json");

    repository_->roll_back(id, 1, 3000).value();
    EXPECT_EQ(repository_->find(id)->config.location, "US-VA");
    const auto listed = repository_->deployments(id).value();
    ASSERT_EQ(listed.size(), 3u);
    EXPECT_EQ(listed[0].number, 3u);
    EXPECT_EQ(listed[0].origin, "rollback to 1");
    EXPECT_EQ(listed[2].created_unix_ms, 1000);
    EXPECT_EQ(repository_->roll_back(id, 9, 4000).error().code(), ErrorCode::not_found);
}

TEST_F(Deployments, old_ones_go_and_what_is_needed_stays) {
    const auto tree = [](int n) {
        return AppTree{{"root_config.json", R"({"name": "a"})"},
                       {"values/v.json", R"({"name": "v", "value": )" + std::to_string(n) + "}"}};
    };
    const ObjectId app = repository_->deploy(tree(1), "test", 1).value().app->id;
    const Author author{"someone", "API", 2};
    static_cast<void>(repository_->open_draft(app, author).value());
    static_cast<void>(repository_
                          ->edit(app, author,
                                 [](AppTree& files, const App&) -> Result<void> {
                                     files["values/w.json"] = R"({"name": "w", "value": 0})";
                                     return {};
                                 })
                          .value());
    for (int n = 2; n <= 9; ++n) {
        static_cast<void>(repository_->deploy(tree(n), "test", n).value());
    }
    EXPECT_EQ(repository_->trim_deployments(3).value(), 5U);
    EXPECT_EQ(repository_->trim_deployments(3).value(), 0U);
    std::vector<std::uint64_t> left;
    const auto listed = repository_->deployments(app).value();
    for (const DeploymentInfo& info : listed) {
        left.push_back(info.number);
    }
    EXPECT_EQ(left, (std::vector<std::uint64_t>{9, 8, 7, 1})) << "1: what the draft began from";
    EXPECT_EQ(repository_->tree(app, 7).value(), tree(7));
    EXPECT_FALSE(repository_->tree(app, 5));
    EXPECT_EQ(repository_->redeploy(app, 7, author).value().app->tree->at("values/v.json"),
              tree(7).at("values/v.json"));
    const auto merged = repository_->deploy_draft(app, author, "");
    ASSERT_TRUE(merged) << merged.error().what();
    EXPECT_TRUE(merged->app->tree->contains("values/w.json"));
    EXPECT_EQ(repository_->trim_deployments(1).value(), 5U);
    EXPECT_EQ(*repository_->find(app)->tree,
              repository_->tree(app, merged->app->deployment).value());
}

TEST_F(Deployments, survive_reopening) {
    const ObjectId id = repository_->deploy(notes("DE-FF"), "folder", 1000)->app->id;
    open();
    ASSERT_NE(repository_->find("notes-abcde"), nullptr);
    EXPECT_EQ(repository_->find("notes-abcde")->id, id);
    EXPECT_EQ(repository_->find(id)->config.location, "DE-FF");
    EXPECT_EQ(repository_->secret(id, "signing").value(), "a very secret value indeed");
}

TEST_F(Deployments, refused_tree_leaves_the_active_one_in_place) {
    const ObjectId id = repository_->deploy(notes("DE-FF"), "folder", 1000)->app->id;
    AppTree bad = notes();
    bad["auth/providers.json"] = "[]";
    EXPECT_FALSE(repository_->deploy(bad, "folder", 2000));
    EXPECT_EQ(repository_->find(id)->deployment, 1u);
}

TEST_F(Deployments, without_an_app_id_the_name_finds_the_app_again) {
    const AppTree unnamed = {{"root_config.json", R"({"name": "Field Notes"})"}};
    const DeployResult first = repository_->deploy(unnamed, "folder", 1000).value();
    EXPECT_TRUE(first.app->client_app_id.starts_with("field-notes-"));
    EXPECT_EQ(repository_->deploy(unnamed, "folder", 2000)->app->id, first.app->id);
}

TEST_F(Deployments, secrets_are_in_no_deployment_and_sealed_on_the_disk) {
    const ObjectId id = repository_->deploy(notes(), "folder", 1000)->app->id;
    EXPECT_FALSE(repository_->tree(id, 1)->contains("secrets.json"));
    EXPECT_EQ(repository_->secret(id, "unknown").error().code(), ErrorCode::not_found);
    EXPECT_FALSE(is_on_disk("a very secret value indeed"));
    EXPECT_TRUE(is_on_disk("notes-abcde"));
}

TEST_F(Deployments, an_inline_signing_key_is_sealed_on_the_disk_and_comes_back) {
    const auto with_key = [](const std::string& key) {
        AppTree tree = notes();
        tree["auth/providers.json"] =
            R"({"custom-token": {"name": "custom-token", "type": "custom-token", "disabled": false,
            "config": {"audience": "notes", "signingAlgorithm": "HS256", "signingKey": ")" +
            key + R"("}}})";
        return tree;
    };
    const std::string first = "the-first-inline-key-0123456789abcdef";
    const std::string second = "another-inline-key-0123456789abcdef00";
    const ObjectId id = repository_->deploy(with_key(first), "folder", 1000)->app->id;
    static_cast<void>(repository_->open_draft(id, {"ann"}).value());
    const auto change = [&](AppTree& tree, const App& /*app*/) -> Result<void> {
        tree = with_key(second);
        return {};
    };
    static_cast<void>(repository_->edit(id, {"ann"}, change).value());
    EXPECT_FALSE(is_on_disk(first));
    EXPECT_FALSE(is_on_disk(second));
    open();
    EXPECT_EQ(repository_->find(id)->provider("custom-token")->custom_token.inline_signing_key,
              first);
    EXPECT_EQ(repository_->deploy_draft(id, {"ann"}, "")
                  ->app->provider("custom-token")
                  ->custom_token.inline_signing_key,
              second);
}

TEST_F(Deployments, another_master_key_is_an_error_that_says_so) {
    const ObjectId id = repository_->deploy(notes(), "folder", 1000)->app->id;
    const Sealer other = Sealer::from_text(std::string(64, '8')).value();
    const auto stranger = AppRepository::open(*store_, other).value();
    const Result<std::string> secret = stranger->secret(id, "signing");
    ASSERT_FALSE(secret);
    EXPECT_NE(secret.error().message().find("master key is not the one"), std::string::npos);
}

} // namespace
} // namespace tombolo::server
