#include "server/auth/throttle.hpp"

#include <algorithm>

namespace tombolo::auth {

Throttle::Entry& Throttle::entry(const std::string& key, std::int64_t now_ms) {
    const auto found = entries_.find(key);
    if (found != entries_.end()) {
        by_use_.splice(by_use_.begin(), by_use_, found->second.position);
        return found->second;
    }
    if (entries_.size() >= options_.entries_max) {
        entries_.erase(by_use_.back());
        by_use_.pop_back();
    }
    by_use_.push_front(key);
    Entry fresh;
    fresh.tokens = options_.burst;
    fresh.seen_ms = now_ms;
    fresh.position = by_use_.begin();
    return entries_.emplace(key, fresh).first->second;
}

bool Throttle::allow_request(const std::string& address, std::int64_t now_ms) {
    if (options_.requests_per_minute == 0) {
        return true;
    }
    const std::lock_guard lock(mutex_);
    Entry& one = entry("address " + address, now_ms);
    // The clock may be set back: that must not cost an address anything.
    const auto gained = static_cast<double>(std::max<std::int64_t>(0, now_ms - one.seen_ms)) *
                        static_cast<double>(options_.requests_per_minute) / 60'000.0;
    one.tokens = std::min(static_cast<double>(options_.burst), one.tokens + gained);
    one.seen_ms = now_ms;
    if (one.tokens < 1) {
        return false;
    }
    one.tokens -= 1;
    return true;
}

std::int64_t Throttle::wait_ms(const std::string& account, std::int64_t now_ms) {
    const std::lock_guard lock(mutex_);
    const std::int64_t wait = entry("account " + account, now_ms).wait_until_ms - now_ms;
    return std::clamp<std::int64_t>(wait, 0, options_.wait_ms_max);
}

void Throttle::failed(const std::string& account, std::int64_t now_ms) {
    const std::lock_guard lock(mutex_);
    Entry& one = entry("account " + account, now_ms);
    ++one.failures;
    if (one.failures > options_.free_failures) {
        const unsigned doublings = std::min(one.failures - options_.free_failures - 1, 20U);
        one.wait_until_ms =
            now_ms + std::min(options_.wait_ms_max, std::int64_t{1000} << doublings);
    }
}

void Throttle::succeeded(const std::string& account) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find("account " + account);
    if (found != entries_.end()) {
        found->second.failures = 0;
        found->second.wait_until_ms = 0;
    }
}

} // namespace tombolo::auth
