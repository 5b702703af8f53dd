// Every cause of a client reset (device-sync-server.md 7.1), what the device is told, and that it
// recovers what it had not uploaded; pause and terminate (6.1).

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "server/sync_session/operator.hpp"
#include "server/sync_session/script.hpp"

namespace tombolo::server {
namespace {

using changeset::Opcode;
using protocol::ErrorAction;
using protocol::SaltedFileIdent;
using protocol::SyncErrorCode;
using protocol::SyncProgress;

const char* const all_items = R"j({"Item":"(TRUEPREDICATE)"})j";

/// A device with what it has not uploaded yet: an Item of its own.
struct Holder {
    SaltedFileIdent file;
    SyncProgress progress;
    std::string query = all_items;
};

class ClientReset : public ::testing::Test {
  protected:
    ClientReset()
        : server_([](Config& config) { Operator::configure(config); }), login_(server_.log_in()),
          admin_(std::in_place, server_.port(), islands_app) {}

    /// A file that has everything, and whose device then goes.
    Holder holder(const std::string& query = all_items) {
        Script script(server_, login_);
        Holder out;
        out.query = query;
        out.file = script.open_file(query);
        out.progress = script.progress();
        return out;
    }
    void write(std::int64_t key) {
        Script script(server_, login_);
        script.open_file(all_items);
        const std::uint64_t base = script.progress().download.server.value;
        script.upload({{9, base, item(key, "written", "ann", 1)}}, {{9}, {base}}, base);
        script.downloads_until_uploaded(9);
    }
    /// The device comes back with its file.
    static void come(Script& script, const Holder& device) {
        script.bind(false);
        script.ident(device.file, device.progress, 1, device.query);
    }
    /// What the device is told at its next contact.
    protocol::JsonError told(const Holder& device, SyncErrorCode code) {
        Script script(server_, login_);
        come(script, device);
        return script.expect_error(code);
    }
    /// As published clients recover: a fresh file downloads, the real one takes it over and uploads
    /// what it had not (sync-protocol.md 8.2).
    void recovers(const std::string& query = all_items) {
        Script script(server_, login_);
        const SaltedFileIdent fresh = script.open_fresh_file(query);
        script.take_over(fresh, query, 77);
        EXPECT_NE(found(77).find("recovered"), std::string::npos);
    }
    /// How many Items are created before the MARK.
    static std::size_t created_until(Script& script, std::uint64_t mark) {
        std::size_t created = 0;
        for (const ScriptDownload& one : script.downloads_until_mark(mark)) {
            created += one.count(Opcode::create_object, "Item");
        }
        return created;
    }
    std::string found(std::int64_t key) {
        return ask_collection(server_.port(), islands_app, login_, "Item", "findOne",
                              R"("query":{"_id":{"$numberLong":")" + std::to_string(key) +
                                  R"("}})");
    }
    void insert(std::int64_t key) {
        ask_collection(server_.port(), islands_app, login_, "Item", "insertOne",
                       R"("document":{"_id":{"$numberLong":")" + std::to_string(key) + R"("}})");
    }
    void set_sync(const std::string& settings) {
        admin_->ask("PATCH", "services/" + admin_->service() + "/config",
                    R"({"flexible_sync":)" + settings + "}");
    }
    void set_state(const std::string& state) { set_sync(R"({"state":")" + state + R"("})"); }
    void act(const std::string& path, const SaltedFileIdent& file) {
        admin_->ask("PUT", "sync/" + path,
                    R"({"file_ident":)" + std::to_string(file.ident.value) + "}");
    }
    /// Item's schema without a property.
    void drop(const std::string& property) {
        const boost::json::value listed = admin_->ask("GET", "schemas");
        for (const boost::json::value& each : listed.as_array()) {
            const std::string id(each.at("_id").as_string());
            boost::json::object whole = admin_->ask("GET", "schemas/" + id).as_object();
            boost::json::object& schema = whole["schema"].as_object();
            if (schema["title"].as_string() == "Item") {
                schema["properties"].as_object().erase(property);
                admin_->ask("PUT", "schemas/" + id, boost::json::serialize(whole));
            }
        }
    }

    static void expect_reset(const protocol::JsonError& error) {
        EXPECT_EQ(error.body.action, ErrorAction::client_reset);
        EXPECT_TRUE(error.body.should_client_reset);
        EXPECT_FALSE(error.body.try_again);
        EXPECT_FALSE(error.body.message.empty());
    }

    IslandsServer server_;
    Login login_;
    std::optional<Operator> admin_;
};

} // namespace

