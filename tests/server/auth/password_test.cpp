#include "server/auth/password.hpp"

#include <gtest/gtest.h>
#include <sodium.h>

namespace tombolo::auth {
namespace {

TEST(Password, right_one_matches_and_others_do_not) {
    const std::string hash = hash_password("correct horse");
    EXPECT_TRUE(hash.starts_with("$argon2id$"));
    EXPECT_EQ(check_password("correct horse", hash), PasswordCheck::right);
    for (const char* wrong : {"correct hors", "correct horse ", "", "Correct horse"}) {
        EXPECT_EQ(check_password(wrong, hash), PasswordCheck::wrong);
    }
}

TEST(Password, each_hash_has_its_own_salt) {
    EXPECT_NE(hash_password("correct horse"), hash_password("correct horse"));
}

TEST(Password, weaker_parameters_are_outdated) {
    std::string hash(crypto_pwhash_STRBYTES, '\0');
    ASSERT_EQ(::crypto_pwhash_str(hash.data(), "secret", 6, crypto_pwhash_OPSLIMIT_MIN,
                                  crypto_pwhash_MEMLIMIT_MIN),
              0);
    hash.resize(hash.find('\0'));
    EXPECT_EQ(check_password("secret", hash), PasswordCheck::right_but_outdated);
    EXPECT_EQ(check_password("other", hash), PasswordCheck::wrong);
}

TEST(Password, length_counts_characters_not_bytes) {
    EXPECT_FALSE(is_acceptable_password("12345"));
    EXPECT_TRUE(is_acceptable_password("123456"));
    EXPECT_TRUE(is_acceptable_password(std::string(128, 'x')));
    EXPECT_FALSE(is_acceptable_password(std::string(129, 'x')));
    std::string umlauts;
    for (int i = 0; i < 128; ++i) {
        umlauts += "\xc3\xa4";
    }
    EXPECT_TRUE(is_acceptable_password(umlauts));
    EXPECT_FALSE(is_acceptable_password("\xc3\xa4\xc3\xa4\xc3\xa4"));
    EXPECT_FALSE(is_acceptable_password(std::string(2000, '\x80')));
}

TEST(Password, broken_hashes_match_nothing) {
    for (const char* hash : {"", "$argon2id$", "plain"}) {
        EXPECT_EQ(check_password("plain", hash), PasswordCheck::wrong);
    }
}

} // namespace
} // namespace tombolo::auth
