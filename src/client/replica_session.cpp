#include "client/replica_session.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "protocol/body.hpp"

namespace tombolo::client {

namespace {

Error violation(std::string text) {
    return {ErrorCode::bad_sync_message, std::move(text)};
}

} // namespace

ReplicaSession::ReplicaSession(Replica& replica, ReplicaSessionOptions options)
    : replica_(replica), options_(options) {
    replica_.discard_partial_bootstrap();
}

void ReplicaSession::connected(bool fast) {
    is_connected_ = true;
    phase_ = Phase::idle;
    wants_unbind_ = false;
    gate_open_ = gate_open_ && fast;
    if (!gate_open_) {
        ++requested_mark_;
    }
}

void ReplicaSession::disconnected() {
    is_connected_ = false;
    phase_ = Phase::idle;
    checker_.reset();
}

bool ReplicaSession::is_up_to_date() const noexcept {
    return phase_ == Phase::active && answered_mark_ == requested_mark_ &&
           !replica_.next_query(sent_query_) && sent_upload_.client == replica_.newest_version();
}

protocol::MessageBytes ReplicaSession::encode(const protocol::ClientMessage& message) const {
    return protocol::encode_client_message(message, options_.dialect).value();
}

std::optional<protocol::MessageBytes> ReplicaSession::next() {
    if (!is_connected_) {
        return std::nullopt;
    }
    const bool can_unbind = phase_ != Phase::idle && phase_ != Phase::unbinding &&
                            phase_ != Phase::stopped && phase_ != Phase::failed;
    if (wants_unbind_ && can_unbind) {
        phase_ = Phase::unbinding;
        return encode(protocol::Unbind{options_.ident});
    }
    switch (phase_) {
    case Phase::idle:
        return wants_unbind_ ? std::nullopt : std::optional(bind());
    case Phase::bound:
        return ident();
    case Phase::active:
        return next_active();
    case Phase::failed: {
        phase_ = errors_.back().body.try_again ? Phase::idle : Phase::stopped;
        return encode(protocol::Unbind{options_.ident});
    }
    case Phase::awaiting_ident:
    case Phase::unbinding:
    case Phase::stopped:
        break;
    }
    return std::nullopt;
}

protocol::MessageBytes ReplicaSession::bind() {
    protocol::FlexibleBind data;
    data.schema_version = options_.schema_version;
    data.session_reason = options_.reason;
    protocol::Bind message;
    message.session = options_.ident;
    message.needs_file_ident = replica_.file().ident.value == 0;
    message.data = data;
    phase_ = message.needs_file_ident ? Phase::awaiting_ident : Phase::bound;
    return encode(message);
}

protocol::MessageBytes ReplicaSession::ident() {
    const std::string body = replica_.active_body();
    protocol::ClientIdent message;
    message.session = options_.ident;
    message.file = replica_.file();
    message.scan = replica_.progress().download;
    message.latest = replica_.progress().latest;
    message.query_version = replica_.active_version();
    message.query_body = body;
    checker_.emplace(protocol::DownloadChecker::Start{replica_.progress(), replica_.file().ident},
                     options_.dialect.mode, protocol::CheckedSide::client_input);
    sent_query_ = message.query_version;
    sent_upload_ = replica_.progress().upload;
    sent_mark_ = answered_mark_; // unanswered ones are asked again
    phase_ = Phase::active;
    return encode(message);
}

std::optional<protocol::MessageBytes> ReplicaSession::next_active() {
    if (sent_mark_ < requested_mark_) {
        sent_mark_ = requested_mark_;
        return encode(protocol::Mark{options_.ident, {sent_mark_}});
    }
    if (!gate_open_) {
        return std::nullopt;
    }
    if (const auto version = replica_.next_query(sent_query_)) {
        if (sent_upload_.client >= replica_.subscriptions(*version)->snapshot) {
            return query(*version);
        }
    }
    return upload();
}

protocol::MessageBytes ReplicaSession::query(QueryVersion version) {
    sent_query_ = version;
    ++requested_mark_;
    protocol::Query message;
    message.session = options_.ident;
    message.version = version;
    message.query_body = replica_.subscriptions(version)->body;
    return encode(message);
}

std::optional<protocol::MessageBytes> ReplicaSession::upload() {
    // Up to the next subscription set, or to the end.
    ClientVersion limit = replica_.newest_version();
    if (const auto version = replica_.next_query(sent_query_)) {
        limit = replica_.subscriptions(*version)->snapshot;
    }
    if (sent_upload_.client >= limit) {
        return std::nullopt;
    }
    const auto commits = replica_.commits(sent_upload_.client, limit);
    std::vector<std::byte> body;
    protocol::UploadCursor progress{limit, replica_.base_as_of(limit)};
    for (const LocalCommit* commit : commits) {
        if (body.size() >= options_.upload_bytes) {
            break;
        }
        protocol::UploadEntry entry;
        entry.client_version = commit->version;
        entry.server_version = commit->base;
        entry.origin_timestamp_ms = commit->timestamp_ms;
        entry.changeset = commit->changeset;
        append_entry(body, entry);
        if (commit != commits.back()) {
            progress = {commit->version, replica_.base_as_of(commit->version)};
        } else {
            progress = {limit, replica_.base_as_of(limit)};
        }
    }
    // Nothing to tell: neither a changeset nor a server version integrated since.
    if (body.empty() && progress.server == sent_upload_.server) {
        sent_upload_.client = limit;
        return std::nullopt;
    }
    sent_upload_ = progress;
    std::vector<std::byte> storage;
    protocol::Upload message;
    message.session = options_.ident;
    message.progress = progress;
    message.locked = replica_.progress().download.server;
    message.body = protocol::compress_body(body, {}, storage);
    return encode(message);
}

Result<void> ReplicaSession::receive(ByteView message) {
    TOMBOLO_TRY(const protocol::ServerMessage parsed,
                protocol::parse_server_message(message, options_.dialect));
    return std::visit([this](const auto& one) { return take(one); }, parsed);
}

Result<void> ReplicaSession::take(const protocol::ServerIdent& message) {
    if (phase_ == Phase::unbinding) {
        return {};
    }
    if (phase_ != Phase::awaiting_ident) {
        return violation("IDENT that was not asked for");
    }
    replica_.set_file(message.file);
    phase_ = Phase::bound;
    return {};
}

Result<void> ReplicaSession::take(const protocol::Download& message) {
    if (phase_ == Phase::unbinding) {
        return {};
    }
    if (phase_ != Phase::active) {
        return violation("DOWNLOAD before IDENT or after an error");
    }
    std::vector<std::byte> storage;
    TOMBOLO_TRY(const ByteView opened, protocol::open_body(message.body, storage));
    protocol::Download header = message;
    if (options_.dialect.version < protocol::ProtocolVersion::v14) {
        header.batch_state = resolve_batch_state(message, replica_.active_version());
    }
    if (auto found = checker_->check(header, opened, replica_.newest_version())) {
        return violation(std::string(found->rule) + ": " + found->message);
    }
    std::vector<ReceivedEntry> entries;
    protocol::DownloadEntryReader reader(opened);
    for (;;) {
        TOMBOLO_TRY(const auto entry, reader.next());
        if (!entry) {
            break;
        }
        entries.push_back({entry->server_version,
                           entry->client_version,
                           entry->origin_timestamp_ms,
                           entry->origin,
                           {entry->changeset.begin(), entry->changeset.end()}});
    }
    const bool is_bootstrap = header.batch_state != protocol::BatchState::steady;
    if (is_bootstrap && replica_.subscriptions(header.query_version) == nullptr) {
        return violation("a bootstrap of a subscription set that the client does not have");
    }
    TOMBOLO_TRY_VOID(replica_.integrate(header, std::move(entries)));
    // What an earlier binding sent may be acknowledged in this one only.
    if (replica_.progress().upload.client > sent_upload_.client) {
        sent_upload_ = replica_.progress().upload;
    }
    return {};
}

Result<void> ReplicaSession::take(const protocol::Mark& message) {
    if (phase_ == Phase::unbinding) {
        return {};
    }
    const std::uint64_t request = message.request.value;
    if (phase_ != Phase::active || request <= answered_mark_ || request > sent_mark_) {
        return violation("MARK that was not asked for");
    }
    answered_mark_ = request;
    if (request == requested_mark_) {
        replica_.up_to_date();
    }
    gate_open_ = true;
    return {};
}

Result<void> ReplicaSession::take(const protocol::Unbound& /*message*/) {
    if (phase_ != Phase::unbinding) {
        return violation("UNBOUND without UNBIND");
    }
    phase_ = Phase::idle;
    return {};
}

Result<void> ReplicaSession::take(const protocol::Pong& /*message*/) {
    return {};
}

Result<void> ReplicaSession::take(const protocol::JsonError& message) {
    errors_.push_back(message);
    if (message.session.value == 0) {
        return {}; // the connection's: the caller sees it end
    }
    if (phase_ == Phase::idle || phase_ == Phase::failed) {
        return violation("an error for a session that is not bound");
    }
    if (protocol::ends_binding(message.code)) {
        phase_ = phase_ == Phase::unbinding ? Phase::idle : Phase::failed;
    }
    return {};
}

Result<void> ReplicaSession::take(const protocol::LegacyError& /*message*/) {
    return violation("ERROR is not used any more");
}

Result<void> ReplicaSession::take(const protocol::QueryError& message) {
    const SubscriptionSet* set = replica_.subscriptions(message.version);
    if (phase_ != Phase::active || set == nullptr || message.version > sent_query_ ||
        set->state == SubscriptionSet::State::complete) {
        return violation("QUERY_ERROR for a set that is not pending");
    }
    replica_.query_error(message.version, std::string(message.message_text));
    return {};
}

Result<void> ReplicaSession::take(const protocol::LogMessage& /*message*/) {
    return {};
}

Result<void> ReplicaSession::take(const protocol::TestCommand& /*message*/) {
    return violation("an answer to a test command that was not sent");
}

} // namespace tombolo::client
