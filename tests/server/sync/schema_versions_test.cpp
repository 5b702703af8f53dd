// Several generations of clients at once (device-sync-server.md 2.5).

#include <string>

#include <gtest/gtest.h>

#include "scenario.hpp"
#include "server/sync/engine/schema_versions.hpp"

namespace tombolo::sim {

namespace {

using changeset::PayloadType;
using protocol::SyncErrorCode;
using schema::ClassKind;
using schema::ClassSchema;
using schema::CollectionKind;
using schema::DocumentSchema;
using schema::Property;
using schema::PropertyType;
using server::sync::SyncModel;

Property field(const char* name, PropertyType type, bool nullable = false,
               CollectionKind collection = CollectionKind::none) {
    Property made;
    made.name = name;
    made.type = type;
    made.nullable = nullable;
    made.collection = collection;
    return made;
}

ClassSchema with_key(const char* name) {
    ClassSchema made(name, ClassKind::top_level);
    Property key = field("_id", PropertyType::integer);
    key.primary_key = true;
    made.add(key);
    return made;
}

// Version 0: T {note?, old, count (int)}, Gone. Version 1: T {note, fresh?, count (string)}.
DocumentSchema version_0(const std::string& database) {
    DocumentSchema out;
    ClassSchema top = with_key("T");
    top.add(field("note", PropertyType::string, true))
        .add(field("old", PropertyType::string))
        .add(field("count", PropertyType::integer));
    ClassSchema gone = with_key("Gone");
    gone.add(field("x", PropertyType::integer, true));
    out.schema.add(std::move(top));
    out.schema.add(std::move(gone));
    out.places["T"] = {"source", database, "T"};
    out.places["Gone"] = {"source", database, "Gone"};
    return out;
}

DocumentSchema version_1(const std::string& database) {
    DocumentSchema out;
    ClassSchema top = with_key("T");
    top.add(field("note", PropertyType::string))
        .add(field("fresh", PropertyType::integer, true))
        .add(field("count", PropertyType::string, true));
    out.schema.add(std::move(top));
    out.places["T"] = {"source", database, "T"};
    return out;
}

SyncModel at_version_0(const std::string& database) {
    SyncModel model;
    model.documents = version_0(database);
    model.queryable.global = {"note", "old"};
    model.data_source = "source";
    model.database = database;
    return model;
}

SyncModel at_version_1(const std::string& database) {
    SyncModel model = at_version_0(database);
    model.older.push_back({0, std::move(model.documents)});
    model.documents = version_1(database);
    model.schema_version = 1;
    return model;
}

class SchemaVersions : public SyncScenario {
  protected:
    SchemaVersions() : SyncScenario(11, at_version_0(fresh_database())) {}

