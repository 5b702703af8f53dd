#include <gtest/gtest.h>

#include "server/functions/functions_fixture.hpp"

namespace tombolo::functions {

TEST(FunctionCall, returns_what_the_function_returns) {
    Fixture fixture;
    const Outcome outcome = fixture.run("exports = (a, b) => a + b;", "[1, 2]");
    ASSERT_TRUE(outcome.ok()) << outcome.failure->message;
    EXPECT_EQ(outcome.result, R"({"$numberLong":"3"})");
}

TEST(FunctionCall, awaits_an_async_function) {
    Fixture fixture;
    const Outcome outcome = fixture.run(
        "exports = async () => { await new Promise((done) => setTimeout(done, 1)); return 'x'; };");
    EXPECT_EQ(outcome.result, R"("x")");
}

TEST(FunctionCall, takes_module_exports_too) {
    Fixture fixture;
    EXPECT_EQ(fixture.run("module.exports = () => true;").result, "true");
}

TEST(FunctionCall, every_type_of_argument_comes_back_as_it_was) {
    Fixture fixture;
    for (const std::string& value :
         {std::string(R"("text")"),
          std::string("true"),
          std::string("null"),
          std::string(R"({"$numberLong":"42"})"),
          std::string(R"({"$numberLong":"9007199254740993"})"),
          std::string(R"({"$numberLong":"-9223372036854775808"})"),
          std::string(R"({"$numberDouble":"1.5"})"),
          std::string(R"({"$numberDouble":"-0.0"})"),
          std::string(R"({"$numberDouble":"NaN"})"),
          std::string(R"({"$numberDouble":"Infinity"})"),
          std::string(R"({"$numberDecimal":"12345678901234567890.10"})"),
          std::string(R"({"$oid":"0123456789abcdef01234567"})"),
          std::string(R"({"$date":{"$numberLong":"-62135596800001"}})"),
          std::string(R"({"$binary":{"base64":"AQID","subType":"00"}})"),
          std::string(R"({"$binary":{"base64":"AAECAwQFBgcICQoLDA0ODw==","subType":"04"}})"),
          std::string(R"({"$timestamp":{"t":7,"i":9}})"),
          std::string(R"({"$regularExpression":{"pattern":"^a.b$","options":"im"}})"),
          std::string(R"({"$regularExpression":{"pattern":"a b","options":"x"}})"),
          std::string(R"({"$minKey":1})"),
          std::string(R"({"$maxKey":1})"),
          std::string(R"({"a":[{"$numberLong":"1"},{"b":null}],"z":"","c":{}})"),
          std::string("[]")}) {
        EXPECT_EQ(fixture.run("exports = (value) => value;", "[" + value + "]").result, value);
    }
}

TEST(FunctionCall, an_int32_becomes_an_int64) {
    Fixture fixture;
    EXPECT_EQ(fixture.run("exports = (value) => value;", R"([{"$numberInt":"5"}])").result,
              R"({"$numberLong":"5"})");
    EXPECT_EQ(fixture.run("exports = () => BSON.Int32(5);").result, R"({"$numberInt":"5"})");
}

TEST(FunctionCall, nothing_returned_is_null) {
    Fixture fixture;
    EXPECT_EQ(fixture.run("exports = () => {};").result, "null");
    EXPECT_EQ(fixture.run("exports = () => [undefined, () => 1, {a: undefined}];").result,
              "[null,null,{}]");
}

TEST(FunctionCall, a_thrown_error_is_its_message) {
    Fixture fixture;
    const Outcome outcome = fixture.run("exports = () => { throw new TypeError('no good'); };");
    EXPECT_EQ(failure_of(outcome), "thrown");
    EXPECT_EQ(outcome.failure->message, "no good");
    EXPECT_EQ(outcome.failure->name, "TypeError");
    EXPECT_NE(outcome.failure->stack.find("f.js:1"), std::string::npos) << outcome.failure->stack;
    EXPECT_EQ(fixture.run("exports = () => { throw 'just text'; };").failure->message, "just text");
    EXPECT_EQ(fixture.run("exports = async () => { throw {code: 7}; };").failure->message,
              R"({"code":{"$numberLong":"7"}})");
}

TEST(FunctionCall, an_error_thrown_later_fails_the_call) {
    Fixture fixture;
    const Outcome outcome = fixture.run(
        "exports = () => new Promise(() => setTimeout(() => { throw new Error('late'); }, 1));");
    EXPECT_EQ(failure_of(outcome), "thrown");
    EXPECT_EQ(outcome.failure->message, "late");
}

TEST(FunctionCall, a_source_that_does_not_compile_says_so) {
    Fixture fixture;
    EXPECT_EQ(failure_of(fixture.run("exports = function( {")), "syntax");
    EXPECT_EQ(failure_of(fixture.run("const nothing = 1;")), "thrown");
}

TEST(FunctionCall, unknown_and_private_functions_are_not_found_by_clients) {
    Fixture fixture;
    server::AppTree tree =
        app_of({{"hidden", "exports = () => 'secret';"},
                {"open", "exports = () => context.functions.execute('hidden');"}});
    tree["functions/config.json"] = R"([{"name": "hidden", "private": true}])";
    const auto app = fixture.deploy(tree);
    const Outcome unknown = fixture.call(app, "nothing");
    EXPECT_EQ(failure_of(unknown), "not found");
    EXPECT_EQ(unknown.failure->message, "function not found: 'nothing'");
    EXPECT_EQ(fixture.call(app, "hidden").failure->message, "function not found: 'hidden'");
    EXPECT_EQ(fixture.call(app, "open").result, R"("secret")");
}

TEST(FunctionCall, can_evaluate_decides_for_clients) {
    Fixture fixture;
    server::AppTree tree = app_of({{"f", "exports = () => 1;"}});
    tree["functions/config.json"] = R"([{"name": "f", "can_evaluate": {"%%user.id": "somebody"}}])";
    const auto app = fixture.deploy(tree);
    EXPECT_EQ(failure_of(fixture.call(app, "f")), "refused"); // nobody evaluates: closed
    Seams seams;
    seams.can_evaluate = [](const Call& call, const boost::json::object& expression) {
        return call.caller.user_id == "somebody" && expression.contains("%%user.id");
    };
    fixture.functions().connect(seams);
    EXPECT_EQ(failure_of(fixture.call(app, "f")), "refused");
    Call call;
    call.app = app;
    call.name = "f";
    call.caller.user_id = "somebody";
    EXPECT_TRUE(fixture.functions().call(call).ok());
    call.caller.user_id.clear();
    call.origin = Origin::administrator;
    EXPECT_TRUE(fixture.functions().call(call).ok());
}

TEST(FunctionCall, arguments_that_are_no_array_are_refused) {
    Fixture fixture;
    for (const char* arguments : {"{}", "[", R"([{"$oid": "x"}])", ""}) {
        EXPECT_EQ(failure_of(fixture.run("exports = () => 1;", arguments)), "bad arguments");
    }
}

TEST(FunctionCall, a_result_that_cannot_be_extended_json_fails) {
    Fixture fixture;
    EXPECT_EQ(failure_of(fixture.run("exports = () => { const a = {}; a.a = a; return a; };")),
              "thrown");
    EXPECT_EQ(failure_of(fixture.run("exports = () => ({$oid: 'no id'});")), "thrown");
}

TEST(FunctionCall, a_new_deployment_is_used_at_once) {
    Fixture fixture;
    EXPECT_EQ(fixture.run("exports = () => 'old';").result, R"("old")");
    EXPECT_EQ(fixture.run("exports = () => 'new';").result, R"("new")");
}

TEST(FunctionCall, module_variables_live_as_long_as_the_call) {
    Fixture fixture;
    const std::string source = "let count = 0; exports = () => ++count;";
    EXPECT_EQ(fixture.run(source).result, R"({"$numberLong":"1"})");
    EXPECT_EQ(fixture.run(source).result, R"({"$numberLong":"1"})");
    EXPECT_EQ(fixture.functions().counts().workers_started, 1U);
}

TEST(FunctionCall, a_source_given_with_the_call_runs_and_evaluates) {
    Fixture fixture;
    Call call;
    call.app = fixture.deploy(app_of({{"double", "exports = (x) => 2 * x;"}}));
    call.name = "console";
    call.origin = Origin::administrator;
    call.source = "exports = (x) => context.functions.execute('double', x) + 1;";
    call.arguments = "[20]";
    EXPECT_EQ(fixture.functions().call(call).result, R"({"$numberLong":"41"})");
    call.eval_source = "exports(3)";
    EXPECT_EQ(fixture.functions().call(call).result, R"({"$numberLong":"7"})");
    call.source = "exports = (";
    EXPECT_EQ(failure_of(fixture.functions().call(call)), "syntax");
}

TEST(FunctionCall, syntax_is_checked_without_running_anything) {
    Fixture fixture;
    EXPECT_FALSE(fixture.functions().check_syntax("exports = () => 1; for (;;);"));
    const auto failure = fixture.functions().check_syntax("exports = function( {");
    ASSERT_TRUE(failure);
    EXPECT_FALSE(failure->message.empty());
    EXPECT_EQ(fixture.functions().counts().workers_started, 1U);
}

TEST(FunctionCall, without_node_the_call_says_what_to_do) {
    FunctionOptions options;
    options.node = "no-such-node";
    Fixture fixture(options);
    const Outcome outcome = fixture.run("exports = () => 1;");
    EXPECT_EQ(failure_of(outcome), "unavailable");
    EXPECT_NE(outcome.failure->message.find("install Node.js"), std::string::npos);
    EXPECT_FALSE(fixture.functions().node_version());
}

TEST(FunctionCall, counts_calls_and_failures) {
    Fixture fixture;
    static_cast<void>(fixture.run("exports = () => 1;"));
    static_cast<void>(fixture.run("exports = () => { throw 1; };"));
    const FunctionCounts counts = fixture.functions().counts();
    EXPECT_EQ(counts.calls, 2U);
    EXPECT_EQ(counts.failures, 1U);
    EXPECT_EQ(counts.busy, 0U);
}

} // namespace tombolo::functions
