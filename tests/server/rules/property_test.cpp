// Random expressions against an evaluator that reads the rule's text afresh for each document, with
// one branch a form and no folding.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "mql/bson_compare.hpp"
#include "mql/filter.hpp"
#include "server/rules/rules_support.hpp"

namespace tombolo::rules {
namespace {

using mql::BsonElement;
using mql::BsonView;

const char* const values[] = {"1", "2", "'red'", "'a'", "null", "true", "[1,'a']", "['a','b']"};
const char* const expansions[] = {"'%%user.custom_data.team'",
                                  "'%%user.custom_data.level'",
                                  "'%%user.custom_data.nothing'",
                                  "'%%values.limit'",
                                  "'%%root.a'",
                                  "'%%root.b'",
                                  "'%%prevRoot.a'"};
const char* const lefts[] = {
    "a", "b", "%%root.a", "%%prevRoot.b", "%%user.custom_data.team", "%%user.custom_data.nothing"};
const char* const operators[] = {"$eq", "%ne", "$gt", "$gte", "$lt", "%lte"};

template <class Array>
std::string any_of(const Array& array) {
    return *rc::gen::elementOf(std::vector<std::string>(std::begin(array), std::end(array)));
}

std::string any_value() {
    return *rc::gen::inRange(0, 2) == 0 ? any_of(values) : any_of(expansions);
}

std::string any_expression(int depth) {
    switch (depth == 0 ? *rc::gen::inRange(0, 4) : *rc::gen::inRange(0, 8)) {
    case 0:
        return *rc::gen::inRange(0, 2) == 0 ? "true" : "false";
    case 1:
        return "{'" + any_of(lefts) + "':" + any_value() + "}";
    case 2:
        return "{'" + any_of(lefts) + "':{'" + any_of(operators) + "':" + any_value() + "}}";
    case 3:
        return "{'" + any_of(lefts) +
               "':{'$exists':" + (*rc::gen::inRange(0, 2) == 0 ? "true" : "false") + "}}";
    case 4:
        return "{'$and':[" + any_expression(depth - 1) + "," + any_expression(depth - 1) + "]}";
    case 5:
        return "{'%or':[" + any_expression(depth - 1) + "," + any_expression(depth - 1) + "]}";
    case 6:
        return "{'$nor':[" + any_expression(depth - 1) + "," + any_expression(depth - 1) + "]}";
    default:
        return "{'%not':" + any_expression(depth - 1) + "}";
    }
}

struct World {
    BsonView root;
    BsonView previous;
    BsonView custom_data;
    BsonView values;
};

// Scalars and whole arrays under plain names are all that the generator makes.
struct Found {
    BsonView value;
    bool of_document = false;
    bool defined = true;
};

Found find(std::string_view name, const World& world) {
    const auto in = [&](std::string_view prefix, BsonView document, bool of_document) {
        const BsonView value = document.as_document().find(name.substr(prefix.size()));
        return Found{value, of_document, of_document || !value.is_missing()};
    };
    for (const auto& [prefix, document, of_document] :
         {std::tuple(std::string_view("%%root."), world.root, true),
          {"%%prevRoot.", world.previous, true},
          {"%%user.custom_data.", world.custom_data, false},
          {"%%values.", world.values, false}}) {
        if (name.starts_with(prefix)) {
            return in(prefix, document, of_document);
        }
    }
    return in("", world.root, true);
}

BsonView null_if_missing(BsonView value) {
    return value.is_missing() ? BsonView::null() : value;
}

// One comparison of one value, in MongoDB's terms: types must agree, but null is also missing.
bool compare_one(BsonView left, std::string_view op, BsonView right) {
    if (op == "eq") {
        return mql::equal(null_if_missing(left), right);
    }
    if (mql::canonical_type(null_if_missing(left).type()) != mql::canonical_type(right.type())) {
        return false;
    }
    const int order = mql::compare(null_if_missing(left), right);
    return op == "gt" ? order > 0 : op == "gte" ? order >= 0 : op == "lt" ? order < 0 : order <= 0;
}

bool compare(BsonView left, std::string_view op, BsonView right) {
    if (op == "ne") {
        return !compare(left, "eq", right);
    }
    if (left.is_array()) {
        for (const BsonElement& element : left.as_document()) {
            if (compare_one(element.value, op, right)) {
                return true;
            }
        }
    }
    return compare_one(left, op, right);
}

bool naive(BsonView expression, const World& world);

bool naive_test(std::string_view name, BsonView spec, const World& world) {
    const Found left = find(name, world);
    std::string_view op = "eq";
    BsonView operand = spec;
    if (spec.is_document()) {
        const BsonElement test = *spec.as_document().begin();
        op = test.key.substr(1);
        operand = test.value;
    }
    if (op == "exists") {
        return left.value.is_missing() != operand.as_bool();
    }
    Found right{operand};
    if (operand.is_string() && operand.as_string().starts_with("%%")) {
        right = find(operand.as_string(), world);
    }
    if (!left.defined || !right.defined) {
        return false;
    }
    return compare(left.value, op, null_if_missing(right.value));
}

bool naive(BsonView expression, const World& world) {
    if (!expression.is_document()) {
        return expression.as_bool();
    }
    for (const BsonElement& clause : expression.as_document()) {
        const bool logical = clause.key[0] == '$' || (clause.key[0] == '%' && clause.key[1] != '%');
        if (!logical) {
            if (!naive_test(clause.key, clause.value, world)) {
                return false;
            }
            continue;
        }
        const std::string_view name = clause.key.substr(1);
        if (name == "not") {
            if (naive(clause.value, world)) {
                return false;
            }
            continue;
        }
        std::size_t holding = 0;
        for (const BsonElement& child : clause.value.as_document()) {
            holding += naive(child.value, world) ? 1 : 0;
        }
        const std::size_t count = clause.value.as_document().count();
        if (!(name == "and" ? holding == count : name == "or" ? holding > 0 : holding == 0)) {
            return false;
        }
    }
    return true;
}

std::string any_document() {
    std::string out = "{'_id':1";
    for (const char* field : {"a", "b"}) {
        if (*rc::gen::inRange(0, 4) != 0) {
            out += ",'" + std::string(field) + "':" + any_of(values);
        }
    }
    return out + "}";
}

RC_GTEST_PROP(RuleProperty, bound_trees_agree_with_reading_the_text, ()) {
    const std::string text = any_expression(3);
    const mql::BsonDocument wrapped = bson("{'e':" + text + "}");
    const mql::BsonDocument root = bson(any_document());
    const mql::BsonDocument previous = bson(any_document());
    const Bound bound;
    const World world{root.view().as_value(), previous.view().as_value(),
                      bound.custom_data.view().as_value(), bound.values.view().as_value()};
    const mql::BsonDocumentView before = previous;
    Subject subject;
    subject.root = root;
    subject.previous = &before;
    RC_LOG() << text << " on " << text_of(root) << " before " << text_of(previous);
    const Predicate predicate = bound(expression(text));
    const bool expected = naive(wrapped.view().find("e"), world);
    RC_ASSERT(predicate.test(subject).value() == expected);
    if (const auto query = predicate.query()) {
        RC_ASSERT(mql::Filter::compile(*query).value().matches(root).value() == expected);
    }
}

} // namespace
} // namespace tombolo::rules
