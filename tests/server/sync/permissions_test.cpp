// Permissions of roles in the engine (device-sync-server.md 4 and 11 D, server-sync-algorithm.md
// 8): devices over the real engine and a store in memory.

#include <string>

#include <gtest/gtest.h>

#include "scenario.hpp"
#include "server/sync/engine/model.hpp"

namespace tombolo::sim {

namespace {

using changeset::PayloadType;
using server::sync::ClassPermissions;
using server::sync::FieldPermissions;
using server::sync::Role;

const FieldPermissions hidden{false, false, {}};
const FieldPermissions read_only{true, false, {}};

class SyncPermissions : public SyncScenario {
  protected:
    SyncPermissions() : SyncScenario(11, model()) {}

    static server::sync::SyncModel model() {
        server::sync::SyncModel out = World::model_of_views(fresh_database());
        schema::Property key;
        key.name = "_id";
        key.type = schema::PropertyType::integer;
        key.primary_key = true;
        schema::ClassSchema ingested("A", schema::ClassKind::asymmetric);
        ingested.add(key);
        out.documents.schema.add(std::move(ingested));
        out.documents.places["A"] = {"source", out.database, "A"};
        return out;
    }
    bool is_stored(const char* collection, std::int64_t key) {
        const auto snapshot = shared_store().snapshot();
        return snapshot
            ->find(*shared_store().find_collection({"source", world_.model().database, collection}),
                   *store::document_key(mql::BsonValue::from_int64(key)))
            ->has_value();
    }

    ClassPermissions& of(const std::string& user) {
        return world_.roles().roles[user].classes["T"];
    }

    SyncDevice& device(const std::string& user, const std::string& query = "TRUEPREDICATE") {
        return SyncScenario::device(user, query);
    }

    /// The role takes effect: affected devices are told and come back.
    void change_roles() {
        world_.engine().roles_changed("");
        exchange();
        for (const auto& each : devices_) {
            if (!each->is_connected() && each->error()) {
                each->connect(world_.engine());
            }
        }
        exchange();
    }

    void create(SyncDevice& by, std::int64_t key, std::int64_t q, std::int64_t x = 0) {
        write(by, [&](ChangesetBuilder& out) {
            out.create_object("T", key);
            out.update({"T", key, "q"}, q);
            if (x != 0) {
                out.update({"T", key, "x"}, x);
            }
        });
    }
    void erase(SyncDevice& by, std::int64_t key) {
        write(by, [&](ChangesetBuilder& out) { out.erase_object("T", key); });
    }

