// The thin path: a real tombolod, two devices signed in over HTTP, one class, one subscription;
// what one writes arrives on the other.

#include <signal.h>

#include <gtest/gtest.h>

#include "server/daemon/tombolod_process.hpp"
#include "server/sync_session/islands.hpp"

namespace tombolo::server {
namespace {

TEST(ThinPath, a_write_on_one_device_arrives_on_the_other) {
    const TemporaryFolder folder;
    Tombolod server(
        {"--data", folder.file("data"), "--listen", "127.0.0.1:0", "--app", islands_directory()},
        folder.file("output"));
    ASSERT_TRUE(server.wait_ready()) << server.output();

    Device ann(server.port(), log_in_anonymously(server.port(), islands_app));
    Device bob(server.port(), log_in_anonymously(server.port(), islands_app));
    for (Device* device : {&ann, &bob}) {
        device->write(islands_schema());
        device->subscribe({{"Item", "(TRUEPREDICATE)"}});
        device->connect();
        device->synchronize();
    }
    ann.write(item(1, "lighthouse", "ann", 7));
    ann.synchronize();
    bob.synchronize();
    const Object* found = bob.replica().state().find_object("Item", std::int64_t{1});
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(*found->fields.find("name")->get_if<std::string>(), "lighthouse");
    EXPECT_TRUE(identical(ann.replica().state(), bob.replica().state()));

    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), 0) << server.output();
}

} // namespace
} // namespace tombolo::server
