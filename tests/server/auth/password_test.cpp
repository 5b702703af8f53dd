#include "server/auth/password.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sodium.h>

#include "server/auth/argon2.hpp"
#include "server/auth/patient_hasher.hpp"

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

TEST(Password, hashes_are_those_of_other_implementations) {
    const std::string hash = hash_password("correct horse");
    EXPECT_EQ(::crypto_pwhash_str_verify(hash.c_str(), "correct horse", 13), 0);
    EXPECT_NE(::crypto_pwhash_str_verify(hash.c_str(), "correct hors", 12), 0);
    std::string theirs(crypto_pwhash_STRBYTES, '\0');
    ASSERT_EQ(::crypto_pwhash_str_alg(theirs.data(), "correct horse", 13, 2, 19 * 1024 * 1024,
                                      crypto_pwhash_ALG_ARGON2ID13),
              0);
    theirs.resize(theirs.find('\0'));
    EXPECT_EQ(check_password("correct horse", theirs), PasswordCheck::right);
    EXPECT_EQ(check_password("another horse", theirs), PasswordCheck::wrong);
}

TEST(Password, whoever_waits_for_a_thread_that_gets_no_time_computes_the_hash_himself) {
    server::WorkerPool pool({"starved", 1, 16, false});
    std::promise<void> time;
    ASSERT_TRUE(pool.submit([got = time.get_future().share()] { got.wait(); }));
    Argon2Hash hash;
    hash.memory_kib = 64;
    hash.passes = 1;
    hash.salt = "0123456789abcdef";
    hash.digest.resize(32);
    PatientHasher hasher(pool, std::size_t{64} * 1024, std::chrono::milliseconds(1));
    const std::string digest = hasher.digest("correct horse", hash);
    EXPECT_EQ(digest, argon2_digest("correct horse", hash));
    time.set_value();
    PatientHasher calm(pool, std::size_t{64} * 1024, std::chrono::hours(1));
    EXPECT_EQ(calm.digest("correct horse", hash), digest);
}

TEST(Password, hashes_made_at_once_are_right) {
    std::vector<std::thread> threads;
    std::array<bool, 6> right{};
    for (std::size_t i = 0; i < right.size(); ++i) {
        threads.emplace_back([&right, i] {
            const std::string password = "password of " + std::to_string(i);
            right[i] = check_password(password, hash_password(password)) == PasswordCheck::right;
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(std::count(right.begin(), right.end(), true), 6);
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
    const std::string salt = "c2FsdHNhbHQ";                // 8 bytes
    const std::string digest = "ZGlnZXN0ZGlnZXN0ZGlnZXN0"; // 18
    const std::string good = "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + digest;
    EXPECT_TRUE(parse_argon2(good));
    EXPECT_EQ(to_text(*parse_argon2(good)), good);
    for (const std::string& hash :
         {std::string(), std::string("$argon2id$"), std::string("plain"), good + "=", good + "$",
          "$argon2i" + good.substr(9), "$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + digest,
          "$argon2id$v=19$m=0,t=1,p=1$" + salt + "$" + digest,
          "$argon2id$v=19$m=64,t=1,p=1$" + salt, "$argon2id$v=19$m=64,t=1,p=1$$" + digest,
          "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$", "$argon2id$v=19$m=64,t=1$" + salt,
          "$argon2id$v=19$m=4294967296,t=1,p=1$" + salt + "$" + digest,
          "$argon2id$v=19$m=1048577,t=1,p=1$" + salt + "$" + digest,
          "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + std::string(2000, 'A')}) {
        EXPECT_FALSE(parse_argon2(hash)) << hash;
        EXPECT_EQ(check_password("plain", hash), PasswordCheck::wrong) << hash;
    }
}

} // namespace
} // namespace tombolo::auth
