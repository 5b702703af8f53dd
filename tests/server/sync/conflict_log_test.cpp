// The conflict log: what merges, views and refusals drop is kept, with its cause, and comes back.

#include "server/sync/engine/conflict_log.hpp"

#include "core/random.hpp"
#include "core/record_codec.hpp"
#include "server/sync/scenario.hpp"

namespace tombolo::sim {

namespace {

using server::sync::Conflict;
using server::sync::ConflictCause;
using server::sync::ConflictFilter;
using server::sync::NumberedConflict;

class ConflictLog : public SyncScenario {
  protected:
    SeededRandom random_{3};

    std::vector<NumberedConflict> conflicts(const ConflictFilter& filter = {}) {
        return server::sync::list_conflicts(shared_store(), world_.options().app, filter, 0, 1000,
                                            0)
            ->conflicts;
    }
    static std::string shown(const Conflict& conflict) {
        std::string text;
        const auto values = server::sync::lost_values(conflict).value();
        for (const server::sync::LostValue& each : values) {
            text += (text.empty() ? "" : "; ") + each.action +
                    (each.place.empty() ? "" : " " + each.place) +
                    (each.value ? " " + *each.value : "");
        }
        return text;
    }
    Result<store::Version> restore(std::uint64_t number) {
        Result<store::Version> result = Error(ErrorCode::internal, "not answered");
        const auto model =
            server::sync::Model::make(world_.engine().model(), shared_store()).value();
        auto transaction = server::sync::restoration(model, shared_store(), world_.options().app,
                                                     number, "admin", world_.clock().unix_ms());
        if (!transaction) {
            return transaction.error();
        }
        world_.engine().write(*std::move(transaction),
                              [&](Result<store::Version> done) { result = std::move(done); });
        world_.settle();
        return result;
    }
};

} // namespace

TEST_F(ConflictLog, nothing_is_logged_when_writes_meet_and_none_is_lost) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    set(a, 1, "x", 5);
    set(b, 1, "q", 6);
    exchange();
    write(a, [](ChangesetBuilder& out) { out.add_integer({"T", std::int64_t{1}, "x"}, 1); });
    write(b, [](ChangesetBuilder& out) { out.add_integer({"T", std::int64_t{1}, "x"}, 2); });
    write(a, [](ChangesetBuilder& out) {
        out.array_insert({"T", std::int64_t{1}, "l", {0}}, std::int64_t{10}, 0);
    });
    write(b, [](ChangesetBuilder& out) {
        out.array_insert({"T", std::int64_t{1}, "l", {0}}, std::int64_t{20}, 0);
    });
    exchange();

    EXPECT_EQ(stored(1, "x"), "8");
    EXPECT_TRUE(conflicts().empty());
}

TEST_F(ConflictLog, the_older_of_two_writes_is_kept_whichever_came_first) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(a, 1, 1);
    create(a, 2, 1);
    exchange();
    a.disconnect();
    set(a, 1, "x", 10); // older, comes later
    set(b, 1, "x", 11);
    set(b, 2, "x", 20); // older, comes first
    set(a, 2, "x", 21);
    exchange();
    a.connect(world_.engine());
    exchange();

    EXPECT_EQ(stored(1, "x"), "11");
    EXPECT_EQ(stored(2, "x"), "21");
    const auto all = conflicts();
    ASSERT_EQ(all.size(), 2U);
    const Conflict& second = all[0].conflict;
    const Conflict& first = all[1].conflict;
    EXPECT_EQ(first.cause, ConflictCause::overwritten);
    EXPECT_EQ(first.user, "a");
    EXPECT_EQ(first.winner_user, "b");
    EXPECT_EQ(shown(first), "set x 10");
    EXPECT_GT(first.version, first.winner_version);
    EXPECT_EQ(second.user, "b");
    EXPECT_EQ(second.winner_user, "a");
    EXPECT_EQ(shown(second), "set x 20");
    EXPECT_LT(second.version, second.winner_version);
    EXPECT_EQ(conflicts({"a", "", ""}).size(), 1U);
    EXPECT_EQ(conflicts({"", "T", "2"}).size(), 1U);
    EXPECT_EQ(conflicts({"", "U", ""}).size(), 0U);
}

