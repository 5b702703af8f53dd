#include "server/auth/tokens.hpp"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "server/support/service.hpp"

namespace tombolo::auth {
namespace {

using server::jwt_claims;
using server::make_jwt;

constexpr std::int64_t now = 1'700'000'000;

class TokensTest : public store::StoreTest {
  protected:
    void SetUp() override {
        store::StoreTest::SetUp();
        tokens_ = Tokens::open(*store_, sealer_, now).value();
        claims_.kind = TokenKind::access;
        claims_.user = ObjectId::parse("0123456789abcdef01234567").value();
        claims_.session = ObjectId::parse("1123456789abcdef01234567").value();
        claims_.app = ObjectId::parse("2123456789abcdef01234567").value();
        claims_.device_id = "3123456789abcdef01234567";
        claims_.issued_at = now;
        claims_.expires_at = now + access_token_seconds;
    }
    Tokens::Problem problem(const std::string& token) const {
        const Tokens::Verified verified = tokens_->verify(token, TokenKind::access, now);
        EXPECT_FALSE(verified.claims);
        return verified.problem;
    }

    server::Sealer sealer_{server::Sealer::Key{1, 2, 3}};
    std::unique_ptr<Tokens> tokens_;
    TokenClaims claims_;
};

TEST_F(TokensTest, issued_tokens_verify_to_the_same_claims) {
    for (const TokenKind kind : {TokenKind::access, TokenKind::refresh}) {
        claims_.kind = kind;
        const auto verified = tokens_->verify(tokens_->issue(claims_), kind, now);
        ASSERT_TRUE(verified.claims);
        EXPECT_EQ(verified.claims->user, claims_.user);
        EXPECT_EQ(verified.claims->session, claims_.session);
        EXPECT_EQ(verified.claims->app, claims_.app);
        EXPECT_EQ(verified.claims->device_id, claims_.device_id);
        EXPECT_EQ(verified.claims->expires_at, claims_.expires_at);
    }
}

TEST_F(TokensTest, old_tokens_hold_after_rotation_and_after_a_restart) {
    const std::string old = tokens_->issue(claims_);
    ASSERT_TRUE(tokens_->rotate(now + 10));
    const std::string fresh = tokens_->issue(claims_);
    EXPECT_NE(old.substr(0, old.find('.')), fresh.substr(0, fresh.find('.')));
    tokens_.reset();
    reopen();
    tokens_ = Tokens::open(*store_, sealer_, now + 20).value();
    EXPECT_EQ(tokens_->signing_key_made_at(), now + 10);
    for (const std::string& token : {old, fresh}) {
        EXPECT_TRUE(tokens_->verify(token, TokenKind::access, now + 20).claims);
    }
}

TEST_F(TokensTest, expired_and_other_kinds_are_told_apart) {
    const std::string token = tokens_->issue(claims_);
    EXPECT_TRUE(tokens_->verify(token, TokenKind::access, now + 1799).claims);
    EXPECT_EQ(tokens_->verify(token, TokenKind::access, now + 1800).problem,
              Tokens::Problem::expired);
    EXPECT_EQ(tokens_->verify(token, TokenKind::refresh, now).problem, Tokens::Problem::wrong_kind);
}

TEST_F(TokensTest, any_changed_character_breaks_the_token) {
    const std::string token = tokens_->issue(claims_);
    // The last character of a part has bits that decoding drops: those are left out.
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] == '.' || i + 1 == token.size() || token[i + 1] == '.') {
            continue;
        }
        std::string changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(tokens_->verify(changed, TokenKind::access, now).claims) << i;
    }
}

TEST_F(TokensTest, headers_cannot_choose_algorithm_or_key) {
    const std::string token = tokens_->issue(claims_);
    const std::string payload = boost::json::serialize(jwt_claims(token));
    EXPECT_EQ(problem(make_jwt(payload, "", R"({"alg":"none","kid":""})")),
              Tokens::Problem::malformed);
    EXPECT_EQ(problem(make_jwt(payload, "", R"({"alg":"HS256"})")), Tokens::Problem::bad_signature);
    EXPECT_EQ(problem(make_jwt(payload, "", R"({"alg":"HS256","kid":"../x"})")),
              Tokens::Problem::bad_signature);
    const std::string unsigned_token = token.substr(0, token.rfind('.') + 1);
    EXPECT_EQ(problem(unsigned_token), Tokens::Problem::bad_signature);
}

TEST_F(TokensTest, garbage_is_malformed) {
    for (const std::string& garbage :
         {std::string(), std::string("a"), std::string(".."), std::string("a.b.c"),
          std::string("a.b.c.d"), std::string(100'000, '.'), std::string(100'000, 'a')}) {
        EXPECT_EQ(problem(garbage), Tokens::Problem::malformed);
    }
}

TEST_F(TokensTest, another_master_key_is_a_clear_error) {
    const auto refused = Tokens::open(*store_, server::Sealer(server::Sealer::Key{9}), now);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("master key"), std::string::npos);
}

} // namespace
} // namespace tombolo::auth
