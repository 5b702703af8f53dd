#pragma once

// What the protocol side of a connection needs of its transport: so that it runs over a socket, in
// a fuzzer, and in tests without either.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/codec.hpp"

namespace tombolo::server::sync {

/// Called on the connection's strand only.
class Outlet {
  public:
    virtual ~Outlet() = default;
    virtual void send(protocol::MessageBytes message) = 0;
    /// Sends what was sent before, a close frame with the code (0: none), and ends TCP.
    virtual void close(std::uint16_t code, std::string_view reason) = 0;
    /// False while the peer takes less than it is sent.
    virtual bool has_room() const noexcept = 0;
};

/// Thread-safety: wake() from any thread; it never blocks.
class Waker {
  public:
    virtual ~Waker() = default;
    /// Have the connection's strand call Connection::pump() soon.
    virtual void wake() = 0;
};

} // namespace tombolo::server::sync
