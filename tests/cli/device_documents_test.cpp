#include "cli/device/device_documents.hpp"

#include <gmock/gmock.h>

#include "changeset/changeset.hpp"
#include "changeset/memory_applier.hpp"
#include "cli/device/change_collector.hpp"
#include "cli/device/device_reset.hpp"

namespace tombolo::cli {
namespace {

using changeset::Changeset;
using changeset::ChangesetBuilder;
using changeset::CollectionKind;
using changeset::Opcode;
using changeset::PayloadType;
using testing::HasSubstr;

Changeset classes() {
    ChangesetBuilder builder;
    builder.add_embedded_table("Point");
    builder.add_table("Note", changeset::TableKind::top_level, "_id", PayloadType::object_id,
                      false);
    builder.add_column("Point", "coordinates", {PayloadType::float64, false, CollectionKind::list});
    builder.add_column("Note", "text", {PayloadType::string, false});
    builder.add_column("Note", "visits", {PayloadType::integer, false});
    builder.add_column("Note", "tags", {PayloadType::string, false, CollectionKind::list});
    builder.add_column("Note", "loc", {PayloadType::link, true, CollectionKind::single, "Point"});
    return builder.finish().value();
}

class Documents : public testing::Test {
  protected:
    Documents() { replica_.write(classes(), 1).value(); }

    DeviceDocuments documents() const { return DeviceDocuments(replica_.state()); }

