#include "server/store/embedded/committer.hpp"

#include <future>
#include <memory>

namespace tombolo::store::embedded {

Committer::Committer(CommitGroup commit_group)
    : commit_group_(std::move(commit_group)), thread_([this] { loop(); }) {}

Committer::~Committer() {
    stop();
}

void Committer::submit(Transaction transaction, Store::Completion done) {
    {
        const std::lock_guard lock(mutex_);
        if (!stopping_) {
            queue_.emplace_back(Waiting{std::move(transaction), std::move(done)});
            wake_.notify_one();
            return;
        }
    }
    done(Error(ErrorCode::unavailable, "the store is closing"));
}

void Committer::submit_waiting(Transaction transaction, Store::Completion done) {
    if (!take_over()) {
        submit(std::move(transaction), std::move(done));
        return;
    }
    std::vector<Waiting> group;
    group.push_back({std::move(transaction), std::move(done)});
    commit_group_(group);
    hand_back();
}

bool Committer::take_over() {
    const std::lock_guard lock(mutex_);
    if (stopping_ || is_busy_ || !queue_.empty()) {
        return false;
    }
    is_busy_ = true;
    return true;
}

void Committer::hand_back() {
    const std::lock_guard lock(mutex_);
    is_busy_ = false;
    if (stopping_ || !queue_.empty()) {
        wake_.notify_one();
    }
}

bool Committer::run(const Job& job) {
    const auto ended = std::make_shared<std::promise<void>>(); // may outlive this call by a moment
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) {
            return false;
        }
        queue_.emplace_back(Job([&job, ended] {
            job();
            ended->set_value();
        }));
        wake_.notify_one();
    }
    ended->get_future().wait();
    return true;
}

void Committer::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        wake_.notify_one();
    }
    if (thread_.joinable()) {
        thread_.join();
    }
}

void Committer::loop() {
    for (;;) {
        std::vector<Waiting> group;
        Job job;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return !is_busy_ && (stopping_ || !queue_.empty()); });
            if (queue_.empty()) {
                return;
            }
            is_busy_ = true;
            std::size_t bytes = 0;
            while (!queue_.empty() && bytes < limits::commit_group_bytes_max &&
                   group.size() < limits::commit_group_transactions_max) {
                if (Waiting* waiting = std::get_if<Waiting>(&queue_.front())) {
                    bytes += waiting->transaction.bytes();
                    group.push_back(std::move(*waiting));
                    queue_.pop_front();
                    continue;
                }
                if (group.empty()) {
                    job = std::move(std::get<Job>(queue_.front()));
                    queue_.pop_front();
                }
                break;
            }
        }
        if (job) {
            job();
        } else {
            commit_group_(group);
        }
        const std::lock_guard lock(mutex_);
        is_busy_ = false;
    }
}

} // namespace tombolo::store::embedded
