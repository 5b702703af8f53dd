#include <gtest/gtest.h>

#include "core/ejson.hpp"
#include "server/functions/functions_fixture.hpp"

namespace tombolo::functions {

TEST(FunctionContext, user_is_the_caller) {
    Fixture fixture;
    Call call;
    call.app = fixture.deploy(app_of({{"f", "exports = () => [context.user.id, "
                                            "context.user.custom_data.born, "
                                            "context.runningAsSystem()];"}}));
    call.name = "f";
    call.caller.user_id = "0123456789abcdef01234567";
    call.caller.user = R"({"id": "0123456789abcdef01234567", "type": "normal", "custom_data":
        {"born": {"$date": {"$numberLong": "5"}}}})";
    EXPECT_EQ(fixture.functions().call(call).result,
              R"(["0123456789abcdef01234567",{"$date":{"$numberLong":"5"}},false])");
}

TEST(FunctionContext, the_system_has_a_user_of_its_own) {
    Fixture fixture;
    Call call;
    call.app = fixture.deploy(
        app_of({{"f", "exports = () => [context.user.type, context.runningAsSystem()];"}}));
    call.name = "f";
    call.caller.is_system = true;
    EXPECT_EQ(fixture.functions().call(call).result, R"(["system",true])");
}

TEST(FunctionContext, values_secrets_and_environment) {
    Fixture fixture;
    server::AppTree tree =
        app_of({{"f", "exports = () => [context.values.get('limits').most, "
                      "context.values.get('key'), context.values.get('none') ?? 'absent', "
                      "context.environment.tag, context.environment.values.url];"}});
    tree["root_config.json"] =
        R"({"name": "demo", "app_id": "demo-abcde", "environment": "testing"})";
    tree["values/limits.json"] = R"({"name": "limits", "value": {"most": 7}})";
    tree["values/key.json"] = R"({"name": "key", "value": "api_key", "from_secret": true})";
    tree["environments/testing.json"] = R"({"values": {"url": "http://testing"}})";
    tree["secrets.json"] = R"({"api_key": "first"})";
    const auto app = fixture.deploy(tree);
    EXPECT_EQ(fixture.call(app, "f").result,
              R"([{"$numberLong":"7"},"first","absent","testing","http://testing"])");
    fixture.apps().set_secret(app->id, "api_key", "second").value();
    EXPECT_EQ(fixture.call(app, "f").result,
              R"([{"$numberLong":"7"},"second","absent","testing","http://testing"])");
}

TEST(FunctionContext, app_and_request) {
    Fixture fixture;
    Call call;
    call.app = fixture.deploy(app_of({{"f", "exports = () => [context.app.clientAppId, "
                                            "context.request.remoteIPAddress];"}}));
    call.name = "f";
    call.request = R"({"remoteIPAddress": "192.0.2.1"})";
    EXPECT_EQ(fixture.functions().call(call).result, R"(["demo-abcde","192.0.2.1"])");
}

TEST(FunctionContext, console_goes_to_the_logs) {
    Fixture fixture;
    const Outcome outcome = fixture.run(
        "exports = () => { console.log('a', {b: [1]}); console.error('bad %d', 3); return 1; };");
    EXPECT_EQ(outcome.logs, std::vector<std::string>{"a { b: [ 1 ] }"});
    EXPECT_EQ(outcome.error_logs, std::vector<std::string>{"bad 3"});
}

TEST(FunctionContext, bson_and_ejson_are_globals) {
    Fixture fixture;
    EXPECT_EQ(fixture
                  .run("exports = () => { const id = BSON.ObjectId('0123456789abcdef01234567');"
                       " return [id, new BSON.ObjectId(id).equals(id), id.toString(),"
                       " EJSON.stringify({a: 42}), EJSON.parse('{\"$numberLong\":\"7\"}'),"
                       " BSON.Decimal128.fromString('1.10'), BSON.Long.fromString('9').toNumber(),"
                       " BSON.Binary.fromBase64('aGk=').text(), BSON.ObjectId() instanceof"
                       " BSON.ObjectId]; };")
                  .result,
              R"([{"$oid":"0123456789abcdef01234567"},true,"0123456789abcdef01234567",)"
              R"("{\"a\":{\"$numberLong\":\"42\"}}",{"$numberLong":"7"},)"
              R"({"$numberDecimal":"1.10"},{"$numberLong":"9"},"hi",true])");
}

TEST(FunctionContext, utils_sign_and_hash) {
    Fixture fixture;
    EXPECT_EQ(
        fixture
            .run("exports = () => { const token = utils.jwt.encode('HS256', {sub: 'me'}, 'k');"
                 " let refused; try { utils.jwt.decode(token, 'other'); } catch (error) {"
                 " refused = error.message; }"
                 " return [utils.jwt.decode(token, 'k').sub, refused,"
                 " utils.crypto.hash('sha256', 'a').toHex().slice(0, 8),"
                 " utils.crypto.hmac('m', 's', 'sha256', 'hex').length]; };")
            .result,
        R"(["me","the JWT's signature is not valid","ca978112",{"$numberLong":"64"}])");
}

TEST(FunctionContext, require_finds_node_modules_and_built_in_ones) {
    Fixture fixture;
    EXPECT_EQ(fixture.run("exports = () => require('path').join('a', 'b');").result, R"("a/b")");
    EXPECT_NE(fixture.run("exports = () => require('child_process');")
                  .failure->message.find("not available"),
              std::string::npos);
    EXPECT_EQ(failure_of(fixture.run("exports = () => require('left-pad');")), "thrown");
}

TEST(FunctionContext, services_ask_the_server_as_the_caller_or_the_system) {
    Fixture fixture;
    std::vector<std::string> asked;
    Seams seams;
    seams.service = [&](const ServiceRequest& request) -> Result<std::string> {
        asked.push_back(request.service + "." + request.action +
                        (request.caller.is_system ? " system " : " user ") + request.arguments);
        if (request.action == "insertOne") {
            return Error(ErrorCode::duplicate_key, "Duplicate key error");
        }
        return std::string(R"([{"_id":{"$numberLong":"1"}}])");
    };
    fixture.functions().connect(seams);
    server::AppTree tree = app_of(
        {{"find", "exports = async () => (await context.services.get('mongodb-atlas').db('d')"
                  ".collection('c').find({a: 1}).sort({b: 1}).limit(2).toArray())[0]._id;"},
         {"insert", "exports = async () => { try { await context.services.get('mongodb-atlas')"
                    ".db('d').collection('c').insertOne({_id: 1}); } catch (error) {"
                    " return [error.code, error.message]; } };"},
         {"both", "exports = async () => [await context.functions.execute('find'),"
                  " await context.functions.execute('insert')];"}});
    tree["functions/config.json"] = R"([{"name": "insert", "run_as_system": true}])";
    const auto app = fixture.deploy(tree);
    EXPECT_EQ(fixture.call(app, "both").result,
              R"([{"$numberLong":"1"},[{"$numberLong":"11000"},"Duplicate key error"]])");
    EXPECT_EQ(
        asked,
        (std::vector<std::string>{
            R"(mongodb-atlas.find user {"database":"d","collection":"c","query":{"a":{"$numberLong":"1"}},"sort":{"b":{"$numberLong":"1"}},"limit":{"$numberLong":"2"}})",
            R"(mongodb-atlas.insertOne system {"database":"d","collection":"c","document":{"_id":{"$numberLong":"1"}}})"}));
}

TEST(FunctionContext, run_as_user_id_and_its_script) {
    Fixture fixture;
    Seams seams;
    seams.user = [](const server::App&, const std::string& id) -> std::optional<Caller> {
        if (id == "nobody") {
            return std::nullopt;
        }
        return Caller{false, id, R"({"id": ")" + id + "\"}"};
    };
    fixture.functions().connect(seams);
    const std::string source = "exports = () => context.user.id;";
    server::AppTree tree = app_of({{"fixed", source}, {"chosen", source}, {"gone", source}});
    tree["functions/config.json"] = R"([
        {"name": "fixed", "run_as_user_id": "me"},
        {"name": "chosen", "run_as_user_id_script_source": "exports = (name) => name + '2';"},
        {"name": "gone", "run_as_user_id": "nobody"}])";
    const auto app = fixture.deploy(tree);
    EXPECT_EQ(fixture.call(app, "fixed").result, R"("me")");
    EXPECT_EQ(fixture.call(app, "chosen", R"(["you"])").result, R"("you2")");
    EXPECT_EQ(failure_of(fixture.call(app, "gone")), "refused");
}

} // namespace tombolo::functions
