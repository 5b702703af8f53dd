#include "server/auth/breather.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace tombolo::auth {
namespace {

long rests_of_this_thread() {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

TEST(Breather, a_thread_of_the_lowest_priority_rests_while_it_computes) {
    std::thread([] {
        const sched_param none{};
        ASSERT_EQ(::pthread_setschedparam(::pthread_self(), SCHED_IDLE, &none), 0);
        const long before = rests_of_this_thread();
        const Breather breather;
        while (rests_of_this_thread() < before + 3) { // for ever without
        }
    }).join();
}

TEST(Breather, other_threads_are_left_alone) {
    const long before = rests_of_this_thread();
    const Breather breather;
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
    while (std::chrono::steady_clock::now() < until) {
    }
    EXPECT_LT(rests_of_this_thread(), before + 3);
}

} // namespace
} // namespace tombolo::auth
