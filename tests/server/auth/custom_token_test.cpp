#include "server/auth/custom_token.hpp"

#include <memory>

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "server/support/service.hpp"

namespace tombolo::auth {
namespace {

using server::make_jwt;

constexpr std::int64_t now = 1'700'000'000;
const std::string secret = "0123456789abcdefghijklmnopqrstuv";
const std::string good = R"({"aud":"app-abcde","exp":1700000100,"sub":"subject"})";

// A key pair with its public half as PEM.
class Issuer {
  public:
    static Issuer rsa() { return Issuer(::EVP_RSA_gen(2048), "RS256"); }
    static Issuer ec() { return Issuer(::EVP_EC_gen("P-256"), "ES256"); }

    const std::string& algorithm() const { return algorithm_; }
    std::string pem() const {
        const std::unique_ptr<BIO, int (*)(BIO*)> bio(::BIO_new(::BIO_s_mem()), ::BIO_free);
        ::PEM_write_bio_PUBKEY(bio.get(), key_.get());
        char* data = nullptr;
        const long size = ::BIO_get_mem_data(bio.get(), &data);
        return {data, static_cast<std::size_t>(size)};
    }
    std::string token(const std::string& claims) const {
        const std::string text = to_base64url(as_bytes(R"({"alg":")" + algorithm_ + "\"}")) + "." +
                                 to_base64url(as_bytes(claims));
        const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(::EVP_MD_CTX_new(),
                                                                         ::EVP_MD_CTX_free);
        ::EVP_DigestSignInit(context.get(), nullptr, ::EVP_sha256(), nullptr, key_.get());
        std::string signature(1024, '\0');
        std::size_t size = signature.size();
        ::EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                         reinterpret_cast<const unsigned char*>(text.data()), text.size());
        signature.resize(size);
        return text + "." +
               to_base64url(as_bytes(algorithm_ == "ES256" ? raw(signature) : signature));
    }

  private:
    Issuer(EVP_PKEY* key, std::string algorithm)
        : key_(key, ::EVP_PKEY_free), algorithm_(std::move(algorithm)) {}

    // JWTs carry r and s side by side, OpenSSL makes DER.
    static std::string raw(const std::string& der) {
        const auto* at = reinterpret_cast<const unsigned char*>(der.data());
        const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> parts(
            ::d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ::ECDSA_SIG_free);
        std::string out(64, '\0');
        auto* bytes = reinterpret_cast<unsigned char*>(out.data());
        ::BN_bn2binpad(::ECDSA_SIG_get0_r(parts.get()), bytes, 32);
        ::BN_bn2binpad(::ECDSA_SIG_get0_s(parts.get()), bytes + 32, 32);
        return out;
    }

    std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
    std::string algorithm_;
};

class CustomToken : public testing::Test {
  protected:
    CustomToken() { config_.signing_algorithm = "HS256"; }

    Result<ExternalIdentity> verify(const std::string& token) const {
        return verify_custom_token(token, config_, fields_, "app-abcde", keys_, now);
    }
    Result<ExternalIdentity> verify_claims(const std::string& claims) const {
        return verify(make_jwt(claims, secret));
    }

    server::CustomTokenConfig config_;
    std::vector<server::MetadataField> fields_;
    CustomTokenKeys keys_{{secret}, nullptr};
};

TEST_F(CustomToken, holds_with_any_of_the_configured_secrets) {
    keys_.keys = {"another-secret-of-enough-length-1234", secret};
    const auto identity = verify(make_jwt(good, secret));
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->subject, "subject");
    EXPECT_TRUE(identity->data.empty());
    keys_.keys.pop_back();
    EXPECT_FALSE(verify(make_jwt(good, secret)));
}

TEST_F(CustomToken, rs256_and_es256_hold_by_their_public_keys) {
    for (const Issuer& issuer : {Issuer::rsa(), Issuer::ec()}) {
        const std::string token = issuer.token(good);
        config_.signing_algorithm = issuer.algorithm();
        keys_.keys = {issuer.pem()};
        EXPECT_TRUE(verify(token)) << config_.signing_algorithm;
        const std::size_t payload = token.find('.') + 3;
        std::string changed = token;
        changed[payload] = changed[payload] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(verify(changed));
    }
}

TEST_F(CustomToken, public_key_never_passes_as_a_shared_secret) {
    const Issuer issuer = Issuer::rsa();
    config_.signing_algorithm = "RS256";
    keys_.keys = {issuer.pem()};
    EXPECT_FALSE(verify(make_jwt(good, issuer.pem(), R"({"alg":"HS256"})")));
    EXPECT_FALSE(verify(make_jwt(good, issuer.pem(), R"({"alg":"RS256"})")));
}

