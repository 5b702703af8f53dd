// Writes that no device makes - remote collection calls, functions, import - reach devices as
// minimal changesets, whether a device is there when they come or not.

#include <gtest/gtest.h>

#include "changeset/codec.hpp"
#include "server/http/raw_client.hpp"
#include "server/runtime/json.hpp"
#include "server/sync_session/operator.hpp"
#include "server/sync_session/script.hpp"

namespace tombolo::server {
namespace {

using changeset::Opcode;

const char* const all_items = R"q({"Item":"(TRUEPREDICATE)"})q";

class OutsideWrites : public ::testing::Test {
  protected:
    OutsideWrites()
        : server_([](Config& config) { Operator::configure(config); }), login_(server_.log_in()) {}

    /// One action on the items as a user; the answer's text.
    std::string items(const std::string& action, const std::string& arguments) {
        return ask_collection(server_.port(), islands_app, login_, "Item", action, arguments);
    }
    std::string insert(const std::string& document) {
        return items("insertOne", R"("document":)" + document);
    }
    std::string update(const std::string& id, const std::string& change) {
        return items("updateOne",
                     R"("query":{"_id":{"$numberLong":")" + id + R"("}},"update":)" + change);
    }

    /// What the next DOWNLOAD says, instruction by instruction.
    static std::vector<Opcode> next_opcodes(Script& script) {
        std::vector<Opcode> out;
        for (const changeset::Changeset& each : script.download().changesets()) {
            for (const changeset::Instruction& one : each.instructions()) {
                out.push_back(one.op);
            }
        }
        return out;
    }

