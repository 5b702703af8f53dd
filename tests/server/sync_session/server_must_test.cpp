// "A server must" of sync-protocol.md 11, over sockets: the lines that other tests only brush.

#include <gtest/gtest.h>

#include "server/sync_session/script.hpp"

namespace tombolo::server {
namespace {

using changeset::Opcode;
using protocol::SaltedFileIdent;

constexpr const char* all_items = R"j({"Item":"(TRUEPREDICATE)"})j";
constexpr const char* urgent_items = R"j({"Item":"(priority > 5)"})j";

TEST_F(ServerMust, s04_send_only_unmasked_binary_frames_and_need_no_pong) {
    Script script(server_, server_.log_in());
    script.open_file(all_items);
    // A ping of the server's would stay unanswered here, and may not matter.
    for (std::uint64_t request = 3; request < 20; ++request) {
        script.mark(request);
        const auto frame = script.wire().socket().receive();
        EXPECT_EQ(frame.first_byte, 0x82); // FIN, no RSV, binary
        EXPECT_FALSE(frame.is_masked);
    }
}

TEST_F(ServerMust, s25_treat_the_binding_as_alive_after_a_231) {
    Script script(server_, server_.log_in());
    script.open_file(urgent_items);
    const std::uint64_t base = script.progress().download.server.value;
    script.upload({{9, base, item(1, "outside the view", "ann", 1)}}, {{9}, {base}}, base);
    for (;;) {
        const auto answer = script.wire().receive();
        if (const auto* error = answer.as<protocol::JsonError>()) {
            EXPECT_EQ(error->code, 231);
            break;
        }
        ASSERT_NE(answer.as<protocol::Download>(), nullptr) << answer.head();
    }
    script.unbind();
    for (;;) {
        const auto answer = script.wire().receive();
        if (answer.as<protocol::Unbound>() != nullptr) {
            break;
        }
        ASSERT_NE(answer.as<protocol::Download>(), nullptr) << answer.head();
    }
}

TEST_F(ServerMust, s27_say_query_error_for_pending_versions_only_and_226_at_ident) {
    const Login login = server_.log_in();
    Script script(server_, login);
    const SaltedFileIdent file = script.open_file(all_items);
    const protocol::SyncProgress progress = script.progress();
    script.query(2, "[");
    const auto answer = script.wire().receive();
    const auto* error = answer.as<protocol::QueryError>();
    ASSERT_NE(error, nullptr) << answer.head();
    EXPECT_EQ(error->version.value, 2);
    script.query(3, urgent_items);
    script.mark(3);
    script.downloads_until_mark(3); // no QUERY_ERROR for 3, and none for 2 again
    script.unbind();
    script.expect_unbound();
    script.bind(false);
    script.ident(file, progress, 4, "[");
    script.expect_error(protocol::SyncErrorCode::bad_query);
}

TEST_F(ServerMust, s37_send_the_latest_version_equal_to_the_downloaded_one) {
    Script writer(server_, server_.log_in());
    writer.open_file(all_items);
    Script reader(server_, server_.log_in());
    reader.open_file(urgent_items);
    for (std::uint64_t version = 9; version < 15; ++version) {
        const std::uint64_t base = writer.progress().download.server.value;
        const auto id = static_cast<std::int64_t>(version);
        writer.upload({{version, base, item(id, "one", "ann", id % 2 * 9)}}, {{version}, {base}},
                      base);
        for (const ScriptDownload& one : writer.downloads_until_uploaded(version)) {
            EXPECT_EQ(one.progress.latest.version, one.progress.download.server);
        }
    }
    reader.mark(3);
    for (const ScriptDownload& one : reader.downloads_until_mark(3)) {
        EXPECT_EQ(one.progress.latest.version, one.progress.download.server);
        EXPECT_NE(one.progress.latest.salt.value, 0);
    }
}

TEST_F(ServerMust, s39_make_no_server_version_of_an_empty_upload) {
    Script script(server_, server_.log_in());
    script.open_file(all_items);
    const std::uint64_t top = script.progress().download.server.value;
    for (std::uint64_t version = 9; version < 30; ++version) {
        script.upload({}, {{version}, {top}}, top);
    }
    script.mark(3);
    script.downloads_until_mark(3);
    EXPECT_EQ(script.progress().download.server.value, top);
}

TEST_F(ServerMust, s40_ignore_what_comes_between_a_session_error_and_unbind) {
    Script script(server_, server_.log_in());
    script.bind(false);
    script.ident({{987'654}, {5}});
    script.expect_error(protocol::SyncErrorCode::bad_client_file_ident);
    script.upload({{9, 0, item(1, "never", "x", 1)}}, {{9}, {0}}, 0);
    script.query(3, all_items);
    script.mark(7);
    script.unbind();
    script.bind_new(); // the same session ident: the first answer is its IDENT
}

TEST_F(ServerMust, s43_send_no_edit_of_an_object_that_the_client_does_not_hold) {
    Script writer(server_, server_.log_in());
    writer.open_file(all_items);
    Script reader(server_, server_.log_in());
    reader.open_file(urgent_items);
    const auto write = [&](const changeset::Changeset& changeset) {
        const std::uint64_t base = writer.progress().download.server.value;
        const std::uint64_t version = writer.progress().upload.client.value + 10;
        writer.upload({{version, base, changeset}}, {{version}, {base}}, base);
        writer.downloads_until_uploaded(version);
    };
    const auto rename = [](std::int64_t id, std::string_view name) {
        changeset::ChangesetBuilder builder;
        builder.update({"Item", id, "name"}, name);
        return builder.finish().value();
    };
    write(item(1, "calm", "ann", 1));
    write(item(2, "urgent", "ann", 9));
    write(rename(1, "calmer"));
    write(rename(2, "more urgent"));
    reader.mark(3);
    std::size_t created = 0;
    for (const ScriptDownload& one : reader.downloads_until_mark(3)) {
        created += one.count(Opcode::create_object, "Item");
        for (const auto& changeset : one.changesets()) {
            for (const auto& instruction : changeset.instructions()) {
                if (instruction.op != Opcode::add_table && instruction.op != Opcode::add_column) {
                    EXPECT_EQ(std::get<std::int64_t>(changeset.object(instruction)), 2);
                }
            }
        }
    }
    EXPECT_EQ(created, 1U);
}

} // namespace
} // namespace tombolo::server
