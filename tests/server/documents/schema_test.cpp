// What schemas bind writers to beyond types: nulls, and "validate".

#include <gtest/gtest.h>

#include "server/documents/support.hpp"

namespace tombolo::documents {
namespace {

std::string item(std::string_view properties) {
    return "{'title':'Item','required':['_id'],'properties':{'_id':{'bsonType':'int'}," +
           std::string(properties) + "}}";
}

TEST(DocumentNulls, are_refused_in_optional_fields_unless_the_setting_lets_them_pass) {
    const server::AppTree tree = app_with(
        open_rules, item("'name':{'bsonType':'string'},'any':{'bsonType':'mixed'},"
                         "'free':{'bsonType':['string','null']},"
                         "'inner':{'bsonType':'object','properties':{'n':{'bsonType':'int'}}},"
                         "'list':{'bsonType':'array','items':{'bsonType':'int'}}"));
    const std::string refused =
        "400 SchemaValidationFailedWrite: schema validation failed: expected ";
    {
        Actions actions(tree);
        const auto user = actions.service().anonymous();
        EXPECT_EQ(actions.as(user, "insertOne", "{'document':{'_id':1,'name':null}}"),
                  refused + "string, found null (name)");
        EXPECT_EQ(actions.as(user, "insertOne", "{'document':{'_id':1,'inner':{'n':null}}}"),
                  refused + "int, found null (inner.n)");
        EXPECT_TRUE(actions.as_system("insertOne", "{'document':{'_id':1,'name':null}}")
                        .starts_with("invalid_document"));
        EXPECT_EQ(actions.as(user, "insertOne",
                             "{'document':{'_id':1,'any':null,'free':null,'other':null}}"),
                  R"({"insertedId":1})");
        EXPECT_EQ(
            actions.as(user, "updateOne", "{'query':{'_id':1},'update':{'$set':{'name':null}}}"),
            refused + "string, found null (name)");
    }
    Actions actions(tree);
    server::AppRepository& apps = actions.service().context().apps;
    ASSERT_TRUE(apps.edit(actions.service().app()->id, {"test", "API", actions.service().now_ms},
                          [](server::AppTree& edited, const server::App&) -> Result<void> {
                              edited[std::string(server::validation_file)] =
                                  R"({"null_type_schema_validation": true})";
                              return {};
                          }));
    const auto user = actions.service().anonymous();
    EXPECT_EQ(
        actions.as(user, "insertOne", "{'document':{'_id':1,'name':null,'inner':{'n':null}}}"),
        R"({"insertedId":1})");
    EXPECT_EQ(actions.as(user, "insertOne", "{'document':{'_id':null}}"),
              refused + "int, found null (_id)")
        << "it is required";
    EXPECT_EQ(actions.as(user, "insertOne", "{'document':{'_id':2,'list':[null]}}"),
              refused + "int, found null (list.0)")
        << "an element is no optional field";
}

TEST(DocumentValidate, asks_the_value_before_and_after_and_who_writes) {
    Actions actions(
        app_with(open_rules,
                 item("'count':{'bsonType':'int','validate':{'$or':[{'%%prev':{'$exists':false}},"
                      "{'%%this':{'$gte':'%%prev'}}]}},"
                      "'owner':{'bsonType':'string','validate':{'%%this':'%%user.id'}},"
                      "'inner':{'bsonType':'object','properties':{'low':{'validate':"
                      "{'%%this':{'$lt':'%%root.count'}}}}}")));
    const auto user = actions.service().anonymous();
    const std::string refused =
        "400 SchemaValidationFailedWrite: schema validation failed: the schema's 'validate' is "
        "false ";
    EXPECT_EQ(
        actions.as(user, "insertOne", "{'document':{'_id':1,'count':5,'owner':'" + user.id + "'}}"),
        R"({"insertedId":1})");
    EXPECT_EQ(actions.as(user, "insertOne", "{'document':{'_id':2,'owner':'another'}}"),
              refused + "(owner)");
    EXPECT_EQ(actions.as(user, "updateOne", "{'query':{'_id':1},'update':{'$set':{'count':4}}}"),
              refused + "(count)");
    EXPECT_EQ(actions.as(user, "updateOne", "{'query':{'_id':1},'update':{'$set':{'count':6}}}"),
              R"({"matchedCount":1,"modifiedCount":1})");
    EXPECT_EQ(
        actions.as(user, "updateOne", "{'query':{'_id':1},'update':{'$set':{'inner.low':7}}}"),
        refused + "(inner.low)");
    EXPECT_EQ(
        actions.as(user, "updateOne", "{'query':{'_id':1},'update':{'$set':{'inner.low':3}}}"),
        R"({"matchedCount":1,"modifiedCount":1})");
    EXPECT_EQ(actions.as_system("updateOne", "{'query':{'_id':1},'update':{'$set':{'count':1}}}"),
              R"({"matchedCount":1,"modifiedCount":1})")
        << "rules do not bind the system";
    EXPECT_TRUE(
        actions.as_system("updateOne", "{'query':{'_id':1},'update':{'$set':{'count':'x'}}}")
            .starts_with("invalid_document"))
        << "types do";
}

TEST(DocumentValidate, refuses_writes_when_it_cannot_be_understood) {
    Actions actions(
        app_with(open_rules, item("'count':{'bsonType':'int','validate':{'$nonsense':[1]}}")));
    const auto user = actions.service().anonymous();
    EXPECT_EQ(actions.as(user, "insertOne", "{'document':{'_id':1,'count':5}}"),
              "400 SchemaValidationFailedWrite: schema validation failed: the schema's 'validate' "
              "cannot be understood (count)");
}

} // namespace
} // namespace tombolo::documents
