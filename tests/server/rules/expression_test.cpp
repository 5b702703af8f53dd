#include "server/rules/expression.hpp"

#include <gtest/gtest.h>

#include "server/rules/rules_support.hpp"

namespace tombolo::rules {
namespace {

bool holds(std::string_view rule, std::string_view document, Facts facts = some_facts()) {
    const Bound bound(std::move(facts));
    const mql::BsonDocument root = bson(document);
    Subject subject;
    subject.root = root;
    return bound(expression(rule)).test(subject).value();
}

TEST(RuleExpression, literals_and_the_empty_object_are_what_they_say) {
    EXPECT_TRUE(holds("true", "{}"));
    EXPECT_FALSE(holds("false", "{}"));
    EXPECT_TRUE(holds("{}", "{}"));
    EXPECT_TRUE(holds("{'%%true':true}", "{}"));
    EXPECT_FALSE(holds("{'%%false':true}", "{}"));
    EXPECT_TRUE(holds("{'%%true':{'a':1}}", "{'a':1}"));
    EXPECT_FALSE(holds("{'%%false':{'a':1}}", "{'a':1}"));
    EXPECT_TRUE(holds("{'%%false':{'%and':[{'a':2}]}}", "{'a':1}"));
}

TEST(RuleExpression, fields_compare_as_in_mongodb) {
    EXPECT_TRUE(holds("{'owner':'%%user.id'}", "{'owner':'65f000000000000000000001'}"));
    EXPECT_TRUE(holds("{'%%root.owner':'%%user.id'}", "{'owner':'65f000000000000000000001'}"));
    EXPECT_FALSE(holds("{'owner':'%%user.id'}", "{'owner':'other'}"));
    EXPECT_TRUE(holds("{'owners':'%%user.id'}", "{'owners':['65f000000000000000000001','b']}"))
        << "an array contains";
    EXPECT_TRUE(holds("{'a':null}", "{}")) << "null equals missing";
    EXPECT_TRUE(holds("{'a.b':{'$gte':5,'$lt':7}}", "{'a':{'b':5}}"));
    EXPECT_FALSE(holds("{'a.b':{'$gte':5,'$lt':7}}", "{'a':{'b':7}}"));
    EXPECT_TRUE(holds("{'a':{'$lte':'%%values.limit'}}", "{'a':10}"));
    EXPECT_TRUE(holds("{'a':{'%exists':false}}", "{'b':1}"));
    EXPECT_TRUE(holds("{'a':{'$exists':true}}", "{'a':null}"));
    EXPECT_TRUE(holds("{'a':{'$ne':1}}", "{}"));
    EXPECT_TRUE(holds("{'a':{'$nin':['%%user.id',2]}}", "{'a':1}"));
}

TEST(RuleExpression, lists_of_expansions_match_in) {
    EXPECT_TRUE(holds("{'key':{'$in':'%%user.custom_data.ids'}}", "{'key':'b'}"));
    EXPECT_FALSE(holds("{'key':{'$in':'%%user.custom_data.ids'}}", "{'key':'c'}"));
    EXPECT_TRUE(holds("{'key':{'$in':['z','%%user.custom_data.team']}}", "{'key':'red'}"));
    EXPECT_TRUE(holds("{'%%user.id':{'$in':'%%root.editors'}}",
                      "{'editors':['x','65f000000000000000000001']}"));
    EXPECT_FALSE(
        holds("{'%%user.id':{'$in':'%%root.editors'}}", "{'editors':'65f000000000000000000001'}"))
        << "a scalar is no list";
    EXPECT_TRUE(holds("{'%%user.custom_data.team':{'%in':['red','blue']}}", "{}"));
}

TEST(RuleExpression, expansions_stand_in_what_is_asked_of_elements) {
    const char* members = "{'members':['x','65f000000000000000000001']}";
    EXPECT_TRUE(holds("{'members':{'$all':['%%user.id','x']}}", members));
    EXPECT_FALSE(holds("{'members':{'$all':['%%user.id','y']}}", members));
    EXPECT_TRUE(holds("{'members':{'$elemMatch':{'$eq':'%%user.id'}}}", members));
    EXPECT_TRUE(holds("{'members':{'$elemMatch':{'$in':'%%values.admins'}}}", members));
    EXPECT_FALSE(holds("{'members':{'$elemMatch':{'$in':'%%user.id'}}}", members)) << "no list";
    const char* roles = "{'roles':[{'id':'65f000000000000000000001','level':2},{'id':'b'}]}";
    EXPECT_TRUE(holds("{'roles':{'$elemMatch':{'id':'%%user.id','level':{'$gt':1}}}}", roles));
    EXPECT_FALSE(holds("{'roles':{'$elemMatch':{'id':'%%user.id','level':{'$gt':2}}}}", roles));
    EXPECT_TRUE(holds("{'roles':{'$elemMatch':{'$or':[{'id':'%%user.id'},{'id':'c'}]}}}", roles));
    EXPECT_FALSE(holds("{'members':{'$all':['%%user.custom_data.absent']}}", members));
    EXPECT_FALSE(holds("{'$nor':[{'roles':{'$elemMatch':{'id':'%%user.id'}}}]}", roles));
    EXPECT_FALSE(holds("{'roles':{'$elemMatch':{'id':'%%user.custom_data.trick'}}}", roles))
        << "a value is never read as an operator";
}

TEST(RuleExpression, logic_nests_in_both_spellings) {
    EXPECT_TRUE(holds("{'$or':[{'a':1},{'b':1}]}", "{'b':1}"));
    EXPECT_FALSE(holds("{'%or':[{'a':1},{'b':1}]}", "{'c':1}"));
    EXPECT_FALSE(holds("{'%and':[{'a':1},{'%%user.type':'server'}]}", "{'a':1}"));
    EXPECT_TRUE(holds("{'%not':{'a':1}}", "{'a':2}"));
    EXPECT_TRUE(holds("{'$nor':[{'a':1},{'b':1}]}", "{'a':2}"));
    EXPECT_TRUE(holds("{'a':{'$not':{'$gt':5}}}", "{'a':5}"));
    EXPECT_TRUE(holds("{'a':{'%or':[1,{'$gt':8}]}}", "{'a':9}"));
    EXPECT_TRUE(holds("{'a':1,'b':2}", "{'a':1,'b':2}"));
    EXPECT_FALSE(holds("{'a':1,'b':2}", "{'a':1,'b':3}"));
    EXPECT_FALSE(holds("{'$or':[]}", "{}"));
    EXPECT_TRUE(holds("{'$and':[]}", "{}"));
}

TEST(RuleExpression, every_expansion_has_its_value) {
    EXPECT_TRUE(holds("{'%%user.type':'normal'}", "{}"));
    EXPECT_TRUE(holds("{'%%user.data.email':{'$regex':'@example\\\\.com$'}}", "{}"));
    EXPECT_TRUE(holds("{'%%user.identities.provider_type':'local-userpass'}", "{}"));
    EXPECT_TRUE(holds("{'%%environment.tag':'production'}", "{}"));
    EXPECT_TRUE(holds("{'%%environment.values.open':true}", "{}"));
    EXPECT_TRUE(holds("{'%%values.limit':{'$gt':9}}", "{}"));
    EXPECT_TRUE(holds("{'%%request.remoteIPAddress':'192.0.2.1'}", "{}"));
    EXPECT_TRUE(holds("{'%%user.custom_data.level':{'$mod':[2,1]}}", "{}"));
    EXPECT_FALSE(holds("{'%%args.x':1}", "{}"));
}

TEST(RuleExpression, conversions_take_values_of_their_type_only) {
    EXPECT_TRUE(holds("{'_id':{'%stringToOid':'%%user.id'}}",
                      "{'_id':{'$oid':'65f000000000000000000001'}}"));
    EXPECT_TRUE(holds("{'owner':{'%oidToString':'%%root.ref'}}",
                      "{'owner':'65f000000000000000000001',"
                      "'ref':{'$oid':'65f000000000000000000001'}}"));
    EXPECT_TRUE(holds("{'u':{'%stringToUuid':'00112233-4455-6677-8899-aabbccddeeff'}}",
                      "{'u':{'$uuid':'00112233-4455-6677-8899-aabbccddeeff'}}"));
    EXPECT_TRUE(holds("{'t':{'%uuidToString':'%%root.u'}}",
                      "{'t':'00112233-4455-6677-8899-aabbccddeeff',"
                      "'u':{'$uuid':'00112233-4455-6677-8899-aabbccddeeff'}}"));
    EXPECT_FALSE(holds("{'_id':{'%stringToOid':'%%user.custom_data.team'}}", "{'_id':null}"));
}

TEST(RuleExpression, what_is_undefined_compares_with_nothing) {
    EXPECT_FALSE(holds("{'a':'%%user.custom_data.nothing'}", "{}"));
    EXPECT_FALSE(holds("{'a':{'$ne':'%%user.custom_data.nothing'}}", "{'a':1}"));
    EXPECT_FALSE(holds("{'a':{'$in':'%%user.custom_data.nothing'}}", "{'a':1}"));
    EXPECT_FALSE(holds("{'%%user.custom_data.nothing':null}", "{}"));
    EXPECT_TRUE(holds("{'%%user.custom_data.nothing':{'%exists':false}}", "{}"));
    EXPECT_FALSE(holds("{'%%user.custom_data.nothing':{'$ne':true}}", "{}"));
}

TEST(RuleExpression, values_of_users_are_never_operators) {
    EXPECT_FALSE(holds("{'a':'%%user.custom_data.trick'}", "{'a':'y'}"));
    EXPECT_TRUE(holds("{'a':'%%user.custom_data.trick'}", "{'a':{'$ne':'x'}}"));
    EXPECT_FALSE(holds("{'a':{'$in':['%%user.data.nested']}}", "{'a':5}"));
    Facts facts = some_facts();
    facts.custom_data = [] {
        return bson("{'ids':[{'$regularExpression':{'pattern':'.*','options':''}}]}");
    };
    EXPECT_FALSE(holds("{'a':{'$in':'%%user.custom_data.ids'}}", "{'a':'anything'}", facts));
}

TEST(RuleExpression, previous_documents_and_fields_are_told_apart) {
    const Bound bound;
    const auto test = [&](std::string_view rule, std::string_view after, const char* before) {
        const mql::BsonDocument root = bson(after);
        const mql::BsonDocument previous = before ? bson(before) : mql::BsonDocument();
        const mql::BsonDocumentView view = previous;
        Subject subject;
        subject.root = root;
        subject.previous = before != nullptr ? &view : nullptr;
        subject.field = root.view().find("f");
        subject.previous_field = previous.view().find("f");
        return bound(expression(rule)).test(subject).value();
    };
    EXPECT_TRUE(test("{'%%prevRoot':{'%exists':false}}", "{}", nullptr));
    EXPECT_FALSE(test("{'%%prevRoot':{'%exists':false}}", "{}", "{}"));
    EXPECT_TRUE(test("{'%%prevRoot.owner':'x'}", "{'owner':'y'}", "{'owner':'x'}"));
    EXPECT_TRUE(test("{'owner':'%%prevRoot.owner'}", "{'owner':'x'}", "{'owner':'x'}"));
    EXPECT_FALSE(test("{'owner':'%%prevRoot.owner'}", "{'owner':'y'}", "{'owner':'x'}"));
    EXPECT_TRUE(test("{'owner':'%%prevRoot.owner'}", "{}", "{}")) << "both missing is the same";
    EXPECT_TRUE(test("{'%%this':{'$gt':1}}", "{'f':2}", "{'f':1}"));
    EXPECT_TRUE(test("{'%%this':{'$gt':'%%prev'}}", "{'f':2}", "{'f':1}"));
    EXPECT_FALSE(test("{'%%this':'%%prev'}", "{'f':2}", "{'f':1}"));
    EXPECT_TRUE(test("{'%%this.x':5}", "{'f':{'x':5}}", "{}"));
    EXPECT_TRUE(test("{'%%prev':{'%exists':false}}", "{'f':1}", "{}"));
}

TEST(RuleExpression, functions_are_called_once_for_equal_arguments) {
    int calls = 0;
    Facts facts = some_facts();
    facts.function = [&](const std::string& name,
                         const std::vector<mql::BsonValue>& arguments) -> Result<mql::BsonValue> {
        ++calls;
        if (name == "fails") {
            return Error(ErrorCode::unavailable, "no");
        }
        return name == "is_red"
                   ? mql::BsonValue::from_bool(arguments.at(0).view().as_string() == "red")
                   : arguments.at(0);
    };
    const Bound bound(facts);
    const Predicate red = bound(expression(
        "{'%%true':{'%function':{'name':'is_red','arguments':['%%user.custom_data.team']}}}"));
    EXPECT_TRUE(red.test({}).value());
    EXPECT_TRUE(red.test({}).value());
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(holds("{'%function':{'name':'is_red','arguments':['red']}}", "{}", facts));
    EXPECT_TRUE(holds("{'a':{'%function':{'name':'echo','arguments':['%%root.b']}}}",
                      "{'a':1,'b':1}", facts));
    EXPECT_FALSE(bound(expression("{'%function':{'name':'fails'}}")).test({}).has_value());
    EXPECT_FALSE(Bound()(expression("{'%function':{'name':'any'}}")).test({}).has_value());
}

TEST(RuleExpression, what_asks_only_fields_is_one_mongodb_filter) {
    const Bound bound;
    const auto query = [&](std::string_view rule) {
        const auto found = bound(expression(rule)).query();
        return found ? text_of(*found) : std::string("none");
    };
    EXPECT_EQ(query("true"), "{}");
    EXPECT_EQ(query("false"), R"({"$nor":[{}]})");
    EXPECT_EQ(query("{'%%user.type':'normal'}"), "{}");
    EXPECT_EQ(query("{'owner':'%%user.custom_data.team'}"), R"({"owner":{"$eq":"red"}})");
    EXPECT_EQ(query("{'a':1,'b':2}"), R"({"$and":[{"a":{"$eq":1}},{"b":{"$eq":2}}]})");
    EXPECT_EQ(query("{'$or':[{'a':1},{'%%user.type':'server'}]}"), R"({"a":{"$eq":1}})");
    EXPECT_EQ(query("{'$or':[{'a':1},{'%%user.type':'normal'}]}"), "{}");
    EXPECT_EQ(query("{'$not':{'a':1}}"), R"({"$nor":[{"a":{"$eq":1}}]})");
    EXPECT_EQ(query("{'%%prevRoot.a':1}"), "none");
}

TEST(RuleExpression, problems_are_named_by_path) {
    const auto problem = [](std::string_view text) {
        Problems problems;
        const mql::BsonDocument wrapped = bson("{'e':" + std::string(text) + "}");
        static_cast<void>(Expression::parse(wrapped.view().find("e"), "roles[0].read", problems));
        return problems.empty() ? std::string() : problems[0].path + ": " + problems[0].message;
    };
    EXPECT_EQ(problem("1"), "roles[0].read: expected true, false or an object");
    EXPECT_EQ(problem("{'a':{'$foo':1}}"), "roles[0].read.a.$foo: unknown operator '$foo'");
    EXPECT_EQ(problem("{'a':'%%usr.id'}"), "roles[0].read.a: unknown expansion '%%usr.id'");
    EXPECT_EQ(problem("{'$or':{'a':1}}"), "roles[0].read.$or: expected an array of expressions");
    EXPECT_EQ(problem("{'$or':[{'a':1},{'b':{'$in':3}}]}"),
              "roles[0].read.$or[1].b.$in: expected an array or an expansion");
    EXPECT_EQ(problem("{'a':{'$exists':1}}"), "roles[0].read.a.$exists: expected true or false");
    EXPECT_EQ(problem("{'%%root':5}"),
              "roles[0].read.%%root: a whole document can only be asked for %exists");
    EXPECT_EQ(problem("{'%function':{'arguments':[]}}"),
              "roles[0].read.%function: expected {\"name\": ..., \"arguments\": [...]}");
    EXPECT_NE(problem("{'$where':'1'}"), "");
    EXPECT_NE(problem("{'a':{'$regex':'('}}"), "");
    EXPECT_NE(problem("{'a':{'$elemMatch':{'b':'%%root.c'}}}"), "") << "no document is known";
    EXPECT_NE(problem("{'a':{'$elemMatch':{'b':{'c':'%%user.id'}}}}"), "");
    EXPECT_NE(problem("{'a':{'$size':'%%user.custom_data.level'}}"), "");
    EXPECT_NE(problem("{'a':{'$all':['%%usr.id']}}"), "");
    EXPECT_EQ(problem("{'a':{'$eq':1,'b':2}}"),
              "roles[0].read.a.b: an operator and a field cannot be mixed");
}

} // namespace
} // namespace tombolo::rules
