// Devices of `tombolo sync` against a real tombolod that serves examples/field-notes.

#include <signal.h>

#include <cstdlib>

#include <gmock/gmock.h>

#include "cli/devices.hpp"

namespace tombolo::cli {
namespace {

using testing::HasSubstr;

constexpr const char* track_schema = R"({
    "title": "Track", "bsonType": "object", "required": ["_id", "country"],
    "properties": {"_id": {"bsonType": "objectId"}, "country": {"bsonType": "string"},
                   "points": {"bsonType": "array", "items": {"bsonType": "double"}}}
})";

TEST_F(Devices, two_of_them_converge_after_both_were_edited_apart) {
    const std::string ann = make_device("ann");
    make_device("bob");
    ASSERT_EQ(insert("ann", ann, "first").code, 0);
    ASSERT_EQ(sync("bob", "once").code, 0);
    const std::string note = only_note("bob");
    // Bob may read it only: what he writes comes back.
    const Output refused = sync("bob", "update", {"Note", note, R"({"text": "mine now"})"});
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.err, HasSubstr("the server undid the write to Note"));
    EXPECT_THAT(sync("bob", "show", {"Note", note}).out, HasSubstr("first"));

    ASSERT_EQ(
        sync("ann", "update", {"Note", note, R"({"$push": {"tags": "b"}, "$inc": {"visits": 2}})"})
            .code,
        0);
    ASSERT_EQ(sync("bob", "once").code, 0);
    EXPECT_THAT(sync("bob", "show", {"Note", note}).out,
                HasSubstr(R"("tags":["a","b"],"visits":2)"));
    ASSERT_EQ(sync("ann", "delete", {"Note", note}).code, 0);
    ASSERT_EQ(sync("bob", "once").code, 0);
    EXPECT_TRUE(sync("bob", "show", {"Note", "--json"}).objects().empty());
}

TEST_F(Devices, writes_wait_while_the_server_is_away) {
    const std::string ann = make_device("ann");
    here_.server().signal(SIGKILL);
    here_.server().wait_exit();
    const Output away = insert("ann", ann, "written in the dark");
    EXPECT_EQ(away.code, 0);
    EXPECT_THAT(away.err, HasSubstr("nothing answers"));
    EXPECT_THAT(away.err, HasSubstr("1 write waits"));
    EXPECT_EQ(sync("ann", "once").code, 1);
    EXPECT_THAT(sync("ann", "device").out, HasSubstr("(new)"));
    here_.restart();
    EXPECT_EQ(sync("ann", "once").code, 0);
    EXPECT_THAT(sync("ann", "device").out, HasSubstr("nothing waits"));
    make_device("bob");
    EXPECT_THAT(sync("bob", "show", {"Note"}).out, HasSubstr("written in the dark"));
}

TEST_F(Devices, one_whose_file_an_operator_resets_recovers_what_it_wrote) {
    const auto operate = [this](std::vector<std::string> words) {
        words.insert(words.begin(), "sync");
        words.insert(words.end(), {"--app", "field-notes-tmblo"});
        return here_.run(words);
    };
    const std::string ann = make_device("ann");
    make_device("bob");
    const auto files = operate({"devices", "--user", ann, "--json"}).objects();
    ASSERT_EQ(files.size(), 1U);
    const std::string file = std::to_string(files[0].at("file_ident").as_int64());
    ASSERT_EQ(operate({"pause"}).code, 0);
    EXPECT_EQ(insert("ann", ann, "written while paused").code, 0);

    ASSERT_EQ(operate({"reset-file", file}).code, 0);
    ASSERT_EQ(operate({"resume"}).code, 0);

    const Output told = sync("ann", "once");
    EXPECT_EQ(told.code, 1);
    EXPECT_THAT(told.err, HasSubstr("tombolo sync reset"));
    EXPECT_THAT(operate({"devices", "--user", ann}).out, HasSubstr("must reset"));
    const Output reset = sync("ann", "reset");
    EXPECT_EQ(reset.code, 0) << reset.err;
    ASSERT_EQ(sync("bob", "once").code, 0);
    EXPECT_THAT(sync("bob", "show", {"Note"}).out, HasSubstr("written while paused"));

    // One that will not come back is given up.
    const auto holding = operate({"devices", "--holding", "--json"}).objects();
    ASSERT_EQ(holding.size(), 2U);
    EXPECT_EQ(operate({"expire-device", "77", "--yes"}).code, 4);
    const std::string other = std::to_string(holding[0].at("file_ident").as_int64());
    EXPECT_EQ(operate({"expire-device", other, "--yes"}).code, 0);
    EXPECT_EQ(operate({"devices", "--holding", "--json"}).objects().size(), 1U);
    EXPECT_THAT(operate({"history"}).out, HasSubstr("clients may be offline for: 30 days"));
}

