#include "server/sync/session/connection.hpp"

#include <iterator>
#include <utility>
#include <variant>

#include "core/error.hpp"
#include "protocol/body.hpp"
#include "protocol/close_codes.hpp"
#include "server/sync/engine/session_error.hpp"
#include "server/sync/session/error_log.hpp"

namespace tombolo::server::sync {

namespace {

using protocol::SyncErrorCode;

std::uint64_t file_of(const Binding& binding) {
    return binding.session == nullptr ? 0 : binding.session->file().value;
}

std::string text_of(protocol::SessionIdent ident) {
    return std::to_string(ident.value);
}

/// Of those that a binding has under way, for the measurements.
constexpr std::size_t timed_uploads_max = 64;

bool is_of_upload(SyncErrorCode code) {
    return code == SyncErrorCode::bad_changeset || code == SyncErrorCode::bad_changeset_header ||
           code == SyncErrorCode::bad_changeset_size || code == SyncErrorCode::bad_client_version ||
           code == SyncErrorCode::bad_origin_file_ident ||
           code == SyncErrorCode::invalid_schema_change ||
           code == SyncErrorCode::write_not_allowed || code == SyncErrorCode::compensating_write;
}

} // namespace

std::shared_ptr<AppMeasurements> unmeasured() {
    static const SystemClock clock;
    static const auto shared = std::make_shared<AppMeasurements>(clock);
    return shared;
}

Connection::Connection(ConnectionSetup setup, Outlet& outlet, std::weak_ptr<Waker> waker)
    : setup_(std::move(setup)), outlet_(outlet), waker_(std::move(waker)) {
    setup_.measured->change(Measured::open_connections, 1);
}

Connection::~Connection() {
    end();
    setup_.measured->change(Measured::open_connections, -1);
}

void Connection::open() {
    protocol::LogMessage message;
    message.body.connection_id = setup_.id;
    send_message(message);
}

void Connection::end() {
    is_over_ = true;
    for (auto& [ident, binding] : bindings_) {
        drop_session(binding);
    }
    setup_.counters.bindings_open -= bindings_.size();
    bindings_.clear();
}

void Connection::shut_down() {
    if (!is_over_) {
        fail(SyncErrorCode::connection_closed, "the server is shutting down");
    }
}

void Connection::close(std::uint16_t code, std::string_view reason) {
    outlet_.close(code, reason);
    end();
}

protocol::MessageBytes Connection::answer_ping(ByteView message, protocol::Dialect dialect) {
    if (!as_text(message).starts_with("ping ")) {
        return {};
    }
    const Result<protocol::ClientMessage> parsed = protocol::parse_client_message(message, dialect);
    if (!parsed || !std::holds_alternative<protocol::Ping>(*parsed)) {
        return {};
    }
    Result<protocol::MessageBytes> pong = protocol::encode_server_message(
        protocol::Pong{std::get<protocol::Ping>(*parsed).timestamp_ms}, dialect);
    return pong ? *std::move(pong) : protocol::MessageBytes();
}

bool Connection::takes_input() const {
    std::size_t backlog = 0;
    for (const auto& [ident, binding] : bindings_) {
        backlog += binding.session != nullptr ? binding.session->backlog_bytes() : 0;
    }
    return backlog < setup_.backlog_bytes_max;
}

void Connection::receive(ByteView message) {
    if (is_over_) {
        return;
    }
    ++setup_.counters.messages_in;
    setup_.counters.bytes_in += message.size();
    const Result<protocol::ClientMessage> parsed =
        protocol::parse_client_message(message, setup_.dialect, setup_.limits);
    if (!parsed) {
        fail(protocol::sync_code_for(parsed.error().code()), parsed.error().what());
        return;
    }
    std::visit([this](const auto& one) { handle(one); }, *parsed);
}

Binding* Connection::find(protocol::SessionIdent ident, std::string_view what) {
    const auto found = bindings_.find(ident);
    if (found == bindings_.end()) {
        fail(SyncErrorCode::bad_session_ident,
             std::string(what) + " for session " + text_of(ident) + ", which is not bound");
        return nullptr;
    }
    return &found->second;
}

// Null when the message is to be ignored, or was not legal and has been answered.
Binding* Connection::find_active(protocol::SessionIdent ident, std::string_view what) {
    Binding* binding = find(ident, what);
    if (binding == nullptr || binding->state == Binding::State::failed) {
        return nullptr;
    }
    if (binding->state != Binding::State::active) {
        fail(SyncErrorCode::bad_message_order, std::string(what) + " before IDENT");
        return nullptr;
    }
    return binding;
}

void Connection::handle(const protocol::Bind& message) {
    if (setup_.dialect.mode == protocol::SyncMode::partition) {
        fail(SyncErrorCode::switch_to_flexible_sync,
             "the app uses flexible sync; open the file with a flexible sync configuration");
        return;
    }
    if (bindings_.contains(message.session)) {
        fail(SyncErrorCode::reuse_of_session_ident,
             "BIND for session " + text_of(message.session) + ", which is bound already");
        return;
    }
    bind_new(message);
}

void Connection::bind_new(const protocol::Bind& message) {
    const auto& data = std::get<protocol::FlexibleBind>(message.data);
    Binding& binding = bindings_[message.session];
    ++setup_.counters.bindings_open;
    binding.ident = message.session;
    binding.schema_version = data.schema_version.value_or(0);
    binding.reason = data.session_reason.value_or(protocol::SessionReason::sync);
    binding.signal = std::make_shared<BindingSignal>(waker_);
    if (bindings_.size() > setup_.bindings_max) {
        fail(binding, SyncErrorCode::session_closed, "too many sessions on one connection");
        return;
    }
    if (!setup_.engine.serves(binding.schema_version)) {
        fail(binding, SyncErrorCode::bad_schema_version,
             "Client provided invalid schema version " + std::to_string(binding.schema_version));
        return;
    }
    if (!setup_.engine.accepts_clients()) {
        fail(binding, SyncErrorCode::initial_sync_not_completed,
             "the server is still reading the documents that it is to sync; try again");
        return;
    }
    if (message.needs_file_ident) {
        binding.state = Binding::State::allocating;
        setup_.engine.allocate_file(
            setup_.user_id, binding.schema_version,
            [signal = binding.signal](Result<protocol::SaltedFileIdent> file) {
                signal->on_allocated(std::move(file));
            });
    }
}

void Connection::handle(const protocol::ClientIdent& message) {
    Binding* binding = find(message.session, "IDENT");
    if (binding == nullptr || binding->state == Binding::State::failed) {
        return;
    }
    if (binding->state != Binding::State::awaiting_ident) {
        fail(SyncErrorCode::bad_message_order, binding->state == Binding::State::active
                                                   ? "a second IDENT"
                                                   : "IDENT before the server's IDENT");
        return;
    }
    if (is_bound(message.file.ident)) {
        fail(SyncErrorCode::bound_in_other_session,
             "the file is bound in another session of the connection");
        return;
    }
    IdentRequest request;
    request.user_id = setup_.user_id;
    request.protocol_version = setup_.dialect.version;
    request.schema_version = binding->schema_version;
    request.reason = binding->reason;
    request.file = message.file;
    request.scan = message.scan;
    request.latest = message.latest;
    request.query_version = message.query_version;
    request.query_body = message.query_body;
    Engine::IdentResult result = setup_.engine.identify(request, binding->signal);
    if (const auto* error = std::get_if<SessionError>(&result)) {
        send(*binding, *error);
        return;
    }
    binding->session = std::get<std::shared_ptr<Session>>(std::move(result));
    binding->checker = std::make_unique<protocol::DownloadChecker>(
        protocol::DownloadChecker::Start{{message.scan, message.latest, {}}, message.file.ident},
        setup_.dialect.mode, protocol::CheckedSide::server_output);
    binding->state = Binding::State::active;
    // The engine may have called before the session was there to be asked.
    binding->signal->keep_outgoing();
    ++setup_.counters.sessions_total;
    setup_.measured->count(Measured::sessions_started);
    setup_.measured->change(Measured::open_sessions, 1);
    binding->asked_ms = setup_.measured->monotonic_ms();
    if (setup_.live != nullptr) {
        setup_.live->identified(binding->ident.value,
                                {message.file.ident.value, setup_.clock->unix_ms()});
    }
    setup_.log.debug("sync session identified",
                     {{"app", setup_.app_name},
                      {"connection", setup_.id},
                      {"session", text_of(binding->ident)},
                      {"file", std::to_string(message.file.ident.value)},
                      {"version", std::to_string(message.scan.server.value)},
                      {"query_version", std::to_string(message.query_version.value)}});
}

bool Connection::is_bound(protocol::ClientFileIdent file) const {
    for (const auto& [ident, binding] : bindings_) {
        if (binding.session != nullptr && binding.session->file() == file) {
            return true;
        }
    }
    return false;
}

void Connection::handle(const protocol::Query& message) {
    if (Binding* binding = find_active(message.session, "QUERY")) {
        binding->asked_ms = setup_.measured->monotonic_ms();
        // An error of the connection ends all its bindings.
        const std::shared_ptr<BindingSignal> signal = binding->signal;
        if (const auto refusal = binding->session->query(message.version, message.query_body)) {
            send(*binding, *refusal);
        }
        signal->keep_outgoing();
    }
}

void Connection::handle(const protocol::Upload& message) {
    Binding* binding = find_active(message.session, "UPLOAD");
    if (binding == nullptr) {
        return;
    }
    std::vector<std::byte> storage;
    const Result<ByteView> opened = protocol::open_body(message.body, storage);
    if (!opened) {
        fail(protocol::sync_code_for(opened.error().code()), opened.error().what());
        return;
    }
    protocol::UploadEntryReader reader(*opened);
    for (;;) {
        const auto entry = reader.next();
        if (!entry) {
            fail(protocol::sync_code_for(entry.error().code()), entry.error().what());
            return;
        }
        if (!*entry) {
            break;
        }
    }
    if (!message.body.is_compressed) {
        storage.assign(opened->begin(), opened->end());
    }
    ++setup_.counters.uploads;
    note_upload(*binding, message.progress.client, storage.empty());
    // The engine says when there is something to send because of it.
    if (const auto refusal =
            binding->session->upload(message.progress, message.locked, std::move(storage))) {
        send(*binding, *refusal);
    }
}

void Connection::handle(const protocol::Mark& message) {
    if (Binding* binding = find_active(message.session, "MARK")) {
        binding->session->mark(message.request);
        binding->signal->keep_outgoing(); // it may be answered without the engine's doing
    }
}

void Connection::handle(const protocol::Unbind& message) {
    Binding* binding = find(message.session, "UNBIND");
    if (binding == nullptr) {
        return;
    }
    const bool failed = binding->state == Binding::State::failed;
    drop_session(*binding);
    bindings_.erase(message.session);
    --setup_.counters.bindings_open;
    if (!failed) {
        send_message(protocol::Unbound{message.session});
    }
}

void Connection::handle(const protocol::Ping& message) {
    send_message(protocol::Pong{message.timestamp_ms});
}

void Connection::handle(const protocol::ClientError& message) {
    Binding* binding = find_active(message.session, "JSON_ERROR");
    if (binding == nullptr) {
        return;
    }
    setup_.log.warning("sync client could not integrate what it was sent",
                       {{"app", setup_.app_name},
                        {"connection", setup_.id},
                        {"user", setup_.user_id},
                        {"file", std::to_string(binding->session->file().value)},
                        {"code", std::to_string(message.code)},
                        {"error", message.message}});
    send(*binding, binding->session->client_error(message.code, message.message));
}

void Connection::handle(const protocol::TestCommand& message) {
    Binding* binding = find(message.session, "TEST_COMMAND");
    if (binding == nullptr || binding->state == Binding::State::failed) {
        return;
    }
    // The answer goes first: who is sent an error waits for nothing more of this binding.
    std::optional<protocol::EchoError> echo;
    const std::string answer = run_test_command(*binding, message.body_text, echo);
    send_message(protocol::TestCommand{message.session, message.request, answer});
    if (!echo) {
        return;
    }
    const auto* info = protocol::find_sync_error(echo->code);
    if (info != nullptr && info->level == protocol::ErrorLevel::connection) {
        send_message(protocol::JsonError{{}, echo->code, echo->body});
        close(0, "");
    } else {
        send(*binding, SessionError{static_cast<SyncErrorCode>(echo->code), echo->body});
    }
}

std::string Connection::run_test_command(Binding& binding, std::string_view text,
                                         std::optional<protocol::EchoError>& echo_error) {
    if (!setup_.test_commands) {
        return R"({"error":"test commands are off"})";
    }
    const auto command = protocol::parse_test_command_body(text);
    if (!command) {
        return R"({"error":"the command is not understood"})";
    }
    if (command->command == "PAUSE_DOWNLOAD_BUILDER" ||
        command->command == "PAUSE_ROUTER_SESSION") {
        binding.downloads_paused = true;
    } else if (command->command == "RESUME_DOWNLOAD_BUILDER") {
        binding.downloads_paused = false;
    } else if (command->command == "ECHO_ERROR") {
        auto echo = protocol::parse_echo_error(command->args_json);
        const auto* info = echo ? protocol::find_sync_error(echo->code) : nullptr;
        const bool harmful = info != nullptr && info->sending != protocol::ErrorSending::server;
        if (!echo || harmful) {
            return R"({"error":"the error cannot be sent"})";
        }
        echo_error = *std::move(echo);
    } else {
        return R"({"error":"there is no such command"})";
    }
    return "{}";
}

bool Connection::pump(unsigned messages_max) {
    for (auto& [ident, binding] : bindings_) {
        pick_up(binding);
        if (is_over_) {
            return false;
        }
    }
    for (unsigned sent = 0; sent < messages_max;) {
        if (is_over_ || !outlet_.has_room()) {
            return false;
        }
        Binding* binding = next_with_outgoing();
        if (binding == nullptr) {
            return false;
        }
        last_served_ = binding->ident;
        if (send_next(*binding)) {
            ++sent;
        }
    }
    return true;
}

// What other threads have left for the binding.
void Connection::pick_up(Binding& binding) {
    if (const auto file = binding.signal->take_allocated()) {
        allocated(binding, *file);
    }
    if (binding.session != nullptr && binding.signal->is_replaced()) {
        setup_.log.info("sync connection ended: its file was bound on a newer one",
                        {{"app", setup_.app_name},
                         {"connection", setup_.id},
                         {"user", setup_.user_id},
                         {"file", std::to_string(binding.session->file().value)}});
        close(0, "");
    }
}

void Connection::allocated(Binding& binding, const Result<protocol::SaltedFileIdent>& file) {
    if (binding.state != Binding::State::allocating) {
        return;
    }
    if (!file) {
        setup_.log.error(
            "no sync file ident could be made",
            {{"app", setup_.app_name}, {"connection", setup_.id}, {"error", file.error().what()}});
        fail(binding, SyncErrorCode::session_closed, "the server cannot write now");
        return;
    }
    binding.state = Binding::State::awaiting_ident;
    send_message(protocol::ServerIdent{binding.ident, *file});
}

// Bindings in turn, from the one after the last that was served.
Binding* Connection::next_with_outgoing() {
    const auto is_next = [](Binding& binding) {
        return binding.state == Binding::State::active && !binding.downloads_paused &&
               binding.signal->take_outgoing();
    };
    const auto start = bindings_.upper_bound(last_served_);
    for (auto at = start; at != bindings_.end(); ++at) {
        if (is_next(at->second)) {
            return &at->second;
        }
    }
    for (auto at = bindings_.begin(); at != start; ++at) {
        if (is_next(at->second)) {
            return &at->second;
        }
    }
    return nullptr;
}

bool Connection::send_next(Binding& binding) {
    const std::optional<Outgoing> outgoing = binding.session->next();
    if (!outgoing) {
        return false;
    }
    if (!binding.session->is_drained()) {
        binding.signal->keep_outgoing();
    }
    std::visit([&](const auto& one) { send(binding, one); }, *outgoing);
    return true;
}

void Connection::send(Binding& binding, const OutgoingDownload& download) {
    protocol::Download message;
    message.session = binding.ident;
    message.progress = download.progress;
    message.query_version = download.query_version;
    message.batch_state = download.batch_state;
    message.estimate = download.estimate;
    message.body = protocol::Body::plain(download.entries);
    if (const auto violation = binding.checker->check(message, download.entries, std::nullopt)) {
        setup_.log.error("a DOWNLOAD that no client may be sent was held back",
                         {{"app", setup_.app_name},
                          {"connection", setup_.id},
                          {"file", std::to_string(binding.session->file().value)},
                          {"rule", std::string(violation->rule)},
                          {"error", violation->message}});
        fail(binding, SyncErrorCode::session_closed, "internal error");
        return;
    }
    std::vector<std::byte> storage;
    message.body = protocol::compress_body(download.entries, {}, storage);
    ++setup_.counters.downloads;
    note_download(binding, download);
    if (!send_message(message)) {
        fail(binding, SyncErrorCode::session_closed, "internal error");
    }
}

void Connection::note_upload(Binding& binding, protocol::ClientVersion version, bool is_empty) {
    if (!is_empty) {
        setup_.measured->count(Measured::requests);
        if (binding.uploads.size() < timed_uploads_max) {
            binding.uploads.push_back({version, setup_.measured->monotonic_ms()});
        }
    }
}

void Connection::note_download(Binding& binding, const OutgoingDownload& download) {
    if (!download.entries.empty()) {
        setup_.measured->count(Measured::requests);
    }
    const std::int64_t now = setup_.measured->monotonic_ms();
    std::erase_if(binding.uploads, [&](const Binding::Upload& each) {
        const bool is_taken = each.version <= download.progress.upload.client;
        if (is_taken) {
            setup_.measured->took(Measured::upload_ms, now - each.came_ms);
        }
        return is_taken;
    });
    if (download.batch_state == protocol::BatchState::bootstrap_last) {
        setup_.measured->took(Measured::bootstrap_ms, now - binding.asked_ms);
    }
}

void Connection::send(Binding& binding, const OutgoingMark& mark) {
    send_message(protocol::Mark{binding.ident, mark.request});
}

void Connection::send(Binding& binding, const OutgoingQueryError& error) {
    protocol::QueryError message;
    message.session = binding.ident;
    message.code = static_cast<int>(SyncErrorCode::bad_query);
    message.version = error.version;
    message.message_text = error.message;
    setup_.measured->count(Measured::invalid_reads);
    log_query_error(setup_, file_of(binding), error);
    send_message(message);
}

void Connection::send(Binding& binding, const SessionError& error) {
    const auto* info = protocol::find_sync_error(static_cast<int>(error.code));
    if (info != nullptr && info->level == protocol::ErrorLevel::connection) {
        fail(error.code, error.body.message); // mixing levels is a violation (6.2)
        return;
    }
    protocol::JsonError message{binding.ident, static_cast<int>(error.code), error.body};
    if (message.body.log_url.empty()) {
        message.body.log_url = setup_.log_url;
    }
    log_session_error(setup_, binding.ident, file_of(binding), error);
    ++setup_.counters.errors_sent;
    if (is_of_upload(error.code)) {
        setup_.measured->count(Measured::invalid_uploads);
    }
    if (error.ends_binding()) {
        binding.state = Binding::State::failed;
        drop_session(binding);
    }
    send_message(message);
}

void Connection::fail(Binding& binding, SyncErrorCode code, std::string message) {
    send(binding, session_error(code, std::move(message)));
}

void Connection::fail(SyncErrorCode code, std::string message) {
    setup_.log.info("sync connection ended by an error",
                    {{"app", setup_.app_name},
                     {"connection", setup_.id},
                     {"user", setup_.user_id},
                     {"code", std::to_string(static_cast<int>(code))},
                     {"error", message}});
    ++setup_.counters.errors_sent;
    if (code == SyncErrorCode::limits_exceeded) {
        // The code itself aborts published clients (6.2).
        close(static_cast<std::uint16_t>(protocol::CloseCode::message_too_big), message);
        return;
    }
    protocol::JsonError error = protocol::make_json_error(code, {}, std::move(message));
    error.body.log_url = setup_.log_url;
    send_message(error);
    close(0, "");
}

void Connection::drop_session(Binding& binding) {
    if (binding.session != nullptr) {
        if (setup_.live != nullptr) {
            setup_.live->ended(binding.ident.value);
        }
        setup_.measured->count(Measured::sessions_ended);
        setup_.measured->change(Measured::open_sessions, -1);
        binding.session->close();
        binding.session.reset();
        binding.checker.reset();
    }
}

bool Connection::send_message(const protocol::ServerMessage& message) {
    Result<protocol::MessageBytes> bytes = protocol::encode_server_message(message, setup_.dialect);
    if (!bytes) {
        setup_.log.error(
            "a sync message could not be encoded",
            {{"app", setup_.app_name}, {"connection", setup_.id}, {"error", bytes.error().what()}});
        return false;
    }
    ++setup_.counters.messages_out;
    setup_.counters.bytes_out += bytes->size();
    setup_.measured->count(Measured::egress_bytes, bytes->size());
    outlet_.send(*std::move(bytes));
    return true;
}

} // namespace tombolo::server::sync
