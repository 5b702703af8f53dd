#pragma once

// What an app's administrators read in its logs: sign-ins, function runs, sync sessions, rule
// failures (admin-api-and-config.md R17, device-sync-server.md 8.5). Not the server's own log
// (runtime/log.hpp), which operators read.
//
//   logs.add({app, "FUNCTION", ...});      from anywhere, never blocks on the disk
//   logs.find(app, query)                  newest first; sees all that was added before
//
// Entries are gathered for up to half a second and committed together, so a crash can lose the last
// of them. Kept for `keep_ms` and at most `entries_max` for each app; while the disk cannot keep
// up, more than `pending_max` waiting entries are dropped and counted.
//
// Records in Space::meta: app-logs/<app>/<inverted Unix ms, 8><inverted number, 8>  JSON
//
// Thread-safety: all members from any thread.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/object_id.hpp"
#include "core/result.hpp"
#include "server/store/store.hpp"

namespace tombolo::server {

struct AppLogEntry {
    ObjectId app;
    std::string type; ///< one of the names of R17: API, AUTH, FUNCTION, SYNC_SESSION_START, ...
    std::string request_id; ///< "co_id": ties the entries of one request together
    std::string user_id;
    std::string request_url;
    std::string request_method;
    std::string remote_address;
    std::int64_t started_ms = 0;   ///< 0: when it is added
    std::int64_t completed_ms = 0; ///< 0: when it is added
    int status = 0;
    std::string error; ///< empty: it went well
    std::string error_code;
    boost::json::array messages;
    /// Members that only this type has: function_name, auth_event, sync_query, platform, ...
    boost::json::object details;
};

struct AppLogQuery {
    std::string request_id; ///< empty: any
    std::string user_id;    ///< empty: any
    bool errors_only = false;
    std::vector<std::string> types;       ///< empty: all
    std::optional<std::int64_t> after_ms; ///< exclusive, by the time of completion
    std::optional<std::int64_t> until_ms; ///< inclusive
    std::size_t skip = 0;                 ///< entries at `until_ms` that were seen already
    std::size_t limit = 100;
};

struct AppLogPage {
    boost::json::array entries; ///< as the Admin API shows them
    /// Where to go on: the next query's until_ms and skip. Absent at the end.
    std::optional<std::int64_t> next_until_ms;
    std::size_t next_skip = 0;
};

struct AppLogOptions {
    std::int64_t keep_ms = std::int64_t{10} * 24 * 3600 * 1000;
    std::size_t entries_max = 100'000; ///< of each app
    std::size_t pending_max = 10'000;
};

class AppLog {
  public:
    AppLog(store::Store& store, std::function<std::int64_t()> now_ms, AppLogOptions options = {});
    /// Writes what is waiting.
    ~AppLog();
    AppLog(const AppLog&) = delete;
    AppLog& operator=(const AppLog&) = delete;

    void add(AppLogEntry entry);
    /// Makes all that was added durable.
    void flush();
    Result<AppLogPage> find(const ObjectId& app, const AppLogQuery& query);
    /// Told of entries that were written, as find() shows them, on the log's own thread: it must be
    /// quick. Returns when nobody is told through the one before. Empty: nobody.
    using Observer = std::function<void(const std::vector<boost::json::object>&)>;
    void observe(Observer observer);
    /// Removes what is too old or too much.
    void trim();
    /// Of an app that is gone: the range of its records is erased by who removes the app.
    static std::string prefix(const ObjectId& app);

    std::uint64_t dropped() const;

  private:
    void run();
    void write(const std::vector<AppLogEntry>& entries);

    store::Store& store_;
    const std::function<std::int64_t()> now_ms_;
    const AppLogOptions options_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable written_;
    std::vector<AppLogEntry> pending_; // guarded by mutex_
    std::uint64_t number_ = 0;         // guarded by mutex_; of entries added
    std::uint64_t done_ = 0;           // guarded by mutex_; of entries written
    std::uint64_t dropped_ = 0;        // guarded by mutex_
    bool flush_ = false;               // guarded by mutex_
    bool stopping_ = false;            // guarded by mutex_
    std::mutex observer_mutex_;
    Observer observer_; // guarded by observer_mutex_
    std::thread thread_;
};

} // namespace tombolo::server
