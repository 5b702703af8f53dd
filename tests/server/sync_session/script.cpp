#include "server/sync_session/script.hpp"

#include <stdexcept>

#include "changeset/codec.hpp"
#include "protocol/body.hpp"

namespace tombolo::server {

namespace {

[[noreturn]] void unexpected(const std::string& wanted, const SyncWire::Incoming& incoming) {
    throw std::runtime_error("expected " + wanted + ", got " + incoming.head());
}

} // namespace

std::vector<changeset::Changeset> ScriptDownload::changesets() const {
    std::vector<changeset::Changeset> out;
    out.reserve(entries.size());
    for (const client::ReceivedEntry& entry : entries) {
        out.push_back(changeset::decode(entry.changeset).value());
    }
    return out;
}

std::size_t ScriptDownload::count(changeset::Opcode op, std::string_view class_name) const {
    std::size_t found = 0;
    for (const changeset::Changeset& changeset : changesets()) {
        for (const changeset::Instruction& instruction : changeset.instructions()) {
            found += instruction.op == op && changeset.table(instruction) == class_name ? 1U : 0U;
        }
    }
    return found;
}

void Script::bind(bool needs_ident, std::uint64_t session, protocol::SessionReason reason) {
    protocol::FlexibleBind data;
    data.schema_version = 0;
    data.session_reason = reason;
    protocol::Bind message;
    message.session = {session};
    message.needs_file_ident = needs_ident;
    message.data = data;
    wire_.send(message);
}

protocol::SaltedFileIdent Script::bind_new(std::uint64_t session) {
    bind(true, session);
    const auto incoming = receive();
    const auto* message = incoming.as<protocol::ServerIdent>();
    if (message == nullptr || message->session.value != session) {
        unexpected("IDENT", incoming);
    }
    return message->file;
}

void Script::ident(const protocol::SaltedFileIdent& file, const protocol::SyncProgress& progress,
                   std::int64_t query_version, const std::string& query, std::uint64_t session) {
    protocol::ClientIdent message;
    message.session = {session};
    message.file = file;
    message.scan = progress.download;
    message.latest = progress.latest;
    message.query_version = {query_version};
    message.query_body = query;
    wire_.send(message);
    checkers_.erase(session);
    checkers_.emplace(session, protocol::DownloadChecker(
                                   protocol::DownloadChecker::Start{progress, file.ident},
                                   wire_.dialect().mode, protocol::CheckedSide::server_output));
    progress_[session] = progress;
}

void Script::query(std::int64_t version, const std::string& body, std::uint64_t session) {
    wire_.send(protocol::Query{{session}, {version}, body});
}

void Script::mark(std::uint64_t request, std::uint64_t session) {
    wire_.send(protocol::Mark{{session}, {request}});
}

void Script::unbind(std::uint64_t session) {
    wire_.send(protocol::Unbind{{session}});
}

void Script::upload(const std::vector<ScriptUpload>& entries, protocol::UploadCursor progress,
                    std::uint64_t locked, std::uint64_t session) {
    std::vector<std::byte> body;
    for (const ScriptUpload& one : entries) {
        const std::vector<std::byte> changeset = changeset::encode(one.changeset);
        append_entry(
            body, protocol::UploadEntry{
                      {one.client_version}, {one.base}, one.timestamp_ms, {one.origin}, changeset});
    }
    std::vector<std::byte> storage;
    protocol::Upload message;
    message.session = {session};
    message.progress = progress;
    message.locked = {locked};
    message.body = protocol::compress_body(body, {}, storage);
    wire_.send(message);
}

protocol::SaltedFileIdent Script::open_fresh_file(const std::string& query_body) {
    bind(true, 2, protocol::SessionReason::client_reset);
    const auto answer = receive();
    const auto* given = answer.as<protocol::ServerIdent>();
    if (given == nullptr) {
        throw std::runtime_error("IDENT was expected, not " + answer.head());
    }
    const protocol::SaltedFileIdent fresh = given->file;
    ident(fresh, {}, 0, "{}", 2);
    mark(1, 2);
    downloads_until_mark(1, 2);
    query(1, query_body, 2);
    mark(2, 2);
    downloads_until_mark(2, 2);
    unbind(2);
    expect_unbound(2);
    return fresh;
}

void Script::take_over(const protocol::SaltedFileIdent& fresh, const std::string& query_body,
                       std::int64_t key) {
    protocol::SyncProgress taken_over = progress(2);
    taken_over.download = {taken_over.latest.version, {0}};
    taken_over.upload = {};
    bind(false, 3, protocol::SessionReason::client_reset);
    ident(fresh, taken_over, 5, query_body, 3);
    mark(7, 3);
    const std::uint64_t base = taken_over.download.server.value;
    upload({{120, base, item(key, "recovered", "ann", 1)}}, {{120}, {base}}, base, 3);
    downloads_until_mark(7, 3);
    downloads_until_uploaded(120, 3);
}

ScriptDownload Script::take(const SyncWire::Incoming& incoming) {
    const auto* message = incoming.as<protocol::Download>();
    if (message == nullptr) {
        unexpected("DOWNLOAD", incoming);
    }
    std::vector<std::byte> storage;
    const ByteView opened = protocol::open_body(message->body, storage).value();
    const std::uint64_t session = message->session.value;
    const auto checker = checkers_.find(session);
    if (checker == checkers_.end()) {
        unexpected("no DOWNLOAD before IDENT", incoming);
    }
    if (wire_.dialect().version == protocol::ProtocolVersion::v14) {
        if (const auto found = checker->second.check(*message, opened, std::nullopt)) {
            throw std::runtime_error("DOWNLOAD breaks " + std::string(found->rule) + ": " +
                                     found->message + ": " + incoming.head());
        }
    }
    ScriptDownload out;
    out.progress = message->progress;
    out.query_version = message->query_version;
    out.state = message->batch_state;
    out.estimate = message->estimate;
    out.head = incoming.head();
    protocol::DownloadEntryReader reader(opened);
    while (const auto entry = reader.next().value()) {
        out.entries.push_back({entry->server_version,
                               entry->client_version,
                               entry->origin_timestamp_ms,
                               entry->origin,
                               {entry->changeset.begin(), entry->changeset.end()}});
    }
    progress_[session] = out.progress;
    return out;
}

ScriptDownload Script::download(std::uint64_t session) {
    const auto incoming = receive();
    const auto* message = incoming.as<protocol::Download>();
    if (message == nullptr || message->session.value != session) {
        unexpected("DOWNLOAD", incoming);
    }
    return take(incoming);
}

void Script::expect_mark(std::uint64_t request, std::uint64_t session) {
    const auto incoming = receive();
    const auto* message = incoming.as<protocol::Mark>();
    if (message == nullptr || message->session.value != session ||
        message->request.value != request) {
        unexpected("MARK " + std::to_string(request), incoming);
    }
}

protocol::JsonError Script::expect_error(protocol::SyncErrorCode code, std::uint64_t session) {
    for (;;) {
        const auto incoming = receive();
        if (incoming.as<protocol::Download>() != nullptr) {
            take(incoming);
            continue;
        }
        const auto* message = incoming.as<protocol::JsonError>();
        if (message == nullptr || message->session.value != session ||
            message->code != static_cast<int>(code)) {
            unexpected("error " + std::to_string(static_cast<int>(code)), incoming);
        }
        return *message;
    }
}

void Script::expect_unbound(std::uint64_t session) {
    const auto incoming = receive();
    const auto* message = incoming.as<protocol::Unbound>();
    if (message == nullptr || message->session.value != session) {
        unexpected("UNBOUND", incoming);
    }
}

std::vector<ScriptDownload> Script::downloads_until_mark(std::uint64_t request,
                                                         std::uint64_t session) {
    std::vector<ScriptDownload> out;
    for (;;) {
        const auto incoming = receive();
        if (const auto* mark = incoming.as<protocol::Mark>()) {
            if (mark->session.value != session || mark->request.value != request) {
                unexpected("MARK " + std::to_string(request), incoming);
            }
            return out;
        }
        out.push_back(take(incoming));
    }
}

std::vector<ScriptDownload> Script::downloads_until_uploaded(std::uint64_t client_version,
                                                             std::uint64_t session) {
    std::vector<ScriptDownload> out;
    while (progress_[session].upload.client.value < client_version) {
        out.push_back(download(session));
    }
    return out;
}

protocol::SaltedFileIdent Script::open_file(const std::string& query, std::uint64_t session) {
    const protocol::SaltedFileIdent file = bind_new(session);
    ident(file, {}, 0, "{}", session);
    mark(1, session);
    downloads_until_mark(1, session);
    this->query(1, query, session);
    mark(2, session);
    downloads_until_mark(2, session);
    return file;
}

} // namespace tombolo::server
