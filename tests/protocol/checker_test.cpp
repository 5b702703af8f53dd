// The rules for cursors: what a client verifies in DOWNLOAD (sync-protocol.md 4.7) and a server in
// UPLOAD (4.6).

#include <string>

#include <gtest/gtest.h>

#include "protocol/download_checker.hpp"
#include "protocol/support.hpp"
#include "protocol/upload_checker.hpp"

namespace tombolo::protocol::test {

namespace {

constexpr ClientFileIdent own_ident{9001};
constexpr SyncProgress persisted{{{10}, {5}}, {{10}, {77}}, {{8}, {6}}};
constexpr ClientVersion newest_local{20};

DownloadEntry entry(std::uint64_t server, std::uint64_t client, std::uint64_t origin = 1) {
    return {{server}, {client}, 1, {origin}, 0, {}};
}

class DownloadRules : public testing::Test {
  protected:
    DownloadRules() { download_.progress = {{{12}, {7}}, {{12}, {78}}, {{9}, {10}}}; }

    /// The rule that the message breaks; empty when none.
    std::string broken(const std::vector<DownloadEntry>& entries = {}) {
        std::vector<std::byte> body;
        for (const DownloadEntry& item : entries) {
            append_entry(body, item);
        }
        const auto violation = checker_.check(download_, body, newest_local);
        return violation ? std::string(violation->rule) : "";
    }

    void use(SyncMode mode, CheckedSide side) {
        checker_ = DownloadChecker({persisted, own_ident}, mode, side);
    }

