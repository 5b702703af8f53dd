#include "server_import.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <random>
#include <set>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/sha.h>

#include "cities.hpp"
#include "core/bytes.hpp"
#include "mql/bson_value.hpp"
#include "reference/raw_writes.hpp"
#include "server/store/embedded/embedded_store.hpp"
#include "server_process.hpp"

namespace tombolo::bench {

namespace {

namespace fs = std::filesystem;
using mql::BsonDocument;

constexpr int repetitions = 5;
constexpr std::size_t batch_documents = 1000;
std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// The first 12 bytes of a digest of the record: the same in every run, spread over the key space.
std::array<std::byte, 12> id_of(const std::string& record) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    ::SHA256(reinterpret_cast<const unsigned char*>(record.data()), record.size(), digest);
    std::array<std::byte, 12> id{};
    std::memcpy(id.data(), digest, id.size());
    return id;
}

std::vector<BsonDocument> make_documents() {
    const boost::json::value parsed = boost::json::parse(read_file(cities_path()));
    std::vector<BsonDocument> documents;
    std::set<std::array<std::byte, 12>> seen;
    for (const boost::json::value& city : parsed.as_array()) {
        std::string record = boost::json::serialize(city);
        auto id = id_of(record);
        while (!seen.insert(id).second) { // a few records stand there twice
            record += '+';
            id = id_of(record);
        }
        mql::BsonWriter writer;
        writer.append("_id", mql::BsonView(mql::BsonType::object_id, id));
        for (const auto& [key, value] : city.as_object()) {
            if (key != "lat" && key != "lng") {
                writer.append_string(std::string_view(key), std::string_view(value.get_string()));
            }
        }
        writer.begin_document("loc");
        writer.append_string("type", "Point");
        writer.begin_array("coordinates");
        for (const char* part : {"lng", "lat"}) {
            writer.append_double({}, std::atof(city.as_object().at(part).get_string().c_str()));
        }
        documents.push_back(std::move(writer).finish());
    }
    if (documents.size() != cities_count) {
        give_up("the list of cities has another number of records than expected");
    }
    return documents;
}

std::unique_ptr<store::Store> open_store(const std::string& directory) {
    store::EmbeddedOptions options;
    options.directory = directory;
    return store::open_embedded(options).value();
}

// Sends batches so that one is judged and written while the next is made. `acknowledged` is called
// in order.
class Importer {
  public:
    Importer(store::Store& store, std::function<void(std::size_t)> acknowledged)
        : store_(store), acknowledged_(std::move(acknowledged)) {
        collection_ = store_.ensure_collection({"mongodb-atlas", "geo", "cities"}).value();
        store_.ensure_index(collection_, {"name", {{"name"}}, false}).value();
        store_.ensure_index(collection_, {"region", {{"country"}, {"admin1"}}, false}).value();
    }

    void run(const std::vector<BsonDocument>& documents) {
        for (std::size_t at = 0; at < documents.size(); at += batch_documents) {
            store::Transaction transaction;
            const std::size_t end = std::min(at + batch_documents, documents.size());
            for (std::size_t i = at; i < end; ++i) {
                transaction.insert(collection_, documents[i]);
            }
            std::unique_lock lock(mutex_);
            room_.wait(lock, [this] { return in_flight_ < 2; });
            ++in_flight_;
            lock.unlock();
            store_.commit_async(std::move(transaction),
                                [this, end](const Result<store::Version>& written) {
                                    written.value();
                                    acknowledged_(end);
                                    const std::lock_guard guard(mutex_);
                                    --in_flight_;
                                    room_.notify_one();
                                });
        }
        std::unique_lock lock(mutex_);
        room_.wait(lock, [this] { return in_flight_ == 0; });
    }

    store::CollectionId collection() const noexcept { return collection_; }

