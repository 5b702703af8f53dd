#include "support/sync_device.hpp"

#include <algorithm>
#include <utility>

#include "changeset/codec.hpp"
#include "changeset/merge.hpp"
#include "core/bytes.hpp"
#include "protocol/body.hpp"

namespace tombolo::testing {

using changeset::Changeset;
using changeset::MergeInput;
using server::sync::Outgoing;
using server::sync::OutgoingDownload;
using server::sync::SessionError;

void SyncDevice::fail(std::string what) {
    if (!failure_) {
        failure_ = "file " + std::to_string(file()) + ": " + std::move(what);
    }
    disconnect();
}

// What the app does

void SyncDevice::commit(const Changeset& written, std::uint64_t timestamp,
                        changeset::MemoryState after) {
    if (written.empty()) {
        return;
    }
    state_ = std::move(after);
    ++client_version_;
    commits_.push_back({client_version_, cursor(), timestamp, written, written});
    log_ += "COMMIT " + std::to_string(client_version_) + " base " + std::to_string(cursor()) +
            " at " + std::to_string(timestamp) + "\n" + to_text(written) + "\n";
}

void SyncDevice::commit(const Changeset& written, std::uint64_t timestamp) {
    changeset::MemoryState after = state_;
    apply(written, after).value();
    commit(written, timestamp, std::move(after));
}

void SyncDevice::subscribe(std::string body) {
    log_ += "SUBSCRIBE " + std::to_string(newest_query_ + 1) + " " + body + "\n";
    queries_.push_back({++newest_query_, std::move(body), client_version_, false});
    ++client_version_; // the commit that stored the set
}

// The connection

server::sync::IdentRequest SyncDevice::ident() const {
    server::sync::IdentRequest request;
    request.user_id = user_;
    request.schema_version = schema_version_;
    request.file = file_;
    request.scan = progress_.download;
    request.latest = progress_.latest;
    request.query_version = {active_version_};
    request.query_body = active_body_;
    return request;
}

void SyncDevice::connect(server::sync::Engine& engine, bool is_fast) {
    disconnect();
    error_.reset();
    signal_ = std::make_shared<Signal>();
    auto result = engine.identify(ident(), signal_);
    if (auto* error = std::get_if<SessionError>(&result)) {
        error_ = std::move(*error);
        return;
    }
    log_ +=
        "IDENT " + std::to_string(cursor()) + " query " + std::to_string(active_version_) + "\n";
    session_ = std::get<std::shared_ptr<server::sync::Session>>(std::move(result));
    checker_ = std::make_unique<protocol::DownloadChecker>(
        protocol::DownloadChecker::Start{progress_, file_.ident}, protocol::SyncMode::flexible,
        protocol::CheckedSide::server_output);
    sent_client_version_ = progress_.upload.client.value;
    sent_server_version_ = 0;
    for (PendingQuery& query : queries_) {
        query.is_sent = false;
    }
    mark();
    gate_mark_ = is_fast ? 0 : mark_asked_;
}

void SyncDevice::disconnect() {
    if (session_ != nullptr) {
        session_->close();
        session_.reset();
    }
    checker_.reset();
}

void SyncDevice::restart() {
    disconnect();
    batches_.clear();
    batch_version_ = -1;
}

void SyncDevice::mark() {
    if (session_ != nullptr) {
        session_->mark({++mark_asked_});
        signal_->is_told = true;
    }
}

void SyncDevice::upload(std::uint64_t up_to) {
    std::vector<std::byte> body;
    std::uint64_t sent = sent_client_version_;
    for (const Commit& commit : commits_) {
        if (commit.client_version <= sent || commit.client_version > up_to) {
            continue;
        }
        const std::vector<std::byte> bytes = changeset::encode(commit.original);
        protocol::UploadEntry entry;
        entry.client_version = {commit.client_version};
        entry.server_version = {commit.base};
        entry.origin_timestamp_ms = commit.timestamp;
        entry.changeset = bytes;
        protocol::append_entry(body, entry);
        sent = commit.client_version;
        log_ += "UPLOAD " + std::to_string(sent) + "\n";
    }
    const std::uint64_t scanned = std::max(sent_client_version_, up_to);
    const std::uint64_t server = std::prev(integrated_.upper_bound(scanned))->second;
    if (body.empty() && server == sent_server_version_) {
        return;
    }
    sent_client_version_ = std::max(sent, scanned);
    sent_server_version_ = server;
    if (const auto refusal =
            session_->upload({{sent_client_version_}, {server}}, {cursor()}, std::move(body))) {
        fail("UPLOAD refused: " + refusal->body.message);
    }
}

void SyncDevice::send(std::size_t messages_max) {
    if (session_ == nullptr || mark_answered_ < gate_mark_) {
        return; // the upload gate
    }
    std::size_t count = 0;
    for (PendingQuery& query : queries_) {
        if (query.is_sent || count >= messages_max) {
            continue;
        }
        upload(query.snapshot);
        ++count;
        if (session_ == nullptr || count >= messages_max) {
            return;
        }
        if (const auto refusal = session_->query({query.version}, query.body)) {
            fail("QUERY refused: " + refusal->body.message);
            return;
        }
        query.is_sent = true;
        mark();
        ++count;
    }
    if (count < messages_max) {
        upload(client_version_);
    }
}

// What comes

std::size_t SyncDevice::receive(std::size_t messages_max, std::optional<std::size_t> entries_max) {
    std::size_t count = 0;
    while (session_ != nullptr && count < messages_max) {
        // Before asking: what is told meanwhile counts for the next time.
        const bool was_told = signal_->is_told.exchange(false);
        std::optional<Outgoing> message = session_->next();
        if (!message) {
            return count;
        }
        signal_->is_told = true; // there may be more
        if (!was_told && !allows_early_messages_) {
            fail("there is a message that the listener was not told of");
            return count;
        }
        ++count;
        ++messages_;
        take(*std::move(message), count == messages_max ? entries_max : std::nullopt);
    }
    return count;
}

void SyncDevice::take(Outgoing message, std::optional<std::size_t> entries_max) {
    if (auto* download = std::get_if<OutgoingDownload>(&message)) {
        take_download(*download, entries_max);
    } else if (const auto* mark = std::get_if<server::sync::OutgoingMark>(&message)) {
        log_ += "MARK " + std::to_string(mark->request.value) + "\n";
        if (mark->request.value <= mark_answered_ || mark->request.value > mark_asked_) {
            fail("an illegal MARK");
        }
        mark_answered_ = mark->request.value;
    } else if (const auto* bad = std::get_if<server::sync::OutgoingQueryError>(&message)) {
        query_errors_.push_back(bad->message);
        std::erase_if(queries_,
                      [&](const PendingQuery& each) { return each.version == bad->version.value; });
    } else {
        auto& error = std::get<SessionError>(message);
        log_ += "ERROR " + std::to_string(static_cast<int>(error.code)) + "\n";
        if (!error.ends_binding()) {
            (error.code == protocol::SyncErrorCode::schema_version_changed ? announcements_
                                                                           : rejections_)
                .push_back(std::move(error));
            return;
        }
        error_ = std::move(error);
        restart();
    }
}

void SyncDevice::take_download(OutgoingDownload& download, std::optional<std::size_t> entries_max) {
    log_ += "DOWNLOAD " + std::to_string(download.progress.download.server.value) + " state " +
            std::to_string(static_cast<int>(download.batch_state)) + " query " +
            std::to_string(download.query_version.value) + " upload " +
            std::to_string(download.progress.upload.client.value) + "/" +
            std::to_string(download.progress.upload.server.value) + "\n";
    protocol::Download message;
    message.session = {1};
    message.progress = download.progress;
    message.query_version = download.query_version;
    message.batch_state = download.batch_state;
    message.estimate = download.estimate;
    message.body = protocol::Body::plain(download.entries);
    if (const auto violation =
            checker_->check(message, download.entries, protocol::ClientVersion{client_version_})) {
        fail("DOWNLOAD breaks " + std::string(violation->rule) + ": " + violation->message);
        return;
    }
    std::vector<Entry> entries;
    protocol::DownloadEntryReader reader(download.entries);
    for (auto next = reader.next(); next && *next; next = reader.next()) {
        Entry entry{**next, {}};
        const Result<Changeset> told = changeset::decode(entry.head.changeset);
        log_ += "  entry " + std::to_string(entry.head.server_version.value) + " base " +
                std::to_string(entry.head.client_version.value) + " of " +
                std::to_string(entry.head.origin.value) + " at " +
                std::to_string(entry.head.origin_timestamp_ms) + "\n" +
                (told ? to_text(*told) : "unreadable") + "\n";
        if (told && on_entry_) {
            on_entry_(entry.head, download.batch_state, *told);
        }
        entry.bytes.assign(entry.head.changeset.begin(), entry.head.changeset.end());
        entries.push_back(std::move(entry));
    }
    if (download.batch_state != protocol::BatchState::steady) {
        if (batch_version_ != download.query_version.value) {
            batches_.clear();
        }
        batch_version_ = download.query_version.value;
        batches_.insert(batches_.end(), entries.begin(), entries.end());
        if (download.batch_state == protocol::BatchState::bootstrap_last) {
            finish_bootstrap(download);
        }
        return;
    }
    std::size_t done = 0;
    for (const Entry& entry : entries) {
        if (entries_max && done == *entries_max) {
            restart(); // the app was killed in the middle
            return;
        }
        integrate(entry);
        if (failure_) {
            return;
        }
        // What is persisted with the entry: the message's progress, but for how far it got.
        progress_ = download.progress;
        progress_.download = {entry.head.server_version, entry.head.client_version};
        integrated_[client_version_] = cursor();
        ++done;
        trim();
    }
    const bool has_moved = cursor() < download.progress.download.server.value;
    progress_ = download.progress;
    if (has_moved) {
        integrated_[++client_version_] = cursor();
    }
    trim();
}

void SyncDevice::finish_bootstrap(const OutgoingDownload& download) {
    for (const Entry& entry : batches_) {
        integrate(entry);
        if (failure_) {
            return;
        }
    }
    batches_.clear();
    batch_version_ = -1;
    ++bootstraps_;
    progress_ = download.progress;
    integrated_[client_version_] = cursor();
    const std::int64_t version = download.query_version.value;
    for (const PendingQuery& query : queries_) {
        if (query.version == version) {
            active_version_ = version;
            active_body_ = query.body;
        }
    }
    if (active_version_ != version) {
        fail("a bootstrap of a version that is neither active nor pending");
    }
    std::erase_if(queries_, [&](const PendingQuery& each) { return each.version <= version; });
    trim();
}

void SyncDevice::integrate(const Entry& entry) {
    Result<Changeset> incoming = changeset::decode(entry.bytes);
    if (!incoming) {
        fail("a changeset does not parse");
        return;
    }
    std::vector<MergeInput> ours;
    for (Commit& commit : commits_) {
        if (commit.client_version > entry.head.client_version.value) {
            ours.push_back({&commit.reciprocal, commit.timestamp, file(), false});
        }
    }
    MergeInput theirs{&*incoming, entry.head.origin_timestamp_ms, entry.head.origin.value, false};
    const auto merged = merge(ours, {&theirs, 1});
    if (!merged) {
        fail("a changeset does not merge at " + std::to_string(entry.head.server_version.value) +
             ": " + merged.error().what());
        return;
    }
    if (const auto applied = apply(*incoming, state_); !applied) {
        fail("a changeset does not apply at " + std::to_string(entry.head.server_version.value) +
             ": " + applied.error().what() + "\n" + to_text(*incoming));
        return;
    }
    ++client_version_;
}

void SyncDevice::trim() {
    std::erase_if(commits_, [&](const Commit& commit) {
        return commit.client_version <= progress_.download.client.value;
    });
}

} // namespace tombolo::testing
