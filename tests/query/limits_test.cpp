// Size, depth and memory: Q14, Q15, and that matching allocates nothing.

#include <string>

#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "query/allocation_counter.hpp"
#include "query/bound_printer.hpp"
#include "query/bson_documents.hpp"
#include "query/document_filter.hpp"
#include "query/fixture.hpp"
#include "query/parser.hpp"
#include "query/printer.hpp"

namespace tombolo::query::test {
namespace {

std::string chain(const char* separator, int terms) {
    std::string text;
    for (int i = 0; i < terms; ++i) {
        text += (i > 0 ? separator : "") + std::string("age == ") + std::to_string(i + 30);
    }
    return text;
}

std::string repeated(const std::string& text, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) {
        out += text;
    }
    return out;
}

TEST(QueryLimits, q14_ten_thousand_terms_parse_print_and_run) {
    for (const char* separator : {" OR ", " AND "}) {
        const std::string text = chain(separator, 10'000);
        const auto tree = parse(text);
        ASSERT_TRUE(tree.has_value());
        EXPECT_EQ(print(*tree), text);
        const auto query = bind_query(*tree, text, fixture_schema(), "Person");
        ASSERT_TRUE(query.has_value());
        EXPECT_EQ(print(*query), text);
        EXPECT_FALSE(make_match_plan(*query).disjuncts.empty());
        EXPECT_FALSE(canonical(*query).empty());
    }
    EXPECT_EQ(run_labels("Person", chain(" OR ", 10'000)), "ann eve fay");
    EXPECT_EQ(run_labels("Person", "(" + chain(") OR (", 10'000) + ")"), "ann eve fay");
    EXPECT_EQ(run_labels("Person", chain(" AND ", 10'000)), "");
}

TEST(QueryLimits, q14_ten_thousand_constants_are_looked_up) {
    std::string list;
    for (int i = 64; i < 10'064; ++i) {
        list += (list.empty() ? "" : ", ") + std::to_string(i);
    }
    EXPECT_EQ(run_labels("Person", "age IN {" + list + "}"), "eve fay");
}

TEST(QueryLimits, q14_long_arithmetic_runs) {
    EXPECT_EQ(run_labels("Person", "age" + repeated(" + 1", 10'000) + " == 10030"), "ann");
}

TEST(QueryLimits, q14_nesting_is_bounded_with_a_clear_error) {
    const std::size_t most = limits::query_depth_max - 1;
    EXPECT_EQ(run_labels("Person", repeated("(", most) + "age == 30" + repeated(")", most)), "ann");
    EXPECT_EQ(run_labels("Person", repeated("(", most) + "age" + repeated(")", most) + " == 30"),
              "ann");
    for (const std::string& deep :
         {repeated("(", 100'000) + "age == 30", repeated("NOT ", 100'000) + "age == 30",
          repeated("!(", 100'000), "age == " + repeated("(", 100'000) + "1",
          repeated("SUBQUERY(pets, $p, ", 100'000)}) {
        const auto parsed = parse(deep);
        ASSERT_FALSE(parsed.has_value());
        EXPECT_NE(parsed.error().message().find("nested deeper than 200 levels"), std::string::npos)
            << parsed.error().message();
    }
    EXPECT_NE(run_labels("Person", "boss" + repeated(".boss", 1000) + " == NULL")
                  .find("more than 200 elements"),
              std::string::npos);
}

TEST(QueryLimits, aliases_that_loop_are_an_error) {
    const Aliases aliases = {{{"Person", "a"}, "b"},
                             {{"Person", "b"}, "a"},
                             {{"Person", "chief"}, "boss.boss"},
                             {{"Person", "staff"}, "@links.Person.boss"},
                             {{"Person", "grow"}, "boss.grow"}};
    const BindOptions options{&aliases};
    EXPECT_NE(run_labels("Person", "a == 1", {}, options).find("substitution loop"),
              std::string::npos);
    EXPECT_NE(run_labels("Person", "grow == 1", {}, options).find("substitution loop"),
              std::string::npos);
    EXPECT_EQ(run_labels("Person", "chief.name == 'Zoe'", {}, options), "dee");
    EXPECT_EQ(run_labels("Person", "staff.@count == 4", {}, options), "ann");
}

TEST(QueryLimits, q15_any_bytes_are_answered_by_an_error_with_the_text) {
    EXPECT_NE(parse("\xFF\xFE").error().message().find("UTF-8"), std::string::npos);
    std::uint64_t state = 1;
    const std::string alphabet = "ae@.[]{}()$K01'\"\\!=<>&|+-*/, BT:ORNand#\xC3\xA9";
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (int length = 1 + round % 20; length > 0; --length) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            text += alphabet[(state >> 40) % alphabet.size()];
        }
        const auto parsed = parse(text);
        if (!parsed) {
            EXPECT_EQ(parsed.error().message().substr(0, 17), "Invalid predicate");
        }
    }
}

TEST(QueryLimits, messages_about_long_queries_show_the_place_only) {
    const std::string message = parse(repeated("age == 1 OR ", 1000) + "age ==").error().message();
    EXPECT_LT(message.size(), 300U);
    EXPECT_NE(message.find("at column 12007"), std::string::npos) << message;
}

TEST(QueryLimits, matching_allocates_nothing) {
    const DocumentStore documents(fixture_store());
    const ObjectAccessor objects(fixture_store());
    const Evaluator<ObjectAccessor> evaluator(objects);
    const BsonAccessor bson;
    const Evaluator<BsonAccessor> bson_evaluator(bson);
    for (const char* text :
         {"age > 3 AND name == 'Ann'", "name LIKE[c] '*a*' OR height < 2.0", "pay > 12.5",
          "age IN {1,2,3,4,5,6,7,8,9,10,30}", "ANY tags == 'vip'", "tags.@count > 1",
          "tags == {'a','b'}", "uid == uuid(d1b186e1-e9e0-4768-a1a7-c492519d47ee)",
          "NOT (born > T1582934400:0 OR photo == bin('x'))", "age * 2 + 1 > score",
          "bio TEXT 'dogs -cats'", "any == 12", "meta['k'] == 5", "home.city == 'Oslo'"}) {
        const Query query = compile(text, fixture_schema(), "Person").value();
        const DocumentFilter filter(query);
        const auto refs = fixture_store().objects("Person");
        // Once before: tables that are made at first use.
        std::size_t matched = filter.matches(documents.documents("Person")[0]) ? 1 : 0;
        const std::size_t before = allocation_count();
        for (std::size_t i = 0; i < refs.size(); ++i) {
            const auto& document = documents.documents("Person")[i];
            const BsonObject object{document, query.object_class, nullptr, 0};
            matched += filter.matches(document) ? 1U : 0U;
            matched += evaluator.matches(query, refs[i]) ? 1U : 0U;
            matched += bson_evaluator.matches(query, object) ? 1U : 0U;
        }
        EXPECT_EQ(allocation_count(), before) << text << " " << matched;
    }
}

} // namespace
} // namespace tombolo::query::test