TEST_F(ConflictLog, two_writes_of_one_value_are_no_conflict) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    set(a, 1, "x", 7);
    set(b, 1, "x", 7);
    exchange();

    EXPECT_TRUE(conflicts().empty());
}

TEST_F(ConflictLog, a_value_that_lost_is_written_again_for_everybody) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    set(a, 1, "x", 10);
    set(b, 1, "x", 11);
    exchange();
    ASSERT_EQ(conflicts().size(), 1U);

    ASSERT_TRUE(restore(conflicts()[0].number));
    exchange();

    EXPECT_EQ(stored(1, "x"), "10");
    EXPECT_EQ(field(a, 1, "x"), 10);
    EXPECT_EQ(field(b, 1, "x"), 10);
    EXPECT_EQ(conflicts()[0].conflict.restored_by, "admin");
    EXPECT_EQ(restore(99).error().code(), ErrorCode::not_found);
}

TEST_F(ConflictLog, an_edit_of_a_deleted_object_comes_back_with_the_object) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(b, 1, 4);
    exchange();
    a.disconnect();
    set(a, 1, "x", 9);
    write(a, [](ChangesetBuilder& out) {
        out.array_insert({"T", std::int64_t{1}, "l", {0}}, std::int64_t{10}, 0);
    });
    write(b, [](ChangesetBuilder& out) { out.erase_object("T", std::int64_t{1}); });
    exchange();
    a.connect(world_.engine());
    exchange();
    const auto all = conflicts();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].conflict.cause, ConflictCause::deleted);
    EXPECT_EQ(all[0].conflict.winner_user, "b");
    EXPECT_EQ(stored(1, "q"), "");

    ASSERT_TRUE(restore(all[1].number));
    ASSERT_TRUE(restore(all[0].number));
    exchange();

    EXPECT_EQ(stored(1, "q"), "4");
    EXPECT_EQ(field(a, 1, "x"), 9);
    EXPECT_EQ(object(b, 1)->fields.find("l")->get_if<List>()->elements.size(), 1U);
}

TEST_F(ConflictLog, a_deletion_keeps_what_it_took_along) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(b, 1, 4);
    exchange();
    a.disconnect();
    write(a, [](ChangesetBuilder& out) { out.erase_object("T", std::int64_t{1}); });
    set(b, 1, "x", 33);
    exchange();
    a.connect(world_.engine());
    exchange();

    ASSERT_EQ(conflicts().size(), 1U);
    EXPECT_EQ(conflicts()[0].conflict.cause, ConflictCause::deleted);
    EXPECT_EQ(conflicts()[0].conflict.user, "b");
    EXPECT_EQ(shown(conflicts()[0].conflict), "set x 33");
    ASSERT_TRUE(restore(conflicts()[0].number));
    EXPECT_EQ(stored(1, "x"), "33");
    EXPECT_EQ(stored(1, "q"), "4");
}

TEST_F(ConflictLog, an_edit_of_an_object_that_left_the_view_says_so) {
    SyncDevice& a = device("a", "q == 1");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(b, 1, 1);
    create(b, 2, 1);
    exchange();
    a.disconnect();
    set(a, 1, "x", 77);
    set(b, 1, "q", 2);
    exchange();
    a.connect(world_.engine());
    exchange();
    a.subscribe(subscription("q == 5")); // a point
    set(a, 2, "x", 78);
    exchange();

    const auto all = conflicts();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[1].conflict.cause, ConflictCause::left_view);
    EXPECT_EQ(all[1].conflict.winner_user, "b");
    EXPECT_EQ(shown(all[1].conflict), "set x 77");
    EXPECT_EQ(all[0].conflict.cause, ConflictCause::left_view);
    ASSERT_TRUE(restore(all[1].number));
    EXPECT_EQ(stored(1, "x"), "77");
}

