// The actions by their results (client-http-api.md 7.1, 7.2).

#include <gtest/gtest.h>

#include "server/documents/support.hpp"

namespace tombolo::documents {
namespace {

class DocumentActions : public testing::Test {
  protected:
    std::string run(std::string_view action, std::string_view arguments) {
        return actions_.as_system(action, arguments);
    }
    void insert_three() {
        ASSERT_EQ(run("insertMany", "{'documents':[{'_id':1,'a':3,'t':'x'},{'_id':2,'a':1,'t':'y'},"
                                    "{'_id':3,'a':2,'t':'x'}]}"),
                  R"({"insertedIds":[1,2,3]})");
    }

    Actions actions_{app_with(open_rules)};
};

TEST_F(DocumentActions, find_takes_query_projection_sort_and_limit) {
    EXPECT_EQ(run("find", "{}"), "[]");
    EXPECT_EQ(run("findOne", "{}"), "null");
    insert_three();
    EXPECT_EQ(run("find", "{'query':{'t':'x'}}"),
              R"([{"_id":1,"a":3,"t":"x"},{"_id":3,"a":2,"t":"x"}])");
    EXPECT_EQ(run("find", "{'sort':{'a':1},'project':{'a':1,'_id':0}}"),
              R"([{"a":1},{"a":2},{"a":3}])");
    EXPECT_EQ(run("find", "{'sort':{'a':-1},'limit':2,'project':{'_id':1}}"),
              R"([{"_id":1},{"_id":3}])");
    EXPECT_EQ(run("findOne", "{'query':{'a':{'$lt':3}},'sort':{'a':-1}}"),
              R"({"_id":3,"a":2,"t":"x"})");
    EXPECT_EQ(run("findOne", "{'query':{'_id':2}}"), R"({"_id":2,"a":1,"t":"y"})");
    EXPECT_EQ(run("findOne", "{'query':{'_id':{'$in':[7,3]}}}"), R"({"_id":3,"a":2,"t":"x"})");
    EXPECT_EQ(run("count", "{'query':{'t':'x'}}"), "2");
    EXPECT_EQ(run("count", "{'limit':1}"), "1");
}

TEST_F(DocumentActions, results_have_the_bson_types_that_clients_cast_to) {
    const auto user = actions_.service().anonymous();
    const auto raw = [&](const std::string& name, const std::string& rest) {
        return actions_.service()
            .post("functions/call",
                  R"({"name":")" + name +
                      R"(","service":"mongodb-atlas","arguments":[{"database":"app",)" +
                      R"("collection":"items",)" + json(rest) + "}]}",
                  user.access)
            .text;
    };
    EXPECT_EQ(raw("insertOne", "'document':{'_id':'k','n':5}"), R"({"insertedId":"k"})");
    EXPECT_EQ(raw("count", "'query':{}"), R"({"$numberLong":"1"})");
    EXPECT_EQ(raw("updateOne", "'query':{},'update':{'$set':{'n':6}}"),
              R"({"matchedCount":{"$numberInt":"1"},"modifiedCount":{"$numberInt":"1"}})");
    EXPECT_EQ(raw("deleteMany", "'query':{}"), R"({"deletedCount":{"$numberInt":"1"}})");
    EXPECT_EQ(raw("findOne", "'query':{}"), "null");
}

TEST_F(DocumentActions, inserts_make_ids_and_refuse_the_same_id_twice) {
    const std::string made = run("insertOne", "{'document':{'a':1}}");
    EXPECT_TRUE(made.starts_with(R"({"insertedId":{"$oid":")")) << made;
    EXPECT_TRUE(run("findOne", "{}").starts_with(R"({"_id":{"$oid")")) << "_id comes first";
    ASSERT_EQ(run("insertOne", "{'document':{'_id':1}}"), R"({"insertedId":1})");
    EXPECT_TRUE(run("insertOne", "{'document':{'_id':1}}").starts_with("duplicate_key"));
    EXPECT_TRUE(run("insertMany", "{'documents':[{'_id':8},{'_id':8}]}").starts_with("duplicate"));
    EXPECT_EQ(run("count", "{'query':{'_id':8}}"), "0") << "all or nothing";
    EXPECT_EQ(run("insertMany", "{'documents':[]}"), R"({"insertedIds":[]})");
    EXPECT_TRUE(run("insertOne", "{'document':{'$a':1}}").starts_with("invalid_argument"));
    EXPECT_TRUE(run("insertOne", "{'document':{'_id':[1]}}").starts_with("invalid_argument"));
}

TEST_F(DocumentActions, updates_count_matched_and_modified) {
    insert_three();
    EXPECT_EQ(run("updateMany", "{'query':{'t':'x'},'update':{'$set':{'a':3}}}"),
              R"({"matchedCount":2,"modifiedCount":1})");
    EXPECT_EQ(run("updateOne", "{'query':{'t':'x'},'update':{'$inc':{'a':1}}}"),
              R"({"matchedCount":1,"modifiedCount":1})");
    EXPECT_EQ(run("updateOne", "{'query':{'_id':9},'update':{'$set':{'a':1}}}"),
              R"({"matchedCount":0,"modifiedCount":0})");
    EXPECT_EQ(run("find", "{'project':{'a':1}}"),
              R"([{"_id":1,"a":4},{"_id":2,"a":1},{"_id":3,"a":3}])");
}

TEST_F(DocumentActions, a_plain_document_replaces_each_match) {
    insert_three();
    EXPECT_EQ(run("updateMany", "{'query':{},'update':{'n':1}}"),
              R"({"matchedCount":3,"modifiedCount":3})");
    EXPECT_EQ(run("find", "{}"), R"([{"_id":1,"n":1},{"_id":2,"n":1},{"_id":3,"n":1}])");
}

TEST_F(DocumentActions, upserts_tell_the_id_they_made) {
    EXPECT_EQ(run("updateOne", "{'query':{'_id':5,'k':1},'update':{'$set':{'a':2}},'upsert':true}"),
              R"({"matchedCount":0,"modifiedCount":0,"upsertedId":5})");
    EXPECT_EQ(run("findOne", "{}"), R"({"_id":5,"k":1,"a":2})");
    const std::string made = run("updateMany", "{'query':{'k':2},'update':{'n':1},'upsert':true}");
    EXPECT_TRUE(made.starts_with(R"({"matchedCount":0,"modifiedCount":0,"upsertedId":{"$oid")"));
    EXPECT_EQ(run("findOne", "{'query':{'n':1},'project':{'_id':0}}"), R"({"n":1})")
        << "a replacement takes nothing from the filter";
    EXPECT_EQ(run("updateOne", "{'query':{'_id':5},'update':{'$set':{'a':3}},'upsert':true}"),
              R"({"matchedCount":1,"modifiedCount":1})");
}

TEST_F(DocumentActions, array_filters_reach_into_arrays) {
    run("insertOne", "{'document':{'_id':1,'g':[5,9,12]}}");
    EXPECT_EQ(run("updateOne", "{'query':{},'update':{'$set':{'g.$[x]':10}},"
                               "'arrayFilters':[{'x':{'$gte':9}}]}"),
              R"({"matchedCount":1,"modifiedCount":1})");
    EXPECT_EQ(run("findOne", "{'project':{'g':1,'_id':0}}"), R"({"g":[5,10,10]})");
    EXPECT_EQ(run("updateOne", "{'query':{'g':5},'update':{'$set':{'g.$':6}}}"),
              R"({"matchedCount":1,"modifiedCount":1})");
}

TEST_F(DocumentActions, deletes_count) {
    insert_three();
    EXPECT_EQ(run("deleteOne", "{'query':{'t':'x'}}"), R"({"deletedCount":1})");
    EXPECT_EQ(run("deleteMany", "{'query':{}}"), R"({"deletedCount":2})");
    EXPECT_EQ(run("deleteMany", "{'query':{}}"), R"({"deletedCount":0})");
}

TEST_F(DocumentActions, find_one_and_returns_the_old_document_unless_told_otherwise) {
    insert_three();
    EXPECT_EQ(run("findOneAndUpdate", "{'filter':{'_id':1},'update':{'$inc':{'a':1}}}"),
              R"({"_id":1,"a":3,"t":"x"})");
    EXPECT_EQ(run("findOneAndUpdate", "{'filter':{'_id':1},'update':{'$inc':{'a':1}},"
                                      "'returnNewDocument':true,'projection':{'a':1,'_id':0}}"),
              R"({"a":5})");
    EXPECT_EQ(run("findOneAndReplace", "{'filter':{},'sort':{'a':1},'update':{'n':1},"
                                       "'returnNewDocument':true}"),
              R"({"_id":2,"n":1})");
    EXPECT_EQ(run("findOneAndDelete", "{'filter':{'t':'x'},'sort':{'_id':-1}}"),
              R"({"_id":3,"a":2,"t":"x"})");
    EXPECT_EQ(run("findOneAndUpdate", "{'filter':{'_id':9},'update':{'$set':{'a':1}}}"), "null");
    EXPECT_EQ(
        run("findOneAndUpdate", "{'filter':{'_id':9},'update':{'$set':{'a':1}},'upsert':true}"),
        "null");
    EXPECT_EQ(run("findOneAndReplace", "{'filter':{'_id':10},'update':{'a':1},'upsert':true,"
                                       "'returnNewDocument':true}"),
              R"({"_id":10,"a":1})");
    EXPECT_EQ(run("findOneAndReplace", "{'filter':{'_id':9}}"), R"({"_id":9,"a":1})");
    EXPECT_EQ(run("findOne", "{'query':{'_id':9}}"), R"({"_id":9})")
        << "without an update: an empty one";
    EXPECT_TRUE(run("findOneAndReplace", "{'filter':{},'update':{'$set':{'a':1}}}")
                    .starts_with("invalid_argument"));
}

TEST_F(DocumentActions, pipelines_read_other_collections_of_the_database) {
    insert_three();
    actions_.as_system("insertMany", "{'documents':[{'_id':'x','n':'ex'},{'_id':'y','n':'why'}]}",
                       "names");
    EXPECT_EQ(run("aggregate",
                  "{'pipeline':[{'$match':{'a':{'$gte':2}}},{'$lookup':{'from':'names',"
                  "'localField':'t','foreignField':'_id','as':'n'}},"
                  "{'$project':{'n.n':1}}]}"),
              R"([{"_id":1,"n":[{"n":"ex"}]},{"_id":3,"n":[{"n":"ex"}]}])");
    EXPECT_EQ(run("aggregate", "{'pipeline':[{'$group':{'_id':'$t','sum':{'$sum':'$a'}}},"
                               "{'$sort':{'_id':1}}]}"),
              R"([{"_id":"x","sum":5},{"_id":"y","sum":1}])");
    EXPECT_TRUE(run("aggregate", "{'pipeline':[{'$out':'x'}]}").starts_with("mql_unsupported"));
}

TEST_F(DocumentActions, wrong_arguments_are_named) {
    EXPECT_EQ(run("find", "{'query':5}"), "invalid_argument: 'query' must be a document");
    EXPECT_EQ(run("find", "{'limit':-1}"),
              "invalid_argument: 'limit' must be a whole number that is not negative");
    EXPECT_EQ(run("insertOne", "{}"), "invalid_argument: 'document' must be a document");
    EXPECT_EQ(run("insertMany", "{'documents':{}}"),
              "invalid_argument: 'documents' must be an array");
    EXPECT_EQ(run("updateOne", "{'query':{}}"),
              "invalid_argument: 'update' must be a document or a pipeline");
    EXPECT_TRUE(run("find", "{'query':{'$foo':1}}").starts_with("mql_unsupported"));
    EXPECT_EQ(run("mapReduce", "{}"),
              "action_not_found: unknown action 'mapReduce' of service 'mongodb-atlas'");
    const auto user = actions_.service().anonymous();
    EXPECT_EQ(actions_.as(user, "mapReduce", "{}"),
              "400 ServiceCommandNotFound: unknown action 'mapReduce' of service 'mongodb-atlas'");
    const auto answer = actions_.service().post(
        "functions/call", R"({"name":"find","service":"nope","arguments":[{}]})", user.access);
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer["error"], "service not found: 'nope'");
    EXPECT_EQ(answer["error_code"], "ServiceNotFound");
}

TEST_F(DocumentActions, an_empty_field_name_in_a_filter_is_a_field) {
    insert_three();
    EXPECT_EQ(run("findOneAndDelete", "{'filter':{'':null}}"), R"({"_id":1,"a":3,"t":"x"})");
}

} // namespace
} // namespace tombolo::documents
