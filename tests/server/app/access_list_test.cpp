#include "server/app/access_list.hpp"

#include <gtest/gtest.h>

#include "server/app/app_repository.hpp"
#include "server/store/embedded/embedded_store.hpp"
#include "server/store/store_fixture.hpp"

namespace tombolo::server {
namespace {

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