TEST_F(ClientReset, cause_server_restored_from_an_older_backup) {
    holder();
    server_.back_up();
    write(1);
    write(2);
    const Holder device = holder(); // ahead of what will be there again
    server_.restore();

    // A file that the backup does not know.
    expect_reset(told(device, SyncErrorCode::bad_client_file_ident));
}

TEST_F(ClientReset, cause_server_restored_and_the_file_was_known_before) {
    Holder device = holder();
    server_.back_up();
    write(1);
    write(2);
    {
        Script script(server_, login_);
        come(script, device);
        script.mark(3);
        script.downloads_until_mark(3);
        device.progress = script.progress();
    }
    server_.restore();

    // It has not reached what the device has seen yet ...
    expect_reset(told(device, SyncErrorCode::bad_server_version));
    for (std::int64_t key = 10; key < 20; ++key) {
        write(key); // ... and then goes past it, with another history
    }
    expect_reset(told(device, SyncErrorCode::diverging_histories));
    recovers();
}

TEST_F(ClientReset, cause_server_restored_before_an_upload) {
    Holder device = holder();
    const std::uint64_t base = device.progress.download.server.value;
    server_.back_up();
    {
        Script script(server_, login_);
        come(script, device);
        script.upload({{9, base, item(5, "lost", "ann", 1)}}, {{9}, {base}}, base);
        script.downloads_until_uploaded(9);
        device.progress = script.progress();
    }
    server_.restore();
    for (std::int64_t key = 10; key < 15; ++key) {
        write(key);
    }

    device.progress.download.client = {9};
    expect_reset(told(device, SyncErrorCode::bad_client_version));
    recovers();
}

TEST_F(ClientReset, cause_sync_was_terminated_and_enabled_again) {
    const Holder device = holder();
    Script connected(server_, login_);
    connected.open_file(all_items);
    write(1);

    set_state("");

    for (auto last = connected.wire().receive(); !last.ended(); last = connected.wire().receive()) {
    }
    EXPECT_NE(Script(server_, login_).status(), 101);
    set_state("enabled");
    EXPECT_EQ(admin_->ask("GET", "sync/devices").as_array().size(), 0u);
    expect_reset(told(device, SyncErrorCode::bad_client_file_ident));
    recovers();
    EXPECT_NE(found(1).find("written"), std::string::npos); // documents stay
    // Not an ident of before, and not a version of before.
    const Holder next = holder();
    EXPECT_GT(next.file.ident.value, device.file.ident.value);
    EXPECT_GT(next.progress.download.server.value, device.progress.download.server.value);
}

TEST_F(ClientReset, documents_written_while_sync_is_terminated_are_bootstrapped) {
    holder();
    set_state("");
    insert(5);
    set_state("enabled");

    Script script(server_, login_);
    script.bind_new();
    script.unbind();
    script.expect_unbound();
    Script fresh(server_, login_);
    const SaltedFileIdent file = fresh.bind_new();
    fresh.ident(file);
    fresh.query(1, all_items);
    fresh.mark(1);
    EXPECT_EQ(created_until(fresh, 1), 1u);
}

TEST_F(ClientReset, cause_away_for_longer_than_the_limit) {
    const Holder device = holder();
    Script other(server_, login_);
    other.open_file(all_items);

    act("expire", device.file); // what time does: trim_test.cpp

    expect_reset(told(device, SyncErrorCode::client_file_expired));
    recovers();
    other.mark(9);
    other.downloads_until_mark(9);
}

TEST_F(ClientReset, cause_breaking_schema_change_with_termination) {
    const Holder device = holder();
    set_state("");
    drop("priority");
    set_state("enabled");

    expect_reset(told(device, SyncErrorCode::bad_client_file_ident));
}

