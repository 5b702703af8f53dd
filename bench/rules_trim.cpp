#include "rules_trim.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "sync_engine_bed.hpp"

namespace tombolo::bench {

namespace {

constexpr std::size_t device_count = 200;
constexpr double uploads_per_second = 400;
constexpr double window_seconds = 10;
constexpr std::int64_t day_ms = std::int64_t{24} * 3600 * 1000;
/// Groups below are the devices' own.
constexpr std::int64_t old_group = 1'000;
constexpr std::int64_t old_notes = 20'000;

struct Waiting {
    double since = 0;
    std::uint64_t version = 0;
};

/// Devices that upload one after the other at a fixed rate, whether or not answers come.
class Fleet {
  public:
    explicit Fleet(Bed& bed) {
        for (std::size_t i = 0; i < device_count; ++i) {
            devices_.push_back(std::make_unique<Device>(bed, "user" + std::to_string(i)));
            Device& device = *devices_.back();
            device.subscribe("group == " + std::to_string(i));
            device.receive_until([&] { return device.query_version() == 1; });
            device.upload({new_note(key_of(i), static_cast<std::int64_t>(i))});
            device.receive_until([&] { return device.acknowledged() == device.client_version(); });
        }
        waiting_.resize(device_count);
    }

    /// Times to acknowledgement in milliseconds; `begin` is called after a tenth of the time.
    std::vector<double> run(const std::function<void()>& begin) {
        std::vector<double> times;
        const double start = now_seconds();
        const double end = start + window_seconds;
        bool has_begun = false;
        std::uint64_t sent = 0;
        for (double now = start; now < end || is_waiting(); now = now_seconds()) {
            if (!has_begun && now > start + window_seconds / 10) {
                has_begun = true;
                begin();
            }
            for (; now < end && start + static_cast<double>(sent) / uploads_per_second < now;
                 ++sent) {
                send(sent % device_count, start + static_cast<double>(sent) / uploads_per_second);
            }
            take(times);
            std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
        return times;
    }

  private:
    static std::int64_t key_of(std::size_t device) {
        return 1'000'000 + static_cast<std::int64_t>(device);
    }
    bool is_waiting() const {
        return std::any_of(waiting_.begin(), waiting_.end(),
                           [](const auto& each) { return !each.empty(); });
    }
    void send(std::size_t index, double due) {
        Device& device = *devices_[index];
        device.upload({changed_note(key_of(index), ++value_)});
        waiting_[index].push_back({due, device.client_version()});
    }
    void take(std::vector<double>& times) {
        for (std::size_t i = 0; i < device_count; ++i) {
            if (devices_[i]->was_told()) {
                devices_[i]->receive();
            }
            const double now = now_seconds();
            std::erase_if(waiting_[i], [&](const Waiting& each) {
                if (each.version > devices_[i]->acknowledged()) {
                    return false;
                }
                times.push_back(1e3 * (now - each.since));
                return true;
            });
        }
    }

    std::vector<std::unique_ptr<Device>> devices_;
    std::vector<std::vector<Waiting>> waiting_;
    std::int64_t value_ = 0;
};

double p99(std::vector<double> times) {
    std::sort(times.begin(), times.end());
    return times[times.size() * 99 / 100];
}

/// One after the other as devices would, and so that the builder is up to date when it goes.
void make_history(Bed& bed, std::int64_t entries) {
    Device builder(bed, "builder");
    builder.subscribe("TRUEPREDICATE");
    builder.receive_until([&] { return builder.query_version() == 1; });
    std::vector<std::vector<std::byte>> changesets;
    for (std::int64_t i = 0; i < entries; ++i) {
        changesets.push_back(i < old_notes ? new_note(i, old_group)
                                           : changed_note(i % old_notes, i));
        if (changesets.size() == 10'000 || i + 1 == entries) {
            builder.upload(changesets);
            builder.receive_until(
                [&] { return builder.acknowledged() == builder.client_version(); });
            changesets.clear();
        }
    }
}

} // namespace

TrimFigures measure_trim(const std::string& folder, std::int64_t entries) {
    Bed bed(folder);
    make_history(bed, entries);
    Fleet fleet(bed);
    bed.clock().advance(day_ms);
    fleet.run([] {}); // the engine notes the version of that day
    bed.clock().advance(31 * day_ms);
    fleet.run([] {}); // everybody is seen again
    std::vector<double> without = fleet.run([] {});
    std::atomic<std::uint64_t> trimmed{0};
    std::thread chores; // as the server's: history, then the documents' past
    TrimFigures figures;
    figures.with_ms = p99(fleet.run([&] {
        bed.engine().trim([&](const Result<server::sync::TrimReport>& done) {
            trimmed = done.value().trimmed;
            trimmed.notify_all();
        });
        chores = std::thread([&] {
            trimmed.wait(0);
            bed.store().trim(bed.engine().past_needed_above()).value();
        });
    }));
    chores.join();
    const std::vector<double> after = fleet.run([] {});
    without.insert(without.end(), after.begin(), after.end());
    figures.without_ms = p99(without);
    if (trimmed < static_cast<std::uint64_t>(entries)) {
        std::fprintf(stderr, "bench_rules: only %llu entries were trimmed\n",
                     static_cast<unsigned long long>(trimmed.load()));
        std::exit(1);
    }
    return figures;
}

} // namespace tombolo::bench
