#include "cli/interrupt.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

namespace tombolo::cli {

namespace {

volatile sig_atomic_t interrupted = 0; // NOLINT: what a signal handler may touch
struct sigaction former_int;           // NOLINT
struct sigaction former_term;          // NOLINT

void on_signal(int number) {
    if (interrupted != 0) {
        ::_exit(128 + number);
    }
    interrupted = 1;
}

} // namespace

Interrupt::Interrupt() {
    interrupted = 0;
    struct sigaction action {};
    action.sa_handler = on_signal;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, &former_int);
    ::sigaction(SIGTERM, &action, &former_term);
}

Interrupt::~Interrupt() {
    ::sigaction(SIGINT, &former_int, nullptr);
    ::sigaction(SIGTERM, &former_term, nullptr);
}

bool Interrupt::requested() const noexcept {
    return interrupted != 0;
}

void Interrupt::wait(std::chrono::milliseconds time) const {
    if (!requested()) {
        ::poll(nullptr, 0, static_cast<int>(time.count())); // ends early on a signal
    }
}

} // namespace tombolo::cli