    ObjectName insert(const std::string& json) {
        ChangesetBuilder builder;
        ObjectName made = documents().insert(builder, "Note", json, random_, 1'700'000'000).value();
        replica_.write(builder.finish().value(), 2).value();
        return made;
    }

    Changeset update(const ObjectName& object, const std::string& change) {
        ChangesetBuilder builder;
        documents().update(builder, object, change).value();
        Changeset made = builder.finish().value();
        replica_.write(made, 3).value();
        return made;
    }

    client::Replica replica_;
    SeededRandom random_{1};
};

TEST_F(Documents, a_new_object_gets_a_key_and_numbers_that_fit) {
    const ObjectName made =
        insert(R"({"visits": 0, "text": "a", "tags": ["x"], "loc": {"coordinates": [-22, 64.5]}})");
    const std::string json = documents().json("Note", made.key).value();
    EXPECT_THAT(json, HasSubstr(R"("coordinates":[-22.0,64.5])"));
    EXPECT_THAT(json, HasSubstr(R"("visits":0)"));
    const std::string id = std::get<ObjectId>(made.key).to_string();
    EXPECT_EQ(documents().parse_key("Note", id).value(), made.key);
    EXPECT_EQ(documents().parse_key("Note", R"({"$oid": ")" + id + "\"}").value(), made.key);
}

TEST_F(Documents, what_does_not_fit_is_refused_with_the_field) {
    ChangesetBuilder builder;
    const auto error = [&](const std::string& json) {
        const auto made = documents().insert(builder, "Note", json, random_, 1);
        return made ? std::string() : made.error().message();
    };
    EXPECT_THAT(error(R"({"visits": 0, "text": 5})"),
                HasSubstr("(root).text: expected string, found int"));
    EXPECT_THAT(error(R"({"texts": "a"})"), HasSubstr("no field texts"));
    EXPECT_FALSE(error("{").empty());
    EXPECT_FALSE(error(R"({"_id": 5, "text": "a"})").empty());
    EXPECT_THAT(documents().class_named("Nota").error().message(), HasSubstr("it knows Note"));
    EXPECT_EQ(documents().class_named("Point").error().code(), ErrorCode::not_found);
    EXPECT_EQ(builder.size(), 0U);
}

TEST_F(Documents, an_update_says_only_what_has_changed) {
    const ObjectName note = insert(R"({"visits": 0, "text": "a", "tags": ["x", "y"]})");
    const Changeset made =
        update(note, R"({"$push": {"tags": "z"}, "$inc": {"visits": 2}, "$set": {"text": "a"}})");
    ASSERT_EQ(made.instructions().size(), 2U);
    EXPECT_EQ(made.instructions()[0].op, Opcode::add_integer);
    EXPECT_EQ(made.instructions()[1].op, Opcode::array_insert);
    EXPECT_TRUE(update(note, R"({"text": "a"})").empty());
    EXPECT_THAT(documents().json("Note", note.key).value(),
                HasSubstr(R"("visits":2,"tags":["x","y","z"])"));
}

TEST_F(Documents, a_recovery_repeats_fields_and_names_what_is_lost) {
    changeset::MemoryState server;
    changeset::MemoryApplier applier(server);
    changeset::apply(classes(), applier).value();
    const ObjectName both = insert(R"({"visits": 0, "text": "old", "tags": ["x"]})");
    const ObjectName gone = insert(R"({"visits": 0, "text": "gone on the server"})");
    for (const client::LocalCommit* commit : replica_.commits({}, replica_.newest_version())) {
        if (!changeset::is_schema_instruction(commit->reciprocal.instructions()[0].op)) {
            changeset::apply(commit->reciprocal, applier).value();
        }
    }
    // From here on the server has not heard.
    protocol::Download header;
    header.progress.download = {protocol::ServerVersion{5}, replica_.newest_version()};
    header.progress.upload = {replica_.newest_version(), protocol::ServerVersion{5}};
    replica_.integrate(header, {}).value();
    update(both, R"({"$push": {"tags": "y"}})");
    update(gone, R"({"text": "too late"})");
    const ObjectName fresh = insert(R"({"visits": 0, "text": "only here"})");
    server.classes["Note"].objects.erase(gone.key);
    server.classes["Note"].objects[both.key].fields.set("text", Value("new on the server"));

    const Recovery recovery = recover(replica_, server).value();
    ASSERT_EQ(recovery.lost.size(), 1U);
    EXPECT_THAT(recovery.lost[0], HasSubstr("does not have it any more"));
    changeset::apply(recovery.changeset, applier).value();
    const DeviceDocuments after(server);
    EXPECT_THAT(after.json("Note", both.key).value(), HasSubstr("new on the server"));
    EXPECT_THAT(after.json("Note", both.key).value(), HasSubstr(R"(["x","y"])"));
    EXPECT_THAT(after.json("Note", fresh.key).value(), HasSubstr("only here"));
    EXPECT_FALSE(after.json("Note", gone.key));
}

TEST_F(Documents, changes_are_collected_by_what_became_of_each_object) {
    const ObjectName kept = insert(R"({"visits": 0, "text": "a"})");
    ChangeCollector collector;
    ChangesetBuilder builder;
    const ObjectId brief = ObjectId::parse("65f0c0ffee00000000000001").value();
    const ObjectId lasting = ObjectId::parse("65f0c0ffee00000000000002").value();
    builder.create_object("Note", brief);
    builder.create_object("Note", lasting);
    builder.update({"Note", lasting, "text"}, "new");
    builder.update({"Note", to_view(kept.key), "visits"}, std::int64_t{9});
    builder.erase_object("Note", brief);
    const Changeset changeset = builder.finish().value();
    collector.before_remote(changeset, replica_.state());
    replica_.write(changeset, 9).value();
    const std::vector<ObjectChange> changes = collector.take(replica_.state());
    ASSERT_EQ(changes.size(), 2U);
    for (const ObjectChange& each : changes) {
        const bool is_kept = each.key == kept.key;
        EXPECT_EQ(each.kind, is_kept ? ObjectChange::Kind::updated : ObjectChange::Kind::inserted);
        EXPECT_EQ(each.fields.contains("visits"), is_kept);
    }
    EXPECT_TRUE(collector.take(replica_.state()).empty());
}

} // namespace
} // namespace tombolo::cli
