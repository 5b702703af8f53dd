#pragma once

// Rules and documents from Extended JSON texts.

#include <string>
#include <string_view>

#include "core/ejson.hpp"
#include "mql/bson_value.hpp"
#include "server/rules/access.hpp"
#include "server/rules/expression.hpp"
#include "server/rules/rule_set.hpp"

namespace tombolo::rules {

/// {'a': 1} with single quotes for double ones.
inline std::string json(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        c = c == '\'' ? '"' : c;
    }
    return out;
}

inline mql::BsonDocument bson(std::string_view text) {
    return mql::BsonDocument::validate(ejson_to_bson(json(text)).value()).value();
}

inline std::string text_of(mql::BsonDocumentView document) {
    return bson_to_ejson(document.bytes(), EjsonForm::relaxed).value();
}

/// A user "u1" with e-mail identity, custom data {team: "red", level: 3, ids: ["a", "b"]}.
inline Facts some_facts() {
    Facts facts;
    facts.user_id = "65f000000000000000000001";
    facts.user = bson("{'id':'65f000000000000000000001','type':'normal',"
                      "'data':{'email':'a@example.com','nested':{'$ne':1}},"
                      "'identities':[{'id':'i1','provider_type':'local-userpass'}]}");
    facts.custom_data = [] {
        return bson("{'team':'red','level':3,'ids':['a','b'],'gone':null,"
                    "'oid':'65f000000000000000000002','trick':{'$ne':'x'}}");
    };
    facts.request = bson("{'remoteIPAddress':'192.0.2.1','service':'mongodb-atlas'}");
    return facts;
}

struct Bound {
    Facts facts;
    mql::BsonDocument values;
    mql::BsonDocument environment;
    mql::BsonDocument custom_data;

    explicit Bound(Facts given = some_facts())
        : facts(std::move(given)), values(bson("{'limit':10,'admins':['x','y']}")),
          environment(bson("{'tag':'production','values':{'open':true}}")),
          custom_data(facts.custom_data ? facts.custom_data() : mql::BsonDocument()) {}

    Predicate operator()(const Expression& expression) const {
        return expression.bind({facts, values, environment, custom_data});
    }
};

/// Parses without a problem.
inline Expression expression(std::string_view text) {
    Problems problems;
    const mql::BsonDocument wrapped = bson("{'e':" + std::string(text) + "}");
    Expression out = Expression::parse(wrapped.view().find("e"), "rule", problems);
    if (!problems.empty()) {
        throw Error(ErrorCode::invalid_rule, problems.front().message, problems.front().path);
    }
    return out;
}

} // namespace tombolo::rules
