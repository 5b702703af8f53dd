// The named scenarios of server-sync-algorithm.md 11 over sockets: scripted devices and a server,
// as engine_scenarios_test.cpp plays them without.

#include <signal.h>

#include <gtest/gtest.h>

#include "server/daemon/tombolod_process.hpp"
#include "server/sync_session/script.hpp"
#include "support/certificate.hpp"

namespace tombolo::server {
namespace {

using changeset::Changeset;
using changeset::ChangesetBuilder;

class Scenario : public ::testing::Test {
  protected:
    /// A device that is up to date with its first subscription; without a query it has none.
    Device& device(const std::string& query = "") {
        devices_.push_back(std::make_unique<Device>(server_.port(), server_.log_in()));
        Device& added = *devices_.back();
        added.write(islands_schema());
        if (!query.empty()) {
            subscribe(added, query);
        }
        added.connect();
        added.synchronize();
        return added;
    }
    static void subscribe(Device& device, const std::string& query) {
        device.subscribe({{"T", "(" + query + ")"}});
    }
    /// All that are connected hear of all that was written.
    void exchange() {
        for (int round = 0; round < 2; ++round) {
            for (const auto& each : devices_) {
                if (each->is_connected()) {
                    each->synchronize();
                }
            }
        }
    }
    static void reconnect(Device& device) {
        device.connect();
        device.synchronize();
    }

    template <class Edit>
    static void write(Device& by, Edit edit, std::uint64_t ahead_ms = 0) {
        ChangesetBuilder out;
        edit(out);
        by.write_skewed(out.finish().value(), ahead_ms);
    }
    static void create(Device& by, std::int64_t key, std::int64_t q) {
        write(by, [&](ChangesetBuilder& out) {
            out.create_object("T", key);
            out.update({"T", key, "q"}, q);
        });
    }
    static void set(Device& by, std::int64_t key, const char* field, std::int64_t value,
                    std::uint64_t ahead_ms = 0) {
        write(
            by,
            [&](ChangesetBuilder& out) {
                out.update({"T", key, field}, value);
            },
            ahead_ms);
    }
    static const Object* object(Device& of, std::int64_t key) {
        return of.replica().state().find_object("T", key);
    }
    static std::int64_t field(Device& of, std::int64_t key, const char* name) {
        const Object* found = object(of, key);
        const Value* value = found == nullptr ? nullptr : found->fields.find(name);
        return value == nullptr ? -1 : *value->get_if<std::int64_t>();
    }
    static bool was_refused(Device& device) {
        for (const protocol::JsonError& error : device.session().errors()) {
            if (error.code == 231) {
                return true;
            }
        }
        return false;
    }

