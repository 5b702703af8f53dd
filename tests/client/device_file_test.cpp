#include "client/device_file.hpp"

#include <gtest/gtest.h>

#include "changeset/builder.hpp"
#include "support/temporary_folder.hpp"

namespace tombolo::client {
namespace {

changeset::Changeset classes() {
    changeset::ChangesetBuilder builder;
    builder.add_table("Note", changeset::TableKind::top_level, "_id",
                      changeset::PayloadType::integer, false);
    builder.add_column("Note", "text", {changeset::PayloadType::string, false});
    return builder.finish().value();
}

changeset::Changeset note(std::int64_t id, const std::string& text) {
    changeset::ChangesetBuilder builder;
    builder.create_object("Note", id);
    builder.update({"Note", id, "text"}, std::string_view(text));
    return builder.finish().value();
}

std::size_t notes(const Replica& replica) {
    return replica.state().find_class("Note")->objects.size();
}

TEST(DeviceFile, keeps_what_was_saved) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.device");
    {
        const auto file = DeviceFile::create(path, "mine").value();
        file->replica().write(classes(), 1).value();
        file->replica().write(note(1, "kept"), 2).value();
        file->save().value();
        file->replica().write(note(2, "not saved"), 3).value();
    }
    const auto file = DeviceFile::open(path).value();
    EXPECT_EQ(file->settings(), "mine");
    EXPECT_EQ(notes(file->replica()), 1U);
    EXPECT_EQ(file->replica().commits({}, file->replica().newest_version()).size(), 2U);
}

TEST(DeviceFile, is_open_in_one_place_at_a_time) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.device");
    auto first = DeviceFile::create(path, "").value();
    EXPECT_EQ(DeviceFile::open(path).error().code(), ErrorCode::unavailable);
    EXPECT_EQ(DeviceFile::create(path, "").error().code(), ErrorCode::already_exists);
    first.reset();
    EXPECT_TRUE(DeviceFile::open(path));
    EXPECT_EQ(DeviceFile::open(folder.file("b.device")).error().code(), ErrorCode::not_found);
}

TEST(DeviceFile, an_interrupted_write_is_cut_off_and_said) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.device");
    {
        const auto file = DeviceFile::create(path, "").value();
        file->replica().write(classes(), 1).value();
        file->save().value();
        file->replica().write(note(1, "torn"), 2).value();
        file->save().value();
    }
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 3);
    {
        const auto file = DeviceFile::open(path).value();
        EXPECT_GT(file->cut_bytes(), 0U);
        EXPECT_EQ(notes(file->replica()), 0U);
        file->replica().write(note(2, "after"), 3).value();
        file->save().value();
    }
    const auto file = DeviceFile::open(path).value();
    EXPECT_EQ(file->cut_bytes(), 0U);
    EXPECT_EQ(notes(file->replica()), 1U);
}

TEST(DeviceFile, a_long_log_is_replaced_by_what_it_says) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.device");
    const std::string text(100'000, 'x');
    {
        const auto file = DeviceFile::create(path, "mine").value();
        file->replica().write(classes(), 1).value();
        for (std::int64_t i = 0; i < 100; ++i) {
            changeset::ChangesetBuilder builder;
            if (i > 0) {
                builder.erase_object("Note", i - 1);
            }
            file->replica().write(builder.finish().value(), 2).value();
            file->replica().write(note(i, text), 2).value();
            file->save().value();
        }
    }
    const auto file = DeviceFile::open(path).value();
    EXPECT_EQ(notes(file->replica()), 1U);
    EXPECT_EQ(file->settings(), "mine");
}

TEST(DeviceFile, begins_again_with_another_replica) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.device");
    {
        const auto file = DeviceFile::create(path, "mine").value();
        file->replica().write(classes(), 1).value();
        file->replica().write(note(1, "old"), 2).value();
        file->save().value();
        Replica fresh;
        fresh.subscribe({{"Note", "TRUEPREDICATE"}});
        file->replace(std::move(fresh)).value();
        file->replica().write(classes(), 3).value();
        file->save().value();
    }
    const auto file = DeviceFile::open(path).value();
    EXPECT_EQ(notes(file->replica()), 0U);
    EXPECT_EQ(file->replica().newest_subscriptions().value, 1);
}

} // namespace
} // namespace tombolo::client
