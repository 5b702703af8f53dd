// What a subscription may say (database-and-sdk.md 3.8, device-sync-server.md 3.2-3.4; Q16, C2, C3,
// C6).

#include <string>

#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "query/fixture.hpp"
#include "query/subscription.hpp"

namespace tombolo::query::test {
namespace {

const schema::QueryableFields& queryable() {
    static const schema::QueryableFields fields{
        {"status", "place", "extra", "contact", "friends"},
        {{"Account", {"owner_id", "priority", "editors", "due", "budget"}}}};
    return fields;
}

/// "" when allowed, else the message.
std::string check(const std::string& text, const std::string& indexed = "",
                  const std::string& class_name = "Account") {
    const SubscriptionRules rules{queryable(), indexed};
    const auto query = compile_subscription(text, fixture_schema(), class_name, rules);
    return query ? "" : query.error().message();
}

struct Refused {
    const char* text;
    const char* part;
};

TEST(Subscription, accepts_every_form_of_the_accepted_list) {
    for (const char* text : {
             "TRUEPREDICATE",
             "FALSEPREDICATE",
             "owner_id == 'a' AND priority > 3",
             "owner_id != NULL OR NOT (priority <= 2)",
             "status IN {'open', 'done'}",
             "priority BETWEEN {1, 5}",
             "status BEGINSWITH 'o' OR status ENDSWITH[c] 'N' OR status CONTAINS 'pe'",
             "status LIKE 'o*'",
             "status ==[c] 'OPEN'",
             "'me' IN editors",
             "ANY editors == 'me'",
             "ALL editors != 'me'",
             "NONE editors BEGINSWITH 'x'",
             "editors.@count > 2",
             "editors.@size == 0",
             "_id == oid(507f1f77bcf86cd799439011)",
             "due > T1582934400:0",
             "place geoWithin geoCircle([10.7, 59.9], 0.0002)",
             "budget < 2.5",
         }) {
        EXPECT_EQ(check(text), "") << text;
    }
}

TEST(Subscription, names_the_first_form_that_is_not_allowed) {
    const Refused cases[] = {
        {"secret == 'x'", R"(Invalid query: "Account": key "secret" is not a queryable field)"},
        {"owner_id == 'a' SORT(priority ASC)", "SORT is not supported in a subscription"},
        {"owner_id == 'a' DISTINCT(priority)", "DISTINCT is not supported"},
        {"owner_id == 'a' LIMIT(3)", "LIMIT is not supported"},
        {"friends.@max.age > 3", "@min, @max, @sum and @avg are not supported"},
        {"owner_id.@count > 3", "@count and @size are supported on array fields only"},
        {"{'a'} IN editors", "comparing a list with a list is not supported"},
        {"ANY {'a','b'} != ANY editors", "comparing a list with a list is not supported"},
        {"editors == {'a'}", "comparing a list with a list is not supported"},
        {"contact.name == 'x'", R"("contact.name" reads through a link or embedded object)"},
        {"place.type == 'Point'", "reads through a link or embedded object"},
        {"friends.name == 'x'", "reads through a link or embedded object"},
        {"@links.@count == 0", "backlinks (@links) are not supported"},
        {"SUBQUERY(friends, $f, $f.age > 1).@count > 0", "SUBQUERY is not supported"},
        {"owner_id == status", "comparing a property with a property is not supported"},
        {"priority + 1 == 2", "arithmetic is not supported"},
        {"extra == 5", R"(key "extra" of type Mixed)"},
        {"contact == NULL", R"(key "contact" of type)"},
        {"editors[0] == 'a'", "selects elements by index or key"},
        {"status.@type == 'string'", "@type is not supported"},
        {"owner_id ==", "Invalid query: \"Account\": Invalid predicate 'owner_id ==': expected"},
        {"nothing == 1", "Invalid query: \"Account\": Invalid predicate"},
    };
    for (const Refused& c : cases) {
        EXPECT_NE(check(c.text).find(c.part), std::string::npos) << c.text << ": " << check(c.text);
    }
}

TEST(Subscription, refuses_full_text_asymmetric_and_embedded_classes) {
    EXPECT_NE(check("bio TEXT 'x'", "", "Person").find("TEXT"), std::string::npos);
    EXPECT_NE(check("TRUEPREDICATE", "", "Event").find("asymmetric"), std::string::npos);
    EXPECT_NE(
        check("TRUEPREDICATE", "", "Address").find("embedded classes cannot be subscribed to"),
        std::string::npos);
}

TEST(Subscription, refuses_text_beyond_256_kilobytes) {
    std::string text = "owner_id == 'a'";
    text.resize(limits::subscription_bytes_max, ' ');
    EXPECT_EQ(check(text), "");
    EXPECT_NE(check(text + " ").find("at most 262144 are allowed"), std::string::npos);
}

TEST(Subscription, must_tie_the_indexed_queryable_field_at_the_top_level) {
    for (const char* good : {"owner_id == 'a'", "'a' == owner_id AND priority > 1",
                             "priority > 1 AND owner_id IN {'a', 'b'}"}) {
        EXPECT_EQ(check(good, "owner_id"), "") << good;
    }
    for (const char* bad :
         {"TRUEPREDICATE", "priority > 1", "owner_id > 'a'", "owner_id == 'a' OR priority > 1",
          "owner_id ==[c] 'a'", "owner_id != 'a'", "NOT owner_id == 'a'"}) {
        EXPECT_NE(check(bad, "owner_id").find("indexed queryable field \"owner_id\""),
                  std::string::npos)
            << bad;
    }
    EXPECT_EQ(check("TRUEPREDICATE", "owner_id", "Dog"), "");
}

} // namespace
} // namespace tombolo::query::test
