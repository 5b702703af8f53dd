#include "server_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>

namespace tombolo::bench {

namespace {

bool read_all(int descriptor, void* into, std::size_t size) {
    char* at = static_cast<char*>(into);
    while (size > 0) {
        const ssize_t count = ::read(descriptor, at, size);
        if (count <= 0) {
            return false;
        }
        at += count;
        size -= static_cast<std::size_t>(count);
    }
    return true;
}

void write_all(int descriptor, const void* from, std::size_t size) {
    const char* at = static_cast<const char*>(from);
    while (size > 0) {
        const ssize_t count = ::write(descriptor, at, size);
        if (count <= 0) {
            ::_exit(3);
        }
        at += count;
        size -= static_cast<std::size_t>(count);
    }
}

// A measurement that is given up leaves no server behind.
void end_with_parent() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

// The port in the line that holds `start`; 0 while that line is not whole.
std::uint16_t port_in(const std::string& text, const std::string& start) {
    static const std::string host = "://127.0.0.1:";
    const std::size_t line = text.find(start);
    const std::size_t at = line == std::string::npos ? line : text.find(host, line);
    const bool whole = at != std::string::npos && text.find('\n', at) != std::string::npos;
    return whole ? static_cast<std::uint16_t>(std::atoi(text.c_str() + at + host.size()))
                 : std::uint16_t{0};
}

} // namespace

void give_up(const std::string& what) {
    std::fprintf(stderr, "bench: %s\n", what.c_str());
    std::exit(1);
}

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

std::vector<double> in_child(const std::function<std::vector<double>()>& work) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        give_up("cannot make a pipe");
    }
    const pid_t child = ::fork();
    if (child == 0) {
        try {
            const std::vector<double> numbers = work();
            const std::uint64_t count = numbers.size();
            write_all(ends[1], &count, sizeof count);
            write_all(ends[1], numbers.data(), count * sizeof(double));
            ::_exit(0);
        } catch (const std::exception& error) {
            std::fprintf(stderr, "bench: %s\n", error.what());
            ::_exit(1);
        }
    }
    ::close(ends[1]);
    std::uint64_t count = 0;
    std::vector<double> numbers;
    bool whole = read_all(ends[0], &count, sizeof count);
    if (whole) {
        numbers.resize(count);
        whole = read_all(ends[0], numbers.data(), count * sizeof(double));
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!whole || status != 0) {
        give_up("a measuring process failed");
    }
    return numbers;
}

ServerProcess ServerProcess::fork_server(const std::function<void(int)>& serve) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        give_up("cannot make a pipe");
    }
    const pid_t child = ::fork();
    if (child == 0) {
        end_with_parent();
        serve(ends[1]);
        ::_exit(1);
    }
    ::close(ends[1]);
    std::uint16_t port = 0;
    if (!read_all(ends[0], &port, sizeof port)) {
        give_up("the reference server did not start");
    }
    ::close(ends[0]);
    return {child, port};
}

ServerProcess ServerProcess::start_daemon(const std::vector<std::string>& arguments) {
    int ends[2];
    if (::pipe(ends) != 0) {
        give_up("cannot make a pipe");
    }
    const pid_t child = ::fork();
    if (child == 0) {
        end_with_parent();
        std::vector<char*> argv;
        argv.reserve(arguments.size() + 1);
        for (const std::string& argument : arguments) {
            argv.push_back(const_cast<char*>(argument.c_str()));
        }
        argv.push_back(nullptr);
        ::dup2(ends[1], STDOUT_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    ::close(ends[1]);
    const bool has_metrics =
        std::find(arguments.begin(), arguments.end(), "--metrics-listen") != arguments.end();
    const std::string last = has_metrics ? "metrics, " : "listens on ";
    std::string said;
    char buffer[512];
    ssize_t count = 0;
    while (port_in(said, last) == 0 && (count = ::read(ends[0], buffer, sizeof buffer)) > 0) {
        said.append(buffer, static_cast<std::size_t>(count));
    }
    // The reading end stays open: the server may print more.
    if (port_in(said, last) == 0) {
        give_up("the server did not start");
    }
    ServerProcess process(child, port_in(said, "listens on "));
    process.metrics_port_ = has_metrics ? port_in(said, last) : std::uint16_t{0};
    return process;
}

ServerProcess::~ServerProcess() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

std::uint64_t ServerProcess::resident_bytes() const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/smaps_rollup");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("Rss:")) {
            return std::strtoull(line.c_str() + 4, nullptr, 10) * 1024;
        }
    }
    give_up("cannot read the server's memory");
}

std::string program_folder() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
}

std::string scratch_folder() {
    static const std::string folder = [] {
        std::string path = "build/" +
                           std::filesystem::read_symlink("/proc/self/exe").filename().string() +
                           ".data";
        std::filesystem::remove_all(path);
        std::filesystem::create_directories(path);
        return path;
    }();
    return folder;
}

void run_command(const std::string& url, const std::vector<std::string>& arguments) {
    ::setenv("TOMBOLO_URL", url.c_str(), 1);
    ::setenv("TOMBOLO_USERNAME", "admin", 1);
    ::setenv("TOMBOLO_PASSWORD", "password", 1);
    ::setenv("XDG_CONFIG_HOME", scratch_folder().c_str(), 1);
    std::string line = program_folder() + "/tombolo --quiet";
    for (const std::string& argument : arguments) {
        line += " " + argument;
    }
    if (std::system((line + " >/dev/null").c_str()) != 0) {
        give_up("failed: " + line);
    }
}

void print(const char* metric, double value, const char* unit, const char* reference,
           double reference_value, double ratio) {
    std::printf("{\"metric\":\"%s\",\"value\":%.4f,\"unit\":\"%s\",\"reference\":\"%s\","
                "\"reference_value\":%.4f,\"ratio\":%.4f}\n",
                metric, value, unit, reference, reference_value, ratio);
    std::fflush(stdout);
}

} // namespace tombolo::bench
