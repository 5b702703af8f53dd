// Measures permissions in sync on the engine: no sockets, devices in the same process. One JSON
// object a line.
//
//     bench_rules [metric ...]      all of them when none is named
//
//   permission_cost   uploads and the entries that come of them per CPU second, with three roles
//                     (document filters, read-only and hidden fields), against the open rule
//   role_change       a role that takes 10,260 of 171,075 documents from a device and gives it as
//                     many others, from IDENT to the last byte, against a bootstrap of 10,260
//   trim              200 devices upload, 400 changesets a second together: the p99 of the time to
//                     their acknowledgement while 1,000,000 entries of history are trimmed,
//                     against before and after
//   conflict_log, conflict_log_unused, conflict_log_refused
//                     uploads per CPU second that lose a value each in a merge, that lose nothing,
//                     that the role refuses: with the conflict log, against without
//   trim_a_tenth      the same with 100,000; only when it is named

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "engine_metrics.hpp"
#include "rules_conflicts.hpp"
#include "rules_trim.hpp"
#include "sync_engine_bed.hpp"

namespace {

using namespace tombolo;
using bench::Bed;
using bench::Device;
using bench::median;
using bench::print;
using server::sync::Role;

constexpr const char* folder = "build/bench-rules";
constexpr int rounds = 5;

/// `group IN {from, ..., to - 1}`
std::string groups(int from, int to) {
    std::string out = "group IN {";
    for (int group = from; group < to; ++group) {
        out += (group == from ? "" : ", ") + std::to_string(group);
    }
    return out + "}";
}

Role reader_of(const std::string& filter) {
    Role role;
    role.classes["Note"].read = filter;
    return role;
}

void set_three_roles(Bed& bed, std::size_t readers) {
    Role editor; // writes its groups, but not the text and the place
    auto& edits = editor.classes["Note"];
    edits.write = groups(0, 10);
    edits.read = "(" + groups(0, 20) + ") OR (" + edits.write + ")";
    edits.erase = "FALSEPREDICATE";
    edits.fields.fields["text"] = {true, false, {}};
    edits.fields.fields["country"] = {true, false, {}};
    edits.fields.fields["lat"] = {false, false, {}};
    edits.fields.fields["lng"] = {false, false, {}};
    Role viewer;
    auto& views = viewer.classes["Note"];
    views = server::sync::ClassPermissions::read_only();
    views.read = groups(0, 15);
    views.fields = {true, false, {}};
    views.fields.fields["lat"] = {false, false, {}};
    bed.roles().set("editor", editor);
    for (std::size_t i = 0; i < readers; i += 2) {
        bed.roles().set("reader" + std::to_string(i), viewer);
    }
}

/// Changesets taken and entries delivered per CPU second.
double throughput(bool with_roles) {
    constexpr std::size_t readers = 8;
    constexpr std::int64_t notes = 1'000;
    constexpr std::int64_t updates = 20'000;
    Bed bed(folder);
    if (with_roles) {
        set_three_roles(bed, readers);
    }
    std::vector<std::unique_ptr<Device>> devices;
    devices.push_back(std::make_unique<Device>(bed, "administrator"));
    devices.push_back(std::make_unique<Device>(bed, "editor"));
    for (std::size_t i = 0; i < readers; ++i) {
        devices.push_back(std::make_unique<Device>(bed, "reader" + std::to_string(i)));
    }
    for (const auto& each : devices) {
        each->subscribe("TRUEPREDICATE");
        each->receive_until([&] { return each->query_version() == 1; });
    }
    const auto upload = [&](Device& by, const std::vector<std::vector<std::byte>>& changesets) {
        by.upload(changesets);
        by.receive_until([&] { return by.acknowledged() == by.client_version(); });
        for (const auto& each : devices) {
            const std::uint64_t reached = by.cursor();
            each->receive_until([&] { return each->cursor() >= reached; });
        }
    };
    std::vector<std::vector<std::byte>> changesets;
    for (std::int64_t key = 0; key < notes; ++key) {
        changesets.push_back(bench::new_note(key, key % 10));
    }
    upload(*devices[0], changesets);
    changesets.clear();
    for (std::int64_t i = 0; i < updates; ++i) {
        changesets.push_back(bench::changed_note(i % notes, i));
    }
    std::uint64_t before = 0;
    for (const auto& each : devices) {
        before += each->entries();
    }
    const double cpu = bench::cpu_seconds();
    upload(*devices[1], changesets);
    const double spent = bench::cpu_seconds() - cpu;
    std::uint64_t after = 0;
    for (const auto& each : devices) {
        after += each->entries();
    }
    const std::uint64_t expected = updates * (devices.size() - 1);
    if (after - before != expected) {
        std::fprintf(stderr, "bench_rules: %llu entries came of %llu\n",
                     static_cast<unsigned long long>(after - before),
                     static_cast<unsigned long long>(expected));
        std::exit(1);
    }
    return static_cast<double>(updates + static_cast<std::int64_t>(expected)) / spent;
}

void permission_cost() {
    std::vector<double> open;
    std::vector<double> roles;
    for (int i = 0; i < rounds; ++i) {
        open.push_back(throughput(false));
        roles.push_back(throughput(true));
    }
    print("permission_cost", median(roles), "changesets/CPU second", "open default rule",
          median(open), median(roles) / median(open));
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

void role_change() {
    Bed bed(folder);
    fill(bed, 171'075);
    const std::string few[] = {groups(0, 12), groups(12, 24)};
    std::vector<double> bootstraps;
    std::vector<double> changes;
    for (int i = 0; i < rounds; ++i) {
        const std::string user = "user" + std::to_string(i);
        bed.roles().set(user, reader_of(few[0]));
        Device device(bed, user);
        double start = bench::now_seconds();
        device.subscribe("TRUEPREDICATE");
        device.receive_until([&] { return device.query_version() == 1; });
        bootstraps.push_back(bench::now_seconds() - start);
        bed.roles().set(user, reader_of(few[1]));
        const std::uint64_t bytes = device.bytes();
        start = bench::now_seconds();
        device.come_back(bed);
        device.receive_until([&] { return device.query_version() == 1; });
        changes.push_back(bench::now_seconds() - start);
        if (device.bytes() - bytes < bytes / 2) {
            std::fprintf(stderr, "bench_rules: the role change brought too little\n");
            std::exit(1);
        }
    }
    print("role_change", 1e3 * median(changes), "ms", "bootstrap of as many",
          1e3 * median(bootstraps), median(changes) / median(bootstraps));
}

void trim(const char* name, std::int64_t entries) {
    const bench::TrimFigures figures = bench::measure_trim(folder, entries);
    print(name, figures.with_ms, "ms p99", "not trimming", figures.without_ms,
          figures.with_ms / figures.without_ms);
}

void conflicts(const char* name, bench::Lost lost) {
    const bench::ConflictFigures figures = bench::measure_conflicts(folder, lost);
    print(name, figures.with_log, "changesets/CPU second", "without conflict log", figures.without,
          figures.with_log / figures.without);
}

void conflict_log() {
    conflicts("conflict_log", bench::Lost::all_merged);
}

void conflict_log_unused() {
    conflicts("conflict_log_unused", bench::Lost::nothing);
}

void conflict_log_refused() {
    conflicts("conflict_log_refused", bench::Lost::all_refused);
}

void trim() {
    trim("trim", 1'000'000);
}

void trim_a_tenth() {
    trim("trim_a_tenth", 100'000);
}

constexpr bench::Metric metrics[] = {{"permission_cost", permission_cost},
                                     {"role_change", role_change},
                                     {"conflict_log", conflict_log},
                                     {"conflict_log_unused", conflict_log_unused},
                                     {"conflict_log_refused", conflict_log_refused},
                                     {"trim", trim},
                                     {"trim_a_tenth", trim_a_tenth, false}};

} // namespace

int main(int count, char** arguments) {
    return tombolo::bench::run_metrics(metrics, count, arguments);
}
