// bootstrap: the cities of the world to one device. bootstrap_many: those of a country to many
// devices together.

#include <algorithm>
#include <thread>

#include "cities.hpp"
#include "reference/zlib_level.hpp"
#include "sync_metrics.hpp"
#include "sync_notes.hpp"
#include "sync_subject.hpp"

namespace tombolo::bench {

namespace {

constexpr double rate_bound = 200'000;
constexpr double zlib_share = 0.3;
constexpr int zlib_level = 1;
constexpr std::size_t many_devices = 200;
constexpr const char* many_country = "NL";
constexpr std::size_t many_documents = 1572;
constexpr double memory_bound = 64.0 * 1024 * 1024;

// Seconds from the QUERY until everything it asks for is there.
double bootstrap(const SyncSubject& subject, const std::string& query,
                 std::vector<std::vector<std::byte>>* bodies) {
    const std::string token = subject.log_in(1).front();
    Fleet fleet(subject.fleet());
    if (bodies != nullptr) {
        fleet.on_download = [&](Fleet::Index, const DownloadHead& head) {
            if (head.query_version == 1 && head.batch_state != 2) {
                bodies->push_back(opened_body(head));
            }
        };
    }
    fleet.add(token, query);
    fleet.run_until([&] { return fleet.device(0).phase >= Device::Phase::subscribing; },
                    "the first bootstrap");
    const double start = seconds_now();
    fleet.run_until([&] { return fleet.ready() == 1; }, "a bootstrap", 300);
    return seconds_now() - start;
}

} // namespace

void bench_bootstrap() {
    SyncSubject subject("bootstrap");
    subject.import_cities();
    std::vector<std::vector<std::byte>> bodies;
    const auto before = static_cast<double>(subject.process().resident_bytes());
    subject.reset_peak();
    bootstrap(subject, cities_of(""), &bodies);
    const double growth = static_cast<double>(subject.peak_bytes()) - before;
    std::size_t documents = 0;
    for (const auto& body : bodies) {
        documents += created_objects(body);
    }
    // An embedded object is no object of its own.
    if (documents != cities_count) {
        give_up("a device was sent " + std::to_string(documents) + " cities");
    }
    std::vector<double> ours;
    std::vector<double> zlib;
    for (int i = 0; i < sync_repetitions; ++i) {
        zlib.push_back(cities_count / compress_pieces(bodies, zlib_level));
        ours.push_back(cities_count / bootstrap(subject, cities_of(""), nullptr));
    }
    const double bound = std::min(rate_bound, zlib_share * median(zlib));
    print("bootstrap", median(ours), "documents/s",
          "the lower of 200,000/s and 0.3x zlib level 1 of the same bytes", bound,
          median(ours) / bound);
    print("bootstrap_memory", growth / (1024 * 1024), "MB", "bound: 64 MB", 64,
          growth / memory_bound);
}

void bench_bootstrap_many() {
    SyncSubject subject("bootstrap_many");
    subject.import_cities();
    // All of it, from the first packet to the last.
    const auto run = [&](std::size_t count) {
        const std::vector<std::string> tokens = subject.log_in(count);
        Fleet fleet(subject.fleet());
        std::size_t bytes = 0;
        fleet.on_download = [&](Fleet::Index, const DownloadHead& head) {
            bytes += head.query_version == 1 ? head.plain_bytes : 0;
        };
        const double start = seconds_now();
        for (const std::string& token : tokens) {
            fleet.add(token, cities_of(many_country));
        }
        fleet.run_until([&] { return fleet.ready() == count; }, "bootstraps", 300);
        if (bytes < count * many_documents * 16) {
            give_up("a device was not sent all its cities");
        }
        return seconds_now() - start;
    };
    run(1);
    std::vector<double> together;
    std::vector<double> alone;
    for (int i = 0; i < sync_repetitions; ++i) {
        alone.push_back(run(1));
        together.push_back(run(many_devices));
    }
    const double cores = std::thread::hardware_concurrency();
    const double bound = many_devices * median(alone) / cores;
    print("bootstrap_many", median(together), "s for 200 devices, 1,572 documents each",
          "sum of single costs / cores", bound, median(together) / bound);
}

} // namespace tombolo::bench