    static const Value& value(const SyncDevice& on, std::int64_t key, const char* name) {
        return *object(on, key)->fields.find(name);
    }
    static std::string reason(const SyncDevice& on, std::size_t at = 0) {
        return on.rejections().size() <= at ? ""
                                            : on.rejections()[at].body.rejected->updates[0].reason;
    }
};

} // namespace

TEST_F(SyncPermissions, d6_a_hidden_field_is_in_no_bootstrap_and_no_later_change) {
    SyncDevice& a = device("a");
    create(a, 1, 5, 77);
    exchange();
    of("b").fields.fields["x"] = hidden;
    SyncDevice& b = device("b");
    EXPECT_EQ(field(b, 1, "q"), 5);
    EXPECT_EQ(field(b, 1, "x"), 0);

    write(a, [](ChangesetBuilder& out) {
        out.update({"T", std::int64_t{1}, "x"}, std::int64_t{78});
        out.update({"T", std::int64_t{1}, "q"}, std::int64_t{6});
        out.create_object("T", std::int64_t{2});
        out.update({"T", std::int64_t{2}, "x"}, std::int64_t{79});
    });
    exchange();

    EXPECT_EQ(field(b, 1, "q"), 6);
    EXPECT_EQ(field(b, 1, "x"), 0);
    EXPECT_EQ(field(b, 2, "x"), 0);
}

TEST_F(SyncPermissions, d6_an_object_that_comes_into_view_comes_without_its_hidden_fields) {
    SyncDevice& a = device("a");
    of("b").fields.fields["x"] = hidden;
    SyncDevice& b = device("b", "q == 1");
    create(a, 1, 5, 77);
    exchange();
    ASSERT_EQ(object(b, 1), nullptr);

    set(a, 1, "q", 1);
    exchange();

    EXPECT_EQ(field(b, 1, "q"), 1);
    EXPECT_EQ(field(b, 1, "x"), 0);
}

TEST_F(SyncPermissions, d6_a_write_to_an_unwritable_field_is_undone_and_other_objects_stand) {
    of("b").fields.fields["x"] = read_only;
    SyncDevice& a = device("a");
    SyncDevice& b = device("b");
    create(a, 1, 5, 77);
    create(a, 2, 5, 78);
    exchange();

    write(b, [](ChangesetBuilder& out) {
        out.update({"T", std::int64_t{1}, "x"}, std::int64_t{1});
        out.update({"T", std::int64_t{1}, "q"}, std::int64_t{9});
        out.update({"T", std::int64_t{2}, "q"}, std::int64_t{9});
    });
    exchange();

    EXPECT_EQ(reason(b), "write to 1 in table \"T\" not allowed");
    EXPECT_EQ(b.rejections().size(), 1U);
    for (const SyncDevice* each : {&a, &b}) {
        EXPECT_EQ(field(*each, 1, "x"), 77);
        EXPECT_EQ(field(*each, 1, "q"), 5);
        EXPECT_EQ(field(*each, 2, "q"), 9);
    }
}

TEST_F(SyncPermissions, a_write_to_a_hidden_field_is_undone_without_telling_its_value) {
    of("b").fields.fields["x"] = hidden;
    SyncDevice& a = device("a");
    SyncDevice& b = device("b");
    create(a, 1, 5, 77);
    exchange();

    set(b, 1, "x", 1);
    exchange();

    EXPECT_EQ(reason(b), "write to 1 in table \"T\" not allowed");
    EXPECT_EQ(field(a, 1, "x"), 77);
    EXPECT_EQ(field(b, 1, "x"), 0);
    EXPECT_EQ(field(b, 1, "q"), 5);
}

TEST_F(SyncPermissions, inserts_may_name_only_writable_fields_and_deletes_need_all) {
    of("b").fields.fields["x"] = read_only;
    SyncDevice& a = device("a");
    SyncDevice& b = device("b");

    create(b, 1, 5);
    create(b, 2, 5, 77);
    exchange();
    EXPECT_EQ(field(a, 1, "q"), 5);
    EXPECT_EQ(object(a, 2), nullptr);
    EXPECT_EQ(object(b, 2), nullptr);

    erase(b, 1);
    exchange();
    EXPECT_EQ(field(a, 1, "q"), 5);
    EXPECT_EQ(field(b, 1, "q"), 5);
    EXPECT_EQ(b.rejections().size(), 2U);
}

TEST_F(SyncPermissions, d12_a_refused_write_takes_the_objects_other_writes_with_it) {
    of("b").fields.fields["x"] = read_only;
    of("b").fields.fields["k"] = {true, true, {}};
    SyncDevice& a = device("a");
    create(a, 1, 5, 77);
    create(a, 2, 5);
    exchange();
    SyncDevice& b = device("b");

    set(b, 1, "x", 1);
    set(b, 1, "q", 9);
    erase(b, 1);
    set(b, 2, "q", 9);
    exchange();

    for (const SyncDevice* each : {&a, &b}) {
        EXPECT_EQ(field(*each, 1, "x"), 77);
        EXPECT_EQ(field(*each, 1, "q"), 5);
        EXPECT_EQ(field(*each, 2, "q"), 9);
    }
}

TEST_F(SyncPermissions, permissions_inside_an_embedded_object) {
    FieldPermissions inside{false, false, {}};
    inside.fields["y"] = read_only;
    of("b").fields.fields["e"] = inside;
    SyncDevice& a = device("a");
    write(a, [](ChangesetBuilder& out) {
        out.create_object("T", std::int64_t{1});
        out.update({"T", std::int64_t{1}, "e"}, PayloadType::object_value);
        out.update({"T", std::int64_t{1}, "e", {"y"}}, std::int64_t{3});
        out.array_insert({"T", std::int64_t{1}, "e", {"ys", 0U}}, std::int64_t{4}, 0);
    });
    exchange();
    SyncDevice& b = device("b");
    const auto inner = [&](const SyncDevice& on, const char* name) -> const Value& {
        return *value(on, 1, "e").get_if<Object>()->fields.find(name);
    };
    EXPECT_EQ(*inner(b, "y").get_if<std::int64_t>(), 3);
    EXPECT_TRUE(inner(b, "ys").get_if<List>()->elements.empty());

    write(a, [](ChangesetBuilder& out) {
        out.update({"T", std::int64_t{1}, "e", {"y"}}, std::int64_t{5});
        out.array_insert({"T", std::int64_t{1}, "e", {"ys", 1U}}, std::int64_t{6}, 1);
    });
    exchange();
    EXPECT_EQ(*inner(b, "y").get_if<std::int64_t>(), 5);
    EXPECT_TRUE(inner(b, "ys").get_if<List>()->elements.empty());

    write(b, [](ChangesetBuilder& out) {
        out.update({"T", std::int64_t{1}, "e", {"y"}}, std::int64_t{9});
    });
    exchange();
    EXPECT_EQ(*inner(b, "y").get_if<std::int64_t>(), 5);
    EXPECT_EQ(b.rejections().size(), 1U);
}

TEST_F(SyncPermissions, a_query_may_not_ask_for_a_hidden_field) {
    of("b").fields.fields["q"] = hidden;
    SyncDevice& a = device("a");
    create(a, 1, 5);
    exchange();

    SyncDevice& b = device("b", "q == 5");

    ASSERT_EQ(b.query_errors().size(), 1U);
    EXPECT_EQ(b.query_errors()[0], "Invalid query: \"T\": key \"q\" may not be read by this user");
    EXPECT_EQ(object(b, 1), nullptr);
}

TEST_F(SyncPermissions, a_query_that_a_role_forbids_later_matches_nothing) {
    SyncDevice& a = device("a");
    SyncDevice& b = device("b", "q == 5");
    create(a, 1, 5);
    exchange();
    ASSERT_NE(object(b, 1), nullptr);

    of("b").fields.fields["q"] = hidden;
    change_roles();

    EXPECT_EQ(object(b, 1), nullptr);
}

TEST_F(SyncPermissions, a_role_that_hides_a_field_clears_it_and_one_that_shows_it_sends_it) {
    SyncDevice& a = device("a");
    SyncDevice& b = device("b");
    create(a, 1, 5, 77);
    write(a, [](ChangesetBuilder& out) {
        out.array_insert({"T", std::int64_t{1}, "l", {0U}}, std::int64_t{3}, 0);
    });
    exchange();
    of("b").fields.fields["x"] = hidden;
    of("b").fields.fields["l"] = hidden;
    change_roles();
    EXPECT_EQ(field(b, 1, "x"), 0);
    EXPECT_TRUE(value(b, 1, "l").get_if<List>()->elements.empty());
    write(a, [](ChangesetBuilder& out) {
        out.array_insert({"T", std::int64_t{1}, "l", {0U}}, std::int64_t{2}, 1);
    });
    exchange();
    EXPECT_TRUE(value(b, 1, "l").get_if<List>()->elements.empty());

    of("b").fields.fields.clear();
    change_roles();

    EXPECT_EQ(field(b, 1, "x"), 77);
    EXPECT_EQ(value(b, 1, "l").get_if<List>()->elements.size(), 2U);
    write(b, [](ChangesetBuilder& out) {
        out.array_insert({"T", std::int64_t{1}, "l", {2U}}, std::int64_t{4}, 2);
    });
    exchange();
    EXPECT_EQ(value(a, 1, "l").get_if<List>()->elements.size(), 3U);
}

TEST_F(SyncPermissions, an_edit_of_a_staying_object_survives_a_change_of_visible_fields) {
    SyncDevice& a = device("a");
    SyncDevice& b = device("b");
    create(a, 1, 5, 77);
    exchange();
    b.disconnect();
    set(b, 1, "q", 9);
    of("b").fields.fields["x"] = hidden;
    b.connect(world_.engine());
    exchange();

    EXPECT_EQ(field(b, 1, "q"), 9);
    EXPECT_EQ(field(b, 1, "x"), 0);
    EXPECT_EQ(field(a, 1, "q"), 9);
    EXPECT_EQ(field(a, 1, "x"), 77);
    EXPECT_TRUE(b.rejections().empty());
}

TEST_F(SyncPermissions, d13_an_update_out_of_the_writers_own_write_filter_is_undone) {
    of("b").write = "q == 5";
    SyncDevice& a = device("a");
    SyncDevice& b = device("b");
    create(a, 1, 5);
    exchange();

    set(b, 1, "q", 6);
    exchange();

    EXPECT_EQ(reason(b), "write to 1 in table \"T\" not allowed");
    EXPECT_EQ(field(a, 1, "q"), 5);
    EXPECT_EQ(field(b, 1, "q"), 5);
}

TEST_F(SyncPermissions, d9_a_role_that_only_gives_costs_no_pending_edit) {
    of("b").read = of("b").write = "q IN {1, 2}";
    SyncDevice& a = device("a");
    SyncDevice& b = device("b");
    create(a, 1, 1);
    create(a, 2, 3);
    exchange();
    b.disconnect();
    set(b, 1, "x", 7);
    write(a, [](ChangesetBuilder& out) { // b is behind on the object it edits
        out.array_insert({"T", std::int64_t{1}, "l", {0U}}, std::int64_t{3}, 0);
    });
    exchange();

    of("b").read = of("b").write = "q IN {1, 2, 3}";
    b.connect(world_.engine());
    exchange();

    EXPECT_EQ(field(a, 1, "x"), 7);
    EXPECT_EQ(field(b, 1, "x"), 7);
    EXPECT_EQ(field(b, 2, "q"), 3);
    EXPECT_TRUE(b.rejections().empty());
}

TEST_F(SyncPermissions, d9_what_was_missed_is_never_sent_under_a_role_that_is_gone) {
    SyncDevice& a = device("a");
    SyncDevice& b = device("b");
    create(a, 1, 1);
    exchange();
    b.disconnect();
    set(a, 1, "x", 7);
    create(a, 2, 1, 8);
    exchange();

    of("b").read = "q == 2";
    b.connect(world_.engine());
    exchange();

    EXPECT_EQ(object(b, 1), nullptr);
    EXPECT_EQ(object(b, 2), nullptr);
}

TEST_F(SyncPermissions, a_property_that_came_behind_what_a_role_change_takes_away_is_told) {
    SyncDevice& a = device("a");
    SyncDevice& b = device("b");
    create(a, 1, 1);
    create(a, 2, 2);
    exchange();
    b.disconnect();
    server::sync::SyncModel grown = world_.model();
    ASSERT_TRUE(server::sync::add_fact(
        grown,
        schema::PropertyFact{
            "T", "late", schema::PropertyType::integer, schema::CollectionKind::none, true, {}}));
    ASSERT_TRUE(world_.engine().update_model(std::move(grown)));
    exchange();
    of("b").read = "q == 2"; // what b has not heard of is not sent any more
    b.connect(world_.engine());
    exchange();
    ASSERT_EQ(object(b, 1), nullptr);

    write(a, [](ChangesetBuilder& out) {
        out.update({"T", std::int64_t{2}, "late"}, std::int64_t{7});
    });
    exchange();

    EXPECT_FALSE(b.error());
    EXPECT_EQ(field(b, 2, "late"), 7);
}

TEST_F(SyncPermissions, an_upload_behind_a_role_change_is_judged_by_the_new_role) {
    SyncDevice& a = device("a");
    create(a, 1, 1);
    exchange();

    set(a, 1, "x", 7);
    of("a").write = "FALSEPREDICATE";
    world_.engine().roles_changed("a");
    a.send(); // before it is told
    change_roles();

    EXPECT_EQ(field(a, 1, "x"), 0);
    EXPECT_EQ(reason(a), "write to 1 in table \"T\" not allowed");
    EXPECT_EQ(a.rejections().size(), 1U);
}

TEST_F(SyncPermissions, d14_an_ingest_that_is_not_allowed_answers_230_and_later_ones_continue) {
    world_.roles().roles["a"].classes["A"].insert = "_id != 1";
    SyncDevice& a = device("a");
    const auto ingest = [&](std::int64_t key) {
        write(a, [&](ChangesetBuilder& out) { out.create_object("A", key); });
    };
    ingest(1);
    ingest(2);
    exchange();

    ASSERT_TRUE(a.error());
    EXPECT_EQ(a.error()->code, protocol::SyncErrorCode::write_not_allowed);
    EXPECT_EQ(a.error()->body.action, protocol::ErrorAction::warning);
    EXPECT_TRUE(a.error()->body.try_again);
    ASSERT_TRUE(a.error()->body.rejected);
    EXPECT_FALSE(a.error()->body.rejected->server_version);
    ASSERT_EQ(a.error()->body.rejected->updates.size(), 1U);
    EXPECT_EQ(a.error()->body.rejected->updates[0].reason, "write to 1 in table \"A\" not allowed");

    a.connect(world_.engine());
    ingest(3);
    exchange();
    EXPECT_TRUE(a.is_connected());
    EXPECT_FALSE(a.has_pending());
    EXPECT_FALSE(is_stored("A", 1));
    EXPECT_TRUE(is_stored("A", 2));
    EXPECT_TRUE(is_stored("A", 3));
}

TEST_F(SyncPermissions, d8_the_same_role_again_makes_no_traffic) {
    of("b").read = "q == 5";
    SyncDevice& b = device("b");
    const std::uint64_t messages = b.messages();

    change_roles();

    EXPECT_TRUE(b.is_connected());
    EXPECT_EQ(b.messages(), messages);
}

} // namespace tombolo::sim