    SyncDevice& device(const std::string& user, std::uint64_t version, const char* body) {
        SyncDevice& added = connect(user, version);
        added.subscribe(body);
        exchange();
        return added;
    }
    void move_on() {
        ASSERT_TRUE(world_.engine().update_model(at_version_1(database_)));
        world_.settle();
        exchange();
    }
    template <class Edit>
    void write(SyncDevice& by, Edit edit) {
        SyncScenario::write(by, edit);
        exchange();
    }
    static void create(ChangesetBuilder& out, std::int64_t key, const char* old) {
        out.create_object("T", key);
        out.update({"T", key, "old"}, old);
        out.update({"T", key, "count"}, std::int64_t{7});
    }
    static const Value* value(const SyncDevice& of, std::int64_t key, const char* name) {
        const Object* object = of.state().find_object("T", key);
        return object == nullptr ? nullptr : object->fields.find(name);
    }
    static std::string text(const SyncDevice& of, std::int64_t key, const char* name) {
        const Value* found = value(of, key, name);
        return found == nullptr ? "nothing" : to_text(*found);
    }
};

constexpr const char* all_of_0 = R"q({"T":"(TRUEPREDICATE)","Gone":"(TRUEPREDICATE)"})q";
constexpr const char* all_of_1 = R"q({"T":"(TRUEPREDICATE)"})q";

} // namespace

TEST_F(SchemaVersions, each_version_sees_its_own_classes_and_fields) {
    SyncDevice& old = device("a", 0, all_of_0);
    write(old, [](ChangesetBuilder& out) {
        create(out, 1, "x");
        out.create_object("Gone", std::int64_t{1});
    });
    move_on();
    SyncDevice& fresh = device("b", 1, all_of_1);
    ASSERT_NE(fresh.state().find_object("T", std::int64_t{1}), nullptr);
    EXPECT_EQ(text(fresh, 1, "note"), "\"\"") << "null where version 1 requires a value";
    EXPECT_EQ(value(fresh, 1, "old"), nullptr);
    EXPECT_EQ(text(fresh, 1, "count"), "null") << "an integer, where version 1 has a string";
    EXPECT_EQ(fresh.state().find_class("Gone"), nullptr);

    // What either writes reaches the other as far as it can be shown there.
    write(fresh, [](ChangesetBuilder& out) {
        out.update({"T", std::int64_t{1}, "note"}, "from 1");
        out.update({"T", std::int64_t{1}, "fresh"}, std::int64_t{5});
    });
    EXPECT_EQ(text(old, 1, "note"), "\"from 1\"");
    EXPECT_EQ(text(old, 1, "old"), "\"x\"");
    write(old, [](ChangesetBuilder& out) {
        out.update({"T", std::int64_t{1}, "note"}, PayloadType::null);
        out.update({"T", std::int64_t{1}, "old"}, "y");
    });
    EXPECT_EQ(text(fresh, 1, "note"), "\"\"");
    EXPECT_EQ(text(fresh, 1, "fresh"), "5");
    write(old, [](ChangesetBuilder& out) {
        out.update({"Gone", std::int64_t{1}, "x"}, std::int64_t{2});
    });
    EXPECT_TRUE(old.rejections().empty());
}

TEST_F(SchemaVersions, concurrent_edits_of_both_versions_converge) {
    SyncDevice& old = device("a", 0, all_of_0);
    write(old, [](ChangesetBuilder& out) { create(out, 1, "x"); });
    move_on();
    SyncDevice& fresh = device("b", 1, all_of_1);
    fresh.disconnect();
    write(fresh, [](ChangesetBuilder& out) {
        out.update({"T", std::int64_t{1}, "note"}, "later");
    });
    write(old, [](ChangesetBuilder& out) { out.update({"T", std::int64_t{1}, "note"}, "latest"); });
    fresh.connect(world_.engine());
    exchange();
    EXPECT_EQ(text(old, 1, "note"), "\"latest\"");
    EXPECT_EQ(text(fresh, 1, "note"), "\"latest\"");
}

TEST_F(SchemaVersions, an_object_made_by_one_version_is_whole_for_the_other) {
    SyncDevice& old = device("a", 0, all_of_0);
    move_on();
    SyncDevice& fresh = device("b", 1, all_of_1);
    write(fresh, [](ChangesetBuilder& out) {
        out.create_object("T", std::int64_t{2});
        out.update({"T", std::int64_t{2}, "note"}, "n");
    });
    EXPECT_EQ(text(old, 2, "note"), "\"n\"");
    SyncDevice& late = device("c", 0, all_of_0);
    EXPECT_EQ(text(late, 2, "note"), "\"n\"");
    EXPECT_EQ(text(late, 2, "old"), "\"\"");
}

TEST_F(SchemaVersions, b8_an_unknown_version_is_235) {
    SyncDevice& old = device("a", 0, all_of_0);
    old.set_schema_version(3);
    old.connect(world_.engine());
    ASSERT_TRUE(old.error());
    EXPECT_EQ(old.error()->code, SyncErrorCode::bad_schema_version);
    EXPECT_FALSE(world_.engine().serves(3));
    move_on();
    EXPECT_TRUE(world_.engine().serves(0));
    EXPECT_TRUE(world_.engine().serves(1));
}

TEST_F(SchemaVersions, b9_another_version_than_the_files_is_236_and_the_file_goes_on) {
    SyncDevice& old = device("a", 0, all_of_0);
    write(old, [](ChangesetBuilder& out) { create(out, 1, "x"); });
    move_on();
    old.set_schema_version(1);
    for (std::size_t times = 1; times <= 2; ++times) {
        old.connect(world_.engine());
        exchange();
        ASSERT_EQ(old.announcements().size(), times);
        EXPECT_EQ(old.announcements().back().body.previous_schema_version, 0U);
    }
    write(old, [](ChangesetBuilder& out) { out.update({"T", std::int64_t{1}, "old"}, "z"); });
    EXPECT_FALSE(old.has_pending());
    old.set_schema_version(0);
    old.connect(world_.engine());
    exchange();
    EXPECT_EQ(old.announcements().size(), 2U);
}

TEST_F(SchemaVersions, b10_a_new_file_of_any_version_is_not_told_to_migrate) {
    move_on();
    EXPECT_TRUE(device("a", 0, all_of_0).announcements().empty());
    EXPECT_TRUE(device("b", 1, all_of_1).announcements().empty());
}

TEST_F(SchemaVersions, versions_are_there_after_a_crash) {
    SyncDevice& old = device("a", 0, all_of_0);
    write(old, [](ChangesetBuilder& out) { create(out, 1, "x"); });
    move_on();
    world_.options().model = at_version_1(database_);
    old.disconnect();
    crash(true);
    SyncDevice& fresh = device("b", 1, all_of_1);
    write(fresh, [](ChangesetBuilder& out) { out.update({"T", std::int64_t{1}, "note"}, "n"); });
    old.connect(world_.engine());
    exchange();
    EXPECT_EQ(text(old, 1, "note"), "\"n\"");
}

TEST_F(SchemaVersions, the_next_version_must_know_the_one_before) {
    SyncModel stranger = at_version_1(database_);
    stranger.older.clear();
    EXPECT_EQ(world_.engine().update_model(std::move(stranger)).error().code(),
              ErrorCode::incompatible_schema);
}

TEST(SchemaVersionRules, a_field_of_another_type_is_the_newest_versions) {
    const DocumentSchema oldest = version_0("d");
    DocumentSchema whole = version_1("d");
    server::sync::unite(whole, oldest);
    EXPECT_EQ(whole.schema.find("T", "count")->type, PropertyType::string);
    EXPECT_TRUE(whole.schema.find("T", "note")->nullable);
    EXPECT_TRUE(whole.schema.find("T", "old")->nullable) << "version 1 makes objects without it";
    EXPECT_NE(whole.schema.find("Gone"), nullptr);
    const DocumentSchema shown = server::sync::narrow(oldest, whole);
    EXPECT_EQ(shown.schema.find("T", "count"), nullptr);
    EXPECT_NE(shown.schema.find("T", "old"), nullptr);
}

} // namespace tombolo::sim
