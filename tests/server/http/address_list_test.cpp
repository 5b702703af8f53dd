// Proxies by address and range, and who is behind them.

#include "server/http/address_list.hpp"

#include <gtest/gtest.h>

namespace tombolo::http {

namespace {

AddressList list(const std::vector<std::string>& texts) {
    return AddressList::parse(texts).value();
}

} // namespace

TEST(AddressList, holds_addresses_and_ranges) {
    const AddressList some = list({"10.1.0.0/16", "192.168.7.7", "fd00::/8", "::1"});
    EXPECT_TRUE(some.contains("10.1.255.3"));
    EXPECT_TRUE(some.contains("::ffff:10.1.2.3"));
    EXPECT_FALSE(some.contains("10.2.0.1"));
    EXPECT_TRUE(some.contains("192.168.7.7"));
    EXPECT_FALSE(some.contains("192.168.7.8"));
    EXPECT_TRUE(some.contains("fdab::1"));
    EXPECT_FALSE(some.contains("fe80::1"));
    EXPECT_TRUE(some.contains("::1"));
    EXPECT_FALSE(some.contains("unknown"));
    EXPECT_FALSE(some.contains(""));
    EXPECT_TRUE(list({"0.0.0.0/0"}).contains("9.9.9.9"));
    EXPECT_FALSE(list({"0.0.0.0/0"}).contains("fd00::1"));
}

TEST(AddressList, names_what_is_no_address) {
    for (const char* wrong :
         {"10.0.0.0/33", "10.0.0/8", "::/129", "proxy", "10.0.0.0/", "", "/8", "10.0.0.0/8 "}) {
        const std::vector<std::string> texts = {wrong};
        const auto parsed = AddressList::parse(texts);
        ASSERT_FALSE(parsed) << wrong;
        EXPECT_NE(parsed.error().message().find(wrong), std::string::npos);
    }
}

TEST(AddressList, the_client_is_the_nearest_hop_that_is_no_proxy) {
    const AddressList proxies = list({"10.0.0.0/8", "::1"});
    EXPECT_EQ(client_address(proxies, "9.9.9.9", "1.1.1.1"), "9.9.9.9");
    EXPECT_EQ(client_address(proxies, "10.0.0.1", ""), "10.0.0.1");
    EXPECT_EQ(client_address(proxies, "10.0.0.1", "1.1.1.1"), "1.1.1.1");
    EXPECT_EQ(client_address(proxies, "10.0.0.1", "6.6.6.6, 1.1.1.1 , 10.2.2.2"), "1.1.1.1");
    EXPECT_EQ(client_address(proxies, "::1", "1.1.1.1:4711"), "1.1.1.1");
    EXPECT_EQ(client_address(proxies, "::1", "[2001:db8::1]:4711"), "2001:db8::1");
    EXPECT_EQ(client_address(proxies, "10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3");
    EXPECT_EQ(client_address(proxies, "10.0.0.1", "6.6.6.6,,"), "10.0.0.1");
}

} // namespace tombolo::http
