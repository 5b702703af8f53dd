#include "server/documents/watch.hpp"

#include <algorithm>
#include <chrono>

#include "mql/bson_compare.hpp"
#include "mql/filter.hpp"
#include "server/documents/arguments.hpp"
#include "server/documents/change_event.hpp"
#include "server/rules/access.hpp"

namespace tombolo::documents {

namespace {

/// Entries of the feed read at a time.
constexpr std::size_t feed_batch = 1000;

} // namespace

struct Watches::Watcher {
    std::shared_ptr<const server::App> app;
    Caller caller;
    store::CollectionName name;
    std::optional<store::CollectionId> collection; ///< nothing: it does not exist yet
    std::optional<rules::CollectionAccess> access; ///< nothing: the system
    std::optional<mql::Filter> filter;
    std::vector<mql::BsonValue> ids; ///< empty: all
    FeedPosition from;               ///< nothing at or before this
    std::function<bool()> still_allowed;
    std::shared_ptr<http::BodyStream> stream;
    bool ended = false;

    bool wants(mql::BsonView id) const {
        return ids.empty() || std::any_of(ids.begin(), ids.end(), [&](const mql::BsonValue& each) {
                   return mql::equal(each, id);
               });
    }

    void fail(std::string_view code, std::string_view text) {
        stream->finish(error_event_text(code, text));
        ended = true;
    }

    void bind(rules::RuleBook& rules) {
        if (!caller.is_system()) {
            access = rules::CollectionAccess::bind(*rules.rules(*app), name, *caller.facts);
        }
    }
};

namespace {

// What a watcher sees of a document: held in `owned` unless it is all of it.
std::optional<mql::BsonDocumentView> shown(const Watches::Watcher& watcher,
                                           const std::optional<store::StoredDocument>& stored,
                                           mql::BsonDocument& owned) {
    if (!stored) {
        return std::nullopt;
    }
    mql::BsonDocumentView document = stored->body;
    if (!watcher.access) {
        return document;
    }
    rules::Subject subject;
    subject.root = document;
    for (const rules::Predicate& query : watcher.access->filter_queries()) {
        const auto matches = query.test(subject);
        if (!matches || !*matches) {
            return std::nullopt;
        }
    }
    const rules::Visible visible = watcher.access->read(document);
    if (visible.kind == rules::Visible::Kind::hidden) {
        return std::nullopt;
    }
    if (visible.kind == rules::Visible::Kind::fields) {
        owned = mql::BsonDocument(visible.document);
        document = owned;
    }
    for (const mql::Projection& projection : watcher.access->filter_projections()) {
        auto projected = projection.apply(document);
        if (!projected) {
            return std::nullopt;
        }
        owned = *std::move(projected);
        document = owned;
    }
    return document;
}

// One change of the feed with its images.
struct Change {
    FeedPosition position;
    const store::FeedEntry* entry;
    std::optional<store::StoredDocument> before;
    std::optional<store::StoredDocument> after;

    mql::BsonView id() const {
        return after    ? after->body.view().find("_id")
               : before ? before->body.view().find("_id")
                        : mql::BsonView();
    }
};

Result<Change> load(const store::Snapshot& snapshot, const store::FeedEntry& entry,
                    std::uint32_t number) {
    Change change{{entry.version, number}, &entry, std::nullopt, std::nullopt};
    if (entry.operation != store::Operation::erase) {
        TOMBOLO_TRY(change.after, snapshot.find_at(entry.collection, entry.key, entry.version));
    }
    if (entry.operation != store::Operation::insert) {
        const store::Version previous{store::number(entry.version) - 1};
        TOMBOLO_TRY(change.before, snapshot.find_at(entry.collection, entry.key, previous));
    }
    return change;
}

void send(Watches::Watcher& watcher, const Change& change) {
    mql::BsonDocument before;
    mql::BsonDocument after;
    const SeenChange seen{change.position,
                          change.entry->committed_unix_ms,
                          change.entry->operation,
                          watcher.name,
                          change.id(),
                          shown(watcher, change.before, before),
                          shown(watcher, change.after, after)};
    const auto event = change_event(seen);
    if (!event) {
        return;
    }
    if (watcher.filter) {
        const auto matches = watcher.filter->matches(*event);
        if (!matches) {
            watcher.fail("MongoDBError", matches.error().what());
            return;
        }
        if (!*matches) {
            return;
        }
    }
    const auto text = event_text(*event);
    if (!text) {
        watcher.fail("MongoDBError", text.error().what());
    } else if (!watcher.stream->write(*text)) {
        watcher.fail("WatchTooSlow", "events come faster than they are read; open another watch");
    }
}

bool is_new_to(const Watches::Watcher& watcher, const FeedPosition& position) {
    const FeedPosition& from = watcher.from;
    return position.version != from.version ? position.version > from.version
                                            : position.entry > from.entry;
}

} // namespace

Watches::Watches(store::Store& store, rules::RuleBook& rules, const server::Log& log,
                 CurrentApp current_app, WatchOptions options)
    : store_(store), rules_(rules), log_(log), current_app_(std::move(current_app)),
      options_(options) {
    listener_ = store_.add_listener([this](store::Version) {
        const std::lock_guard lock(mutex_);
        changed_ = true;
        if (count_ > 0) { // else there is nobody to read the feed for
            wake_.notify_one();
        }
    });
    thread_ = std::thread([this] { run(); });
}

Watches::~Watches() {
    stop();
}

void Watches::stop() {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) {
            return;
        }
        stopping_ = true;
        wake_.notify_one();
    }
    store_.remove_listener(listener_);
    thread_.join();
}

