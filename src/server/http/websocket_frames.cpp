#include "server/http/websocket_frames.hpp"

#include <algorithm>

#include <openssl/evp.h>

#include "core/bytes.hpp"

namespace tombolo::http {

namespace {

constexpr std::size_t control_bytes_max = 125;

FrameReader::Event fault(std::uint16_t code, std::string_view reason) {
    FrameReader::Event event;
    event.kind = FrameReader::Kind::fault;
    event.code = code;
    event.reason = reason;
    return event;
}

std::uint8_t to_number(std::byte byte) noexcept {
    return std::to_integer<std::uint8_t>(byte);
}

// Bytes of the head after the first two: length and mask.
std::size_t rest_of_head(std::byte second) noexcept {
    const std::uint8_t length = to_number(second) & 0x7f;
    const std::size_t mask = (to_number(second) & 0x80) != 0 ? 4 : 0;
    return mask + (length == 126 ? 2U : length == 127 ? 8U : 0U);
}

} // namespace

FrameReader::Event FrameReader::read(ByteView& bytes) {
    for (;;) {
        if (!head_done_) {
            if (!read_head(bytes)) {
                return {};
            }
            Event event = check_head();
            if (event.kind != Kind::need_more) {
                return event;
            }
        }
        Event event = take_payload(bytes);
        if (event.kind != Kind::need_more || (payload_read_ < payload_size_ && bytes.empty())) {
            return event;
        }
        event = finish_frame();
        if (event.kind != Kind::need_more) {
            return event;
        }
    }
}

bool FrameReader::read_head(ByteView& bytes) {
    for (;;) {
        const std::size_t wanted = head_size_ < 2 ? 2 : 2 + rest_of_head(head_[1]);
        if (head_size_ == wanted) {
            head_done_ = true;
            return true;
        }
        if (bytes.empty()) {
            return false;
        }
        const std::size_t count = std::min(wanted - head_size_, bytes.size());
        std::copy_n(bytes.begin(), count, head_.begin() + head_size_);
        head_size_ = static_cast<std::uint8_t>(head_size_ + count);
        bytes = bytes.subspan(count);
    }
}

FrameReader::Event FrameReader::check_head() {
    const std::uint8_t first = to_number(head_[0]);
    const std::uint8_t second = to_number(head_[1]);
    if ((first & 0x70) != 0) {
        return fault(1002, "a frame uses an extension that was not agreed on");
    }
    if ((second & 0x80) == 0) {
        return fault(1002, "a frame is not masked");
    }
    is_final_ = (first & 0x80) != 0;
    opcode_ = static_cast<FrameOpcode>(first & 0x0f);
    payload_size_ = second & 0x7f;
    std::size_t at = 2;
    if (payload_size_ >= 126) {
        const std::size_t size = payload_size_ == 126 ? 2 : 8;
        payload_size_ = 0;
        for (std::size_t i = 0; i < size; ++i) {
            payload_size_ = payload_size_ << 8 | to_number(head_[at++]);
        }
        if (payload_size_ < (size == 2 ? 126U : 65'536U)) {
            return fault(1002, "a frame's length is not as short as possible");
        }
    }
    std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(at), 4, mask_.begin());
    payload_read_ = 0;

    switch (opcode_) {
    case FrameOpcode::close:
    case FrameOpcode::ping:
    case FrameOpcode::pong:
        if (!is_final_ || payload_size_ > control_bytes_max) {
            return fault(1002, "a control frame is too long or fragmented");
        }
        control_.clear();
        return {};
    case FrameOpcode::text:
    case FrameOpcode::binary:
        if (in_message_) {
            return fault(1002, "a message begins inside another");
        }
        in_message_ = true;
        message_opcode_ = opcode_;
        break;
    case FrameOpcode::continuation:
        if (!in_message_) {
            return fault(1002, "a frame continues no message");
        }
        break;
    default:
        return fault(1002, "a frame has an unknown opcode");
    }
    if (payload_size_ > message_bytes_max_ - std::min(message_bytes_max_, message_.size())) {
        return fault(1009, "the message is larger than the server takes");
    }
    return {};
}

FrameReader::Event FrameReader::take_payload(ByteView& bytes) {
    const auto count = static_cast<std::size_t>(
        std::min<std::uint64_t>(payload_size_ - payload_read_, bytes.size()));
    const bool is_control = opcode_ >= FrameOpcode::close;
    BinaryMessage& target = is_control ? control_ : message_;
    const std::size_t before = target.size();
    target.insert(target.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
        target[before + i] ^= mask_[(payload_read_ + i) & 3];
    }
    payload_read_ += count;
    bytes = bytes.subspan(count);
    return {};
}

FrameReader::Event FrameReader::finish_frame() {
    head_done_ = false;
    head_size_ = 0;
    Event event;
    switch (opcode_) {
    case FrameOpcode::close:
        event.kind = Kind::close;
        break;
    case FrameOpcode::ping:
        event.kind = Kind::ping;
        break;
    case FrameOpcode::pong:
        event.kind = Kind::pong;
        break;
    default:
        if (!is_final_) {
            return {};
        }
        in_message_ = false;
        event.kind = message_opcode_ == FrameOpcode::text ? Kind::text : Kind::binary;
        event.payload = std::move(message_);
        message_ = BinaryMessage();
        return event;
    }
    event.payload = std::move(control_);
    control_ = BinaryMessage();
    return event;
}

FrameHead::FrameHead(FrameOpcode opcode, std::size_t payload_bytes) noexcept {
    bytes_[0] = static_cast<std::byte>(0x80 | static_cast<unsigned>(opcode));
    if (payload_bytes < 126) {
        bytes_[1] = static_cast<std::byte>(payload_bytes);
        return;
    }
    const std::size_t length_bytes = payload_bytes < 65'536 ? 2 : 8;
    bytes_[1] = static_cast<std::byte>(length_bytes == 2 ? 126 : 127);
    for (std::size_t i = 0; i < length_bytes; ++i) {
        bytes_[2 + i] =
            static_cast<std::byte>(payload_bytes >> (8 * (length_bytes - 1 - i)) & 0xff);
    }
    size_ = 2 + length_bytes;
}

BinaryMessage close_payload(std::uint16_t code, std::string_view reason) {
    reason = reason.substr(0, control_bytes_max - 2);
    BinaryMessage payload{static_cast<std::byte>(code >> 8), static_cast<std::byte>(code & 0xff)};
    const ByteView text = as_bytes(reason);
    payload.insert(payload.end(), text.begin(), text.end());
    return payload;
}

std::string websocket_accept(std::string_view key) {
    // 16 bytes are 22 digits of base64 and two signs of padding.
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (key.size() != 24 || !key.ends_with("==") ||
        key.substr(0, 22).find_first_not_of(digits) != std::string_view::npos) {
        return {};
    }
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
        return {};
    }
    std::array<unsigned char, 64> encoded{};
    const int encoded_size = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
    return {encoded.begin(), encoded.begin() + encoded_size};
}

} // namespace tombolo::http