TEST_F(ClientReset, cause_model_has_a_property_that_the_server_dropped) {
    set_state("");
    drop("priority");
    set_state("enabled");
    Script script(server_, login_);
    const SaltedFileIdent file = script.open_file(all_items);
    EXPECT_GE(file.ident.value, 2u);

    const std::uint64_t base = script.progress().download.server.value;
    script.upload({{9, base, islands_schema()}}, {{9}, {base}}, base);

    const protocol::JsonError error = script.expect_error(SyncErrorCode::invalid_schema_change);
    EXPECT_FALSE(error.body.try_again);
    EXPECT_NE(error.body.message.find("priority"), std::string::npos) << error.body.message;
}

TEST_F(ClientReset, cause_role_change_before_protocol_14) {
    WireOptions options = server_.wire(login_);
    options.subprotocols = "com.mongodb.realm-query-sync#13";
    Holder device;
    {
        Script script(options);
        device.file = script.open_file(all_items);
        device.progress = script.progress();
    }
    admin_->ask("PUT", "services/" + admin_->service() + "/default_rule",
                R"({"roles":[{"name":"r","apply_when":{},"document_filters":{"read":)"
                R"({"owner":"ann"},"write":true},"read":true,"write":true,"insert":true,)"
                R"("delete":true}],"filters":[]})");

    Script script(options);
    come(script, device);

    expect_reset(script.expect_error(SyncErrorCode::server_permissions_changed));
}

// 11.C4
TEST_F(ClientReset, cause_queryable_field_removed_while_used) {
    const std::string urgent = R"j({"Item":"(priority > 5)"})j";
    const Holder away = holder(urgent);
    Script live(server_, login_);
    live.open_file(urgent);
    Script other(server_, login_);
    other.open_file(R"j({"Item":"(owner == \"ann\")"})j");

    set_sync(R"({"queryable_fields_names":["owner","q"]})");

    const protocol::JsonError error = live.expect_error(SyncErrorCode::bad_query);
    expect_reset(error);
    EXPECT_NE(error.body.message.find("priority"), std::string::npos) << error.body.message;
    expect_reset(told(away, SyncErrorCode::bad_query));
    other.mark(9);
    other.downloads_until_mark(9);
    recovers(R"j({"Item":"(owner == \"ann\")"})j");
}

// A-33, 11.G4
TEST_F(ClientReset, cause_admin_force_reset) {
    Script live(server_, login_);
    const SaltedFileIdent file = live.open_file(all_items);
    const Holder away = holder();
    Script other(server_, login_);
    other.open_file(all_items);

    act("force_reset", file);
    act("force_reset", away.file);
    live.query(2, all_items);

    expect_reset(live.expect_error(SyncErrorCode::bad_client_file_ident));
    expect_reset(told(away, SyncErrorCode::bad_client_file_ident));
    other.mark(9);
    other.downloads_until_mark(9);
    recovers();
    EXPECT_EQ(admin_->call("PUT", "sync/force_reset", R"({"file_ident": 4711})").status, 404);
}

TEST_F(ClientReset, cause_client_reported_a_bad_changeset) {
    Script script(server_, login_);
    script.open_file(all_items);
    protocol::ClientError message;
    message.session = {1};
    message.code = 212;
    message.message = "cannot apply";
    script.wire().send(message);

    expect_reset(script.expect_error(SyncErrorCode::bad_client_file));
    recovers();
}

// A-42
TEST_F(ClientReset, a_function_that_deletes_client_files_of_a_user_resets_them) {
    const Holder away = holder();
    Script live(server_, login_);
    live.open_file(all_items);
    const Login another = server_.log_in();
    Script other(server_, another);
    other.open_file(all_items);
    const std::string call = R"({"source":"exports = async function(owner) {)"
                             R"( const files = context.services.get('mongodb-atlas'))"
                             R"(.db('__realm_sync_' + context.app.id).collection('clientfiles');)"
                             R"( const before = await files.count({ownerId: owner});)"
                             R"( const done = await files.deleteMany({ownerId: owner});)"
                             R"( return [before, done.deletedCount, await files.count({})]; }",)"
                             R"j("eval_source":"exports(')j" +
                             login_.user_id + R"j(')"})j";

    const boost::json::value answer =
        admin_->ask("POST", "debug/execute_function_source?run_as_system=true", call);

    EXPECT_EQ(boost::json::serialize(answer.at("result")),
              R"([{"$numberLong":"2"},{"$numberLong":"2"},{"$numberLong":"1"}])")
        << boost::json::serialize(answer);
    live.query(2, all_items);
    expect_reset(live.expect_error(SyncErrorCode::bad_client_file_ident));
    expect_reset(told(away, SyncErrorCode::bad_client_file_ident));
    other.mark(9);
    other.downloads_until_mark(9);
    recovers();
}

