// The table of sync errors (sync-protocol.md 6).

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "protocol/support.hpp"

namespace tombolo::protocol::test {

TEST(SyncErrors, documentation_page_is_current) {
    std::ifstream page(std::string(TOMBOLO_TEST_DATA) + "/../docs/reference/sync-errors.md");
    const std::string text((std::istreambuf_iterator<char>(page)), {});
    EXPECT_TRUE(text == sync_errors_markdown())
        << "run build/release/bin/sync_errors_doc > docs/reference/sync-errors.md";
}

TEST(SyncErrors, troubleshooting_has_a_section_for_every_code) {
    std::ifstream page(std::string(TOMBOLO_TEST_DATA) + "/../docs/troubleshooting.md");
    ASSERT_TRUE(page);
    std::string headings;
    for (std::string line; std::getline(page, line);) {
        headings += line.starts_with("### ") ? line + "\n" : "";
    }
    for (const SyncErrorInfo& info : sync_error_table()) {
        const std::string number = std::to_string(static_cast<int>(info.code));
        EXPECT_NE(headings.find(" " + number), std::string::npos) << number;
        if (info.sending == ErrorSending::server) {
            EXPECT_NE(headings.find(number + " " + std::string(info.name)), std::string::npos)
                << number;
        }
    }
}

TEST(SyncErrors, table_has_every_code_of_the_chapter) {
    std::set<int> codes;
    for (const SyncErrorInfo& info : sync_error_table()) {
        codes.insert(static_cast<int>(info.code));
        EXPECT_EQ(info.level == ErrorLevel::connection, static_cast<int>(info.code) < 200);
        EXPECT_EQ(find_sync_error(static_cast<int>(info.code)), &info);
    }
    for (int code = 100; code <= 114; ++code) {
        EXPECT_EQ(codes.count(code), 1U) << code;
    }
    for (int code = 200; code <= 236; ++code) {
        EXPECT_EQ(codes.count(code), 1U) << code;
    }
    EXPECT_EQ(codes.size(), 52U);
    EXPECT_EQ(find_sync_error(99), nullptr);
    EXPECT_EQ(find_sync_error(115), nullptr);
    EXPECT_EQ(find_sync_error(237), nullptr);
}

TEST(SyncErrors, s23_codes_that_crash_the_client_are_never_encoded) {
    std::set<int> refused;
    for (const SyncErrorInfo& info : sync_error_table()) {
        JsonError error = make_json_error(info.code, {1}, "m");
        if (info.code == SyncErrorCode::compensating_write) {
            error.body.rejected = RejectedWrites{{1}, ServerVersion{1}, {}};
        } else if (info.code == SyncErrorCode::migrate_to_flexible_sync) {
            error.body.partition_query = "x == 1";
        } else if (info.code == SyncErrorCode::schema_version_changed) {
            error.body.previous_schema_version = 1;
        }
        if (!encode_server_message(error, flexible)) {
            refused.insert(error.code);
        }
    }
    EXPECT_EQ(refused, (std::set<int>{104, 202, 203, 205, 207, 213, 214, 215, 218, 219, 220, 221,
                                      224, 233}));
}

TEST(SyncErrors, s23_levels_are_never_mixed) {
    JsonError error = make_json_error(SyncErrorCode::session_closed, {1}, "m");
    const std::string text = encoded(error);
    error.session = {0};
    EXPECT_FALSE(encode_server_message(error, flexible));
    std::string mixed = text;
    mixed.replace(mixed.find(" 1\n"), 3, " 0\n");
    EXPECT_EQ(server_refusal(mixed), ErrorCode::bad_sync_message);
    error = make_json_error(SyncErrorCode::connection_closed, {1}, "m");
    EXPECT_EQ(error.session.value, 0U);
    mixed = encoded(error);
    mixed.replace(mixed.find(" 0\n"), 3, " 1\n");
    EXPECT_EQ(server_refusal(mixed), ErrorCode::bad_sync_message);
}

TEST(SyncErrors, c18_unknown_session_codes_honour_their_action) {
    JsonError error;
    error.session = {1};
    error.body.action = ErrorAction::delete_realm;
    for (const int code : {199, 299, 1000}) {
        error.code = code;
        const auto parsed = parse_server(encoded(error)).value();
        EXPECT_EQ(std::get<JsonError>(parsed).body.action, ErrorAction::delete_realm);
    }
    error.session = {0};
    EXPECT_FALSE(encode_server_message(error, flexible));
}

TEST(SyncErrors, recommended_reactions) {
    const JsonError reset = make_json_error(SyncErrorCode::bad_client_file_ident, {3}, "m");
    EXPECT_EQ(reset.session.value, 3U);
    EXPECT_EQ(reset.body.action, ErrorAction::client_reset);
    EXPECT_TRUE(reset.body.should_client_reset);
    EXPECT_FALSE(reset.body.try_again);
    const JsonError closed = make_json_error(SyncErrorCode::session_closed, {3}, "m");
    EXPECT_EQ(closed.body.action, ErrorAction::transient);
    EXPECT_TRUE(closed.body.try_again);
}

TEST(SyncErrors, s25_only_231_and_236_leave_the_binding_alive) {
    for (const SyncErrorInfo& info : sync_error_table()) {
        const int code = static_cast<int>(info.code);
        EXPECT_EQ(ends_binding(code), code != 231 && code != 236);
    }
    EXPECT_TRUE(ends_binding(299));
}

TEST(SyncErrors, every_action_has_its_wire_name) {
    for (int i = 0; i <= static_cast<int>(ErrorAction::migrate_schema); ++i) {
        const auto action = static_cast<ErrorAction>(i);
        EXPECT_EQ(parse_action(action_name(action)), action);
    }
    for (const char* text : {"", "NoAction", "BackupRealm", "clientreset"}) {
        EXPECT_FALSE(parse_action(text));
    }
}

TEST(SyncErrors, what_changesets_are_refused_with) {
    EXPECT_EQ(sync_code_for(ErrorCode::bad_changeset), SyncErrorCode::bad_changeset);
    EXPECT_EQ(sync_code_for(ErrorCode::merge_error), SyncErrorCode::bad_changeset);
    EXPECT_EQ(sync_code_for(ErrorCode::bad_compression), SyncErrorCode::bad_decompression);
    EXPECT_EQ(sync_code_for(ErrorCode::internal), SyncErrorCode::other_error);
}

} // namespace tombolo::protocol::test
