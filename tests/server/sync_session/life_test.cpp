// The life of an app's sync on a real server: initial sync, pauses by itself, failure, and the
// alerts of these (device-sync-server.md 2.6, 6.1, 6.4, 8.7).

#include <thread>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "core/clock.hpp"
#include "server/http/raw_client.hpp"
#include "server/runtime/json.hpp"
#include "server/sync/session/sync_life.hpp"
#include "server/sync_session/operator.hpp"
#include "server/sync_session/script.hpp"

namespace tombolo::server {
namespace {

namespace json = boost::json;

constexpr const char* all_items = R"j({"Item":"(TRUEPREDICATE)"})j";
constexpr std::int64_t day_ms = std::int64_t{24} * 3600 * 1000;

class SyncLife : public ::testing::Test {
  protected:
    void start(const std::function<void(Config&)>& configure = {}) {
        server_ = std::make_unique<IslandsServer>([&](Config& config) {
            Operator::configure(config);
            if (configure) {
                configure(config);
            }
        });
        admin_.emplace(server_->port(), islands_app);
    }
    void restart() {
        server_->restart();
        admin_.emplace(server_->port(), islands_app);
    }
    void set_state(const std::string& state) {
        admin_->ask("PATCH", "services/" + admin_->service() + "/config",
                    R"({"flexible_sync":{"state":")" + state + R"("}})");
    }
    std::string state() { return server::string_or(state_object(), "state"); }
    json::object state_object() {
        const json::value answer = admin_->ask("GET", "sync/state");
        return answer.as_object();
    }
    /// What another thread of the server is about to do.
    template <class Done>
    static void await(const Done& done) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!done() && std::chrono::steady_clock::now() < until) {
            std::this_thread::yield();
        }
        ASSERT_TRUE(done());
    }
    static std::string document(int id, bool is_good) {
        return R"({"_id":{"$numberLong":")" + std::to_string(id) + R"("},"name":)" +
               (is_good ? R"("quay")" : "7") + "}\n";
    }
    std::vector<json::object> alerts(const std::string& kind) {
        std::vector<json::object> out;
        const json::value listed = admin_->ask("GET", "alerts");
        for (const json::value& each : listed.as_array()) {
            if (server::string_or(each.as_object(), "kind") == kind) {
                out.push_back(each.as_object());
            }
        }
        return out;
    }
    std::size_t logged(const std::string& type) {
        const json::value found = admin_->ask("GET", "logs?type=" + type);
        return found.at("logs").as_array().size();
    }
    static void expect_ended(Script& script) {
        for (auto last = script.wire().receive(); !last.ended(); last = script.wire().receive()) {
        }
    }
    /// A device that holds what there is, and is not connected.
    Device held() {
        Device device(server_->port(), server_->log_in());
        device.subscribe({{"Item", "(TRUEPREDICATE)"}});
        device.connect();
        device.synchronize();
        return device;
    }

    std::unique_ptr<IslandsServer> server_;
    std::optional<Operator> admin_;
};

