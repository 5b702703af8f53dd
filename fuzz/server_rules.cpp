// Extended JSON of a rule's expression: parsed, bound to a user, evaluated. A bound expression that
// is a MongoDB filter must be one that compiles.

#include <cstddef>
#include <cstdint>

#include "core/ejson.hpp"
#include "mql/filter.hpp"
#include "server/rules/expression.hpp"

namespace {

using namespace tombolo;

mql::BsonDocument bson(std::string_view json) {
    return mql::BsonDocument::validate(ejson_to_bson(json).value()).value();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const mql::BsonDocument user = bson(
        R"({"id":"u","type":"normal","data":{"a":1},"identities":[{"provider_type":"anon-user"}]})");
    static const mql::BsonDocument custom = bson(R"({"team":"red","ids":["a","b"],"n":{"$gt":1}})");
    static const mql::BsonDocument document =
        bson(R"({"_id":1,"a":[1,{"b":2}],"b":{"c":"red"},"owner":"u"})");
    const auto bytes = ejson_to_wrapped_bson({reinterpret_cast<const char*>(data), size});
    if (!bytes) {
        return 0;
    }
    const auto wrapped = mql::BsonDocument::validate(*bytes);
    if (!wrapped) {
        return 0;
    }
    rules::Problems problems;
    const rules::Expression expression =
        rules::Expression::parse(wrapped->view().at(0), "rule", problems);
    rules::Facts facts;
    facts.user = user;
    facts.function = [](const std::string&,
                        const std::vector<mql::BsonValue>& arguments) -> Result<mql::BsonValue> {
        return arguments.empty() ? mql::BsonValue::from_bool(true) : arguments[0];
    };
    const rules::Predicate predicate = expression.bind({facts, custom, user, custom});
    const mql::BsonDocumentView before = custom;
    rules::Subject subject{document, &before, document.view().find("a"), {}};
    const auto holds = predicate.test(subject);
    static_cast<void>(holds);
    const auto query = predicate.query();
    if (query && predicate.constant().has_value() == false && !mql::Filter::compile(*query)) {
        __builtin_trap();
    }
    return 0;
}