std::size_t Watches::count() const {
    const std::lock_guard lock(mutex_);
    return count_;
}

Result<std::shared_ptr<http::BodyStream>> Watches::open(WatchRequest request) {
    if (request.app->config.data_source(request.data_source) == nullptr) {
        return Error(ErrorCode::service_not_found,
                     "service not found: '" + request.data_source + "'");
    }
    const Arguments arguments(request.arguments);
    auto watcher = std::make_shared<Watcher>();
    watcher->name.data_source = request.data_source;
    TOMBOLO_TRY(watcher->name.database, arguments.text("database"));
    TOMBOLO_TRY(watcher->name.collection, arguments.text("collection"));
    TOMBOLO_TRY(const auto ids, arguments.array("ids"));
    if (ids) {
        for (const mql::BsonElement& element : *ids) {
            watcher->ids.emplace_back(element.value);
        }
    }
    TOMBOLO_TRY(const auto filter, arguments.document("filter"));
    if (!filter.empty()) {
        TOMBOLO_TRY(watcher->filter, mql::Filter::compile(filter));
    }
    watcher->from = {store_.newest_version(), ~std::uint32_t{0}};
    TOMBOLO_TRY(const auto token, arguments.document("resumeAfter"));
    if (!token.empty()) {
        TOMBOLO_TRY(watcher->from, FeedPosition::parse(token));
        if (watcher->from.version < store_.floor()) {
            return Error(ErrorCode::out_of_range,
                         "the change feed no longer reaches back to there");
        }
    }
    watcher->app = std::move(request.app);
    watcher->caller = std::move(request.caller);
    watcher->still_allowed = std::move(request.still_allowed);
    watcher->bind(rules_);
    if (watcher->access && !watcher->access->has_rules()) {
        return Error(ErrorCode::access_denied, "no rule exists for namespace '" +
                                                   watcher->name.database + "." +
                                                   watcher->name.collection + "'");
    }
    watcher->stream = std::make_shared<http::BodyStream>(options_.queue_bytes_max);
    const std::lock_guard lock(mutex_);
    if (stopping_ || count_ >= options_.watchers_max) {
        return Error(ErrorCode::unavailable, "too many watches are open; try again later");
    }
    ++count_;
    watcher->stream->on_close([this, alive = std::weak_ptr<Watcher>(watcher)] {
        // Not after the end of this object: the last reference is held by its thread.
        if (const auto held = alive.lock()) {
            const std::lock_guard closing(mutex_);
            changed_ = true;
            wake_.notify_one();
        }
    });
    added_.push_back(watcher);
    changed_ = true;
    wake_.notify_one();
    return watcher->stream;
}

