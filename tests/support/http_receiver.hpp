#pragma once

// A listening socket on the loopback that takes HTTP requests as somebody else's service would, and
// answers them with the statuses it was told.
//
// Thread-safety: all members from any thread. It runs on a thread of its own.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tombolo::testing {

class HttpReceiver {
  public:
    struct Request {
        std::string head; ///< request line and headers
        std::string body;
    };

    /// The n-th request gets the n-th status; those beyond get the last one.
    explicit HttpReceiver(std::vector<int> statuses = {200});
    ~HttpReceiver();
    HttpReceiver(const HttpReceiver&) = delete;
    HttpReceiver& operator=(const HttpReceiver&) = delete;

    std::string url(const std::string& path) const;
    /// All so far, once there are `count`.
    std::vector<Request> wait_for(std::size_t count);
    std::vector<Request> requests() const;

  private:
    void run();
    void serve(int peer);

    const std::vector<int> statuses_;
    const int listener_;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<Request> requests_; // guarded by mutex_
    int peer_ = -1;                 // guarded by mutex_
    bool is_stopping_ = false;      // guarded by mutex_
    std::thread thread_;
};

/// An address on the loopback where nobody listens.
std::string url_of_nobody();

} // namespace tombolo::testing
