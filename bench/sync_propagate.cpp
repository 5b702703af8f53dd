// propagate, propagate_nagle: one small write, from device A's upload to device B's receipt.

#include <algorithm>
#include <memory>

#include "reference/echo.hpp"
#include "reference/log_writes.hpp"
#include "sync_metrics.hpp"
#include "sync_notes.hpp"
#include "sync_subject.hpp"

namespace tombolo::bench {

Spread spread_of(std::vector<double> seconds) {
    std::sort(seconds.begin(), seconds.end());
    return {seconds[seconds.size() / 2], seconds[seconds.size() * 99 / 100]};
}

namespace {

constexpr int samples = 1000;
constexpr int warm_up = 200;
constexpr double us = 1e6;

// Two devices that subscribe to the same note.
class Pair {
  public:
    Pair(const SyncSubject& subject, bool no_delay) {
        FleetOptions options = subject.fleet();
        options.no_delay = no_delay;
        fleet_ = std::make_unique<Fleet>(std::move(options));
        const int group = no_delay ? 1 : 2;
        note_ = group;
        fleet_->add_all(subject.log_in(2), [&](std::size_t) { return notes_of_group(group); });
        const std::uint64_t version = fleet_->upload(0, new_note(note_, group));
        fleet_->on_download = [this](Fleet::Index index, const DownloadHead& head) {
            if (index == 1 && !head.body.empty()) {
                received_at_ = seconds_now();
            }
        };
        wait(version);
    }

    Spread run(int count) {
        std::vector<double> seconds;
        for (int i = 0; i < count; ++i) {
            text_ = "seen again, number " + std::to_string(++number_);
            received_at_ = 0;
            const std::uint64_t version = fleet_->upload(0, changed_note(note_, text_));
            wait(version);
            seconds.push_back(received_at_ - fleet_->device(0).sent_at);
        }
        return spread_of(std::move(seconds));
    }

    std::int64_t note() const noexcept { return note_; }
    /// The last that was acknowledged.
    const std::string& text() const noexcept { return text_; }

  private:
    void wait(std::uint64_t version) {
        fleet_->run_until(
            [&] { return received_at_ != 0 && fleet_->device(0).acknowledged >= version; },
            "a write to arrive");
    }

    std::unique_ptr<Fleet> fleet_;
    std::int64_t note_ = 0;
    int number_ = 0;
    std::string text_;
    double received_at_ = 0;
};

void check_kill(SyncSubject& subject, const std::vector<const Pair*>& pairs) {
    const std::string token = subject.log_in(1).front();
    subject.kill();
    subject.start();
    const auto notes = notes_on_server(subject.fleet(), token);
    for (const Pair* pair : pairs) {
        const auto found = notes.find(pair->note());
        if (found == notes.end() || found->second != pair->text()) {
            give_up("kill -9 lost an acknowledged write");
        }
    }
}

} // namespace

void bench_propagate() {
    SyncSubject subject("propagate");
    Pair pair(subject, true);
    const ServerProcess echo = ServerProcess::fork_server(serve_echo);
    const std::size_t message_bytes = changed_note(1, pair.text()).size() + 60;
    EchoClients clients(echo.port(), 1, message_bytes);
    LogWrites log(scratch_folder() + "/log", message_bytes);
    pair.run(warm_up);
    std::vector<double> ours50;
    std::vector<double> ours_spread;
    std::vector<double> least50;
    std::vector<double> least_spread;
    for (int i = 0; i < sync_repetitions + 2; ++i) {
        std::vector<double> sums;
        for (int k = 0; k < samples; ++k) {
            const double trip = clients.round_trip();
            sums.push_back(trip + log.write());
        }
        const Spread least = spread_of(std::move(sums));
        const Spread ours = pair.run(samples);
        ours50.push_back(ours.p50 * us);
        ours_spread.push_back(ours.p99 / ours.p50);
        least50.push_back(least.p50 * us);
        least_spread.push_back(least.p99 / least.p50);
    }
    const double p50 = median(ours50);
    const double least = median(least50);
    print("propagate", p50, "us (p50)", "echo round trip + one fdatasync", least, p50 / least);
    print("propagate_p99", median(ours_spread), "p99/p50", "that of echo + fdatasync",
          median(least_spread), median(ours_spread) / median(least_spread));
    check_kill(subject, {&pair});
}

void bench_propagate_nagle() {
    SyncSubject subject("propagate_nagle");
    Pair plain(subject, true);
    Pair nagle(subject, false);
    plain.run(warm_up);
    nagle.run(warm_up);
    std::vector<double> plain50;
    std::vector<double> nagle50;
    for (int i = 0; i < sync_repetitions; ++i) {
        plain50.push_back(plain.run(samples).p50 * us);
        nagle50.push_back(nagle.run(samples).p50 * us);
    }
    const double bound = median(plain50) + 1000;
    print("propagate_nagle", median(nagle50), "us (p50)", "propagate + 1 ms", bound,
          median(nagle50) / bound);
    check_kill(subject, {&plain, &nagle});
}

} // namespace tombolo::bench