TEST_F(ConflictLog, a_refused_write_is_kept_whole_with_the_reason) {
    world_.roles().roles["a"].classes["T"].write = "q != 2";
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(b, 1, 2);
    exchange();
    write(a, [](ChangesetBuilder& out) {
        out.update({"T", std::int64_t{1}, "x"}, std::int64_t{66});
        out.create_object("T", std::int64_t{3});
        out.update({"T", std::int64_t{3}, "q"}, std::int64_t{2});
        out.array_insert({"T", std::int64_t{3}, "l", {0}}, std::int64_t{10}, 0);
    });
    set(a, 1, "x", 67); // stands on the refused one
    exchange();

    const auto all = conflicts();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[2].conflict.reason, "the role may not write the document");
    EXPECT_EQ(shown(all[2].conflict), "set x 66");
    EXPECT_EQ(all[1].conflict.reason, "the role may not write the document as it would be");
    EXPECT_EQ(shown(all[1].conflict), "create object; set q 2; insert l[0] 10");
    EXPECT_EQ(all[0].conflict.cause, ConflictCause::refused);
    ASSERT_TRUE(restore(all[1].number));
    EXPECT_EQ(stored(3, "q"), "2");
}

TEST_F(ConflictLog, a_list_element_comes_back_at_the_place_that_is_nearest) {
    world_.roles().roles["a"].classes["T"].write = "q != 2";
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(b, 1, 2);
    write(b, [](ChangesetBuilder& out) {
        out.array_insert({"T", std::int64_t{1}, "l", {0}}, std::int64_t{1}, 0);
        out.array_insert({"T", std::int64_t{1}, "l", {1}}, std::int64_t{2}, 1);
    });
    exchange();
    write(a, [](ChangesetBuilder& out) {
        out.array_insert({"T", std::int64_t{1}, "l", {2}}, std::int64_t{3}, 2);
    });
    exchange();
    write(b, [](ChangesetBuilder& out) { out.array_erase({"T", std::int64_t{1}, "l", {0}}, 2); });
    exchange();

    ASSERT_TRUE(restore(conflicts()[0].number));
    exchange();
    const auto& list = object(b, 1)->fields.find("l")->get_if<List>()->elements;
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(*list[1].get_if<std::int64_t>(), 3);
}

TEST_F(ConflictLog, old_entries_go_by_age_and_by_size) {
    world_.options().conflicts = {3600 * 1000, 1000};
    crash(true); // options count from the start of an engine
    world_.roles().roles["a"].classes["T"] = server::sync::ClassPermissions::read_only();
    SyncDevice& a = device("a", "TRUEPREDICATE");
    for (std::int64_t key = 0; key < 50; ++key) {
        create(a, key, 1);
        exchange();
    }
    const auto all = conflicts();
    EXPECT_LT(all.size(), 15U);
    ASSERT_GE(all.size(), 3U);
    EXPECT_EQ(server::sync::key_text(all[0].conflict.object.key), "49");
    EXPECT_EQ(all[0].number, 50U);

    world_.clock().advance(std::chrono::hours(2));
    create(a, 100, 1);
    exchange();
    EXPECT_EQ(conflicts().size(), 1U);

    world_.clock().advance(std::chrono::hours(2));
    const server::sync::ConflictWriter writer(world_.options().app, world_.options().conflicts);
    store::Transaction transaction;
    EXPECT_TRUE(*writer.trim(*shared_store().snapshot(), world_.clock().unix_ms(), transaction));
    ASSERT_TRUE(shared_store().commit(std::move(transaction)));
    EXPECT_TRUE(conflicts().empty());
}

TEST_F(ConflictLog, a_page_follows_another) {
    world_.roles().roles["a"].classes["T"] = server::sync::ClassPermissions::read_only();
    SyncDevice& a = device("a", "TRUEPREDICATE");
    for (std::int64_t key = 0; key < 7; ++key) {
        create(a, key, 1);
    }
    exchange();
    std::vector<std::uint64_t> numbers;
    std::uint64_t before = 0;
    for (;;) {
        const auto page =
            server::sync::list_conflicts(shared_store(), world_.options().app, {}, before, 3, 0);
        for (const NumberedConflict& each : page->conflicts) {
            numbers.push_back(each.number);
        }
        if (!page->next) {
            break;
        }
        before = *page->next;
    }
    EXPECT_EQ(numbers, (std::vector<std::uint64_t>{7, 6, 5, 4, 3, 2, 1}));
}

