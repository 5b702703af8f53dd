// Compression and entries of bodies (sync-protocol.md 2; changesets-and-merge.md 3).

#include <string>

#include <gtest/gtest.h>

#include "protocol/support.hpp"

namespace tombolo::protocol::test {

namespace {

std::string repeated(std::size_t size) {
    std::string text;
    while (text.size() < size) {
        text += "tombolo ";
    }
    text.resize(size);
    return text;
}

Error open_error(const Body& body) {
    std::vector<std::byte> storage;
    const auto opened = open_body(body, storage);
    EXPECT_LE(storage.size(), body.uncompressed_size);
    return opened ? Error(ErrorCode::internal, "accepted") : opened.error();
}

template <class Reader>
ErrorCode entry_refusal(std::string_view body) {
    Reader reader(as_bytes(body));
    for (;;) {
        const auto entry = reader.next();
        if (!entry) {
            EXPECT_EQ(reader.next().error().code(), entry.error().code());
            return entry.error().code();
        }
        if (!*entry) {
            return ErrorCode::internal;
        }
    }
}

} // namespace

TEST(Compression, starts_above_1024_bytes) {
    std::vector<std::byte> storage;
    EXPECT_FALSE(compress_body(as_bytes(repeated(1024)), {}, storage).is_compressed);
    const std::string text = repeated(1025);
    const Body body = compress_body(as_bytes(text), {}, storage);
    EXPECT_TRUE(body.is_compressed);
    EXPECT_EQ(body.uncompressed_size, 1025U);
    EXPECT_EQ(body.wire[0], std::byte{0x78});
    std::vector<std::byte> opened;
    EXPECT_EQ(as_text(open_body(body, opened).value()), text);
}

TEST(Compression, is_used_only_when_smaller) {
    std::string noise;
    std::uint64_t state = 1;
    while (noise.size() < 4096) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        noise += static_cast<char>(state >> 56);
    }
    std::vector<std::byte> storage;
    const Body body = compress_body(as_bytes(noise), {}, storage);
    EXPECT_FALSE(body.is_compressed);
    EXPECT_EQ(as_text(body.wire), noise);
}

TEST(Compression, bodies_far_above_the_step_come_back) {
    const std::string text = repeated(1'000'003);
    for (const int level : {1, 6, 9}) {
        std::vector<std::byte> storage;
        const Body body = compress_body(as_bytes(text), {level, 1024}, storage);
        ASSERT_TRUE(body.is_compressed);
        std::vector<std::byte> opened;
        EXPECT_TRUE(as_text(open_body(body, opened).value()) == text);
    }
}

TEST(Compression, declared_size_must_be_exact) {
    const std::string text = repeated(200'000);
    std::vector<std::byte> storage;
    Body body = compress_body(as_bytes(text), {}, storage);
    for (const std::size_t wrong : {0U, 1U, 65'536U, 199'999U, 200'001U, 400'000U}) {
        body.uncompressed_size = wrong;
        EXPECT_EQ(open_error(body).code(), ErrorCode::bad_compression) << wrong;
    }
}

TEST(Compression, damaged_streams_are_refused) {
    const std::string text = repeated(5000);
    std::vector<std::byte> storage;
    const Body body = compress_body(as_bytes(text), {}, storage);
    std::vector<std::byte> bytes(body.wire.begin(), body.wire.end());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_EQ(open_error({true, 5000, ByteView(bytes).first(size)}).code(),
                  ErrorCode::bad_compression);
    }
    bytes.push_back(std::byte{0});
    EXPECT_EQ(open_error({true, 5000, bytes}).code(), ErrorCode::bad_compression);
    bytes.pop_back();
    bytes.back() ^= std::byte{1}; // the checksum
    EXPECT_EQ(open_error({true, 5000, bytes}).code(), ErrorCode::bad_compression);
    EXPECT_EQ(open_error({true, 5000, as_bytes("not zlib at all")}).code(),
              ErrorCode::bad_compression);
    // 0x78 0x20 announces a preset dictionary.
    EXPECT_EQ(open_error({true, 10, as_bytes(bytes_of_hex("782000000001"))}).code(),
              ErrorCode::bad_compression);
}

TEST(Compression, memory_follows_what_is_inflated_not_what_is_declared) {
    const std::string text = repeated(5000);
    std::vector<std::byte> storage;
    Body body = compress_body(as_bytes(text), {}, storage);
    body.uncompressed_size = 100'000'000;
    std::vector<std::byte> opened;
    EXPECT_FALSE(open_body(body, opened));
    EXPECT_LE(opened.capacity(), limits::inflate_step_bytes);
}

TEST(Entries, are_views_into_the_opened_body) {
    const std::string body = "5 0 357168897000 0 3 abc9 3 357168897001 0 0 ";
    UploadEntryReader reader(as_bytes(body));
    const auto first = reader.next().value();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->client_version.value, 5U);
    EXPECT_EQ(first->server_version.value, 0U);
    EXPECT_EQ(first->origin_timestamp_ms, 357'168'897'000U);
    EXPECT_EQ(as_text(first->changeset), "abc");
    EXPECT_EQ(as_text(first->changeset).data(), body.data() + 21);
    const auto second = reader.next().value();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->server_version.value, 3U);
    EXPECT_TRUE(second->changeset.empty());
    EXPECT_FALSE(reader.next().value());
    EXPECT_FALSE(reader.next().value());
}

TEST(Entries, heads_that_do_not_parse_are_111) {
    for (const char* body : {"5", "5 ", "5 0 1 0 ", "5 0 1 0 2", "x 0 1 0 0 ", "5  1 0 0 ",
                             "05 0 1 0 0 ", "-5 0 1 0 0 ", "5 0 1 0 9223372036854775808 ",
                             "99999999999999999999 0 1 0 0 ", "5\n0 1 0 0 "}) {
        EXPECT_EQ(entry_refusal<UploadEntryReader>(body), ErrorCode::bad_changeset_header) << body;
    }
    EXPECT_EQ(entry_refusal<DownloadEntryReader>("5 0 1 1 3 abc"), ErrorCode::bad_changeset_header);
    EXPECT_EQ(sync_code_for(ErrorCode::bad_changeset_header), SyncErrorCode::bad_changeset_header);
}

TEST(Entries, changesets_longer_than_the_body_are_112) {
    EXPECT_EQ(entry_refusal<UploadEntryReader>("5 0 1 0 4 abc"), ErrorCode::bad_changeset_size);
    EXPECT_EQ(entry_refusal<DownloadEntryReader>("5 0 1 1 3 9223372036854775807 abc"),
              ErrorCode::bad_changeset_size);
    EXPECT_EQ(sync_code_for(ErrorCode::bad_changeset_size), SyncErrorCode::bad_changeset_size);
}

} // namespace tombolo::protocol::test