TEST_F(Devices, one_that_watches_shows_changes_and_comes_back_after_a_restart) {
    const std::string ann = make_device("ann");
    make_device("bob");
    auto watching = here_.command().start({"sync", "watch", "--device", path("bob"), "--json"});
    watching.wait_for("up to date");
    const Output busy = sync("bob", "once");
    EXPECT_EQ(busy.code, 1);
    EXPECT_THAT(busy.err, HasSubstr("in use"));
    ASSERT_EQ(insert("ann", ann, "seen").code, 0);
    watching.wait_for("seen");
    here_.server().signal(SIGTERM);
    here_.server().wait_exit();
    watching.wait_for("trying again");
    here_.restart();
    ASSERT_EQ(insert("ann", ann, "after").code, 0);
    watching.wait_for("after");
    watching.signal(SIGINT);
    const Output ended = watching.wait();
    EXPECT_EQ(ended.code, 0);
    EXPECT_EQ(ended.objects().at(0).at("change").as_string(), "inserted");
}

TEST_F(Devices, a_query_that_may_not_be_asked_is_refused_in_words) {
    make_device("ann");
    const Output refused = sync("ann", "subscribe", {"Note", "text == \"x\"", "--name", "bad"});
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.err, HasSubstr("not a queryable field"));
    EXPECT_THAT(refused.err, HasSubstr("tombolo sync unsubscribe"));
    EXPECT_EQ(sync("ann", "unsubscribe", {"bad"}).code, 0);
    EXPECT_EQ(sync("ann", "subscribe", {"Notes"}).code, 4);
}

TEST_F(Devices, a_reset_repeats_what_was_not_sent_or_drops_it) {
    const std::string ann = make_device("ann");
    ASSERT_EQ(insert("ann", ann, "on the server").code, 0);
    const std::string note = only_note("ann");
    ASSERT_EQ(insert("ann", ann, "only here", {"--offline"}).code, 0);
    ASSERT_EQ(
        sync("ann", "update", {"--offline", "Note", note, R"({"$push": {"tags": "b"}})"}).code, 0);
    const Output reset = sync("ann", "reset");
    EXPECT_EQ(reset.code, 0) << reset.err;
    EXPECT_THAT(reset.out, HasSubstr("repeated what waited of 2 objects"));
    make_device("bob");
    const std::string held = sync("bob", "show", {"Note"}).out;
    EXPECT_THAT(held, HasSubstr("only here"));
    EXPECT_THAT(held, HasSubstr(R"(["a","b"])"));

    ASSERT_EQ(insert("ann", ann, "to be dropped", {"--offline"}).code, 0);
    EXPECT_EQ(sync("ann", "reset", {"--discard", "--yes"}).code, 0);
    EXPECT_EQ(sync("ann", "show", {"Note", "--json"}).objects().size(), 2U);
}

TEST_F(Devices, a_file_of_writes_is_applied_line_by_line) {
    const std::string ann = make_device("ann");
    const std::string key = "65f0c0ffee00000000000001";
    const Output applied =
        sync("ann", "apply", {"-"},
             R"({"insert": "Note", "object": {"_id": {"$oid": ")" + key +
                 R"("}, "country": "IS", "author": ")" + ann + R"(", "text": "one"}}
{"update": "Note", "key": ")" +
                 key + R"(", "change": {"text": "two"}}
{"update": "Note", "key": "nonsense", "change": {"text": "three"}}
)");
    EXPECT_EQ(applied.code, 2);
    EXPECT_THAT(applied.err, HasSubstr("line 3"));
    EXPECT_EQ(sync("ann", "once").code, 0);
    make_device("bob");
    EXPECT_THAT(sync("bob", "show", {"Note", key}).out, HasSubstr("two"));
    EXPECT_EQ(sync("bob", "apply", {"-"}, R"({"delete": "City", "key": "65f0"})").code, 2);
}

