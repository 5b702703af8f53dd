#pragma once

// One Node.js process and the socket to it.
//
// It is killed by the kernel when the thread that started it ends (PR_SET_PDEATHSIG), so that none
// outlives the server however that ends: start() is called on a thread that lives as long as the
// workers. While it is idle it is stopped (SIGSTOP): nothing that a call left behind runs on.
//
// Thread-safety: one thread at a time. Blocking calls have a deadline.

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "server/functions/confinement.hpp"
#include "server/functions/frame.hpp"

namespace tombolo::functions {

using Deadline = std::chrono::steady_clock::time_point;

struct ProcessOptions {
    std::string node;                   ///< path
    std::vector<std::string> arguments; ///< before the script's
    Confinement confinement;
    std::size_t frame_bytes_max = 0;
    std::size_t head_bytes_max = std::size_t{64} * 1024;
};

class WorkerProcess {
  public:
    /// io when the system has no process or descriptor left.
    static Result<std::unique_ptr<WorkerProcess>> start(const ProcessOptions& options);
    /// Kills it.
    ~WorkerProcess();
    WorkerProcess(const WorkerProcess&) = delete;
    WorkerProcess& operator=(const WorkerProcess&) = delete;

    /// unavailable when the deadline passed, io when the process has ended.
    Result<void> send(std::string_view bytes, Deadline deadline);
    Result<void> send(const Frame& frame, Deadline deadline) {
        return send(encode_frame(frame), deadline);
    }
    /// The next frame; as send(), and what FrameReader says of bytes that are none.
    Result<Frame> receive(Deadline deadline);

    void pause() noexcept;
    void resume() noexcept;
    /// Kills it and waits for its end.
    void kill() noexcept;
    /// REQUIRES: kill() was called. How it ended, as a sentence's part: "exited with 1", "was
    /// killed by signal 6".
    std::string ending() const;
    /// The end of what it wrote to standard error.
    const std::string& last_words() const noexcept { return last_words_; }
    pid_t pid() const noexcept { return pid_; }

  private:
    WorkerProcess(pid_t pid, int socket, int errors, const ProcessOptions& options)
        : pid_(pid), socket_(socket), errors_(errors),
          reader_(options.frame_bytes_max, options.head_bytes_max) {}

    // Waits for the socket; takes what standard error has meanwhile.
    Result<void> wait(short events, Deadline deadline);
    void read_errors() noexcept;

    pid_t pid_;
    int socket_;
    int errors_;
    int status_ = 0;
    bool ended_ = false;
    FrameReader reader_;
    std::string last_words_;
};

} // namespace tombolo::functions
