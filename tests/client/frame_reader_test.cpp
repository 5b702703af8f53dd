#include "client/frame_reader.hpp"

#include <gtest/gtest.h>

namespace tombolo::client {
namespace {

using Kind = FrameReader::Kind;

std::string unmasked(unsigned first, const std::string& payload) {
    std::string frame = masked_frame(0, payload, {});
    frame[0] = static_cast<char>(first);
    frame[1] = static_cast<char>(frame[1] & 0x7f);
    const std::size_t mask_at = frame.size() - payload.size() - 4;
    return frame.erase(mask_at, 4);
}

TEST(FrameReader, messages_arrive_whole_however_they_are_cut) {
    const std::string large(70'000, 'b');
    const std::string bytes = unmasked(0x82, "one") + unmasked(0x82, std::string(300, 'a')) +
                              unmasked(0x89, "ping") + unmasked(0x82, large) +
                              unmasked(0x88, "\x0f\xa1gone");
    for (const std::size_t piece : {std::size_t{1}, std::size_t{13}, bytes.size()}) {
        FrameReader reader(100'000);
        std::vector<FrameReader::Event> events;
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            reader.feed(std::string_view(bytes).substr(at, piece));
            for (auto event = reader.next(); event.kind != Kind::need_more; event = reader.next()) {
                events.push_back(std::move(event));
            }
        }
        ASSERT_EQ(events.size(), 5U);
        EXPECT_EQ(events[0].payload, "one");
        EXPECT_EQ(events[1].payload.size(), 300U);
        EXPECT_EQ(events[2].kind, Kind::ping);
        EXPECT_EQ(events[3].payload, large);
        EXPECT_EQ(events[4].kind, Kind::close);
        EXPECT_EQ(events[4].code, 4001);
        EXPECT_EQ(events[4].payload, "gone");
    }
}

TEST(FrameReader, fragments_become_one_message_around_a_ping) {
    FrameReader reader(100);
    reader.feed(unmasked(0x02, "ab") + unmasked(0x89, "") + unmasked(0x00, "cd") +
                unmasked(0x80, "ef"));
    EXPECT_EQ(reader.next().kind, Kind::ping);
    const auto event = reader.next();
    EXPECT_EQ(event.kind, Kind::binary);
    EXPECT_EQ(event.payload, "abcdef");
}

TEST(FrameReader, what_no_server_may_send_is_a_fault) {
    for (const std::string& bytes :
         {unmasked(0xc2, "x"), unmasked(0x83, "x"), unmasked(0x09, "x"), unmasked(0x80, "x"),
          unmasked(0x89, std::string(126, 'x')), unmasked(0x82, std::string(101, 'x')),
          masked_frame(2, "x", {})}) {
        FrameReader reader(100);
        reader.feed(bytes);
        EXPECT_EQ(reader.next().kind, Kind::fault);
    }
}

} // namespace
} // namespace tombolo::client
