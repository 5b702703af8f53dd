#include "server/functions/worker_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace tombolo::functions {

namespace {

constexpr std::size_t last_words_bytes_max = std::size_t{8} * 1024;
constexpr int script_descriptor = 3;

Error system_error(const char* what) {
    return Error(ErrorCode::io, std::string(what) + ": " + std::strerror(errno));
}

Error ended() {
    return Error(ErrorCode::io, "the worker process has ended");
}

// A descriptor that closes itself.
struct Descriptor {
    int number = -1;
    Descriptor() = default;
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number >= 0) {
            ::close(number);
        }
    }
    int release() { return std::exchange(number, -1); }
};

void write_file(const char* path, const char* text) noexcept {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
        static_cast<void>(!::write(file, text, std::strlen(text)));
        ::close(file);
    }
}

void reset_signals() noexcept {
    for (int signal = 1; signal < 32; ++signal) {
        if (signal != SIGKILL && signal != SIGSTOP) {
            static_cast<void>(::signal(signal, SIG_DFL));
        }
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The child, between fork and exec: nothing here may allocate or lock. The server's environment and
// descriptors stay behind.
[[noreturn]] void become_worker(const ProcessOptions& options, char* const* arguments, pid_t parent,
                                int socket, int errors) noexcept {
    ::setpgid(0, 0); // a terminal's Ctrl-C is for the server, which ends us
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {
        ::_exit(127);
    }
    // Out of the way of the numbers they are going to have.
    const int high_socket = ::fcntl(socket, F_DUPFD, 10);
    const int high_errors = ::fcntl(errors, F_DUPFD, 10);
    const int null = ::open("/dev/null", O_RDWR);
    const bool placed = ::dup2(null, 0) == 0 && ::dup2(null, 1) == 1 &&
                        ::dup2(high_errors, 2) == 2 &&
                        ::dup2(high_socket, script_descriptor) == script_descriptor;
    if (!placed || ::close_range(script_descriptor + 1, ~0U, 0) != 0) {
        ::_exit(127);
    }
    reset_signals();
    // The server comes first, for the processor and when memory runs out.
    ::setpriority(PRIO_PROCESS, 0, 5);
    write_file("/proc/self/oom_score_adj", "800");
    static_cast<void>(!::chdir("/"));
    confine(options.confinement);
    static constexpr const char* environment[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/",
                                                  "NODE_ENV=production", nullptr};
    ::execve(options.node.c_str(), arguments, const_cast<char* const*>(environment));
    ::_exit(127);
}

} // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(const ProcessOptions& options) {
    std::vector<std::string> texts = {options.node};
    texts.insert(texts.end(), options.arguments.begin(), options.arguments.end());
    std::vector<char*> arguments;
    arguments.reserve(texts.size() + 1);
    for (std::string& text : texts) {
        arguments.push_back(text.data());
    }
    arguments.push_back(nullptr);

    std::array<int, 2> sockets{};
    std::array<int, 2> errors{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
        return system_error("cannot make a socket for a worker process");
    }
    Descriptor ours;
    Descriptor theirs;
    ours.number = sockets[0];
    theirs.number = sockets[1];
    if (::pipe2(errors.data(), O_CLOEXEC) != 0) {
        return system_error("cannot make a pipe for a worker process");
    }
    Descriptor our_errors;
    Descriptor their_errors;
    our_errors.number = errors[0];
    their_errors.number = errors[1];
    // Non-blocking here only: the other ends have file descriptions of their own.
    ::fcntl(ours.number, F_SETFL, O_NONBLOCK);
    ::fcntl(our_errors.number, F_SETFL, O_NONBLOCK);

    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) {
        return system_error("cannot start a worker process");
    }
    if (pid == 0) {
        become_worker(options, arguments.data(), parent, theirs.number, their_errors.number);
    }
    return std::unique_ptr<WorkerProcess>(
        new WorkerProcess(pid, ours.release(), our_errors.release(), options));
}

WorkerProcess::~WorkerProcess() {
    kill();
    ::close(socket_);
    ::close(errors_);
}

void WorkerProcess::read_errors() noexcept {
    std::array<char, 4096> buffer;
    for (;;) {
        const ssize_t got = ::read(errors_, buffer.data(), buffer.size());
        if (got <= 0) {
            return;
        }
        last_words_.append(buffer.data(), static_cast<std::size_t>(got));
        if (last_words_.size() > last_words_bytes_max) {
            last_words_.erase(0, last_words_.size() - last_words_bytes_max);
        }
        if (static_cast<std::size_t>(got) < buffer.size()) {
            return;
        }
    }
}

Result<void> WorkerProcess::wait(short events, Deadline deadline) {
    bool errors_open = true;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) {
            return Error(ErrorCode::unavailable, "the worker process did not answer in time");
        }
        std::array<pollfd, 2> both{pollfd{socket_, events, 0},
                                   pollfd{errors_open ? errors_ : -1, POLLIN, 0}};
        const int ready = ::poll(both.data(), both.size(),
                                 static_cast<int>(std::min<std::int64_t>(left.count(), 1'000'000)));
        if (ready < 0 && errno != EINTR) {
            return system_error("cannot wait for a worker process");
        }
        if (both[1].revents != 0) {
            read_errors();
            errors_open = (both[1].revents & POLLIN) != 0;
        }
        if (ready > 0 && both[0].revents != 0) {
            return {};
        }
    }
}

Result<void> WorkerProcess::send(std::string_view bytes, Deadline deadline) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            TOMBOLO_TRY_VOID(wait(POLLOUT, deadline));
        } else if (errno != EINTR) {
            return ended();
        }
    }
    return {};
}

Result<Frame> WorkerProcess::receive(Deadline deadline) {
    std::array<char, 65536> buffer;
    for (;;) {
        TOMBOLO_TRY(std::optional<Frame> frame, reader_.next());
        if (frame) {
            return *std::move(frame);
        }
        TOMBOLO_TRY_VOID(wait(POLLIN, deadline));
        const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
        if (got > 0) {
            reader_.append({buffer.data(), static_cast<std::size_t>(got)});
        } else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
            return ended();
        }
    }
}

void WorkerProcess::pause() noexcept {
    ::kill(pid_, SIGSTOP);
}

void WorkerProcess::resume() noexcept {
    ::kill(pid_, SIGCONT);
}

void WorkerProcess::kill() noexcept {
    if (ended_) {
        return;
    }
    ended_ = true;
    // An end that came by itself is kept: the signal finds nobody, and the status is the old one.
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    read_errors();
}

std::string WorkerProcess::ending() const {
    return WIFSIGNALED(status_) ? "was killed by signal " + std::to_string(WTERMSIG(status_))
                                : "exited with " + std::to_string(WEXITSTATUS(status_));
}

} // namespace tombolo::functions
