// Log forwarders: what is delivered where, and what is shown when it is not.

#include "server/app/log_forwarders.hpp"

#include <boost/json/serialize.hpp>

#include "server/admin/admin_client.hpp"
#include "server/runtime/json.hpp"
#include "server/support/service.hpp"

namespace tombolo::server {
namespace {

namespace json = boost::json;

AppTree with_forwarders(const std::vector<std::pair<std::string, std::string>>& files) {
    AppTree tree = demo_app();
    for (const auto& [name, text] : files) {
        tree["log_forwarders/" + name + ".json"] = text;
    }
    return tree;
}

std::string forwarder(const std::string& types, const std::string& statuses,
                      const std::string& policy, const std::string& action) {
    return R"({"log_types": [)" + types + R"(], "log_statuses": [)" + statuses +
           R"(], "policy": {"type": ")" + policy + R"("}, "action": )" + action + "}";
}

constexpr const char* to_items =
    R"({"type": "collection", "data_source": "s", "database": "d", "collection": "logs"})";
constexpr const char* to_send = R"({"type": "function", "name": "send"})";

// Everything that was delivered, by forwarder: the sizes of the batches and their statuses.
class Forwarding {
  public:
    explicit Forwarding(const AppTree& tree, LogForwarderOptions options = {})
        : service_(options_with(tree)), forwarders_(std::make_unique<LogForwarders>(
                                            service_.context().apps, service_.app_log(), delivery(),
                                            [this] { return service_.now_ms.load(); }, options)) {}

    void log(const std::string& type, const std::string& error = {},
             const std::string& request_id = {}) {
        AppLogEntry entry;
        entry.app = service_.app()->id;
        entry.type = type;
        entry.error = error;
        entry.request_id = request_id;
        service_.app_log().add(std::move(entry));
    }
    json::object state(const std::string& name) {
        return forwarders_->state(service_.app()->id, name);
    }
    std::vector<std::string> delivered(const std::string& name) {
        const std::lock_guard lock(mutex_);
        return delivered_[name];
    }

    Service service_;
    std::atomic<bool> fails_ = false;
    std::mutex mutex_;
    std::map<std::string, std::vector<std::string>> delivered_; // guarded by mutex_
    std::unique_ptr<LogForwarders> forwarders_;

