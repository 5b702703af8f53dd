#pragma once

// Who is asked to wait: too many requests from one address, or too many failed sign-ins to one
// account (client-http-api.md S-5, S-6). Kept in memory, bounded; unknown accounts are treated like
// known ones.
//
// Thread-safety: all members from any thread.

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

namespace tombolo::auth {

struct ThrottleOptions {
    /// Sustained requests a minute from one address to sign-in, registration and the like; 0: no
    /// limit.
    unsigned requests_per_minute = 600;
    unsigned burst = 200;
    /// Failures of one account before it has to wait: then 1 s, doubling with each further failure.
    unsigned free_failures = 5;
    std::int64_t wait_ms_max = 15 * 60 * 1000;
    /// Addresses and accounts remembered; the longest unused are forgotten.
    std::size_t entries_max = 100'000;
};

class Throttle {
  public:
    explicit Throttle(ThrottleOptions options) : options_(options) {}

    /// True when the address may make another request now.
    bool allow_request(const std::string& address, std::int64_t now_ms);
    /// Milliseconds until the account may try again; 0: now.
    std::int64_t wait_ms(const std::string& account, std::int64_t now_ms);
    void failed(const std::string& account, std::int64_t now_ms);
    /// Signed in, or the password was reset.
    void succeeded(const std::string& account);

  private:
    struct Entry {
        double tokens = 0;
        std::int64_t seen_ms = 0;
        unsigned failures = 0;
        std::int64_t wait_until_ms = 0;
        std::list<std::string>::iterator position;
    };
    Entry& entry(const std::string& key, std::int64_t now_ms);

    const ThrottleOptions options_;
    std::mutex mutex_;
    std::unordered_map<std::string, Entry> entries_; // guarded by mutex_
    std::list<std::string> by_use_;                  // guarded by mutex_; most recent first
};

} // namespace tombolo::auth
