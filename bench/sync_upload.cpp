// upload_many, upload_backlog: how fast the server takes what devices have written.

#include <algorithm>
#include <filesystem>

#include "reference/echo.hpp"
#include "reference/log_writes.hpp"
#include "reference/raw_writes.hpp"
#include "sync_backlog.hpp"
#include "sync_metrics.hpp"
#include "sync_notes.hpp"
#include "sync_subject.hpp"

namespace tombolo::bench {

namespace {

constexpr std::size_t many_devices = 200;
constexpr std::size_t backlog_changesets = 100'000;
/// Of records, written by the reference in one piece.
constexpr std::size_t raw_batch_bytes = std::size_t{4} << 20;

// Devices that each write a note, wait until it is durable, and write the next.
class Writers {
  public:
    explicit Writers(const SyncSubject& subject) : fleet_(subject.fleet()) {
        fleet_.add_all(subject.log_in(many_devices),
                       [](std::size_t i) { return notes_of_group(static_cast<std::int64_t>(i)); });
        waits_for_.resize(many_devices);
        note_.resize(many_devices);
        fleet_.on_download = [this](Fleet::Index index, const DownloadHead& head) {
            if (waits_for_[index] != 0 && head.upload_client_version >= waits_for_[index]) {
                acknowledged_.push_back(note_[index]);
                waits_for_[index] = 0;
                free_.push_back(index);
            }
        };
        for (std::size_t i = 0; i < many_devices; ++i) {
            free_.push_back(i);
        }
    }

    /// Acknowledged changesets a second.
    double run(double seconds, bool lets_end) {
        const std::size_t before = acknowledged_.size();
        const double start = seconds_now();
        while (seconds_now() < start + seconds) {
            std::vector<Fleet::Index> free;
            free.swap(free_);
            for (const Fleet::Index index : free) {
                note_[index] = ++last_note_;
                waits_for_[index] =
                    fleet_.upload(index, new_note(last_note_, static_cast<std::int64_t>(index)));
            }
            fleet_.poll(0.1);
        }
        if (lets_end) {
            fleet_.run_until([&] { return free_.size() == many_devices; }, "acknowledgements");
        }
        const double took = seconds_now() - start;
        return static_cast<double>(acknowledged_.size() - before) / took;
    }

    const std::vector<std::int64_t>& acknowledged() const noexcept { return acknowledged_; }

  private:
    Fleet fleet_;
    std::vector<std::uint64_t> waits_for_;
    std::vector<std::int64_t> note_;
    std::vector<Fleet::Index> free_;
    std::vector<std::int64_t> acknowledged_;
    std::int64_t last_note_ = 0;
};

void check_notes(SyncSubject& subject, const std::string& token,
                 const std::vector<std::int64_t>& ids) {
    subject.kill();
    subject.start();
    const auto notes = notes_on_server(subject.fleet(), token);
    const auto missing =
        std::count_if(ids.begin(), ids.end(), [&](std::int64_t id) { return !notes.contains(id); });
    if (missing != 0) {
        give_up("kill -9 lost " + std::to_string(missing) + " acknowledged changesets of " +
                std::to_string(ids.size()));
    }
}

// Seconds until the last is acknowledged.
double upload_notes(SyncSubject& subject) {
    Fleet fleet(subject.fleet());
    fleet.add_all(subject.log_in(1), [](std::size_t) { return all_notes(); });
    std::int64_t id = 0;
    return upload_backlog(fleet, backlog_changesets, [&] {
        const std::int64_t now = id++;
        return new_note(now, now % 10);
    });
}

} // namespace

void bench_upload_many() {
    SyncSubject subject("upload_many");
    const std::string token = subject.log_in(1).front();
    Writers writers(subject);
    const ServerProcess echo = ServerProcess::fork_server(serve_echo);
    const std::size_t message_bytes = new_note(1000, 100).size() + 60;
    EchoClients clients(echo.port(), many_devices, message_bytes);
    LogWrites log(scratch_folder() + "/log", message_bytes);
    writers.run(0.5, true);
    std::vector<double> ours;
    std::vector<double> echoes;
    std::vector<double> syncs;
    for (int i = 0; i < sync_repetitions; ++i) {
        echoes.push_back(clients.rate(1));
        syncs.push_back(log.rate(1));
        ours.push_back(writers.run(2, true));
    }
    const double bound = std::min(15 * median(syncs), 0.05 * median(echoes));
    print("upload_many", median(ours), "changesets/s",
          "the lower of 15x fdatasync rate and 0.05x echo rate", bound, median(ours) / bound);
    writers.run(0.5, false);
    check_notes(subject, token, writers.acknowledged());
}

void bench_upload_backlog() {
    std::vector<double> ours;
    std::vector<double> raw;
    std::vector<std::string> names;
    const std::string recorded = scratch_folder() + "/records";
    for (int i = 0; i < sync_repetitions; ++i) {
        SyncSubject subject("upload_backlog");
        const std::string token = subject.log_in(1).front();
        ours.push_back(backlog_changesets / upload_notes(subject));
        subject.kill();
        raw.push_back(in_child([&] {
                          const auto batches =
                              record_all(subject.store_directory(), names, raw_batch_bytes);
                          const std::string path = scratch_folder() + "/raw";
                          std::filesystem::remove_all(path);
                          return std::vector<double>{write_raw(path, names, batches)};
                      }).front());
        if (i + 1 == sync_repetitions) {
            subject.start();
            std::vector<std::int64_t> ids(backlog_changesets);
            for (std::size_t k = 0; k < ids.size(); ++k) {
                ids[k] = static_cast<std::int64_t>(k);
            }
            check_notes(subject, token, ids);
        }
    }
    const double raw_rate = backlog_changesets / median(raw);
    print("upload_backlog", median(ours), "changesets/s", "raw RocksDB writes of the same records",
          raw_rate, median(ours) / raw_rate);
}

} // namespace tombolo::bench
