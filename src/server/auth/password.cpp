#include "server/auth/password.hpp"

#include <algorithm>
#include <future>

#include <sodium.h>

#include "core/check.hpp"
#include "server/runtime/worker_pool.hpp"

namespace tombolo::auth {

namespace {

// OWASP's second recommendation for Argon2id: 19 MiB, 2 passes, 1 lane.
constexpr unsigned long long passes = 2;
constexpr std::size_t memory_bytes = std::size_t{19} * 1024 * 1024;
constexpr std::size_t password_bytes_max = 1024;

// Runs Argon2id, and only that, at the lowest priority; the caller, who may hold what others need,
// keeps its own. REQUIRES: `work` does not throw.
void at_lowest_priority(const std::function<void()>& work) {
    static server::WorkerPool pool({"argon2", 1, 1024, true});
    std::promise<void> ended;
    const bool taken = pool.submit([&] {
        work();
        ended.set_value();
    });
    if (!taken) { // more callers at once than any server has threads
        work();
        return;
    }
    ended.get_future().wait();
}

std::string make_hash(std::string_view password) {
    std::string hash(crypto_pwhash_STRBYTES, '\0');
    int failed = 0;
    at_lowest_priority([&] {
        failed = ::crypto_pwhash_str_alg(hash.data(), password.data(), password.size(), passes,
                                         memory_bytes, crypto_pwhash_ALG_ARGON2ID13);
    });
    TOMBOLO_CHECK(failed == 0); // fails only without memory
    hash.resize(hash.find('\0'));
    return hash;
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

PasswordCheck check_password(std::string_view password, const std::string& hash) noexcept {
    int differs = 1;
    if (password.size() <= password_bytes_max) {
        at_lowest_priority([&] {
            differs = ::crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size());
        });
    }
    if (differs != 0) {
        return PasswordCheck::wrong;
    }
    return ::crypto_pwhash_str_needs_rehash(hash.c_str(), passes, memory_bytes) == 0
               ? PasswordCheck::right
               : PasswordCheck::right_but_outdated;
}

void check_no_password(std::string_view password) noexcept {
    static const std::string nobody = make_hash("nobody's password");
    static_cast<void>(check_password(password, nobody));
}

} // namespace tombolo::auth
