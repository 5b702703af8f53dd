// "A server must" of sync-protocol.md 11, over sockets: bindings, identities and errors.

#include <set>

#include <gtest/gtest.h>

#include "server/sync_session/script.hpp"

namespace tombolo::server {
namespace {

using protocol::SaltedFileIdent;
using protocol::SyncErrorCode;
using protocol::SyncProgress;

constexpr const char* all_items = R"j({"Item":"(TRUEPREDICATE)"})j";

void expect_connection_error(Script& script, SyncErrorCode code) {
    const auto answer = script.wire().receive();
    const auto* error = answer.as<protocol::JsonError>();
    ASSERT_NE(error, nullptr) << answer.head();
    EXPECT_EQ(error->code, static_cast<int>(code)) << error->body.message;
    EXPECT_EQ(error->session.value, 0u);
    EXPECT_TRUE(script.wire().receive().ended());
}

TEST_F(ServerMust, s07_accept_binds_with_any_data) {
    Script script(server_, server_.log_in());
    std::uint64_t session = 0;
    for (const std::string& data :
         {std::string(), std::string("{}"), std::string(R"({"schemaVersion":0})"),
          std::string(R"({"sessionReason":1,"somethingNew":[1,2]})")}) {
        ++session;
        script.wire().send_text("bind " + std::to_string(session) + " " +
                                std::to_string(data.size()) + " 0 1 0\n" + data);
        const auto answer = script.wire().receive();
        ASSERT_NE(answer.as<protocol::ServerIdent>(), nullptr) << data << answer.head();
        EXPECT_EQ(answer.as<protocol::ServerIdent>()->session.value, session);
    }
}

TEST_F(ServerMust, s08_allocate_unique_idents_from_2_on_with_salts) {
    Script script(server_, server_.log_in());
    std::set<std::uint64_t> seen;
    for (std::uint64_t session = 1; session <= 5; ++session) {
        const SaltedFileIdent file = script.bind_new(session);
        EXPECT_GE(file.ident.value, 2u);
        EXPECT_LT(file.ident.value, std::uint64_t{1} << 63U);
        EXPECT_GT(file.salt.value, 0);
        EXPECT_TRUE(seen.insert(file.ident.value).second);
    }
}

TEST_F(ServerMust, s09_send_ident_only_when_it_is_needed) {
    Script script(server_, server_.log_in());
    const SaltedFileIdent file = script.bind_new();
    script.unbind();
    script.expect_unbound();
    script.bind(false);
    script.ident(file);
    script.mark(1);
    EXPECT_FALSE(script.downloads_until_mark(1).empty());
}

TEST_F(ServerMust, s10_refuse_idents_that_are_not_right_with_the_codes_of_4_6) {
    const Login ann = server_.log_in();
    Script script(server_, ann);
    const SaltedFileIdent file = script.open_file(all_items);
    const SyncProgress progress = script.progress();
    script.unbind();
    script.expect_unbound();

    const auto refused = [&](SaltedFileIdent presented, SyncProgress at, SyncErrorCode code,
                             const std::string& query = all_items) {
        script.bind(false);
        script.ident(presented, at, 1, query);
        const auto error = script.expect_error(code);
        script.unbind();
        return error;
    };
    EXPECT_EQ(refused({{987'654}, {5}}, {}, SyncErrorCode::bad_client_file_ident).body.action,
              protocol::ErrorAction::client_reset);
    SaltedFileIdent salted = file;
    ++salted.salt.value;
    refused(salted, progress, SyncErrorCode::diverging_histories);
    SyncProgress beyond = progress;
    beyond.download.server.value += 1000;
    beyond.latest.version.value += 1000;
    refused(file, beyond, SyncErrorCode::bad_server_version);
    SyncProgress other_salt = progress;
    other_salt.latest.salt.value ^= 1;
    refused(file, other_salt, SyncErrorCode::diverging_histories);
    SyncProgress ahead = progress;
    ahead.download.client.value = 77;
    refused(file, ahead, SyncErrorCode::bad_client_version);
    const auto query =
        refused(file, progress, SyncErrorCode::bad_query, R"j({"Item":"(nonsense ==)"})j");
    EXPECT_EQ(query.body.action, protocol::ErrorAction::client_reset);

    Script other(server_, server_.log_in());
    other.bind(false);
    other.ident(file, progress, 1, all_items);
    const auto mismatch = other.expect_error(SyncErrorCode::user_mismatch);
    EXPECT_EQ(mismatch.body.action, protocol::ErrorAction::delete_realm);

    // And the right one is taken.
    script.bind(false);
    script.ident(file, progress, 1, all_items);
    script.mark(3);
    script.downloads_until_mark(3);
}

TEST_F(ServerMust, s10_accept_any_query_version) {
    Script script(server_, server_.log_in());
    const SaltedFileIdent file = script.open_file(all_items);
    const SyncProgress progress = script.progress();
    for (const std::int64_t version : {7, 3}) {
        script.unbind();
        script.expect_unbound();
        script.bind(false);
        script.ident(file, progress, version, all_items);
        script.mark(static_cast<std::uint64_t>(20 - version));
        const auto downloads =
            script.downloads_until_mark(static_cast<std::uint64_t>(20 - version));
        ASSERT_FALSE(downloads.empty());
        EXPECT_EQ(downloads.back().query_version.value, version);
    }
}

TEST_F(ServerMust, refuse_unknown_schema_versions_with_235) {
    Script script(server_, server_.log_in());
    script.wire().send_text("bind 1 19 0 1 0\n{\"schemaVersion\":9}");
    const auto error = script.expect_error(SyncErrorCode::bad_schema_version);
    EXPECT_FALSE(error.body.try_again);
    EXPECT_EQ(error.body.action, protocol::ErrorAction::application_bug);
}

TEST_F(ServerMust, answer_messages_out_of_order_with_109_and_of_unknown_sessions_with_106) {
    const auto with = [&](const std::function<void(Script&)>& say, SyncErrorCode code) {
        Script script(server_, server_.log_in());
        say(script);
        expect_connection_error(script, code);
    };
    with([](Script& script) { script.mark(1, 5); }, SyncErrorCode::bad_session_ident);
    with([](Script& script) { script.unbind(5); }, SyncErrorCode::bad_session_ident);
    with(
        [](Script& script) {
            script.bind(false);
            script.mark(1);
        },
        SyncErrorCode::bad_message_order);
    with(
        [](Script& script) {
            script.bind(true);
            script.ident({{2}, {1}});
        },
        SyncErrorCode::bad_message_order);
    with(
        [](Script& script) {
            script.bind_new();
            script.upload({}, {}, 0);
        },
        SyncErrorCode::bad_message_order);
    with(
        [](Script& script) {
            script.bind_new();
            script.bind(true);
        },
        SyncErrorCode::reuse_of_session_ident);
    with(
        [](Script& script) {
            const SaltedFileIdent file = script.open_file(all_items);
            script.ident(file, script.progress(), 1, all_items);
        },
        SyncErrorCode::bad_message_order);
    with(
        [](Script& script) {
            const SaltedFileIdent file = script.open_file(all_items);
            script.bind(false, 2);
            script.ident(file, script.progress(), 1, all_items, 2);
        },
        SyncErrorCode::bound_in_other_session);
}

TEST_F(ServerMust, answer_bodies_that_do_not_inflate_or_parse_with_110_to_112) {
    const auto with = [&](const std::string& upload, SyncErrorCode code) {
        Script script(server_, server_.log_in());
        script.open_file(all_items);
        script.wire().send_text(upload);
        expect_connection_error(script, code);
    };
    with("upload 1 1 100 10 5 0 0\n0123456789", SyncErrorCode::bad_decompression);
    with("upload 1 0 5 0 5 0 0\n5 0 x", SyncErrorCode::bad_changeset_header);
    with("upload 1 0 17 0 5 0 0\n5 0 1000 0 999 ab", SyncErrorCode::bad_changeset_size);
}

TEST_F(ServerMust, s24_say_nothing_after_a_session_error_and_unbound_exactly_once_without_one) {
    Script script(server_, server_.log_in());
    script.bind(false);
    script.ident({{987'654}, {5}});
    script.expect_error(SyncErrorCode::bad_client_file_ident);
    // S40: what the client sent before it saw the error is read and ignored.
    script.mark(1);
    script.query(1, all_items);
    script.upload({}, {}, 0);
    script.unbind();
    script.wire().send(protocol::Ping{1, 0});
    EXPECT_NE(script.wire().receive().as<protocol::Pong>(), nullptr);
    EXPECT_TRUE(script.wire().is_quiet(std::chrono::milliseconds(50)));
    // The ident is free again.
    script.bind_new();
    script.unbind();
    script.expect_unbound();
    EXPECT_TRUE(script.wire().is_quiet(std::chrono::milliseconds(50)));
}

TEST_F(ServerMust, take_unbind_before_ident) {
    Script script(server_, server_.log_in());
    script.bind(true);
    script.unbind();
    for (;;) {
        const auto answer = script.wire().receive();
        if (answer.as<protocol::ServerIdent>() == nullptr) {
            EXPECT_NE(answer.as<protocol::Unbound>(), nullptr) << answer.head();
            break;
        }
    }
    EXPECT_TRUE(script.wire().is_quiet(std::chrono::milliseconds(50)));
}

TEST_F(ServerMust, s33_end_the_older_connection_of_a_file) {
    const Login login = server_.log_in();
    Script old(server_, login);
    const SaltedFileIdent file = old.open_file(all_items);
    Script fresh(server_, login);
    fresh.bind(false);
    fresh.ident(file, old.progress(), 1, all_items);
    fresh.mark(1);
    fresh.downloads_until_mark(1);
    EXPECT_TRUE(old.wire().receive().ended());
}

TEST_F(ServerMust, s34_answer_a_clients_error_with_a_reset) {
    Script script(server_, server_.log_in());
    script.open_file(all_items);
    protocol::ClientError message;
    message.session = {1};
    message.code = 212;
    message.message = "cannot apply";
    script.wire().send(message);
    const auto answer = script.wire().receive();
    const auto* error = answer.as<protocol::JsonError>();
    ASSERT_NE(error, nullptr) << answer.head();
    EXPECT_EQ(error->body.action, protocol::ErrorAction::client_reset);
    EXPECT_FALSE(error->body.try_again);
}

TEST_F(ServerMust, s34_let_a_client_come_back_whose_trouble_was_its_own) {
    Script script(server_, server_.log_in());
    script.open_file(all_items);
    protocol::ClientError message;
    message.session = {1};
    message.code = 201;
    message.message = "no memory";
    script.wire().send(message);
    const auto answer = script.wire().receive();
    const auto* error = answer.as<protocol::JsonError>();
    ASSERT_NE(error, nullptr) << answer.head();
    EXPECT_EQ(error->body.action, protocol::ErrorAction::transient);
    EXPECT_TRUE(error->body.try_again);
    EXPECT_FALSE(error->body.should_client_reset);
}

TEST_F(ServerMust, s36_refuse_queries_that_do_not_increase_and_tolerate_gaps) {
    Script script(server_, server_.log_in());
    script.open_file(all_items);
    script.query(9, R"j({"Item":"(priority > 1)"})j");
    script.mark(31);
    script.downloads_until_mark(31);
    script.query(9, all_items);
    const auto answer = script.wire().receive();
    const auto* error = answer.as<protocol::JsonError>();
    ASSERT_NE(error, nullptr) << answer.head();
    EXPECT_EQ(error->code, 109);
}

TEST_F(ServerMust, serve_several_files_on_one_connection) {
    const Login login = server_.log_in();
    Script script(server_, login);
    script.open_file(all_items, 1);
    const SaltedFileIdent second = script.open_file(all_items, 2);
    EXPECT_GE(second.ident.value, 2u);
    script.unbind(1);
    script.expect_unbound(1);
    script.mark(3, 2);
    script.downloads_until_mark(3, 2);
}

TEST_F(ServerMust, do_test_commands_only_when_the_operator_says_so) {
    Script off(server_, server_.log_in());
    off.bind_new();
    off.wire().send_text("test_command 1 1 36\n{\"command\":\"PAUSE_DOWNLOAD_BUILDER\"}");
    const auto refused = off.wire().receive();
    ASSERT_NE(refused.as<protocol::TestCommand>(), nullptr) << refused.head();
    EXPECT_NE(refused.as<protocol::TestCommand>()->body_text, "{}");

    IslandsServer testing([](Config& config) { config.sync_test_commands = true; });
    Script script(testing, testing.log_in());
    script.bind_new();
    script.wire().send_text("test_command 1 1 36\n{\"command\":\"PAUSE_DOWNLOAD_BUILDER\"}");
    const auto paused = script.wire().receive();
    ASSERT_NE(paused.as<protocol::TestCommand>(), nullptr) << paused.head();
    EXPECT_EQ(paused.as<protocol::TestCommand>()->body_text, "{}");
    const std::string echo = R"({"command":"ECHO_ERROR","args":{"errorCode":299,"errorBody":)"
                             R"({"message":"as asked"}}})";
    script.wire().send_text("test_command 1 2 " + std::to_string(echo.size()) + "\n" + echo);
    const auto done = script.wire().receive();
    ASSERT_NE(done.as<protocol::TestCommand>(), nullptr) << done.head();
    EXPECT_EQ(done.as<protocol::TestCommand>()->body_text, "{}");
    const auto answer = script.wire().receive();
    const auto* error = answer.as<protocol::JsonError>();
    ASSERT_NE(error, nullptr) << answer.head();
    EXPECT_EQ(error->code, 299);
    EXPECT_EQ(error->body.message, "as asked");
}

} // namespace
} // namespace tombolo::server
