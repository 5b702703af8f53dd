// Custom JWTs, Digest headers and configuration JSON from outside: whatever the bytes, an answer
// and no crash.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/api/admin/digest.hpp"
#include "server/auth/custom_token.hpp"
#include "server/runtime/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tombolo;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    server::CustomTokenConfig config;
    config.signing_algorithm = "HS256";
    auth::CustomTokenKeys keys;
    keys.keys.emplace_back("My_very_confidential_secretttttt");
    const auto verified = auth::verify_custom_token(text, config, {{true, {"a", "b"}, "b"}},
                                                    "app-abcde", keys, 1'700'000'000);
    static_cast<void>(verified);
    static_cast<void>(api::admin::parse_digest(text));
    if (const auto value = server::parse_json(text)) {
        static_cast<void>(server::pretty_json(*value));
    }
    return 0;
}
