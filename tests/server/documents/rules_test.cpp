// Actions under rules.

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "server/documents/support.hpp"

namespace tombolo::documents {
namespace {

constexpr std::string_view own_rules =
    "{'roles':[{'name':'own','apply_when':{},'document_filters':{'read':{'$or':[{'owner':"
    "'%%user.id'},{'shared':true}]},'write':{'owner':'%%user.id'}},'read':true,'write':true}],"
    "'filters':[]}";

TEST(DocumentRules, users_see_and_change_what_their_role_permits) {
    Actions actions(app_with(own_rules));
    const auto ann = actions.service().user("ann@example.com");
    const auto bob = actions.service().user("bob@example.com");
    const std::string mine = "'owner':'" + ann.id + "'";
    EXPECT_EQ(actions.as(ann, "insertOne", "{'document':{'_id':1," + mine + "}}"),
              R"({"insertedId":1})");
    EXPECT_EQ(actions.as(bob, "insertOne", "{'document':{'_id':2," + mine + "}}"),
              "403 NoMatchingRuleFound: insert not permitted");
    EXPECT_EQ(actions.as(bob, "find", "{}"), "[]");
    EXPECT_EQ(actions.as(bob, "count", "{}"), "0");
    EXPECT_EQ(actions.as(bob, "aggregate", "{'pipeline':[{'$count':'n'}]}"), "[]");
    EXPECT_EQ(actions.as(bob, "updateMany", "{'query':{},'update':{'$set':{'x':1}}}"),
              R"({"matchedCount":0,"modifiedCount":0})")
        << "what cannot be read is not there";
    EXPECT_EQ(actions.as(ann, "updateOne", "{'query':{},'update':{'$set':{'shared':true}}}"),
              R"({"matchedCount":1,"modifiedCount":1})");
    EXPECT_EQ(actions.as(bob, "count", "{}"), "1");
    EXPECT_EQ(actions.as(bob, "updateMany", "{'query':{},'update':{'$set':{'x':1}}}"),
              "403 NoMatchingRuleFound: update not permitted");
    EXPECT_EQ(actions.as(bob, "deleteOne", "{'query':{}}"),
              "403 NoMatchingRuleFound: delete not permitted");
    EXPECT_EQ(actions.as(bob, "findOneAndDelete", "{'filter':{}}"),
              "403 NoMatchingRuleFound: delete not permitted");
    EXPECT_EQ(
        actions.as(ann, "updateOne", "{'query':{},'update':{'$set':{'owner':'" + bob.id + "'}}}"),
        "403 NoMatchingRuleFound: update not permitted")
        << "giving away";
    EXPECT_EQ(actions.as(ann, "deleteMany", "{'query':{}}"), R"({"deletedCount":1})");
}

TEST(DocumentRules, collections_without_rules_say_so) {
    Actions actions(app_with({}));
    const auto user = actions.service().anonymous();
    EXPECT_EQ(actions.as(user, "find", "{}"),
              "403 NoMatchingRuleFound: no rule exists for namespace 'app.items'");
    Actions ruled(app_with(open_rules));
    const auto other = ruled.service().anonymous();
    EXPECT_EQ(ruled.as(other, "aggregate", "{'pipeline':[{'$unionWith':'secrets'}]}"),
              "403 NoMatchingRuleFound: no rule exists for namespace 'app.secrets'");
}

constexpr std::string_view field_rules =
    "{'roles':[{'name':'reader','fields':{'salary':{'read':false,'write':false}},"
    "'additional_fields':{'read':true,'write':true}}],'filters':[]}";

class HiddenFields : public testing::Test {
  protected:
    HiddenFields() {
        actions_.as_system("insertMany", "{'documents':[{'_id':1,'name':'a','salary':10},"
                                         "{'_id':2,'name':'b','salary':20}]}");
    }
    std::string run(std::string_view action, std::string_view arguments) {
        return actions_.as(user_, action, arguments);
    }

