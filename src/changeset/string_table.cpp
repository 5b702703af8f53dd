#include "changeset/string_table.hpp"

#include <cstring>
#include <random>

namespace tombolo::changeset {

namespace {

constexpr std::uint64_t multiplier_1 = 0x9E3779B97F4A7C15;
constexpr std::uint64_t multiplier_2 = 0xD6E8FEB86659FD93;

/// Both halves of the 128-bit product, folded.
std::uint64_t fold(std::uint64_t left, std::uint64_t right) noexcept {
    __extension__ using Wide = unsigned __int128;
    Wide product = static_cast<Wide>(left) * right;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t process_key() noexcept {
    static const std::uint64_t key = [] {
        std::random_device device;
        return (std::uint64_t{device()} << 32) | device();
    }();
    return key;
}

std::uint64_t load(const char* from, std::size_t size) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, from, size);
    return word;
}

} // namespace

std::uint64_t keyed_hash(std::string_view text) noexcept {
    std::uint64_t key = process_key();
    std::uint64_t state = key ^ (text.size() * multiplier_1);
    const char* from = text.data();
    std::size_t left = text.size();
    while (left > 8) {
        state = fold(state ^ load(from, 8), multiplier_2 ^ key);
        from += 8;
        left -= 8;
    }
    if (left != 0) {
        state = fold(state ^ load(from, left), multiplier_2 ^ key);
    }
    return fold(state ^ multiplier_1, key | 1);
}

std::uint64_t keyed_hash(std::uint64_t number) noexcept {
    std::uint64_t key = process_key();
    return fold(number ^ key, multiplier_1 ^ (key << 1));
}

std::optional<StringId> StringTable::find(std::string_view text,
                                          const std::byte* buffer) const noexcept {
    if (slots_.empty()) {
        return std::nullopt;
    }
    auto tag = static_cast<std::uint32_t>(keyed_hash(text) >> 32);
    const Slot& slot = slots_[probe(text, tag, buffer)];
    if (slot.id_plus_1 == 0) {
        return std::nullopt;
    }
    return StringId{slot.id_plus_1 - 1};
}

bool StringTable::add(TextRange place, const std::byte* buffer) {
    if ((ranges_.size() + 1) * 3 > slots_.size() * 2) {
        rehash(slots_.empty() ? 16 : slots_.size() * 2);
    }
    std::string_view text(reinterpret_cast<const char*>(buffer) + place.offset, place.size);
    auto tag = static_cast<std::uint32_t>(keyed_hash(text) >> 32);
    Slot& slot = slots_[probe(text, tag, buffer)];
    if (slot.id_plus_1 != 0) {
        return false;
    }
    ranges_.push_back(place);
    slot = {tag, static_cast<std::uint32_t>(ranges_.size())};
    return true;
}

void StringTable::reserve(std::size_t count) {
    ranges_.reserve(count);
    std::size_t slot_count = 16;
    while (count * 3 > slot_count * 2) {
        slot_count *= 2;
    }
    if (slot_count > slots_.size()) {
        rehash(slot_count);
    }
}

std::size_t StringTable::probe(std::string_view text, std::uint32_t tag,
                               const std::byte* buffer) const noexcept {
    std::size_t mask = slots_.size() - 1;
    for (std::size_t at = tag & mask;; at = (at + 1) & mask) {
        const Slot& slot = slots_[at];
        if (slot.id_plus_1 == 0 ||
            (slot.tag == tag && this->text(StringId{slot.id_plus_1 - 1}, buffer) == text)) {
            return at;
        }
    }
}

void StringTable::rehash(std::size_t slot_count) {
    std::vector<Slot> old(slot_count);
    old.swap(slots_);
    std::size_t mask = slot_count - 1;
    for (const Slot& slot : old) {
        if (slot.id_plus_1 == 0) {
            continue;
        }
        std::size_t at = slot.tag & mask;
        while (slots_[at].id_plus_1 != 0) {
            at = (at + 1) & mask;
        }
        slots_[at] = slot;
    }
}

} // namespace tombolo::changeset
