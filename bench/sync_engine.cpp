// Measures the sync engine alone: no sockets, no HTTP, no second process. What `scripts/bench sync`
// measures end to end is made of this and of what the connections cost. One JSON object a line.
//
//     bench_sync_engine [metric ...]      all of them when none is named

#include <memory>
#include <string>
#include <vector>

#include "engine_metrics.hpp"
#include "sync_engine_bed.hpp"

namespace {

using namespace tombolo;
using bench::Bed;
using bench::Device;
using bench::print;

constexpr const char* folder = "build/bench-sync-engine";

void subscribe(Device& device, const std::string& query) {
    device.subscribe(query);
    device.receive_until([&] { return device.query_version() == 1; });
}

/// Seconds until the last of them is acknowledged.
double upload_all(Device& device, const std::vector<std::vector<std::byte>>& changesets) {
    const double start = bench::now_seconds();
    device.upload(changesets);
    device.receive_until([&] { return device.acknowledged() == device.client_version(); });
    return bench::now_seconds() - start;
}

void upload_backlog() {
    constexpr std::int64_t count = 100'000;
    Bed bed(folder);
    Device device(bed, "user");
    subscribe(device, "TRUEPREDICATE");
    std::vector<std::vector<std::byte>> notes;
    for (std::int64_t key = 0; key < count; ++key) {
        notes.push_back(bench::new_note(key, key % 10));
    }
    const double cpu = bench::cpu_seconds();
    const double seconds = upload_all(device, notes);
    print("upload_backlog", count / seconds, "changesets/s", "cpu seconds",
          bench::cpu_seconds() - cpu, 0);
}

/// CPU seconds of one write with that many sessions, ten of them interested; frames are taken from
/// those that are told.
double write_cost(std::size_t sessions, std::size_t interested, std::size_t writes,
                  double& delivered_per_second) {
    Bed bed(folder);
    std::vector<std::unique_ptr<Device>> devices;
    for (std::size_t i = 0; i < sessions; ++i) {
        devices.push_back(std::make_unique<Device>(bed, "user" + std::to_string(i)));
        const bool is_interested = i < interested;
        devices.back()->subscribe(is_interested ? "group == 1"
                                                : "group == " + std::to_string(1000 + i));
    }
    for (const auto& each : devices) {
        each->receive_until([&] { return each->query_version() == 1; });
    }
    Device& writer = *devices.front();
    upload_all(writer, {bench::new_note(1, 1)});
    const auto delivered = [&] {
        std::uint64_t sum = 0;
        for (std::size_t i = 1; i < interested; ++i) {
            sum += devices[i]->entries();
        }
        return sum;
    };
    const double cpu = bench::cpu_seconds();
    const double start = bench::now_seconds();
    const std::uint64_t before = delivered();
    for (std::size_t i = 0; i < writes; ++i) {
        upload_all(writer, {bench::changed_note(1, static_cast<std::int64_t>(i))});
        for (const auto& each : devices) {
            if (each->was_told()) {
                each->receive();
            }
        }
    }
    delivered_per_second =
        static_cast<double>(delivered() - before) / (bench::now_seconds() - start);
    return (bench::cpu_seconds() - cpu) / static_cast<double>(writes);
}

void fanout_growth() {
    double rate = 0;
    const double few = write_cost(10, 10, 500, rate);
    const double many = write_cost(8'000, 10, 500, rate);
    print("fanout_growth", 1e6 * many, "CPU us/write", "10 sessions", 1e6 * few, many / few);
}

void fanout() {
    double rate = 0;
    write_cost(5'000, 5'000, 20, rate);
    print("fanout", rate, "entries/s");
}

void fill(Bed& bed, std::int64_t count) {
    for (std::int64_t from = 0; from < count; from += 5'000) {
        store::Transaction transaction;
        for (std::int64_t key = from; key < std::min(count, from + 5'000); ++key) {
            transaction.put(bed.collection(), bench::city(key));
        }
        bed.store().commit(std::move(transaction)).value();
    }
}

void bootstrap() {
    constexpr std::int64_t count = 171'075;
    Bed bed(folder);
    fill(bed, count);
    Device device(bed, "user");
    bench::start_peak();
    const std::size_t resident = bench::peak_bytes();
    const double start = bench::now_seconds();
    subscribe(device, "TRUEPREDICATE");
    const double seconds = bench::now_seconds() - start;
    print("bootstrap", count / seconds, "documents/s");
    print("bootstrap_memory", static_cast<double>(bench::peak_bytes() - resident) / 1e6, "MB");
}

void history_growth() {
    Bed bed(folder);
    Device device(bed, "user");
    subscribe(device, "group == 5");
    std::int64_t key = 0;
    const auto cost = [&] {
        std::vector<std::vector<std::byte>> notes;
        for (int i = 0; i < 1000; ++i, ++key) {
            notes.push_back(bench::new_note(key, 5));
        }
        const double cpu = bench::cpu_seconds();
        for (auto& note : notes) {
            upload_all(device, {std::move(note)});
        }
        return (bench::cpu_seconds() - cpu) / 1000;
    };
    const double early = cost();
    while (key < 1'000'000) {
        std::vector<std::vector<std::byte>> notes;
        for (int i = 0; i < 50'000; ++i, ++key) {
            notes.push_back(bench::new_note(key, 5));
        }
        upload_all(device, notes);
    }
    const double late = cost();
    print("history_growth", 1e6 * late, "CPU us/upload", "1000 entries", 1e6 * early, late / early);
}

constexpr bench::Metric metrics[] = {
    {"upload_backlog", upload_backlog}, {"fanout_growth", fanout_growth},   {"fanout", fanout},
    {"bootstrap", bootstrap},           {"history_growth", history_growth},
};

} // namespace

int main(int count, char** arguments) {
    return tombolo::bench::run_metrics(metrics, count, arguments);
}