    Actions actions_{app_with(field_rules)};
    server::SignedInUser user_ = actions_.service().anonymous();
};

TEST_F(HiddenFields, are_left_out_and_cannot_be_asked_for) {
    EXPECT_EQ(run("find", "{}"), R"([{"_id":1,"name":"a"},{"_id":2,"name":"b"}])");
    EXPECT_EQ(run("find", "{'query':{'salary':10}}"), "[]");
    EXPECT_EQ(run("count", "{'query':{'salary':{'$exists':true}}}"), "0");
    EXPECT_EQ(run("count", "{'query':{'$expr':{'$gt':['$salary',5]}}}"), "0");
    EXPECT_EQ(run("find", "{'sort':{'salary':-1},'project':{'_id':1}}"),
              R"([{"_id":1},{"_id":2}])");
    EXPECT_EQ(run("aggregate", "{'pipeline':[{'$match':{'salary':20}}]}"), "[]");
    EXPECT_EQ(run("aggregate", "{'pipeline':[{'$group':{'_id':null,'s':{'$sum':'$salary'}}}]}"),
              R"([{"_id":null,"s":0}])");
    EXPECT_EQ(run("findOneAndUpdate", "{'filter':{'_id':1},'update':{'$set':{'name':'c'}},"
                                      "'returnNewDocument':true}"),
              R"({"_id":1,"name":"c"})");
    EXPECT_EQ(actions_.as_system("findOne", "{'query':{'_id':1}}"),
              R"({"_id":1,"name":"c","salary":10})")
        << "they stay";
}

TEST_F(HiddenFields, cannot_be_found_out_by_updates) {
    const std::string denied = "403 NoMatchingRuleFound: update not permitted";
    EXPECT_EQ(run("updateOne", "{'query':{'_id':1},'update':{'$max':{'salary':5}}}"), denied)
        << "which would change nothing";
    EXPECT_EQ(run("updateOne", "{'query':{'_id':1},'update':{'$set':{'salary':10}}}"), denied);
    EXPECT_EQ(run("updateOne", "{'query':{'_id':1},'update':{'$rename':{'salary':'x'}}}"), denied);
    EXPECT_EQ(run("updateOne", "{'query':{'_id':1},'update':[{'$set':{'name':'$salary'}}]}"),
              denied);
    EXPECT_EQ(run("updateOne", "{'query':{'_id':1},'update':{'name':'z'}}"), denied)
        << "a replacement would remove it";
    EXPECT_EQ(run("updateOne", "{'query':{'_id':1},'update':{'$set':{'name':'z'}}}"),
              R"({"matchedCount":1,"modifiedCount":1})");
}

TEST(DocumentRules, custom_data_and_values_decide) {
    server::AppTree tree =
        app_with("{'roles':[{'name':'boss','apply_when':{'%%user.custom_data.level':{'$gte':"
                 "'%%values.bossLevel'}},'read':true,'write':true}],'filters':[]}");
    tree["values/bossLevel.json"] = R"({"name": "bossLevel", "value": 5, "from_secret": false})";
    tree["auth/custom_user_data.json"] =
        R"({"enabled": true, "mongo_service_name": "mongodb-atlas", "database_name": "app",
            "collection_name": "people", "user_id_field": "user"})";
    Actions actions(tree);
    const auto user = actions.service().user("ann@example.com");
    EXPECT_EQ(actions.as(user, "insertOne", "{'document':{}}"),
              "403 NoMatchingRuleFound: insert not permitted");
    actions.as_system("insertOne", "{'document':{'user':'" + user.id + "','level':5}}", "people");
    EXPECT_TRUE(actions.as(user, "insertOne", "{'document':{}}").starts_with(R"({"insertedId)"));
}

TEST(DocumentRules, filters_narrow_queries_and_writes) {
    Actions actions(
        app_with("{'roles':[{'name':'all','read':true,'write':true}],'filters':[{'name':'live',"
                 "'apply_when':{},'query':{'deleted':{'$ne':true}},'projection':{'note':0}}]}"));
    actions.as_system("insertMany",
                      "{'documents':[{'_id':1,'note':'n'},{'_id':2,'deleted':true}]}");
    const auto user = actions.service().anonymous();
    EXPECT_EQ(actions.as(user, "find", "{}"), R"([{"_id":1}])");
    EXPECT_EQ(actions.as(user, "deleteMany", "{'query':{}}"), R"({"deletedCount":1})");
    EXPECT_EQ(actions.as_system("count", "{}"), "1");
}

TEST(DocumentRules, schemas_bind_everybody_who_writes) {
    Actions actions(app_with(open_rules,
                             "{'title':'Item','required':['_id','name'],'properties':{'_id':"
                             "{'bsonType':'objectId'},'name':{'bsonType':'string'}}}"));
    const auto user = actions.service().anonymous();
    EXPECT_EQ(actions.as(user, "insertOne", "{'document':{'name':5}}"),
              "400 SchemaValidationFailedWrite: schema validation failed: expected string, found "
              "int (name)");
    EXPECT_TRUE(actions.as_system("insertOne", "{'document':{}}").starts_with("invalid_document"));
    EXPECT_EQ(actions.as(user, "findOneAndUpdate",
                         "{'filter':{'name':'x'},'update':{'$set':{'name':1}},'upsert':true}"),
              "400 SchemaValidationFailedWrite: insert not permitted");
    EXPECT_EQ(actions.as_system("count", "{}"), "0");
}

TEST(DocumentRules, the_log_says_which_role_denied_and_the_client_does_not_learn_it) {
    const store::TemporaryFolder folder;
    const std::string log = (folder.path() / "log").string();
    std::string answer;
    {
        Actions actions(app_with(own_rules), log);
        const auto user = actions.service().anonymous();
        answer = actions.as(user, "insertOne", "{'document':{'_id':7,'owner':'other'}}");
        actions.as_system("insertOne", "{'document':{'_id':8,'owner':'other'}}");
        actions.as(user, "find", "{}");
    }
    EXPECT_EQ(answer, "403 NoMatchingRuleFound: insert not permitted");
    std::ifstream file(log);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    EXPECT_NE(text.find("access denied"), std::string::npos);
    EXPECT_NE(text.find(R"("role":"own","reason":"document_filters.write","document":"7")"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("documents hidden by rules"), std::string::npos);
    EXPECT_NE(text.find(R"("roles":"own","count":"1")"), std::string::npos);
}

} // namespace
} // namespace tombolo::documents
