// What a published client said in recorded conversations (vectors/sessions) is said again to our
// server, message by message, and must be accepted and answered as sync-protocol.md demands: an
// IDENT for each BIND that needs one, a DOWNLOAD for each IDENT, answers to MARK, PING and UNBIND,
// an acknowledgement for each UPLOAD, a bootstrap or a QUERY_ERROR for each QUERY.
//
// File idents, salts and server versions are ours instead of the recorded server's. What it did
// wrong on purpose, ours does not do: a conversation that the client ended with an error of its own
// is followed up to there. The app is in development mode, since each client brings its classes.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "protocol/body.hpp"
#include "protocol/codec.hpp"
#include "protocol/download_checker.hpp"
#include "server/sync_session/islands.hpp"

namespace tombolo::server {
namespace {

namespace json = boost::json;
using protocol::BatchState;

std::vector<std::filesystem::path> recorded_sessions() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(
             std::filesystem::path(TOMBOLO_TEST_DATA) / "vectors" / "sessions")) {
        if (entry.path().extension() == ".jsonl") {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::string bytes_of_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    }
    return bytes;
}

std::vector<std::string> words_of(const std::string& header) {
    std::istringstream in(header);
    std::vector<std::string> words;
    for (std::string word; in >> word;) {
        words.push_back(word);
    }
    return words;
}

/// One recorded file as our server knows it; it survives connections.
struct ReplayedFile {
    protocol::SaltedFileIdent ident;
    protocol::SyncProgress progress;
    /// By client version: the server version that was sent with it.
    std::map<std::uint64_t, protocol::ServerVersion> bases;
};

/// One binding of the replayed client.
struct ReplayedBinding {
    ReplayedFile* file = nullptr;
    std::optional<protocol::DownloadChecker> checker;
    bool waits_for_ident = false;
    bool has_download = false;
    bool waits_for_unbound = false;
    bool is_over = false;
    std::uint64_t mark_asked = 0;
    std::uint64_t mark_answered = 0;
    std::uint64_t uploaded = 0; ///< client version of the newest UPLOAD
    std::int64_t query_asked = 0;
    std::int64_t query_settled = 0; ///< bootstrapped or in error

    bool is_settled() const {
        return is_over || (!waits_for_ident && !waits_for_unbound &&
                           (!checker || (has_download && mark_answered >= mark_asked &&
                                         file->progress.upload.client.value >= uploaded &&
                                         query_settled >= query_asked)));
    }
};

struct ReplayCounts {
    std::size_t connections = 0;
    std::size_t messages = 0;
    std::size_t refused = 0; ///< 231
};

/// One recorded conversation.
class Replay {
  public:
    Replay(const IslandsServer& server, ReplayCounts& counts)
        : server_(server), login_(server.log_in()), counts_(counts) {}

    void take(const json::object& line) {
        const std::string dir(line.at("dir").as_string());
        if (dir == "app" || is_over_) {
            return;
        }
        const std::int64_t number = line.at("conn").as_int64();
        const std::string header(line.at("header").as_string());
        if (header.rfind("HTTP/1.1 101", 0) == 0) {
            finish();
            wire_ = std::make_unique<SyncWire>(server_.wire(login_));
            if (wire_->status() != 101) {
                throw std::runtime_error("the upgrade was refused");
            }
            number_ = number;
            ++counts_.connections;
            return;
        }
        if (wire_ == nullptr || number != number_ || header.find("HTTP/") != std::string::npos) {
            return;
        }
        if (header[0] == '#') {
            finish();
            return;
        }
        std::string body;
        if (const auto* hex = line.if_contains("body_hex")) {
            body = bytes_of_hex(std::string(hex->as_string()));
        } else if (const auto* text = line.if_contains("body_text")) {
            body = text->as_string();
        }
        if (dir == "c2s") {
            say(header + "\n" + body);
            ++counts_.messages;
        } else {
            follow(words_of(header));
        }
    }

