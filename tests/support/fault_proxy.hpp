#pragma once

// A TCP proxy that does to connections what networks do: cuts them anywhere, also in the middle of
// a frame, loses one direction's end so that the server keeps a connection whose device is gone,
// and holds bytes back. Which fault a connection gets, and where, comes from the seed and the order
// of connections.
//
// Thread-safety: all members from any thread. It runs on a thread of its own.

#include <atomic>
#include <cstdint>
#include <memory>

namespace tombolo::testing {

class FaultProxy {
  public:
    FaultProxy(std::uint16_t target, std::uint64_t seed);
    ~FaultProxy();
    FaultProxy(const FaultProxy&) = delete;
    FaultProxy& operator=(const FaultProxy&) = delete;

    /// Where devices connect to.
    std::uint16_t port() const;
    /// New connections go there.
    void set_target(std::uint16_t port);
    /// Of new connections, in percent; 0: none, and those that are open lose theirs.
    void set_faults(std::uint32_t percent);
    /// Resets everything that is open.
    void cut_all();
    std::uint64_t faults() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace tombolo::testing
