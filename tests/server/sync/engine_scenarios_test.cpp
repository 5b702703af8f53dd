// The named scenarios of server-sync-algorithm.md 11, and what else one has to see to believe: two
// devices over the real engine and a store in memory.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scenario.hpp"
#include "schema/document.hpp"

namespace tombolo::sim {

namespace {

using changeset::PayloadType;
using server::sync::ClassPermissions;
using server::sync::Role;

} // namespace

TEST_F(SyncScenario, one_device_writes_and_another_receives) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");

    create(a, 1, 5);
    exchange();

    EXPECT_EQ(field(b, 1, "q"), 5);
    EXPECT_EQ(stored(1, "q"), "5");
    EXPECT_FALSE(a.has_pending());
}

TEST_F(SyncScenario, a_known_key_is_created_before_bootstrap_1) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    create(a, 1, 5);
    set(a, 1, "x", 8);
    exchange();

    SyncDevice& b = device("b");
    create(b, 1, 6); // nothing subscribed yet: refused
    b.subscribe(subscription("TRUEPREDICATE"));
    exchange();

    EXPECT_EQ(field(b, 1, "q"), 5);
    EXPECT_EQ(field(b, 1, "x"), 8);
}

TEST_F(SyncScenario, an_own_edit_that_leaves_the_query_is_kept_and_the_object_erased) {
    SyncDevice& a = device("a", "q == 1");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();

    set(a, 1, "q", 2);
    exchange();

    EXPECT_EQ(object(a, 1), nullptr);
    EXPECT_EQ(field(b, 1, "q"), 2);
    EXPECT_TRUE(a.rejections().empty());
}

TEST_F(SyncScenario, an_object_leaves_is_edited_and_returns) {
    SyncDevice& a = device("a", "q == 1");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(b, 1, 1);
    exchange();
    a.disconnect();
    set(a, 1, "x", 77); // meets the erase of the departure
    set(b, 1, "q", 2);
    exchange();
    set(b, 1, "q", 1);
    exchange();
    a.connect(world_.engine());
    exchange();

    EXPECT_EQ(field(a, 1, "q"), 1);
    EXPECT_EQ(field(a, 1, "x"), field(b, 1, "x"));
}

TEST_F(SyncScenario, an_object_is_deleted_and_made_again_while_edited_elsewhere) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    b.disconnect();
    set(b, 1, "x", 9);
    write(a, [](ChangesetBuilder& out) { out.erase_object("T", std::int64_t{1}); });
    create(a, 1, 3);
    exchange();
    b.connect(world_.engine());
    exchange();

    EXPECT_EQ(field(a, 1, "x"), 0);
    EXPECT_EQ(field(b, 1, "x"), 0);
    EXPECT_EQ(field(b, 1, "q"), 3);
}

TEST_F(SyncScenario, a_refused_write_is_undone_and_told_and_legal_ones_stand) {
    Role role;
    role.classes["T"].write = "q != 2";
    world_.roles().roles["a"] = role;
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(b, 1, 2);
    create(b, 2, 1);
    exchange();

    write(a, [](ChangesetBuilder& out) {
        out.update({"T", std::int64_t{1}, "x"}, std::int64_t{66});
        out.update({"T", std::int64_t{2}, "x"}, std::int64_t{7});
    });
    set(a, 1, "x", 67); // stands on the refused one
    set(a, 2, "x", 8);
    exchange();

    EXPECT_EQ(field(a, 1, "x"), 0);
    EXPECT_EQ(field(b, 1, "x"), 0);
    EXPECT_EQ(field(a, 2, "x"), 8);
    EXPECT_EQ(field(b, 2, "x"), 8);
    ASSERT_FALSE(a.rejections().empty());
    const auto& rejected = *a.rejections().front().body.rejected;
    ASSERT_EQ(rejected.updates.size(), 1U);
    EXPECT_EQ(rejected.updates[0].reason, "write to 1 in table \"T\" not allowed");
    ASSERT_TRUE(rejected.server_version);
}

