#include "core/address_range.hpp"

#include <gtest/gtest.h>

namespace tombolo {
namespace {

bool contains(std::string_view range, std::string_view address) {
    return AddressRange::parse(range).value().contains(address);
}

TEST(AddressRange, holds_the_addresses_that_share_its_bits) {
    EXPECT_TRUE(contains("192.0.2.1", "192.0.2.1"));
    EXPECT_FALSE(contains("192.0.2.1", "192.0.2.2"));
    EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.200"));
    EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.100"));
    EXPECT_TRUE(contains("192.0.2.77/24", "192.0.2.1")) << "the bits behind do not count";
    EXPECT_TRUE(contains("192.0.2.0/24", "::ffff:192.0.2.9"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(contains("::/0", "2001:db8::1"));
    EXPECT_FALSE(contains("192.0.2.0/24", "2001:db8::1"));
    EXPECT_FALSE(contains("0.0.0.0/0", "nonsense"));
}

TEST(AddressRange, what_is_no_range_is_refused) {
    for (const char* bad : {"", "/", "a", "1.2.3", "1.2.3.4/", "1.2.3.4/33", "::/129", "1.2.3.4/-1",
                            "1.2.3.4/8/8", "example.com", "1.2.3.4/99999999999999999999"}) {
        EXPECT_FALSE(AddressRange::parse(bad)) << bad;
    }
}

} // namespace
} // namespace tombolo
