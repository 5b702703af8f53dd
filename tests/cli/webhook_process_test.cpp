// Alerts on their way to a webhook: a real server posts to a real socket.

#include <gmock/gmock.h>

#include "cli/command_process.hpp"
#include "server/runtime/json.hpp"
#include "support/http_receiver.hpp"

namespace tombolo::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using tombolo::testing::HttpReceiver;

// A server whose alerts go to that address.
class Alerting {
  public:
    explicit Alerting(const std::string& webhook)
        : setup_({"--app", write_app(apps_, "notes"), "--alert-webhook", webhook}) {}

    // What raises one.
    void drop_a_synced_collection() {
        const std::string file = setup_.folder().write(
            "in.jsonl", "{\"_id\":{\"$oid\":\"65f0c0ffee00000000000001\"},\"text\":\"x\"}\n");
        const std::vector<std::string> place = {"-d", "notes", "-c", "Note"};
        for (std::vector<std::string> words :
             {std::vector<std::string>{"data", "import", file}, {"data", "drop", "--yes"}}) {
            words.insert(words.end(), place.begin(), place.end());
            const Output done = setup_.run(words);
            ASSERT_EQ(done.code, 0) << done.err;
        }
    }
    std::size_t listed() { return setup_.run({"alerts", "--json"}).objects().size(); }
    Installation& setup() { return setup_; }

  private:
    TemporaryFolder apps_;
    Installation setup_;
};

constexpr const char* given_up = "an alert could not be posted to the webhook";

TEST(AlertWebhook, gets_each_alert_as_json) {
    HttpReceiver receiver;
    Alerting alerting(receiver.url("/hooks/tombolo"));
    alerting.drop_a_synced_collection();
    const HttpReceiver::Request request = receiver.wait_for(1).front();
    EXPECT_THAT(request.head, HasSubstr("POST /hooks/tombolo HTTP/1.1"));
    EXPECT_THAT(request.head, HasSubstr("Content-Type: application/json"));
    const auto alert = server::parse_json_object(request.body).value();
    EXPECT_EQ(alert.at("kind").as_string(), "sync_failed");
    EXPECT_THAT(server::string_or(alert, "app"), ::testing::StartsWith("notes-"));
    EXPECT_THAT(server::string_or(alert, "message"), HasSubstr("was dropped"));
    EXPECT_THAT(server::string_or(alert, "what_to_do"), HasSubstr("terminate sync"));
    EXPECT_GT(alert.at("time_ms").as_int64(), 0);
}

TEST(AlertWebhook, is_tried_a_second_time) {
    HttpReceiver receiver({500, 200});
    Alerting alerting(receiver.url("/"));
    alerting.drop_a_synced_collection();
    const auto requests = receiver.wait_for(2);
    EXPECT_EQ(requests[0].body, requests[1].body);
    EXPECT_EQ(alerting.listed(), 1U);
    EXPECT_THAT(alerting.setup().server().output(), Not(HasSubstr(given_up)));
}

TEST(AlertWebhook, that_refuses_is_given_up_with_a_warning_and_the_alert_stays_listed) {
    HttpReceiver receiver({500});
    Alerting alerting(receiver.url("/"));
    alerting.drop_a_synced_collection();
    ASSERT_TRUE(alerting.setup().server().wait_for(given_up));
    EXPECT_THAT(alerting.setup().server().output(), HasSubstr("HTTP status 500"));
    EXPECT_EQ(receiver.requests().size(), 2U);
    EXPECT_EQ(alerting.listed(), 1U);
}

TEST(AlertWebhook, that_nobody_serves_is_given_up_too) {
    Alerting alerting(tombolo::testing::url_of_nobody());
    alerting.drop_a_synced_collection();
    ASSERT_TRUE(alerting.setup().server().wait_for(given_up));
    EXPECT_EQ(alerting.listed(), 1U);
}

} // namespace
} // namespace tombolo::cli