TEST_F(SyncScenario, a_rejection_is_told_again_until_its_version_is_passed) {
    world_.roles().roles["a"].classes["T"] = ClassPermissions::read_only();
    SyncDevice& a = device("a", "TRUEPREDICATE");
    create(a, 1, 1);
    a.send();
    world_.settle();
    while (a.rejections().empty()) {
        ASSERT_EQ(a.receive(1), 1U);
    }
    a.disconnect(); // before the compensating changeset
    a.connect(world_.engine());
    exchange();
    EXPECT_EQ(a.rejections().size(), 2U);
    EXPECT_EQ(object(a, 1), nullptr);
    a.disconnect();
    a.connect(world_.engine());
    exchange();
    EXPECT_EQ(a.rejections().size(), 2U);
}

TEST_F(SyncScenario, erase_and_create_are_pending_against_a_point) {
    SyncDevice& a = device("a", "q == 1");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(b, 1, 1);
    exchange();
    a.subscribe(subscription("q IN {1, 2}"));
    write(a, [](ChangesetBuilder& out) {
        out.erase_object("T", std::int64_t{1});
        out.create_object("T", std::int64_t{1});
        out.update({"T", std::int64_t{1}, "q"}, std::int64_t{2});
    });
    exchange();

    EXPECT_EQ(field(a, 1, "q"), 2);
    EXPECT_EQ(field(b, 1, "q"), 2);
}

TEST_F(SyncScenario, a_bootstrap_is_cut_after_each_of_its_messages) {
    world_.options().download_bytes = 1;
    crash(true); // the option counts from the start of an engine
    SyncDevice& b = device("b", "TRUEPREDICATE");
    for (std::int64_t key = 0; key < 6; ++key) {
        create(b, key, key % 2);
    }
    exchange();
    for (std::size_t cut = 1; cut < 9; ++cut) {
        SyncDevice& a = device("a" + std::to_string(cut));
        a.subscribe(subscription("q == 1"));
        a.send();
        world_.settle();
        a.receive(cut);
        create(a, 100 + static_cast<std::int64_t>(cut), 1); // behind the QUERY
        a.send();
        a.disconnect();
        set(b, 1, "x", static_cast<std::int64_t>(cut));
        exchange();
        a.connect(world_.engine());
        exchange();
        EXPECT_EQ(field(a, 1, "x"), static_cast<std::int64_t>(cut));
        EXPECT_EQ(field(a, 3, "q"), 1);
        EXPECT_EQ(object(a, 2), nullptr);
        EXPECT_EQ(field(b, 100 + static_cast<std::int64_t>(cut), "q"), 1);
    }
}

TEST_F(SyncScenario, a_new_file_whose_role_changes_twice_before_its_first_bootstrap) {
    devices_.push_back(std::make_unique<SyncDevice>("a", MemoryState()));
    SyncDevice& a = *devices_.back();
    world_.adopt(a);
    // What SDKs do on their first launch: the schema is known, nothing was downloaded.
    a.connect(world_.engine(), true);
    exchange();
    SyncDevice& b = device("b", "TRUEPREDICATE");
    devices_.push_back(std::make_unique<SyncDevice>("c", a.state()));
    SyncDevice& c = *devices_.back();
    world_.adopt(c);
    c.connect(world_.engine(), true);
    create(c, 1, 1);
    c.send();
    world_.settle();
    const std::uint64_t uploaded = c.client_version();
    for (const char* readable : {"q == 2", "q == 3"}) {
        c.disconnect();
        create(b, static_cast<std::int64_t>(b.cursor()) + 100, 2);
        exchange();
        world_.roles().roles["c"].classes["T"].read = readable;
        c.connect(world_.engine(), true);
        world_.settle();
    }
    std::vector<std::uint64_t> bases;
    c.set_on_entry([&](const protocol::DownloadEntry& entry, auto, const auto&) {
        bases.push_back(entry.client_version.value);
    });
    exchange();
    ASSERT_FALSE(bases.empty());
    EXPECT_EQ(bases.front(), uploaded);
    EXPECT_EQ(object(c, 1), nullptr);
}

TEST_F(SyncScenario, a_role_is_taken_away_and_given_back_while_offline) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(b, 1, 1);
    create(b, 2, 2);
    exchange();
    a.disconnect();
    set(a, 1, "x", 5);
    world_.roles().roles["a"].classes["T"].read = "q == 2";
    world_.roles().roles["a"] = Role();
    a.connect(world_.engine());
    exchange();
    EXPECT_EQ(field(b, 1, "x"), 5);

    world_.roles().roles["a"].classes["T"].read = "q == 2";
    world_.engine().roles_changed("a");
    exchange();
    ASSERT_TRUE(a.error());
    EXPECT_EQ(a.error()->code, protocol::SyncErrorCode::session_closed);
    a.connect(world_.engine());
    exchange();
    EXPECT_EQ(object(a, 1), nullptr);
    EXPECT_EQ(field(a, 2, "q"), 2);
}