    /// Everything that is due has come; the connection ends.
    void finish() {
        if (wire_ == nullptr) {
            return;
        }
        while (!is_over_ && (pings_ > 0 ||
                             !std::all_of(bindings_.begin(), bindings_.end(), [](const auto& each) {
                                 return each.second.is_settled();
                             }))) {
            hear();
        }
        wire_.reset();
        bindings_.clear();
    }

  private:
    /// What the recorded server said next: where the client heard something, it must have come here
    /// too before the client goes on.
    void follow(const std::vector<std::string>& words) {
        const std::string& kind = words[0];
        if (kind == "pong") {
            wait([&] { return pings_ == 0; });
            return;
        }
        const auto found = words.size() < 2 ? bindings_.end() : find_binding(words[1]);
        if (found == bindings_.end()) {
            return; // of a session that the client does not have
        }
        ReplayedBinding& binding = found->second;
        if (kind == "ident") {
            wait([&] { return !binding.waits_for_ident; });
            files_by_recorded_[words.at(2)] = binding.file;
        } else if (kind == "mark") {
            const std::uint64_t request = std::stoull(words.at(2));
            if (request <= binding.mark_asked) {
                wait([&] { return binding.mark_answered >= request; });
            }
        } else if (kind == "unbound") {
            wait([&] { return !binding.waits_for_unbound; });
        }
    }

    std::map<std::uint64_t, ReplayedBinding>::iterator find_binding(const std::string& session) {
        const bool is_number = session.find_first_not_of("0123456789") == std::string::npos;
        return is_number ? bindings_.find(std::stoull(session)) : bindings_.end();
    }

    template <class Done>
    void wait(Done done) {
        while (!done() && !is_over_) {
            hear();
        }
    }

    void say(const std::string& recorded) {
        const auto parsed =
            protocol::parse_client_message(as_bytes(recorded), wire_->dialect()).value();
        std::visit([&](const auto& message) { translate(message); }, parsed);
    }

    void translate(const protocol::Bind& message) {
        ReplayedBinding& binding = bindings_[message.session.value];
        if (binding.waits_for_unbound) {
            wait([&] { return !binding.waits_for_unbound; });
        }
        const auto* data = std::get_if<protocol::FlexibleBind>(&message.data);
        wants_other_schema_ = data != nullptr && data->schema_version.value_or(0) != 0;
        binding = {};
        binding.waits_for_ident = message.needs_file_ident;
        if (message.needs_file_ident) {
            files_.push_back(std::make_unique<ReplayedFile>());
            binding.file = files_.back().get();
        }
        wire_->send(message);
    }
    void translate(const protocol::ClientIdent& recorded) {
        ReplayedBinding& binding = bindings_.at(recorded.session.value);
        wait([&] { return !binding.waits_for_ident; });
        const auto known = files_by_recorded_.find(std::to_string(recorded.file.ident.value));
        if (known != files_by_recorded_.end()) {
            binding.file = known->second;
        }
        if (binding.file == nullptr) {
            throw std::runtime_error("the recorded client names a file that it was not given");
        }
        protocol::ClientIdent message = recorded;
        ReplayedFile& file = *binding.file;
        if (recorded.scan.server.value == 0) {
            file.progress.download = {};
            file.progress.latest = {};
        }
        message.file = file.ident;
        message.scan = file.progress.download;
        message.latest = file.progress.latest;
        binding.checker.emplace(protocol::DownloadChecker::Start{file.progress, file.ident.ident},
                                protocol::SyncMode::flexible, protocol::CheckedSide::server_output);
        binding.query_asked = binding.query_settled = recorded.query_version.value;
        wire_->send(message);
    }
    void translate(const protocol::Query& message) {
        bindings_.at(message.session.value).query_asked = message.version.value;
        wire_->send(message);
    }
    void translate(const protocol::Mark& message) {
        bindings_.at(message.session.value).mark_asked = message.request.value;
        wire_->send(message);
    }
    void translate(const protocol::Upload& recorded) {
        ReplayedBinding& binding = bindings_.at(recorded.session.value);
        ReplayedFile& file = *binding.file;
        // Said again, it must be the same.
        const auto ours = [&](protocol::ClientVersion client, protocol::ServerVersion server) {
            const protocol::ServerVersion cursor =
                server.value == 0 ? server : file.progress.download.server;
            return file.bases.try_emplace(client.value, cursor).first->second;
        };
        std::vector<std::byte> storage;
        const ByteView opened = protocol::open_body(recorded.body, storage).value();
        std::vector<std::byte> body;
        protocol::UploadEntryReader reader(opened);
        while (auto entry = reader.next().value()) {
            entry->server_version = ours(entry->client_version, entry->server_version);
            // The cursor of an empty UPLOAD is acknowledged some time later.
            binding.uploaded = entry->client_version.value;
            protocol::append_entry(body, *entry);
        }
        std::vector<std::byte> compressed;
        protocol::Upload message = recorded;
        message.progress.server = ours(recorded.progress.client, recorded.progress.server);
        message.locked = message.progress.server;
        message.body = protocol::compress_body(body, {}, compressed);
        wire_->send(message);
    }
    void translate(const protocol::Unbind& message) {
        ReplayedBinding& binding = bindings_.at(message.session.value);
        binding.waits_for_unbound = !binding.is_over;
        wire_->send(message);
    }
    void translate(const protocol::Ping& message) {
        ++pings_;
        wire_->send(message);
    }
    void translate(const protocol::ClientError& message) {
        // About something that our server did not send: answered with a reset (S34), and the end.
        wire_->send(message);
        ReplayedBinding& binding = bindings_.at(message.session.value);
        expects_reset_ = true;
        wait([&] { return binding.is_over; });
        is_over_ = true;
        wire_.reset();
    }
    void translate(const protocol::TestCommand& message) { wire_->send(message); }

