#pragma once

// RFC 6455 frames: bytes from a client to messages, messages to bytes for a client. Pure; no I/O.
//
// Without extensions: a set RSV bit is a fault, as are unmasked frames, unknown opcodes, lengths
// that are not as short as possible, and control frames that are long or fragmented. Fragmented
// messages are put together. Memory: what has arrived of one message, never what a length declares.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "server/http/websocket.hpp"

namespace tombolo::http {

enum class FrameOpcode : std::uint8_t {
    continuation = 0,
    text = 1,
    binary = 2,
    close = 8,
    ping = 9,
    pong = 10,
};

class FrameReader {
  public:
    explicit FrameReader(std::size_t message_bytes_max) noexcept
        : message_bytes_max_(message_bytes_max) {}

    enum class Kind : std::uint8_t { need_more, binary, text, ping, pong, close, fault };
    struct Event {
        Kind kind = Kind::need_more;
        BinaryMessage payload;        ///< of binary, ping, pong; text is not kept
        std::uint16_t code = 0;       ///< of fault: the close code to answer with
        std::string_view reason = {}; ///< of fault
    };

    /// Takes bytes off the front of `bytes` up to the end of the next message or control frame.
    /// After need_more all are taken. After a fault the reader must not be used again.
    Event read(ByteView& bytes);

  private:
    bool read_head(ByteView& bytes);
    Event check_head();
    Event take_payload(ByteView& bytes);
    Event finish_frame();

    std::size_t message_bytes_max_;
    BinaryMessage message_; ///< of the data message under way
    FrameOpcode message_opcode_ = FrameOpcode::binary;
    bool in_message_ = false;

    // The frame under way.
    std::array<std::byte, 14> head_{};
    std::uint8_t head_size_ = 0;
    bool head_done_ = false;
    bool is_final_ = false;
    FrameOpcode opcode_ = FrameOpcode::binary;
    std::array<std::byte, 4> mask_{};
    std::uint64_t payload_size_ = 0;
    std::uint64_t payload_read_ = 0;
    BinaryMessage control_;
};

/// The head of an unmasked, final frame.
class FrameHead {
  public:
    FrameHead() = default;
    FrameHead(FrameOpcode opcode, std::size_t payload_bytes) noexcept;
    ByteView bytes() const noexcept { return ByteView(bytes_.data(), size_); }

  private:
    std::array<std::byte, 10> bytes_{};
    std::size_t size_ = 2;
};

/// Payload of a close frame: the code and as much of the reason as fits.
BinaryMessage close_payload(std::uint16_t code, std::string_view reason);

/// The Sec-WebSocket-Accept of a Sec-WebSocket-Key; empty when the key is not 16 bytes of base64.
std::string websocket_accept(std::string_view key);

} // namespace tombolo::http
