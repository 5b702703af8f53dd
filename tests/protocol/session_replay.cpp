#include "protocol/session_replay.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>

#include <boost/json.hpp>

#include "protocol/download_checker.hpp"
#include "protocol/support.hpp"
#include "protocol/upload_checker.hpp"

namespace tombolo::protocol::test {

namespace {

/// What a server knows of a client file, as far as the recording shows it.
struct FileRecord {
    UploadCursor acknowledged;
    ServerVersion locked;
    ClientVersion claimed; ///< the highest progress the client has claimed
};

struct Binding {
    std::optional<ClientFileIdent> file;
    std::optional<DownloadChecker> downloads;
    std::optional<UploadChecker> uploads;
};

class Replayer {
  public:
    explicit Replayer(Replay& replay) : replay_(replay) {}

    void client_message(std::int64_t connection, const std::string& text) {
        const auto parsed = parse_client(text);
        if (!parsed) {
            refuse(RefusedBy::parser, text, parsed.error().what());
            return;
        }
        compare(text, encode_client_message(*parsed, flexible));
        if (const auto* bind = std::get_if<Bind>(&*parsed)) {
            bindings_[{connection, bind->session}] = {};
        } else if (const auto* ident = std::get_if<ClientIdent>(&*parsed)) {
            identify(bindings_[{connection, ident->session}], *ident);
        } else if (const auto* upload = std::get_if<Upload>(&*parsed)) {
            check_upload(bindings_[{connection, upload->session}], *upload, text);
        }
    }

    void server_message(std::int64_t connection, const std::string& text) {
        const auto parsed = parse_server(text);
        if (!parsed) {
            refuse(RefusedBy::parser, text, parsed.error().what());
            return;
        }
        compare(text, encode_server_message(*parsed, flexible));
        if (const auto* download = std::get_if<Download>(&*parsed)) {
            check_download(bindings_[{connection, download->session}], *download, text);
        }
    }

  private:
    void refuse(RefusedBy by, const std::string& text, std::string reason) {
        replay_.refusals.push_back({by, text.substr(0, text.find('\n')), std::move(reason)});
    }

    void compare(const std::string& text, const Result<MessageBytes>& again) {
        if (!again) {
            refuse(RefusedBy::encoder, text, again.error().what());
        } else if (as_text(*again) != text) {
            replay_.changed.push_back(text);
        }
    }

    void identify(Binding& binding, const ClientIdent& ident) {
        binding.file = ident.file.ident;
        const FileRecord& record = files_[ident.file.ident];
        binding.downloads.emplace(
            DownloadChecker::Start{{ident.scan, ident.latest, {}}, ident.file.ident},
            SyncMode::flexible, CheckedSide::client_input);
        binding.uploads.emplace(
            UploadChecker::Start{record.acknowledged, record.locked, ident.scan.server});
    }

    /// Opens the body; a compressed one must come back from the same zlib level byte for byte.
    template <class Reader, class Message>
    ByteView opened(const Message& message, const std::string& text, int level) {
        const auto plain = open_body(message.body, inflated_);
        if (!plain) {
            refuse(RefusedBy::parser, text, plain.error().what());
            return {};
        }
        if (message.body.is_compressed) {
            ++replay_.compressed_count;
            std::vector<std::byte> storage;
            const Body again = compress_body(*plain, {level, 0}, storage);
            if (!again.is_compressed || as_text(again.wire) != as_text(message.body.wire)) {
                replay_.changed.push_back("compressed body of " + text.substr(0, text.find('\n')));
            }
        }
        std::vector<std::byte> rewritten;
        Reader reader(*plain);
        for (auto entry = reader.next(); entry && *entry; entry = reader.next()) {
            append_entry(rewritten, **entry);
            ++replay_.entry_count;
        }
        if (as_text(rewritten) != as_text(*plain)) {
            replay_.changed.push_back("entries of " + text.substr(0, text.find('\n')));
        }
        return *plain;
    }

    void check_upload(Binding& binding, const Upload& upload, const std::string& text) {
        // The recorded client compresses with level 1, the stub with level 6.
        const ByteView body = opened<UploadEntryReader>(upload, text, 1);
        if (!binding.uploads) {
            return;
        }
        FileRecord& record = files_[*binding.file];
        if (const auto violation = binding.uploads->check(upload, body)) {
            refuse(RefusedBy::checker, text, violation->message);
            return;
        }
        record.locked = binding.uploads->locked();
        record.claimed = std::max(record.claimed, upload.progress.client);
    }

    void check_download(Binding& binding, const Download& download, const std::string& text) {
        const ByteView body = opened<DownloadEntryReader>(download, text, 6);
        if (!binding.downloads) {
            return;
        }
        FileRecord& record = files_[*binding.file];
        if (const auto violation = binding.downloads->check(download, body, record.claimed)) {
            refuse(RefusedBy::checker, text, std::string(violation->rule));
            return;
        }
        binding.uploads->note_download(download.progress.download.server);
        record.acknowledged = download.progress.upload;
    }

    Replay& replay_;
    std::map<std::pair<std::int64_t, SessionIdent>, Binding> bindings_;
    std::map<ClientFileIdent, FileRecord> files_;
    std::vector<std::byte> inflated_;
};

} // namespace

Replay replay_session(const std::filesystem::path& file) {
    Replay replay;
    Replayer replayer(replay);
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);) {
        const boost::json::object recorded = boost::json::parse(line).as_object();
        const boost::json::value* body_hex = recorded.if_contains("body_hex");
        const boost::json::value* header = recorded.if_contains("header");
        if (body_hex == nullptr || header == nullptr || header->as_string().starts_with("#")) {
            continue; // HTTP, the app, or the end of a connection
        }
        std::string text(header->as_string());
        text += "\n" + bytes_of_hex(std::string_view(body_hex->as_string()));
        ++replay.message_count;
        const std::int64_t connection = recorded.at("conn").as_int64();
        if (recorded.at("dir").as_string() == "c2s") {
            replayer.client_message(connection, text);
        } else {
            replayer.server_message(connection, text);
        }
    }
    return replay;
}

} // namespace tombolo::protocol::test
