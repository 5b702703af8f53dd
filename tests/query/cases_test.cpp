// Runs tests/cases/query.txt: the rows of database-and-sdk.md 3.7 and the checklist Q01..Q16
// (section 11).

#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "query/bound_printer.hpp"
#include "query/bson_documents.hpp"
#include "query/document_filter.hpp"
#include "query/fixture.hpp"
#include "query/match_plan.hpp"
#include "query/parser.hpp"
#include "query/printer.hpp"

namespace tombolo::query::test {
namespace {

struct Case {
    std::string name;
    std::string class_name = "Person";
    std::string query;
    std::vector<std::string> arguments;
    std::string expected;
    bool is_error = false;
};

/// A line is "<key>: <value>"; a blank line ends a case.
std::vector<Case> read_cases() {
    std::ifstream file(std::string(TOMBOLO_TEST_DATA) + "/cases/query.txt");
    std::vector<Case> cases;
    Case current;
    std::string line;
    const auto flush = [&] {
        if (!current.query.empty()) {
            cases.push_back(current);
        }
        current = {};
    };
    while (std::getline(file, line)) {
        if (line.empty()) {
            flush();
            continue;
        }
        if (line[0] == '#') {
            continue;
        }
        const std::size_t colon = line.find(": ");
        const std::string key = line.substr(0, std::min(colon, line.find(':')));
        const std::string value = colon == std::string::npos ? "" : line.substr(colon + 2);
        if (key == "case") {
            current.name = value;
        } else if (key == "class") {
            current.class_name = value;
        } else if (key == "query") {
            current.query = value;
        } else if (key == "argument") {
            current.arguments.push_back(value);
        } else if (key == "results" || key == "error") {
            current.expected = value;
            current.is_error = key == "error";
        } else {
            ADD_FAILURE() << "unknown key in query.txt: " << line;
        }
    }
    flush();
    return cases;
}

void PrintTo(const Case& c, std::ostream* out) {
    *out << c.name << ": " << c.query;
}

Arguments arguments_of(const Case& c) {
    Arguments arguments;
    for (const std::string& text : c.arguments) {
        arguments.push_back(parse_argument(text));
    }
    return arguments;
}

class QueryCases : public testing::TestWithParam<Case> {};

TEST_P(QueryCases, give_the_stated_results) {
    const Case& c = GetParam();
    const std::string actual = run_labels(c.class_name, c.query, arguments_of(c));
    if (c.is_error) {
        EXPECT_EQ(actual.substr(0, 7), "error: ") << actual;
        EXPECT_NE(actual.find(c.expected), std::string::npos) << actual;
    } else {
        EXPECT_EQ(actual, c.expected);
    }
}

/// What a document cannot tell (query/bson_accessor.hpp): dates beyond milliseconds, all incoming
/// links.
bool needs_more_than_documents(const Case& c) {
    return c.query.find("@links.@count") != std::string::npos;
}

TEST_P(QueryCases, give_the_same_results_on_documents) {
    const Case& c = GetParam();
    const auto query = compile(c.query, fixture_schema(), c.class_name, arguments_of(c));
    if (!query || needs_more_than_documents(c)) {
        return;
    }
    static const DocumentStore documents(fixture_store());
    const ObjectAccessor objects(fixture_store());
    const Evaluator<ObjectAccessor> evaluator(objects);
    const DocumentFilter filter(*query, &documents);
    const auto refs = fixture_store().objects(c.class_name);
    for (std::size_t i = 0; i < refs.size(); ++i) {
        EXPECT_EQ(evaluator.matches(*query, refs[i]),
                  filter.matches(documents.documents(c.class_name)[i]))
            << label_of(refs[i]);
    }
}

TEST_P(QueryCases, describe_themselves_as_a_query_with_the_same_results) {
    const Case& c = GetParam();
    const auto query = compile(c.query, fixture_schema(), c.class_name, arguments_of(c));
    if (!query) {
        return;
    }
    const std::string text = print(*query);
    EXPECT_EQ(run_labels(c.class_name, text), run_labels(c.class_name, c.query, arguments_of(c)))
        << text;
    const auto again = compile(text, fixture_schema(), c.class_name);
    ASSERT_TRUE(again.has_value()) << text << ": " << again.error().message();
    EXPECT_EQ(print(*again), text);
}

TEST_P(QueryCases, match_what_their_plan_matches) {
    const Case& c = GetParam();
    const auto query = compile(c.query, fixture_schema(), c.class_name, arguments_of(c));
    if (!query) {
        return;
    }
    const MatchPlan plan = make_match_plan(*query);
    const ObjectAccessor objects(fixture_store());
    const Evaluator<ObjectAccessor> evaluator(objects);
    for (const ObjectRef& object : fixture_store().objects(c.class_name)) {
        EXPECT_EQ(plan_matches(plan, objects, object), evaluator.matches(*query, object))
            << label_of(object);
    }
}

TEST_P(QueryCases, print_as_text_that_parses_to_the_same_tree) {
    const auto tree = parse(GetParam().query);
    if (!tree) {
        return;
    }
    const std::string text = print(*tree);
    const auto again = parse(text);
    ASSERT_TRUE(again.has_value()) << text << ": " << again.error().message();
    EXPECT_EQ(*tree, *again) << text;
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
    std::string out;
    for (char c : info.param.name) {
        out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    }
    return out + "_" + std::to_string(info.index);
}

INSTANTIATE_TEST_SUITE_P(Text, QueryCases, testing::ValuesIn(read_cases()), case_name);

} // namespace
} // namespace tombolo::query::test
