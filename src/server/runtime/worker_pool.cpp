#include "server/runtime/worker_pool.hpp"

#include <pthread.h>
#include <sched.h>

namespace tombolo::server {

WorkerPool::WorkerPool(WorkerPoolOptions options) : options_(std::move(options)) {
    ::sem_init(&wake_, 0, 0);
    threads_.reserve(options_.threads);
    for (unsigned i = 0; i < options_.threads; ++i) {
        threads_.emplace_back([this] { loop(); });
    }
}

WorkerPool::~WorkerPool() {
    stop();
    ::sem_destroy(&wake_);
}

bool WorkerPool::submit(Work work) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || queue_.size() >= options_.queue_max) {
            return false;
        }
        queue_.push_back(std::move(work));
    }
    // A semaphore, and not under the lock: on a busy machine the thread that is woken takes this
    // one's place on the processor, and the lock would stay held for a whole time slice. Signalling
    // a condition variable waits for threads woken before, which takes as long.
    ::sem_post(&wake_);
    return true;
}

void WorkerPool::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    for (std::size_t i = 0; i < threads_.size(); ++i) {
        ::sem_post(&wake_);
    }
    for (std::thread& thread : threads_) {
        if (thread.joinable()) {
            thread.join();
        }
    }
}

std::size_t WorkerPool::queued() const {
    const std::lock_guard lock(mutex_);
    return queue_.size();
}

void WorkerPool::loop() {
    ::pthread_setname_np(::pthread_self(), options_.name.substr(0, 15).c_str());
    if (options_.idle) {
        // Niceness alone is not enough: a thread that wakes up waits until a nice one has used its
        // time slice, which takes milliseconds. An idle one is preempted at once.
        const sched_param none{};
        static_cast<void>(::pthread_setschedparam(::pthread_self(), SCHED_IDLE, &none));
    }
    for (;;) {
        Work work;
        {
            while (::sem_wait(&wake_) != 0) { // interrupted by a signal
            }
            const std::lock_guard lock(mutex_);
            if (queue_.empty()) {
                return;
            }
            work = std::move(queue_.front());
            queue_.pop_front();
        }
        work();
    }
}

} // namespace tombolo::server
