// The grammar of messages (sync-protocol.md 2, 3): what is accepted, what is refused and with which
// code.

#include <string>

#include <gtest/gtest.h>

#include "protocol/support.hpp"

namespace tombolo::protocol::test {

namespace {

constexpr Dialect version_11{ProtocolVersion::v11, SyncMode::flexible};
constexpr Dialect version_12{ProtocolVersion::v12, SyncMode::flexible};
constexpr Dialect version_13{ProtocolVersion::v13, SyncMode::flexible};

template <class Message>
Message client_as(std::string_view text, Dialect dialect = flexible) {
    return std::get<Message>(parse_client(text, dialect).value());
}

template <class Message>
Message server_as(std::string_view text, Dialect dialect = flexible) {
    return std::get<Message>(parse_server(text, dialect).value());
}

std::string bind_with(const std::string& json) {
    return "bind 1 " + std::to_string(json.size()) + " 0 1 0\n" + json;
}

Download steady_download() {
    Download download;
    download.session = {1};
    download.progress = {{{5}, {13}}, {{5}, {77003}}, {{13}, {4}}};
    download.query_version = {1};
    download.estimate = ProgressEstimate::complete();
    return download;
}

} // namespace

TEST(Grammar, s6_single_spaces_and_line_end_are_required) {
    EXPECT_TRUE(parse_client("mark 1 1\n"));
    for (const char* text :
         {"", "\n", "mark 1 1", "mark 1 1\r\n", "mark  1 1\n", "mark 1  1\n", " mark 1 1\n",
          "mark 1 1 \n", "mark 1\n", "mark 1 1 1\n", "mark\t1 1\n", "mark 1 1\n\n"}) {
        EXPECT_FALSE(parse_client(text)) << text;
        EXPECT_FALSE(parse_server(text)) << text;
    }
}

TEST(Grammar, s6_numbers_have_one_form) {
    for (const char* number : {"+1", "01", "1.0", "0x1", "-1", "", "1e3", "one", "\xd9\xa1"}) {
        EXPECT_EQ(client_refusal(std::string("mark 1 ") + number + "\n"),
                  ErrorCode::bad_sync_message)
            << number;
    }
    for (const char* number : {"-0", "--1", "-", "-01", "9223372036854775808",
                               "-9223372036854775809", "18446744073709551616"}) {
        EXPECT_EQ(server_refusal(std::string("pong ") + number + "\n"), ErrorCode::bad_sync_message)
            << number;
    }
    EXPECT_EQ(server_as<Pong>("pong -9223372036854775808\n").timestamp_ms, INT64_MIN);
    EXPECT_EQ(client_as<Ping>("ping 9223372036854775807 -1\n").timestamp_ms, INT64_MAX);
}

TEST(Grammar, idents_and_versions_stay_below_2_to_the_63) {
    EXPECT_EQ(client_as<Mark>("mark 1 9223372036854775807\n").request.value, INT64_MAX);
    EXPECT_EQ(client_refusal("mark 1 9223372036854775808\n"), ErrorCode::bad_sync_message);
    EXPECT_EQ(client_refusal("mark 1 18446744073709551615\n"), ErrorCode::bad_sync_message);
    EXPECT_FALSE(encode_client_message(Mark{{1}, {1ULL << 63}}, flexible));
}

TEST(Grammar, header_line_is_bounded) {
    const std::string digits(1000, '1');
    EXPECT_EQ(client_refusal("mark 1 " + digits + "\n"), ErrorCode::bad_sync_message);
    EXPECT_EQ(client_refusal(digits), ErrorCode::bad_sync_message);
}

TEST(Grammar, s6_body_fills_the_message_exactly) {
    EXPECT_TRUE(parse_client("query 1 1 2\n{}"));
    EXPECT_EQ(client_refusal("query 1 1 3\n{}"), ErrorCode::bad_sync_message);
    EXPECT_EQ(client_refusal("query 1 1 1\n{}"), ErrorCode::bad_sync_message);
    EXPECT_EQ(client_refusal("query 1 1 9223372036854775807\n{}"),
              ErrorCode::sync_message_too_large);
    EXPECT_EQ(client_refusal("unbind 1\n "), ErrorCode::bad_sync_message);
    EXPECT_EQ(server_refusal("mark 1 2\nx"), ErrorCode::bad_sync_message);
}

TEST(Grammar, session_ident_0_is_refused_where_it_has_no_meaning) {
    for (const char* text : {"mark 0 1\n", "unbind 0\n", "query 0 1 2\n{}", "bind 0 0 0 1 0\n"}) {
        EXPECT_EQ(client_refusal(text), ErrorCode::bad_sync_message) << text;
    }
    EXPECT_EQ(server_refusal("query_error 226 1 0 2\nx"), ErrorCode::bad_sync_message);
    EXPECT_TRUE(parse_server("log_message 0 2\n{}"));
    EXPECT_FALSE(encode_server_message(Unbound{{0}}, flexible));
}

TEST(Grammar, historical_and_unknown_messages_are_refused_as_unknown) {
    for (const char* text : {"alloc 1\n", "refresh 1 2 3\n", "transact 1\n", "state_request 1\n",
                             "client_version_request 1\n", "MARK 1 1\n", "pong 1\n", "x\n"}) {
        EXPECT_EQ(client_refusal(text), ErrorCode::unknown_sync_message) << text;
    }
    EXPECT_EQ(server_refusal("client_version 1 2\n"), ErrorCode::unknown_sync_message);
    EXPECT_EQ(sync_code_for(ErrorCode::unknown_sync_message), SyncErrorCode::unknown_message);
    EXPECT_EQ(sync_code_for(ErrorCode::bad_sync_message), SyncErrorCode::bad_syntax);
}

TEST(Grammar, query_messages_exist_in_flexible_mode_only) {
    EXPECT_EQ(client_refusal("query 1 1 2\n{}", partition), ErrorCode::unknown_sync_message);
    EXPECT_EQ(server_refusal("query_error 226 1 1 2\nx", partition),
              ErrorCode::unknown_sync_message);
    EXPECT_FALSE(encode_client_message(Query{{1}, {1}, "{}"}, partition));
    EXPECT_FALSE(encode_server_message(QueryError{{1}, 226, {1}, ""}, partition));
}

TEST(Grammar, message_above_the_limit_is_refused_before_anything_is_read) {
    const std::string big(limits::client_message_bytes_max + 1, 'x');
    EXPECT_EQ(client_refusal(big), ErrorCode::sync_message_too_large);
    EXPECT_EQ(sync_code_for(ErrorCode::sync_message_too_large), SyncErrorCode::limits_exceeded);
}

TEST(Bind, s7_accepts_empty_data_any_key_subset_and_unknown_keys) {
    EXPECT_EQ(std::get<FlexibleBind>(client_as<Bind>("bind 1 0 0 1 0\n").data), FlexibleBind{});
    EXPECT_EQ(std::get<FlexibleBind>(client_as<Bind>("bind 1 2 0 1 0\n{}").data), FlexibleBind{});
    const auto reset = client_as<Bind>(bind_with("{\"sessionReason\":1}"));
    EXPECT_EQ(std::get<FlexibleBind>(reset.data),
              (FlexibleBind{{}, {}, SessionReason::client_reset}));
    const auto unknown = client_as<Bind>(bind_with("{\"new\":[{}],\"schemaVersion\":7}"));
    EXPECT_EQ(std::get<FlexibleBind>(unknown.data).schema_version, 7U);
    EXPECT_TRUE(unknown.needs_file_ident);
}

TEST(Bind, s7_token_may_be_empty_or_not) {
    const auto bind = client_as<Bind>("bind 9 2 3 0 0\n{}abc");
    EXPECT_EQ(bind.token, "abc");
    EXPECT_EQ(bind.session.value, 9U);
    EXPECT_EQ(client_refusal("bind 9 2 4 0 0\n{}abc"), ErrorCode::bad_sync_message);
    const std::string token(limits::bind_token_bytes_max + 1, 't');
    EXPECT_EQ(client_refusal("bind 9 0 " + std::to_string(token.size()) + " 0 0\n" + token),
              ErrorCode::sync_message_too_large);
}

TEST(Bind, mistyped_keys_are_refused) {
    for (const char* json :
         {"{\"schemaVersion\":\"0\"}", "{\"schemaVersion\":-1}", "{\"schemaVersion\":1.5}",
          "{\"schemaVersion\":null}", "{\"schemaVersion\":9223372036854775808}",
          "{\"sessionReason\":2}", "{\"migratedPartition\":1}", "[]", "null", "{", "{}{}"}) {
        EXPECT_EQ(client_refusal(bind_with(json)), ErrorCode::bad_sync_message) << json;
    }
}

TEST(Bind, chapter_samples_come_back_byte_for_byte) {
    const std::string migrated = "bind 1 66 0 0 0\n{\"migratedPartition\":\"\\\"p1\\\"\","
                                 "\"schemaVersion\":3,\"sessionReason\":1}";
    EXPECT_EQ(encoded(parse_client(migrated).value()), migrated);
    const auto bind = client_as<Bind>(migrated);
    EXPECT_EQ(std::get<FlexibleBind>(bind.data).migrated_partition, "\"p1\"");
    const std::string path = "bind 7 4 0 1 0\n\"p1\"";
    EXPECT_EQ(std::get<PartitionBind>(client_as<Bind>(path, partition).data).data, "\"p1\"");
    EXPECT_EQ(encoded(parse_client(path, partition).value(), partition), path);
}

TEST(Bind, data_of_the_other_mode_is_not_encoded) {
    EXPECT_FALSE(encode_client_message(Bind{{1}, true, false, "", PartitionBind{"x"}}, flexible));
    EXPECT_FALSE(encode_client_message(Bind{{1}, true, false, "", FlexibleBind{}}, partition));
}

TEST(ClientMessages, chapter_samples_come_back_byte_for_byte) {
    for (const char* text : {"mark 1 1\n", "unbind 1\n", "json_error 212 15 1\n{\"message\":\"x\"}",
                             "test_command 1 1 34\n{\"command\":\"PAUSE_ROUTER_SESSION\"}",
                             "upload 1 0 0 0 9 3 3\n"}) {
        EXPECT_EQ(encoded(parse_client(text).value()), text);
    }
    const char* ident = "ident 7 9001 5511223344 12 3 14 77014\n";
    const auto parsed = client_as<ClientIdent>(ident, partition);
    EXPECT_EQ(parsed.scan, (DownloadCursor{{12}, {3}}));
    EXPECT_EQ(parsed.latest, (SaltedServerVersion{{14}, {77014}}));
    EXPECT_EQ(encoded(parsed, partition), ident);
    EXPECT_EQ(client_refusal(ident), ErrorCode::bad_sync_message); // flexible mode has a query
}

TEST(ServerMessages, chapter_samples_come_back_byte_for_byte) {
    const std::string query_error = "query_error 226 55 1 2\n"
                                    "Invalid query: \"Item\": key \"x\" is not a queryable field";
    for (const std::string& text :
         {std::string("unbound 1\n"), query_error,
          std::string(
              "log_message 0 65\n{\"co_id\":\"6512bd43d9caa6e02c990b0a\",\"level\":\"info\","
              "\"msg\":\"hello\"}"),
          std::string("test_command 1 1 2\n{}"),
          std::string("json_error 200 209 1\n{\"action\":\"Transient\",\"backoffIntervalSec\":1,"
                      "\"backoffMaxDelaySec\":300,\"backoffMultiplier\":2,"
                      "\"isRecoveryModeDisabled\":false,\"logURL\":\"\",\"message\":\"permissions "
                      "changed\",\"shouldClientReset\":false,\"tryAgain\":true}")}) {
        const auto parsed = parse_server(text);
        ASSERT_TRUE(parsed) << parsed.error().what();
        EXPECT_EQ(encoded(*parsed), text);
    }
}

TEST(ServerMessages, legacy_error_is_read) {
    const auto error = server_as<LegacyError>("error 201 5 1 3\nhello");
    EXPECT_EQ(error.code, 201);
    EXPECT_TRUE(error.try_again);
    EXPECT_EQ(error.message_text, "hello");
    EXPECT_EQ(server_refusal("error 201 5 1 0\nhello"), ErrorCode::bad_sync_message);
}

TEST(ServerMessages, s9_ident_or_salt_of_0_is_refused) {
    EXPECT_EQ(server_refusal("ident 1 0 5\n"), ErrorCode::bad_sync_message);
    EXPECT_EQ(server_refusal("ident 1 5 0\n"), ErrorCode::bad_sync_message);
    EXPECT_FALSE(encode_server_message(ServerIdent{{1}, {{5}, {0}}}, flexible));
}

TEST(Download, s31_version_14_has_a_batch_state_and_a_fraction) {
    EXPECT_EQ(encoded(steady_download()), "download 1 5 13 5 77003 13 4 1 2 1.0000 0 0 0\n");
    EXPECT_EQ(server_refusal("download 1 5 13 5 77003 13 4 1 3 1.0000 0 0 0\n"),
              ErrorCode::bad_sync_message);
}

TEST(Download, s31_versions_12_and_13_have_one_batch_bit_and_a_fraction) {
    for (const Dialect dialect : {version_12, version_13}) {
        Download download = steady_download();
        EXPECT_EQ(encoded(download, dialect), "download 1 5 13 5 77003 13 4 1 1 1.0000 0 0 0\n");
        download.batch_state = BatchState::bootstrap_last;
        EXPECT_EQ(encoded(download, dialect), "download 1 5 13 5 77003 13 4 1 1 1.0000 0 0 0\n");
        download.batch_state = BatchState::bootstrap_more;
        EXPECT_EQ(encoded(download, dialect), "download 1 5 13 5 77003 13 4 1 0 1.0000 0 0 0\n");
    }
}

TEST(Download, s31_version_11_has_an_integer_instead_of_the_fraction) {
    EXPECT_EQ(encoded(steady_download(), version_11), "download 1 5 13 5 77003 13 4 1 1 0 0 0 0\n");
    EXPECT_EQ(server_refusal("download 1 5 13 5 77003 13 4 1 1 1.0000 0 0 0\n", version_11),
              ErrorCode::bad_sync_message);
    EXPECT_EQ(server_as<Download>("download 1 5 13 5 77003 13 4 1 1 99 0 0 0\n", version_11)
                  .downloadable_bytes,
              99U);
}

TEST(Download, partition_mode_has_neither_query_version_nor_batch_state) {
    Download download = steady_download();
    download.downloadable_bytes = 12;
    const std::string text = "download 1 5 13 5 77003 13 4 12 0 0 0\n";
    EXPECT_EQ(encoded(download, partition), text);
    EXPECT_EQ(encoded(server_as<Download>(text, partition), partition), text);
}

TEST(Download, batch_bit_of_old_versions_is_judged_by_the_active_query_version) {
    Download download = steady_download();
    download.query_version = {3};
    download.batch_state = BatchState::bootstrap_last;
    EXPECT_EQ(resolve_batch_state(download, {3}), BatchState::steady);
    EXPECT_EQ(resolve_batch_state(download, {2}), BatchState::bootstrap_last);
    download.batch_state = BatchState::bootstrap_more;
    EXPECT_EQ(resolve_batch_state(download, {3}), BatchState::bootstrap_more);
    download.query_version = {0};
    download.batch_state = BatchState::bootstrap_last;
    EXPECT_EQ(resolve_batch_state(download, {-1}), BatchState::bootstrap_last);
}

TEST(Download, c9_estimate_lies_between_0_and_1) {
    const auto with = [](const std::string& estimate) {
        return "download 1 5 13 5 77003 13 4 1 2 " + estimate + " 0 0 0\n";
    };
    EXPECT_EQ(server_as<Download>(with("0.3333")).estimate.ten_thousandths, 3333);
    EXPECT_EQ(server_as<Download>(with("1")).estimate.ten_thousandths, 10'000);
    EXPECT_EQ(server_as<Download>(with("0.99999")).estimate.ten_thousandths, 9999);
    EXPECT_EQ(server_as<Download>(with("5e-1")).estimate.ten_thousandths, 5000);
    for (const char* bad : {"1.0001", "-0.1", "nan", "inf", "", "0,5", "0.5x", "+0.5"}) {
        EXPECT_EQ(server_refusal(with(bad)), ErrorCode::bad_sync_message) << bad;
    }
}

TEST(Download, estimate_never_claims_1_early) {
    EXPECT_EQ(ProgressEstimate::from_fraction(0.99996).ten_thousandths, 9999);
    EXPECT_EQ(ProgressEstimate::from_fraction(1.0).ten_thousandths, 10'000);
    EXPECT_EQ(ProgressEstimate::from_fraction(7).ten_thousandths, 10'000);
    EXPECT_EQ(ProgressEstimate::from_fraction(-7).ten_thousandths, 0);
    Download download = steady_download();
    download.estimate = {10'001};
    EXPECT_FALSE(encode_server_message(download, flexible));
}

TEST(Download, c9_query_version_is_not_negative) {
    EXPECT_EQ(server_refusal("download 1 5 13 5 77003 13 4 -1 2 1.0000 0 0 0\n"),
              ErrorCode::bad_sync_message);
}

TEST(Body, declared_sizes_must_agree_with_the_message) {
    const std::string entry = "5 0 1 0 2 ab";
    EXPECT_TRUE(parse_client("upload 1 0 12 0 5 0 3\n" + entry));
    EXPECT_EQ(client_refusal("upload 1 0 13 0 5 0 3\n" + entry), ErrorCode::bad_sync_message);
    EXPECT_EQ(client_refusal("upload 1 0 11 0 5 0 3\n" + entry), ErrorCode::bad_sync_message);
    EXPECT_EQ(client_refusal("upload 1 0 12 12 5 0 3\n" + entry), ErrorCode::bad_sync_message);
}

TEST(Body, declared_inflated_size_is_bounded) {
    EXPECT_EQ(client_refusal("upload 1 1 134217729 3 5 0 3\nabc"),
              ErrorCode::sync_message_too_large);
    EXPECT_EQ(client_refusal("upload 1 1 9223372036854775807 3 5 0 3\nabc"),
              ErrorCode::sync_message_too_large);
    // More than deflate can expand three bytes to.
    EXPECT_EQ(client_refusal("upload 1 1 3097 3 5 0 3\nabc"), ErrorCode::bad_compression);
    EXPECT_TRUE(parse_client("upload 1 1 3096 3 5 0 3\nabc"));
}

} // namespace tombolo::protocol::test
