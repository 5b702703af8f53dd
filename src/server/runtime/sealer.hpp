#pragma once

// Seals secrets before they go into the Store: XSalsa20-Poly1305 under the server's master key,
// random nonce.
//
// The master key is 32 random bytes in a file of its own (mode 0600) or given by the operator; a
// backup of the store without it reveals no secret. Thread-safety: const members from any thread.

#include <array>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace tombolo::server {

class Sealer {
  public:
    using Key = std::array<unsigned char, 32>;

    explicit Sealer(const Key& key) : key_(key) {}
    /// The key in that file; made, with mode 0600, when the file is absent. io or invalid_argument
    /// names the file.
    static Result<Sealer> from_file(const std::string& path);
    /// 64 hex digits or base64 of 32 bytes.
    static Result<Sealer> from_text(std::string_view text);

    /// `purpose` is bound in: what was sealed for one purpose does not open for another.
    std::string seal(std::string_view purpose, std::string_view secret) const;
    /// invalid_argument when the key or purpose is another, or bytes were changed.
    Result<std::string> open(std::string_view purpose, std::string_view sealed) const;
    /// A name for a secret, 32 bytes: the same for the same one, and no help in guessing it.
    std::string fingerprint(std::string_view purpose, std::string_view secret) const;

  private:
    Key purpose_key(std::string_view purpose) const;

    Key key_;
};

/// Random bytes from the operating system.
std::string random_bytes(std::size_t count);
/// Letters and digits, about 5.95 bits each.
std::string random_text(std::size_t length);
/// SHA-256, 32 bytes.
std::string sha256(std::string_view text);
/// HMAC with SHA-256, 32 bytes.
std::string hmac_sha256(std::string_view secret, std::string_view text);
/// True when equal; the time tells nothing but the lengths.
bool constant_time_equal(std::string_view left, std::string_view right) noexcept;

} // namespace tombolo::server
