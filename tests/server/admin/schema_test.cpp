// Schemas as clients meet them, over HTTP: what is refused, and what the administrator is told.

#include "server/admin/admin_client.hpp"

namespace tombolo::server {
namespace {

std::string schema(const std::string& properties) {
    return R"({"metadata": {"data_source": "mongodb", "database": "db", "collection": "Dog"},
               "schema": {"title": "Dog", "required": ["_id"], "properties": {
                   "_id": {"bsonType": "int"}, )" +
           properties + "}}}";
}

class Schemas : public ::testing::Test {
  protected:
    Schemas() {
        EXPECT_EQ(app_.post("auth_providers", R"({"type": "anon-user"})").status, 201);
        const AdminAnswer source =
            app_.post("services", R"({"name": "mongodb", "type": "mongodb", "config": {}})");
        EXPECT_EQ(app_.post("services/" + source["_id"] + "/default_rule",
                            R"({"roles": [{"name": "all", "apply_when": {}, "read": true,
                                           "write": true, "insert": true, "delete": true}]})")
                      .status,
                  201);
        token_ = app_.client("POST", "auth/providers/anon-user/login")["access_token"];
        // Documents outlive apps.
        EXPECT_EQ(call("deleteMany", R"("query": {})").status, 200);
    }

    AdminAnswer call(const std::string& action, const std::string& arguments) {
        return app_.client("POST", "functions/call",
                           R"({"service": "mongodb", "name": ")" + action +
                               R"(", "arguments": [{"database": "db", "collection": "Dog", )" +
                               arguments + "}]}",
                           token_);
    }
    void expect_refused(const AdminAnswer& answer) {
        EXPECT_EQ(answer.status, 400) << answer.text;
        EXPECT_EQ(answer["error_code"], "SchemaValidationFailedWrite") << answer.text;
    }

    AdminApp app_{shared_server()};
    std::string token_;
};

TEST_F(Schemas, null_passes_only_while_the_setting_is_on) {
    const std::string setting = "validation_settings/null_type_schema_validation";
    ASSERT_EQ(app_.post("schemas", schema(R"("name": {"bsonType": "string"})")).status, 200);
    EXPECT_EQ(app_.get(setting).text, R"({"enabled":false})");
    expect_refused(call("insertOne", R"("document": {"_id": 1, "name": null})"));
    EXPECT_EQ(app_.put(setting, R"({"enabled": true})").status, 204);
    EXPECT_EQ(app_.get(setting).text, R"({"enabled":true})");
    EXPECT_EQ(call("insertOne", R"("document": {"_id": 1, "name": null})").status, 200);
    EXPECT_EQ(app_.put(setting, R"({"enabled": 1})").status, 400);
    EXPECT_EQ(app_.put(setting, "{}").status, 400);

    // Part of a draft like any other configuration.
    const std::string draft = app_.post("drafts")["_id"];
    EXPECT_EQ(app_.put(setting, R"({"enabled": false})").status, 204);
    EXPECT_EQ(call("insertOne", R"("document": {"_id": 2, "name": null})").status, 200);
    EXPECT_EQ(app_.post("drafts/" + draft + "/deployment").status, 201);
    expect_refused(call("insertOne", R"("document": {"_id": 3, "name": null})"));
    expect_refused(call("updateMany", R"("query": {}, "update": {"$set": {"name": null}})"));
}

TEST_F(Schemas, validate_is_enforced_on_writes_and_must_be_understood) {
    ASSERT_EQ(app_.post("schemas", schema(R"("age": {"bsonType": "int",
        "validate": {"$or": [{"%%prev": {"$exists": false}}, {"%%this": {"$gt": "%%prev"}}]}})"))
                  .status,
              200);
    EXPECT_EQ(call("insertOne", R"("document": {"_id": 1, "age": 3})").status, 200);
    expect_refused(call("updateOne", R"("query": {"_id": 1}, "update": {"$inc": {"age": -1}})"));
    EXPECT_EQ(call("updateOne", R"("query": {"_id": 1}, "update": {"$inc": {"age": 1}})").status,
              200);

    const AdminAnswer schemas = app_.get("schemas");
    const std::string id(schemas.array().at(0).as_object().at("_id").as_string().c_str());
    const AdminAnswer bad =
        app_.put("schemas/" + id, schema(R"("age": {"validate": {"%%this": {"$huh": 1}}})"));
    EXPECT_EQ(bad.status, 400);
    EXPECT_NE(bad["error"].find("data_sources/mongodb/db/Dog/schema.json: properties.age.validate"),
              std::string::npos)
        << bad.text;
}

TEST_F(Schemas, bounds_and_lists_of_values_are_enforced_on_writes) {
    ASSERT_EQ(app_.post("schemas", schema(R"("age": {"bsonType": "int", "minimum": 0},
        "kind": {"enum": ["big", "small"]}, "tags": {"bsonType": "array", "maxItems": 1})"))
                  .status,
              200);
    for (const char* bad : {R"("age": -1)", R"("kind": "tiny")", R"("tags": [1, 2])"}) {
        expect_refused(call("insertOne", R"("document": {"_id": 1, )" + std::string(bad) + "}"));
    }
    EXPECT_EQ(call("insertOne", R"("document": {"_id": 1, "age": 0, "kind": "big"})").status, 200);
    expect_refused(
        call("findOneAndReplace", R"("filter": {"_id": 1}, "update": {"_id": 1, "kind": "tiny"})"));
}

} // namespace
} // namespace tombolo::server
