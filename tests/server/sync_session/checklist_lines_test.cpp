// Lines of device-sync-server.md 11 over sockets, named by them.

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "server/app/schema_inference.hpp"
#include "server/http/raw_client.hpp"
#include "server/sync_session/operator.hpp"
#include "server/sync_session/script.hpp"

namespace tombolo::server {
namespace {

using changeset::Opcode;

class SyncLines : public ::testing::Test {
  protected:
    SyncLines()
        : server_([](Config& config) {
              Operator::configure(config);
              config.metrics_listen = "127.0.0.1:0";
          }),
          login_(server_.log_in()) {}

    std::string items(const std::string& action, const std::string& arguments) {
        return ask_collection(server_.port(), islands_app, login_, "Item", action, arguments);
    }
    /// The property goes, as a new schema version.
    void drop(const std::string& property) {
        const Operator admin(server_.port(), islands_app);
        const boost::json::value listed = admin.ask("GET", "schemas");
        for (const boost::json::value& each : listed.as_array()) {
            const std::string path = "schemas/" + std::string(each.at("_id").as_string());
            boost::json::object whole = admin.ask("GET", path).as_object();
            boost::json::object& schema = whole["schema"].as_object();
            if (schema["title"].as_string() == "Item") {
                schema["properties"].as_object().erase(property);
                admin.ask("PUT", path + "?bypass_service_change=syncSchemaVersionIncrease",
                          boost::json::serialize(whole));
            }
        }
    }
    /// Whether the bootstrap of version 0 that answers the BIND declares Item.priority.
    bool shows_priority(const std::string& bind) {
        Script script(server_, server_.log_in());
        script.wire().send_text("bind 1 " + std::to_string(bind.size()) + " 0 1 0\n" + bind);
        const auto incoming = script.wire().receive();
        const auto* given = incoming.as<protocol::ServerIdent>();
        EXPECT_NE(given, nullptr) << incoming.head();
        if (given == nullptr) {
            return false;
        }
        script.ident(given->file);
        for (const changeset::Changeset& each : script.download().changesets()) {
            for (const changeset::Instruction& one : each.instructions()) {
                if (one.op == Opcode::add_column && each.table(one) == "Item" &&
                    each.field(one) == "priority") {
                    return true;
                }
            }
        }
        return false;
    }

