#pragma once

// The real tombolod in a process of its own, with all it prints.
//
// Waiting is polling for what is awaited; a process that never says it fails the test after a
// generous limit instead of hanging it.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tombolo::server {

class Tombolod {
  public:
    /// Starts it with these arguments; `output_file` takes what it prints. Does not wait.
    Tombolod(const std::vector<std::string>& arguments, std::string output_file);
    /// Kills what still runs.
    ~Tombolod();
    Tombolod(const Tombolod&) = delete;
    Tombolod& operator=(const Tombolod&) = delete;

    /// Standard output and standard error so far.
    std::string output() const;
    /// Until it has printed that (`count` times); false when it ended without.
    bool wait_for(const std::string& text, int count = 1);
    /// Until it listens.
    bool wait_ready() { return wait_for("tombolod listens on "); }
    void signal(int number) const;
    /// Until it has ended: its exit code, or minus the signal that ended it.
    int wait_exit();
    bool running();

    pid_t pid() const { return pid_; }
    /// After wait_ready().
    std::uint16_t port() const;
    std::uint16_t metrics_port() const;

  private:
    void reap(bool block);

    pid_t pid_ = -1;
    bool ended_ = false;
    int exit_ = 0;
    std::string output_file_;
};

} // namespace tombolo::server
