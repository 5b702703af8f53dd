#include "server/app/access_list.hpp"

#include <gtest/gtest.h>

#include "server/app/app_repository.hpp"
#include "server/store/embedded/embedded_store.hpp"
#include "server/store/store_fixture.hpp"

namespace tombolo::server {
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

TEST(AccessList, empty_ones_admit_everybody_and_unreadable_ones_nobody) {
    EXPECT_TRUE(AccessList().admits("192.0.2.1"));
    AccessList list;
    list.entries.push_back({{}, std::string(every_address), {}});
    EXPECT_TRUE(AccessList::from_json(list.to_json()).admits("2001:db8::1"));
    list.entries[0].address = "no address";
    EXPECT_FALSE(AccessList::from_json(list.to_json()).admits("192.0.2.1"));
    EXPECT_FALSE(AccessList::from_json({{"entries", {1}}}).admits("192.0.2.1"));
}

TEST(AccessList, outlives_the_process) {
    const store::TemporaryFolder folder;
    const std::string path = folder.path().string();
    const Sealer sealer = Sealer::from_file(path + "/master.key").value();
    store::EmbeddedOptions options;
    options.directory = path + "/store";
    ObjectId id;
    for (const bool first : {true, false}) {
        const auto store = store::open_embedded(options).value();
        const auto apps = AppRepository::open(*store, sealer).value();
        if (first) {
            id = apps->create({{"root_config.json", R"({"name": "a"})"}}, 1).value()->id;
            static_cast<void>(
                apps->change_access_list(id,
                                         [](AccessList& list) {
                                             list.entries.push_back({{}, "192.0.2.1", "one"});
                                         })
                    .value());
        }
        EXPECT_TRUE(apps->access_list(id)->admits("192.0.2.1"));
        EXPECT_FALSE(apps->access_list(id)->admits("192.0.2.2"));
    }
}

} // namespace
} // namespace tombolo::server
