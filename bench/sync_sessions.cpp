// idle_session, reconnect_storm, fanout_growth: what thousands of connected devices cost.

#include "sync_metrics.hpp"
#include "sync_notes.hpp"
#include "sync_subject.hpp"

namespace tombolo::bench {

namespace {

constexpr std::size_t sessions = 8000;
constexpr std::size_t interested = 10;
constexpr std::size_t few_at_a_time = 256;
constexpr std::size_t files_needed = sessions + 600;
constexpr double idle_seconds = 5;

// Each device with a subscription of its own, but those that are interested in group 0.
std::string query_of(std::size_t index) {
    return notes_of_group(index < interested ? 0 : static_cast<std::int64_t>(index));
}

// A server whose sessions have all been there: their files, tokens and subscriptions exist.
class Sessions {
  public:
    Sessions(const std::string& name, std::size_t count)
        : subject_(name), fleet_(subject_.fleet()) {
        fleet_.add_all(subject_.log_in(count), query_of);
    }

    SyncSubject& subject() noexcept { return subject_; }
    Fleet& fleet() noexcept { return fleet_; }

    void restart(bool tls) {
        subject_.kill();
        fleet_.drop_all();
        subject_.start(tls);
        fleet_.set_server(subject_.port(), tls);
    }

    void reconnect_calmly(std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; ++i) {
            fleet_.reconnect(i);
            fleet_.run_until([&] { return i + 1 - fleet_.ready() < few_at_a_time; },
                             "sessions to return");
        }
        fleet_.run_until([&] { return fleet_.ready() == to; }, "sessions to return");
    }

    // Seconds until all are back; connections that are lost meanwhile come again and are counted.
    double reconnect_at_once(std::uint64_t& dropped) {
        const std::uint64_t lost_before = fleet_.lost();
        fleet_.tolerates_loss = true;
        const double start = seconds_now();
        for (std::size_t i = 0; i < fleet_.size(); ++i) {
            fleet_.reconnect(i);
            fleet_.poll(0);
        }
        std::uint64_t lost = lost_before;
        fleet_.run_until(
            [&] {
                for (std::size_t i = 0; lost != fleet_.lost() && i < fleet_.size(); ++i) {
                    if (fleet_.device(i).phase == Device::Phase::away) {
                        fleet_.reconnect(i);
                    }
                }
                lost = fleet_.lost();
                return fleet_.ready() == fleet_.size();
            },
            "sessions to return");
        fleet_.tolerates_loss = false;
        dropped += fleet_.lost() - lost_before;
        return seconds_now() - start;
    }

  private:
    SyncSubject subject_;
    Fleet fleet_;
};

// Writes to the ten, one after the other; microseconds of the server's processors for each.
double cost_of_writes(Sessions& all, int& number) {
    constexpr int writes = 200;
    Fleet& fleet = all.fleet();
    std::size_t received = 0;
    fleet.on_download = [&](Fleet::Index index, const DownloadHead& head) {
        received += index != 0 && !head.body.empty() ? 1 : 0;
    };
    const double before = all.subject().cpu_seconds();
    for (int i = 0; i < writes; ++i) {
        received = 0;
        const std::uint64_t version = fleet.upload(0, new_note(++number, 0));
        fleet.run_until(
            [&] { return received == interested - 1 && fleet.device(0).acknowledged >= version; },
            "a write to reach those interested");
    }
    const double cost = (all.subject().cpu_seconds() - before) / writes * 1e6;
    fleet.on_download = nullptr;
    return cost;
}

void storm(bool tls) {
    Sessions all(tls ? "storm_tls" : "storm", sessions);
    std::vector<double> seconds;
    std::uint64_t dropped = 0;
    for (int i = 0; i < sync_repetitions; ++i) {
        all.restart(tls);
        seconds.push_back(all.reconnect_at_once(dropped));
    }
    const double bound = tls ? 10 : 5;
    const std::string metric = tls ? "reconnect_storm_tls" : "reconnect_storm";
    print(metric.c_str(), median(seconds), "s", tls ? "bound: 10 s" : "bound: 5 s", bound,
          median(seconds) / bound);
    print((metric + "_dropped").c_str(), static_cast<double>(dropped), "connections",
          "connections made", static_cast<double>(sync_repetitions * sessions),
          static_cast<double>(dropped) / static_cast<double>(sync_repetitions * sessions));
}

} // namespace

void bench_fanout_growth() {
    raise_file_limit(files_needed);
    Sessions few("growth_few", interested);
    Sessions many("growth_many", sessions);
    int few_number = 0;
    int many_number = 0;
    cost_of_writes(few, few_number);
    cost_of_writes(many, many_number);
    std::vector<double> with_few;
    std::vector<double> with_many;
    for (int i = 0; i < sync_repetitions; ++i) {
        with_few.push_back(cost_of_writes(few, few_number));
        with_many.push_back(cost_of_writes(many, many_number));
    }
    print("fanout_growth", median(with_many), "us of CPU a write, 8,000 sessions",
          "10 sessions, all interested", median(with_few), median(with_many) / median(with_few));
}

void bench_idle_session() {
    raise_file_limit(files_needed);
    Sessions all("idle", sessions);
    // What signing on for the first time leaves behind is not what an idle session holds.
    all.restart(false);
    all.reconnect_calmly(0, few_at_a_time);
    all.fleet().run_for(1);
    const auto before = static_cast<double>(all.subject().process().resident_bytes());
    all.reconnect_calmly(few_at_a_time, sessions);
    all.fleet().run_for(2);
    const auto after = static_cast<double>(all.subject().process().resident_bytes());
    const double each = (after - before) / static_cast<double>(sessions - few_at_a_time);
    const double cpu_before = all.subject().cpu_seconds();
    all.fleet().run_for(idle_seconds);
    const double cpu = (all.subject().cpu_seconds() - cpu_before) / idle_seconds * 100;
    print("idle_session", each, "bytes", "bound: 12 KB", 12.0 * 1024, each / (12.0 * 1024));
    print("idle_session_cpu", cpu, "% of a core for all", "bound: 1", 1, cpu);
}

void bench_reconnect_storm() {
    raise_file_limit(files_needed);
    storm(false);
}

void bench_reconnect_storm_tls() {
    raise_file_limit(files_needed);
    storm(true);
}

} // namespace tombolo::bench