TEST_F(CustomToken, keys_of_another_type_than_the_algorithm_do_not_verify) {
    const Issuer rsa = Issuer::rsa();
    const Issuer ec = Issuer::ec();
    config_.signing_algorithm = "RS256";
    keys_.keys = {ec.pem(), "not a key", ""};
    EXPECT_FALSE(verify(rsa.token(good)));
    keys_.keys.push_back(rsa.pem());
    EXPECT_TRUE(verify(rsa.token(good)));
}

TEST_F(CustomToken, algorithm_must_be_the_configured_one) {
    for (const char* header : {R"({"alg":"none"})", R"({"alg":"HS512"})", R"({"alg":"hs256"})",
                               R"({"alg":["HS256"]})", "{}", "[]", "nothing"}) {
        EXPECT_FALSE(verify(make_jwt(good, secret, header))) << header;
    }
}

TEST_F(CustomToken, unknown_critical_extensions_are_refused) {
    EXPECT_FALSE(verify(make_jwt(good, secret, R"({"alg":"HS256","crit":["b64"],"b64":false})")));
}

TEST_F(CustomToken, expiry_and_not_before) {
    const auto with = [&](const std::string& times) {
        return verify_claims(R"({"aud":"app-abcde","sub":"s")" + times + "}").has_value();
    };
    EXPECT_TRUE(with(R"(,"exp":1700000001)"));
    EXPECT_TRUE(with(R"(,"exp":1700000001.5)"));
    EXPECT_FALSE(with(R"(,"exp":1700000000)"));
    EXPECT_FALSE(with(R"(,"exp":"1700000100")"));
    EXPECT_FALSE(with(R"(,"exp":null)"));
    EXPECT_FALSE(with(""));
    EXPECT_TRUE(with(R"(,"exp":1700000100,"nbf":1700000060)"));
    EXPECT_FALSE(with(R"(,"exp":1700000100,"nbf":1700000061)"));
    EXPECT_FALSE(with(R"(,"exp":1700000100,"nbf":"soon")"));
}

TEST_F(CustomToken, audience_is_the_app_or_all_or_any_of_the_configured) {
    const auto with = [&](const std::string& audience) {
        return verify_claims(R"({"exp":1700000100,"sub":"s","aud":)" + audience + "}").has_value();
    };
    EXPECT_TRUE(with(R"("app-abcde")"));
    EXPECT_TRUE(with(R"(["x","app-abcde"])"));
    EXPECT_FALSE(with(R"("app-abcd")"));
    EXPECT_FALSE(with(R"([])"));
    EXPECT_FALSE(with("null"));
    config_.audience = {"one", "two"};
    EXPECT_FALSE(with(R"("one")"));
    EXPECT_TRUE(with(R"(["two","one"])"));
    config_.require_any_audience = true;
    EXPECT_TRUE(with(R"("one")"));
    EXPECT_FALSE(with(R"("app-abcde")"));
}

TEST_F(CustomToken, metadata_is_mapped_by_path_and_bounded) {
    fields_ = {{true, {"user", "name"}, "name"}, {false, {"a.b"}, "ab"}, {false, {"no"}, "no"}};
    const std::string rest = R"(,"aud":"app-abcde","exp":1700000100,"sub":"s","extra":1})";
    const auto identity = verify_claims(R"({"user":{"name":"Ada"},"a.b":[1])" + rest);
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->data,
              (boost::json::object{{"name", "Ada"}, {"ab", boost::json::array{1}}}));
    for (const char* lacking : {R"({"user":{})", R"({"user":"Ada")", R"({"user":{"name":null})"}) {
        const auto refused = verify_claims(lacking + rest);
        ASSERT_FALSE(refused);
        EXPECT_NE(refused.error().message().find("'name'"), std::string::npos);
    }
    const std::string large(4097, 'x');
    EXPECT_FALSE(verify_claims(R"({"user":{"name":")" + large + "\"}" + rest));
    EXPECT_FALSE(verify_claims(R"({"user":{"name":["x)" + large + "\"]}" + rest));
}

TEST_F(CustomToken, subject_is_a_text_of_some_length) {
    for (const char* subject : {"\"\"", "1", "null", "{}"}) {
        EXPECT_FALSE(verify_claims(R"({"aud":"app-abcde","exp":1700000100,"sub":)" +
                                   std::string(subject) + "}"));
    }
}

TEST_F(CustomToken, garbage_is_refused) {
    for (const std::string& garbage :
         {std::string(), std::string(".."), std::string("a.b.c"), std::string("\0.\0.\0", 5),
          std::string(1'000'001, 'a'), make_jwt("[]", secret), make_jwt("", secret),
          make_jwt(good, secret) + ".x"}) {
        EXPECT_FALSE(verify(garbage));
    }
}

} // namespace
} // namespace tombolo::auth
