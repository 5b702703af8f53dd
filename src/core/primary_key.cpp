#include "core/primary_key.hpp"

#include <functional>
#include <type_traits>

#include <fmt/format.h>

#include "core/bytes.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"

namespace tombolo {

PrimaryKey to_owned(const PrimaryKeyView& key) {
    return std::visit(
        [](const auto& part) -> PrimaryKey {
            if constexpr (std::is_same_v<std::decay_t<decltype(part)>, std::string_view>) {
                return std::string(part);
            } else {
                return part;
            }
        },
        key);
}

PrimaryKeyView to_view(const PrimaryKey& key) noexcept {
    return std::visit(
        [](const auto& part) -> PrimaryKeyView {
            if constexpr (std::is_same_v<std::decay_t<decltype(part)>, std::string>) {
                return std::string_view(part);
            } else {
                return part;
            }
        },
        key);
}

namespace {

struct KeyText {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(std::string_view value) const { return quoted(value); }
    std::string operator()(const ObjectId& value) const {
        return "ObjectID(\"" + value.to_string() + "\")";
    }
    std::string operator()(const Uuid& value) const { return "UUID(" + value.to_string() + ")"; }
    std::string operator()(const GlobalKey& value) const {
        return fmt::format("GlobalKey({:x}-{:x})", value.hi, value.lo);
    }
};

struct KeyHash {
    std::uint64_t operator()(std::monostate) const noexcept { return 1; }
    std::uint64_t operator()(std::int64_t value) const noexcept {
        return static_cast<std::uint64_t>(value);
    }
    std::uint64_t operator()(std::string_view value) const noexcept {
        return std::hash<std::string_view>{}(value);
    }
    std::uint64_t operator()(const ObjectId& value) const noexcept {
        return std::hash<std::string_view>{}(as_text(value.bytes));
    }
    std::uint64_t operator()(const Uuid& value) const noexcept {
        return std::hash<std::string_view>{}(as_text(value.bytes));
    }
    std::uint64_t operator()(const GlobalKey& value) const noexcept {
        return combine_hash(value.hi, value.lo);
    }
};

} // namespace

std::string to_text(const PrimaryKeyView& key) {
    return std::visit(KeyText{}, key);
}

std::size_t hash_value(const PrimaryKeyView& key) noexcept {
    return combine_hash(key.index(), std::visit(KeyHash{}, key));
}

} // namespace tombolo