    Download download_;
    DownloadChecker checker_{{persisted, own_ident}, SyncMode::flexible, CheckedSide::client_input};
};

} // namespace

TEST_F(DownloadRules, a_sound_message_moves_the_progress) {
    EXPECT_EQ(broken({entry(11, 5), entry(12, 7)}), "");
    EXPECT_EQ(checker_.progress(), download_.progress);
}

TEST_F(DownloadRules, c9_latest_version_never_goes_back) {
    download_.progress.latest.version = {9};
    EXPECT_EQ(broken(), "4.7 A header 3");
}

TEST_F(DownloadRules, c9_upload_cursor_never_goes_back) {
    download_.progress.upload.client = {7};
    EXPECT_EQ(broken(), "4.7 A header 4");
}

TEST_F(DownloadRules, c9_upload_cursor_stays_within_the_clients_history) {
    download_.progress.upload.client = {21};
    EXPECT_EQ(broken(), "4.7 A header 4");
    download_.progress.upload.client = newest_local;
    EXPECT_EQ(broken(), "");
}

TEST_F(DownloadRules, c9_download_cursor_never_goes_back_nor_beyond_latest) {
    download_.progress.download.server = {9};
    EXPECT_EQ(broken(), "4.7 A header 5");
    download_.progress.download.server = {13};
    EXPECT_EQ(broken(), "4.7 A header 5");
}

TEST_F(DownloadRules, c9_integrated_client_version_never_goes_back_nor_beyond_the_upload_cursor) {
    download_.progress.download.client = {4};
    EXPECT_EQ(broken(), "4.7 A header 6");
    download_.progress.download.client = {10};
    EXPECT_EQ(broken(), "4.7 A header 6");
}

TEST_F(DownloadRules, c9_download_cursor_covers_the_upload_cursor) {
    download_.progress.upload.server = {13};
    EXPECT_EQ(broken(), "4.7 A header 7");
}

TEST_F(DownloadRules, upload_server_version_going_back_is_bad_progress) {
    download_.progress.upload.server = {5};
    const auto violation = checker_.begin(download_, newest_local);
    ASSERT_TRUE(violation);
    EXPECT_EQ(violation->fault, DownloadFault::bad_progress);
}

TEST_F(DownloadRules, upload_server_version_0_leaves_the_stored_one) {
    download_.progress.upload.server = {0};
    EXPECT_EQ(broken(), "");
    EXPECT_EQ(checker_.progress().upload, (UploadCursor{{9}, {6}}));
}

TEST_F(DownloadRules, s14_entry_with_server_version_0) {
    EXPECT_EQ(broken({entry(0, 5)}), "4.7 A entry 1");
}

TEST_F(DownloadRules, c9_entry_server_versions_do_not_decrease_nor_pass_the_cursor) {
    EXPECT_EQ(broken({entry(9, 5)}), "4.7 A entry 2");
    EXPECT_EQ(broken({entry(12, 5), entry(11, 5)}), "4.7 A entry 2");
    EXPECT_EQ(broken({entry(13, 5)}), "4.7 A entry 2");
    EXPECT_EQ(broken({entry(10, 5), entry(10, 5)}), "");
}

TEST_F(DownloadRules, c9_entry_server_versions_increase_in_partition_mode) {
    use(SyncMode::partition, CheckedSide::client_input);
    EXPECT_EQ(broken({entry(10, 5)}), "4.7 A entry 2");
    EXPECT_EQ(broken({entry(11, 5), entry(11, 5)}), "4.7 A entry 2");
    EXPECT_EQ(broken({entry(11, 5), entry(12, 5)}), "");
}

TEST_F(DownloadRules, c9_entry_client_versions_lie_between_cursors) {
    EXPECT_EQ(broken({entry(11, 4)}), "4.7 A entry 3");
    EXPECT_EQ(broken({entry(11, 7), entry(12, 6)}), "4.7 A entry 3");
    EXPECT_EQ(broken({entry(11, 8)}), "4.7 A entry 3");
}

TEST_F(DownloadRules, s13_s14_origin_is_neither_0_nor_the_receiver) {
    EXPECT_EQ(broken({entry(11, 5, 0)}), "4.7 A entry 4");
    EXPECT_EQ(broken({entry(11, 5, own_ident.value)}), "4.7 A entry 4");
}

TEST_F(DownloadRules, an_entry_that_cannot_be_read_drops_the_connection) {
    const auto violation = checker_.check(download_, as_bytes("11 5 x"), newest_local);
    ASSERT_TRUE(violation);
    EXPECT_EQ(violation->fault, DownloadFault::drop_connection);
}

TEST_F(DownloadRules, c8_progress_stays_until_the_last_batch) {
    download_.batch_state = BatchState::bootstrap_more;
    EXPECT_EQ(broken({entry(12, 5)}), "");
    EXPECT_EQ(checker_.progress(), persisted);
    download_.batch_state = BatchState::bootstrap_last;
    EXPECT_EQ(broken({entry(12, 5)}), "");
    EXPECT_EQ(checker_.progress(), download_.progress);
}

TEST_F(DownloadRules, s15_bootstrap_without_any_changeset) {
    download_.batch_state = BatchState::bootstrap_last;
    const auto violation = checker_.check(download_, {}, newest_local);
    ASSERT_TRUE(violation);
    EXPECT_EQ(violation->fault, DownloadFault::crash_hazard);
}

TEST_F(DownloadRules, s15_one_changeset_in_any_batch_is_enough) {
    download_.batch_state = BatchState::bootstrap_more;
    EXPECT_EQ(broken({entry(12, 5)}), "");
    download_.batch_state = BatchState::bootstrap_last;
    EXPECT_EQ(broken(), "");
}

TEST_F(DownloadRules, s15_changesets_of_a_discarded_bootstrap_do_not_count) {
    download_.batch_state = BatchState::bootstrap_more;
    download_.query_version = {1};
    EXPECT_EQ(broken({entry(12, 5)}), "");
    download_.batch_state = BatchState::bootstrap_last;
    download_.query_version = {2};
    EXPECT_EQ(broken(), "4.7 C 1");
}

TEST_F(DownloadRules, s37_server_sends_latest_equal_to_download) {
    download_.progress.latest.version = {13};
    EXPECT_EQ(broken(), "");
    use(SyncMode::flexible, CheckedSide::server_output);
    EXPECT_EQ(broken(), "S37");
}

TEST_F(DownloadRules, s19_server_interleaves_no_steady_state) {
    use(SyncMode::flexible, CheckedSide::server_output);
    download_.batch_state = BatchState::bootstrap_more;
    EXPECT_EQ(broken({entry(12, 5)}), "");
    download_.batch_state = BatchState::steady;
    EXPECT_EQ(broken(), "S19");
}

TEST_F(DownloadRules, s17_server_bootstraps_increasing_or_equal_versions) {
    use(SyncMode::flexible, CheckedSide::server_output);
    download_.batch_state = BatchState::bootstrap_last;
    download_.query_version = {3};
    EXPECT_EQ(broken({entry(12, 5)}), "");
    EXPECT_EQ(broken({entry(12, 7)}), "");
    download_.query_version = {2};
    EXPECT_EQ(broken({entry(12, 7)}), "S17");
}

TEST_F(DownloadRules, server_sends_a_salt_with_every_version) {
    use(SyncMode::flexible, CheckedSide::server_output);
    download_.progress.latest.salt = {0};
    EXPECT_EQ(broken(), "3.2");
}

namespace {

class UploadRules : public testing::Test {
  protected:
    /// The code that the message is refused with; 0 when it is accepted.
    int refusal(UploadCursor progress, std::uint64_t locked,
                const std::vector<UploadEntry>& entries = {}) {
        Upload upload;
        upload.session = {1};
        upload.progress = progress;
        upload.locked = {locked};
        std::vector<std::byte> body;
        for (const UploadEntry& item : entries) {
            append_entry(body, item);
        }
        const auto violation = checker_.check(upload, body);
        return violation ? static_cast<int>(violation->code) : 0;
    }