    IslandsServer server_;
    Login login_;
};

TEST_F(OutsideWrites, remote_calls_arrive_as_minimal_changesets) {
    Script script(server_, server_.log_in());
    script.open_file(all_items);
    insert(R"({"_id":{"$numberLong":"1"},"name":"quay","priority":{"$numberLong":"2"},)"
           R"("tags":["a","b","d"]})");
    EXPECT_EQ(next_opcodes(script),
              (std::vector{Opcode::create_object, Opcode::update, Opcode::update,
                           Opcode::array_insert, Opcode::array_insert, Opcode::array_insert}));
    update("1", R"({"$set":{"name":"pier"}})");
    EXPECT_EQ(next_opcodes(script), std::vector{Opcode::update});
    update("1", R"({"$set":{"tags":["a","b","c","d"]}})");
    EXPECT_EQ(next_opcodes(script), std::vector{Opcode::array_insert});
    items("deleteOne", R"("query":{"name":"pier"})");
    EXPECT_EQ(next_opcodes(script), std::vector{Opcode::erase_object});
}

TEST_F(OutsideWrites, a_functions_write_arrives) {
    Script script(server_, server_.log_in());
    script.open_file(all_items);
    insert(R"({"_id":{"$numberLong":"1"},"name":"quay"})");
    script.download();
    const std::string answer =
        ask_data_source(server_.port(), islands_app, login_,
                        R"({"name":"rename","arguments":[{"$numberLong":"1"},"mole"]})");
    const ScriptDownload download = script.download();
    ASSERT_EQ(download.entries.size(), 1u) << answer;
    EXPECT_EQ(download.count(Opcode::update, "Item"), 1u);
    EXPECT_EQ(download.count(Opcode::create_object, "Item"), 0u);
}

TEST_F(OutsideWrites, an_import_arrives) {
    const Operator admin(server_.port(), islands_app);
    Device device(server_.port(), server_.log_in());
    device.subscribe({{"Item", "priority < 10"}});
    device.connect();
    device.synchronize();
    std::string lines;
    for (int id = 0; id < 2'500; ++id) {
        lines += R"({"_id":{"$numberLong":")" + std::to_string(id) +
                 R"("},"priority":{"$numberLong":")" + std::to_string(id % 100) + "\"}}\n";
    }
    admin.import("Item", "insert", lines);
    device.synchronize();
    EXPECT_EQ(device.replica().state().find_class("Item")->objects.size(), 250u);
    // Again, with one that moves into the view: those that are there already are refused alone.
    const boost::json::value again =
        admin.import("Item", "insert",
                     lines + R"({"_id":{"$numberLong":"9999"},"priority":{"$numberLong":"1"}})");
    EXPECT_EQ(again.at("written").as_int64(), 1);
    device.synchronize();
    EXPECT_EQ(device.replica().state().find_class("Item")->objects.size(), 251u);
}

TEST_F(OutsideWrites, callers_are_answered_as_by_the_store) {
    Device device(server_.port(), server_.log_in());
    device.subscribe({{"Item", "(TRUEPREDICATE)"}});
    device.connect();
    device.synchronize();
    insert(R"({"_id":{"$numberLong":"1"},"name":"quay"})");
    const std::string twice = insert(R"({"_id":{"$numberLong":"1"},"name":"other"})");
    EXPECT_NE(twice.find("uplicate key"), std::string::npos) << twice;
    const std::string counts =
        items("updateMany", R"("query":{},"update":{"$inc":{"priority":{"$numberLong":"1"}}})");
    EXPECT_NE(counts.find(R"("modifiedCount":{"$numberInt":"1"})"), std::string::npos) << counts;
    device.synchronize();
    const Object* found = device.replica().state().find_object("Item", std::int64_t{1});
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(*found->fields.find("name")->get_if<std::string>(), "quay");
    EXPECT_EQ(*found->fields.find("priority")->get_if<std::int64_t>(), 1);
}

TEST_F(OutsideWrites, a_device_that_comes_back_after_a_restart_gets_what_it_missed) {
    Device device(server_.port(), server_.log_in());
    device.write(islands_schema());
    device.subscribe({{"Item", "(TRUEPREDICATE)"}});
    device.connect();
    device.write(item(1, "quay", "ann", 1));
    device.write(item(2, "mole", "ann", 1));
    device.synchronize();
    device.disconnect();
    server_.restart(); // no engine runs until somebody needs it
    update("1", R"({"$set":{"name":"pier"}})");
    items("deleteOne", R"("query":{"name":"mole"})");
    insert(R"({"_id":{"$numberLong":"3"},"name":"dyke"})");
    device.set_port(server_.port());
    device.connect();
    device.synchronize();
    const auto& objects = device.replica().state().find_class("Item")->objects;
    EXPECT_EQ(objects.size(), 2u);
    const Object* found = device.replica().state().find_object("Item", std::int64_t{1});
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(*found->fields.find("name")->get_if<std::string>(), "pier");
    EXPECT_NE(device.replica().state().find_object("Item", std::int64_t{3}), nullptr);
}

TEST_F(OutsideWrites, documents_from_before_the_first_device_are_bootstrapped) {
    insert(R"({"_id":{"$numberLong":"1"},"name":"quay"})");
    update("1", R"({"$set":{"name":"pier"}})");
    Device device(server_.port(), server_.log_in());
    device.subscribe({{"Item", "(TRUEPREDICATE)"}});
    device.connect();
    device.synchronize();
    EXPECT_NE(device.replica().state().find_object("Item", std::int64_t{1}), nullptr);
}

TEST_F(OutsideWrites, fields_that_devices_do_not_see_send_nothing) {
    Script script(server_, server_.log_in());
    script.open_file(all_items);
    insert(R"({"_id":{"$numberLong":"1"},"name":"quay"})");
    script.download();
    update("1", R"({"$set":{"keeper":"nobody"}})");
    update("1", R"({"$set":{"name":"pier"}})");
    EXPECT_EQ(next_opcodes(script), std::vector{Opcode::update});
    EXPECT_NE(items("findOne", R"("query":{})").find("nobody"), std::string::npos);
}

TEST_F(OutsideWrites, and_devices_writes_reach_watch_streams) {
    Device device(server_.port(), server_.log_in());
    device.write(islands_schema());
    device.subscribe({{"Item", "(TRUEPREDICATE)"}});
    device.connect();
    device.synchronize();
    const std::string call =
        R"({"name":"watch","service":"mongodb-atlas","arguments":[{"database":"app",)"
        R"("collection":"Item"}]})";
    http::RawClient watcher(server_.port());
    watcher.send("GET /api/client/v2.0/app/" + std::string(islands_app) +
                 "/functions/call?baas_at=" + login_.access_token +
                 "&baas_request=" + to_base64url(as_bytes(call)) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(watcher.receive_until("\r\n\r\n"));
    insert(R"({"_id":{"$numberLong":"1"},"name":"quay"})");
    EXPECT_TRUE(watcher.receive_until("quay"));
    device.write(item(2, "mole", "ann", 1));
    device.synchronize();
    EXPECT_TRUE(watcher.receive_until("mole"));
}

TEST_F(OutsideWrites, and_a_devices_edit_of_the_same_object_merge) {
    Device device(server_.port(), server_.log_in());
    device.write(islands_schema());
    device.subscribe({{"Item", "(TRUEPREDICATE)"}});
    device.connect();
    device.write(item(1, "quay", "ann", 1));
    device.synchronize();
    device.disconnect();
    changeset::ChangesetBuilder edit;
    edit.update({"Item", std::int64_t{1}, "priority"}, std::int64_t{7});
    device.write(edit.finish().value());
    update("1", R"({"$set":{"name":"pier"}})");
    device.connect();
    device.synchronize();
    const Object* found = device.replica().state().find_object("Item", std::int64_t{1});
    EXPECT_EQ(*found->fields.find("name")->get_if<std::string>(), "pier");
    EXPECT_EQ(*found->fields.find("priority")->get_if<std::int64_t>(), 7);
    const std::string stored = items("findOne", R"("query":{})");
    EXPECT_NE(stored.find("pier"), std::string::npos) << stored;
    EXPECT_NE(stored.find(R"("priority":{"$numberLong":"7"})"), std::string::npos) << stored;
}

} // namespace
} // namespace tombolo::server
