#include "query/match_plan.hpp"

#include <string>

#include <gtest/gtest.h>

#include "query/binder.hpp"
#include "query/fixture.hpp"

namespace tombolo::query::test {
namespace {

Query bound(const std::string& text) {
    return compile(text, fixture_schema(), "Account").value();
}

std::string canonical_of(const std::string& text) {
    return canonical(bound(text));
}

/// "owner_id={..}; priority(3,5]; +1" for one disjunct: fields, then the number of residual
/// conditions.
std::string describe(const Disjunct& disjunct) {
    std::string out;
    for (const FieldCondition& field : disjunct.fields) {
        out += field.field->name + (field.any_element ? "[]" : "");
        if (field.kind == FieldCondition::Kind::equality) {
            out += "={";
            for (const Value& value : field.values) {
                out += to_text(value) + ",";
            }
            out += "} ";
        } else {
            out += field.low_inclusive ? "[" : "(";
            out += field.low ? to_text(*field.low) : "";
            out += ",";
            out += field.high ? to_text(*field.high) : "";
            out += field.high_inclusive ? "] " : ") ";
        }
    }
    return out + "+" + std::to_string(disjunct.residue.size());
}

std::string plan_of(const std::string& text) {
    const Query query = bound(text);
    const MatchPlan plan = make_match_plan(query);
    std::string out = plan.is_class_scan ? "scan: " : "";
    for (const Disjunct& disjunct : plan.disjuncts) {
        out += (out.empty() || out == "scan: " ? "" : " | ") + describe(disjunct);
    }
    return out;
}

TEST(MatchPlan, finds_equality_ranges_and_membership) {
    EXPECT_EQ(plan_of("priority == 3 AND 5 > budget"), "priority={3,} budget(,5.0) +0");
    EXPECT_EQ(plan_of("priority IN {3, 1, 3}"), "priority={1,3,} +0");
    EXPECT_EQ(plan_of("priority BETWEEN {1, 5} AND priority < 4"), "priority[1,4) +0");
}

TEST(MatchPlan, keeps_what_no_index_holds_in_the_residue) {
    EXPECT_EQ(plan_of("priority == 3 AND NOT priority < 2 AND owner_id BEGINSWITH 'a'"),
              "priority={3,} +2");
    EXPECT_EQ(plan_of("priority < NULL"), "scan: +1");
    EXPECT_EQ(plan_of("budget > 1.0 AND budget < nan"), "budget(1.0,) +1");
}

TEST(MatchPlan, takes_disjuncts_apart_and_pushes_not_down) {
    EXPECT_EQ(plan_of("priority == 1 AND (budget > 5.0 OR due > T5:0)").find('|') !=
                  std::string::npos,
              true);
    EXPECT_EQ(plan_of("NOT (priority != 1 OR budget != 2.0)"), "priority={1,} budget={2.0,} +0");
    EXPECT_EQ(plan_of("TRUEPREDICATE"), "scan: +0");
    EXPECT_EQ(plan_of("FALSEPREDICATE"), "");
}

TEST(MatchPlan, joins_equalities_of_one_field) {
    EXPECT_EQ(plan_of("priority == 2 OR priority == 1 OR priority IN {4}"), "priority={1,2,4,} +0");
}

TEST(MatchPlan, indexes_array_fields_by_their_elements) {
    EXPECT_EQ(plan_of("'me' IN editors").substr(0, 10), "editors[]=");
    EXPECT_EQ(plan_of("ALL editors == 'me'"), "scan: +1");
}

TEST(MatchPlan, falls_back_to_the_class_beyond_64_disjuncts) {
    std::string text;
    for (int i = 0; i < 65; ++i) {
        text += (i > 0 ? " OR " : "") + std::string("budget > ") + std::to_string(i) +
                ".5 AND priority == " + std::to_string(i);
    }
    EXPECT_EQ(plan_of(text), "scan: +1");
}

TEST(Canonical, ignores_order_parentheses_spelling_and_sides) {
    const std::string expected =
        canonical_of("owner_id == 'a' AND (priority > 3 OR status == 'b')");
    for (const char* same :
         {"(status = \"b\" || 3 < priority) && 'a' == owner_id",
          "NOT (owner_id != 'a' or not (status in {'b'} or priority > 3.0))",
          "owner_id IN {'a'} and (priority > 3 or (status == 'b' or status == 'b'))",
          "owner_id == 'a' AND TRUEPREDICATE AND (priority > +3 OR status == B64\"Yg==\")"}) {
        EXPECT_EQ(canonical_of(same), expected) << same;
    }
}

TEST(Canonical, joins_equalities_and_sorts_lists) {
    EXPECT_EQ(canonical_of("priority IN {3, 1, 2, 1}"),
              canonical_of("priority == 2 OR priority == 3 OR 1 == priority"));
}

TEST(Canonical, tells_different_queries_apart) {
    const char* different[] = {
        "priority > 3",       "priority >= 3",    "priority == 3",       "priority != 3",
        "NOT priority > 3",   "budget > 3",       "editors == 'a'",      "editors == {'a'}",
        "ALL editors == 'a'", "status ==[c] 'a'", "status == 'a'",       "status == 'A'",
        "status == NULL",     "status == 'NULL'", "TRUEPREDICATE",       "FALSEPREDICATE",
        "extra == '3'",       "extra == 3",       "editors.@count == 3", "status BEGINSWITH 'a'"};
    for (const char* a : different) {
        for (const char* b : different) {
            EXPECT_EQ(a == b, canonical_of(a) == canonical_of(b)) << a << " / " << b;
        }
    }
}

} // namespace
} // namespace tombolo::query::test
