#include "server/auth/password.hpp"

#include <algorithm>
#include <chrono>

#include "core/check.hpp"
#include "server/auth/argon2.hpp"
#include "server/auth/patient_hasher.hpp"
#include "server/runtime/sealer.hpp"
#include "server/runtime/worker_pool.hpp"

namespace tombolo::auth {

namespace {

// OWASP's second recommendation for Argon2id: 19 MiB, 2 passes, 1 lane.
constexpr std::uint32_t passes = 2;
constexpr std::uint32_t memory_kib = 19 * 1024;
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t digest_bytes = 32;
constexpr std::size_t password_bytes_max = 1024;

// Longer than a hash takes behind all who wait on a machine that is not busy with other things.
constexpr std::chrono::seconds patience{2};

// Runs Argon2id, and only that, at the lowest priority; the caller, who may hold what others need,
// keeps its own.
std::string digest_of(std::string_view password, const Argon2Hash& hash) {
    static server::WorkerPool pool({"argon2", 1, 1024, true});
    static PatientHasher hasher(pool, std::size_t{memory_kib} * 1024, patience);
    return hasher.digest(password, hash);
}

std::string make_hash(std::string_view password) {
    Argon2Hash hash;
    hash.memory_kib = memory_kib;
    hash.passes = passes;
    hash.salt = server::random_bytes(salt_bytes);
    hash.digest.resize(digest_bytes);
    hash.digest = digest_of(password, hash);
    TOMBOLO_CHECK(!hash.digest.empty()); // fails only without memory
    return to_text(hash);
}

} // namespace

bool is_acceptable_password(std::string_view password) noexcept {
    const auto characters = std::count_if(password.begin(), password.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80; // not a UTF-8 continuation
    });
    return password.size() <= password_bytes_max && characters >= 6 && characters <= 128;
}

std::string hash_password(std::string_view password) {
    TOMBOLO_CHECK(is_acceptable_password(password));
    return make_hash(password);
}

PasswordCheck check_password(std::string_view password, const std::string& text) noexcept {
    const auto hash = parse_argon2(text);
    if (!hash || password.size() > password_bytes_max ||
        !server::constant_time_equal(digest_of(password, *hash), hash->digest)) {
        return PasswordCheck::wrong;
    }
    return hash->passes == passes && hash->memory_kib == memory_kib
               ? PasswordCheck::right
               : PasswordCheck::right_but_outdated;
}

void check_no_password(std::string_view password) noexcept {
    static const std::string nobody = make_hash("nobody's password");
    static_cast<void>(check_password(password, nobody));
}

} // namespace tombolo::auth
