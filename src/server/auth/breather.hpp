#pragma once

// Short rests for a thread that computes for milliseconds at the lowest priority (SCHED_IDLE).
//
// The scheduler lets such a thread make way at once for what wakes up on its processor. But other
// work that waits behind each other on a second processor is only spread out by a processor that
// has nothing to do, and one that computes at the lowest priority does not count as such: requests
// then wait for whole time slices of others. A processor that is free for a moment every fifth of a
// millisecond takes over what waits. docs/performance.md has what it brings.

#include <csignal>
#include <ctime>

namespace tombolo::auth {

/// Lets its thread rest now and then while this lives, by a signal of that thread's own. Does
/// nothing on a thread of another priority, and where the system has no timer left.
class Breather {
  public:
    Breather();
    ~Breather();
    Breather(const Breather&) = delete;
    Breather& operator=(const Breather&) = delete;

  private:
    timer_t timer_{};
    bool is_armed_ = false;
};

} // namespace tombolo::auth
