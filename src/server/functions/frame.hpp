#pragma once

// What the server and a worker process say to each other over their socket.
//
//   bytes  0..3   length of what follows, little-endian, at least 9
//          4      kind
//          5..8   id: of the call (run, log, result, failure) or of the request (service, reply)
//          9..12  length of the head
//         13..    head: one small JSON object, or nothing; then the body: Extended JSON or text
//
// The worker runs code that is not ours: what comes from it is read as any other hostile input.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace tombolo::functions {

enum class FrameKind : std::uint8_t {
    // To the worker.
    app = 1,   ///< body: what the app is, its sources (worker.js: start)
    run = 2,   ///< head: name, user, ...; body: arguments
    reply = 3, ///< head: {ok, code}; body: result or error text
    ping = 4,  ///< asks for ready: whether the worker can take a call
    // From the worker.
    ready = 16,   ///< answer to app and ping
    log = 17,     ///< head: {level}; body: text
    service = 18, ///< head: {service, action, system}; body: arguments
    result = 19,  ///< body: result
    failure = 20, ///< head: {kind, name, stack}; body: message
};

struct Frame {
    FrameKind kind = FrameKind::ready;
    std::uint32_t id = 0;
    std::string head;
    std::string body;
};

inline constexpr std::size_t frame_start_bytes = 13;

/// REQUIRES: head and body together below 4 GB.
std::string encode_frame(const Frame& frame);

/// Takes a byte stream apart into the frames that a worker may send.
class FrameReader {
  public:
    /// Frames longer than that are an error as soon as their length is known.
    FrameReader(std::size_t frame_bytes_max, std::size_t head_bytes_max)
        : frame_bytes_max_(frame_bytes_max), head_bytes_max_(head_bytes_max) {}

    /// REQUIRES: the last next() gave no frame and no error.
    void append(std::string_view bytes) { buffer_.append(bytes); }
    /// The next whole frame; nothing when more bytes are needed. limit_exceeded when it is too
    /// long; invalid_argument when it is no frame or its texts are not UTF-8. After an error the
    /// stream is of no use any more.
    Result<std::optional<Frame>> next();

  private:
    std::string buffer_;
    std::size_t read_ = 0; // bytes of buffer_ that were given out
    std::size_t frame_bytes_max_;
    std::size_t head_bytes_max_;
};

} // namespace tombolo::functions
