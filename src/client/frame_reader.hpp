#pragma once

// RFC 6455 frames as a client has them: bytes from a server to messages, messages to masked frames.
// Pure; no I/O.
//
// Without extensions. A set RSV bit, a masked frame, an unknown opcode, a long or fragmented
// control frame is a fault. Memory: what has arrived of one message, never what a length declares.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.hpp"

namespace tombolo::client {

class FrameReader {
  public:
    explicit FrameReader(std::size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

    enum class Kind : std::uint8_t { need_more, binary, text, close, ping, pong, fault };
    struct Event {
        Kind kind = Kind::need_more;
        std::string payload;    ///< of close: the reason
        std::uint16_t code = 0; ///< of close; 1005 when there was none
    };

    void feed(std::string_view bytes) { buffer_.append(bytes); }
    /// The next message. After a fault the reader must not be used again.
    Event next();

  private:
    Event finish(unsigned opcode, bool is_final, std::string payload);

    std::size_t message_bytes_max_;
    std::string buffer_;
    std::size_t taken_ = 0; ///< of buffer_
    std::string message_;   ///< fragments so far
    Kind message_kind_ = Kind::need_more;
};

/// A final frame of that opcode.
std::string masked_frame(unsigned opcode, std::string_view payload,
                         const std::array<std::byte, 4>& mask);

} // namespace tombolo::client