TEST_F(SyncLife, f10_documents_that_are_there_are_counted_and_judged_before_clients_come) {
    start();
    set_state("");
    std::string lines;
    for (int id = 0; id < 5'000; ++id) {
        lines += document(id, id % 100 != 0);
    }
    admin_->import("Item", "insert", lines);
    EXPECT_FALSE(admin_->ask("GET", "sync/progress").at("accepting_clients").as_bool());
    set_state("enabled");
    json::value progress;
    await([&] {
        progress = admin_->ask("GET", "sync/progress");
        return progress.at("accepting_clients").as_bool();
    });
    const json::object& items = progress.at("progress").at("app.Item").as_object();
    EXPECT_TRUE(items.at("complete").as_bool());
    EXPECT_EQ(items.at("documents_total").to_number<int>(), 5'000);
    EXPECT_EQ(items.at("documents_done").to_number<int>(), 5'000);
    EXPECT_EQ(items.at("documents_unsynced").to_number<int>(), 50);
    Device device = held();
    EXPECT_EQ(device.replica().state().find_class("Item")->objects.size(), 4'950U);
    restart(); // it was noted
    EXPECT_TRUE(admin_->ask("GET", "sync/progress").at("accepting_clients").as_bool());
}

TEST_F(SyncLife, f5_too_many_unsynced_documents_pause_sync_and_raise_an_alert) {
    start([](Config& config) { config.sync_unsynced_max = 3; });
    Script script(*server_, server_->log_in());
    script.open_file(all_items);
    Device device = held();
    device.disconnect();
    admin_->import("Item", "insert", document(1, true) + document(2, false) + document(3, false));
    EXPECT_EQ(state(), "enabled");
    admin_->import("Item", "insert", document(4, false));
    expect_ended(script);
    await([&] { return !alerts("sync_paused").empty(); });
    EXPECT_EQ(state(), "disabled");
    EXPECT_NE(server::string_or(alerts("sync_paused")[0], "message").find("3 documents"),
              std::string::npos);
    EXPECT_EQ(logged("ALERT"), 1U);

    // Resumed without being repaired, it pauses again.
    set_state("enabled");
    await([&] { return state() == "disabled"; });
    admin_->import("Item", "upsert", document(2, true));
    set_state("enabled");
    device.connect();
    device.synchronize(); // no reset
    EXPECT_EQ(device.replica().state().find_class("Item")->objects.size(), 2U);
    EXPECT_EQ(state(), "enabled");
}

TEST_F(SyncLife, f8_dropping_a_synced_collection_fails_sync_until_it_is_terminated) {
    start();
    Script script(*server_, server_->log_in());
    script.open_file(all_items);
    admin_->import("Item", "insert", document(1, true));
    const std::string drop = "services/" + admin_->service() + "/collections?database=app";
    EXPECT_EQ(admin_->call("DELETE", drop + "&collection=Nothing").status, 404);

    const json::value dropped = admin_->ask("DELETE", drop + "&collection=Item");

    EXPECT_TRUE(dropped.at("sync_failed").as_bool());
    expect_ended(script);
    EXPECT_EQ(Script(*server_, server_->log_in()).status(), 503);
    const json::object failed = state_object();
    EXPECT_EQ(server::string_or(failed, "state"), "failed");
    EXPECT_EQ(server::string_or(failed, "error"), "TranslatorFatalError - ChangeStreamHistoryLost");
    EXPECT_NE(server::string_or(failed, "message").find("terminate sync"), std::string::npos);
    const json::value progress = admin_->ask("GET", "sync/progress");
    EXPECT_FALSE(progress.at("accepting_clients").as_bool());
    EXPECT_NE(json::serialize(progress).find("was dropped"), std::string::npos);
    ASSERT_EQ(alerts("sync_failed").size(), 1U);
    restart();
    EXPECT_EQ(state(), "failed");
    EXPECT_EQ(Script(*server_, server_->log_in()).status(), 503);
    admin_->import("Item", "insert", document(2, true)); // nobody's but the store's

    set_state("");
    EXPECT_EQ(state(), "");
    set_state("enabled");

    EXPECT_EQ(state(), "enabled");
    Device device = held();
    EXPECT_EQ(device.replica().state().find_class("Item")->objects.size(), 1U);
}

TEST_F(SyncLife, h6_refused_requests_raise_one_alert) {
    start([](Config& config) {
        config.requests_per_minute = 60;
        config.request_burst = 2;
    });
    for (int i = 0; i < 6; ++i) {
        http::RawClient client(server_->port());
        client.send("POST /api/client/v2.0/app/" + std::string(islands_app) +
                    "/auth/providers/anon-user/login HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                    "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
        static_cast<void>(client.receive());
    }
    EXPECT_EQ(alerts("rate_limit").size(), 1U);
}

TEST_F(SyncLife, h8_an_app_that_no_device_uses_is_paused_and_resumes_without_a_reset) {
    start([](Config& config) { config.sync_idle_days = 30; });
    Device device = held();
    device.disconnect();
    const auto last_used = [&](std::int64_t days_ago) {
        server_->with_store([&](store::Store& store) {
            const auto snapshot = store.snapshot();
            const auto cursor = snapshot->scan_records(store::Space::meta, "sync/", "sync0");
            ASSERT_TRUE(cursor->next());
            const ObjectId app = ObjectId::parse(cursor->key().substr(5, 24)).value();
            const std::int64_t now = SystemClock().unix_ms();
            ASSERT_TRUE(sync::store_active(store, app, now - days_ago * day_ms));
        });
        admin_.emplace(server_->port(), islands_app);
    };
    last_used(29);
    EXPECT_EQ(state(), "enabled");
    last_used(31);
    EXPECT_EQ(state(), "disabled");
    ASSERT_EQ(alerts("sync_paused").size(), 1U);
    EXPECT_NE(server::string_or(alerts("sync_paused")[0], "message").find("30 days"),
              std::string::npos);
    set_state("enabled");
    admin_->import("Item", "insert", document(1, true));
    device.set_port(server_->port());
    device.connect();
    device.synchronize();
    EXPECT_EQ(device.replica().state().find_class("Item")->objects.size(), 1U);
}

} // namespace
} // namespace tombolo::server
