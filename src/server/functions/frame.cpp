#include "server/functions/frame.hpp"

#include "core/bytes.hpp"

namespace tombolo::functions {

namespace {

void put_u32(std::string& out, std::size_t value) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
        out += static_cast<char>((value >> shift) & 0xFF);
    }
}

std::uint32_t read_u32(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i > 0; --i) {
        value = (value << 8) | static_cast<unsigned char>(bytes[at + i - 1]);
    }
    return value;
}

bool comes_from_worker(std::uint8_t kind) {
    return kind >= static_cast<std::uint8_t>(FrameKind::ready) &&
           kind <= static_cast<std::uint8_t>(FrameKind::failure);
}

} // namespace

std::string encode_frame(const Frame& frame) {
    std::string out;
    out.reserve(frame_start_bytes + frame.head.size() + frame.body.size());
    put_u32(out, frame_start_bytes - 4 + frame.head.size() + frame.body.size());
    out += static_cast<char>(frame.kind);
    put_u32(out, frame.id);
    put_u32(out, frame.head.size());
    out += frame.head;
    out += frame.body;
    return out;
}

Result<std::optional<Frame>> FrameReader::next() {
    const std::string_view bytes = std::string_view(buffer_).substr(read_);
    if (bytes.size() < frame_start_bytes) {
        return std::optional<Frame>();
    }
    const std::size_t size = std::size_t{4} + read_u32(bytes, 0);
    const auto kind = static_cast<std::uint8_t>(bytes[4]);
    const std::size_t head_size = read_u32(bytes, 9);
    if (size < frame_start_bytes || !comes_from_worker(kind) ||
        head_size > size - frame_start_bytes) {
        return Error(ErrorCode::invalid_argument, "not a frame");
    }
    if (size > frame_bytes_max_ || head_size > head_bytes_max_) {
        return Error(ErrorCode::limit_exceeded, "a frame is too long");
    }
    if (bytes.size() < size) {
        return std::optional<Frame>();
    }
    const std::string_view head = bytes.substr(frame_start_bytes, head_size);
    const std::string_view body =
        bytes.substr(frame_start_bytes + head_size, size - frame_start_bytes - head_size);
    if (!is_utf8(head) || !is_utf8(body)) {
        return Error(ErrorCode::invalid_argument, "a frame's text is not UTF-8");
    }
    Frame frame{static_cast<FrameKind>(kind), read_u32(bytes, 5), std::string(head),
                std::string(body)};
    read_ += size;
    if (read_ == buffer_.size()) {
        buffer_.clear();
        read_ = 0;
    }
    return std::optional<Frame>(std::move(frame));
}

} // namespace tombolo::functions
