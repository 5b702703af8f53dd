#pragma once

// Ctrl-C as a question that long commands ask, so that they end in order.
//
// One at a time in a process; the signals' former handlers come back with the destructor. A second
// Ctrl-C ends the process at once.

#include <chrono>

namespace tombolo::cli {

class Interrupt {
  public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    bool requested() const noexcept;
    /// Waits so long, or until there is an interrupt.
    void wait(std::chrono::milliseconds time) const;
};

} // namespace tombolo::cli
