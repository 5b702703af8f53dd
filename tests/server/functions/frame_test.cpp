#include "server/functions/frame.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace tombolo::functions {

namespace {

FrameReader reader() {
    return FrameReader(1000, 100);
}

} // namespace

RC_GTEST_PROP(Frame, any_split_gives_the_same_frames, (const std::vector<std::uint8_t>& sizes)) {
    std::string stream;
    for (const std::uint8_t size : sizes) {
        stream += encode_frame(
            {FrameKind::log, size, std::string(size / 3U, 'h'), std::string(size, 'b')});
    }
    FrameReader frames = reader();
    std::size_t read = 0;
    for (std::size_t at = 0; at < stream.size();) {
        const auto count = *rc::gen::inRange<std::size_t>(1, 64);
        frames.append(std::string_view(stream).substr(at, count));
        at += count;
        while (const auto frame = frames.next().value()) {
            RC_ASSERT(frame->id == sizes[read]);
            RC_ASSERT(frame->head.size() == sizes[read] / 3U);
            RC_ASSERT(frame->body == std::string(sizes[read], 'b'));
            ++read;
        }
    }
    RC_ASSERT(read == sizes.size());
}

TEST(Frame, too_long_is_refused_before_it_has_arrived) {
    FrameReader frames = reader();
    frames.append(encode_frame({FrameKind::result, 1, {}, std::string(2000, 'x')}).substr(0, 20));
    EXPECT_EQ(frames.next().error().code(), ErrorCode::limit_exceeded);
    FrameReader heads = reader();
    heads.append(encode_frame({FrameKind::result, 1, std::string(200, 'x'), {}}));
    EXPECT_EQ(heads.next().error().code(), ErrorCode::limit_exceeded);
}

TEST(Frame, what_a_worker_may_not_say_is_refused) {
    for (const FrameKind kind : {FrameKind::run, FrameKind::app, FrameKind::reply}) {
        FrameReader frames = reader();
        frames.append(encode_frame({kind, 1, {}, {}}));
        EXPECT_EQ(frames.next().error().code(), ErrorCode::invalid_argument);
    }
    FrameReader text = reader();
    text.append(encode_frame({FrameKind::log, 1, {}, "\xff"}));
    EXPECT_FALSE(text.next());
    FrameReader head = reader();
    std::string lying = encode_frame({FrameKind::log, 1, "ab", {}});
    lying[9] = 50; // a head longer than the frame
    head.append(lying);
    EXPECT_FALSE(head.next());
}

} // namespace tombolo::functions
