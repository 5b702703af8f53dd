// Commands of data sources, client classes, and rules that cannot be understood.

#include <cstdlib>
#include <fstream>
#include <set>

#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>

#include "server/admin/admin_client.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

constexpr const char* source = R"({"name": "mongodb", "type": "mongodb", "config": {}})";

// Apps share the store: each test has a database of its own.
std::string things(const std::string& database) {
    return R"("database_name": ")" + database + R"(", "collection_name": "Thing")";
}

// Documents of a collection, one a line.
AdminAnswer fill(AdminApp& app, const std::string& database, const std::string& service,
                 const std::string& lines) {
    app.query = "?database=" + database + "&collection=Thing";
    AdminAnswer answer = app.post("services/" + service + "/import", lines);
    app.query = "";
    return answer;
}

TEST(AdminCommands, A59_a_generated_schema_fits_the_documents_it_came_from) {
    AdminApp app(shared_server());
    const std::string service = app.post("services", source)["_id"];
    const std::string commands = "services/" + service + "/commands/";
    ASSERT_EQ(fill(app, "fits", service, R"({"_id": 1, "n": 1, "name": "a", "tags": ["x"], "odd": 1}
{"_id": 2, "n": 2.5, "name": null, "tags": [], "odd": "one", "at": {"$date": "2020-01-01T00:00:00Z"}}
{"_id": 3, "n": {"$numberLong": "5"}, "place": {"lat": 1.5, "lng": 2}, "mix": [1, "a", null], "deep": [[1]]})")
                  .status,
              200);
    EXPECT_THAT(app.post(commands + "list_databases").text, HasSubstr("\"fits\""));
    EXPECT_EQ(json::serialize(
                  app.post(commands + "list_collections", R"({"database_name": "fits"})").body),
              R"({"collections":["Thing"]})");
    const AdminAnswer generated =
        app.post(commands + "generate_schema", "{" + things("fits") + R"(, "limit": 100})");
    ASSERT_EQ(generated.status, 200) << generated.text;
    const json::object& schema = generated.object().at("schema").as_object();
    EXPECT_EQ(
        json::serialize(schema),
        R"({"title":"Thing","bsonType":"object","required":["_id"],"properties":{"_id":{"bsonType":"int"},)"
        R"("n":{"bsonType":"double"},"name":{"bsonType":"string"},"tags":{"bsonType":"array","items":{"bsonType":"string"}},)"
        R"("odd":{"bsonType":"mixed"},"at":{"bsonType":"date"},"place":{"bsonType":"object","properties":)"
        R"({"lat":{"bsonType":"double"},"lng":{"bsonType":"int"}}},"mix":{"bsonType":"array","items":{"bsonType":"mixed"}},)"
        R"("deep":{"bsonType":"array","items":{"bsonType":"mixed"}}}})");
    const AdminAnswer fits =
        app.post(commands + "validate_documents",
                 "{" + things("fits") + R"(, "from_schema": )" + json::serialize(schema) + "}");
    ASSERT_EQ(fits.status, 200) << fits.text;
    EXPECT_EQ(fits.object().at("total_processed_count").as_int64(), 3);
    EXPECT_EQ(fits.object().at("total_error_count").as_int64(), 0) << fits.text;
}

TEST(AdminCommands, documents_that_break_a_schema_are_counted_and_named) {
    AdminApp app(shared_server());
    const std::string service = app.post("services", source)["_id"];
    const std::string commands = "services/" + service + "/commands/";
    ASSERT_EQ(fill(app, "breaks", service,
                   "{\"_id\": 1, \"n\": 1}\n{\"_id\": 2, \"n\": \"x\"}\n"
                   "{\"_id\": 3, \"n\": \"y\"}\n{\"_id\": 4, \"n\": 7}")
                  .status,
              200);
    const AdminAnswer answer = app.post(
        commands + "validate_documents",
        "{" + things("breaks") +
            R"(, "query": {"_id": {"$lt": 4}}, "from_schema": {"properties": {"n": {"bsonType": "int"}}}})");
    ASSERT_EQ(answer.status, 200) << answer.text;
    EXPECT_EQ(answer.object().at("total_processed_count").as_int64(), 3);
    EXPECT_EQ(answer.object().at("total_error_count").as_int64(), 2);
    const json::object& error = answer.object().at("errors").as_array().at(0).as_object();
    EXPECT_EQ(string_or(error, "field"), "n");
    EXPECT_EQ(error.at("error_count").as_int64(), 2);
    EXPECT_EQ(json::serialize(error.at("failed_ids")),
              R"([{"$numberInt":"2"},{"$numberInt":"3"}])");
    const AdminAnswer sorted =
        app.post(commands + "generate_schema",
                 "{" + things("breaks") + R"(, "sort": {"_id": -1}, "limit": 1})");
    EXPECT_THAT(sorted.text, HasSubstr(R"("n":{"bsonType":"int"})"));
}

TEST(AdminCommands, unknown_ones_and_wrong_bodies_are_refused) {
    AdminApp app(shared_server());
    const std::string commands = "services/" + app.post("services", source)["_id"] + "/commands/";
    const AdminAnswer unknown = app.post(commands + "drop_everything");
    EXPECT_EQ(unknown.status, 404);
    EXPECT_EQ(unknown["error_code"], "ServiceCommandNotFound");
    EXPECT_EQ(app.get(commands + "build_info").status, 200);
    EXPECT_EQ(app.post(commands + "generate_schema", "{}").status, 400);
    EXPECT_EQ(app.post(commands + "generate_schema", "{" + things("empty") + "}").status, 400)
        << "there are no documents";
    EXPECT_EQ(app.post(commands + "generate_schema",
                       "{" + things("empty") + R"(, "filter": {"a": {"$nonsense": 1}}})")
                  .status,
              400);
    EXPECT_EQ(app.post(commands + "validate_documents", "{" + things("empty") + "}").status, 400);
}

