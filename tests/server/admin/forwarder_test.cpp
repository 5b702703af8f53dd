// Log forwarders: what is delivered where, and what is shown when it is not.

#include "server/app/log_forwarders.hpp"

#include <thread>

#include <boost/json/serialize.hpp>

#include "server/admin/admin_client.hpp"
#include "server/runtime/json.hpp"
#include "server/support/service.hpp"
#include "support/http_receiver.hpp"

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

// One forwarder, "one", of sign-ins that went well.
AppTree of_sign_ins(const std::string& policy) {
    return with_forwarders({{"one", forwarder(R"("auth")", R"("success")", policy, to_items)}});
}
constexpr const char* to_send = R"({"type": "function", "name": "send"})";

// Everything that was delivered, by forwarder: the sizes of the batches and their statuses.
class Forwarding {
  public:
    explicit Forwarding(const AppTree& tree, LogForwarderOptions options = {})
        : service_(options_with(tree)), forwarders_(std::make_unique<LogForwarders>(
                                            service_.context().apps, service_.app_log(), delivery(),
                                            [this] { return service_.now_ms.load(); }, options)) {}

    void log_sign_ins(int count) {
        for (int i = 0; i < count; ++i) {
            log("AUTH");
        }
        service_.app_log().flush();
    }
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
    // What the app's log says of forwarders.
    json::array notes() {
        AppLogQuery query;
        query.types = {"LOG_FORWARDER"};
        return service_.app_log().find(service_.app()->id, query).value().entries;
    }

    std::atomic<int> fails_ = 0; ///< so many deliveries
    std::atomic<ErrorCode> failure_ = ErrorCode::unavailable;
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
        if (fails_ > 0) {
            --fails_;
            return Error(failure_.load(), "nobody there");
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
    all.fails_ = 1000;
    all.log("AUTH");
    all.log("AUTH");
    all.forwarders_->flush();
    const json::object state = all.state("one");
    EXPECT_EQ(state.at("failed").to_number<int>(), 2);
    EXPECT_NE(string_or(state, "last_error").find("nobody there"), std::string::npos);
    const json::array notes = all.notes();
    ASSERT_EQ(notes.size(), 1U);
    const json::object& entry = notes[0].as_object();
    EXPECT_EQ(entry.at("failed_to_forward_log_ids").as_array().size(), 2U);
    EXPECT_EQ(string_or(entry, "log_forwarder_name"), "one");
    EXPECT_EQ(string_or(entry, "error").find("given up after 5 tries"), 0U);
    all.fails_ = 0;
    all.log("AUTH");
    all.forwarders_->flush();
    EXPECT_EQ(all.delivered("one"), Texts{"AUTH"}) << "what was given up does not come later";
}

TEST(LogForwarders, what_fails_is_tried_again_before_what_came_later) {
    Forwarding all(with_forwarders(
        {{"one", forwarder(R"("auth", "function")", R"("success")", "single", to_items)}}));
    all.fails_ = 4;
    all.log("AUTH");
    all.log("FUNCTION");
    all.forwarders_->flush();
    EXPECT_EQ(all.delivered("one"), (Texts{"AUTH", "FUNCTION"}));
    EXPECT_EQ(all.state("one").at("forwarded").to_number<int>(), 2);
    EXPECT_EQ(all.state("one").at("failed").to_number<int>(), 0);
    EXPECT_EQ(all.notes().size(), 0U);
}

TEST(LogForwarders, pauses_end_without_anybody_asking) {
    LogForwarderOptions options;
    options.first_pause = std::chrono::milliseconds(1);
    Forwarding all(of_sign_ins("single"), options);
    all.fails_ = 3;
    all.log_sign_ins(1);
    while (all.state("one").at("forwarded").to_number<int>() == 0) {
        std::this_thread::yield();
    }
    EXPECT_EQ(all.delivered("one"), Texts{"AUTH"});
}

TEST(LogForwarders, what_can_never_work_is_not_tried_again) {
    Forwarding all(of_sign_ins("single"));
    all.failure_ = ErrorCode::invalid_argument;
    all.fails_ = 1;
    all.log("AUTH");
    all.forwarders_->flush();
    EXPECT_EQ(all.state("one").at("failed").to_number<int>(), 1);
    EXPECT_EQ(all.delivered("one"), Texts{});
}

TEST(LogForwarders, what_waits_behind_a_failure_is_bounded_and_what_found_no_place_is_logged) {
    LogForwarderOptions options;
    options.waiting_max = 3;
    options.first_pause = std::chrono::hours(1);
    Forwarding all(of_sign_ins("single"), options);
    all.fails_ = 1;
    all.log_sign_ins(1);
    while (all.state("one").at("tries").to_number<int>() == 0) {
        std::this_thread::yield();
    }
    all.log_sign_ins(5);
    EXPECT_EQ(all.state("one").at("waiting").to_number<int>(), 3);
    EXPECT_EQ(all.state("one").at("dropped").to_number<int>(), 3);
    all.forwarders_->flush();
    EXPECT_EQ(all.delivered("one").size(), 3U);
    const json::array notes = all.notes();
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_EQ(notes[0].at("dropped").to_number<int>(), 3);
}

TEST(LogForwarders, queues_are_bounded_and_a_stop_delivers_batches) {
    LogForwarderOptions options;
    options.waiting_max = 5;
    options.batch_time = std::chrono::hours(1);
    Forwarding all(of_sign_ins("batch"), options);
    all.log_sign_ins(8);
    EXPECT_EQ(all.state("one").at("waiting").to_number<int>(), 5);
    EXPECT_EQ(all.state("one").at("dropped").to_number<int>(), 3);
    all.forwarders_.reset();
    EXPECT_EQ(all.delivered("one"), Texts{"AUTH AUTH AUTH AUTH AUTH"});
}

TEST(LogForwarders, full_batches_do_not_wait_for_the_clock) {
    LogForwarderOptions options;
    options.batch_max = 2;
    options.batch_time = std::chrono::hours(1);
    Forwarding all(of_sign_ins("batch"), options);
    all.log_sign_ins(5);
    all.forwarders_->flush();
    EXPECT_EQ(all.delivered("one"), (Texts{"AUTH AUTH", "AUTH AUTH", "AUTH"}));
}

// A real server, whose clients sign in.
class ForwardingApp : public AdminApp {
  public:
    ForwardingApp() : AdminApp(shared_server()) {
        EXPECT_EQ(post("auth_providers", R"({"type": "anon-user"})").status, 201);
    }
    void make_function(const std::string& name, const std::string& source) {
        const json::object body{{"name", name}, {"source", source}};
        EXPECT_EQ(post("functions", json::serialize(body)).status, 201);
    }
    /// Of each sign-in that went well; its id.
    std::string make_forwarder(const std::string& name, const std::string& action) {
        const AdminAnswer made =
            post("log_forwarders", R"({"name": ")" + name +
                                       R"(", "log_types": ["auth"], "log_statuses": ["success"],
                    "policy": {"type": "single"}, "action": )" +
                                       action + "}");
        EXPECT_EQ(made.status, 201) << made.text;
        return made["_id"];
    }
    void sign_in() { ASSERT_EQ(client("POST", "auth/providers/anon-user/login").status, 200); }
    json::object delivery(const std::string& id) {
        return get("log_forwarders/" + id).object().at("delivery").as_object();
    }
    // Until the member of the delivery is not 0.
    void wait_for(const std::string& id, const char* count) {
        while (delivery(id).at(count).to_number<int>() == 0) {
            static_cast<void>(get("logs?limit=1")); // makes the log write what it gathered
        }
    }
};

