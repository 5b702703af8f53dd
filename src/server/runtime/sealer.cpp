#include "server/runtime/sealer.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include "core/bytes.hpp"
#include "core/check.hpp"

namespace tombolo::server {

namespace {

void ready() {
    static const bool initialized = ::sodium_init() >= 0;
    TOMBOLO_CHECK(initialized);
}

const unsigned char* raw(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* raw(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

Error file_error(const char* doing, const std::string& path) {
    return Error(ErrorCode::io,
                 std::string("cannot ") + doing + " the master key: " + std::strerror(errno), path);
}

} // namespace

Result<Sealer> Sealer::from_text(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
        text.remove_suffix(1);
    }
    auto bytes = text.size() == 64 ? from_hex(text) : from_base64(text);
    if (!bytes || bytes->size() != std::tuple_size_v<Key>) {
        return Error(ErrorCode::invalid_argument,
                     "a master key is 32 bytes, written as 64 hex digits or as base64");
    }
    Key key{};
    std::memcpy(key.data(), bytes->data(), key.size());
    return Sealer(key);
}

Result<Sealer> Sealer::from_file(const std::string& path) {
    ready();
    const int made = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (made >= 0) {
        const std::string key = random_bytes(std::tuple_size_v<Key>);
        const std::string text = to_hex(as_bytes(key)) + "\n";
        const bool written =
            ::write(made, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
            ::fsync(made) == 0;
        ::close(made);
        if (!written) {
            ::unlink(path.c_str());
            return file_error("write", path);
        }
        return from_text(text);
    }
    if (errno != EEXIST) {
        return file_error("make", path);
    }
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return file_error("read", path);
    }
    char buffer[256];
    const ssize_t count = ::read(file, buffer, sizeof buffer);
    ::close(file);
    if (count < 0) {
        return file_error("read", path);
    }
    Result<Sealer> sealer = from_text({buffer, static_cast<std::size_t>(count)});
    if (!sealer) {
        return sealer.error().within(path);
    }
    return sealer;
}

Sealer::Key Sealer::purpose_key(std::string_view purpose) const {
    Key key{};
    ::crypto_generichash(key.data(), key.size(), raw(purpose), purpose.size(), key_.data(),
                         key_.size());
    return key;
}

std::string Sealer::seal(std::string_view purpose, std::string_view secret) const {
    ready();
    std::string sealed = random_bytes(crypto_secretbox_NONCEBYTES);
    const std::string nonce = sealed;
    sealed.resize(nonce.size() + crypto_secretbox_MACBYTES + secret.size());
    const Key key = purpose_key(purpose);
    ::crypto_secretbox_easy(raw(sealed) + nonce.size(), raw(secret), secret.size(), raw(nonce),
                            key.data());
    return sealed;
}

std::string Sealer::fingerprint(std::string_view purpose, std::string_view secret) const {
    ready();
    const Key key = purpose_key(purpose);
    std::string out(32, '\0');
    ::crypto_generichash(raw(out), out.size(), raw(secret), secret.size(), key.data(), key.size());
    return out;
}

Result<std::string> Sealer::open(std::string_view purpose, std::string_view sealed) const {
    ready();
    constexpr std::size_t nonce_size = crypto_secretbox_NONCEBYTES;
    if (sealed.size() >= nonce_size + crypto_secretbox_MACBYTES) {
        std::string secret(sealed.size() - nonce_size - crypto_secretbox_MACBYTES, '\0');
        const Key key = purpose_key(purpose);
        if (::crypto_secretbox_open_easy(raw(secret), raw(sealed) + nonce_size,
                                         sealed.size() - nonce_size, raw(sealed),
                                         key.data()) == 0) {
            return secret;
        }
    }
    return Error(ErrorCode::invalid_argument,
                 "a sealed secret does not open: the master key is not the one it was sealed with, "
                 "or the bytes were changed",
                 std::string(purpose));
}

std::string random_bytes(std::size_t count) {
    ready();
    std::string bytes(count, '\0');
    ::randombytes_buf(bytes.data(), bytes.size());
    return bytes;
}

std::string random_text(std::size_t length) {
    ready();
    static constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::string text(length, '\0');
    for (char& c : text) {
        c = alphabet[::randombytes_uniform(static_cast<std::uint32_t>(alphabet.size()))];
    }
    return text;
}

std::string sha256(std::string_view text) {
    std::string hash(crypto_hash_sha256_BYTES, '\0');
    ::crypto_hash_sha256(raw(hash), raw(text), text.size());
    return hash;
}

std::string hmac_sha256(std::string_view secret, std::string_view text) {
    ready();
    std::string out(crypto_auth_hmacsha256_BYTES, '\0');
    crypto_auth_hmacsha256_state state;
    ::crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(secret.data()),
                                  secret.size());
    ::crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()),
                                    text.size());
    ::crypto_auth_hmacsha256_final(&state, reinterpret_cast<unsigned char*>(out.data()));
    return out;
}

bool constant_time_equal(std::string_view left, std::string_view right) noexcept {
    return left.size() == right.size() &&
           ::sodium_memcmp(left.data(), right.data(), left.size()) == 0;
}

} // namespace tombolo::server