    void hear() {
        const auto incoming = wire_->receive();
        if (!incoming.message) {
            throw std::runtime_error("instead of an answer: " + incoming.head() + describe());
        }
        std::visit([&](const auto& message) { heard(message, incoming.head()); },
                   *incoming.message);
    }
    std::string describe() const {
        std::string text;
        for (const auto& [session, each] : bindings_) {
            text += "; session " + std::to_string(session) + ": " +
                    (each.waits_for_ident ? "IDENT " : "") +
                    (each.waits_for_unbound ? "UNBOUND " : "") +
                    (each.mark_answered < each.mark_asked ? "MARK " : "") +
                    (each.query_settled < each.query_asked ? "QUERY " : "") +
                    (each.file != nullptr && each.file->progress.upload.client.value < each.uploaded
                         ? "UPLOAD " + std::to_string(each.uploaded)
                         : "");
        }
        return text;
    }
    ReplayedBinding& binding_of(protocol::SessionIdent session, const std::string& head) {
        const auto found = bindings_.find(session.value);
        if (found == bindings_.end()) {
            throw std::runtime_error("about an unknown session: " + head);
        }
        return found->second;
    }
    void heard(const protocol::ServerIdent& message, const std::string& head) {
        ReplayedBinding& binding = binding_of(message.session, head);
        if (!std::exchange(binding.waits_for_ident, false)) {
            throw std::runtime_error("nobody asked for " + head);
        }
        binding.file->ident = message.file;
    }
    void heard(const protocol::Download& message, const std::string& head) {
        ReplayedBinding& binding = binding_of(message.session, head);
        std::vector<std::byte> storage;
        const ByteView opened = protocol::open_body(message.body, storage).value();
        if (!binding.checker) {
            throw std::runtime_error("before IDENT: " + head);
        }
        if (const auto found = binding.checker->check(message, opened, std::nullopt)) {
            throw std::runtime_error("DOWNLOAD breaks " + std::string(found->rule) + ": " +
                                     found->message + ": " + head);
        }
        binding.has_download = true;
        if (message.batch_state == BatchState::bootstrap_more) {
            return; // stored; a client that is lost here asks for it again
        }
        if (message.batch_state == BatchState::bootstrap_last) {
            binding.query_settled = std::max(binding.query_settled, message.query_version.value);
        }
        binding.file->progress = message.progress;
    }
    void heard(const protocol::Mark& message, const std::string& head) {
        ReplayedBinding& binding = binding_of(message.session, head);
        if (message.request.value <= binding.mark_answered ||
            message.request.value > binding.mark_asked) {
            throw std::runtime_error("an illegal answer: " + head);
        }
        binding.mark_answered = message.request.value;
    }
    void heard(const protocol::Unbound& message, const std::string& head) {
        ReplayedBinding& binding = binding_of(message.session, head);
        if (!std::exchange(binding.waits_for_unbound, false)) {
            throw std::runtime_error("nobody asked for " + head);
        }
        binding.is_over = true;
    }
    void heard(const protocol::Pong& /*message*/, const std::string& head) {
        if (pings_ == 0) {
            throw std::runtime_error("nobody asked for " + head);
        }
        --pings_;
    }
    void heard(const protocol::QueryError& message, const std::string& head) {
        ReplayedBinding& binding = binding_of(message.session, head);
        binding.query_settled = std::max(binding.query_settled, message.version.value);
    }
    void heard(const protocol::JsonError& message, const std::string& head) {
        if (message.code == 231) {
            ++counts_.refused; // an edit of what only the recorded server had sent
            return;
        }
        if (message.code == 235 && wants_other_schema_) {
            is_over_ = true; // of a schema version that the app does not have
            return;
        }
        const bool is_reset = message.body.action == protocol::ErrorAction::client_reset;
        if (!expects_reset_ || !is_reset) {
            throw std::runtime_error("error: " + head);
        }
        binding_of(message.session, head).is_over = true;
    }
    void heard(const protocol::LegacyError& /*message*/, const std::string& head) {
        throw std::runtime_error("an error of old versions: " + head);
    }
    void heard(const protocol::TestCommand& /*message*/, const std::string& /*head*/) {}
    void heard(const protocol::LogMessage& /*message*/, const std::string& /*head*/) {}

