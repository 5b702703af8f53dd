#pragma once

// Argon2id through libargon2, in the text form that all its implementations share (RFC 9106):
//
//   $argon2id$v=19$m=19456,t=2,p=1$<salt>$<digest>      base64 without padding
//
// Thread-safety: any thread. Slow by design.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tombolo::auth {

struct Argon2Hash {
    std::uint32_t memory_kib = 0;
    std::uint32_t passes = 0;
    std::uint32_t lanes = 1;
    std::string salt;   ///< 8 to 64 bytes
    std::string digest; ///< 16 to 64 bytes
};

/// Nothing when it is no such text, or asks for more than any hash of ours does.
std::optional<Argon2Hash> parse_argon2(std::string_view text);
std::string to_text(const Argon2Hash& hash);

/// What the password gives with these parameters and this salt, as long as `digest` is. Empty when
/// there is no memory for it.
std::string argon2_digest(std::string_view password, const Argon2Hash& hash);

/// Lets argon2_digest() on this thread work in memory that was taken once. Else it asks the system
/// for megabytes each time and gives them back, which locks the memory of the whole process; and a
/// thread at the lowest priority that is kept from running meanwhile keeps all others waiting.
class Argon2Memory {
  public:
    explicit Argon2Memory(std::size_t bytes);
    ~Argon2Memory();
    Argon2Memory(const Argon2Memory&) = delete;
    Argon2Memory& operator=(const Argon2Memory&) = delete;
};

} // namespace tombolo::auth
