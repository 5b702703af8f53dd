#pragma once

// Who writes: one thread at a time, nearly always the committer's own. It takes the transactions
// that wait, commits them as one group, answers them in order. A caller that would only wait may
// commit its transaction itself while nothing else is to be done.
//
// While a group is being synced, the next one gathers: that is the whole of group commit. Work that
// must not meet a transaction half-way (building an index, dropping a collection) runs on the same
// thread between two groups.
//
// Thread-safety: submit, run and stop from any thread. Callbacks run on the committer's thread, or
// on that of submit_waiting().

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "core/result.hpp"
#include "server/store/store.hpp"

namespace tombolo::store::embedded {

class Committer {
  public:
    struct Waiting {
        Transaction transaction;
        Store::Completion done;
    };
    using Job = std::function<void()>;
    /// Commits the transactions as one group and answers each. Called on the committer's thread.
    using CommitGroup = std::function<void(std::vector<Waiting>&)>;

    explicit Committer(CommitGroup commit_group);
    ~Committer();
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    /// After stop() the answer is `unavailable`.
    void submit(Transaction transaction, Store::Completion done);
    /// Commits on the caller's thread when nothing waits, else as submit(). Not within a callback.
    void submit_waiting(Transaction transaction, Store::Completion done);
    /// Runs `job` between two groups and waits for its end. False after stop().
    bool run(const Job& job);
    /// Commits what waits, then ends the thread.
    void stop();

  private:
    void loop();
    /// True when nothing is to be done: the caller is then the one who commits, until hand_back().
    bool take_over();
    void hand_back();

    const CommitGroup commit_group_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::variant<Waiting, Job>> queue_; // guarded by mutex_
    bool stopping_ = false;                        // guarded by mutex_
    bool is_busy_ = false; // guarded by mutex_; somebody commits, or runs a job
    std::thread thread_;
};

} // namespace tombolo::store::embedded
