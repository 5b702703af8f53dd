#pragma once

// How GoogleTest and RapidCheck print our types when a test fails.

#include <ostream>

#include "core/value.hpp"

namespace tombolo {

inline void PrintTo(const Value& value, std::ostream* out) {
    *out << to_text(value);
}
// RapidCheck's own name.
inline void showValue(const Value& value, // NOLINT(readability-identifier-naming)
                      std::ostream& out) {
    out << to_text(value);
}

inline void showValue(const Decimal128& value, // NOLINT(readability-identifier-naming)
                      std::ostream& out) {
    const std::uint64_t words[] = {value.high, value.low};
    out << value.to_string() << " = 0x" << std::hex << words[0] << ":" << words[1] << std::dec;
}
inline void PrintTo(const Decimal128& value, std::ostream* out) {
    showValue(value, *out);
}

inline std::ostream& operator<<(std::ostream& out, const Value& value) {
    return out << to_text(value);
}
inline std::ostream& operator<<(std::ostream& out, const Decimal128& value) {
    showValue(value, out);
    return out;
}

} // namespace tombolo
