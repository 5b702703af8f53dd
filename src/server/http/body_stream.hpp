#pragma once

// A response body that is made while it is being sent: a bounded queue between who makes it (any
// thread) and the connection that writes it.
//
// Memory is bounded by `bytes_max`: what does not fit is refused, and its maker decides what
// becomes of a reader that slow. Either side can end it.
//
// Thread-safety: all members from any thread. Callbacks run without a lock held, on the thread that
// causes them; they must not block.

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>

namespace tombolo::http {

class BodyStream {
  public:
    explicit BodyStream(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    // The maker's side.

    /// Queues the bytes; false, and nothing is queued, when the body has ended, the reader is gone,
    /// or more than bytes_max would wait.
    [[nodiscard]] bool write(std::string_view bytes);
    /// The body ends after what is queued and `last`, for which there is always room.
    void finish(std::string_view last = {});
    bool closed() const;
    /// Runs once the reader is gone, or at once when it is already. One callback only.
    void on_close(std::function<void()> callback);

    // The connection's side.

    struct Taken {
        std::string bytes;
        bool end = false; ///< nothing comes after these bytes
    };
    /// All that is queued.
    Taken take();
    /// Runs `wake` once, as soon as take() has something or the body is closed.
    void wait(std::function<void()> wake);
    /// The reader is gone: what is queued is dropped.
    void close();
    /// close() when the connection's thread has ended: the maker is told, wait()'s callback is not.
    void abandon();

  private:
    void end(bool wake_connection);

    const std::size_t bytes_max_;
    mutable std::mutex mutex_;
    std::string queued_;             // guarded by mutex_
    bool ended_ = false;             // guarded by mutex_
    bool closed_ = false;            // guarded by mutex_
    std::function<void()> wake_;     // guarded by mutex_
    std::function<void()> on_close_; // guarded by mutex_
};

} // namespace tombolo::http
