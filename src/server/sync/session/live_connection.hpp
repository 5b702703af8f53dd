#pragma once

// What an operator is shown of a connection: who it is, and which files it syncs now.
//
// Written on the connection's strand, read by whoever asks. Thread-safety: files() and the changes
// of it from any thread; the rest is constant.

#include <cstdint>
#include <map>
#include <string>

#include "core/mutex.hpp"

namespace tombolo::server::sync {

struct LiveFile {
    std::uint64_t file = 0;
    std::int64_t since_ms = 0;
};

class LiveConnection {
  public:
    std::string id;
    std::string user_id;
    std::string address;
    std::string client; ///< its User-Agent
    int protocol = 0;
    std::int64_t opened_ms = 0;

    void identified(std::uint64_t session, LiveFile file) TOMBOLO_EXCLUDES(mutex_) {
        const MutexLock lock(mutex_);
        files_[session] = file;
    }
    void ended(std::uint64_t session) TOMBOLO_EXCLUDES(mutex_) {
        const MutexLock lock(mutex_);
        files_.erase(session);
    }
    std::map<std::uint64_t, LiveFile> files() const TOMBOLO_EXCLUDES(mutex_) {
        const MutexLock lock(mutex_);
        return files_;
    }

  private:
    mutable Mutex mutex_;
    std::map<std::uint64_t, LiveFile> files_ TOMBOLO_GUARDED_BY(mutex_);
};

} // namespace tombolo::server::sync
