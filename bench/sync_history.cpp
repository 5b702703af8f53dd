// history_growth: the cost of one upload with little history and with much.

#include "sync_backlog.hpp"
#include "sync_metrics.hpp"
#include "sync_notes.hpp"
#include "sync_subject.hpp"

namespace tombolo::bench {

namespace {

constexpr std::int64_t notes = 1000;
constexpr std::size_t little = 1000;
constexpr std::size_t much = 1'000'000;
constexpr int uploads = 500;

// A server with so many history entries, and a device that goes on writing.
class Historian {
  public:
    Historian(const std::string& name, std::size_t entries)
        : subject_(name), fleet_(subject_.fleet()) {
        fleet_.add_all(subject_.log_in(1), [](std::size_t) { return all_notes(); });
        std::size_t made = 0;
        upload_backlog(fleet_, entries, [&] {
            const auto id = static_cast<std::int64_t>(made++);
            return id < notes ? new_note(id, id % 10) : changed_note(id % notes, text());
        });
    }

    struct Cost {
        double cpu_us = 0;
        double p50_us = 0;
    };
    Cost run() {
        std::vector<double> seconds;
        const double before = subject_.cpu_seconds();
        for (int i = 0; i < uploads; ++i) {
            const std::uint64_t version = fleet_.upload(0, changed_note(i % notes, text()));
            fleet_.run_until([&] { return fleet_.device(0).acknowledged >= version; },
                             "an acknowledgement");
            seconds.push_back(seconds_now() - fleet_.device(0).sent_at);
        }
        const double cpu = subject_.cpu_seconds() - before;
        return {cpu / uploads * 1e6, spread_of(std::move(seconds)).p50 * 1e6};
    }

  private:
    std::string text() { return "as it was, number " + std::to_string(++number_); }

    SyncSubject subject_;
    Fleet fleet_;
    std::uint64_t number_ = 0;
};

} // namespace

void bench_history_growth() {
    Historian young("history_little", little);
    Historian old("history_much", much);
    young.run();
    old.run();
    std::vector<double> young_cpu;
    std::vector<double> young_p50;
    std::vector<double> old_cpu;
    std::vector<double> old_p50;
    for (int i = 0; i < sync_repetitions; ++i) {
        const auto little_cost = young.run();
        const auto much_cost = old.run();
        young_cpu.push_back(little_cost.cpu_us);
        young_p50.push_back(little_cost.p50_us);
        old_cpu.push_back(much_cost.cpu_us);
        old_p50.push_back(much_cost.p50_us);
    }
    print("history_growth", median(old_p50), "us (p50) an upload, 10^6 entries", "10^3 entries",
          median(young_p50), median(old_p50) / median(young_p50));
    print("history_growth_cpu", median(old_cpu), "us of CPU an upload, 10^6 entries",
          "10^3 entries", median(young_cpu), median(old_cpu) / median(young_cpu));
}

} // namespace tombolo::bench