TEST_F(SyncScenario, two_devices_edit_one_list_one_of_them_in_a_narrower_view) {
    SyncDevice& a = device("a", "q == 1");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(b, 1, 1);
    exchange();
    a.disconnect();
    write(a, [](ChangesetBuilder& out) {
        out.array_insert({"T", std::int64_t{1}, "l", {0}}, std::int64_t{10}, 0);
    });
    write(b, [](ChangesetBuilder& out) {
        out.array_insert({"T", std::int64_t{1}, "l", {0}}, std::int64_t{20}, 0);
    });
    exchange();
    a.connect(world_.engine());
    exchange();
    EXPECT_TRUE(identical(*object(a, 1)->fields.find("l"), *object(b, 1)->fields.find("l")));
    EXPECT_EQ(object(a, 1)->fields.find("l")->get_if<List>()->elements.size(), 2U);
}

TEST_F(SyncScenario, documents_that_were_there_before_are_synced_and_misfits_set_aside) {
    put(1, document(1, 1, 5));
    mql::BsonWriter writer;
    writer.append_int64("_id", 2);
    writer.append_string("q", "no integer");
    put(2, std::move(writer).finish());

    SyncDevice& a = device("a", "TRUEPREDICATE");

    EXPECT_EQ(field(a, 1, "x"), 5);
    EXPECT_EQ(object(a, 2), nullptr);
    put(2, document(2, 1, 6)); // repaired from outside
    exchange();
    EXPECT_EQ(field(a, 2, "x"), 6);
}

TEST_F(SyncScenario, an_outside_write_reaches_devices_as_its_difference_and_merges) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    a.disconnect();
    write(a, [](ChangesetBuilder& out) {
        out.array_insert({"T", std::int64_t{1}, "l", {0}}, std::int64_t{10}, 0);
    });
    put(1, document(1, 1, 44)); // says x, leaves the list alone
    a.connect(world_.engine());
    exchange();

    EXPECT_EQ(field(a, 1, "x"), 44);
    EXPECT_EQ(object(a, 1)->fields.find("l")->get_if<List>()->elements.size(), 1U);
}

TEST_F(SyncScenario, conflicting_outside_writes_fail_alone) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    const auto collection = *shared_store().find_collection({"source", database_, "T"});
    store::Transaction transaction;
    transaction.insert(collection, document(1, 1, 1));
    std::optional<ErrorCode> code;
    world_.engine().write(std::move(transaction), [&](Result<store::Version> done) {
        code = done ? ErrorCode::internal : done.error().code();
    });
    create(a, 2, 2);
    exchange();
    EXPECT_EQ(code, ErrorCode::duplicate_key);
    EXPECT_EQ(stored(2, "q"), "2");
}

TEST_F(SyncScenario, a_deletion_of_nothing_does_not_delete_what_a_device_makes_in_the_same_batch) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    const auto collection = *shared_store().find_collection({"source", database_, "T"});
    store::Transaction transaction;
    transaction.erase(collection, *store::document_key(mql::BsonValue::from_int64(1)));
    world_.engine().write(std::move(transaction),
                          [](Result<store::Version> done) { EXPECT_TRUE(done); });
    create(a, 1, 5);
    a.send();
    exchange();
    EXPECT_EQ(stored(1, "q"), "5");
    EXPECT_EQ(field(a, 1, "q"), 5);
}

TEST_F(SyncScenario, a_bad_query_is_told_and_the_next_one_works) {
    SyncDevice& a = device("a");
    a.subscribe("{\"T\":\"(x == 1)\"}"); // x is no queryable field
    a.subscribe(subscription("q == 1"));
    create(a, 1, 1);
    exchange();
    ASSERT_EQ(a.query_errors().size(), 1U);
    EXPECT_NE(a.query_errors()[0].find("not a queryable field"), std::string::npos)
        << a.query_errors()[0];
    EXPECT_EQ(stored(1, "q"), "1");
}

