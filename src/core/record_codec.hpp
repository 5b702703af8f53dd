#pragma once

// The primitives of stored records: varints and length-prefixed bytes, in one small writer
// and reader. A reader that meets anything unexpected says `corrupt` once, at the end.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"

namespace tombolo {

class RecordWriter {
  public:
    RecordWriter& number(std::uint64_t value) {
        while (value >= 0x80) {
            text_.push_back(static_cast<char>(value | 0x80));
            value >>= 7;
        }
        text_.push_back(static_cast<char>(value));
        return *this;
    }
    RecordWriter& text(std::string_view bytes) {
        number(bytes.size());
        text_.append(bytes);
        return *this;
    }
    RecordWriter& bytes(ByteView bytes) { return text(as_text(bytes)); }

    std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

class RecordReader {
  public:
    explicit RecordReader(std::string_view record) noexcept : rest_(record) {}

    std::uint64_t number() noexcept {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (rest_.empty()) {
                break;
            }
            const auto byte = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
            if (byte < 0x80) {
                return value;
            }
        }
        return fail();
    }
    /// Borrows the record.
    std::string_view text() noexcept {
        const std::uint64_t size = number();
        if (size > rest_.size()) {
            fail();
            return {};
        }
        const std::string_view result = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return result;
    }
    std::vector<std::byte> bytes() {
        const ByteView view = as_bytes(text());
        return {view.begin(), view.end()};
    }
    bool at_end() const noexcept { return rest_.empty(); }
    bool failed() const noexcept { return failed_; }

    /// store_corrupt when something was missing or is left over.
    Result<void> finish(std::string_view what) const {
        if (failed_ || !rest_.empty()) {
            return Error(ErrorCode::store_corrupt, "a record cannot be read", std::string(what));
        }
        return {};
    }

  private:
    std::uint64_t fail() noexcept {
        failed_ = true;
        rest_ = {};
        return 0;
    }

    std::string_view rest_;
    bool failed_ = false;
};

} // namespace tombolo
