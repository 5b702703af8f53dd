// The worked transcript of sync-protocol.md section 10, byte for byte: each message is built from
// its values, compared with the chapter's bytes, parsed, and built again.

#include <string>

#include <gtest/gtest.h>

#include "protocol/download_checker.hpp"
#include "protocol/support.hpp"
#include "protocol/upload_checker.hpp"

namespace tombolo::protocol::test {

namespace {

constexpr SessionIdent session{1};
constexpr SaltedFileIdent file{{9001}, {5'511'223'344}};
constexpr const char* query_text = R"j({"Item":"(TRUEPREDICATE)"})j";

void expect_client(const ClientMessage& message, const std::string& text) {
    EXPECT_EQ(encoded(message), text);
    const auto parsed = parse_client(text);
    ASSERT_TRUE(parsed) << parsed.error().what();
    EXPECT_EQ(parsed->index(), message.index());
    EXPECT_EQ(encoded(*parsed), text);
}

void expect_server(const ServerMessage& message, const std::string& text) {
    EXPECT_EQ(encoded(message), text);
    const auto parsed = parse_server(text);
    ASSERT_TRUE(parsed) << parsed.error().what();
    EXPECT_EQ(parsed->index(), message.index());
    EXPECT_EQ(encoded(*parsed), text);
}

const std::string schema_bytes = bytes_of_hex("3f00044974656d3f01035f69643f02046e616d65"
                                              "000000010100"
                                              "060002030000");
const std::string first_bytes = bytes_of_hex("3f00044974656d3f01046e616d65"
                                             "0300010102000101"
                                             "0400010101000303616e6e00");
const std::string second_bytes = bytes_of_hex("3f00044974656d3f01046e616d65"
                                              "0300010202000102"
                                              "0400010201000303626f6200");
const std::string edit_bytes = bytes_of_hex("3f00044974656d3f01046e616d65"
                                            "04000102010003037a6f6500");

std::vector<std::byte> upload_body(std::uint64_t client, std::uint64_t server, std::uint64_t time,
                                   const std::string& changeset) {
    std::vector<std::byte> body;
    append_entry(body, UploadEntry{{client}, {server}, time, {}, as_bytes(changeset)});
    return body;
}

std::vector<std::byte> download_body(std::uint64_t server, std::uint64_t client,
                                     const std::string& changeset) {
    std::vector<std::byte> body;
    append_entry(body, DownloadEntry{{server},
                                     {client},
                                     357'168'896'000,
                                     server_file_ident,
                                     changeset.size(),
                                     as_bytes(changeset)});
    return body;
}

Upload upload(UploadCursor progress, ServerVersion locked, ByteView body = {}) {
    return {session, progress, locked, Body::plain(body)};
}

Download download(const SyncProgress& progress, std::int64_t query_version, BatchState state,
                  std::int32_t estimate, ByteView body = {}) {
    Download message;
    message.session = session;
    message.progress = progress;
    message.query_version = {query_version};
    message.batch_state = state;
    message.estimate = {estimate};
    message.body = Body::plain(body);
    return message;
}

constexpr SyncProgress at_3{{{3}, {0}}, {{3}, {77001}}, {{0}, {0}}};
constexpr SyncProgress at_4{{{4}, {5}}, {{4}, {77002}}, {{9}, {3}}};
constexpr SyncProgress at_5{{{5}, {13}}, {{5}, {77003}}, {{13}, {4}}};

} // namespace

TEST(Transcript, binding_and_identification) {
    const std::string bind_json = R"({"schemaVersion":0,"sessionReason":0})";
    expect_client(Bind{session, true, false, "", FlexibleBind{{}, 0, SessionReason::sync}},
                  "bind 1 37 0 1 0\n" + bind_json);
    expect_server(ServerIdent{session, file}, "ident 1 9001 5511223344\n");
    expect_client(ClientIdent{session, file, {}, {}, {0}, "{}"},
                  "ident 1 9001 5511223344 0 0 0 0 0 2\n{}");
    expect_client(Mark{session, {1}}, "mark 1 1\n");
    expect_server(Mark{session, {1}}, "mark 1 1\n");
}

TEST(Transcript, bootstrap_of_version_zero) {
    const auto body = download_body(3, 0, schema_bytes);
    expect_server(download(at_3, 0, BatchState::bootstrap_last, 10'000, body),
                  "download 1 3 0 3 77001 0 0 0 1 1.0000 0 57 0\n3 0 357168896000 1 32 32 " +
                      schema_bytes);
}

TEST(Transcript, upload_of_the_schema_then_query_then_mark) {
    const auto body = upload_body(5, 0, 357'168'897'000, schema_bytes);
    expect_client(upload({{5}, {0}}, {3}, body),
                  "upload 1 0 54 0 5 0 3\n5 0 357168897000 0 32 " + schema_bytes);
    expect_client(Query{session, {1}, query_text}, "query 1 1 26\n{\"Item\":\"(TRUEPREDICATE)\"}");
    EXPECT_EQ(write_query_body({{"Item", "(TRUEPREDICATE)"}}), query_text);
    expect_client(Mark{session, {2}}, "mark 1 2\n");
    expect_client(upload({{9}, {3}}, {3}), "upload 1 0 0 0 9 3 3\n");
}

TEST(Transcript, bootstrap_of_version_one_in_two_batches) {
    const auto first = download_body(4, 5, first_bytes);
    expect_server(download(at_4, 1, BatchState::bootstrap_more, 5'000, first),
                  "download 1 4 5 4 77002 9 3 1 0 0.5000 0 59 0\n4 5 357168896000 1 34 34 " +
                      first_bytes);
    const auto second = download_body(4, 5, second_bytes);
    expect_server(download(at_4, 1, BatchState::bootstrap_last, 10'000, second),
                  "download 1 4 5 4 77002 9 3 1 1 1.0000 0 59 0\n4 5 357168896000 1 34 34 " +
                      second_bytes);
    expect_client(upload({{12}, {4}}, {4}), "upload 1 0 0 0 12 4 4\n");
}

TEST(Transcript, edit_and_its_acknowledgement) {
    const auto body = upload_body(13, 4, 357'168'901'000, edit_bytes);
    expect_client(upload({{13}, {4}}, {4}, body),
                  "upload 1 0 49 0 13 4 4\n13 4 357168901000 0 26 " + edit_bytes);
    const std::string acknowledgement = "download 1 5 13 5 77003 13 4 1 2 1.0000 0 0 0\n";
    EXPECT_EQ(acknowledgement.size(), 46U);
    expect_server(download(at_5, 1, BatchState::steady, 10'000), acknowledgement);
    expect_client(upload({{14}, {5}}, {5}), "upload 1 0 0 0 14 5 5\n");
}

TEST(Transcript, keep_alive_and_end) {
    expect_client(Ping{8'123'456, 0}, "ping 8123456 0\n");
    expect_server(Pong{8'123'456}, "pong 8123456\n");
    expect_client(Unbind{session}, "unbind 1\n");
    expect_server(Unbound{session}, "unbound 1\n");
}

TEST(Transcript, reconnect) {
    expect_client(ClientIdent{session, file, {{5}, {13}}, {{5}, {77003}}, {1}, query_text},
                  std::string("ident 1 9001 5511223344 5 13 5 77003 1 26\n") + query_text);
    expect_client(Mark{session, {3}}, "mark 1 3\n");
    SyncProgress progress = at_5;
    progress.upload = {{14}, {5}};
    expect_server(download(progress, 1, BatchState::steady, 10'000),
                  "download 1 5 13 5 77003 14 5 1 2 1.0000 0 0 0\n");
}

TEST(Transcript, satisfies_both_checkers) {
    DownloadChecker downloads({{}, file.ident}, SyncMode::flexible, CheckedSide::server_output);
    UploadChecker uploads({});
    const auto expect_download = [&](const Download& message, ClientVersion newest) {
        const auto violation = downloads.check(message, message.body.wire, newest);
        EXPECT_FALSE(violation) << violation->message;
        uploads.note_download(message.progress.download.server);
    };
    const auto expect_upload = [&](const Upload& message) {
        const auto violation = uploads.check(message, message.body.wire);
        EXPECT_FALSE(violation) << violation->message;
    };
    const auto schema_down = download_body(3, 0, schema_bytes);
    expect_download(download(at_3, 0, BatchState::bootstrap_last, 10'000, schema_down), {9});
    const auto schema_up = upload_body(5, 0, 357'168'897'000, schema_bytes);
    expect_upload(upload({{5}, {0}}, {3}, schema_up));
    expect_upload(upload({{9}, {3}}, {3}));
    const auto first = download_body(4, 5, first_bytes);
    expect_download(download(at_4, 1, BatchState::bootstrap_more, 5'000, first), {9});
    const auto second = download_body(4, 5, second_bytes);
    expect_download(download(at_4, 1, BatchState::bootstrap_last, 10'000, second), {9});
    expect_upload(upload({{12}, {4}}, {4}));
    const auto edit = upload_body(13, 4, 357'168'901'000, edit_bytes);
    expect_upload(upload({{13}, {4}}, {4}, edit));
    expect_download(download(at_5, 1, BatchState::steady, 10'000), {13});
    expect_upload(upload({{14}, {5}}, {5}));
    EXPECT_EQ(downloads.progress(), at_5);
}

} // namespace tombolo::protocol::test