TEST(AdminModels, classes_are_made_for_every_language) {
    AdminApp app(shared_server());
    ASSERT_EQ(app.post("services", source).status, 201);
    ASSERT_EQ(app.post("schemas", R"({"metadata": {"data_source": "mongodb", "database": "db",
        "collection": "dogs"}, "schema": {"title": "Dog", "bsonType": "object",
        "required": ["_id", "name"], "properties": {"_id": {"bsonType": "objectId"},
        "name": {"bsonType": "string"}, "age": {"bsonType": "long"}}}})")
                  .status,
              200);
    for (const char* language : {"C_SHARP", "JAVA", "JAVA_SCRIPT", "KOTLIN", "OBJECTIVE_C", "SWIFT",
                                 "TYPE_SCRIPT", "DART", "C_PLUS_PLUS"}) {
        const AdminAnswer answer = app.get(std::string("sync/client_schemas/") + language);
        ASSERT_EQ(answer.status, 200) << answer.text;
        ASSERT_EQ(answer.array().size(), 1U) << language;
        const json::object& model = answer.array().at(0).as_object();
        EXPECT_EQ(string_or(model, "model_name"), "Dog");
        EXPECT_EQ(string_or(model, "collection_display_name"), "dogs");
        EXPECT_THAT(string_or(model, "schema"), HasSubstr("Dog"));
        EXPECT_FALSE(model.at("import_statements").as_array().empty());
    }
    EXPECT_EQ(app.get("sync/client_schemas/COBOL").status, 400);
}

// Of the compilers that these languages have, CI has this one.
TEST(AdminModels, javascript_classes_are_read_by_a_javascript_engine) {
    AdminApp app(shared_server());
    ASSERT_EQ(app.post("services", source).status, 201);
    for (const char* name : {"Dog", "Owner"}) {
        const std::string other = std::string(name) == "Dog" ? "Owner" : "Dog";
        ASSERT_EQ(app.post("schemas", R"({"metadata": {"data_source": "mongodb", "database": "db",
            "collection": ")" + std::string(name) +
                                          R"("}, "schema": {"title": ")" + name +
                                          R"(", "required": ["_id"], "properties": {
            "_id": {"bsonType": "objectId"}, "a field's-name": {"bsonType": "string"},
            "tags": {"bsonType": "array", "items": {"bsonType": "string"}},
            "inner": {"title": "Inner)" + name +
                                          R"(", "bsonType": "object", "properties":
                {"deep": {"bsonType": "double"}}},
            "others": {"bsonType": "array", "items": {"bsonType": "objectId"}}}},
            "relationships": {"others": {"ref": "#/relationship/mongodb/db/)" +
                                          other + R"(", "foreign_key": "_id", "is_list": true}}})")
                      .status,
                  200);
    }
    std::string text;
    std::set<std::string> imports;
    const AdminAnswer models = app.get("sync/client_schemas/JAVA_SCRIPT");
    for (const json::value& model : models.array()) {
        for (const json::value& line : model.at("import_statements").as_array()) {
            imports.emplace(line.as_string().c_str());
        }
        text += string_or(model.as_object(), "schema") + "\n";
    }
    ASSERT_FALSE(text.empty());
    for (const std::string& line : imports) {
        text.insert(0, line + "\n");
    }
    const TemporaryFolder folder;
    const std::string file = folder.file("models.mjs");
    std::ofstream(file) << text;
    EXPECT_EQ(std::system(("node --check '" + file + "'").c_str()), 0) << text;
}

TEST(AdminRules, what_cannot_be_understood_is_refused_and_its_place_named) {
    AdminApp app(shared_server());
    const std::string service = "services/" + app.post("services", source)["_id"];
    const AdminAnswer refused =
        app.post(service + "/rules", R"({"database": "db", "collection": "Dog", "roles": [
            {"name": "all", "apply_when": {}, "read": {"age": {"$nonsense": 1}}, "write": true}]})");
    EXPECT_EQ(refused.status, 400);
    EXPECT_THAT(refused["error"],
                HasSubstr("data_sources/mongodb/db/Dog/rules.json: roles[0].read"));
    EXPECT_TRUE(app.get(service + "/rules").array().empty());
    EXPECT_EQ(
        app.post(service + "/default_rule", R"({"roles": [{"apply_when": {}, "read": true}]})")
            .status,
        400)
        << "a role without a name";
    EXPECT_EQ(app.post(service + "/rules", R"({"database": "db", "collection": "Dog", "roles": [
            {"name": "all", "apply_when": {}, "read": {"age": {"$gt": 1}}, "write": true}]})")
                  .status,
              201);
    const AdminAnswer imported =
        app.call("POST", "import",
                 R"({"name": "test", "config_version": 20210101, "data_sources": [{"config":
            {"name": "mongodb", "type": "mongodb-atlas", "config": {}}, "rules": [
            {"database": "db", "collection": "Cat", "roles": [{"name": "x", "apply_when": 7}]}]}]})");
    EXPECT_EQ(imported.status, 400) << imported.text;
    EXPECT_THAT(imported["error"], HasSubstr("db/Cat/rules.json: roles[0].apply_when"));
}

} // namespace
} // namespace tombolo::server