    static UploadEntry made(std::uint64_t client, std::uint64_t server, std::uint64_t origin = 0) {
        return {{client}, {server}, 1, {origin}, {}};
    }

    UploadChecker checker_{{{{10}, {4}}, {4}, {6}}};
};

} // namespace

TEST_F(UploadRules, s22_empty_uploads_and_integrated_entries_are_fine) {
    EXPECT_EQ(refusal({{10}, {4}}, 4), 0);
    EXPECT_EQ(refusal({{11}, {5}}, 5), 0);
    EXPECT_EQ(refusal({{13}, {6}}, 6, {made(12, 5), made(13, 6)}), 0);
    EXPECT_TRUE(checker_.is_integrated(made(10, 4)));
    EXPECT_FALSE(checker_.is_integrated(made(11, 4)));
}

TEST_F(UploadRules, entries_of_a_lost_acknowledgement_come_again) {
    EXPECT_EQ(refusal({{9}, {3}}, 4, {made(8, 3), made(9, 3)}), 0);
    EXPECT_EQ(checker_.progress(), (UploadCursor{{9}, {3}}));
}

TEST_F(UploadRules, progress_client_version_never_decreases) {
    EXPECT_EQ(refusal({{12}, {5}}, 5), 0);
    EXPECT_EQ(refusal({{11}, {5}}, 5), 210);
}

TEST_F(UploadRules, progress_server_version_was_sent) {
    EXPECT_EQ(refusal({{12}, {7}}, 5), 209);
    checker_.note_download({7});
    EXPECT_EQ(refusal({{12}, {7}}, 7), 0);
    checker_.note_download({5});
    EXPECT_EQ(refusal({{13}, {7}}, 7), 0);
}

TEST_F(UploadRules, progress_is_consistent_with_itself_the_stored_and_the_last_one) {
    EXPECT_EQ(refusal({{0}, {3}}, 4), 209);
    EXPECT_EQ(refusal({{10}, {5}}, 4), 209); // stored is (10, 4)
    EXPECT_EQ(refusal({{9}, {5}}, 4), 209);
    EXPECT_EQ(refusal({{11}, {3}}, 4), 209);
    EXPECT_EQ(refusal({{12}, {6}}, 4), 0);
    EXPECT_EQ(refusal({{12}, {5}}, 4), 209);
    EXPECT_EQ(refusal({{13}, {5}}, 4), 209);
}

TEST_F(UploadRules, locked_server_version_never_decreases_and_was_sent) {
    EXPECT_EQ(refusal({{11}, {5}}, 3), 209);
    EXPECT_EQ(refusal({{11}, {5}}, 7), 209);
    EXPECT_EQ(refusal({{11}, {5}}, 6), 0);
    EXPECT_EQ(refusal({{11}, {5}}, 5), 209);
}

TEST_F(UploadRules, entry_client_versions_increase_beyond_the_last_progress) {
    EXPECT_EQ(refusal({{12}, {5}}, 5, {made(12, 5), made(12, 5)}), 210);
    EXPECT_EQ(refusal({{12}, {5}}, 5, {made(0, 0)}), 210);
    EXPECT_EQ(refusal({{12}, {5}}, 5, {made(11, 5)}), 0);
    EXPECT_EQ(refusal({{14}, {5}}, 5, {made(12, 5)}), 210);
}

TEST_F(UploadRules, entry_server_versions_do_not_decrease) {
    EXPECT_EQ(refusal({{13}, {6}}, 6, {made(12, 6), made(13, 5)}), 209);
    EXPECT_EQ(refusal({{13}, {6}}, 6, {made(11, 3)}), 209); // stored is (10, 4)
}

TEST_F(UploadRules, last_entry_lies_within_the_progress) {
    EXPECT_EQ(refusal({{12}, {5}}, 5, {made(13, 5)}), 210);
    EXPECT_EQ(refusal({{12}, {5}}, 5, {made(11, 6)}), 209);
    EXPECT_EQ(refusal({{12}, {5}}, 5, {made(12, 6)}), 209);
}

TEST_F(UploadRules, origin_is_the_client_itself) {
    EXPECT_EQ(refusal({{12}, {5}}, 5, {made(11, 5, 9001)}), 216);
}

TEST_F(UploadRules, entries_that_cannot_be_read_are_111_or_112) {
    Upload upload;
    upload.progress = {{12}, {5}};
    upload.locked = {5};
    EXPECT_EQ(checker_.check(upload, as_bytes("11 x"))->code, SyncErrorCode::bad_changeset_header);
    EXPECT_EQ(checker_.check(upload, as_bytes("11 5 1 0 9 abc"))->code,
              SyncErrorCode::bad_changeset_size);
}

} // namespace tombolo::protocol::test
