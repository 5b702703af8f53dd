#include "server/auth/key_sets.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tombolo::auth {

namespace {

constexpr std::int64_t fresh_ms = 5 * 60 * 1000;
constexpr std::int64_t early_fetch_ms = 10 * 1000;
constexpr std::int64_t stale_ms = std::int64_t{24} * 3600 * 1000;
constexpr std::size_t set_bytes_max = std::size_t{256} * 1024;
constexpr std::size_t urls_max = 1000;
constexpr long timeout_ms = 5000;

bool is_public(const sockaddr& address) noexcept {
    if (address.sa_family == AF_INET) {
        const std::uint32_t ip =
            ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr);
        const auto in = [ip](std::uint32_t network, int bits) {
            return (ip >> (32 - bits)) == (network >> (32 - bits));
        };
        return !(in(0x00000000, 8) || in(0x0a000000, 8) || in(0x64400000, 10) ||
                 in(0x7f000000, 8) || in(0xa9fe0000, 16) || in(0xac100000, 12) ||
                 in(0xc0000000, 24) || in(0xc0a80000, 16) || in(0xc6120000, 15) ||
                 in(0xe0000000, 3));
    }
    if (address.sa_family == AF_INET6) {
        // Global unicast only; what maps or tunnels IPv4 lies outside or is not needed.
        const auto& bytes = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr;
        const bool six_to_four = bytes[0] == 0x20 && bytes[1] == 0x02;
        return (bytes[0] & 0xe0) == 0x20 && !six_to_four;
    }
    return false;
}

// Judges the address after name resolution, so that no name can point inside (S-11).
curl_socket_t open_public_socket(void* /*state*/, curlsocktype /*purpose*/,
                                 curl_sockaddr* address) {
    if (!is_public(address->addr)) {
        return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t append_bounded(char* data, std::size_t size, std::size_t count, void* state) {
    auto& text = *static_cast<std::string*>(state);
    if (text.size() + size * count > set_bytes_max) {
        return 0; // makes curl fail
    }
    text.append(data, size * count);
    return size * count;
}

Result<std::string> download(const std::string& url, bool allow_private) {
    const std::unique_ptr<CURL, void (*)(CURL*)> curl(::curl_easy_init(), ::curl_easy_cleanup);
    std::string text;
    char problem[CURL_ERROR_SIZE] = "";
    ::curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
    ::curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, allow_private ? "http,https" : "https");
    ::curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
    ::curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);
    ::curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, timeout_ms);
    ::curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
    ::curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append_bounded);
    ::curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &text);
    ::curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, problem);
    if (!allow_private) {
        ::curl_easy_setopt(curl.get(), CURLOPT_OPENSOCKETFUNCTION, open_public_socket);
    }
    const CURLcode code = ::curl_easy_perform(curl.get());
    long status = 0;
    ::curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status != 200) {
        return Error(ErrorCode::unavailable, "the key set cannot be fetched",
                     problem[0] != '\0' ? problem : "HTTP status " + std::to_string(status));
    }
    return text;
}

} // namespace

class KeySets::Impl {
  public:
    Impl(KeySetOptions options, std::function<std::int64_t()> now_ms)
        : options_(options), now_ms_(std::move(now_ms)) {
        ::curl_global_init(CURL_GLOBAL_DEFAULT);
    }

    Result<std::string> fetch(const std::string& url, bool refetch) {
        const std::shared_ptr<Entry> entry = find(url);
        // One fetch of a URL at a time; others wait for its result.
        const std::lock_guard lock(entry->mutex);
        const std::int64_t now = now_ms_();
        const std::int64_t age = now - entry->fetched_ms;
        const bool wanted = entry->text.empty() || age > fresh_ms || refetch;
        if (wanted && now - entry->tried_ms >= early_fetch_ms) {
            entry->tried_ms = now;
            Result<std::string> fetched = download(url, options_.allow_private_addresses);
            if (fetched) {
                entry->text = *std::move(fetched);
                entry->fetched_ms = now;
            } else {
                entry->problem = fetched.error().what();
            }
        }
        if (!entry->text.empty() && now - entry->fetched_ms <= stale_ms) {
            return entry->text;
        }
        return Error(ErrorCode::unavailable, "the key set cannot be fetched", entry->problem);
    }

  private:
    struct Entry {
        std::mutex mutex;
        std::string text;
        std::string problem;
        std::int64_t fetched_ms = 0;
        std::int64_t tried_ms = -early_fetch_ms;
    };

    std::shared_ptr<Entry> find(const std::string& url) {
        const std::lock_guard lock(mutex_);
        if (entries_.size() >= urls_max && !entries_.contains(url)) {
            entries_.erase(entries_.begin());
        }
        auto& entry = entries_[url];
        if (!entry) {
            entry = std::make_shared<Entry>();
        }
        return entry;
    }

    const KeySetOptions options_;
    const std::function<std::int64_t()> now_ms_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Entry>> entries_; // guarded by mutex_
};

KeySets::KeySets(KeySetOptions options, std::function<std::int64_t()> now_ms)
    : impl_(std::make_unique<Impl>(options, std::move(now_ms))) {}
KeySets::~KeySets() = default;

Result<std::string> KeySets::fetch(const std::string& url, bool refetch) {
    return impl_->fetch(url, refetch);
}

} // namespace tombolo::auth
