#include "server/sync/engine/session_impl.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "server/sync/engine/lazy_history.hpp"
#include "server/sync/engine/schema_words.hpp"
#include "server/sync/engine/session_error.hpp"

namespace tombolo::server::sync {

using protocol::BatchState;
using protocol::SyncErrorCode;

namespace {

/// Groups remembered by a session: more only when its view changes faster than it reads.
constexpr std::size_t groups_max = 3;

} // namespace

void Mailbox::notify() {
    std::shared_ptr<SessionListener> told;
    {
        const MutexLock lock(mutex);
        if (!content.is_closed) {
            told = listener;
        }
    }
    if (told != nullptr) {
        told->on_outgoing();
    }
}

SessionImpl::SessionImpl(SessionContext& context, std::shared_ptr<Mailbox> mailbox,
                         const IdentRequest& request, std::shared_ptr<const Role> role,
                         const protocol::UploadChecker::Start& uploads)
    : context_(context), mailbox_(std::move(mailbox)), user_(request.user_id),
      file_(request.file.ident.value), scan_(request.scan.server.value), role_(std::move(role)),
      uploads_(uploads), last_query_version_(request.query_version.value),
      ident_query_version_(request.query_version.value), cursor_(scan_),
      client_version_(request.scan.client.value) {
    submitted_ = 1; // IDENT itself
}

Session::Refusal SessionImpl::end(SessionError error) {
    is_over_ = true;
    return error;
}

// What the client sends

Session::Refusal SessionImpl::upload(protocol::UploadCursor progress,
                                     protocol::ServerVersion locked,
                                     std::vector<std::byte> entries) {
    if (is_over_) {
        return std::nullopt;
    }
    protocol::Upload message;
    message.progress = progress;
    message.locked = locked;
    message.body = protocol::Body::plain(entries);
    if (const auto violation = uploads_.check(message, entries)) {
        const SessionError error = session_error(violation->code, violation->message);
        context_.submit_lost(file_, std::move(entries), error_text(error));
        return end(error);
    }
    ++submitted_;
    context_.submit_upload(mailbox_, file_, progress, locked.value, std::move(entries));
    return std::nullopt;
}

Session::Refusal SessionImpl::query(protocol::QueryVersion version, std::string_view body) {
    if (is_over_) {
        return std::nullopt;
    }
    if (version.value <= last_query_version_) {
        return end(session_error(SyncErrorCode::bad_message_order,
                                 "QUERY versions must increase within a binding"));
    }
    last_query_version_ = version.value;
    ++submitted_;
    context_.submit_query(mailbox_, file_, version.value, std::string(body), role_, scan_);
    return std::nullopt;
}

void SessionImpl::mark(protocol::RequestIdent request) {
    if (!is_over_ && submitted_ > processed()) {
        ++submitted_;
        context_.submit_mark(mailbox_, file_); // empty UPLOADs alone would wait for company
    }
    marks_.push_back({request, submitted_, std::nullopt});
}

SessionError SessionImpl::client_error(int code, std::string_view message) {
    is_over_ = true;
    if (code == static_cast<int>(SyncErrorCode::other_session_error)) {
        // Trouble of the client's own, such as no memory, which says nothing about the file.
        return session_error(SyncErrorCode::session_closed,
                             "the client had trouble: " + std::string(message));
    }
    context_.submit_death(file_);
    // A file that holds nothing yet refuses its first bootstrap because its schema is another: a
    // reset helps once at most.
    if (code == static_cast<int>(SyncErrorCode::bad_changeset) && scan_ == 0 &&
        context_.is_refused_again(user_)) {
        return session_error(SyncErrorCode::invalid_schema_change,
                             schema_difference(*context_.published().model, message));
    }
    SessionError error = session_error(SyncErrorCode::bad_client_file,
                                       "the client could not integrate what it was sent (" +
                                           std::to_string(code) + "): " + std::string(message));
    error.body.action = protocol::ErrorAction::client_reset;
    error.body.try_again = false;
    error.body.should_client_reset = true;
    error.body.is_recovery_mode_disabled = context_.recovery_mode_disabled();
    return error;
}

std::uint64_t SessionImpl::processed() const {
    const MutexLock lock(mailbox_->mutex);
    return mailbox_->content.processed;
}

std::size_t SessionImpl::backlog_bytes() const noexcept {
    const MutexLock lock(mailbox_->mutex);
    return mailbox_->content.backlog_bytes;
}

void SessionImpl::close() {
    is_over_ = true;
    {
        const MutexLock lock(mailbox_->mutex);
        if (mailbox_->content.is_closed && mailbox_->listener == nullptr) {
            return;
        }
        mailbox_->content.is_closed = true;
        mailbox_->listener.reset();
    }
    context_.leave(mailbox_, file_);
}

// What is sent

void SessionImpl::take_mail(Now& now) {
    const MutexLock lock(mailbox_->mutex);
    Mailbox::Content& mail = mailbox_->content;
    now.is_ready = mail.is_ready;
    now.is_closed = mail.is_closed;
    now.file = mail.file;
    now.error = mail.error;
    now.error_after = mail.error_after;
    now.processed = mail.processed;
    if (!mail.query_errors.empty() && !mail.is_closed && !mail.error) {
        now.query_error = std::move(mail.query_errors.front());
        mail.query_errors.pop_front();
    }
    now.has_more_mail = !mail.query_errors.empty();
    own_.insert(own_.end(), mail.own.begin(), mail.own.end());
    mail.own = {};
    own_since_ = mail.is_ready ? mail.own_since : own_since_;
    if (mail.group != nullptr && (groups_.empty() || groups_.back() != mail.group)) {
        groups_.push_back(mail.group);
        if (groups_.size() > groups_max) {
            groups_.erase(groups_.begin());
        }
    }
    if (now.file == nullptr) {
        return;
    }
    for (const auto& epoch : now.file->epochs) {
        if (epoch->point > cursor_) {
            now.point = epoch.get();
            // A QUERY for a later point can only mean that the client skips this one.
            now.is_requested = epoch->query_version == ident_query_version_ ||
                               mail.requested.lower_bound(epoch->point) != mail.requested.end();
            break;
        }
    }
}

SessionImpl::Now SessionImpl::look() {
    Now now;
    // The version first: what the mailbox says is then at least as new.
    now.published = context_.published();
    take_mail(now);
    if (now.file != nullptr) {
        now.model = now.published.model->of(now.file->schema_version);
    }
    now.limit = now.published.top;
    if (now.point != nullptr) {
        const Hole* hole = hole_at(*now.file, now.point->point);
        now.limit = std::min(now.limit, hole != nullptr ? std::max(cursor_, hole->after)
                                                        : now.point->point - 1);
        if (now.point->point > now.published.top) {
            now.point = nullptr;
        }
    }
    return now;
}

std::optional<Outgoing> SessionImpl::next() {
    if (is_over_) {
        return std::nullopt;
    }
    Result<std::optional<Outgoing>> result = step();
    if (!result) {
        // A trimmed history is the client's to be told of, all else is the store's.
        const bool is_trimmed = result.error().code() == ErrorCode::out_of_range;
        return *end(session_error(is_trimmed ? SyncErrorCode::client_file_expired
                                             : SyncErrorCode::session_closed,
                                  is_trimmed ? "the history this device needs is gone"
                                             : "the server cannot read its store"));
    }
    return *std::move(result);
}

/// Of what was there when it looked: in the simplest case only, which is that of thousands of
/// sessions that were told of one write.
bool SessionImpl::has_said_all(const Now& now) const {
    return now.is_ready && !now.error && !now.has_more_mail && announcement_ == nullptr &&
           bootstrap_ == nullptr && marks_.empty() && now.point == nullptr &&
           cursor_ >= now.limit && !must_send(now);
}

Result<std::optional<Outgoing>> SessionImpl::step() {
    const Now now = look();
    if (now.is_closed) {
        is_over_ = true;
        return std::optional<Outgoing>();
    }
    std::optional<Outgoing> message;
    if (!now.published.has_failed && (!now.error || owes_mark_before(now.error_after))) {
        TOMBOLO_TRY(message, advance(now));
        is_drained_ = has_said_all(now);
    }
    if (!message && (now.error || now.published.has_failed)) {
        is_over_ = true;
        return std::optional<Outgoing>(
            now.error ? *now.error
                      : session_error(SyncErrorCode::session_closed, "sync has stopped"));
    }
    return message;
}

bool SessionImpl::owes_mark_before(std::uint64_t inputs) const {
    return !marks_.empty() && marks_.front().after_inputs <= inputs;
}

Result<std::optional<Outgoing>> SessionImpl::advance(const Now& now) {
    if (now.query_error) {
        return std::optional<Outgoing>(*now.query_error);
    }
    if (!now.is_ready) {
        return std::optional<Outgoing>();
    }
    if (now.model == nullptr) {
        is_over_ = true;
        return std::optional<Outgoing>(session_error(
            SyncErrorCode::bad_schema_version, "the file's schema version is served no more"));
    }
    if (announcement_ != nullptr) {
        return std::optional<Outgoing>(*std::exchange(announcement_, nullptr));
    }
    if (bootstrap_ != nullptr) {
        return continue_bootstrap(now);
    }
    // Below its first point a file was sent nothing.
    if (epoch_for(*now.file, cursor_ + 1) == nullptr && now.point != nullptr) {
        cursor_ = std::max(cursor_, now.limit);
    }
    if (now.point != nullptr && cursor_ == now.limit && now.is_requested) {
        start_bootstrap(now);
        return continue_bootstrap(now);
    }
    if (cursor_ < now.limit || must_send(now)) {
        TOMBOLO_TRY(std::optional<Outgoing> message, steady(now));
        if (message) {
            return message;
        }
        if (now.point != nullptr && cursor_ == now.limit && now.is_requested) {
            start_bootstrap(now);
            return continue_bootstrap(now);
        }
    }
    return answer_mark(now);
}

protocol::SyncProgress SessionImpl::progress_at(Number version, Number client,
                                                const FileState& file) const {
    protocol::SyncProgress progress;
    progress.download = {{version}, {client}};
    progress.latest = {{version}, {context_.salt_of(version)}};
    progress.upload = {{file.upload_client}, {file.floor}};
    return progress;
}

Outgoing SessionImpl::finish_download(OutgoingDownload download, const FileState& file) {
    const Epoch* epoch = epoch_for(file, cursor_ + 1);
    download.query_version = {epoch == nullptr ? 0 : epoch->query_version};
    download.progress = progress_at(cursor_, client_version_, file);
    download.estimate = protocol::ProgressEstimate::complete();
    sent_ = download.progress;
    uploads_.note_download({cursor_});
    return download;
}

bool SessionImpl::must_send(const Now& now) const {
    if (!sent_) {
        return true;
    }
    const FileState& file = *now.file;
    // The file may say of an upload before its version is published: the client was told that it
    // arrived, and has yet to be told that it is integrated.
    return sent_->upload < protocol::UploadCursor{{file.upload_client}, {file.floor}} ||
           sent_->download.client.value < client_version_;
}

// Bootstraps

void SessionImpl::start_bootstrap(const Now& now) {
    const FileState& file = *now.file;
    const Epoch* previous = nullptr;
    const Epoch* epoch = epoch_at(file, now.point->point, &previous);
    ViewCache& views = context_.views();
    Bootstrap::Options options;
    options.file = file_;
    options.point = epoch->point;
    options.old_view = previous == nullptr ? nullptr : views.get(now.model, *previous);
    options.new_view = views.get(now.model, *epoch);
    options.sends_schema = previous == nullptr;
    if (const Hole* hole = hole_at(file, epoch->point)) {
        options.hole_after = hole->after;
        options.sends_schema = true; // what was added to it in the hole is not sent otherwise
    }
    options.batch_bytes = context_.options().download_bytes;
    options.batch_objects = context_.options().bootstrap_objects;
    options.bugs = context_.options().bugs;
    bootstrap_ = std::make_unique<RunningBootstrap>(std::move(options));
    bootstrap_->header.query_version = {epoch->query_version};
}

Result<std::optional<Outgoing>> SessionImpl::continue_bootstrap(const Now& now) {
    const FileState& file = *now.file;
    const Number point = now.point->point;
    const auto snapshot = context_.store().snapshot();
    // The snapshot may be ahead of what was published: changes up to its own top are in it.
    TOMBOLO_TRY(const std::optional<std::string> record,
                snapshot->record(store::Space::meta, context_.keys().state()));
    TOMBOLO_TRY(const EngineState state, decode_state(record.value_or("")));
    const SnapshotHistory history(*snapshot, context_.store(), context_.keys(),
                                  *now.published.model, context_.cache(), state.top);
    if (bootstrap_->steps == 0) {
        // Own uploads inside a hole count as integrated by the point.
        if (const Hole* hole = hole_at(file, point)) {
            for (Number version = hole->after + 1; version < point; ++version) {
                TOMBOLO_TRY(const std::shared_ptr<const Entry> entry, history.entry(version));
                if (entry->head().origin == file_) {
                    client_version_ = std::max(client_version_, entry->head().client_version);
                }
            }
        }
        bootstrap_->header.progress = progress_at(point, client_version_, file);
    }
    TOMBOLO_TRY(const std::shared_ptr<const Entry> entry, history.entry(point));
    OutgoingDownload download = bootstrap_->header;
    Bootstrap::Step step;
    // Small changesets, where they are asked for, share a message.
    do {
        TOMBOLO_TRY(step, bootstrap_->content.next(history, *snapshot));
        protocol::DownloadEntry part;
        part.server_version = {point};
        part.client_version = bootstrap_->header.progress.download.client;
        part.origin_timestamp_ms = entry->head().timestamp;
        part.origin = protocol::server_file_ident;
        part.original_size_bytes = step.changeset.size();
        part.changeset = step.changeset;
        protocol::append_entry(download.entries, part);
        context_.count_encoded();
    } while (!step.is_last && context_.options().bootstrap_objects > 0 &&
             download.entries.size() < context_.options().download_bytes);
    ++bootstrap_->steps;
    if (step.is_last) {
        download.batch_state = BatchState::bootstrap_last;
        download.estimate = protocol::ProgressEstimate::complete();
        cursor_ = point;
        sent_ = download.progress;
        uploads_.note_download({point});
        bootstrap_.reset();
    } else {
        download.batch_state = BatchState::bootstrap_more;
        download.estimate = protocol::ProgressEstimate::from_fraction(
            1.0 - 1.0 / static_cast<double>(bootstrap_->steps + 1));
    }
    return std::optional<Outgoing>(std::move(download));
}

// Steady state

SessionError SessionImpl::rejection(const HistoryEntry& head, Number version) const {
    SessionError error = session_error(SyncErrorCode::compensating_write,
                                       "Client attempted a write that is not allowed; it has been "
                                       "reverted");
    protocol::RejectedWrites writes;
    writes.client_version = {head.rejected_client_version};
    writes.server_version = protocol::ServerVersion{version};
    for (const RejectedObject& each : head.rejected) {
        writes.updates.push_back({each.object.class_name, each.object.key, each.reason});
    }
    error.body.rejected = std::move(writes);
    return error;
}

/// False: the message is full, or `first` must go out before it.
Result<bool> SessionImpl::add_entry(const Now& now, const Stream& stream,
                                    const HistorySource& history, Number version,
                                    OutgoingDownload& download, std::optional<Outgoing>& first) {
    TOMBOLO_TRY(const std::shared_ptr<const Entry> entry, history.entry(version));
    const HistoryEntry& head = entry->head();
    const FileState& file = *now.file;
    const Epoch* previous = nullptr;
    std::shared_ptr<const EncodedPart> part;
    if (epoch_at(file, version, &previous) != nullptr) {
        // Never here: points are bootstraps, and limit stops before them.
        return Error(ErrorCode::internal, "a point in steady state");
    }
    TOMBOLO_TRY(part, stream.encode(version, *entry));
    if (head.kind == EntryKind::reset && head.audience == file_ && !head.rejected.empty() &&
        version > told_rejections_ && !part->changeset.empty()) {
        if (download.entries.empty()) {
            told_rejections_ = version;
            first = rejection(head, version);
        }
        return false;
    }
    Number client = client_version_;
    if (head.origin == file_ && head.client_version > client) {
        client = head.client_version;
    }
    if (context_.options().bugs.newest_client_version_everywhere) {
        client = std::max(client, file.upload_client);
    }
    if (!part->changeset.empty()) {
        if (!download.entries.empty() &&
            download.entries.size() + part->changeset.size() > context_.options().download_bytes) {
            return false;
        }
        protocol::DownloadEntry out;
        out.server_version = {version};
        out.client_version = {client};
        out.origin_timestamp_ms = head.timestamp;
        out.origin = {part->origin};
        out.original_size_bytes = part->changeset.size();
        out.changeset = part->changeset;
        protocol::append_entry(download.entries, out);
    }
    cursor_ = version;
    client_version_ = client;
    return true;
}

/// That of the entries up to the next point.
std::shared_ptr<const View> SessionImpl::current_view(const Now& now) {
    const Epoch* epoch = epoch_for(*now.file, cursor_ + 1);
    if (epoch == nullptr) {
        return nullptr;
    }
    if (view_ == nullptr || view_epoch_.get() != epoch || view_->shared_model() != now.model) {
        view_ = context_.views().get(now.model, *epoch);
        const auto& epochs = now.file->epochs;
        view_epoch_ = *std::find_if(epochs.begin(), epochs.end(),
                                    [&](const auto& each) { return each.get() == epoch; });
    }
    return view_;
}

/// The first version above the cursor that has to be looked at; limit + 1: none up to there. The
/// cursor moves over silent ones of its own.
Number SessionImpl::next_concerned(const View* view, Number limit) {
    const auto pass_own = [&] {
        while (own_at_ < own_.size() && own_[own_at_].version <= cursor_) {
            ++own_at_;
        }
        if (own_at_ == own_.size()) {
            own_.clear();
            own_at_ = 0;
        }
    };
    pass_own();
    const ViewGroup* group = view == nullptr || cursor_ < own_since_ ? nullptr : group_of(*view);
    while (group != nullptr) {
        const ViewGroup::Next next = group->next(cursor_, limit);
        if (!next.is_known) {
            break;
        }
        if (own_.empty() || own_[own_at_].version > next.version) {
            return next.version;
        }
        const OwnVersion& own = own_[own_at_];
        if (own.version > limit || !own.is_silent) {
            return own.version;
        }
        cursor_ = own.version;
        client_version_ = std::max(client_version_, own.client_version);
        pass_own();
    }
    return cursor_ + 1;
}

/// By the text: what concerned the view under an older model still stands.
const ViewGroup* SessionImpl::group_of(const View& view) const {
    const auto found = std::find_if(groups_.begin(), groups_.end(), [&](const auto& group) {
        return *group->view().reading() == *view.reading() &&
               group->next(cursor_, cursor_).is_known;
    });
    return found == groups_.end() ? nullptr : found->get();
}

Result<std::optional<Outgoing>> SessionImpl::steady(const Now& now) {
    OutgoingDownload download;
    if (cursor_ < now.limit) {
        const LazyHistory history(context_.store(), context_.keys(), *now.published.model,
                                  context_.cache(), now.published.top);
        const std::shared_ptr<const View> view = current_view(now);
        const Stream stream(history, now.model, context_.views(), *now.file,
                            context_.options().bugs, view);
        std::optional<Outgoing> first;
        while (cursor_ < now.limit) {
            const Number next = next_concerned(view.get(), now.limit);
            cursor_ = next - 1; // nothing is sent for those in between, none of them the file's own
            if (next > now.limit) {
                break;
            }
            TOMBOLO_TRY(const bool added, add_entry(now, stream, history, next, download, first));
            if (first) {
                return first;
            }
            if (!added) {
                break;
            }
        }
    }
    if (download.entries.empty() && !must_send(now)) {
        return std::optional<Outgoing>();
    }
    return std::optional<Outgoing>(finish_download(std::move(download), *now.file));
}

// MARK

std::optional<Outgoing> SessionImpl::answer_mark(const Now& now) {
    const std::uint64_t integrated = now.error ? now.error_after : now.processed;
    for (PendingMark& mark : marks_) {
        if (!mark.target && integrated >= mark.after_inputs) {
            mark.target = now.published.top;
        }
    }
    const bool is_blocked = now.point != nullptr && !now.is_requested;
    std::size_t answered = 0;
    while (answered < marks_.size() && marks_[answered].target &&
           (cursor_ >= *marks_[answered].target || (is_blocked && cursor_ >= now.limit))) {
        if (sent_ && sent_->download.server.value < cursor_) {
            // The client counts itself up to date by the cursor it was sent.
            return finish_download({}, *now.file);
        }
        ++answered;
    }
    if (answered == 0) {
        return std::nullopt;
    }
    const OutgoingMark newest{marks_[answered - 1].request};
    marks_.erase(marks_.begin(), marks_.begin() + static_cast<std::ptrdiff_t>(answered));
    return std::optional<Outgoing>(newest);
}

} // namespace tombolo::server::sync
