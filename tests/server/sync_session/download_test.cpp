// "A server must" of sync-protocol.md 11, over sockets: bootstraps, steady state, MARK, UPLOAD.

#include <gtest/gtest.h>

#include "server/http/raw_client.hpp"
#include "server/sync_session/script.hpp"

namespace tombolo::server {
namespace {

using changeset::ChangesetBuilder;
using changeset::Opcode;
using protocol::BatchState;
using protocol::SaltedFileIdent;
using protocol::SyncErrorCode;
using protocol::SyncProgress;

constexpr const char* all_items = R"j({"Item":"(TRUEPREDICATE)"})j";
constexpr const char* urgent_items = R"j({"Item":"(priority > 5)"})j";

// Has the file upload changesets, one a message, and waits for the acknowledgements.
void write(Script& script, const std::vector<changeset::Changeset>& changesets) {
    for (const changeset::Changeset& one : changesets) {
        const std::uint64_t base = script.progress().download.server.value;
        const std::uint64_t version = script.progress().upload.client.value + 10;
        script.upload({{version, base, one}}, {{version}, {base}}, base);
        script.downloads_until_uploaded(version);
    }
}

changeset::Changeset set_priority(std::int64_t id, std::int64_t value) {
    ChangesetBuilder builder;
    builder.update({"Item", id, "priority"}, value);
    return builder.finish().value();
}

TEST_F(ServerMust, s11_send_a_download_in_every_binding) {
    Script script(server_, server_.log_in());
    const SaltedFileIdent file = script.open_file(all_items);
    const SyncProgress progress = script.progress();
    script.unbind();
    script.expect_unbound();
    script.bind(false);
    script.ident(file, progress, 1, all_items);
    const ScriptDownload download = script.download();
    EXPECT_EQ(download.state, BatchState::steady);
    EXPECT_EQ(download.query_version.value, 1);
}

TEST_F(ServerMust, s15_s16_bootstrap_version_0_of_a_new_file_with_a_changeset) {
    Script script(server_, server_.log_in());
    const SaltedFileIdent file = script.bind_new();
    script.ident(file);
    script.mark(1);
    const auto downloads = script.downloads_until_mark(1);
    ASSERT_FALSE(downloads.empty());
    EXPECT_EQ(downloads.front().query_version.value, 0);
    EXPECT_EQ(downloads.front().state, BatchState::bootstrap_last);
    ASSERT_FALSE(downloads.front().entries.empty());
    EXPECT_EQ(downloads.front().count(Opcode::add_table, "Item"), 1u);
    // S37.
    for (const ScriptDownload& one : downloads) {
        EXPECT_EQ(one.progress.latest.version, one.progress.download.server);
        EXPECT_NE(one.progress.latest.salt.value, 0);
    }
}

TEST_F(ServerMust, s15_send_a_changeset_even_when_nothing_matches) {
    Script script(server_, server_.log_in());
    script.open_file(all_items);
    for (std::int64_t version = 2; version < 5; ++version) {
        script.query(version, version % 2 == 0 ? "{}" : all_items);
        script.mark(static_cast<std::uint64_t>(version) + 10);
        const auto downloads =
            script.downloads_until_mark(static_cast<std::uint64_t>(version) + 10);
        std::size_t entries = 0;
        bool finished = false;
        for (const ScriptDownload& one : downloads) {
            if (one.query_version.value == version && one.state != BatchState::steady) {
                entries += one.entries.size();
                finished = finished || one.state == BatchState::bootstrap_last;
            }
        }
        EXPECT_TRUE(finished);
        EXPECT_GE(entries, 1u);
    }
}

TEST_F(ServerMust, s12_s13_s14_acknowledge_an_upload_and_send_it_to_others_only) {
    Script ann(server_, server_.log_in());
    const SaltedFileIdent ann_file = ann.open_file(all_items);
    Script bob(server_, server_.log_in());
    bob.open_file(all_items);
    const std::uint64_t base = ann.progress().download.server.value;
    ann.upload({{9, base, item(1, "one", "ann", 3)}}, {{9}, {base}}, base);
    for (const ScriptDownload& one : ann.downloads_until_uploaded(9)) {
        EXPECT_EQ(one.count(Opcode::create_object, "Item"), 0u);
    }
    const ScriptDownload got = bob.download();
    EXPECT_EQ(got.count(Opcode::create_object, "Item"), 1u);
    ASSERT_EQ(got.entries.size(), 1u);
    EXPECT_EQ(got.entries[0].origin, ann_file.ident);
    EXPECT_GT(got.entries[0].server_version.value, base);
}

TEST_F(ServerMust, s17_bootstrap_queries_in_order_and_answer_the_newest_mark) {
    Script script(server_, server_.log_in());
    const SaltedFileIdent file = script.bind_new();
    script.ident(file);
    script.mark(1);
    script.query(1, all_items);
    script.mark(2);
    script.query(4, urgent_items);
    script.mark(3);
    // 1 and 2 may be answered or skipped; 3 comes after the bootstrap of 4.
    std::int64_t last_version = -1;
    for (;;) {
        const auto answer = script.wire().receive();
        if (const auto* mark = answer.as<protocol::Mark>()) {
            if (mark->request.value == 3) {
                break;
            }
            continue;
        }
        const auto* download = answer.as<protocol::Download>();
        ASSERT_NE(download, nullptr) << answer.head();
        EXPECT_GE(download->query_version.value, last_version);
        last_version = download->query_version.value;
    }
    EXPECT_EQ(last_version, 4);
}

TEST_F(ServerMust, s18_s29_erase_what_leaves_and_keep_what_stays) {
    Script writer(server_, server_.log_in());
    writer.open_file(all_items);
    write(writer, {item(1, "stays", "a", 9), item(2, "leaves", "a", 1)});
    Script script(server_, server_.log_in());
    script.open_file(all_items);
    script.query(2, urgent_items);
    script.mark(3);
    std::size_t erased = 0;
    for (const ScriptDownload& one : script.downloads_until_mark(3)) {
        for (const auto& changeset : one.changesets()) {
            for (const auto& instruction : changeset.instructions()) {
                if (instruction.op == Opcode::erase_object) {
                    ++erased;
                    EXPECT_EQ(std::get<std::int64_t>(changeset.object(instruction)), 2);
                }
                EXPECT_NE(instruction.op, Opcode::create_object);
            }
        }
    }
    EXPECT_EQ(erased, 1u);
    // A data change moves an object out, and back in.
    write(writer, {set_priority(1, 2)});
    EXPECT_EQ(script.download().count(Opcode::erase_object, "Item"), 1u);
    write(writer, {set_priority(1, 8)});
    const ScriptDownload back = script.download();
    EXPECT_EQ(back.count(Opcode::create_object, "Item"), 1u);
    // S43: what is outside the view is not mentioned.
    write(writer, {set_priority(2, 3)});
    script.mark(4);
    for (const ScriptDownload& one : script.downloads_until_mark(4)) {
        EXPECT_TRUE(one.entries.empty());
    }
}

TEST_F(ServerMust, s19_s35_send_large_bootstraps_in_batches_without_steady_state_between) {
    Script writer(server_, server_.log_in());
    writer.open_file(all_items);
    const std::string text(100'000, 'x');
    for (std::int64_t id = 0; id < 40; ++id) {
        write(writer, {item(id, text + std::to_string(id * 7919), "a", 9)});
    }
    Script script(server_, server_.log_in());
    const SaltedFileIdent file = script.bind_new();
    script.ident(file);
    script.mark(1);
    script.downloads_until_mark(1);
    script.query(1, all_items);
    script.mark(2);
    std::vector<ScriptDownload> batches;
    for (ScriptDownload& one : script.downloads_until_mark(2)) {
        if (one.state != BatchState::steady) {
            batches.push_back(std::move(one));
        }
    }
    ASSERT_GT(batches.size(), 2u);
    std::size_t created = 0;
    std::int32_t estimate = 0;
    for (std::size_t i = 0; i < batches.size(); ++i) {
        EXPECT_EQ(batches[i].state, i + 1 == batches.size() ? BatchState::bootstrap_last
                                                            : BatchState::bootstrap_more);
        EXPECT_EQ(batches[i].progress.download, batches.back().progress.download);
        EXPECT_GE(batches[i].estimate.ten_thousandths, estimate);
        estimate = batches[i].estimate.ten_thousandths;
        std::size_t bytes = 0;
        for (const auto& entry : batches[i].entries) {
            EXPECT_LE(entry.changeset.size(), std::size_t{2} << 20);
            bytes += entry.changeset.size();
        }
        EXPECT_LE(bytes, std::size_t{3} << 20);
        created += batches[i].count(Opcode::create_object, "Item");
    }
    EXPECT_EQ(created, 40u);
    EXPECT_EQ(estimate, 10'000);
}

TEST_F(ServerMust, s20_s21_answer_mark_with_nothing_to_say_and_after_a_query_error) {
    Script script(server_, server_.log_in());
    script.open_file(all_items);
    for (std::uint64_t request = 3; request < 6; ++request) {
        script.mark(request);
        script.downloads_until_mark(request);
    }
    // S27.
    script.query(2, R"j({"Item":"(nobody == 1)"})j");
    script.mark(6);
    const auto answer = script.wire().receive();
    const auto* error = answer.as<protocol::QueryError>();
    ASSERT_NE(error, nullptr) << answer.head();
    EXPECT_EQ(error->code, 226);
    EXPECT_EQ(error->version.value, 2);
    script.downloads_until_mark(6);
    for (const char* bad : {R"j({"Nobody":"(TRUEPREDICATE)"})j", R"j({"Item":"(name == 'x')"})j",
                            R"j({"Item":5})j", "[]", R"j({"Reading":"(TRUEPREDICATE)"})j"}) {
        static std::int64_t version = 10;
        script.query(++version, bad);
        const auto next = script.wire().receive();
        ASSERT_NE(next.as<protocol::QueryError>(), nullptr) << bad << " " << next.head();
    }
}

TEST_F(ServerMust, s22_ignore_entries_that_were_integrated_and_take_empty_uploads) {
    const Login login = server_.log_in();
    Script script(server_, login);
    const SaltedFileIdent file = script.open_file(all_items);
    const SyncProgress before = script.progress();
    const std::uint64_t base = before.download.server.value;
    script.upload({{9, base, item(1, "one", "ann", 3)}}, {{9}, {base}}, base);
    script.downloads_until_uploaded(9);
    const std::uint64_t top = script.progress().download.server.value;
    // The acknowledgement was lost: the same again, from the old cursors.
    Script again(server_, login);
    again.bind(false);
    again.ident(file, before, 1, all_items);
    again.upload({{9, base, item(1, "one", "ann", 3)}}, {{9}, {base}}, base);
    again.mark(5);
    again.downloads_until_mark(5);
    EXPECT_EQ(again.progress().upload.client.value, 9u);
    EXPECT_EQ(again.progress().download.server.value, top);
    // S39.
    for (std::uint64_t version = 10; version < 20; ++version) {
        again.upload({}, {{version}, {top}}, top);
    }
    again.mark(6);
    again.downloads_until_mark(6);
    EXPECT_EQ(again.progress().download.server.value, top);
}

TEST_F(ServerMust, s22_refuse_uploads_that_break_4_6) {
    const auto refused = [&](const std::function<void(Script&, std::uint64_t)>& say,
                             SyncErrorCode code) {
        Script script(server_, server_.log_in());
        script.open_file(all_items);
        say(script, script.progress().download.server.value);
        script.expect_error(code);
    };
    const changeset::Changeset one = item(77, "never", "x", 1);
    refused(
        [&](Script& s, std::uint64_t base) {
            s.upload({{9, base + 500, one}}, {{9}, {base + 500}}, base);
        },
        SyncErrorCode::bad_server_version);
    refused(
        [&](Script& s, std::uint64_t base) {
            s.upload({{9, base, one}}, {{8}, {base}}, base);
        },
        SyncErrorCode::bad_client_version);
    refused(
        [&](Script& s, std::uint64_t base) {
            s.upload({{9, base, one}, {9, base, one}}, {{9}, {base}}, base);
        },
        SyncErrorCode::bad_client_version);
    refused(
        [&](Script& s, std::uint64_t base) {
            s.upload({{9, base, one, 1, 5}}, {{9}, {base}}, base);
        },
        SyncErrorCode::bad_origin_file_ident);
    refused(
        [&](Script& s, std::uint64_t base) {
            s.wire().send_text("upload 1 0 " + std::to_string(15 + std::to_string(base).size()) +
                               " 0 9 " + std::to_string(base) + " " + std::to_string(base) +
                               "\n9 " + std::to_string(base) + " 1000 0 3 \xff\xff\xff");
        },
        SyncErrorCode::bad_changeset);
    // Nothing of it is there.
    Script reader(server_, server_.log_in());
    const SaltedFileIdent file = reader.bind_new();
    reader.ident(file);
    reader.query(1, all_items);
    reader.mark(1);
    for (;;) {
        const auto answer = reader.wire().receive();
        if (answer.as<protocol::Mark>() != nullptr) {
            break;
        }
        ASSERT_NE(answer.as<protocol::Download>(), nullptr) << answer.head();
        EXPECT_EQ(answer.bytes->find("never"), std::string::npos);
    }
}

TEST_F(ServerMust, s26_undo_refused_writes_after_a_231_and_send_it_again_until_passed) {
    const Login login = server_.log_in();
    Script script(server_, login);
    const SaltedFileIdent file = script.open_file(urgent_items);
    const SyncProgress before = script.progress();
    const std::uint64_t base = before.download.server.value;
    script.upload({{9, base, item(1, "outside the view", "ann", 1)}}, {{9}, {base}}, base);
    const auto compensated = [&](Script& on) {
        for (;;) {
            const auto answer = on.wire().receive();
            if (const auto* error = answer.as<protocol::JsonError>()) {
                EXPECT_EQ(error->code, 231);
                EXPECT_TRUE(error->body.rejected.has_value());
                return *error;
            }
            if (answer.as<protocol::Download>() == nullptr) {
                throw std::runtime_error(answer.head());
            }
        }
    };
    const protocol::JsonError error = compensated(script);
    ASSERT_TRUE(error.body.rejected);
    EXPECT_EQ(error.body.rejected->client_version.value, 9u);
    ASSERT_EQ(error.body.rejected->updates.size(), 1u);
    EXPECT_EQ(error.body.rejected->updates[0].reason,
              "write to 1 in table \"Item\" not allowed; object is outside of the current query "
              "view");
    const std::uint64_t version = error.body.rejected->server_version->value;
    // The connection is lost before the changeset was integrated.
    Script again(server_, login);
    again.bind(false);
    again.ident(file, before, 1, urgent_items);
    EXPECT_EQ(compensated(again).body.rejected->server_version->value, version);
    bool delivered = false;
    again.mark(5);
    for (const ScriptDownload& one : again.downloads_until_mark(5)) {
        for (const auto& entry : one.entries) {
            delivered = delivered || entry.server_version.value == version;
        }
        EXPECT_EQ(one.state, BatchState::steady);
    }
    EXPECT_TRUE(delivered);
    // S25: the binding is alive; once passed it is not repeated.
    const SyncProgress after = again.progress();
    again.unbind();
    again.expect_unbound();
    again.bind(false);
    again.ident(file, after, 1, urgent_items);
    again.mark(6);
    again.downloads_until_mark(6);
}

TEST_F(ServerMust, s30_support_the_reset_sequence) {
    const Login login = server_.log_in();
    Script script(server_, login);
    const SaltedFileIdent broken = script.open_file(all_items);
    EXPECT_GE(broken.ident.value, 2u);
    // The fresh file F on the same connection; it never uploads.
    const SaltedFileIdent fresh = script.open_fresh_file(all_items);
    script.unbind(1);
    script.expect_unbound(1);
    // The real file takes F's ident over; another query version, uploads at once.
    script.take_over(fresh, all_items, 5);
    EXPECT_EQ(script.progress(3).upload.client.value, 120u);
}

TEST_F(ServerMust, s31_speak_versions_11_to_13_in_their_own_layout) {
    for (const int version : {11, 12, 13}) {
        WireOptions options = server_.wire(server_.log_in());
        options.subprotocols = "com.mongodb.realm-query-sync#" + std::to_string(version);
        Script script(options);
        const SaltedFileIdent file = script.bind_new();
        script.ident(file);
        script.mark(1);
        const auto answer = script.wire().receive();
        ASSERT_NE(answer.as<protocol::Download>(), nullptr) << answer.head();
        const std::string head = answer.head();
        // ... query version 0, last in batch 1, then the progress.
        EXPECT_NE(head.find(version == 11 ? " 0 1 0 0 " : " 0 1 1.0000 0 "), std::string::npos)
            << head;
    }
}

TEST_F(ServerMust, s32_take_asymmetric_objects_and_never_send_them) {
    Script script(server_, server_.log_in());
    script.open_file(all_items);
    Script other(server_, server_.log_in());
    other.open_file(all_items);
    const std::uint64_t base = script.progress().download.server.value;
    ChangesetBuilder builder;
    const ObjectId id = ObjectId::parse("64f0a1b2c3d4e5f601234567").value();
    builder.create_object("Reading", id);
    builder.update({"Reading", id, "value"}, ScalarView(3.5));
    script.upload({{9, base, builder.finish().value()}}, {{9}, {base}}, base);
    script.downloads_until_uploaded(9);
    other.mark(3);
    for (const ScriptDownload& one : other.downloads_until_mark(3)) {
        EXPECT_EQ(one.count(Opcode::create_object, "Reading"), 0u);
        EXPECT_EQ(one.count(Opcode::erase_object, "Reading"), 0u);
    }
    const std::string found = ask_data_source(
        server_.port(), islands_app, server_.log_in(),
        R"({"name":"find","service":"mongodb-atlas","arguments":[{"database":"app","collection":"Reading"}]})");
    EXPECT_NE(found.find("64f0a1b2c3d4e5f601234567"), std::string::npos) << found;
    EXPECT_NE(found.find("3.5"), std::string::npos) << found;
}

TEST_F(ServerMust, s38_take_uploads_and_queries_directly_after_ident) {
    Script script(server_, server_.log_in());
    const SaltedFileIdent file = script.bind_new();
    script.ident(file);
    script.upload({{5, 0, islands_schema()}}, {{5}, {0}}, 0);
    script.query(1, all_items);
    script.mark(1);
    script.downloads_until_mark(1);
    script.downloads_until_uploaded(5);
}

TEST_F(ServerMust, act_on_live_connections_when_a_user_loses_access) {
    const Login login = server_.log_in();
    Script script(server_, login);
    script.open_file(all_items);
    http::RawClient client(server_.port());
    client.send("DELETE /api/client/v2.0/auth/delete HTTP/1.1\r\nHost: h\r\nAuthorization: "
                "Bearer " +
                login.access_token + "\r\n\r\n");
    EXPECT_EQ(client.receive().status, 204);
    const auto answer = script.wire().receive();
    EXPECT_EQ(answer.close_code, 4001) << answer.head();
    EXPECT_TRUE(script.wire().receive().ended());
    EXPECT_EQ(refresh_status(server_.port(), login.refresh_token), 401);
    EXPECT_EQ(Script(server_, login).status(), 401);
}

TEST_F(ServerMust, keep_what_it_acknowledged_over_a_restart) {
    Device ann(server_.port(), server_.log_in());
    ann.write(islands_schema());
    ann.subscribe({{"Item", "(TRUEPREDICATE)"}});
    ann.connect();
    ann.write(item(1, "kept", "ann", 1));
    ann.synchronize();
    ann.disconnect();
    server_.restart();
    ann.set_port(server_.port());
    ann.connect(true);
    ann.synchronize();
    Device bob(server_.port(), server_.log_in());
    bob.subscribe({{"Item", "(TRUEPREDICATE)"}});
    bob.connect();
    bob.synchronize();
    EXPECT_NE(bob.replica().state().find_object("Item", std::int64_t{1}), nullptr);
}

} // namespace
} // namespace tombolo::server