  private:
    store::Store& store_;
    std::function<void(std::size_t)> acknowledged_;
    store::CollectionId collection_{};
    std::mutex mutex_;
    std::condition_variable room_;
    int in_flight_ = 0; // guarded by mutex_
};

double import_once(const std::string& directory, const std::vector<BsonDocument>& documents) {
    fs::remove_all(directory);
    const auto store = open_store(directory);
    Importer importer(*store, [](std::size_t) {});
    const double start = seconds_now();
    importer.run(documents);
    return seconds_now() - start;
}

// The same into a server, by the command that a person uses: reading, shaping, sending, writing.
double import_by_command(const std::string& directory) {
    fs::remove_all(directory);
    const ServerProcess server = ServerProcess::start_daemon(
        {program_folder() + "/tombolod", "--data", directory, "--listen", "127.0.0.1:0", "--app",
         "examples/field-notes", "--admin-user", "admin", "--admin-password", "password",
         "--log-level", "off"});
    const std::string url = "http://127.0.0.1:" + std::to_string(server.port());
    run_command(url, {"indexes", "create", "name", "-d", "geo", "-c", "cities"});
    run_command(url, {"indexes", "create", "country", "admin1", "-d", "geo", "-c", "cities"});
    const double start = seconds_now();
    run_command(url, {"data", "import", cities_path(), "-d", "geo", "-c", "cities", "--id",
                      "content", "--point", "loc=lng,lat"});
    return seconds_now() - start;
}

void write_batches(const std::string& path, const std::vector<std::string>& names,
                   const std::vector<RawBatch>& batches) {
    std::ofstream file(path, std::ios::binary);
    const auto text = [&](const std::string& bytes) {
        const std::uint64_t size = bytes.size();
        file.write(reinterpret_cast<const char*>(&size), sizeof size);
        file.write(bytes.data(), static_cast<std::streamsize>(size));
    };
    text(std::to_string(names.size()));
    for (const std::string& name : names) {
        text(name);
    }
    for (const RawBatch& batch : batches) {
        text(std::to_string(batch.size()));
        for (const RawPair& pair : batch) {
            text(std::to_string(pair.family));
            text(pair.key);
            text(pair.value);
        }
    }
}

std::vector<RawBatch> read_batches(const std::string& path, std::vector<std::string>& names) {
    std::ifstream file(path, std::ios::binary);
    const auto text = [&] {
        std::uint64_t size = 0;
        std::string bytes;
        if (file.read(reinterpret_cast<char*>(&size), sizeof size)) {
            bytes.resize(size);
            file.read(bytes.data(), static_cast<std::streamsize>(size));
        }
        return bytes;
    };
    names.resize(std::stoul(text()));
    for (std::string& name : names) {
        name = text();
    }
    std::vector<RawBatch> batches;
    for (std::string count = text(); !count.empty(); count = text()) {
        RawBatch& batch = batches.emplace_back(std::stoul(count));
        for (RawPair& pair : batch) {
            pair.family = static_cast<std::uint8_t>(std::stoul(text()));
            pair.key = text();
            pair.value = text();
        }
    }
    return batches;
}

// kill -9 of a process in the middle of an import; everything it had acknowledged must be there.
void check_kill(const std::vector<BsonDocument>& documents, double import_seconds) {
    const std::string directory = scratch_folder() + "/killed";
    int ends[2];
    if (::pipe(ends) != 0) {
        give_up("cannot make a pipe");
    }
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        const auto store = open_store(directory);
        Importer importer(*store, [&](std::size_t count) {
            if (::write(ends[1], &count, sizeof count) != sizeof count) {
                ::_exit(1);
            }
        });
        importer.run(documents);
        ::pause(); // imported before the signal came: still to be killed
        ::_exit(1);
    }
    ::close(ends[1]);
    std::size_t acknowledged = 0;
    if (::read(ends[0], &acknowledged, sizeof acknowledged) != sizeof acknowledged) {
        give_up("the import that was to be killed did not start");
    }
    std::mt19937 random(std::random_device{}());
    const double part = 0.1 + 0.6 * static_cast<double>(random() % 1000) / 1000;
    ::usleep(static_cast<useconds_t>(part * import_seconds * 1e6));
    ::kill(child, SIGKILL);
    while (::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
    }
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    const std::vector<double> missing = in_child([&] {
        const auto store = open_store(directory);
        const auto collection = store->find_collection({"mongodb-atlas", "geo", "cities"}).value();
        const auto snapshot = store->snapshot();
        double lost = 0;
        for (std::size_t i = 0; i < acknowledged; ++i) {
            const std::string key = store::document_key(documents[i].view().find("_id")).value();
            const auto found = snapshot->find(collection, key).value();
            if (!found || as_text(found->body.bytes()) != as_text(documents[i].bytes())) {
                ++lost;
            }
        }
        return std::vector<double>{lost +
                                   static_cast<double>(store->verify().value().problems.size())};
    });
    print("import_kill", missing.front(), "acknowledged documents lost", "acknowledged",
          static_cast<double>(acknowledged), missing.front() / static_cast<double>(acknowledged));
    if (missing.front() != 0) {
        give_up("kill -9 lost acknowledged documents");
    }
}

} // namespace

void bench_import() {
    const std::vector<BsonDocument> documents = make_documents();
    const std::string directory = scratch_folder() + "/import";
    const std::string recorded = scratch_folder() + "/batches";
    in_child([&] {
        import_once(directory, documents);
        return std::vector<double>();
    });
    in_child([&] {
        std::vector<std::string> names;
        const std::vector<RawBatch> batches = record_batches(directory, names);
        write_batches(recorded, names, batches);
        return std::vector<double>();
    });
    std::vector<double> command;
    std::vector<double> ours;
    std::vector<double> raw;
    for (int i = 0; i < repetitions; ++i) {
        raw.push_back(in_child([&] {
                          std::vector<std::string> names;
                          const std::vector<RawBatch> batches = read_batches(recorded, names);
                          const std::string path = scratch_folder() + "/raw";
                          fs::remove_all(path);
                          return std::vector<double>{write_raw(path, names, batches)};
                      }).front());
        ours.push_back(in_child([&] {
                           return std::vector<double>{import_once(directory, documents)};
                       }).front());
        command.push_back(import_by_command(scratch_folder() + "/command"));
    }
    const double count = static_cast<double>(documents.size());
    const char* const reference = "raw RocksDB writes of the same keys and bytes";
    print("import_docs", count / median(command), "documents/s", reference, count / median(raw),
          median(raw) / median(command));
    print("import_docs_store", count / median(ours), "documents/s", reference, count / median(raw),
          median(raw) / median(ours));
    check_kill(documents, median(ours));
}

} // namespace tombolo::bench
