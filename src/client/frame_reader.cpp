#include "client/frame_reader.hpp"

#include <utility>

namespace tombolo::client {

namespace {

constexpr std::size_t control_bytes_max = 125;
/// What was taken is thrown away once it is so much.
constexpr std::size_t slack_bytes = 64 * 1024;

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) {
        value = value << 8 | static_cast<unsigned char>(byte);
    }
    return value;
}

} // namespace

FrameReader::Event FrameReader::next() {
    for (;;) {
        const std::string_view rest = std::string_view(buffer_).substr(taken_);
        if (rest.size() < 2) {
            return {};
        }
        const unsigned first = static_cast<unsigned char>(rest[0]);
        const unsigned second = static_cast<unsigned char>(rest[1]);
        const unsigned opcode = first & 0x0f;
        const bool is_final = (first & 0x80) != 0;
        const bool is_control = opcode >= 8;
        if ((first & 0x70) != 0 || (second & 0x80) != 0 || (is_control && !is_final)) {
            return {Kind::fault, {}, 0};
        }
        std::uint64_t size = second & 0x7f;
        const std::size_t head = size == 126 ? 4U : size == 127 ? 10U : 2U;
        if (rest.size() < head) {
            return {};
        }
        if (head > 2) {
            size = big_endian(rest.substr(2, head - 2));
        }
        if ((is_control && size > control_bytes_max) ||
            size > message_bytes_max_ - message_.size()) {
            return {Kind::fault, {}, 0};
        }
        if (rest.size() - head < size) {
            return {};
        }
        std::string payload(rest.substr(head, size));
        taken_ += head + size;
        if (taken_ == buffer_.size() || taken_ > slack_bytes) {
            buffer_.erase(0, taken_);
            taken_ = 0;
        }
        Event event = finish(opcode, is_final, std::move(payload));
        if (event.kind != Kind::need_more) {
            return event;
        }
    }
}

FrameReader::Event FrameReader::finish(unsigned opcode, bool is_final, std::string payload) {
    switch (opcode) {
    case 0:
    case 1:
    case 2: {
        const bool is_first = opcode != 0;
        if (is_first != (message_kind_ == Kind::need_more)) {
            return {Kind::fault, {}, 0};
        }
        if (is_first) {
            message_kind_ = opcode == 1 ? Kind::text : Kind::binary;
            message_ = std::move(payload);
        } else {
            message_ += payload;
        }
        if (!is_final) {
            return {};
        }
        return {std::exchange(message_kind_, Kind::need_more), std::exchange(message_, {}), 0};
    }
    case 8: {
        Event event{Kind::close, {}, 1005};
        if (payload.size() >= 2) {
            event.code = static_cast<std::uint16_t>(big_endian(payload.substr(0, 2)));
            event.payload = payload.substr(2);
        }
        return event;
    }
    case 9:
        return {Kind::ping, std::move(payload), 0};
    case 10:
        return {Kind::pong, std::move(payload), 0};
    default:
        return {Kind::fault, {}, 0};
    }
}

std::string masked_frame(unsigned opcode, std::string_view payload,
                         const std::array<std::byte, 4>& mask) {
    std::string out(1, static_cast<char>(0x80U | opcode));
    const std::size_t size = payload.size();
    if (size < 126) {
        out.push_back(static_cast<char>(0x80U | size));
    } else {
        const unsigned bytes = size < 65'536 ? 2 : 8;
        out.push_back(static_cast<char>(0x80U | (bytes == 2 ? 126U : 127U)));
        for (unsigned i = bytes; i-- > 0;) {
            out.push_back(static_cast<char>(size >> (8 * i) & 0xff));
        }
    }
    out += as_text(mask);
    const std::size_t start = out.size();
    out += payload;
    for (std::size_t i = start; i < out.size(); ++i) {
        out[i] = static_cast<char>(out[i] ^ static_cast<char>(mask[(i - start) % 4]));
    }
    return out;
}

} // namespace tombolo::client