TEST_F(Devices, a_class_that_the_app_does_not_have_is_refused_without_development_mode) {
    const std::string schema = here_.folder().write("track.json", track_schema);
    const Output refused =
        sync("ann", "sign-in", {"--app", "field-notes-tmblo", "--schema", schema});
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.err, HasSubstr("error 225"));
    EXPECT_THAT(refused.err, HasSubstr("tombolo sync dev-mode on"));
    EXPECT_EQ(sync("ann", "reset", {"--discard", "--yes"}).code, 0);
    EXPECT_EQ(sync("ann", "once").code, 0);
}

TEST(DevelopmentMode, a_device_brings_classes_of_its_own) {
    const TemporaryFolder folder;
    const std::string app = write_app(folder, "tracks");
    folder.write("tracks/sync/config.json", R"({
    "type": "flexible", "state": "enabled", "service_name": "mongodb-atlas",
    "database_name": "notes", "development_mode_enabled": true, "queryable_fields_names": []
})");
    const Installation here({"--app", app});
    const std::string device = folder.file("device");
    const auto id = here.run({"apps", "list", "--json"}).object().at("client_app_id").as_string();
    const std::string schema = folder.write("track.json", track_schema);
    const auto sync = [&](std::vector<std::string> words) {
        words.insert(words.begin(), "sync");
        words.insert(words.end(), {"--device", device, "--url", here.url()});
        return here.run(words);
    };
    const Output made = sync({"sign-in", "--app", std::string(id), "--schema", schema});
    ASSERT_EQ(made.code, 0) << made.err;
    ASSERT_EQ(sync({"subscribe", "Track"}).code, 0);
    const Output written = sync({"insert", "Track", R"({"country": "IS", "points": [1.5, 2]})"});
    EXPECT_EQ(written.code, 0) << written.err;
    const Output documents = here.run({"data", "export", "-d", "notes", "-c", "Track"});
    EXPECT_THAT(documents.out, HasSubstr(R"("points":[1.5,2.0])"));
}

TEST(TlsDevice, syncs_when_the_authority_is_trusted_and_says_so_when_it_is_not) {
    const TemporaryFolder folder;
    const std::string certificate = folder.file("cert.pem");
    const std::string key = folder.file("key.pem");
    ASSERT_EQ(std::system(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                           "-subj /CN=tombolo -addext subjectAltName=IP:127.0.0.1 -keyout " +
                           key + " -out " + certificate + " 2>/dev/null")
                              .c_str()),
              0);
    server::Tombolod server({"--data", folder.file("data"), "--listen", "127.0.0.1:0", "--app",
                             std::string(TOMBOLO_SOURCE) + "/examples/field-notes", "--tls-cert",
                             certificate, "--tls-key", key},
                            folder.file("output"));
    ASSERT_TRUE(server.wait_ready()) << server.output();
    CommandLine command(folder.path().string());
    command.set_environment("TOMBOLO_URL", "https://127.0.0.1:" + std::to_string(server.port()));
    command.set_environment("TOMBOLO_DEVICE", folder.file("device"));
    const std::vector<std::string> sign_in = {"sync", "sign-in", "--app", "field-notes-tmblo"};
    const Output untrusted = command.run(sign_in);
    EXPECT_NE(untrusted.code, 0);
    EXPECT_THAT(untrusted.err, HasSubstr("--ca-file"));
    command.set_environment("TOMBOLO_CA_FILE", certificate);
    const Output trusted = command.run(sign_in);
    EXPECT_EQ(trusted.code, 0) << trusted.err;
    const Output subscribed = command.run({"sync", "subscribe", "City"});
    EXPECT_EQ(subscribed.code, 0) << subscribed.err;
    EXPECT_THAT(command.run({"sync", "once"}).out, HasSubstr("up to date"));
}

TEST_F(Devices, other_files_and_wrong_credentials_are_refused) {
    here_.folder().write("foreign", "this is a letter to my aunt");
    const Output foreign = sync("foreign", "once");
    EXPECT_EQ(foreign.code, 1);
    EXPECT_THAT(foreign.err, HasSubstr("this is no file of a device"));
    EXPECT_EQ(read_file(path("foreign")), "this is a letter to my aunt");
    EXPECT_EQ(sync("nobody", "once").code, 4);
    const Output wrong = sync(
        "ann", "sign-in",
        {"--app", "field-notes-tmblo", "--email", "ann@example.org", "--password-stdin"}, "no");
    EXPECT_EQ(wrong.code, 3);
    EXPECT_THAT(wrong.err, HasSubstr("cannot sign in"));
}

} // namespace
} // namespace tombolo::cli
