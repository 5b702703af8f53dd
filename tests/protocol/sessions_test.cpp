// Conversations recorded from a published client (tests/vectors/sessions): every message parses and
// comes back byte for byte, every cursor satisfies the checkers, and what is hostile on purpose is
// refused as sync-protocol.md says.
//
// A compressed body must inflate to its declared size, and its content must deflate to the recorded
// bytes with the level the sender used (1 by the client, 6 by the server): zlib's output is stable,
// so bytes are compared, not only content.

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/session_replay.hpp"

namespace tombolo::protocol::test {

namespace {

struct Expected {
    const char* file;
    RefusedBy by;
    const char* header; ///< how the refused message begins
    const char* reason; ///< part of the refusal's text
};

// Every refusal in all recordings. The chapter's place is behind each.
const std::vector<Expected> expected_refusals{
    {"h_bad_231_without_server_version", RefusedBy::parser, "json_error 231",
     "compensatingWriteServerVersion"}, // 3.2: mandatory
    {"h_bad_crash_code_104", RefusedBy::encoder, "json_error 104", "must not be sent"}, // 6.2
    {"h_bad_crash_code_202", RefusedBy::encoder, "json_error 202", "must not be sent"}, // 6.2
    {"h_bad_download_cursor_backwards", RefusedBy::checker, "download", "4.7 A header 3"},
    {"h_bad_empty_bootstrap_same_version", RefusedBy::checker, "download", "4.7 C 1"},    // 5.3
    {"h_bad_empty_first_bootstrap", RefusedBy::checker, "download", "4.7 C 1"},           // 5.3
    {"h_bad_illegal_mark_with_trailing_byte", RefusedBy::parser, "mark", "left over"},    // 2
    {"h_bad_json_error_missing_keys", RefusedBy::parser, "json_error 200", "is missing"}, // 3.2
    {"h_bad_log_level_unknown", RefusedBy::parser, "log_message", "log level"},           // 3.2
    {"h_bad_origin_zero_entry", RefusedBy::checker, "download", "4.7 A entry 4"},
    {"h_bad_own_ident_entry", RefusedBy::checker, "download", "4.7 A entry 4"},
    {"h_bad_server_version_zero_entry", RefusedBy::checker, "download", "4.7 A entry 1"},
    {"h_bad_session_code_with_sid_0", RefusedBy::parser, "json_error 200", "connection"},     // 6.2
    {"h_bad_trailing_byte", RefusedBy::parser, "mark", "left over"},                          // 2
    {"h_bad_unparsable_header", RefusedBy::parser, "download 1 nonsense", "download server"}, // 2
    {"h_bad_upload_cursor_beyond_client", RefusedBy::checker, "download", "4.7 A header 4"},
    {"h_interleaved_steady", RefusedBy::checker, "download", "4.7 A header 3"}, // 5.3 rule 4
};

// Hostile only in what the session's state or the changeset's content makes of a well-formed
// message: the codec accepts them, and the layer named refuses them.
const std::map<std::string, const char*> hostile_in_state{
    {"h_bad_bootstrap_of_unknown_version", "subscriptions: no such version (4.7 C 2)"},
    {"h_bad_connection_error_100", "a good message; the client reconnects"},
    {"h_bad_ident_unasked", "session: IDENT only in reply to BIND with need=1 (3.2)"},
    {"h_bad_log_message_good", "a good message"},
    {"h_bad_mark_not_requested", "session: the request was never sent (4.7)"},
    {"h_bad_pong_unasked", "connection: no PING outstanding (3.2)"},
    {"h_bad_query_error_for_complete_set", "subscriptions: the set is complete (4.7 C 3)"},
    {"h_bad_query_error_for_unknown_set", "subscriptions: no such version (4.7 C 3)"},
    {"h_bad_steady_with_other_query_version", "nobody: clients check only >= 0 (5.6)"},
    {"h_bad_test_command_not_pending", "session: the request was never sent (3.2)"},
    {"h_bad_unbound_after_error", "session: no UNBOUND after an error (3.2)"},
    {"h_bad_undecodable_changeset", "changeset: does not parse (212)"},
    {"h_bad_unknown_sid", "connection: no such session (3.3)"},
    {"h_bad_update_of_absent_object", "changeset: does not apply (212)"},
    {"h_bad_update_of_unknown_field", "changeset: does not apply (212)"},
};

std::filesystem::path folder() {
    return std::filesystem::path(TOMBOLO_TEST_DATA) / "vectors" / "sessions";
}

class RecordedSession : public testing::TestWithParam<std::string> {};

std::vector<std::string> all_sessions() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder())) {
        if (entry.path().extension() == ".jsonl") {
            names.push_back(entry.path().stem().string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace

TEST_P(RecordedSession, comes_back_byte_for_byte_and_is_refused_only_where_hostile) {
    const Replay replay = replay_session(folder() / (GetParam() + ".jsonl"));
    EXPECT_TRUE(replay.changed.empty()) << replay.changed.front();
    const Expected* expected = nullptr;
    for (const Expected& candidate : expected_refusals) {
        if (candidate.file == GetParam()) {
            expected = &candidate;
        }
    }
    if (expected == nullptr) {
        EXPECT_EQ(replay.refusals.size(), 0U)
            << replay.refusals.front().header << ": " << replay.refusals.front().reason;
        return;
    }
    ASSERT_EQ(replay.refusals.size(), 1U);
    const Refusal& refusal = replay.refusals.front();
    EXPECT_EQ(refusal.by, expected->by);
    EXPECT_EQ(refusal.header.substr(0, std::string(expected->header).size()), expected->header);
    EXPECT_NE(refusal.reason.find(expected->reason), std::string::npos) << refusal.reason;
}

INSTANTIATE_TEST_SUITE_P(All, RecordedSession, testing::ValuesIn(all_sessions()),
                         [](const auto& parameter) { return parameter.param; });

TEST(RecordedSessions, every_hostile_file_has_its_verdict) {
    for (const std::string& name : all_sessions()) {
        if (name.rfind("h_bad_", 0) != 0) {
            continue;
        }
        const bool is_refused =
            std::any_of(expected_refusals.begin(), expected_refusals.end(),
                        [&](const Expected& expected) { return expected.file == name; });
        EXPECT_NE(is_refused, hostile_in_state.count(name) == 1) << name;
    }
}

TEST(RecordedSessions, cover_the_whole_recording) {
    Replay total;
    for (const std::string& name : all_sessions()) {
        const Replay replay = replay_session(folder() / (name + ".jsonl"));
        total.message_count += replay.message_count;
        total.compressed_count += replay.compressed_count;
        total.entry_count += replay.entry_count;
    }
    EXPECT_EQ(all_sessions().size(), 100U);
    EXPECT_EQ(total.message_count, 2381U);
    EXPECT_EQ(total.compressed_count, 2U);
    EXPECT_EQ(total.entry_count, 493U);
}

} // namespace tombolo::protocol::test
