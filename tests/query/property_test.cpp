// Random queries on random objects: the evaluator on objects, on documents, the one-pass filter,
// the plan, and an evaluator written apart from all of them agree.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "query/bound_printer.hpp"
#include "query/bson_documents.hpp"
#include "query/document_filter.hpp"
#include "query/fixture.hpp"

namespace tombolo::query::test {
namespace {

int number(int end) {
    return *rc::gen::inRange(0, end);
}
bool coin() {
    return number(2) == 0;
}

// ---- a little language over accounts, with its own meaning ----

struct Term {
    std::string text;
    std::function<bool(const Object&)> holds;
};

const Value* field(const Object& object, const std::string& name) {
    const Value* value = object.fields.find(name);
    return value && !value->is_null() ? value : nullptr;
}

bool relation_holds(const std::string& op, int order) {
    return op == "<" ? order < 0 : op == "<=" ? order <= 0 : op == ">" ? order > 0 : order >= 0;
}

/// One value (or none) op one constant (or null).
bool holds(const std::string& op, const Value* value, const Value* constant) {
    const bool same = value && constant ? compare(*value, *constant) == 0 : value == constant;
    if (op == "==") {
        return same;
    }
    if (op == "!=") {
        return !same;
    }
    return value && constant && relation_holds(op, compare(*value, *constant));
}

Value random_constant(const std::string& name) {
    static const char* words[] = {"", "a", "b", "ab", "A"};
    if (name == "priority") {
        return Value(number(5) - 2);
    }
    if (name == "budget") {
        return Value(static_cast<double>(number(9)) / 2 - 2);
    }
    if (name == "due") {
        return Value(Timestamp::from_unix_ms(number(5) * 500 - 1000));
    }
    return Value(words[number(5)]);
}

std::string text_of(const Value& value) {
    Query holder;
    std::vector<Value> values;
    values.push_back(value);
    Comparison comparison;
    comparison.left.node = Path{};
    comparison.right.node = Constants(std::move(values), false);
    const std::string text = print(Condition{std::move(comparison)}, PrintStyle::description);
    return text.substr(text.find("== ") + 3);
}

Term comparison_term() {
    static const char* names[] = {"priority", "budget", "due", "owner_id", "status"};
    static const char* ops[] = {"==", "!=", "<", "<=", ">", ">="};
    static const std::map<std::string, std::string> mirror = {
        {"<", ">"}, {"<=", ">="}, {">", "<"}, {">=", "<="}};
    const std::string name = names[number(5)];
    const std::string op = ops[number(6)];
    const bool is_null = number(8) == 0;
    const Value constant = is_null ? Value() : random_constant(name);
    const auto found = mirror.find(op);
    const std::string mirrored = found == mirror.end() ? op : found->second;
    const std::string text = is_null  ? name + " " + op + " NULL"
                             : coin() ? name + " " + op + " " + text_of(constant)
                                      : text_of(constant) + " " + mirrored + " " + name;
    return {text, [=](const Object& object) {
                return holds(op, field(object, name), is_null ? nullptr : &constant);
            }};
}

Term in_term() {
    const std::string name = coin() ? "priority" : "status";
    std::vector<Value> values;
    std::string text = name + " IN {";
    for (int count = number(12); count > 0; --count) {
        values.push_back(random_constant(name));
        text += (values.size() > 1 ? ", " : "") + text_of(values.back());
    }
    return {text + "}", [=](const Object& object) {
                bool any = false;
                for (const Value& value : values) {
                    any = any || holds("==", field(object, name), &value);
                }
                return any;
            }};
}

Term list_term() {
    static const char* quantifiers[] = {"ANY", "ALL", "NONE"};
    static const char* ops[] = {"==", "!=", "<", ">="};
    const std::string quantifier = quantifiers[number(3)];
    const std::string op = ops[number(4)];
    const Value constant = random_constant("editors");
    return {
        quantifier + " editors " + op + " " + text_of(constant), [=](const Object& object) {
            const Value* list = field(object, "editors");
            std::size_t good = 0;
            std::size_t all = 0;
            if (list) {
                for (const Value& element : list->get_if<List>()->elements) {
                    good += holds(op, &element, &constant) ? 1 : 0;
                    ++all;
                }
            }
            return quantifier == "ANY" ? good > 0 : quantifier == "ALL" ? good == all : good == 0;
        }};
}

Term count_term() {
    const int count = number(4);
    return {"editors.@count > " + std::to_string(count), [=](const Object& object) {
                const Value* list = field(object, "editors");
                return list &&
                       list->get_if<List>()->elements.size() > static_cast<std::size_t>(count);
            }};
}

Term text_term() {
    static const char* ops[] = {"BEGINSWITH", "ENDSWITH", "CONTAINS"};
    const int op = number(3);
    const std::string needle = *random_constant("status").get_if<std::string>();
    return {std::string("status ") + ops[op] + " '" + needle + "'", [=](const Object& object) {
                const Value* value = field(object, "status");
                if (!value) {
                    return false;
                }
                const std::string& text = *value->get_if<std::string>();
                const std::size_t at = op == 1 ? text.rfind(needle) : text.find(needle);
                return at != std::string::npos &&
                       (op == 2 || (op == 0 ? at == 0 : at + needle.size() == text.size()));
            }};
}

Term random_term(int depth) {
    const int kind = depth == 0 ? number(5) : number(9);
    switch (kind) {
    case 0:
    case 1:
        return comparison_term();
    case 2:
        return in_term();
    case 3:
        return coin() ? list_term() : count_term();
    case 4:
        return text_term();
    case 5: {
        const Term inner = random_term(depth - 1);
        return {"NOT (" + inner.text + ")",
                [=](const Object& object) { return !inner.holds(object); }};
    }
    default: {
        const bool conjunction = coin();
        std::vector<Term> terms;
        std::string text = "(";
        for (int count = 2 + number(3); count > 0; --count) {
            terms.push_back(random_term(depth - 1));
            text += (terms.size() > 1 ? (conjunction ? " AND " : " OR ") : "") + terms.back().text;
        }
        return {text + ")", [=](const Object& object) {
                    for (const Term& term : terms) {
                        if (term.holds(object) != conjunction) {
                            return !conjunction;
                        }
                    }
                    return conjunction;
                }};
    }
    }
}

Object random_account(int key) {
    Dictionary fields;
    fields.set("_id", Value(person_id(key)));
    for (const char* name : {"priority", "budget", "due", "owner_id", "status"}) {
        if (number(4) > 0) {
            fields.set(name, random_constant(name));
        } else if (coin()) {
            fields.set(name, Value());
        }
    }
    if (number(4) > 0) {
        List editors;
        for (int count = number(4); count > 0; --count) {
            editors.elements.push_back(random_constant("editors"));
        }
        fields.set("editors", Value(std::move(editors)));
    }
    return Object{std::move(fields)};
}

ObjectStore random_accounts() {
    ObjectStore store(fixture_schema());
    for (int key = 0; key < 20; ++key) {
        store.add("Account", random_account(key));
    }
    return store;
}

RC_GTEST_PROP(QueryProperties, all_evaluators_and_plans_agree, ()) {
    const ObjectStore store = random_accounts();
    const DocumentStore documents(store);
    const ObjectAccessor objects(store);
    const BsonAccessor bson;
    const Term term = random_term(3);
    const Query query = compile(term.text, fixture_schema(), "Account").value();
    const DocumentFilter filter(query);
    const MatchPlan plan = make_match_plan(query);
    const auto refs = store.objects("Account");
    for (std::size_t i = 0; i < refs.size(); ++i) {
        const ByteView document = documents.documents("Account")[i];
        const BsonObject bson_object{document, query.object_class, nullptr, 0};
        const bool expected = term.holds(*refs[i].fields);
        RC_ASSERT(Evaluator(objects).matches(query, refs[i]) == expected);
        RC_ASSERT(Evaluator(bson).matches(query, bson_object) == expected);
        RC_ASSERT(filter.matches(document) == expected);
        RC_ASSERT(plan_matches(plan, objects, refs[i]) == expected);
        RC_ASSERT(plan_matches(plan, bson, bson_object) == expected);
    }
}

RC_GTEST_PROP(QueryProperties, equal_canonical_texts_mean_equal_results, ()) {
    const ObjectStore store = random_accounts();
    const ObjectAccessor objects(store);
    std::map<std::string, std::pair<std::string, std::vector<bool>>> seen;
    for (int round = 0; round < 30; ++round) {
        const Term term = random_term(number(2));
        const Query query = compile(term.text, fixture_schema(), "Account").value();
        std::vector<bool> results;
        for (const ObjectRef& object : store.objects("Account")) {
            results.push_back(Evaluator(objects).matches(query, object));
        }
        const auto [at, added] = seen.try_emplace(canonical(query), term.text, results);
        RC_LOG() << term.text << " / " << at->second.first << '\n';
        RC_ASSERT(at->second.second == results);
    }
}

RC_GTEST_PROP(QueryProperties, description_means_the_same_query, ()) {
    const Query query = compile(random_term(3).text, fixture_schema(), "Account").value();
    const std::string text = print(query);
    const Query again = compile(text, fixture_schema(), "Account").value();
    RC_ASSERT(print(again) == text);
    RC_ASSERT(canonical(again) == canonical(query));
}

} // namespace
} // namespace tombolo::query::test
