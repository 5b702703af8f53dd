// outside_writes: an import reaches the devices that watch.

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "sync_metrics.hpp"
#include "sync_notes.hpp"
#include "sync_subject.hpp"

namespace tombolo::bench {

namespace {

constexpr std::size_t documents = 100'000;
constexpr std::size_t watchers = 10;
constexpr double rate_bound = 40'000;

// As Extended JSON, a line each.
std::string write_documents() {
    const std::string path = scratch_folder() + "/notes.jsonl";
    std::ofstream file(path);
    for (std::size_t i = 0; i < documents; ++i) {
        const std::string number = std::to_string(i);
        file << R"({"_id":{"$numberLong":")" << number << R"("},"group":{"$numberLong":")"
             << i % watchers << R"("},"author":"a person of some name","title":"from outside",)"
             << R"("text":"what was seen at place )" << number
             << R"(, and when","rank":{"$numberLong":"1"},"done":false,"weight":{"$numberDouble":")"
             << i / 7 << R"(.5"},"place":"52.52, 13.40"})" << '\n';
    }
    return path;
}

// Documents a second until the last device has its part.
double import_once(const std::string& path) {
    SyncSubject subject("outside_writes");
    Fleet fleet(subject.fleet());
    fleet.add_all(subject.log_in(watchers),
                  [](std::size_t i) { return notes_of_group(static_cast<std::int64_t>(i)); });
    std::vector<std::vector<std::byte>> bodies;
    fleet.on_download = [&](Fleet::Index, const DownloadHead& head) {
        if (!head.body.empty()) {
            bodies.push_back(opened_body(head));
        }
    };
    const std::string url = "http://127.0.0.1:" + std::to_string(subject.port());
    const double start = seconds_now();
    const pid_t importer = ::fork();
    if (importer == 0) {
        run_command(url, {"data", "import", path, "-d", "app", "-c", "Note"});
        ::_exit(0);
    }
    int status = 0;
    fleet.run_until([&] { return ::waitpid(importer, &status, WNOHANG) == importer; }, "the import",
                    300);
    if (status != 0) {
        give_up("the import failed");
    }
    // The answers to these come behind everything that was imported.
    fleet.ask_marks();
    fleet.run_until([&] { return fleet.marks_awaited() == 0; }, "the devices", 300);
    const double took = seconds_now() - start;
    std::size_t received = 0;
    for (const auto& body : bodies) {
        received += created_objects(body);
    }
    if (received != documents) {
        give_up("devices were sent " + std::to_string(received) + " of the imported documents");
    }
    return documents / took;
}

} // namespace

void bench_outside_writes() {
    const std::string path = write_documents();
    std::vector<double> ours;
    for (int i = 0; i < sync_repetitions; ++i) {
        ours.push_back(import_once(path));
    }
    print("outside_writes", median(ours), "documents/s", "bound: 40,000 documents/s", rate_bound,
          median(ours) / rate_bound);
}

} // namespace tombolo::bench
