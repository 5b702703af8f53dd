#pragma once

// Input of the mql fuzz targets: two BSON documents, one after the other.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "mql/bson_value.hpp"
#include "mql/expression.hpp"

namespace tombolo::mql::fuzz {

inline std::optional<std::pair<BsonDocumentView, BsonDocumentView>>
two_documents(const std::uint8_t* data, std::size_t size) {
    std::int32_t first = 0;
    if (size < 10) {
        return std::nullopt;
    }
    std::memcpy(&first, data, sizeof first);
    if (first < 5 || static_cast<std::size_t>(first) > size) {
        return std::nullopt;
    }
    const ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
    const auto left = BsonDocumentView::validate(bytes.first(static_cast<std::size_t>(first)));
    const auto right = BsonDocumentView::validate(bytes.subspan(static_cast<std::size_t>(first)));
    if (!left || !right) {
        return std::nullopt;
    }
    return std::pair(*left, *right);
}

/// Bounds that keep one input short.
inline EvaluationInput small_evaluation() {
    EvaluationInput input;
    input.steps_max = 10'000;
    input.bytes_max = 1024 * 1024;
    return input;
}

} // namespace tombolo::mql::fuzz
