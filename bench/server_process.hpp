#pragma once

// Child processes of bench_server and bench_sync. The programs themselves start no thread and open
// no database, so that fork() is safe at any time; all that is measured lives in children.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tombolo::bench {

/// Ends the program with an explanation: a wrong result or a machine that cannot run this.
[[noreturn]] void give_up(const std::string& what);

double seconds_now();
double median(std::vector<double> values);

/// Runs `work` in a child and hands its numbers back. A child that fails ends the program.
std::vector<double> in_child(const std::function<std::vector<double>()>& work);

/// A server in a process of its own, killed when this goes.
class ServerProcess {
  public:
    /// Runs `serve` in a child; it writes its port to the descriptor that it is given, then serves
    /// until killed.
    static ServerProcess fork_server(const std::function<void(int port_pipe)>& serve);
    /// Starts `arguments` and waits for the line that says where it listens.
    static ServerProcess start_daemon(const std::vector<std::string>& arguments);
    ~ServerProcess();
    ServerProcess(ServerProcess&& other) noexcept
        : pid_(other.pid_), port_(other.port_), metrics_port_(other.metrics_port_) {
        other.pid_ = -1;
    }
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;

    std::uint16_t port() const noexcept { return port_; }
    /// 0: it has none.
    std::uint16_t metrics_port() const noexcept { return metrics_port_; }
    pid_t pid() const noexcept { return pid_; }
    std::uint64_t resident_bytes() const;

  private:
    ServerProcess(pid_t pid, std::uint16_t port) : pid_(pid), port_(port) {}

    pid_t pid_;
    std::uint16_t port_;
    std::uint16_t metrics_port_ = 0;
};

/// The folder of this program, and a scratch folder emptied at the first call.
std::string program_folder();
std::string scratch_folder();

/// The `tombolo` command, as administrator admin/password. The arguments are ours: nothing in them
/// means something to a shell.
void run_command(const std::string& url, const std::vector<std::string>& arguments);

void print(const char* metric, double value, const char* unit, const char* reference,
           double reference_value, double ratio);

} // namespace tombolo::bench
