// What a poller tells of sockets, and when its thread rests.

#include "server/http/socket_poller.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "server/http/poll_pace.hpp"

namespace tombolo::http {
namespace {

// One end of a pair is watched, the other is the test's.
class Watched final : public PolledSocket {
  public:
    explicit Watched(SocketPoller& poller) : poller_(poller) {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0);
        EXPECT_TRUE(poller_.add(ends_[0], *this));
        poller_.dispatch(); // that there is room to write
        told.clear();
    }
    ~Watched() override {
        poller_.remove(ends_[0], *this);
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;

    void write(const std::string& text) const {
        EXPECT_EQ(::write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    void end() const { ::shutdown(ends_[1], SHUT_WR); }
    void ask_again() { poller_.ask_again(ends_[0], *this); }
    void leave() const { poller_.remove(ends_[0], *this); }

    void happened(Happened what) override {
        told.push_back(what);
        if (drops != nullptr) {
            drops->leave();
        }
    }

    std::vector<Happened> told;
    const Watched* drops = nullptr;

  private:
    SocketPoller& poller_;
    int ends_[2] = {-1, -1};
};

TEST(SocketPoller, tells_of_a_message_once_until_it_is_asked_again) {
    SocketPoller poller;
    Watched socket(poller);
    EXPECT_EQ(poller.dispatch(), 0U);
    socket.write("a");
    EXPECT_EQ(poller.dispatch(), 1U);
    ASSERT_EQ(socket.told.size(), 1U);
    EXPECT_TRUE(socket.told[0].is_readable);
    EXPECT_FALSE(socket.told[0].is_ending);
    EXPECT_EQ(poller.dispatch(), 0U);
    socket.ask_again();
    EXPECT_EQ(poller.dispatch(), 1U);
    socket.write("b");
    EXPECT_EQ(poller.dispatch(), 1U);
}

TEST(SocketPoller, tells_of_the_end_with_what_is_left_to_read) {
    SocketPoller poller;
    Watched socket(poller);
    socket.write("last words");
    socket.end();
    EXPECT_EQ(poller.dispatch(), 1U);
    ASSERT_EQ(socket.told.size(), 1U);
    EXPECT_TRUE(socket.told[0].is_readable);
    EXPECT_TRUE(socket.told[0].is_ending);
}

TEST(SocketPoller, tells_nothing_of_a_socket_that_was_removed_meanwhile) {
    SocketPoller poller;
    Watched one(poller);
    Watched other(poller);
    one.drops = &other;
    other.drops = &one;
    one.write("a");
    other.write("b");
    EXPECT_EQ(poller.dispatch(), 2U);
    EXPECT_EQ(one.told.size() + other.told.size(), 1U);
}

class Pace : public ::testing::Test {
  protected:
    bool rests_after(std::size_t things, std::chrono::microseconds time) {
        now_ += time;
        return pace_.rests_after(things, now_);
    }
    bool is_flooded_after(int wakes, std::chrono::microseconds each) {
        bool rests = false;
        for (int i = 0; i < wakes; ++i) {
            rests = rests_after(1, each);
        }
        return rests;
    }

    PollPace pace_;
    PollPace::TimePoint now_ = {};
};

TEST_F(Pace, never_rests_while_wakes_are_few) {
    EXPECT_FALSE(is_flooded_after(1000, std::chrono::microseconds(60)));
    // Some at once are no flood.
    for (int i = 0; i < 20; ++i) {
        EXPECT_FALSE(is_flooded_after(20, std::chrono::microseconds(1)));
        now_ += std::chrono::milliseconds(5);
    }
}

TEST_F(Pace, rests_in_a_flood_until_nothing_comes_together_any_more) {
    EXPECT_TRUE(is_flooded_after(33, std::chrono::microseconds(20)));
    EXPECT_TRUE(rests_after(12, std::chrono::microseconds(300)));
    EXPECT_TRUE(rests_after(0, std::chrono::microseconds(300)));
    EXPECT_TRUE(rests_after(2, std::chrono::microseconds(300)));
    int quiet = 0;
    while (rests_after(1, std::chrono::microseconds(300))) {
        ASSERT_LT(++quiet, 100);
    }
    EXPECT_FALSE(is_flooded_after(100, std::chrono::microseconds(60)));
}

} // namespace
} // namespace tombolo::http
