// The JSON objects inside messages (sync-protocol.md 3.2, 5.1, 6.4).

#include <string>

#include <gtest/gtest.h>

#include "protocol/support.hpp"

namespace tombolo::protocol::test {

namespace {

ErrorBody plain_error() {
    ErrorBody body;
    body.message = "m";
    body.action = ErrorAction::transient;
    return body;
}

std::string without(std::string text, const std::string& part) {
    const std::size_t at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    return text.erase(at, part.size());
}

constexpr const char* compensating_json =
    "{\"action\":\"Warning\",\"compensatingWriteServerVersion\":6,\"isRecoveryModeDisabled\":false,"
    "\"logURL\":\"\",\"message\":\"write rejected\",\"rejectedClientVersion\":14,"
    "\"rejectedUpdates\":[{\"table\":\"Item\",\"pk\":\"AQc=\",\"reason\":\"write to 7 in table "
    "\\\"Item\\\" not allowed\"}],\"shouldClientReset\":false,\"tryAgain\":true}";

} // namespace

TEST(ErrorBodies, s23_all_six_required_keys_are_written) {
    EXPECT_EQ(write_error_body(200, plain_error()).value(),
              "{\"action\":\"Transient\",\"isRecoveryModeDisabled\":false,\"logURL\":\"\","
              "\"message\":\"m\",\"shouldClientReset\":false,\"tryAgain\":false}");
}

TEST(ErrorBodies, s23_each_required_key_must_be_there) {
    const std::string json = write_error_body(200, plain_error()).value();
    for (const char* part :
         {"\"action\":\"Transient\",", "\"isRecoveryModeDisabled\":false,", "\"logURL\":\"\",",
          "\"message\":\"m\",", "\"shouldClientReset\":false,", ",\"tryAgain\":false"}) {
        EXPECT_FALSE(parse_error_body(200, without(json, part))) << part;
    }
    EXPECT_EQ(parse_error_body(200, json).value(), plain_error());
}

TEST(ErrorBodies, s23_mistyped_keys_are_refused) {
    const std::string json = write_error_body(200, plain_error()).value();
    std::string mistyped = json;
    mistyped.replace(mistyped.find("\"m\""), 3, "123");
    EXPECT_EQ(parse_error_body(200, mistyped).error().code(), ErrorCode::bad_sync_message);
    mistyped = json;
    mistyped.replace(mistyped.find("\"tryAgain\":false"), 16, "\"tryAgain\":0    ");
    EXPECT_EQ(parse_error_body(200, mistyped).error().code(), ErrorCode::bad_sync_message);
}

TEST(ErrorBodies, c18_unknown_action_reads_as_application_bug_and_is_kept) {
    std::string json = write_error_body(200, plain_error()).value();
    json.replace(json.find("Transient"), 9, "NoSuchOne");
    const ErrorBody body = parse_error_body(200, json).value();
    EXPECT_EQ(body.action, ErrorAction::application_bug);
    EXPECT_EQ(body.unknown_action, "NoSuchOne");
    EXPECT_EQ(write_error_body(200, body).value(), json);
}

TEST(ErrorBodies, backoff_interval_requires_its_companions) {
    std::string json = write_error_body(200, plain_error()).value();
    const std::string interval = "{\"backoffIntervalSec\":1,";
    EXPECT_FALSE(parse_error_body(200, interval + json.substr(1)));
    const std::string all = interval + "\"backoffMaxDelaySec\":300,\"backoffMultiplier\":2,";
    EXPECT_EQ(parse_error_body(200, all + json.substr(1)).value().backoff,
              (ErrorBackoff{1, 300, 2}));
}

TEST(ErrorBodies, partition_query_belongs_to_232) {
    ErrorBody body = plain_error();
    EXPECT_FALSE(write_error_body(232, body));
    body.partition_query = "";
    EXPECT_FALSE(write_error_body(232, body));
    body.partition_query = "partition_key == \"x\"";
    EXPECT_FALSE(write_error_body(200, body));
    const std::string json = write_error_body(232, body).value();
    EXPECT_EQ(parse_error_body(232, json).value(), body);
    EXPECT_FALSE(parse_error_body(200, json).value().partition_query);
}

TEST(ErrorBodies, previous_schema_version_belongs_to_236) {
    ErrorBody body = plain_error();
    EXPECT_FALSE(write_error_body(236, body));
    body.previous_schema_version = 0;
    const std::string json = write_error_body(236, body).value();
    EXPECT_EQ(parse_error_body(236, json).value(), body);
    std::string negative = json;
    negative.replace(negative.find("Version\":0"), 10, "Version\":-1");
    EXPECT_FALSE(parse_error_body(236, negative));
}

TEST(CompensatingWrites, s26_server_version_is_mandatory_for_231_and_absent_for_230) {
    ErrorBody body = parse_error_body(231, compensating_json).value();
    ASSERT_TRUE(body.rejected);
    EXPECT_EQ(body.rejected->client_version.value, 14U);
    EXPECT_EQ(body.rejected->server_version, ServerVersion{6});
    EXPECT_FALSE(
        parse_error_body(231, without(compensating_json, "\"compensatingWriteServerVersion\":6,")));
    EXPECT_FALSE(
        parse_error_body(231, without(compensating_json, "\"rejectedClientVersion\":14,")));
    EXPECT_FALSE(write_error_body(230, body));
    body.rejected->server_version.reset();
    EXPECT_FALSE(write_error_body(231, body));
    EXPECT_EQ(parse_error_body(230, write_error_body(230, body).value()).value(), body);
    body.rejected.reset();
    EXPECT_FALSE(write_error_body(231, body));
}

TEST(CompensatingWrites, rejected_updates_are_read_in_any_key_order_and_written_sorted) {
    const ErrorBody body = parse_error_body(231, compensating_json).value();
    const RejectedUpdate expected{"Item", PrimaryKey{std::int64_t{7}},
                                  "write to 7 in table \"Item\" not allowed"};
    ASSERT_EQ(body.rejected->updates.size(), 1U);
    EXPECT_EQ(body.rejected->updates[0], expected);
    const std::string written = write_error_body(231, body).value();
    EXPECT_EQ(written.size(), std::string(compensating_json).size());
    EXPECT_NE(written.find("[{\"pk\":\"AQc=\",\"reason\":"), std::string::npos);
    EXPECT_EQ(rejection_reason(PrimaryKeyView{std::int64_t{7}}, "Item", false), expected.reason);
}

TEST(CompensatingWrites, chapter_samples_of_keys) {
    const auto expect = [](const PrimaryKey& key, const std::string& base64) {
        EXPECT_EQ(write_rejected_key(to_view(key)).value(), base64);
        EXPECT_EQ(parse_rejected_key(base64).value(), key);
    };
    expect(PrimaryKey{}, "AA==");
    expect(PrimaryKey{std::int64_t{123456}}, "AcDEBw==");
    expect(PrimaryKey{std::string("short")}, "AwVzaG9ydA==");
    expect(PrimaryKey{ObjectId::parse("64f0a1b2c3d4e5f601234567").value()}, "CmTwobLD1OX2ASNFZw==");
    expect(PrimaryKey{Uuid::parse("01234567-9abc-4def-9012-3456789abcde").value()},
           "CwEjRWeavE3vkBI0VniavN4=");
}

TEST(CompensatingWrites, keys_that_crash_the_published_client_are_refused) {
    EXPECT_FALSE(write_rejected_key(PrimaryKeyView{GlobalKey{1, 2}}));
    for (const char* hex :
         {"", "40", "02", "0c", "01", "0180", "0103ff", "0301", "03", "0342", "0a00", "0b00",
          "01ffffffffffffffffff01", "0180808080808080808080808000", "0000"}) {
        EXPECT_FALSE(parse_rejected_key(to_base64(as_bytes(bytes_of_hex(hex))))) << hex;
    }
    EXPECT_FALSE(parse_rejected_key("not base64!"));
    EXPECT_EQ(
        parse_rejected_key(to_base64(as_bytes(bytes_of_hex("01ffffffffffffffffff40")))).value(),
        PrimaryKey{INT64_MIN});
}

TEST(CompensatingWrites, reason_names_the_key_as_tests_of_the_clients_expect) {
    const ObjectId id = ObjectId::parse("64f0a1b2c3d4e5f601234565").value();
    EXPECT_EQ(rejection_reason(PrimaryKeyView{id}, "Person", true),
              "write to ObjectID(\"64f0a1b2c3d4e5f601234565\") in table \"Person\" not allowed; "
              "object is outside of the current query view");
    EXPECT_EQ(rejection_reason(PrimaryKeyView{std::string_view("a")}, "P", false),
              "write to \"a\" in table \"P\" not allowed");
}

TEST(QueryBodies, chapter_example) {
    const std::string json =
        "{\"Item\":\"(TRUEPREDICATE)\",\"Person\":\"(age > 3) OR (name == \\\"x\\\")\"}";
    const QueryBody query = parse_query_body(json).value();
    EXPECT_EQ(query.at("Person"), "(age > 3) OR (name == \"x\")");
    EXPECT_EQ(write_query_body(query), json);
    EXPECT_TRUE(parse_query_body("{}").value().empty());
    EXPECT_EQ(write_query_body({}), "{}");
}

TEST(QueryBodies, anything_but_an_object_of_strings_is_refused) {
    for (const char* json : {"", "[]", "null", "\"x\"", "{\"A\":1}", "{\"A\":null}", "{\"\":\"x\"}",
                             "{\"A\":{}}", "{\"A\":\"x\"", "{\"A\":\"x\"}}", "{\"A\":\"\xff\"}"}) {
        EXPECT_EQ(parse_query_body(json).error().code(), ErrorCode::bad_sync_message) << json;
    }
}

TEST(QueryBodies, size_is_limited_to_256_kib_without_ending_the_connection) {
    const auto body_of = [](std::size_t size) {
        return "{\"A\":\"" + std::string(size - 8, 'x') + "\"}";
    };
    EXPECT_TRUE(parse_query_body(body_of(limits::query_body_bytes_max)));
    const std::string big = body_of(limits::query_body_bytes_max + 1);
    EXPECT_EQ(parse_query_body(big).error().code(), ErrorCode::limit_exceeded);
    // The message itself is well-formed: the answer is a QUERY_ERROR.
    EXPECT_TRUE(parse_client("query 1 1 " + std::to_string(big.size()) + "\n" + big));
}

TEST(JsonDepth, is_limited) {
    const auto nested = [](std::size_t depth) {
        return "{\"x\":" + std::string(depth, '[') + std::string(depth, ']') +
               ",\"message\":\"m\"}";
    };
    EXPECT_TRUE(parse_client_error_body(nested(limits::json_depth_max - 1)));
    EXPECT_FALSE(parse_client_error_body(nested(limits::json_depth_max)));
    EXPECT_FALSE(parse_client_error_body(nested(100'000)));
}

TEST(LogBodies, level_must_be_known) {
    for (const char* level : {"fatal", "error", "warn", "info", "detail", "debug", "trace"}) {
        const std::string json = std::string("{\"level\":\"") + level + "\"}";
        const LogBody body = parse_log_body(json).value();
        EXPECT_EQ(log_level_name(*body.level), level);
        EXPECT_EQ(write_log_body(body).value(), json);
    }
    EXPECT_FALSE(parse_log_body("{\"level\":\"loud\"}"));
    EXPECT_FALSE(parse_log_body("{\"level\":3}"));
    EXPECT_EQ(parse_log_body("{\"other\":1}").value(), LogBody{});
}

TEST(TestCommands, arguments_are_handed_on_as_json) {
    const auto body = parse_test_command_body("{\"command\":\"A\",\"args\":{\"x\":[1]}}").value();
    EXPECT_EQ(body.command, "A");
    EXPECT_EQ(body.args_json, "{\"x\":[1]}");
    EXPECT_EQ(parse_test_command_body("{\"command\":\"A\"}").value().args_json, "{}");
    EXPECT_FALSE(parse_test_command_body("{}"));
    EXPECT_FALSE(parse_test_command_body("{\"command\":\"A\",\"args\":[]}"));
}

TEST(TestCommands, echo_error_fills_in_the_standard_keys) {
    const auto echo = parse_echo_error("{\"errorCode\":208,\"errorBody\":{\"message\":\"gone\"}}");
    ASSERT_TRUE(echo) << echo.error().what();
    EXPECT_EQ(echo->code, 208);
    EXPECT_EQ(echo->body.message, "gone");
    EXPECT_EQ(echo->body.action, ErrorAction::client_reset);
    EXPECT_FALSE(echo->body.try_again);
    const auto own = parse_echo_error(
        "{\"errorCode\":200,\"errorBody\":{\"action\":\"Warning\",\"tryAgain\":false}}");
    EXPECT_EQ(own->body.action, ErrorAction::warning);
    EXPECT_FALSE(own->body.try_again);
    EXPECT_FALSE(parse_echo_error("{\"errorCode\":208}"));
    EXPECT_FALSE(parse_echo_error("{\"errorBody\":{}}"));
}

TEST(Texts, that_are_not_utf8_are_not_encoded) {
    ErrorBody body = plain_error();
    body.message = "\xff";
    EXPECT_FALSE(write_error_body(200, body));
    EXPECT_FALSE(write_client_error_body("\xff"));
    EXPECT_FALSE(write_log_body({{}, {}, "\xff"}));
    EXPECT_FALSE(
        encode_client_message(Bind{{1}, true, false, "", FlexibleBind{"\xff", {}, {}}}, flexible));
}

} // namespace tombolo::protocol::test
