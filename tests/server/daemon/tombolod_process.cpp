#include "server/daemon/tombolod_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "support/temporary_folder.hpp"

namespace tombolo::server {

namespace {

constexpr auto patience = std::chrono::minutes(2);
constexpr auto poll_pause = std::chrono::milliseconds(2);

std::uint16_t port_after(const std::string& text, const std::string& mark) {
    const std::size_t at = text.find(mark);
    if (at == std::string::npos) {
        throw std::runtime_error("tombolod did not print '" + mark + "': " + text);
    }
    const std::size_t line_end = text.find('\n', at);
    const std::size_t colon = text.rfind(':', line_end);
    return static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1));
}

} // namespace

Tombolod::Tombolod(const std::vector<std::string>& arguments, std::string output_file)
    : output_file_(std::move(output_file)) {
    std::vector<std::string> all = arguments;
    all.insert(all.begin(), TOMBOLOD);
    std::vector<char*> argv;
    argv.reserve(all.size() + 1);
    for (std::string& argument : all) {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
        const int file =
            ::open(output_file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
        ::dup2(file, STDOUT_FILENO);
        ::dup2(file, STDERR_FILENO);
        ::close(file);
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
}

Tombolod::~Tombolod() {
    if (!ended_) {
        ::kill(pid_, SIGKILL);
        reap(true);
    }
}

std::string Tombolod::output() const {
    return read_file(output_file_);
}

bool Tombolod::wait_for(const std::string& text, int count) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < until) {
        const bool was_running = running();
        const std::string said = output();
        int found = 0;
        for (std::size_t at = said.find(text); at != std::string::npos;
             at = said.find(text, at + text.size())) {
            ++found;
        }
        // The line that carries it is whole once another line end follows.
        if (found >= count && said.find('\n', said.rfind(text)) != std::string::npos) {
            return true;
        }
        if (!was_running) {
            return false;
        }
        std::this_thread::sleep_for(poll_pause);
    }
    return false;
}

void Tombolod::signal(int number) const {
    ::kill(pid_, number);
}

void Tombolod::reap(bool block) {
    int status = 0;
    if (!ended_ && ::waitpid(pid_, &status, block ? 0 : WNOHANG) == pid_) {
        ended_ = true;
        exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
}

bool Tombolod::running() {
    reap(false);
    return !ended_;
}

int Tombolod::wait_exit() {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (running() && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(poll_pause);
    }
    if (!ended_) {
        throw std::runtime_error("tombolod does not end: " + output());
    }
    return exit_;
}

std::uint16_t Tombolod::port() const {
    return port_after(output(), "tombolod listens on ");
}
std::uint16_t Tombolod::metrics_port() const {
    return port_after(output(), "metrics, /health and /ready on ");
}

} // namespace tombolo::server
