#pragma once

// What the benchmarks of the engine alone have in common: which metrics run, and their lines.

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace tombolo::bench {

struct Metric {
    const char* name;
    void (*measure)();
    bool is_usual = true; ///< else only when it is named
};

/// Those that the program's arguments name; without any all that are usual. For main().
template <std::size_t size>
int run_metrics(const Metric (&metrics)[size], int count, char** arguments) {
    for (const Metric& metric : metrics) {
        const bool is_wanted = (count == 1 && metric.is_usual) ||
                               std::any_of(arguments + 1, arguments + count, [&](const char* name) {
                                   return std::string(name) == metric.name;
                               });
        if (is_wanted) {
            metric.measure();
        }
    }
    return 0;
}

inline void print(const char* metric, double value, const char* unit, const char* reference = "",
                  double reference_value = 0, double ratio = 0) {
    std::printf("{\"metric\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"reference\":\"%s\","
                "\"reference_value\":%.6g,\"ratio\":%.3f}\n",
                metric, value, unit, reference, reference_value, ratio);
    std::fflush(stdout);
}

inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

} // namespace tombolo::bench
