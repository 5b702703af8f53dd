#pragma once

// Sends batches of documents to the import route on a few connections at once, so that the server
// writes one batch while the next is read and packed here.
//
// Thread-safety: one thread calls; the connections have threads of their own.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/admin_client.hpp"

namespace tombolo::cli {

struct ImportTotals {
    std::uint64_t written = 0;
    std::uint64_t skipped = 0;
    std::uint64_t refused = 0;
    /// The first refusals: "document 17: ...", counted from 1 in the order of the input.
    std::vector<std::string> problems;
};

class ImportSender {
  public:
    ImportSender(const AdminClient& client, std::string path, Query query);
    /// Waits for what is under way.
    ~ImportSender();
    ImportSender(const ImportSender&) = delete;
    ImportSender& operator=(const ImportSender&) = delete;

    /// Blocks while enough is waiting. `first` is the number of the batch's first document. Throws
    /// what made an earlier batch fail.
    void send(std::string batch, std::uint64_t first);
    /// Waits until all is answered; throws likewise.
    void finish();
    /// What the server has acknowledged so far.
    ImportTotals totals() const;

  private:
    struct Batch {
        std::string bytes;
        std::uint64_t first = 0;
    };

    void work(AdminClient client);
    void post(AdminClient& client, const Batch& batch);
    void count(const boost::json::object& report, const Batch& batch);
    void stop();

    const std::string path_;
    const Query query_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Batch> waiting_;  // guarded by mutex_
    std::size_t running_ = 0;    // guarded by mutex_
    bool stopping_ = false;      // guarded by mutex_
    std::exception_ptr failure_; // guarded by mutex_
    ImportTotals totals_;        // guarded by mutex_
    std::vector<std::thread> threads_;
};

} // namespace tombolo::cli
