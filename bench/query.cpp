// Measures query/: filtering BSON documents against a hand-written libbson loop, and parsing and
// binding a typical subscription. One JSON object a line; medians of interleaved repetitions;
// results are compared before timing.
//
//     bench_query [documents, default 1000000] [repetitions, default 7]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "query/binder.hpp"
#include "query/document_filter.hpp"
#include "reference/query_reference.hpp"

namespace {

using namespace tombolo;
using Clock = std::chrono::steady_clock;
using schema::ClassKind;
using schema::ClassSchema;
using schema::CollectionKind;
using schema::Property;
using schema::PropertyType;

Property property(const char* name, PropertyType type) {
    Property out;
    out.name = name;
    out.type = type;
    out.nullable = true;
    return out;
}

schema::Schema task_schema() {
    Property id = property("_id", PropertyType::object_id);
    id.primary_key = true;
    id.nullable = false;
    Property tags = property("tags", PropertyType::string);
    tags.collection = CollectionKind::list;
    return schema::Schema(std::vector<ClassSchema>{ClassSchema(
        "Task", ClassKind::top_level,
        {id, property("owner_id", PropertyType::string), property("title", PropertyType::string),
         property("status", PropertyType::string), property("priority", PropertyType::integer),
         property("done", PropertyType::boolean), property("created", PropertyType::timestamp),
         tags})});
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void print(const char* metric, double value, const char* unit, const char* reference,
           double reference_value, double ratio) {
    std::printf("{\"metric\":\"%s\",\"value\":%.3f,\"unit\":\"%s\",\"reference\":\"%s\","
                "\"reference_value\":%.3f,\"ratio\":%.3f}\n",
                metric, value, unit, reference, reference_value, ratio);
    std::fflush(stdout);
}

template <class Matches>
double seconds_of(const bench::Documents& documents, std::size_t& matched, Matches matches) {
    const auto start = Clock::now();
    matched = 0;
    for (std::size_t i = 0; i < documents.count(); ++i) {
        const std::size_t begin = documents.offsets[i];
        matched +=
            matches(documents.bytes.data() + begin, documents.offsets[i + 1] - begin) ? 1U : 0U;
    }
    return std::chrono::duration<double>(Clock::now() - start).count();
}

using Reference = bool (*)(const std::uint8_t*, std::size_t);

bool measure_filter(const char* metric, const char* text, Reference reference,
                    const bench::Documents& documents, std::size_t repetitions) {
    const schema::Schema schema = task_schema();
    const query::Query query = query::compile(text, schema, "Task").value();
    const query::DocumentFilter filter(query);
    const auto ours = [&filter](const std::uint8_t* data, std::size_t size) {
        return filter.matches({reinterpret_cast<const std::byte*>(data), size});
    };
    for (std::size_t i = 0; i < documents.count(); ++i) {
        const std::uint8_t* data = documents.bytes.data() + documents.offsets[i];
        const std::size_t size = documents.offsets[i + 1] - documents.offsets[i];
        if (ours(data, size) != reference(data, size)) {
            std::fprintf(stderr, "%s: document %zu: results differ\n", metric, i);
            return false;
        }
    }
    std::vector<double> our_times;
    std::vector<double> reference_times;
    std::size_t matched = 0;
    for (std::size_t i = 0; i < repetitions; ++i) {
        our_times.push_back(seconds_of(documents, matched, ours));
        reference_times.push_back(seconds_of(documents, matched, reference));
    }
    const double count = static_cast<double>(documents.count()) / 1e6;
    const double value = count / median(our_times);
    const double reference_value = count / median(reference_times);
    print(metric, value, "million documents/s", "hand-written bson_iter loop", reference_value,
          value / reference_value);
    return true;
}

void measure_parse_bind(std::size_t repetitions) {
    constexpr std::size_t rounds = 20000;
    constexpr double target_us = 20;
    const schema::Schema schema = task_schema();
    const std::string text = "owner_id == \"64b0c1d2e3f4a5b6c7d8e9f0\" AND (status IN {\"open\", "
                             "\"blocked\"} OR priority >= 4) AND created > T1700000000:0";
    std::vector<double> times;
    std::size_t fields = 0;
    for (std::size_t i = 0; i < repetitions; ++i) {
        const auto start = Clock::now();
        for (std::size_t round = 0; round < rounds; ++round) {
            fields += query::compile(text, schema, "Task").value().root_properties.size();
        }
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        times.push_back(seconds * 1e6 / static_cast<double>(rounds));
    }
    if (fields != repetitions * rounds * 4) {
        std::fprintf(stderr, "parse_bind: wrong number of fields\n");
        std::exit(1);
    }
    const double value = median(times);
    print("parse_bind", value, "us", "target", target_us, target_us / value);
}

} // namespace

int main(int argc, char** argv) {
    const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
    const std::size_t repetitions = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 7;
    const bench::Documents documents = bench::make_documents(count);
    const bool good = measure_filter("document_filter", "status == 'open' AND priority > 3",
                                     bench::reference_scalars, documents, repetitions) &&
                      measure_filter("document_filter_list", "priority > 3 AND ANY tags == 'red'",
                                     bench::reference_list, documents, repetitions);
    measure_parse_bind(repetitions);
    return good ? 0 : 1;
}
