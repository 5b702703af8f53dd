#pragma once

// Password hashing: Argon2id with its parameters inside the hash (client-http-api.md S-1).
//
// Slow by design (about 20 ms; 19 MiB, which one thread of the lowest priority keeps from the first
// hash on): call it on the password pool. Thread-safety: any thread.

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace tombolo::auth {

/// 6 to 128 characters (client-http-api.md 4.2); at most 1 KiB.
bool is_acceptable_password(std::string_view password) noexcept;

/// REQUIRES: is_acceptable_password(password).
std::string hash_password(std::string_view password);

enum class PasswordCheck : std::uint8_t {
    wrong,
    right,
    right_but_outdated, ///< hash it again: the parameters have risen since
};
PasswordCheck check_password(std::string_view password, const std::string& text) noexcept;

/// Takes the time of check_password and never matches: for users that do not exist (S-4).
void check_no_password(std::string_view password) noexcept;

} // namespace tombolo::auth
