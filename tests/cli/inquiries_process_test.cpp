// What an operator asks at night: where a write went, why a device does not have a document, what a
// restored backup does to devices.

#include <signal.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "cli/devices.hpp"

namespace tombolo::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(Devices, what_they_lose_is_listed_and_comes_back) {
    const std::string ann = make_device("ann");
    ASSERT_EQ(insert("ann", ann, "first").code, 0);
    const std::string note = only_note("ann");
    make_device("bob");
    EXPECT_EQ(sync("bob", "update", {"Note", note, R"({"text": "bob was here"})"}).code, 1);

    const Output listed = here_.run({"sync", "conflicts", "--object", "Note/" + note});
    EXPECT_EQ(listed.code, 0) << listed.err;
    EXPECT_THAT(listed.out, HasSubstr("refused: the role may not write the document"));
    EXPECT_THAT(listed.out, HasSubstr("set text to \"bob was here\""));
    EXPECT_THAT(here_.run({"sync", "conflicts", "--user", ann}).err, HasSubstr("no upload"));
    const auto conflict = here_.run({"sync", "conflicts", "--json"}).object().at("id").as_int64();

    const Output restored = here_.run({"sync", "restore-conflict", std::to_string(conflict)});
    EXPECT_EQ(restored.code, 0) << restored.err;
    ASSERT_EQ(sync("ann", "once").code, 0);
    EXPECT_THAT(sync("ann", "show", {"Note", note}).out, HasSubstr("bob was here"));
    EXPECT_THAT(here_.run({"sync", "conflicts"}).out, HasSubstr("restored by admin"));
    EXPECT_EQ(here_.run({"sync", "restore-conflict", "4711"}).code, 4);
}

TEST_F(Devices, it_is_explained_why_they_have_a_document_or_not) {
    const std::string ann = make_device("ann");
    ASSERT_EQ(insert("ann", ann, "first").code, 0);
    const std::string object = "Note/" + only_note("ann");
    const std::string bob = make_device("bob");
    const auto explain = [&](const std::string& user, const std::string& what) {
        return here_.run({"sync", "explain", "--user", user, "--object", what});
    };
    const Output held = explain(ann, object);
    EXPECT_EQ(held.code, 0) << held.err;
    EXPECT_THAT(held.out, HasSubstr("The document exists and can be synced"));
    EXPECT_THAT(held.out, HasSubstr("This document it may read and write"));
    EXPECT_THAT(held.out, HasSubstr("It holds the document as it is"));
    EXPECT_THAT(explain(bob, object).out, HasSubstr("This document it may read, not write"));

    ASSERT_EQ(sync("ann", "update", {"Note", object.substr(5), R"({"text": "newer"})"}).code, 0);
    EXPECT_THAT(explain(bob, object).out, HasSubstr("It holds an older state of the document"));
    ASSERT_EQ(sync("ann", "update", {"Note", object.substr(5), R"({"country": "NO"})"}).code, 0);
    EXPECT_THAT(explain(bob, object).out,
                HasSubstr("is told to drop it when it connects: its subscription (country == "
                          "\"IS\") does not match the document"));
    ASSERT_EQ(sync("bob", "once").code, 0);
    ASSERT_EQ(sync("bob", "once").code, 0); // says what it has by now
    EXPECT_THAT(explain(bob, object).out, HasSubstr("It does not hold the document: its sub"));
    EXPECT_THAT(explain("65f0c0ffee00000000000002", object).out,
                HasSubstr("There is no such user"));
    EXPECT_THAT(explain(ann, "Note/65f0c0ffee00000000000009").out,
                HasSubstr("The document does not exist"));
    EXPECT_EQ(explain(ann, "Note/seven").code, 1);
    EXPECT_EQ(explain(ann, "Boat/7").code, 4);
}

TEST_F(Devices, a_restored_backup_resets_those_that_saw_more_and_no_others) {
    const std::string ann = make_device("ann");
    ASSERT_EQ(insert("ann", ann, "before the backup").code, 0);
    make_device("bob");
    ASSERT_EQ(sync("bob", "once").code, 0);
    ASSERT_EQ(here_.run({"server", "backup"}).code, 0);
    ASSERT_EQ(insert("ann", ann, "after the backup").code, 0);
    ASSERT_EQ(insert("ann", ann, "waits on the device", {"--offline"}).code, 0);

    here_.server().signal(SIGTERM);
    here_.server().wait_exit();
    namespace fs = std::filesystem;
    const fs::path data = here_.data_folder();
    fs::rename(data, data.string() + ".lost");
    const Output restored =
        here_.run({"server", "restore", data.string() + ".lost/backups", "--data", data.string(),
                   "--master-key", data.string() + ".lost/master.key"});
    ASSERT_EQ(restored.code, 0) << restored.err;
    EXPECT_THAT(restored.out, HasSubstr("saw newer data"));
    here_.restart();

    // Bob had seen nothing newer: he goes on.
    EXPECT_EQ(sync("bob", "once").code, 0);
    const Output told = sync("ann", "once");
    EXPECT_EQ(told.code, 1);
    EXPECT_THAT(told.err, HasSubstr("reset"));
    const Output reset = sync("ann", "reset");
    EXPECT_EQ(reset.code, 0) << reset.err;
    const std::string held = sync("ann", "show", {"Note"}).out;
    EXPECT_THAT(held, HasSubstr("before the backup"));
    EXPECT_THAT(held, HasSubstr("waits on the device"));
    // It had been acknowledged, so the device did not keep it as a write of its own.
    EXPECT_THAT(held, Not(HasSubstr("after the backup")));
    ASSERT_EQ(sync("bob", "once").code, 0);
    EXPECT_EQ(sync("bob", "show", {"Note"}).out, held);
}

} // namespace
} // namespace tombolo::cli
