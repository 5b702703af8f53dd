#pragma once

// A point in time: seconds and nanoseconds since 1970-01-01T00:00:00Z, no leap seconds.
//
// Invariant (database-and-sdk.md 1.3): the two parts do not have opposite signs and |nanoseconds| <
// 10^9, so that half a second before the epoch is (0, -500000000). Ordered by (seconds,
// nanoseconds).

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace tombolo {

class Timestamp {
  public:
    constexpr Timestamp() = default;

    /// bad_timestamp when the invariant does not hold.
    static Result<Timestamp> make(std::int64_t seconds, std::int32_t nanoseconds);

    static constexpr bool is_valid(std::int64_t seconds, std::int64_t nanoseconds) noexcept {
        return nanoseconds > -1'000'000'000 && nanoseconds < 1'000'000'000 &&
               !(seconds > 0 && nanoseconds < 0) && !(seconds < 0 && nanoseconds > 0);
    }

    /// Milliseconds since the epoch, as BSON dates hold them; exact.
    static Timestamp from_unix_ms(std::int64_t ms) noexcept;

    /// "2024-05-01T12:30:00.5Z" or with an offset as "+02:00", "+0200"; seconds and fraction may be
    /// missing, the zone not. Years 0001..9999. bad_timestamp otherwise.
    static Result<Timestamp> parse_iso_8601(std::string_view text);

    /// Truncated towards the past; saturates at the ends of int64.
    std::int64_t to_unix_ms() const noexcept;

    constexpr std::int64_t seconds() const noexcept { return seconds_; }
    constexpr std::int32_t nanoseconds() const noexcept { return nanoseconds_; }

    /// "2024-05-01T12:30:00.123456789Z"; years outside 0001..9999 print as
    /// "T<seconds>:<nanoseconds>", the query language's own form.
    std::string to_string() const;

    friend constexpr auto operator<=>(const Timestamp&, const Timestamp&) = default; // NOLINT

  private:
    constexpr Timestamp(std::int64_t seconds, std::int32_t nanoseconds) noexcept
        : seconds_(seconds), nanoseconds_(nanoseconds) {}

    std::int64_t seconds_ = 0;
    std::int32_t nanoseconds_ = 0;
};

} // namespace tombolo