    IslandsServer server_;
    Login login_;
};

TEST_F(SyncLines, b12_a_client_that_names_no_schema_is_served_version_0) {
    EXPECT_TRUE(shows_priority("{}"));
    drop("priority");
    EXPECT_TRUE(shows_priority("{}"));
    EXPECT_TRUE(shows_priority(R"({"schemaVersion":0})"));
    EXPECT_FALSE(shows_priority(R"({"schemaVersion":1})"));
}

TEST_F(SyncLines, c7_a_collation_alters_nothing_that_subscriptions_show) {
    const std::string collation = R"(,"collation":{"locale":"en","strength":1})";
    items("insertMany", R"("documents":[)"
                        R"({"_id":{"$numberLong":"1"},"owner":"ann"},)"
                        R"({"_id":{"$numberLong":"2"},"owner":"Ann"},)"
                        R"({"_id":{"$numberLong":"3"},"owner":"\u00e1nn"},)"
                        R"({"_id":{"$numberLong":"4"},"owner":"ann "}])" +
                            collation);
    Device device(server_.port(), server_.log_in());
    device.subscribe({{"Item", "owner == \"ann\""}});
    device.connect();
    device.synchronize();
    const auto holds = [&](std::int64_t key) {
        return device.replica().state().find_object("Item", key) != nullptr;
    };
    EXPECT_TRUE(holds(1));
    EXPECT_FALSE(holds(2) || holds(3) || holds(4));
    // The filter of a remote call compares bytes too: no other document is written.
    items("updateMany", R"("query":{"owner":"ANN"},"update":{"$set":{"owner":"ann"}})" + collation);
    items("updateOne", R"("query":{"owner":"Ann"},"update":{"$set":{"owner":"ann"}})" + collation);
    device.synchronize();
    EXPECT_TRUE(holds(1) && holds(2));
    EXPECT_FALSE(holds(3) || holds(4));
}

TEST_F(SyncLines, h4_each_number_of_sync_moves_under_its_load) {
    const auto metrics = [&] {
        const std::string url = server_.daemon().metrics_url();
        http::RawClient client(
            static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
        client.send("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
        const std::string text = client.receive().body;
        std::map<std::string, double> out;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = std::min(text.find('\n', at), text.size());
            const std::string line = text.substr(at, end - at);
            at = end + 1;
            if (line.starts_with("tombolo_sync_")) {
                out[line.substr(13, line.find_first_of("{ ") - 13)] =
                    std::stod(line.substr(line.rfind(' ')));
            }
        }
        return out;
    };
    const std::string everything = R"j({"Item":"(TRUEPREDICATE)"})j";
    {
        Script first(server_, login_);
        first.open_file(everything);
    }
    const auto before = metrics();
    Script script(server_, server_.log_in());
    script.open_file(everything);
    Script other(server_, server_.log_in());
    other.open_file(everything);
    const std::uint64_t base = script.progress().download.server.value;
    script.upload({{9, base, item(1, "one", "ann", 1)}}, {{9}, {base}}, base);
    script.downloads_until_uploaded(9);
    other.upload({{9, base, item(1, "other", "ann", 1)}}, {{9}, {base}}, base); // they meet
    other.downloads_until_uploaded(9);
    items("insertOne", R"("document":{"_id":{"$numberLong":"5"},"name":"x"})");
    const Operator admin(server_.port(), islands_app);
    admin.import("Item", "insert", R"({"_id":{"$numberLong":"6"},"name":7})"); // does not fit
    // A new object that is not in the subscription is undone.
    script.query(2, R"j({"Item":"(priority < 100)"})j");
    script.mark(3);
    script.downloads_until_mark(3);
    const std::uint64_t later = script.progress().download.server.value;
    script.upload({{10, later, item(9, "out", "ann", 1000)}}, {{10}, {later}}, later);
    while (script.wire().receive().as<protocol::JsonError>() == nullptr) {
    }
    changeset::ChangesetBuilder schema;
    schema.add_column("Item", "more", {changeset::PayloadType::integer, true});
    const std::uint64_t top = other.progress().download.server.value;
    other.upload({{20, top, schema.finish().value()}}, {{20}, {top}}, top); // 225
    while (other.wire().receive().as<protocol::JsonError>() == nullptr) {
    }
    const auto after = metrics();
    for (const char* name : {"connections",
                             "connections_total",
                             "bindings",
                             "sessions_total",
                             "messages_received_total",
                             "messages_sent_total",
                             "received_bytes_total",
                             "sent_bytes_total",
                             "uploads_total",
                             "downloads_total",
                             "errors_total",
                             "app_version",
                             "app_sessions",
                             "app_changesets_total",
                             "app_merges_total",
                             "app_refused_objects_total",
                             "app_refused_uploads_total",
                             "app_outside_changes_total",
                             "app_unsyncable_writes_total",
                             "app_batches_total"}) {
        ASSERT_TRUE(before.contains(name)) << name;
        EXPECT_GT(after.at(name), before.at(name)) << name;
    }
}

TEST_F(SyncLines, h4_each_metric_of_sync_moves_under_its_load) {
    const Operator admin(server_.port(), islands_app);
    const auto metrics = [&] {
        std::map<std::string, std::int64_t> out;
        const boost::json::value answer = admin.ask("GET", "metrics");
        for (const boost::json::value& one : answer.at("measurements").as_array()) {
            const std::string name(one.at("name").as_string());
            for (const boost::json::value& point : one.at("data_points").as_array()) {
                out[name] = std::max(out[name], point.at("value").as_int64());
            }
        }
        return out;
    };
    const auto before = metrics();
    {
        Script script(server_, login_);
        script.open_file(R"j({"Item":"(TRUEPREDICATE)"})j");
        const std::uint64_t base = script.progress().download.server.value;
        script.upload({{9, base, item(1, "one", "ann", 1)}}, {{9}, {base}}, base);
        script.downloads_until_uploaded(9);
        admin.import("Item", "insert", R"({"_id":{"$numberLong":"6"},"name":7})"); // does not fit
        script.query(2, R"j({"Item":"(name == 'x')"})j");                          // not queryable
        while (script.wire().receive().as<protocol::QueryError>() == nullptr) {
        }
        changeset::ChangesetBuilder schema;
        schema.add_column("Item", "more", {changeset::PayloadType::integer, true});
        const std::uint64_t top = script.progress().download.server.value;
        script.upload({{20, top, schema.finish().value()}}, {{20}, {top}}, top); // 225
        while (script.wire().receive().as<protocol::JsonError>() == nullptr) {
        }
    }
    auto after = metrics();
    for (int tries = 0; after["SYNC_SESSIONS_ENDED"] == 0 && tries < 1000; ++tries) {
        after = metrics();
    }
    for (const char* name :
         {"ACTIVE_OPEN_SYNC_SESSIONS", "SYNC_SESSIONS_STARTED", "SYNC_SESSIONS_ENDED",
          "SYNC_CLIENT_UPLOADS_INVALID", "SYNC_CLIENT_READS_INVALID", "SYNC_EGRESS_BYTES",
          "SYNC_SUCCESSFUL_REQUESTS", "SYNC_FAILED_REQUESTS", "SYNC_MINUTES",
          "SYNC_NUM_INTEGRATION_ATTEMPTS", "SYNC_NUM_UNSYNCABLE_DOC", "OVERALL_SYNC_MINUTES"}) {
        ASSERT_TRUE(before.contains(name)) << name;
        EXPECT_GT(after[name], before.at(name)) << name;
    }
    for (const char* name : {"SYNC_UPLOAD_PROPS_MS", "SYNC_CLIENT_BOOTSTRAP_MS", "SYNC_OT_MS",
                             "SYNC_HISTORY_WRITE_MS"}) {
        EXPECT_TRUE(after.contains(name)) << name; // a quick one takes 0 ms
    }
}

} // namespace

TEST(SchemaInference, f12_the_transaction_field_of_app_services_is_left_out) {
    mql::BsonWriter writer;
    writer.append_int64("_id", 1);
    writer.append_int64("x", 1);
    writer.append_int64("_id__baas_transaction", 1);
    const mql::BsonDocument document = std::move(writer).finish();
    SchemaInference inference;
    inference.add(document.view());
    const auto schema = inference.schema("T");
    EXPECT_EQ(schema.at("properties").as_object().size(), 2U);
}

} // namespace tombolo::server
