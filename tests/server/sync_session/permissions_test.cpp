// Permissions over real connections: what a change of rules or of user data does to devices that
// are connected (device-sync-server.md 4.6, sync-protocol.md 5.7).

#include <gtest/gtest.h>

#include "server/sync_session/operator.hpp"
#include "server/sync_session/script.hpp"

namespace tombolo::server {
namespace {

using changeset::Opcode;
using protocol::ErrorAction;
using protocol::SyncErrorCode;

const char* const all_items = R"q({"Item":"(TRUEPREDICATE)"})q";

std::string rule_of(const std::string& roles) {
    return R"({"roles":[)" + roles + R"(],"filters":[]})";
}
std::string role(const std::string& filter, const std::string& when = "{}") {
    static int count = 0; // names are unique in a rule
    return R"({"name":"r)" + std::to_string(++count) + R"(","apply_when":)" + when +
           R"(,"document_filters":{"read":)" + filter + R"(,"write":)" + filter +
           R"(},"read":true,"write":true,"insert":true,"delete":true})";
}

class SyncPermissions : public ::testing::Test {
  protected:
    SyncPermissions()
        : server_([](Config& config) { Operator::configure(config); }),
          admin_(server_.port(), islands_app), writer_(server_.log_in()) {
        for (int id = 1; id <= 6; ++id) {
            insert("Item", R"({"_id":{"$numberLong":")" + std::to_string(id) + R"("},"owner":")" +
                               (id % 2 == 0 ? "ann" : "bob") + "\"}");
        }
    }

    void insert(const std::string& collection, const std::string& document) {
        act(collection, "insertOne", R"("document":)" + document);
    }
    void act(const std::string& collection, const std::string& action,
             const std::string& arguments) {
        ask_collection(server_.port(), islands_app, writer_, collection, action, arguments);
    }
    void deploy(const std::string& roles) {
        admin_.ask("PUT", "services/" + admin_.service() + "/default_rule", rule_of(roles));
    }
    /// The binding ended with 200: comes back as published clients do, on the same connection.
    std::vector<ScriptDownload> come_back(Script& script, const protocol::SaltedFileIdent& file) {
        const protocol::JsonError error = script.expect_error(SyncErrorCode::session_closed);
        EXPECT_EQ(error.body.action, ErrorAction::transient);
        EXPECT_TRUE(error.body.try_again);
        EXPECT_FALSE(error.body.should_client_reset);
        const protocol::SyncProgress progress = script.progress();
        script.unbind();
        script.bind(false);
        script.ident(file, progress, 1, all_items);
        script.mark(9);
        return script.downloads_until_mark(9);
    }

