#pragma once

// Change streams of collections for clients (client-http-api.md 6.6, 7.3): the Store's change feed,
// filtered by rules, ids and a match expression, as server-sent events.
//
// One thread reads the feed once for all watchers, loads a document's images once, and shows each
// watcher what its rules let it see: an event of a document that is hidden before a delete, or
// after any other change, is not sent; a change of hidden fields only is none. Every change of an
// existing document is an "update" with both its description and the full document: the Store does
// not tell replacements from updates.
//
// An event's _id is a token to go on from ("resumeAfter"), while the Store keeps the feed. Watchers
// get a comment line now and then, so that dead connections are found and proxies keep quiet; one
// that does not read fast enough gets an error event and is closed. A watcher's rules follow new
// deployments of its app.
//
// Thread-safety: all members from any thread.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/result.hpp"
#include "server/documents/documents.hpp"
#include "server/http/body_stream.hpp"
#include "server/rules/rule_book.hpp"

namespace tombolo::documents {

struct WatchOptions {
    std::size_t watchers_max = 2000;
    /// Of one watcher: events that wait for its reader, as text.
    std::size_t queue_bytes_max = std::size_t{2} * 1024 * 1024;
    std::int64_t heartbeat_ms = 15'000;
};

struct WatchRequest {
    std::shared_ptr<const server::App> app;
    Caller caller;
    std::string data_source;
    mql::BsonDocument arguments; ///< database, collection, ids? or filter?, resumeAfter?
    /// Whether the caller may go on watching: asked with each heartbeat. Empty: always.
    std::function<bool()> still_allowed;
};

class Watches {
  public:
    using CurrentApp = std::function<std::shared_ptr<const server::App>(const ObjectId& id)>;

    /// The references must outlive this.
    Watches(store::Store& store, rules::RuleBook& rules, const server::Log& log,
            CurrentApp current_app, WatchOptions options = {});
    ~Watches();

    /// What happens from now on. Errors as Documents::call; unavailable when there are too many
    /// watchers; out_of_range when the feed no longer reaches back to resumeAfter.
    Result<std::shared_ptr<http::BodyStream>> open(WatchRequest request);
    /// Ends all streams.
    void stop();
    std::size_t count() const;

    struct Watcher;

  private:
    void run();
    void take_new(std::vector<std::shared_ptr<Watcher>>& added);
    /// Feeds everything after `from`, up to `to`, to the watchers.
    Result<void> feed(store::Version from, store::Version to,
                      const std::vector<std::shared_ptr<Watcher>>& watchers);
    void heartbeat();
    void drop_closed();

    store::Store& store_;
    rules::RuleBook& rules_;
    const server::Log& log_;
    const CurrentApp current_app_;
    const WatchOptions options_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<std::shared_ptr<Watcher>> added_;    // guarded by mutex_
    std::size_t count_ = 0;                          // guarded by mutex_
    bool changed_ = false;                           // guarded by mutex_
    bool stopping_ = false;                          // guarded by mutex_
    std::vector<std::shared_ptr<Watcher>> watchers_; // the thread's
    store::Version position_{};                      // the thread's: all up to it was fed
    std::uint64_t listener_ = 0;
    std::thread thread_;
};

} // namespace tombolo::documents
