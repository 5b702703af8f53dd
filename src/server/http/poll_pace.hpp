#pragma once

// Whether a thread that is woken for one small thing after the other should rest before it looks
// for the next one: what is to be done then comes together, and both the thread and who wakes it
// are spared a wake-up for each. Network cards do the same with interrupts.
//
// Only a flood counts: more than 20,000 wake-ups a second, which cost more than what they are for;
// whoever waits in such a crowd waits for others anyway. A thread that finds less than two things
// after each of several rests waits to be woken again: a flood has gaps, since who sends it shares
// the processors.
//
// Thread-safety: none.

#include <chrono>
#include <cstddef>

namespace tombolo::http {

class PollPace {
  public:
    using TimePoint = std::chrono::steady_clock::time_point;

    static constexpr std::chrono::microseconds rest{300};

    /// After each time that things were found: rest before looking again? If not, wait.
    bool rests_after(std::size_t things, TimePoint now) noexcept {
        if (is_flooded_) {
            quiet_rests_ = things > 1 ? 0 : quiet_rests_ + 1;
            is_flooded_ = quiet_rests_ < quiet_rests_max;
            wakes_ = 0;
            return is_flooded_;
        }
        if (wakes_ == 0) {
            since_ = now;
        }
        if (++wakes_ > wakes_watched) {
            is_flooded_ = now - since_ < wakes_watched * flood_interval;
            wakes_ = 0;
            quiet_rests_ = 0;
        }
        return is_flooded_;
    }

  private:
    static constexpr unsigned wakes_watched = 32;
    static constexpr unsigned quiet_rests_max = 8;
    static constexpr std::chrono::microseconds flood_interval{50};

    TimePoint since_;
    unsigned wakes_ = 0;
    unsigned quiet_rests_ = 0;
    bool is_flooded_ = false;
};

} // namespace tombolo::http