  private:
    static ServiceOptions options_with(const AppTree& tree) {
        ServiceOptions options;
        options.apps = {tree};
        return options;
    }
    LogDelivery delivery() {
        LogDelivery out;
        out.to_collection = [this](const auto&, const LogForwarderConfig& to,
                                   const json::array& entries) { return note(to.name, entries); };
        out.to_function = [this](const auto&, const LogForwarderConfig& to,
                                 const std::string& request_id, const json::array& entries) {
            log("FUNCTION", {}, request_id); // as a function's own run is logged
            return note(to.name, entries);
        };
        return out;
    }
    Result<void> note(const std::string& name, const json::array& entries) {
        if (fails_) {
            return Error(ErrorCode::unavailable, "nobody there");
        }
        std::string text;
        for (const json::value& entry : entries) {
            text += (text.empty() ? "" : " ") + string_or(entry.get_object(), "type") +
                    (string_or(entry.get_object(), "error").empty() ? "" : "!");
        }
        const std::lock_guard lock(mutex_);
        delivered_[name].push_back(text);
        return {};
    }
};

using Texts = std::vector<std::string>;

TEST(LogForwarders, deliver_the_kinds_and_statuses_that_they_want) {
    Forwarding all(with_forwarders(
        {{"errors", forwarder(R"("auth", "function")", R"("error")", "single", to_items)},
         {"both", forwarder(R"("auth")", R"("error", "success")", "batch", to_items)},
         {"none", forwarder(R"("sync")", R"("success")", "single", to_items)},
         {"send", forwarder(R"("function")", R"("success")", "single", to_send)}}));
    all.log("AUTH");
    all.log("AUTH", "wrong password");
    all.log("FUNCTION");
    all.log("FUNCTION", "boom");
    all.forwarders_->flush();
    EXPECT_EQ(all.delivered("errors"), (Texts{"AUTH!", "FUNCTION!"}));
    EXPECT_EQ(all.delivered("both"), Texts{"AUTH AUTH!"});
    EXPECT_EQ(all.delivered("none"), Texts{});
    all.forwarders_->flush();
    EXPECT_EQ(all.delivered("send"), Texts{"FUNCTION"}) << "its own runs are not forwarded";
    EXPECT_EQ(all.state("both").at("forwarded").to_number<int>(), 2);
}

TEST(LogForwarders, failures_are_shown_and_logged_with_the_entries_ids_and_not_forwarded) {
    Forwarding all(with_forwarders(
        {{"one", forwarder(R"("auth")", R"("error", "success")", "batch", to_items)}}));
    all.fails_ = true;
    all.log("AUTH");
    all.log("AUTH");
    all.forwarders_->flush();
    const json::object state = all.state("one");
    EXPECT_EQ(state.at("failed").to_number<int>(), 2);
    EXPECT_NE(string_or(state, "last_error").find("nobody there"), std::string::npos);
    AppLogQuery query;
    query.types = {"LOG_FORWARDER"};
    const AppLogPage page = all.service_.app_log().find(all.service_.app()->id, query).value();
    ASSERT_EQ(page.entries.size(), 1U);
    const json::object& entry = page.entries[0].as_object();
    EXPECT_EQ(entry.at("failed_to_forward_log_ids").as_array().size(), 2U);
    EXPECT_EQ(string_or(entry, "log_forwarder_name"), "one");
    all.fails_ = false;
    all.log("AUTH");
    all.forwarders_->flush();
    EXPECT_EQ(all.delivered("one"), Texts{"AUTH"}) << "what failed is not tried again";
}

TEST(LogForwarders, queues_are_bounded_and_a_stop_delivers_batches) {
    LogForwarderOptions options;
    options.waiting_max = 5;
    options.batch_time = std::chrono::hours(1);
    Forwarding all(
        with_forwarders({{"one", forwarder(R"("auth")", R"("success")", "batch", to_items)}}),
        options);
    for (int i = 0; i < 8; ++i) {
        all.log("AUTH");
    }
    all.service_.app_log().flush();
    EXPECT_EQ(all.state("one").at("waiting").to_number<int>(), 5);
    EXPECT_EQ(all.state("one").at("dropped").to_number<int>(), 3);
    all.forwarders_.reset();
    EXPECT_EQ(all.delivered("one"), Texts{"AUTH AUTH AUTH AUTH AUTH"});
}

TEST(LogForwarders, full_batches_do_not_wait_for_the_clock) {
    LogForwarderOptions options;
    options.batch_max = 2;
    options.batch_time = std::chrono::hours(1);
    Forwarding all(
        with_forwarders({{"one", forwarder(R"("auth")", R"("success")", "batch", to_items)}}),
        options);
    for (int i = 0; i < 5; ++i) {
        all.log("AUTH");
    }
    all.forwarders_->flush();
    EXPECT_EQ(all.delivered("one"), (Texts{"AUTH AUTH", "AUTH AUTH", "AUTH"}));
}

// A real server: what clients do ends up in a collection, and comes to a function.
TEST(LogForwarders, copy_sign_ins_into_a_collection_over_http) {
    AdminApp app(shared_server());
    ASSERT_EQ(app.post("auth_providers", R"({"type": "anon-user"})").status, 201);
    ASSERT_EQ(app.post("services", R"({"name": "audit", "type": "mongodb", "config": {}})").status,
              201);
    const std::string source =
        "exports = async () => (await context.services.get('audit').db('logs')"
        ".collection('signins').find({}).toArray())"
        ".map((one) => one.type + ' ' + (one.started instanceof Date));";
    ASSERT_EQ(app.post("functions", R"({"name": "look", "source": ")" + source + "\"}").status,
              201);
    EXPECT_EQ(app.post("log_forwarders", R"({"name": "bad", "action": {"type": "mail"}})").status,
              400);
    const AdminAnswer made = app.post("log_forwarders", R"({"name": "signins",
        "log_types": ["auth"], "log_statuses": ["success"], "policy": {"type": "single"},
        "action": {"type": "collection", "data_source": "audit", "database": "logs",
                   "collection": "signins"}})");
    ASSERT_EQ(made.status, 201) << made.text;
    const std::string broken = app.post("log_forwarders", R"({"name": "broken",
        "log_types": ["auth"], "log_statuses": ["success"], "policy": {"type": "single"},
        "action": {"type": "function", "name": "nothing"}})")["_id"];
    ASSERT_EQ(app.client("POST", "auth/providers/anon-user/login").status, 200);
    const auto delivery = [&](const std::string& id) {
        return app.get("log_forwarders/" + id).object().at("delivery").as_object();
    };
    while (delivery(made["_id"]).at("forwarded").to_number<int>() +
               delivery(made["_id"]).at("failed").to_number<int>() ==
           0) {
        static_cast<void>(app.get("logs?limit=1")); // makes the log write what it gathered
    }
    const AdminAnswer seen = app.post("debug/execute_function?run_as_system=true",
                                      R"({"name": "look", "arguments": []})");
    EXPECT_EQ(json::serialize(seen.object().at("result")), R"(["AUTH true"])") << seen.text;
    while (delivery(broken).at("failed").to_number<int>() == 0) {
        static_cast<void>(app.get("logs?limit=1"));
    }
    EXPECT_NE(string_or(delivery(broken), "last_error").find("nothing"), std::string::npos);

    // What is shown may be sent back; only configuration is kept.
    const AdminAnswer shown = app.get("log_forwarders/" + made["_id"]);
    EXPECT_EQ(app.patch("log_forwarders/" + made["_id"], shown.text).status, 200);
    EXPECT_EQ(app.get("pull").text.find("last_modified"), std::string::npos);
    EXPECT_EQ(app.put("log_forwarders/" + made["_id"] + "/disable").status, 204);
}

} // namespace
} // namespace tombolo::server