// What clients do ends up in a collection, and comes to a function.
TEST(LogForwarders, copy_sign_ins_into_a_collection_over_http) {
    ForwardingApp app;
    ASSERT_EQ(app.post("services", R"({"name": "audit", "type": "mongodb", "config": {}})").status,
              201);
    app.make_function("look",
                      "exports = async () => (await context.services.get('audit').db('logs')"
                      ".collection('signins').find({}).toArray())"
                      ".map((one) => one.type + ' ' + (one.started instanceof Date));");
    EXPECT_EQ(app.post("log_forwarders", R"({"name": "bad", "action": {"type": "mail"}})").status,
              400);
    const std::string made = app.make_forwarder(
        "signins", R"({"type": "collection", "data_source": "audit", "database": "logs",
                       "collection": "signins"})");
    const std::string broken =
        app.make_forwarder("broken", R"({"type": "function", "name": "nothing"})");
    app.sign_in();
    app.wait_for(made, "forwarded");
    const AdminAnswer seen = app.post("debug/execute_function?run_as_system=true",
                                      R"({"name": "look", "arguments": []})");
    EXPECT_EQ(json::serialize(seen.object().at("result")), R"(["AUTH true"])") << seen.text;
    app.wait_for(broken, "failed");
    EXPECT_NE(string_or(app.delivery(broken), "last_error").find("nothing"), std::string::npos);

    // What is shown may be sent back; only configuration is kept.
    const AdminAnswer shown = app.get("log_forwarders/" + made);
    EXPECT_EQ(app.patch("log_forwarders/" + made, shown.text).status, 200);
    EXPECT_EQ(app.get("pull").text.find("last_modified"), std::string::npos);
    EXPECT_EQ(app.put("log_forwarders/" + made + "/disable").status, 204);
}

// A function hands entries to a service that fails at first.
TEST(LogForwarders, reach_a_service_that_refuses_the_first_request) {
    testing::HttpReceiver receiver({500, 200});
    ForwardingApp app;
    app.make_function("send",
                      "exports = async (entries) => { const answer = await context.http.post({"
                      "url: '" +
                          receiver.url("/logs") +
                          "', body: entries, encodeBodyAsJSON: true}); "
                          "if (answer.statusCode !== 200) "
                          "throw new Error('status ' + answer.statusCode); };");
    const std::string id = app.make_forwarder("remote", R"({"type": "function", "name": "send"})");
    app.sign_in();
    app.wait_for(id, "forwarded");
    const auto requests = receiver.wait_for(2);
    EXPECT_EQ(requests.size(), 2U);
    EXPECT_EQ(requests[0].head.find("POST /logs HTTP/1.1"), 0U);
    EXPECT_NE(requests[0].body.find("AUTH"), std::string::npos);
    EXPECT_EQ(requests[0].body, requests[1].body);
    EXPECT_EQ(app.delivery(id).at("failed").to_number<int>(), 0);
    EXPECT_NE(string_or(app.delivery(id), "last_error").find("status 500"), std::string::npos);
}

} // namespace
} // namespace tombolo::server
