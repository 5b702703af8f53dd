#include "core/random.hpp"

#include <algorithm>
#include <bit>
#include <random>

#include "core/check.hpp"
#include "core/error.hpp"

namespace tombolo {

namespace {

/// Writes the number's bytes, least significant first, as many as fit.
void put(std::span<std::byte> out, std::uint64_t number) noexcept {
    for (std::byte& byte : out.first(std::min<std::size_t>(out.size(), sizeof number))) {
        byte = static_cast<std::byte>(number & 0xff);
        number >>= 8;
    }
}

} // namespace

std::uint64_t Random::next() {
    std::array<std::byte, 8> bytes{};
    fill(bytes);
    std::uint64_t number = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
        number = number << 8 | std::to_integer<std::uint64_t>(bytes[i]);
    }
    return number;
}

std::uint64_t Random::below(std::uint64_t bound) {
    TOMBOLO_CHECK(bound > 0);
    // Numbers in the incomplete last stretch would favour the small ones.
    const std::uint64_t unfair = (0 - bound) % bound;
    for (;;) {
        if (const std::uint64_t number = next(); number >= unfair) {
            return number % bound;
        }
    }
}

Uuid Random::uuid() {
    Uuid uuid;
    fill(uuid.bytes);
    uuid.bytes[6] = (uuid.bytes[6] & std::byte{0x0f}) | std::byte{0x40};
    uuid.bytes[8] = (uuid.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    return uuid;
}

void SystemRandom::fill(std::span<std::byte> out) {
    try {
        // libstdc++, libc++ and MSVC read the system's generator here.
        std::random_device device;
        while (!out.empty()) {
            put(out.first(std::min<std::size_t>(out.size(), 4)), device());
            out = out.subspan(std::min<std::size_t>(out.size(), 4));
        }
    } catch (const std::exception& failure) {
        throw Error(ErrorCode::io, "cannot read the system's random numbers", failure.what());
    }
}

SeededRandom::SeededRandom(std::uint64_t seed) noexcept : state_{} {
    for (std::uint64_t& word : state_) {
        seed += 0x9e3779b97f4a7c15;
        word = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9;
        word = (word ^ word >> 27) * 0x94d049bb133111eb;
        word ^= word >> 31;
    }
}

std::uint64_t SeededRandom::step() noexcept {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

void SeededRandom::fill(std::span<std::byte> out) {
    const MutexLock lock(mutex_);
    while (!out.empty()) {
        put(out, step());
        out = out.subspan(std::min<std::size_t>(out.size(), 8));
    }
}

ObjectIdGenerator::ObjectIdGenerator(Random& random)
    : random_(random.next()), counter_(static_cast<std::uint32_t>(random.next())) {}

ObjectId ObjectIdGenerator::next(std::uint32_t unix_seconds) {
    const MutexLock lock(mutex_);
    return ObjectId::from_parts(unix_seconds, random_, counter_++);
}

} // namespace tombolo
