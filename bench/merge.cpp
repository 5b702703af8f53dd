// Speed of the changeset codec and of the merge: `scripts/bench merge`.
//
// Prints one JSON object a line; `ratio` is the figure as its bound is stated. Medians of
// interleaved repetitions. Exits with 1 when a result is wrong, and only then.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include <malloc.h>

#include "changeset/codec.hpp"
#include "changeset/merge.hpp"
#include "merge_workloads.hpp"
#include "reference/list_loop.hpp"

namespace {

std::atomic<std::uint64_t> allocation_count{0};

} // namespace

// Counts every allocation of the program.
void* operator new(std::size_t size) {
    allocation_count.fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(size == 0 ? 1 : size)) {
        return memory;
    }
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace {

using namespace tombolo;
using namespace tombolo::changeset;
using bench::Bytes;

/// Processor time of this thread: everything measured here computes on one thread and waits for
/// nothing, and so what else the machine does disturbs least.
double thread_ms() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double milliseconds(const std::function<void()>& work) {
    double start = thread_ms();
    work();
    return thread_ms() - start;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void print(const char* metric, double value, const char* unit, const char* reference,
           double reference_value, double ratio) {
    std::printf("{\"metric\":\"%s\",\"value\":%.4f,\"unit\":\"%s\",\"reference\":\"%s\","
                "\"reference_value\":%.4f,\"ratio\":%.4f}\n",
                metric, value, unit, reference, reference_value, ratio);
    std::fflush(stdout);
}

[[noreturn]] void wrong(const char* what) {
    std::fprintf(stderr, "bench_merge: wrong result: %s\n", what);
    std::exit(1);
}

Changeset decoded(const Bytes& bytes) {
    return *decode(ByteView(bytes));
}

/// Two changesets that meet, fresh for each merge.
struct Pair {
    Changeset ours;
    Changeset theirs;

    Pair(const Bytes& our_bytes, const Bytes& their_bytes)
        : ours(decoded(our_bytes)), theirs(decoded(their_bytes)) {}

    void run(bool full_grid = false) {
        MergeInput our{&ours, 1, 2};
        MergeInput their{&theirs, 2, 3};
        auto merged =
            full_grid ? merge_full_grid({&our, 1}, {&their, 1}) : merge({&our, 1}, {&their, 1});
        if (!merged) {
            wrong(merged.error().what());
        }
    }
};

void check_against_full_grid(const Bytes& ours, const Bytes& theirs, const char* what) {
    Pair indexed(ours, theirs);
    Pair full(ours, theirs);
    indexed.run();
    full.run(true);
    if (!same_instructions(indexed.ours, full.ours) ||
        !same_instructions(indexed.theirs, full.theirs)) {
        wrong(what);
    }
}

void bench_disjoint() {
    Bytes ours = bench::disjoint_changeset(10'000, 0);
    Bytes theirs = bench::disjoint_changeset(10'000, 1);
    check_against_full_grid(ours, theirs, "merge_disjoint differs from the full grid");
    std::vector<double> merge_ms;
    std::vector<double> decode_ms;
    for (int i = 0; i < 31; ++i) {
        decode_ms.push_back(milliseconds([&] { Pair pair(ours, theirs); }));
        Pair pair(ours, theirs);
        merge_ms.push_back(milliseconds([&] { pair.run(); }));
    }
    print("merge_disjoint", median(merge_ms), "ms", "decoding both changesets", median(decode_ms),
          median(merge_ms) / median(decode_ms));
}

/// Fills the processor's caches with something else, so that a small input does not start with all
/// of itself in them while a large one cannot: what remains is how the work grows.
void empty_caches() {
    static std::vector<std::uint64_t> sweep(16'000'000);
    for (std::size_t i = 0; i < sweep.size(); i += 8) {
        sweep[i] += i;
    }
}

/// From here on freed memory stays with the process, as it does in a server that has run for a
/// while: else only the large merges would ask the system for pages.
void keep_freed_memory() {
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

void bench_growth() {
    keep_freed_memory();
    Bytes ours = bench::overlapping_changeset(10'000, 0);
    Bytes theirs = bench::overlapping_changeset(10'000, 1);
    Bytes many_ours = bench::overlapping_changeset(100'000, 0);
    Bytes many_theirs = bench::overlapping_changeset(100'000, 1);
    check_against_full_grid(ours, theirs, "merge_growth differs from the full grid");
    std::vector<double> few_ms;
    std::vector<double> many_ms;
    for (int i = 0; i < 15; ++i) {
        Pair few(ours, theirs);
        empty_caches();
        few_ms.push_back(milliseconds([&] { few.run(); }));
        Pair many(many_ours, many_theirs);
        empty_caches();
        many_ms.push_back(milliseconds([&] { many.run(); }));
    }
    print("merge_growth", median(many_ms), "ms",
          "the same with 10,000 instead of 100,000 instructions a side", median(few_ms),
          median(many_ms) / median(few_ms));
}

void bench_hot_list() {
    Bytes ours = bench::list_changeset(1'000, 1'000, 1);
    Bytes theirs = bench::list_changeset(1'000, 1'000, 2);
    check_against_full_grid(ours, theirs, "merge_hot_list differs from the full grid");
    auto indexes = [](const Bytes& bytes) {
        std::vector<std::uint32_t> list;
        Changeset changeset = decoded(bytes);
        for (const Instruction& instruction : changeset.instructions()) {
            list.push_back(changeset.path(instruction).back().index());
        }
        return list;
    };
    std::vector<double> merge_ms;
    std::vector<double> loop_ms;
    std::uint64_t seen = 0;
    for (int i = 0; i < 101; ++i) {
        std::vector<std::uint32_t> left = indexes(ours);
        std::vector<std::uint32_t> right = indexes(theirs);
        loop_ms.push_back(milliseconds([&] { reference::compare_and_shift(left, right); }));
        seen += left.back() + right.back();
        Pair pair(ours, theirs);
        merge_ms.push_back(milliseconds([&] { pair.run(); }));
    }
    if (seen == 0) {
        wrong("the reference loop did nothing");
    }
    print("merge_hot_list", median(merge_ms), "ms", "bare loop that compares and shifts",
          median(loop_ms), median(merge_ms) / median(loop_ms));
}

void bench_decode() {
    Bytes bytes = bench::bulk_changeset(1'000'000);
    if (encode(decoded(bytes)) != bytes) {
        wrong("decode_vs_memcpy: decode and encode give other bytes");
    }
    std::vector<double> decode_ms;
    std::vector<double> copy_ms;
    std::vector<double> allocations;
    Bytes target(bytes.size());
    std::memcpy(target.data(), bytes.data(), bytes.size()); // its pages exist from now on
    for (int i = 0; i < 5; ++i) {
        copy_ms.push_back(
            milliseconds([&] { std::memcpy(target.data(), bytes.data(), bytes.size()); }));
        std::uint64_t before = allocation_count.load();
        Changeset changeset;
        decode_ms.push_back(milliseconds([&] { changeset = *decode(ByteView(bytes)); }));
        allocations.push_back(static_cast<double>(allocation_count.load() - before));
        if (changeset.instructions().size() != 4'000'004 || target != bytes) {
            wrong("decode_vs_memcpy: instructions are missing");
        }
    }
    double megabytes = static_cast<double>(bytes.size()) / 1e6;
    double ours = megabytes / (median(decode_ms) / 1000);
    double copy = megabytes / (median(copy_ms) / 1000);
    print("decode_vs_memcpy", ours, "MB/s", "memcpy of the same bytes", copy, ours / copy);
    print("decode_allocations", median(allocations), "allocations", "bound", 64,
          median(allocations) / 64);
}

} // namespace

int main() {
    bench_disjoint();
    bench_hot_list();
    bench_decode();
    bench_growth(); // last: see keep_freed_memory()
    return 0;
}
