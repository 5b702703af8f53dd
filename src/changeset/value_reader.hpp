#pragma once

// Reads the primitives and values of changesets (changesets-and-merge.md 1.2, 1.3, 1.5, 1.6) from a
// range of bytes.
//
// Every read_ function moves on and returns true, or keeps the first failure (reason and place) and
// returns false. Nothing is allocated. Internal to the decoder; header-only because decoding speed
// depends on inlining.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "changeset/instruction.hpp"
#include "changeset/integer_codec.hpp"
#include "changeset/string_table.hpp"
#include "core/bytes.hpp"
#include "core/timestamp.hpp"

namespace tombolo::changeset {

class ValueReader {
  public:
    explicit ValueReader(ByteView bytes)
        : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  protected:
    bool fail(const std::byte* where, const char* reason) noexcept {
        failed_at_ = where;
        reason_ = reason;
        return false;
    }

    std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
    std::size_t offset() const noexcept { return static_cast<std::size_t>(at_ - begin_); }

    bool read_unsigned(unsigned value_bits, std::uint64_t& result) noexcept {
        if (at_ != end_ && std::to_integer<unsigned>(*at_) < 0x40) [[likely]] {
            result = std::to_integer<unsigned>(*at_++);
            return true;
        }
        UnsignedParts parts;
        const std::byte* start = at_;
        if (ReadFailure failure = read_parts(at_, end_, value_bits, parts)) {
            return fail(start, failure);
        }
        if (parts.negative) {
            return fail(start, "negative number in an unsigned field");
        }
        result = parts.magnitude;
        return true;
    }

    bool read_u32(std::uint32_t& result) noexcept {
        std::uint64_t value = 0;
        if (!read_unsigned(32, value)) {
            return false;
        }
        result = static_cast<std::uint32_t>(value);
        return true;
    }

    bool read_signed(unsigned value_bits, std::int64_t& result) noexcept {
        UnsignedParts parts;
        const std::byte* start = at_;
        if (ReadFailure failure = read_parts(at_, end_, value_bits, parts)) {
            return fail(start, failure);
        }
        result = join_sign(parts);
        return true;
    }

    bool read_bool(bool& result) noexcept {
        std::uint64_t value = 0;
        if (!read_unsigned(8, value)) {
            return false;
        }
        result = value != 0;
        return true;
    }

    bool read_type(PayloadType& result) noexcept {
        const std::byte* start = at_;
        std::int64_t value = 0;
        if (!read_signed(63, value)) {
            return false;
        }
        if (value < payload_type_min || value > payload_type_max) {
            return fail(start, "unknown type code");
        }
        result = static_cast<PayloadType>(value);
        return true;
    }

    /// A collection kind or table kind, at most `most`.
    bool read_kind(std::uint8_t& result, std::uint64_t most, const char* reason) noexcept {
        const std::byte* start = at_;
        std::uint64_t value = 0;
        if (!read_unsigned(8, value)) {
            return false;
        }
        if (value > most) {
            return fail(start, reason);
        }
        result = static_cast<std::uint8_t>(value);
        return true;
    }

    bool read_collection(std::uint8_t& result) noexcept {
        return read_kind(result, 3, "unknown collection kind");
    }

    bool read_text(TextRange& result, std::size_t size_max) noexcept {
        const std::byte* start = at_;
        std::uint64_t size = 0;
        if (!read_unsigned(64, size)) {
            return false;
        }
        if (size > left()) {
            return fail(start, "input ends inside a string");
        }
        if (size > size_max) {
            return fail(start, "string is longer than a database can hold");
        }
        result = {static_cast<std::uint32_t>(offset()), static_cast<std::uint32_t>(size)};
        at_ += size;
        return true;
    }

    template <std::size_t size>
    bool read_raw(Body& body) noexcept {
        if (left() < size) {
            return fail(at_, "input ends inside a value");
        }
        std::memcpy(body.words.data(), at_, size);
        at_ += size;
        return true;
    }

    template <class Bits>
    bool read_float(Body& body) noexcept {
        if (left() < sizeof(Bits)) {
            return fail(at_, "input ends inside a value");
        }
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < sizeof(Bits); ++i) {
            bits |= std::to_integer<std::uint64_t>(at_[i]) << (8 * i);
        }
        body.words[0] = bits;
        at_ += sizeof(Bits);
        return true;
    }

    bool read_decimal(Body& body) noexcept {
        const std::byte* start = at_;
        std::uint64_t high = 0;
        std::uint64_t low = 0;
        for (unsigned shift = 0;; shift += 7) {
            if (shift == 17 * 7) {
                return fail(start, "decimal coefficient is longer than 17 bytes");
            }
            if (at_ == end_) {
                return fail(start, "input ends inside a decimal");
            }
            auto byte = std::to_integer<std::uint64_t>(*at_++);
            std::uint64_t group = byte & 0x7F;
            if (shift < 64) {
                low |= group << shift;
                high |= shift > 57 ? group >> (64 - shift) : 0;
            } else {
                high |= group << (shift - 64);
            }
            if ((byte & 0x80) == 0) {
                break;
            }
        }
        if ((high >> 49) != 0) {
            return fail(start, "decimal coefficient has more than 113 bits");
        }
        start = at_;
        std::int64_t exponent = 0;
        bool negative = false;
        if (!read_signed(31, exponent)) {
            return false;
        }
        if (exponent < -6176 || exponent > 0x3FFF - 6176) {
            return fail(start, "decimal exponent out of range");
        }
        if (!read_bool(negative)) {
            return false;
        }
        body.words[0] = high | static_cast<std::uint64_t>(exponent + 6176) << 49 |
                        static_cast<std::uint64_t>(negative) << 63;
        body.words[1] = low;
        return true;
    }

    bool read_timestamp(Body& body) noexcept {
        const std::byte* start = at_;
        std::int64_t seconds = 0;
        std::int64_t nanoseconds = 0;
        if (!read_signed(63, seconds) || !read_signed(63, nanoseconds)) {
            return false;
        }
        if (!Timestamp::is_valid(seconds, nanoseconds)) {
            return fail(start, "seconds and nanoseconds that are no timestamp");
        }
        body = Body::of_integer(seconds);
        body.words[1] = std::bit_cast<std::uint64_t>(nanoseconds);
        return true;
    }

    bool read_text_payload(Body& body, std::size_t size_max) noexcept {
        TextRange text;
        if (!read_text(text, size_max)) {
            return false;
        }
        body.words = {text.offset, text.size};
        return true;
    }

    const std::byte* begin_;
    const std::byte* at_;
    const std::byte* end_;
    const std::byte* failed_at_ = nullptr;
    const char* reason_ = "";
};

} // namespace tombolo::changeset
