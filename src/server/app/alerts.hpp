#pragma once

// What somebody should be woken for: sync of an app failed or was paused by the server, a limit was
// reached (device-sync-server.md 8.7).
//
//   alerts.raise({app, name, alert_kind::sync_paused, "sync was paused: ...", "what to do"});
//
// An alert is a durable record of its own (listed by GET alerts), an ALERT entry of the app's log,
// an error line of the server's log, a count in the metrics, and, where one is configured, a POST
// to a webhook. raise() never blocks: a thread of its own writes and posts. An alert that cannot be
// written, because the disk is full for instance, is tried again until it can; one that was not
// written when the server stops is lost, and so is a post that failed twice. The same
// message of the same app is raised once in `quiet_ms`; what came meanwhile is counted.
//
// Records in Space::meta: alerts/<app>/<inverted Unix ms, 8><inverted number, 8>  JSON; the app of
// 24 zeros is the server itself.
//
// Thread-safety: all members from any thread.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/object_id.hpp"
#include "core/result.hpp"
#include "server/runtime/log.hpp"
#include "server/store/store.hpp"

namespace tombolo::server {

class AppLog;

namespace alert_kind {
inline constexpr std::string_view sync_failed = "sync_failed"; ///< does not go on by itself
inline constexpr std::string_view sync_paused = "sync_paused"; ///< by the server
inline constexpr std::string_view rate_limit = "rate_limit";   ///< requests or connections refused
} // namespace alert_kind

struct Alert {
    ObjectId app; ///< default: the server
    std::string app_name;
    std::string_view kind;  ///< of alert_kind
    std::string message;    ///< what happened, one sentence
    std::string what_to_do; ///< one sentence
};

struct AlertOptions {
    /// Sends one to the webhook, waiting a few seconds at most; empty: there is none.
    std::function<Result<void>(const std::string& json)> post;
    std::int64_t keep_ms = std::int64_t{90} * 24 * 3600 * 1000;
    std::size_t kept_max = 1000; ///< of each app
    std::int64_t quiet_ms = std::int64_t{3600} * 1000;
    std::size_t waiting_max = 200; ///< the oldest go first
};

class Alerts {
  public:
    /// `app_log` may be null.
    Alerts(store::Store& store, std::function<std::int64_t()> now_ms, const Log& log,
           AppLog* app_log, AlertOptions options = {});
    /// Writes what waits, and posts nothing more.
    ~Alerts();
    Alerts(const Alerts&) = delete;
    Alerts& operator=(const Alerts&) = delete;

    void raise(const Alert& alert);
    /// Until all that was raised is written and posted, or given up.
    void flush();
    /// Those of the app and of the server, newest first, at most `count_max`.
    Result<boost::json::array> find(const ObjectId& app, std::size_t count_max);
    /// Removes what is too old or too much.
    void trim();

    struct Count {
        std::string app_name;
        std::string kind;
        std::uint64_t raised = 0; ///< those that were only counted included
    };
    std::vector<Count> counts() const;
    std::uint64_t posts_failed() const;

  private:
    struct Said {
        std::int64_t at_ms = 0;
        std::uint64_t since = 0; ///< raised in vain since
        std::uint64_t count = 0;
        std::string app_name;
        std::string message;
    };
    struct Waiting {
        std::uint64_t number = 0;
        std::string key;
        std::string json;
    };

    void run();
    bool write(const std::deque<Waiting>& waiting);
    void post(const std::string& json);

    store::Store& store_;
    const std::function<std::int64_t()> now_ms_;
    const Log& log_;
    AppLog* const app_log_;
    const AlertOptions options_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable idle_;
    std::map<std::pair<ObjectId, std::string>, Said> said_; // guarded by mutex_
    std::deque<Waiting> to_write_;                          // guarded by mutex_
    std::deque<std::string> to_post_;                       // guarded by mutex_
    std::uint64_t number_ = 0;                              // guarded by mutex_
    std::uint64_t posts_failed_ = 0;                        // guarded by mutex_
    bool is_busy_ = false;                                  // guarded by mutex_
    bool is_stopping_ = false;                              // guarded by mutex_
    std::thread thread_;
};

} // namespace tombolo::server
