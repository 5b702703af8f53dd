#include "rules_conflicts.hpp"

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "engine_metrics.hpp"
#include "server/sync/engine/conflict_log.hpp"
#include "sync_engine_bed.hpp"

namespace tombolo::bench {

namespace {

constexpr std::int64_t notes = 20'000;
constexpr int rounds = 5;

void upload(Device& by, const std::vector<std::vector<std::byte>>& changesets) {
    by.upload(changesets);
    by.receive_until([&] { return by.acknowledged() == by.client_version(); });
}

std::vector<std::vector<std::byte>> changes(std::int64_t value) {
    std::vector<std::vector<std::byte>> out;
    for (std::int64_t key = 0; key < notes; ++key) {
        out.push_back(changed_note(key, value + key));
    }
    return out;
}

double throughput(const std::string& folder, Lost lost, bool is_on) {
    server::sync::ConflictLimits limits;
    limits.keep_ms = is_on ? limits.keep_ms : 0;
    Bed bed(folder, limits);
    if (lost == Lost::all_refused) {
        server::sync::Role reader;
        reader.classes["Note"] = server::sync::ClassPermissions::read_only();
        bed.roles().set("writer", reader);
    }
    Device other(bed, "other");
    Device writer(bed, "writer");
    for (Device* each : {&other, &writer}) {
        each->subscribe("TRUEPREDICATE");
        each->receive_until([&] { return each->query_version() == 1; });
    }
    std::vector<std::vector<std::byte>> made;
    for (std::int64_t key = 0; key < notes; ++key) {
        made.push_back(new_note(key, key % 10));
    }
    upload(other, made);
    writer.receive_until([&] { return writer.cursor() >= other.cursor(); });
    if (lost == Lost::all_merged) {
        upload(other, changes(1'000'000)); // of which the writer does not hear before it writes
    }
    const double cpu = cpu_seconds();
    upload(writer, changes(2'000'000));
    const double spent = cpu_seconds() - cpu;

    const auto page =
        server::sync::list_conflicts(bed.store(), bed.app(), {}, 0, 1, 0).value().conflicts;
    const std::uint64_t logged = page.empty() ? 0 : page.front().number;
    const std::uint64_t expected = is_on && lost != Lost::nothing ? notes : 0;
    if (logged != expected) {
        std::fprintf(stderr, "bench_rules: %llu conflicts were logged of %llu\n",
                     static_cast<unsigned long long>(logged),
                     static_cast<unsigned long long>(expected));
        std::exit(1);
    }
    return static_cast<double>(notes) / spent;
}

} // namespace

ConflictFigures measure_conflicts(const std::string& folder, Lost lost) {
    std::vector<double> with;
    std::vector<double> without;
    for (int i = 0; i < rounds; ++i) {
        without.push_back(throughput(folder, lost, false));
        with.push_back(throughput(folder, lost, true));
    }
    return {median(with), median(without)};
}

} // namespace tombolo::bench