void Watches::run() {
    auto next_beat = std::chrono::steady_clock::now();
    for (;;) {
        std::vector<std::shared_ptr<Watcher>> added;
        {
            std::unique_lock lock(mutex_);
            wake_.wait_until(lock, next_beat, [this] { return changed_ || stopping_; });
            changed_ = false;
            added.swap(added_);
            if (stopping_) {
                watchers_.insert(watchers_.end(), added.begin(), added.end());
                break;
            }
        }
        take_new(added);
        drop_closed();
        const store::Version newest = store_.newest_version();
        if (!watchers_.empty() && newest > position_) {
            const Result<void> fed = feed(position_, newest, watchers_);
            if (!fed) {
                log_.error("watches end", {{"error", fed.error().what()}});
                for (const auto& watcher : watchers_) {
                    watcher->fail("MongoDBError", "the change feed cannot be read");
                }
            }
        }
        position_ = newest;
        if (std::chrono::steady_clock::now() >= next_beat) {
            heartbeat();
            next_beat =
                std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.heartbeat_ms);
        }
        drop_closed();
    }
    for (const auto& watcher : watchers_) {
        watcher->stream->finish();
    }
    watchers_.clear();
}

// Who resumes is first brought to where the others are.
void Watches::take_new(std::vector<std::shared_ptr<Watcher>>& added) {
    for (auto& watcher : added) {
        // One version before, so that the rest of a version half seen is sent.
        const std::uint64_t version = store::number(watcher->from.version);
        const store::Version from{version == 0 ? 0 : version - 1};
        if (watchers_.empty()) {
            position_ = std::max(from, store_.floor());
        } else if (from < position_) {
            const Result<void> fed = feed(std::max(from, store_.floor()), position_, {watcher});
            if (!fed) {
                watcher->fail("MongoDBError", fed.error().what());
            }
        }
        watchers_.push_back(std::move(watcher));
    }
}

Result<void> Watches::feed(store::Version from, store::Version to,
                           const std::vector<std::shared_ptr<Watcher>>& watchers) {
    for (const auto& watcher : watchers) {
        watcher->collection = store_.find_collection(watcher->name);
        const auto current = current_app_(watcher->app->id);
        if (current != nullptr && current->deployment != watcher->app->deployment) {
            watcher->app = current;
            watcher->bind(rules_);
        }
    }
    std::size_t batch = feed_batch;
    while (from < to) {
        TOMBOLO_TRY(std::vector<store::FeedEntry> entries, store_.read_feed(from, batch));
        if (entries.empty()) {
            return {};
        }
        const bool cut = entries.size() == batch;
        if (cut && entries.front().version == entries.back().version) {
            batch *= 2; // a transaction larger than a batch
            continue;
        }
        // A version that may have been cut is read whole the next time.
        const store::Version last = entries.back().version;
        const auto end =
            cut ? std::find_if(entries.begin(), entries.end(),
                               [&](const auto& entry) { return entry.version == last; })
                : entries.end();
        entries.erase(end, entries.end());
        const auto snapshot = store_.snapshot();
        std::uint32_t number = 0;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const store::FeedEntry& entry = entries[i];
            number = i > 0 && entries[i - 1].version == entry.version ? number + 1 : 0;
            std::optional<Change> change;
            for (const auto& watcher : watchers) {
                if (watcher->ended || watcher->collection != entry.collection ||
                    !is_new_to(*watcher, {entry.version, number})) {
                    continue;
                }
                if (!change) {
                    TOMBOLO_TRY(change, load(*snapshot, entry, number));
                }
                if (watcher->wants(change->id())) {
                    send(*watcher, *change);
                }
            }
        }
        from = entries.back().version;
    }
    return {};
}

void Watches::heartbeat() {
    for (const auto& watcher : watchers_) {
        if (watcher->ended) {
            continue;
        }
        if (watcher->still_allowed && !watcher->still_allowed()) {
            watcher->fail("InvalidSession", "the user may not watch any longer");
        } else if (!watcher->stream->write(": still here\n\n") && !watcher->stream->closed()) {
            watcher->fail("WatchTooSlow", "events come faster than they are read");
        }
    }
}

void Watches::drop_closed() {
    const auto gone = [](const std::shared_ptr<Watcher>& watcher) {
        return watcher->ended || watcher->stream->closed();
    };
    const auto first = std::stable_partition(watchers_.begin(), watchers_.end(),
                                             [&](const auto& watcher) { return !gone(watcher); });
    const auto dropped = static_cast<std::size_t>(watchers_.end() - first);
    std::vector<std::shared_ptr<Watcher>> dead(std::make_move_iterator(first),
                                               std::make_move_iterator(watchers_.end()));
    watchers_.erase(first, watchers_.end());
    if (dropped > 0) {
        const std::lock_guard lock(mutex_);
        count_ -= dropped;
    }
}

} // namespace tombolo::documents
