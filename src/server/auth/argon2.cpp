#include "server/auth/argon2.hpp"

#include <argon2.h>
#include <sodium.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace tombolo::auth {

namespace {

constexpr std::string_view prefix = "$argon2id$v=19$";
constexpr std::uint32_t memory_kib_max = 1024 * 1024;
constexpr std::uint32_t passes_max = 64;
constexpr std::uint32_t lanes_max = 16;
constexpr std::size_t bytes_max = 64; ///< of salt and digest

// Of this thread, while it has an Argon2Memory.
struct Kept {
    std::uint8_t* memory = nullptr;
    std::size_t size = 0;
    bool used = false;
};
thread_local Kept kept;

int allocate(std::uint8_t** memory, std::size_t size) {
    if (!kept.used && size <= kept.size) {
        kept.used = true;
        *memory = kept.memory;
    } else {
        *memory = static_cast<std::uint8_t*>(std::malloc(size));
    }
    return *memory == nullptr ? ARGON2_MEMORY_ALLOCATION_ERROR : ARGON2_OK;
}

void release(std::uint8_t* memory, std::size_t /*size*/) {
    if (memory == kept.memory) {
        kept.used = false;
    } else {
        std::free(memory);
    }
}

// "m=19456" and what follows the separator; false when it is not there.
bool take_number(std::string_view& text, std::string_view name, char separator, std::uint32_t max,
                 std::uint32_t& out) {
    if (!text.starts_with(name)) {
        return false;
    }
    text.remove_prefix(name.size());
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end == text.data() + text.size() || *end != separator || out == 0 ||
        out > max) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    return true;
}

std::optional<std::string> from_base64(std::string_view text, std::size_t bytes_min) {
    std::string out(bytes_max, '\0');
    std::size_t size = 0;
    const char* end = nullptr;
    if (::sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(),
                            text.size(), nullptr, &size, &end,
                            sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0 ||
        end != text.data() + text.size() || size < bytes_min) {
        return std::nullopt;
    }
    out.resize(size);
    return out;
}

std::string to_base64(std::string_view bytes) {
    constexpr int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    std::string out(::sodium_base64_encoded_len(bytes.size(), variant), '\0');
    ::sodium_bin2base64(out.data(), out.size(),
                        reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                        variant);
    out.pop_back(); // its terminator
    return out;
}

std::uint8_t* raw(std::string& bytes) {
    return reinterpret_cast<std::uint8_t*>(bytes.data());
}

} // namespace

std::optional<Argon2Hash> parse_argon2(std::string_view text) {
    Argon2Hash hash;
    if (!text.starts_with(prefix)) {
        return std::nullopt;
    }
    text.remove_prefix(prefix.size());
    if (!take_number(text, "m=", ',', memory_kib_max, hash.memory_kib) ||
        !take_number(text, "t=", ',', passes_max, hash.passes) ||
        !take_number(text, "p=", '$', lanes_max, hash.lanes)) {
        return std::nullopt;
    }
    const std::size_t separator = text.find('$');
    if (separator == std::string_view::npos) {
        return std::nullopt;
    }
    auto salt = from_base64(text.substr(0, separator), 8);
    auto digest = from_base64(text.substr(separator + 1), 16);
    if (!salt || !digest) {
        return std::nullopt;
    }
    hash.salt = std::move(*salt);
    hash.digest = std::move(*digest);
    return hash;
}

std::string to_text(const Argon2Hash& hash) {
    return std::string(prefix) + "m=" + std::to_string(hash.memory_kib) +
           ",t=" + std::to_string(hash.passes) + ",p=" + std::to_string(hash.lanes) + "$" +
           to_base64(hash.salt) + "$" + to_base64(hash.digest);
}

std::string argon2_digest(std::string_view password, const Argon2Hash& hash) {
    std::string digest(hash.digest.size(), '\0');
    std::string key(password); // the interface wants them mutable
    std::string salt = hash.salt;
    argon2_context context{};
    context.out = raw(digest);
    context.outlen = static_cast<std::uint32_t>(digest.size());
    context.pwd = raw(key);
    context.pwdlen = static_cast<std::uint32_t>(key.size());
    context.salt = raw(salt);
    context.saltlen = static_cast<std::uint32_t>(salt.size());
    context.t_cost = hash.passes;
    context.m_cost = hash.memory_kib;
    context.lanes = hash.lanes;
    context.threads = 1;
    context.version = ARGON2_VERSION_13;
    context.allocate_cbk = allocate;
    context.free_cbk = release;
    context.flags = ARGON2_DEFAULT_FLAGS;
    const int result = ::argon2_ctx(&context, Argon2_id);
    ::sodium_memzero(key.data(), key.size());
    return result == ARGON2_OK ? digest : std::string();
}

Argon2Memory::Argon2Memory(std::size_t bytes) {
    if (kept.memory == nullptr) {
        kept.memory = static_cast<std::uint8_t*>(std::malloc(bytes));
    }
    if (kept.memory != nullptr) { // else each hash asks for its own
        kept.size = bytes;
        std::memset(kept.memory, 0, bytes);
    }
}

Argon2Memory::~Argon2Memory() {
    std::free(kept.memory);
    kept = {};
}

} // namespace tombolo::auth
