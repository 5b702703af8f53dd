// A schema that changes while devices are connected: development mode on and off, queryable fields
// that come with a query, additions by an administrator, documents that do not fit, and devices
// whose own schema does not.

#include <thread>

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>

#include "server/runtime/json.hpp"
#include "server/sync_session/operator.hpp"
#include "server/sync_session/script.hpp"

namespace tombolo::server {
namespace {

namespace json = boost::json;
using changeset::ChangesetBuilder;
using changeset::Opcode;
using changeset::PayloadType;
using changeset::TableKind;
using protocol::SyncErrorCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const char* const all_items = R"q({"Item":"(TRUEPREDICATE)"})q";
const char* const named_quay = R"q({"Item":"(name == \"quay\")"})q";

class Development : public ::testing::Test {
  protected:
    Development()
        : server_([](Config& config) { Operator::configure(config); }),
          admin_(server_.port(), islands_app) {}

    void set_development_mode(bool on) {
        admin_.ask("PUT", "sync/config",
                   std::string(R"({"development_mode_enabled":)") + (on ? "true}" : "false}"));
    }

    /// Asks until the answer has the text; fails after half a minute.
    std::string ask_until(const std::string& path, const std::string& text) {
        std::string answer;
        for (int i = 0; i < 3000; ++i) {
            answer = admin_.call("GET", path).text;
            if (answer.find(text) != std::string::npos) {
                return answer;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        ADD_FAILURE() << path << " never said " << text << ": " << answer;
        return answer;
    }

    std::string schema_id(const std::string& collection) {
        const json::value schemas = admin_.ask("GET", "schemas");
        for (const json::value& one : schemas.as_array()) {
            if (string_or(one.at("metadata").as_object(), "collection") == collection) {
                return string_or(one.as_object(), "_id");
            }
        }
        return {};
    }
    /// Adds a property to a collection's schema, as an administrator does.
    void add_property(const std::string& collection, const std::string& name,
                      const std::string& property) {
        const std::string path = "schemas/" + schema_id(collection);
        json::value whole = admin_.ask("GET", path);
        whole.at("schema").at("properties").as_object()[name] = parse_json(property).value();
        admin_.ask("PUT", path, json::serialize(whole));
    }

    /// The text of the error, which must be a 226.
    static std::string expect_query_error(Script& script) {
        const auto incoming = script.wire().receive();
        const auto* error = incoming.as<protocol::QueryError>();
        if (error == nullptr) {
            throw std::runtime_error("QUERY_ERROR was expected, not " + incoming.head());
        }
        EXPECT_EQ(error->code, 226);
        return std::string(error->message_text);
    }

    IslandsServer server_;
    Operator admin_;
};

TEST_F(Development, a_query_makes_its_field_queryable_only_in_development_mode) {
    Script script(server_, server_.log_in());
    script.open_file(all_items);
    script.query(2, named_quay);
    EXPECT_THAT(expect_query_error(script),
                HasSubstr(R"("Item": key "name" is not a queryable field)"));
    EXPECT_THAT(ask_until("logs?type=SYNC_ERROR", "is not a queryable field"),
                HasSubstr("the device keeps its subscriptions from before"));

    set_development_mode(true);
    script.query(3, named_quay);
    script.mark(3);
    script.downloads_until_mark(3);
    ask_until("services/" + admin_.service() + "/config",
              R"("collection_queryable_fields_names":{"Item":["name"]})");

    set_development_mode(false);
    script.query(4, R"q({"Item":"(name == \"mole\")"})q"); // stays queryable
    script.mark(4);
    script.downloads_until_mark(4);
    script.query(5, R"q({"Item":"(tags.@count > 1)"})q");
    EXPECT_THAT(expect_query_error(script), HasSubstr("tags"));
    // A later connection, and a server that was started again.
    server_.restart();
    Device device(server_.port(), server_.log_in());
    device.subscribe({{"Item", R"(name == "quay")"}});
    device.connect();
    device.synchronize();
}

TEST_F(Development, a_mark_from_before_a_refused_schema_is_answered_before_the_error) {
    Script script(server_, server_.log_in());
    const protocol::SaltedFileIdent file = script.bind_new();
    script.ident(file);
    script.mark(1);
    ChangesetBuilder more;
    more.add_table("Boat", TableKind::top_level, "_id", PayloadType::object_id, false);
    script.upload({{2, 0, more.finish().value()}}, {{2}, {0}}, 0);
    script.mark(2);
    script.downloads_until_mark(1);
    script.expect_error(SyncErrorCode::invalid_schema_change);
}

TEST_F(Development, a_clients_classes_and_properties_become_the_apps) {
    set_development_mode(true);
    // Documents had the field before anybody declared it.
    admin_.import("Item", "insert",
                  R"({"_id":{"$numberLong":"1"},"name":"quay","depth":{"$numberLong":"9"}})");
    Device ann(server_.port(), server_.log_in());
    Device bob(server_.port(), server_.log_in());
    for (Device* device : {&ann, &bob}) {
        device->write(islands_schema());
        device->subscribe({{"Item", "(TRUEPREDICATE)"}});
        device->connect();
        device->synchronize();
    }
    ChangesetBuilder more;
    more.add_table("Boat", TableKind::top_level, "_id", PayloadType::object_id, false);
    more.add_column("Boat", "name", {PayloadType::string, false});
    more.add_column("Item", "depth", {PayloadType::integer, true});
    ann.write(more.finish().value());
    ann.synchronize();
    bob.synchronize();
    for (Device* device : {&ann, &bob}) {
        const Object* found = device->replica().state().find_object("Item", std::int64_t{1});
        ASSERT_NE(found, nullptr);
        const Value* depth = found->fields.find("depth");
        ASSERT_NE(depth, nullptr);
        EXPECT_TRUE(identical(*depth, Value(9)));
    }
    ask_until("schemas", R"("collection":"Boat")");
    EXPECT_THAT(admin_.call("GET", "schemas/" + schema_id("Boat")).text,
                HasSubstr(R"("required":["_id","name"])"));
    EXPECT_THAT(admin_.call("GET", "schemas/" + schema_id("Item")).text,
                HasSubstr(R"("depth":{"bsonType":"long"})"));
    // What a client declared is written through the engine from now on.
    ann.subscribe({{"Item", "(TRUEPREDICATE)"}, {"Boat", "(TRUEPREDICATE)"}});
    ann.synchronize();
    admin_.import("Boat", "insert", R"({"_id":{"$oid":"64f0a1b2c3d4e5f601234567"},"name":"Tern"})");
    ann.synchronize();
    EXPECT_EQ(ann.replica().state().find_class("Boat")->objects.size(), 1u);
}

TEST_F(Development, an_administrators_addition_reaches_connected_devices_with_its_values) {
    admin_.import("Item", "insert",
                  R"({"_id":{"$numberLong":"1"},"depth":{"$numberLong":"9"}})"
                  "\n"
                  R"({"_id":{"$numberLong":"2"}})");
    Device device(server_.port(), server_.log_in());
    device.subscribe({{"Item", "(TRUEPREDICATE)"}});
    device.connect();
    device.synchronize();
    add_property("Item", "depth", R"({"bsonType":"long"})");
    // The deployment is answered before sync has taken it.
    const Value* depth = nullptr;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (depth == nullptr && std::chrono::steady_clock::now() < until) {
        device.synchronize();
        const Object* found = device.replica().state().find_object("Item", std::int64_t{1});
        ASSERT_NE(found, nullptr);
        depth = found->fields.find("depth");
    }
    ASSERT_NE(depth, nullptr);
    EXPECT_TRUE(identical(*depth, Value(9)));
}

TEST_F(Development, documents_that_do_not_fit_are_listed_and_join_when_they_are_repaired) {
    Device device(server_.port(), server_.log_in());
    device.subscribe({{"T", "(TRUEPREDICATE)"}});
    device.connect();
    device.synchronize();
    const auto count = [&] {
        device.synchronize();
        const auto* found = device.replica().state().find_class("T");
        return found == nullptr ? std::size_t{0} : found->objects.size();
    };
    const std::string fits =
        R"({"_id":{"$numberLong":"1"},"q":{"$numberLong":"1"},"x":{"$numberLong":"1"}})";
    const std::string lacks_x = R"({"_id":{"$numberLong":"1"},"q":{"$numberLong":"1"}})";
    admin_.import("T", "insert", fits);
    EXPECT_EQ(count(), 1u);
    admin_.import("T", "upsert", lacks_x);
    EXPECT_EQ(count(), 0u);
    const json::value listed = admin_.ask("GET", "sync/unsynced_documents");
    ASSERT_EQ(listed.at("documents").as_array().size(), 1u) << json::serialize(listed);
    const json::object& one = listed.at("documents").at(0).as_object();
    EXPECT_EQ(json::serialize(one.at("ns")), R"({"db":"app","coll":"T"})");
    EXPECT_EQ(json::serialize(one.at("documentId")), "1");
    EXPECT_THAT(string_or(one, "reason"), HasSubstr("x"));
    // Page by page.
    admin_.import("T", "insert", R"({"_id":{"$numberLong":"2"},"q":"one"})");
    const json::value first = admin_.ask("GET", "sync/unsynced_documents?limit=1");
    ASSERT_EQ(first.at("documents").as_array().size(), 1u);
    const json::value second = admin_.ask("GET", "sync/unsynced_documents?limit=1&after=" +
                                                     string_or(first.as_object(), "next"));
    EXPECT_EQ(json::serialize(second.at("documents").at(0).at("documentId")), "2");

    admin_.import("T", "upsert", fits);
    EXPECT_EQ(count(), 1u);
    EXPECT_EQ(admin_.ask("GET", "sync/unsynced_documents").at("documents").as_array().size(), 1u);
}

TEST_F(Development, a_device_that_refuses_the_schema_is_reset_once_and_then_told_the_difference) {
    const Login login = server_.log_in();
    for (const bool is_first : {true, false}) {
        Script script(server_, login);
        const protocol::SaltedFileIdent file = script.bind_new();
        script.ident(file);
        script.download();
        script.wire().send(protocol::ClientError{
            {1}, 212, "Property 'Item.name' has been changed from 'string' to 'int'"});
        if (is_first) {
            const protocol::JsonError error = script.expect_error(SyncErrorCode::bad_client_file);
            EXPECT_EQ(error.body.action, protocol::ErrorAction::client_reset);
        } else {
            const protocol::JsonError error =
                script.expect_error(SyncErrorCode::invalid_schema_change);
            EXPECT_FALSE(error.body.try_again);
            EXPECT_THAT(error.body.message, HasSubstr("'Item.name' has been changed"));
            EXPECT_THAT(error.body.message, HasSubstr("class \"Item\" is {_id: Int"));
            EXPECT_THAT(ask_until("logs?type=SYNC_ERROR", "InvalidSchemaChange"),
                        HasSubstr("the device stops syncing the file"));
        }
    }
}

TEST_F(Development, live_sessions_are_listed) {
    const Login login = server_.log_in();
    Script script(server_, login);
    const protocol::SaltedFileIdent file = script.open_file(all_items);
    const json::value listed = admin_.ask("GET", "sync/sessions");
    ASSERT_EQ(listed.as_array().size(), 1u) << json::serialize(listed);
    EXPECT_EQ(string_or(listed.at(0).as_object(), "user_id"), login.user_id);
    EXPECT_EQ(listed.at(0).at("file_ident").as_int64(),
              static_cast<std::int64_t>(file.ident.value));
    script.unbind();
    script.expect_unbound();
    EXPECT_EQ(admin_.ask("GET", "sync/sessions").as_array().size(), 0u);
}

} // namespace
} // namespace tombolo::server