TEST_F(ConflictLog, records_of_a_newer_format_stop_sync_with_a_clear_error) {
    create(device("a", "TRUEPREDICATE"), 1, 1);
    exchange();
    store::Transaction transaction;
    transaction.put_record(store::Space::meta,
                           server::sync::RecordKeys(world_.options().app).state(),
                           RecordWriter().number(99).take());
    ASSERT_TRUE(shared_store().commit(std::move(transaction)));
    const auto opened = server::sync::open_engine(world_.options(), shared_store(), world_.roles(),
                                                  world_, world_.clock(), random_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::unsupported);
    EXPECT_NE(opened.error().message().find("format 99, written by a newer version"),
              std::string::npos);
    // A damaged or newer entry of the log is an error too, not a guess.
    EXPECT_FALSE(server::sync::decode_conflict(RecordWriter().number(99).take()));
}

TEST_F(ConflictLog, an_upload_that_ends_its_session_is_kept_once_with_what_came_behind) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    write(a, [](ChangesetBuilder& out) { // 225: no development mode
        out.add_table("New", changeset::TableKind::top_level, "_id",
                      changeset::PayloadType::integer, false);
        out.create_object("New", std::int64_t{8});
        out.update({"T", std::int64_t{1}, "x"}, std::int64_t{70});
    });
    set(a, 1, "x", 71);
    world_.exchange(devices_);
    ASSERT_TRUE(a.error());
    EXPECT_EQ(a.error()->code, protocol::SyncErrorCode::invalid_schema_change);

    const auto all = conflicts();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].conflict.cause, ConflictCause::upload_refused);
    EXPECT_EQ(all[0].conflict.reason.substr(0, 40), "error 225: Invalid schema change (UPLOAD");
    EXPECT_EQ(all[0].conflict.user, "a");
    EXPECT_EQ(shown(all[0].conflict), "set x 71");
    EXPECT_EQ(shown(all[1].conflict), "set x 70");
    EXPECT_EQ(all[2].conflict.object.class_name, "New");
    EXPECT_EQ(stored(1, "x"), "0");

    for (int i = 0; i < 3; ++i) { // it comes back and says the same
        crash(true);
        a.connect(world_.engine());
        b.connect(world_.engine());
        world_.exchange(devices_);
    }
    EXPECT_EQ(conflicts().size(), 3U);
    EXPECT_EQ(restore(all[2].number).error().code(), ErrorCode::invalid_argument);
    ASSERT_TRUE(restore(all[1].number));
    EXPECT_EQ(stored(1, "x"), "70");
    EXPECT_FALSE(conflicts()[0].came_later);
}

TEST_F(ConflictLog, what_was_refused_and_taken_later_cannot_be_restored) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    schema::Property text;
    text.name = "text";
    text.type = schema::PropertyType::string;
    write(a, [](ChangesetBuilder& out) {
        out.add_column("T", "text", {changeset::PayloadType::string, false, {}});
        out.update({"T", std::int64_t{1}, "x"}, std::int64_t{70});
    });
    world_.exchange(devices_);
    ASSERT_TRUE(a.error());
    ASSERT_EQ(conflicts().size(), 1U);
    server::sync::SyncModel grown = world_.model();
    grown.documents.schema.find("T")->add(text);
    ASSERT_TRUE(world_.engine().update_model(std::move(grown)));
    a.disconnect();
    a.connect(world_.engine());
    exchange();

    EXPECT_EQ(stored(1, "x"), "70");
    ASSERT_EQ(conflicts().size(), 1U);
    EXPECT_TRUE(conflicts()[0].came_later);
    EXPECT_NE(restore(conflicts()[0].number).error().message().find("it was taken"),
              std::string::npos);
}

TEST_F(ConflictLog, refused_writes_are_counted_whether_or_not_they_are_kept) {
    for (const std::int64_t keep_ms : {std::int64_t{0}, std::int64_t{1000 * 1000}}) {
        world_.options().conflicts.keep_ms = keep_ms;
        crash(true);
        world_.roles().roles["a"].classes["T"] = server::sync::ClassPermissions::read_only();
        create(device("a", "TRUEPREDICATE"), keep_ms, 1);
        exchange();
        EXPECT_EQ(world_.engine().statistics().refused_objects, 1U);
    }
}

TEST_F(ConflictLog, nothing_is_kept_when_it_is_off) {
    world_.options().conflicts.keep_ms = 0;
    crash(true);
    world_.roles().roles["a"].classes["T"] = server::sync::ClassPermissions::read_only();
    SyncDevice& a = device("a", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    EXPECT_TRUE(conflicts().empty());
}

} // namespace tombolo::sim
