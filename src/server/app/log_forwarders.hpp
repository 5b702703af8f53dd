#pragma once

// Log forwarders (admin-api-and-config.md R17): copies of an app's log entries go to a collection
// or to a function of the app.
//
// Entries are taken when they were written to the log, put into a queue for each forwarder, and
// delivered by a few threads: one at a time, or up to `batch_max` together, at the latest after
// `batch_ms` ("batch"). A queue is bounded: what comes while it is full is counted and not
// forwarded.
//
// What may work later (a receiver that is away, a full disk) is tried again, `tries_max` times in
// all, with pauses that double from `first_pause`; what came later waits behind it, so that entries
// stay in order. A function that sent its entries before it failed sends them again. What is given
// up, or can never work, is shown with the forwarder and in the app's log, with the ids of the
// entries, which the log still has; so is how many found their queue full.
//
// What a forwarder's own function logs is not forwarded, else it would never end. A stop delivers
// to collections what still waits, in one try; functions are not called any more. A crash loses
// what waits.
//
// Thread-safety: all members from any thread.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "server/app/app_log.hpp"
#include "server/app/app_repository.hpp"

namespace tombolo::server {

/// How entries leave the server. Both block for as long as it takes; errors say why it failed:
/// unavailable, io, disk_full and write_conflict may work later.
struct LogDelivery {
    std::function<Result<void>(const std::shared_ptr<const App>& app,
                               const LogForwarderConfig& forwarder, const std::string& request_id,
                               const boost::json::array& entries)>
        to_function;
    std::function<Result<void>(const std::shared_ptr<const App>& app,
                               const LogForwarderConfig& forwarder,
                               const boost::json::array& entries)>
        to_collection;
};

struct LogForwarderOptions {
    std::size_t batch_max = 100;
    std::chrono::milliseconds batch_time{60'000};
    std::size_t waiting_max = 1000; ///< of each forwarder
    unsigned threads = 2;
    unsigned tries_max = 5; ///< of one delivery
    std::chrono::milliseconds first_pause{1000};
};

class LogForwarders {
  public:
    /// Starts. The references must outlive this.
    LogForwarders(AppRepository& apps, AppLog& log, LogDelivery delivery,
                  std::function<std::int64_t()> now_ms, LogForwarderOptions options = {});
    ~LogForwarders();
    LogForwarders(const LogForwarders&) = delete;
    LogForwarders& operator=(const LogForwarders&) = delete;

    /// Delivers all that waits, batches too, without pauses between tries, and returns when that
    /// is done or given up.
    void flush();
    /// {forwarded, failed, dropped, waiting, tries, last_error, last_error_ms}: since the server
    /// started. `tries` are those that the delivery under way has failed.
    boost::json::object state(const ObjectId& app, const std::string& forwarder) const;

  private:
    using Key = std::pair<ObjectId, std::string>;
    using Clock = std::chrono::steady_clock;
    struct Queue {
        std::deque<boost::json::object> waiting;
        boost::json::array failing; ///< before those that wait: was tried, and will be again
        unsigned tries = 0;         ///< of the failing ones
        Clock::time_point next_try; ///< of the failing ones
        Clock::time_point oldest;
        bool batch = false;
        bool busy = false;
        std::uint64_t forwarded = 0;
        std::uint64_t failed = 0;
        std::uint64_t dropped = 0;
        std::uint64_t dropped_unsaid = 0; ///< not in the app's log yet
        std::string last_error;
        std::int64_t last_error_ms = 0;
    };

    void take(const std::vector<boost::json::object>& entries);
    void run();
    // These with the lock held.
    bool is_due(const Queue& queue, Clock::time_point now) const;
    std::map<Key, Queue>::iterator next(Clock::time_point now, Clock::time_point& wake);
    boost::json::array take_due(Queue& queue, Clock::time_point now) const;
    /// What the app's log is to say of it.
    std::vector<AppLogEntry> settle(const Key& key, Queue& queue, boost::json::array entries,
                                    const Result<void>& delivered);
    AppLogEntry note(const Key& key, std::string error, boost::json::object details) const;
    /// Nothing: there is nobody to deliver for any more.
    std::optional<Result<void>> deliver(const Key& key, const boost::json::array& entries);

    AppRepository& apps_;
    AppLog& log_;
    const LogDelivery delivery_;
    const std::function<std::int64_t()> now_ms_;
    const LogForwarderOptions options_;
    const std::string own_requests_; ///< begin of the request ids of calls by forwarders
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable idle_;
    std::map<Key, Queue> queues_; // guarded by mutex_
    std::uint64_t calls_ = 0;     // guarded by mutex_
    unsigned flushing_ = 0;       // guarded by mutex_
    bool stopping_ = false;       // guarded by mutex_
    std::vector<std::thread> threads_;
};

} // namespace tombolo::server
