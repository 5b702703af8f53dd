#include "server/api/admin/digest.hpp"

#include <array>
#include <charconv>

#include <openssl/evp.h>

#include "core/bytes.hpp"
#include "core/check.hpp"

namespace tombolo::api::admin {

namespace {

constexpr std::string_view digest_realm = "MMS Public API"; // what cloud clients were told
constexpr std::size_t header_bytes_max = 4096;
constexpr std::size_t nonces_max = 4096;
constexpr std::int64_t nonce_ms = 60'000;
constexpr std::size_t stamp_digits = 16;  // of Unix ms
constexpr std::size_t random_digits = 16; // so that two of one millisecond differ
constexpr std::size_t mark_digits = 32;

std::string md5_hex(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    TOMBOLO_CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) ==
                  1);
    return to_hex(std::as_bytes(std::span(digest.data(), size)));
}

std::string joined(std::initializer_list<std::string_view> parts) {
    std::string out;
    for (const std::string_view part : parts) {
        out += out.empty() ? "" : ":";
        out += part;
    }
    return out;
}

bool is_space(char c) {
    return c == ' ' || c == '\t';
}

void skip(std::string_view& text, bool commas) {
    while (!text.empty() && (is_space(text.front()) || (commas && text.front() == ','))) {
        text.remove_prefix(1);
    }
}

// A token or a quoted string; false when a quote is never closed.
bool read_value(std::string_view& text, std::string& out) {
    if (text.empty() || text.front() != '"') {
        while (!text.empty() && text.front() != ',' && !is_space(text.front())) {
            out += text.front();
            text.remove_prefix(1);
        }
        return true;
    }
    text.remove_prefix(1);
    while (!text.empty() && text.front() != '"') {
        if (text.front() == '\\' && text.size() > 1) {
            text.remove_prefix(1);
        }
        out += text.front();
        text.remove_prefix(1);
    }
    if (text.empty()) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return out;
}

std::string* member_of(DigestCredentials& out, const std::string& name) {
    return name == "username"    ? &out.username
           : name == "realm"     ? &out.realm
           : name == "nonce"     ? &out.nonce
           : name == "uri"       ? &out.uri
           : name == "response"  ? &out.response
           : name == "qop"       ? &out.qop
           : name == "nc"        ? &out.count
           : name == "cnonce"    ? &out.client_nonce
           : name == "algorithm" ? &out.algorithm
                                 : nullptr;
}

// Whether the client signed the request that came.
bool is_uri_of(const http::Request& request, std::string_view uri) {
    const std::size_t question = uri.find('?');
    std::string path;
    return http::percent_decode(uri.substr(0, question), false, path) && path == request.path &&
           (question == std::string_view::npos ? std::string_view() : uri.substr(question + 1)) ==
               request.query;
}

std::string hex_of(std::uint64_t value) {
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) {
        bytes += static_cast<char>(value >> shift & 0xffU);
    }
    return to_hex(as_bytes(bytes));
}

} // namespace

std::optional<DigestCredentials> parse_digest(std::string_view header) {
    constexpr std::string_view scheme = "digest ";
    if (header.size() > header_bytes_max || lower(header.substr(0, scheme.size())) != scheme) {
        return std::nullopt;
    }
    std::string_view rest = header.substr(scheme.size());
    DigestCredentials out;
    for (skip(rest, true); !rest.empty(); skip(rest, true)) {
        const std::size_t equals = rest.find('=');
        if (equals == std::string_view::npos) {
            return std::nullopt;
        }
        std::string name = lower(rest.substr(0, equals));
        while (!name.empty() && is_space(name.back())) {
            name.pop_back();
        }
        rest.remove_prefix(equals + 1);
        skip(rest, false);
        std::string value;
        if (!read_value(rest, value)) {
            return std::nullopt;
        }
        if (std::string* member = member_of(out, name)) {
            if (!member->empty()) {
                return std::nullopt;
            }
            *member = std::move(value);
        }
    }
    return out;
}

std::string digest_secret(std::string_view name, std::string_view secret) {
    return md5_hex(joined({name, digest_realm, secret}));
}

std::string DigestGate::signature(std::string_view text) const {
    return to_hex(as_bytes(sealer_.fingerprint("digest-nonce", text))).substr(0, mark_digits);
}

std::string DigestGate::challenge(std::int64_t now_ms, bool stale) const {
    std::string nonce = hex_of(static_cast<std::uint64_t>(now_ms)) +
                        to_hex(as_bytes(server::random_bytes(random_digits / 2)));
    nonce += signature(nonce);
    return "Digest realm=\"" + std::string(digest_realm) + R"(", domain="", nonce=")" + nonce +
           R"(", algorithm=MD5, qop="auth", stale=)" + (stale ? "true" : "false");
}

bool DigestGate::is_ours(std::string_view nonce, std::int64_t now_ms, bool& expired) const {
    constexpr std::size_t signed_digits = stamp_digits + random_digits;
    if (nonce.size() != signed_digits + mark_digits ||
        !server::constant_time_equal(signature(nonce.substr(0, signed_digits)),
                                     nonce.substr(signed_digits))) {
        return false;
    }
    std::uint64_t made = 0;
    std::from_chars(nonce.data(), nonce.data() + stamp_digits, made, 16);
    const std::int64_t age = now_ms - static_cast<std::int64_t>(made);
    expired = age < 0 || age > nonce_ms;
    return true;
}

bool DigestGate::count_is_new(const DigestCredentials& given, std::int64_t now_ms) {
    std::uint32_t count = 0;
    const char* end = given.count.data() + given.count.size();
    const auto parsed = std::from_chars(given.count.data(), end, count, 16);
    if (parsed.ec != std::errc() || parsed.ptr != end || count == 0) {
        return false;
    }
    const std::lock_guard lock(mutex_);
    if (used_.size() >= nonces_max) {
        for (auto use = used_.begin(); use != used_.end();) {
            use = now_ms - use->second.seen_ms > nonce_ms ? used_.erase(use) : std::next(use);
        }
        if (used_.size() >= nonces_max) {
            return false;
        }
    }
    Use& use = used_[given.nonce];
    if (count <= use.count) {
        return false;
    }
    use = {count, now_ms};
    return true;
}

DigestGate::Outcome DigestGate::check(const DigestCredentials& given, const http::Request& request,
                                      std::string_view kept, std::int64_t now_ms) {
    bool expired = false;
    const bool understood = given.realm == digest_realm && lower(given.qop) == "auth" &&
                            (given.algorithm.empty() || lower(given.algorithm) == "md5") &&
                            !given.client_nonce.empty() && is_uri_of(request, given.uri) &&
                            is_ours(given.nonce, now_ms, expired);
    if (!understood) {
        return Outcome::wrong;
    }
    const std::string what = md5_hex(joined({http::method_name(request.method), given.uri}));
    const std::string expected =
        md5_hex(joined({kept, given.nonce, given.count, given.client_nonce, given.qop, what}));
    if (!server::constant_time_equal(expected, lower(given.response))) {
        return Outcome::wrong;
    }
    return !expired && count_is_new(given, now_ms) ? Outcome::good : Outcome::stale;
}

} // namespace tombolo::api::admin