// 11.G3
TEST_F(ClientReset, recovery_is_forbidden_while_the_app_says_so) {
    const Holder device = holder();
    set_sync(R"({"is_recovery_mode_disabled":true})");
    act("force_reset", device.file);

    EXPECT_TRUE(told(device, SyncErrorCode::bad_client_file_ident).body.is_recovery_mode_disabled);
    set_sync(R"({"is_recovery_mode_disabled":false})");
    EXPECT_FALSE(told(device, SyncErrorCode::bad_client_file_ident).body.is_recovery_mode_disabled);
}

// W-03, 11.F7
TEST_F(ClientReset, pause_ends_connections_and_resume_goes_on_without_a_reset) {
    Script live(server_, login_);
    const SaltedFileIdent file = live.open_file(all_items);
    const SyncProgress progress = live.progress();

    set_state("disabled");

    EXPECT_EQ(live.wire().receive().reason, "sync is paused");
    EXPECT_EQ(Script(server_, login_).status(), 503);
    insert(5);
    set_state("enabled");
    Script back(server_, login_);
    come(back, {file, progress});
    back.mark(3);
    EXPECT_EQ(created_until(back, 3), 1u);
}

TEST_F(ClientReset, terminate_while_paused_and_after_a_restart) {
    const Holder device = holder();
    set_state("disabled");
    server_.restart();
    admin_.emplace(server_.port(), islands_app);
    set_state("");
    set_state("enabled");

    expect_reset(told(device, SyncErrorCode::bad_client_file_ident));
    recovers();
}

TEST_F(ClientReset, writers_are_answered_while_sync_ends_and_begins) {
    holder();
    std::atomic<bool> is_over{false};
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 3; ++writer) {
        writers.emplace_back([&, writer] {
            for (int i = 0; !is_over; ++i) {
                insert(1000 * (writer + 1) + i);
            }
        });
    }
    for (int i = 0; i < 5; ++i) {
        set_state("");
        set_state("enabled");
    }
    is_over = true;
    for (std::thread& each : writers) {
        each.join();
    }

    Script script(server_, login_);
    script.open_file(all_items);
    insert(5);
    EXPECT_EQ(script.download().count(Opcode::create_object, "Item"), 1u);
}

TEST_F(ClientReset, progress_is_complete_from_the_start) {
    const boost::json::value good = admin_->ask("GET", "sync/progress");
    EXPECT_TRUE(good.at("accepting_clients").as_bool());
    EXPECT_TRUE(good.at("progress").at("app.Item").at("complete").as_bool());
}

TEST_F(ClientReset, devices_and_history_are_shown) {
    const Holder device = holder();
    Script live(server_, login_);
    const SaltedFileIdent file = live.open_file(all_items);
    write(1);

    const boost::json::value devices = admin_->ask("GET", "sync/devices");

    ASSERT_EQ(devices.as_array().size(), 3u);
    const boost::json::object& first = devices.as_array()[0].as_object();
    EXPECT_EQ(first.at("file_ident").to_number<std::uint64_t>(), device.file.ident.value);
    EXPECT_EQ(first.at("user_id").as_string(), login_.user_id);
    EXPECT_FALSE(first.at("connected").as_bool());
    EXPECT_TRUE(first.at("holds_history").as_bool());
    EXPECT_EQ(first.at("query").as_string(), all_items);
    EXPECT_TRUE(devices.as_array()[1].at("connected").as_bool());
    EXPECT_EQ(admin_->ask("GET", "sync/devices?after=" + std::to_string(file.ident.value))
                  .as_array()
                  .size(),
              1u);
    const boost::json::value history = admin_->ask("GET", "sync/history");
    EXPECT_GE(history.at("version").to_number<std::uint64_t>(), 1u);
    EXPECT_EQ(history.at("client_max_offline_days").to_number<int>(), 30);
    EXPECT_TRUE(history.at("disk_bytes").as_object().contains("past_documents"));
}

} // namespace tombolo::server
