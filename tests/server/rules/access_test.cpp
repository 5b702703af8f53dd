#include "server/rules/access.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "server/rules/rules_support.hpp"

namespace tombolo::rules {
namespace {

const store::CollectionName place{"mongodb-atlas", "app", "items"};

// The roles (and filters) of app.items.
server::AppConfig config(std::string_view rules) {
    const auto parsed = boost::json::parse(json(rules)).as_object();
    server::RuleConfig rule;
    rule.database = place.database;
    rule.collection = place.collection;
    if (const auto* roles = parsed.if_contains("roles")) {
        rule.roles = roles->as_array();
    }
    if (const auto* filters = parsed.if_contains("filters")) {
        rule.filters = filters->as_array();
    }
    server::DataSourceConfig source;
    source.name = place.data_source;
    source.rules.push_back(std::move(rule));
    server::AppConfig out;
    out.data_sources.push_back(std::move(source));
    return out;
}

CollectionAccess access(std::string_view rules, const Facts& facts = some_facts()) {
    const auto app = AppRules::parse(config(rules));
    for (const Problem& problem : app->problems()) {
        throw Error(ErrorCode::invalid_rule, problem.message, problem.path);
    }
    return CollectionAccess::bind(*app, place, facts);
}

std::string read(const CollectionAccess& access, std::string_view document) {
    const mql::BsonDocument stored = bson(document);
    const Visible visible = access.read(stored);
    switch (visible.kind) {
    case Visible::Kind::hidden:
        return "hidden";
    case Visible::Kind::whole:
        return "whole";
    case Visible::Kind::fields:
        break;
    }
    return text_of(visible.document);
}

std::string text(const Verdict& verdict) {
    return verdict.allowed ? "allowed by " + std::string(verdict.role)
                           : std::string(verdict.role) + ": " + verdict.reason;
}
std::string insert(const CollectionAccess& access, std::string_view after) {
    return text(access.insert(bson(after)));
}
std::string update(const CollectionAccess& access, std::string_view before,
                   std::string_view after) {
    return text(access.update(bson(before), bson(after)));
}
std::string erase(const CollectionAccess& access, std::string_view before) {
    return text(access.erase(bson(before)));
}

constexpr std::string_view own_data =
    "{'roles':[{'name':'self','apply_when':{},'document_filters':{'write':{'owner':'red'},"
    "'read':{'shared':true}},'read':true,'write':true}]}";

TEST(RuleAccess, collections_without_rules_have_none) {
    const auto app = AppRules::parse({});
    EXPECT_FALSE(CollectionAccess::bind(*app, place, some_facts()).has_rules());
    const CollectionAccess none = access("{'roles':[]}");
    EXPECT_FALSE(none.has_rules());
    EXPECT_EQ(read(none, "{}"), "hidden");
    EXPECT_EQ(insert(none, "{}"), ": no role applies");
}

TEST(RuleAccess, the_first_role_that_applies_to_the_document_decides) {
    const CollectionAccess both =
        access("{'roles':[{'name':'public','apply_when':{'public':true},'read':true},"
               "{'name':'red','apply_when':{'%%user.custom_data.team':'red'},'write':true}]}");
    EXPECT_EQ(read(both, "{'public':true}"), "whole");
    EXPECT_EQ(erase(both, "{'public':true}"), "public: write of field 'public'");
    EXPECT_EQ(erase(both, "{'public':false}"), "allowed by red");
    EXPECT_EQ(update(both, "{'public':true}", "{'public':false}"),
              "public: write of field 'public'")
        << "the document before has the role";
    const CollectionAccess blue = access(
        "{'roles':[{'name':'blue','apply_when':{'%%user.custom_data.team':'blue'},'write':true}]}");
    EXPECT_EQ(read(blue, "{}"), "hidden");
}

TEST(RuleAccess, write_implies_read_and_must_hold_before_and_after) {
    const CollectionAccess self = access(own_data);
    EXPECT_EQ(read(self, "{'owner':'red'}"), "whole");
    EXPECT_EQ(read(self, "{'owner':'blue','shared':true}"), "whole");
    EXPECT_EQ(read(self, "{'owner':'blue'}"), "hidden");
    EXPECT_EQ(insert(self, "{'owner':'red'}"), "allowed by self");
    EXPECT_EQ(insert(self, "{'owner':'blue'}"), "self: document_filters.write");
    EXPECT_EQ(update(self, "{'owner':'red'}", "{'owner':'red','x':1}"), "allowed by self");
    EXPECT_EQ(update(self, "{'owner':'red'}", "{'owner':'blue'}"),
              "self: document_filters.write after the change");
    EXPECT_EQ(update(self, "{'owner':'blue'}", "{'owner':'red'}"),
              "self: document_filters.write before the change");
    EXPECT_EQ(erase(self, "{'owner':'blue'}"), "self: document_filters.write");
}

TEST(RuleAccess, insert_and_delete_are_asked_on_top_of_write) {
    const CollectionAccess role =
        access("{'roles':[{'name':'r','write':true,'insert':{'state':'new'},"
               "'delete':{'locked':{'$ne':true}}}]}");
    EXPECT_EQ(insert(role, "{'state':'new'}"), "allowed by r");
    EXPECT_EQ(insert(role, "{'state':'old'}"), "r: insert");
    EXPECT_EQ(erase(role, "{}"), "allowed by r");
    EXPECT_EQ(erase(role, "{'locked':true}"), "r: delete");
}

TEST(RuleAccess, undefined_read_asks_each_field) {
    const CollectionAccess role =
        access("{'roles':[{'name':'r','fields':{'secret':{'read':false},'name':{'read':true},"
               "'price':{'write':{'%%prev':{'$lt':'%%this'}}}},"
               "'additional_fields':{'read':true}}]}");
    EXPECT_EQ(read(role, "{'_id':1,'name':'a','secret':2,'other':3}"),
              R"({"_id":1,"name":"a","other":3})");
    EXPECT_EQ(read(role, "{'_id':1,'name':'a'}"), "whole");
    EXPECT_EQ(read(role, "{'_id':1,'secret':1}"), "hidden");
    EXPECT_EQ(update(role, "{'price':1}", "{'price':2}"), "allowed by r");
    EXPECT_EQ(update(role, "{'price':2}", "{'price':1}"), "r: write of field 'price'");
    EXPECT_EQ(update(role, "{'name':'a'}", "{'name':'b'}"), "r: write of field 'name'");
    EXPECT_EQ(insert(role, "{'_id':1,'other':1}"), "r: write of field 'other'");
}

TEST(RuleAccess, fields_of_embedded_documents_have_their_own_permissions) {
    const CollectionAccess role =
        access("{'roles':[{'name':'r','fields':{'a':{'fields':{'open':{'read':true,'write':true},"
               "'shut':{'read':false}}},'whole':{'read':true,'fields':{'x':{'read':false}}}}}]}");
    EXPECT_EQ(read(role, "{'_id':1,'a':{'open':1,'shut':2,'else':3},'b':4}"),
              R"({"_id":1,"a":{"open":1}})");
    EXPECT_EQ(read(role, "{'_id':1,'a':[{'open':1,'shut':2},5]}"), R"({"_id":1,"a":[{"open":1}]})");
    EXPECT_EQ(read(role, "{'_id':1,'whole':{'x':1}}"), "whole") << "the parent's own overrides";
    EXPECT_EQ(update(role, "{'a':{'open':1}}", "{'a':{'open':2}}"), "allowed by r");
    EXPECT_EQ(update(role, "{'a':{'open':1,'shut':1}}", "{'a':{'open':1,'shut':2}}"),
              "r: write of field 'a.shut'");
    EXPECT_EQ(update(role, "{'a':[{'open':1}]}", "{'a':[{'open':2}]}"), "allowed by r");
    EXPECT_EQ(update(role, "{'a':[{'shut':1}]}", "{'a':[{'shut':2}]}"),
              "r: write of field 'a.0.shut'");
    EXPECT_EQ(update(role, "{}", "{'a':{'open':1}}"), "allowed by r");
    EXPECT_EQ(update(role, "{}", "{'a':{'open':1,'else':2}}"), "r: write of field 'a'");
    EXPECT_EQ(update(role, "{'a':{'open':1,'shut':1}}", "{}"), "r: write of field 'a'");
    EXPECT_EQ(update(role, "{'a':{'open':1}}", "{'a':7}"), "r: write of field 'a'");
}

TEST(RuleAccess, a_role_that_permits_nothing_hides_everything) {
    EXPECT_EQ(read(access("{'roles':[{'name':'r'}]}"), "{'_id':1,'a':1}"), "hidden");
    EXPECT_EQ(read(access("{'roles':[{'name':'r','read':false,"
                          "'additional_fields':{'read':true}}]}"),
                   "{'_id':1,'a':1}"),
              "hidden");
}

TEST(RuleAccess, expressions_that_fail_deny) {
    const CollectionAccess role = access("{'roles':[{'name':'r','read':{'%function':{'name':'f'}},"
                                         "'write':{'%not':{'%function':{'name':'f'}}}}]}");
    EXPECT_EQ(read(role, "{}"), "hidden");
    EXPECT_EQ(insert(role, "{}"), "r: write");
}

TEST(RuleAccess, rules_with_a_problem_let_nobody_in) {
    const auto app = AppRules::parse(
        config("{'roles':[{'name':'r','read':{'a':{'$foo':1}},'write':true},{'read':true}]}"));
    ASSERT_EQ(app->problems().size(), 2U);
    EXPECT_EQ(app->problems()[0].path,
              "data_sources/mongodb-atlas/app/items/rules.json: roles[0].read.a.$foo");
    EXPECT_EQ(app->problems()[1].path,
              "data_sources/mongodb-atlas/app/items/rules.json: roles[1].name");
    const CollectionAccess access = CollectionAccess::bind(*app, place, some_facts());
    EXPECT_TRUE(access.has_rules());
    EXPECT_EQ(read(access, "{'_id':1}"), "hidden");
}

TEST(RuleAccess, own_roles_go_before_the_defaults) {
    server::AppConfig app = config(own_data);
    server::RuleConfig defaults;
    defaults.roles = boost::json::parse(json("[{'name':'all','write':true}]")).as_array();
    app.data_sources[0].default_rule = defaults;
    const auto rules = AppRules::parse(app);
    const CollectionAccess own = CollectionAccess::bind(*rules, place, some_facts());
    EXPECT_EQ(insert(own, "{}"), "self: document_filters.write");
    const CollectionAccess other =
        CollectionAccess::bind(*rules, {"mongodb-atlas", "app", "others"}, some_facts());
    EXPECT_EQ(insert(other, "{}"), "allowed by all");
}

TEST(RuleAccess, tells_a_planner_what_readable_documents_match) {
    const auto query = [](std::string_view rules) {
        const auto found = access(rules).read_query();
        return found ? text_of(*found) : std::string("none");
    };
    EXPECT_EQ(query(own_data), R"({"$or":[{"shared":{"$eq":true}},{"owner":{"$eq":"red"}}]})");
    EXPECT_EQ(query("{'roles':[{'name':'r','document_filters':{'read':{'a':1},'write':false}}]}"),
              R"({"a":{"$eq":1}})");
    EXPECT_EQ(query("{'roles':[{'name':'r','document_filters':{'read':{'a':1},'write':{'a':1}}}]}"),
              R"({"a":{"$eq":1}})");
    EXPECT_EQ(query("{'roles':[{'name':'r','document_filters':{'read':{'a':1}}}]}"), "none");
    EXPECT_EQ(query("{'roles':[{'name':'r','apply_when':{'a':1}},{'name':'s','read':true}]}"),
              "none");
}

TEST(RuleAccess, filters_apply_when_they_say) {
    const CollectionAccess filtered =
        access("{'roles':[{'name':'r','write':true}],'filters':["
               "{'name':'live','apply_when':{'%%user.type':'normal'},"
               "'query':{'deleted':{'$ne':true}},'projection':{'notes':0}},"
               "{'name':'servers','apply_when':{'%%user.type':'server'},'query':{'a':1}}]}");
    ASSERT_EQ(filtered.filter_queries().size(), 1U);
    EXPECT_EQ(filtered.filter_projections().size(), 1U);
    EXPECT_EQ(text_of(*filtered.filter_queries()[0].query()), R"({"deleted":{"$ne":true}})");
}

} // namespace
} // namespace tombolo::rules