    IslandsServer server_;
    std::vector<std::unique_ptr<Device>> devices_;
};

TEST_F(Scenario, a_known_key_is_created_before_bootstrap_1) {
    Device& a = device("TRUEPREDICATE");
    create(a, 1, 5);
    set(a, 1, "x", 8);
    exchange();

    Device& b = device();
    create(b, 1, 6); // nothing subscribed yet: refused
    subscribe(b, "TRUEPREDICATE");
    exchange();

    EXPECT_EQ(field(b, 1, "q"), 5);
    EXPECT_EQ(field(b, 1, "x"), 8);
    EXPECT_TRUE(identical(a.replica().state(), b.replica().state()));
}

TEST_F(Scenario, an_object_is_edited_while_it_leaves) {
    Device& a = device("q == 1");
    Device& b = device("TRUEPREDICATE");
    create(b, 1, 1);
    exchange();
    a.disconnect();
    set(a, 1, "x", 77, 1000); // newer, and in vain: it meets the erase of the departure
    set(b, 1, "q", 2);
    exchange();
    reconnect(a);
    exchange();
    EXPECT_EQ(object(a, 1), nullptr);
    EXPECT_EQ(field(b, 1, "q"), 2);
    EXPECT_EQ(field(b, 1, "x"), 0);
}

TEST_F(Scenario, an_object_leaves_is_edited_and_returns) {
    Device& a = device("q == 1");
    Device& b = device("TRUEPREDICATE");
    create(b, 1, 1);
    exchange();
    a.disconnect();
    set(a, 1, "x", 77);
    set(b, 1, "q", 2);
    exchange();
    set(b, 1, "q", 1);
    exchange();
    reconnect(a);
    exchange();
    EXPECT_EQ(field(a, 1, "q"), 1);
    EXPECT_EQ(field(a, 1, "x"), field(b, 1, "x"));
}

TEST_F(Scenario, an_object_is_deleted_and_made_again_while_edited_elsewhere) {
    Device& a = device("TRUEPREDICATE");
    Device& b = device("TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    b.disconnect();
    set(b, 1, "x", 9);
    write(a, [](ChangesetBuilder& out) { out.erase_object("T", std::int64_t{1}); });
    create(a, 1, 3);
    exchange();
    reconnect(b);
    exchange();
    EXPECT_EQ(field(a, 1, "x"), 0);
    EXPECT_EQ(field(b, 1, "q"), 3);
    EXPECT_TRUE(identical(a.replica().state(), b.replica().state()));
}

TEST_F(Scenario, an_own_edit_leaves_the_query) {
    Device& a = device("q == 1");
    Device& b = device("TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    set(a, 1, "q", 2);
    exchange();
    EXPECT_EQ(object(a, 1), nullptr);
    EXPECT_EQ(field(b, 1, "q"), 2);
    EXPECT_FALSE(was_refused(a));
}

TEST_F(Scenario, erase_and_create_are_pending_against_a_point) {
    Device& a = device("q == 1");
    Device& b = device("TRUEPREDICATE");
    create(b, 1, 1);
    exchange();
    subscribe(a, "q == 1 OR q == 2");
    write(a, [](ChangesetBuilder& out) {
        out.erase_object("T", std::int64_t{1});
        out.create_object("T", std::int64_t{1});
        out.update({"T", std::int64_t{1}, "q"}, std::int64_t{2});
    });
    exchange();
    EXPECT_EQ(field(a, 1, "q"), 2);
    EXPECT_EQ(field(b, 1, "q"), 2);
}

TEST_F(Scenario, a_refused_write_is_followed_by_legal_ones_in_the_same_and_in_later_messages) {
    Device& a = device("q == 1");
    Device& b = device("TRUEPREDICATE");
    create(b, 1, 1);
    exchange();
    a.disconnect();
    write(a, [](ChangesetBuilder& out) {
        out.create_object("T", std::int64_t{2}); // outside a's view
        out.update({"T", std::int64_t{2}, "q"}, std::int64_t{3});
        out.update({"T", std::int64_t{1}, "x"}, std::int64_t{7});
    });
    set(a, 2, "x", 67); // stands on the refused one
    reconnect(a);
    set(a, 1, "x", 8);
    exchange();
    EXPECT_EQ(object(a, 2), nullptr);
    EXPECT_EQ(object(b, 2), nullptr);
    EXPECT_EQ(field(a, 1, "x"), 8);
    EXPECT_EQ(field(b, 1, "x"), 8);
    EXPECT_TRUE(was_refused(a));
}

TEST_F(Scenario, a_bootstrap_is_cut_with_uploads_behind_its_query_then_edited_offline) {
    Device& b = device("TRUEPREDICATE");
    const std::string text(100'000, 'x');
    for (std::int64_t key = 0; key < 30; ++key) {
        b.write(item(key, text, "b", key));
        create(b, key, key % 2);
    }
    b.subscribe({{"T", "(TRUEPREDICATE)"}, {"Item", "(TRUEPREDICATE)"}});
    exchange();
    for (int cut = 0; cut < 4; ++cut) {
        Device& a = device();
        a.subscribe({{"T", "(q == 1)"}, {"Item", "(TRUEPREDICATE)"}});
        const std::int64_t made = 100 + cut;
        create(a, made, 1); // behind the QUERY
        for (int step = 0; step <= cut * 3; ++step) {
            a.step(std::chrono::milliseconds(1));
        }
        a.disconnect();
        set(a, made, "x", 5);
        set(b, 1, "x", cut);
        b.synchronize();
        reconnect(a);
        exchange();
        EXPECT_EQ(field(a, 1, "x"), cut);
        EXPECT_EQ(object(a, 2), nullptr);
        EXPECT_EQ(field(b, made, "q"), field(a, made, "q"));
        EXPECT_EQ(field(b, made, "x"), field(a, made, "x"));
        a.disconnect();
    }
}

TEST_F(Scenario, a_client_crashes_between_messages) {
    Device& a = device("TRUEPREDICATE");
    Device& b = device("TRUEPREDICATE");
    for (std::int64_t key = 0; key < 10; ++key) {
        create(b, key, 1);
        b.synchronize();
        create(a, 100 + key, 1);
        a.step();
        a.crash();
        a.connect(key % 2 == 0);
        a.step(std::chrono::milliseconds(key % 4));
    }
    exchange();
    EXPECT_EQ(field(b, 109, "q"), 1);
    EXPECT_TRUE(identical(a.replica().state(), b.replica().state()));
}

TEST_F(Scenario, a_client_stops_after_each_entry_of_a_message) {
    const std::string all_items = R"q({"Item":"(TRUEPREDICATE)"})q";
    const auto login = server_.log_in();
    Device other(server_.port(), server_.log_in());
    other.subscribe({{"Item", "(TRUEPREDICATE)"}});
    other.connect();
    other.synchronize();
    auto script = std::make_unique<Script>(server_, login);
    const protocol::SaltedFileIdent file = script->open_file(all_items);
    const protocol::SyncProgress start = script->progress();
    const std::uint64_t base = start.download.server.value;
    // Its own uploads lie between what others write.
    for (std::int64_t round = 1; round <= 3; ++round) {
        other.write(item(round, "other's", "b", round));
        other.synchronize();
        const auto version = static_cast<std::uint64_t>(100 * round);
        script->upload({{version, base, item(100 + round, "own", "a", round)}}, {{version}, {base}},
                       base);
        script->downloads_until_uploaded(version);
    }
    const auto come_back = [&](const protocol::SyncProgress& progress) {
        script = std::make_unique<Script>(server_, login);
        script->bind(false);
        script->ident(file, progress, 1, all_items);
        script->mark(9);
        std::vector<client::ReceivedEntry> entries;
        for (ScriptDownload& each : script->downloads_until_mark(9)) {
            std::move(each.entries.begin(), each.entries.end(), std::back_inserter(entries));
        }
        return entries;
    };
    const std::vector<client::ReceivedEntry> whole = come_back(start);
    ASSERT_EQ(whole.size(), 3u);
    const protocol::SyncProgress end = script->progress();
    for (std::size_t stop = 0; stop <= whole.size(); ++stop) {
        protocol::SyncProgress progress = end;
        if (stop > 0) {
            progress.download = {whole[stop - 1].server_version, whole[stop - 1].client_version};
        } else {
            progress.download = start.download;
        }
        const std::vector<client::ReceivedEntry> rest = come_back(progress);
        ASSERT_EQ(rest.size(), whole.size() - stop);
        for (std::size_t i = 0; i < rest.size(); ++i) {
            EXPECT_EQ(rest[i].server_version, whole[stop + i].server_version);
            EXPECT_EQ(rest[i].client_version, whole[stop + i].client_version);
            EXPECT_EQ(rest[i].changeset, whole[stop + i].changeset);
        }
        EXPECT_EQ(script->progress().download, end.download);
    }
}

TEST_F(Scenario, clocks_are_skewed_both_ways) {
    Device& a = device("TRUEPREDICATE");
    Device& b = device("TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    a.disconnect();
    b.disconnect();
    set(a, 1, "x", 1, 1'000'000); // far ahead: stands
    set(b, 1, "x", 2);
    set(b, 1, "q", 2);
    reconnect(b);
    reconnect(a);
    exchange();
    EXPECT_EQ(field(a, 1, "x"), 1);
    EXPECT_EQ(field(a, 1, "q"), 2);
    EXPECT_TRUE(identical(a.replica().state(), b.replica().state()));
}

TEST_F(Scenario, two_devices_edit_one_list_one_of_them_in_a_narrower_view) {
    Device& a = device("q == 1");
    Device& b = device("TRUEPREDICATE");
    create(b, 1, 1);
    exchange();
    a.disconnect();
    for (Device* each : {&a, &b}) {
        write(*each, [&](ChangesetBuilder& out) {
            out.array_insert({"T", std::int64_t{1}, "l", {0}}, std::int64_t{each == &a ? 10 : 20},
                             0);
        });
    }
    b.synchronize();
    reconnect(a);
    exchange();
    EXPECT_EQ(object(a, 1)->fields.find("l")->get_if<List>()->elements.size(), 2U);
    EXPECT_TRUE(identical(a.replica().state(), b.replica().state()));
}

TEST_F(ServerMust, s30_hand_the_file_of_a_reset_over_with_another_body) {
    const Login login = server_.log_in();
    Script script(server_, login);
    // The fresh file asks for everything ...
    const protocol::SaltedFileIdent file = script.open_file(R"j({"Item":"(TRUEPREDICATE)"})j");
    const std::uint64_t base = script.progress().download.server.value;
    script.upload({{9, base, item(1, "one", "ann", 3)}, {10, base, item(2, "two", "ann", 9)}},
                  {{10}, {base}}, base);
    script.downloads_until_uploaded(10);
    const protocol::SyncProgress progress = script.progress();
    script.unbind();
    script.expect_unbound();
    // ... and the real one takes its ident over with its own numbers and sets.
    script.bind(false);
    script.ident(file, progress, 7, R"j({"Item":"(priority > 5)"})j");
    script.mark(5);
    std::size_t erased = 0;
    for (const ScriptDownload& one : script.downloads_until_mark(5)) {
        erased += one.count(changeset::Opcode::erase_object, "Item");
        EXPECT_EQ(one.count(changeset::Opcode::create_object, "Item"), 0U);
    }
    EXPECT_EQ(erased, 1U);
}

TEST_F(Scenario, a_server_is_killed_and_started_again) {
    const TemporaryFolder folder;
    const auto start = [&](int number) {
        auto started = std::make_unique<Tombolod>(
            std::vector<std::string>{"--data", folder.file("data"), "--listen", "127.0.0.1:0",
                                     "--app", islands_directory()},
            folder.file("output" + std::to_string(number)));
        EXPECT_TRUE(started->wait_ready()) << started->output();
        return started;
    };
    auto server = start(0);
    Device a(server->port(), log_in_anonymously(server->port(), islands_app));
    a.write(islands_schema());
    subscribe(a, "TRUEPREDICATE");
    a.connect();
    a.synchronize();
    for (std::int64_t key = 0; key < 3; ++key) {
        create(a, key, 1);
        a.synchronize();
        server->signal(SIGKILL);
        server->wait_exit();
        a.disconnect();
        server = start(static_cast<int>(key) + 1);
        a.set_port(server->port());
        a.connect(true);
    }
    a.synchronize();
    Device b(server->port(), log_in_anonymously(server->port(), islands_app));
    b.write(islands_schema());
    subscribe(b, "TRUEPREDICATE");
    b.connect();
    b.synchronize();
    EXPECT_EQ(field(b, 2, "q"), 1);
    EXPECT_TRUE(identical(a.replica().state(), b.replica().state()));
}

TEST_F(Scenario, two_devices_sync_over_tls) {
    const TemporaryFolder folder;
    testing::write_certificate(folder, "localhost");
    const Login ann = server_.log_in();
    const Login bob = server_.log_in();
    server_.restart([&](Config& config) {
        config.tls_cert = folder.file("cert.pem");
        config.tls_key = folder.file("key.pem");
    });
    for (const Login& login : {ann, bob}) {
        devices_.push_back(std::make_unique<Device>(server_.port(), login));
        devices_.back()->set_tls(true);
        devices_.back()->write(islands_schema());
        subscribe(*devices_.back(), "TRUEPREDICATE");
        reconnect(*devices_.back());
    }
    Device& a = *devices_[0];
    Device& b = *devices_[1];
    create(a, 1, 5);
    // Several TLS records, both ways.
    for (std::int64_t i = 0; i < 300; ++i) {
        create(b, 10 + i, i);
    }
    exchange();
    EXPECT_EQ(field(b, 1, "q"), 5);
    EXPECT_EQ(field(a, 309, "q"), 299);
    EXPECT_TRUE(identical(a.replica().state(), b.replica().state()));
}

} // namespace
} // namespace tombolo::server
