#include "server/rules/sync_access.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "query/binder.hpp"
#include "server/rules/rules_support.hpp"
#include "server/sync/session/filter_text.hpp"

namespace tombolo::rules {
namespace {

const store::CollectionName place{"mongodb-atlas", "app", "items"};

schema::Property property(std::string name, schema::PropertyType type) {
    schema::Property out;
    out.name = std::move(name);
    out.type = type;
    return out;
}

schema::ClassSchema items() {
    schema::Property id = property("_id", schema::PropertyType::integer);
    id.primary_key = true;
    schema::Property owner = property("owner", schema::PropertyType::string);
    owner.nullable = true;
    schema::Property level = property("level", schema::PropertyType::integer);
    level.nullable = true;
    schema::Property editors = property("editors", schema::PropertyType::string);
    editors.collection = schema::CollectionKind::list;
    return {"Item", schema::ClassKind::top_level, {id, owner, level, editors}};
}

SyncAccess access(std::string_view roles) {
    server::RuleConfig rule;
    rule.database = place.database;
    rule.collection = place.collection;
    rule.roles = boost::json::parse(json(roles)).as_array();
    server::DataSourceConfig source;
    source.name = place.data_source;
    source.rules.push_back(std::move(rule));
    server::AppConfig config;
    config.data_sources.push_back(std::move(source));
    return sync_access(*AppRules::parse(config), place, some_facts(),
                       {"owner", "level", "editors"});
}

// The device query text, checked by compiling it.
std::string text(const mql::BsonDocument& filter) {
    const auto found = server::sync::filter_text(filter, items());
    if (!found) {
        return "error: " + found.error().message();
    }
    const schema::Schema schema({items()});
    const auto query = query::compile(*found, schema, "Item");
    return query ? *found : "does not compile: " + *found + ": " + query.error().what();
}

constexpr std::string_view all = "'read':true,'write':true";

TEST(SyncAccess, roles_become_queries_with_the_users_values) {
    const SyncAccess own =
        access("[{'name':'own','apply_when':{},'document_filters':{'write':{'owner':"
               "'%%user.custom_data.team'},'read':{'$or':[{'editors':'%%user.id'},"
               "{'level':{'$lte':'%%user.custom_data.level'}}]}}," +
               std::string(all) + "}]");
    EXPECT_EQ(own.denied, "");
    EXPECT_EQ(own.role, "own");
    EXPECT_EQ(text(own.write), "owner == \"red\"");
    EXPECT_EQ(text(own.read), "((ANY editors == \"65f000000000000000000001\") OR (level <= 3)) OR "
                              "(owner == \"red\")");
    EXPECT_EQ(text(own.insert), "TRUEPREDICATE");
    EXPECT_EQ(text(own.erase), "TRUEPREDICATE");
}

TEST(SyncAccess, the_first_role_that_applies_is_the_role) {
    const std::string filters = "'document_filters':{'read':true,'write':false}";
    const SyncAccess red =
        access("[{'name':'blue','apply_when':{'%%user.custom_data.team':'blue'}," + filters +
               ",'read':true},{'name':'red','apply_when':{'%%user.custom_data.team':'red'}," +
               filters + ",'read':true,'insert':false}]");
    EXPECT_EQ(red.role, "red");
    EXPECT_EQ(text(red.read), "TRUEPREDICATE");
    EXPECT_EQ(text(red.write), "FALSEPREDICATE");
    EXPECT_EQ(text(red.insert), "FALSEPREDICATE");
    EXPECT_EQ(access("[{'name':'blue','apply_when':{'%%user.custom_data.team':'blue'}}]").denied,
              "no role applies");
}

TEST(SyncAccess, incompatible_roles_are_denied_and_say_why) {
    const std::string open = "'document_filters':{'read':true,'write':true}";
    EXPECT_EQ(access("[{'name':'r'," + std::string(all) + "}]").denied,
              "document_filters must define read and write");
    EXPECT_EQ(access("[{'name':'r','document_filters':{'read':{'secret':1},'write':true}," +
                     std::string(all) + "}]")
                  .denied,
              "document_filters.read asks for 'secret', which is no queryable field");
    EXPECT_NE(access("[{'name':'r','document_filters':{'read':{'%%root.owner':1},'write':true}," +
                     std::string(all) + "}]")
                  .denied,
              "");
    EXPECT_EQ(access("[{'name':'r'," + open + ",'write':{'owner':'x'}}]").denied,
              "write is not a literal");
    EXPECT_EQ(
        access("[{'name':'r'," + open +
               ",'fields':{'level':{'read':{'owner':'x'}}},'additional_fields':{'read':true}}]")
            .denied,
        "fields.level.read is not a literal");
    EXPECT_EQ(access("[{'name':'r'," + open +
                     ",'fields':{'a':{'fields':{'b':{'write':{'c':1}}}}}," + std::string(all) +
                     "}]")
                  .denied,
              "fields.a.fields.b.write is not a literal");
    EXPECT_EQ(access("[{'name':'r'," + open + ",'additional_fields':{'write':{'c':1}}}]").denied,
              "additional_fields.write is not a literal");
    EXPECT_EQ(access("[{'name':'r'," + open + ",'fields':{'_id':{'read':true}}," +
                     std::string(all) + "}]")
                  .denied,
              "fields has _id");
    EXPECT_EQ(access("[{'name':'r','apply_when':{'owner':'x'}," + open + "}]").denied,
              "apply_when asks for documents or the request");
    EXPECT_EQ(text(access("[{'name':'r'," + open + ",'additional_fields':{'read':true}}]").read),
              "TRUEPREDICATE");
    EXPECT_EQ(text(access("[{'name':'r'," + open + ",'additional_fields':{'read':true}}]").write),
              "FALSEPREDICATE");
}

// Additional fields first, then what is listed: "rw", "r-" or "--".
std::string text(const FieldAccess& access) {
    std::string out = access.write ? "rw" : access.read ? "r-" : "--";
    for (const auto& [name, inside] : access.fields) {
        out += " " + name + "(" + text(inside) + ")";
    }
    return out;
}

TEST(SyncAccess, field_permissions_are_asked_where_the_top_level_says_nothing) {
    const auto fields = [](const std::string& rest) {
        return text(
            access("[{'name':'r','document_filters':{'read':true,'write':true}," + rest + "}]")
                .fields);
    };
    const std::string some = "'fields':{'a':{'read':true},'b':{'write':true},'c':{'read':false}},"
                             "'additional_fields':{'read':true}";
    EXPECT_EQ(fields(some), "r- b(rw) c(--)");
    EXPECT_EQ(fields("'write':true," + some), "rw");
    EXPECT_EQ(fields("'write':false," + some), "r- c(--)");
    EXPECT_EQ(fields("'read':true," + some), "r- b(rw)");
    EXPECT_EQ(fields("'read':true,'write':false," + some), "r-");
    EXPECT_EQ(fields("'read':false," + some), "--");
    EXPECT_EQ(fields("'fields':{'a':{'read':true}}"), "-- a(r-)");
    EXPECT_EQ(fields("'fields':{'a':{'fields':{'b':{'read':true}}}},'additional_fields':"
                     "{'read':true,'write':true}"),
              "rw a(-- b(r-))");
    EXPECT_EQ(fields("'fields':{'a':{'read':true,'fields':{'b':{'write':true}}}}"), "-- a(r-)");
}

TEST(SyncAccess, a_role_without_any_readable_field_sees_nothing) {
    const SyncAccess none = access("[{'name':'r','document_filters':{'read':true,'write':true},"
                                   "'fields':{'level':{'read':false}}}]");
    EXPECT_EQ(text(none.read), "FALSEPREDICATE");
    const SyncAccess one = access("[{'name':'r','document_filters':{'read':true,'write':true},"
                                  "'fields':{'level':{'read':true}}}]");
    EXPECT_EQ(text(one.read), "TRUEPREDICATE");
    EXPECT_EQ(text(one.write), "FALSEPREDICATE");
}

TEST(SyncFilterText, says_what_the_filter_says) {
    EXPECT_EQ(text(bson("{}")), "TRUEPREDICATE");
    EXPECT_EQ(text(bson("{'$nor':[{}]}")), "FALSEPREDICATE");
    EXPECT_EQ(text(bson("{'owner':{'$in':['a','b']}}")), "owner IN {\"a\", \"b\"}");
    EXPECT_EQ(text(bson("{'owner':{'$in':[]}}")), "FALSEPREDICATE");
    EXPECT_EQ(text(bson("{'owner':{'$nin':['a']}}")), "NOT (owner IN {\"a\"})");
    EXPECT_EQ(text(bson("{'owner':{'$ne':null}}")), "NOT (owner == NULL)");
    EXPECT_EQ(text(bson("{'level':{'$gt':1,'$lt':5}}")), "(level > 1) AND (level < 5)");
    EXPECT_EQ(text(bson("{'level':{'$exists':false}}")), "level == NULL");
    EXPECT_EQ(text(bson("{'editors':{'$in':['a']}}")), "ANY editors IN {\"a\"}");
    EXPECT_EQ(text(bson(R"({"owner":{"$eq":"a\u0022b"}})")), "owner == B64\"YSJi\"");
    EXPECT_TRUE(text(bson("{'owner':{'$regex':'x'}}")).starts_with("error"));
    EXPECT_TRUE(text(bson("{'other':{'$eq':1}}")).starts_with("error"));
    EXPECT_TRUE(text(bson("{'owner':{'$eq':{'a':1}}}")).starts_with("error"));
}

TEST(SyncAccess, lists_can_be_asked_for_the_user) {
    const std::string user = "65f000000000000000000001";
    for (const char* filter : {"{'editors':'%%user.id'}", "{'editors':{'$all':['%%user.id']}}",
                               "{'editors':{'$elemMatch':{'$eq':'%%user.id'}}}"}) {
        const SyncAccess found =
            access(std::string("[{'name':'r','apply_when':{},'document_filters':"
                               "{'read':true,'write':") +
                   filter + "}," + std::string(all) + "}]");
        EXPECT_EQ(found.denied, "");
        EXPECT_EQ(text(found.write), "ANY editors == \"" + user + "\"") << filter;
    }
}

} // namespace
} // namespace tombolo::rules