    IslandsServer server_;
    Operator admin_;
    Login writer_;
};

TEST_F(SyncPermissions, d7_new_rules_bring_the_difference_as_a_bootstrap_of_the_same_version) {
    Script script(server_, server_.log_in());
    const protocol::SaltedFileIdent file = script.open_file(all_items);
    deploy(role(R"({"owner":"ann"})"));

    const std::vector<ScriptDownload> answer = come_back(script, file);

    ASSERT_FALSE(answer.empty());
    EXPECT_EQ(answer.front().state, protocol::BatchState::bootstrap_last);
    EXPECT_EQ(answer.front().query_version.value, 1);
    EXPECT_EQ(answer.front().count(Opcode::erase_object, "Item"), 3u);
    EXPECT_EQ(answer.front().count(Opcode::create_object, "Item"), 0u);

    deploy(role("true"));
    const std::vector<ScriptDownload> again = come_back(script, file);
    ASSERT_FALSE(again.empty());
    EXPECT_EQ(again.front().count(Opcode::create_object, "Item"), 3u);
}

TEST_F(SyncPermissions, d7_older_protocols_are_reset) {
    WireOptions options = server_.wire(server_.log_in());
    options.subprotocols = "com.mongodb.realm-query-sync#13";
    Script script(options);
    const protocol::SaltedFileIdent file = script.open_file(all_items);
    const protocol::SyncProgress progress = script.progress();
    deploy(role(R"({"owner":"ann"})"));

    script.expect_error(SyncErrorCode::session_closed);
    script.unbind();
    script.bind(false);
    script.ident(file, progress, 1, all_items);

    const protocol::JsonError error =
        script.expect_error(SyncErrorCode::server_permissions_changed);
    EXPECT_EQ(error.body.action, ErrorAction::client_reset);
    EXPECT_TRUE(error.body.should_client_reset);
}

TEST_F(SyncPermissions, d8_the_same_rules_again_and_other_users_rules_make_no_traffic) {
    const Login login = server_.log_in();
    Script script(server_, login);
    script.open_file(all_items);

    deploy(role("true"));
    deploy(role(R"({"owner":"ann"})", R"({"%%user.id":"somebody else"})") + "," + role("true"));

    // An answer that comes after both deployments, and nothing before it.
    script.mark(9);
    script.expect_mark(9);
}

TEST_F(SyncPermissions, d10_a_change_of_custom_user_data_changes_the_role_of_that_user_only) {
    admin_.ask(
        "PATCH", "custom_user_data",
        R"({"enabled":true,"mongo_service_id":")" + admin_.service() +
            R"(","database_name":"app","collection_name":"Profile","user_id_field":"user"})");
    const Login ann = server_.log_in();
    insert("Profile", R"({"_id":"p1","user":")" + ann.user_id + R"(","sees":"ann"})");
    deploy(
        role(R"({"owner":"%%user.custom_data.sees"})", R"({"%%user.id":")" + ann.user_id + "\"}") +
        "," + role("true"));
    Script script(server_, ann);
    const protocol::SaltedFileIdent file = script.open_file(all_items);
    Script other(server_, server_.log_in());
    other.open_file(all_items);

    act("Profile", "updateOne", R"("query":{"_id":"p1"},"update":{"$set":{"sees":"bob"}})");

    const std::vector<ScriptDownload> answer = come_back(script, file);
    ASSERT_FALSE(answer.empty());
    EXPECT_EQ(answer.front().count(Opcode::erase_object, "Item"), 6u); // 3 leave, 3 made anew
    EXPECT_EQ(answer.front().count(Opcode::create_object, "Item"), 3u);
    other.mark(9);
    for (const ScriptDownload& each : other.downloads_until_mark(9)) {
        EXPECT_TRUE(each.entries.empty());
        EXPECT_EQ(each.state, protocol::BatchState::steady);
    }
}

TEST_F(SyncPermissions, a_role_is_taken_away_and_given_back_while_offline) {
    Device ann(server_.port(), server_.log_in());
    Device bob(server_.port(), server_.log_in());
    for (Device* device : {&ann, &bob}) {
        device->write(islands_schema());
        device->subscribe({{"Item", "(TRUEPREDICATE)"}});
        device->connect();
        device->synchronize();
    }
    const auto name_at = [](Device& device, std::int64_t key) {
        const Object* found = device.replica().state().find_object("Item", key);
        const Value* name = found == nullptr ? nullptr : found->fields.find("name");
        return name == nullptr ? std::string() : to_text(*name);
    };
    const auto rename = [](std::int64_t key, std::string_view name) {
        changeset::ChangesetBuilder out;
        out.update({"Item", key, "name"}, name);
        return out.finish().value();
    };
    ann.disconnect();
    ann.write(rename(1, "offline"));
    deploy(role(R"({"owner":"ann"})")); // 2, 4 and 6
    bob.step(std::chrono::milliseconds(10));
    deploy(role("true"));
    ann.connect();
    ann.synchronize();
    bob.synchronize();
    // Nothing was lost, and nobody noticed.
    EXPECT_EQ(name_at(ann, 1), "\"offline\"");
    EXPECT_EQ(name_at(bob, 1), "\"offline\"");
    EXPECT_TRUE(identical(ann.replica().state(), bob.replica().state()));

    ann.disconnect();
    ann.write(rename(1, "too late"));
    ann.write(rename(2, "in time"));
    deploy(role(R"({"owner":"ann"})"));
    ann.connect();
    ann.synchronize();
    bob.synchronize();
    EXPECT_EQ(ann.replica().state().find_object("Item", std::int64_t{1}), nullptr);
    EXPECT_EQ(name_at(ann, 2), "\"in time\"");
    EXPECT_TRUE(identical(ann.replica().state(), bob.replica().state()));
    deploy(role("true"));
    for (Device* device : {&ann, &bob}) {
        device->synchronize();
    }
    EXPECT_EQ(name_at(ann, 1), "\"offline\"");
    EXPECT_TRUE(identical(ann.replica().state(), bob.replica().state()));
}

} // namespace
} // namespace tombolo::server