TEST_F(SyncScenario, a_schema_change_is_refused_outside_development_mode) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    write(a, [](ChangesetBuilder& out) {
        out.add_column("T", "extra", {PayloadType::integer, false, {}});
    });
    exchange();
    ASSERT_TRUE(a.error());
    EXPECT_EQ(a.error()->code, protocol::SyncErrorCode::invalid_schema_change);
    EXPECT_EQ(a.error()->body.message,
              "Invalid schema change (UPLOAD): non-breaking schema change: adding \"Int\" column "
              "at field \"extra\" in schema \"T\", schema changes from clients are restricted when "
              "developer mode is disabled");
}

TEST_F(SyncScenario, a_file_that_the_server_does_not_know_is_reset) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    a.disconnect();
    a.take_file({{a.file()}, {12345}});
    a.connect(world_.engine());
    ASSERT_TRUE(a.error());
    EXPECT_EQ(a.error()->code, protocol::SyncErrorCode::diverging_histories);
    a.take_file({{9999}, {12345}});
    a.connect(world_.engine());
    EXPECT_EQ(a.error()->code, protocol::SyncErrorCode::bad_client_file_ident);
}

TEST_F(SyncScenario, an_acknowledged_write_survives_the_death_of_the_server) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    create(a, 2, 2);
    a.send();
    world_.run_once();
    a.disconnect();
    crash(false); // the second write never reached the disk
    EXPECT_EQ(stored(1, "q"), "1");
    EXPECT_EQ(stored(2, "q"), "");
    a.connect(world_.engine());
    exchange();
    EXPECT_EQ(stored(2, "q"), "2");
}

TEST_F(SyncScenario, a_cursor_that_a_fast_reconnect_is_shown_survives_the_death_of_the_server) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(b, 1, 1);
    b.send();
    world_.settle();
    while (a.cursor() < world_.engine().statistics().server_version) {
        ASSERT_GT(a.receive(1), 0U);
    }
    a.disconnect();
    a.connect(world_.engine(), true);
    a.send(); // an empty UPLOAD, integrated together with the IDENT
    world_.settle();
    a.receive();
    for (const auto& each : devices_) {
        each->disconnect();
    }
    crash(false);
    a.connect(world_.engine());
    exchange(); // a cursor that went back would end the connection
    EXPECT_TRUE(a.is_connected());
}

TEST_F(SyncScenario, views_of_equal_text_share_what_is_encoded) {
    std::vector<SyncDevice*> readers;
    for (int i = 0; i < 5; ++i) {
        readers.push_back(&device("reader" + std::to_string(i), "q == 1"));
    }
    EXPECT_EQ(world_.engine().statistics().sessions, 5U);
    create(*readers[0], 1, 1);
    exchange();
    for (const SyncDevice* reader : readers) {
        EXPECT_EQ(field(*reader, 1, "q"), 1);
    }
}

TEST_F(SyncScenario, the_same_file_identified_again_replaces_the_older_session) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    struct Silent final : server::sync::SessionListener {
        void on_outgoing() override {}
        void on_replaced() override {}
    };
    auto twin = world_.engine().identify(a.ident(), std::make_shared<Silent>());
    EXPECT_TRUE(std::holds_alternative<std::shared_ptr<server::sync::Session>>(twin));
    EXPECT_TRUE(a.is_replaced());
    EXPECT_EQ(a.receive(), 0U);
}

// The document that cannot be synced is no object to anybody: it must not look as if the device's
// own deletion had been a departure from its view.
TEST_F(SyncScenario, a_document_that_fits_no_class_comes_where_a_device_deleted_its_object) {
    SyncDevice& a = device("a", "q == 1");
    create(a, 1, 1);
    a.send();
    world_.settle();
    write(a, [](ChangesetBuilder& out) { out.erase_object("T", std::int64_t{1}); });
    a.send();
    world_.settle();
    mql::BsonWriter unfit;
    unfit.append_int64("_id", 1);
    unfit.append_string("q", "fits no class");
    put(1, std::move(unfit).finish());
    create(a, 1, 1); // before anything of that was heard
    set(a, 1, "x", 7);
    exchange();
    EXPECT_EQ(object(a, 1), nullptr);
    ASSERT_FALSE(a.rejections().empty()); // told, not lost in silence
    EXPECT_FALSE(a.has_pending());
}

} // namespace tombolo::sim