    const IslandsServer& server_;
    Login login_;
    ReplayCounts& counts_;
    std::unique_ptr<SyncWire> wire_;
    std::int64_t number_ = 0; ///< of the recorded connection
    std::map<std::uint64_t, ReplayedBinding> bindings_;
    std::vector<std::unique_ptr<ReplayedFile>> files_;
    std::map<std::string, ReplayedFile*> files_by_recorded_;
    int pings_ = 0;
    bool expects_reset_ = false;
    bool wants_other_schema_ = false;
    bool is_over_ = false;
};

// The islands app with other settings of sync.
std::string open_app(const TemporaryFolder& folder) {
    std::filesystem::copy(islands_directory(), folder.path() / "app",
                          std::filesystem::copy_options::recursive);
    folder.write("app/sync/config.json", R"({
        "type": "flexible", "state": "enabled", "development_mode_enabled": true,
        "service_name": "mongodb-atlas", "database_name": "app", "client_max_offline_days": 30,
        "is_recovery_mode_disabled": false, "queryable_fields_names": ["age", "priority", "q"],
        "asymmetric_tables": ["Reading"]
    })");
    return folder.file("app");
}

} // namespace

TEST(RecordedSessions, the_client_side_of_every_conversation_is_accepted_and_answered) {
    const TemporaryFolder folder;
    const std::string app = open_app(folder);
    const IslandsServer server([&](Config& config) { config.apps = {app}; });
    ReplayCounts counts;
    const auto files = recorded_sessions();
    for (const auto& path : files) {
        try {
            Replay replay(server, counts);
            std::ifstream in(path);
            for (std::string line; std::getline(in, line);) {
                replay.take(json::parse(line).as_object());
            }
            replay.finish();
        } catch (const std::exception& wrong) {
            ADD_FAILURE() << path.filename() << ": " << wrong.what();
        }
    }
    std::printf("recorded sessions: %zu conversations, %zu connections, %zu messages, %zu refused "
                "writes\n",
                files.size(), counts.connections, counts.messages, counts.refused);
    EXPECT_EQ(files.size(), 100U);
    EXPECT_GT(counts.messages, 1000U);
}

} // namespace tombolo::server
