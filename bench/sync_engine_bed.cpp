#include "sync_engine_bed.hpp"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "changeset/codec.hpp"

namespace tombolo::bench {

using schema::ClassSchema;
using schema::Property;
using schema::PropertyType;
using server::sync::SessionError;

namespace {

constexpr std::size_t upload_bytes = 100'000; ///< of one message, as published clients send them
constexpr std::size_t backlog_bytes_max = std::size_t{8} << 20;

Property property(std::string name, PropertyType type) {
    Property result;
    result.name = std::move(name);
    result.type = type;
    return result;
}

server::sync::SyncModel model() {
    ClassSchema note("Note");
    Property key = property("_id", PropertyType::integer);
    key.primary_key = true;
    note.add(key)
        .add(property("group", PropertyType::integer))
        .add(property("text", PropertyType::string))
        .add(property("country", PropertyType::string))
        .add(property("lat", PropertyType::float64))
        .add(property("lng", PropertyType::float64))
        .add(property("count", PropertyType::integer))
        .add(property("done", PropertyType::boolean));
    server::sync::SyncModel result;
    result.documents.schema.add(std::move(note));
    result.documents.places["Note"] = {"source", "bench", "Note"};
    result.queryable.global.insert("group");
    result.data_source = "source";
    result.database = "bench";
    return result;
}

[[noreturn]] void die(const std::string& why) {
    std::fprintf(stderr, "bench_sync_engine: %s\n", why.c_str());
    std::exit(1);
}

} // namespace

Result<server::sync::Role> Roles::role_of(std::string_view user) {
    const std::lock_guard lock(mutex_);
    const auto found = roles_.find(user);
    return found == roles_.end() ? server::sync::Role() : found->second;
}

void Roles::set(const std::string& user, server::sync::Role role) {
    const std::lock_guard lock(mutex_);
    roles_[user] = std::move(role);
}

ObjectId Bed::app() {
    ObjectId app;
    app.bytes.at(0) = std::byte{1};
    return app;
}

Bed::Bed(std::string folder, const server::sync::ConflictLimits& conflicts)
    : folder_(std::move(folder)) {
    std::filesystem::remove_all(folder_);
    store::EmbeddedOptions options;
    options.directory = folder_;
    store_ = store::open_embedded(options).value();
    server::sync::EngineOptions engine;
    engine.app = app();
    engine.conflicts = conflicts;
    engine.model = model();
    engine_ = open_engine(engine, *store_, roles_, *this, clock_, random_).value();
    thread_ = std::thread([this] { loop(); });
}

Bed::~Bed() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
        wake_.notify_all();
    }
    thread_.join();
    engine_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
}

store::CollectionId Bed::collection() const {
    return *store_->find_collection({"source", "bench", "Note"});
}

void Bed::schedule() {
    const std::lock_guard lock(mutex_);
    is_scheduled_ = true;
    wake_.notify_all();
}

void Bed::loop() {
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return is_scheduled_ || is_stopping_; });
            if (is_stopping_) {
                return;
            }
            is_scheduled_ = false;
        }
        engine_->run();
    }
}

void Device::Signal::on_outgoing() {
    if (!is_told.exchange(true)) {
        const std::lock_guard lock(mutex);
        wake.notify_all();
    }
}

Device::Device(Bed& bed, std::string user) : user_(std::move(user)) {
    std::atomic<bool> is_made{false};
    bed.engine().allocate_file(user_, 0, [&](Result<protocol::SaltedFileIdent> made) {
        file_ = made.value();
        is_made = true;
        is_made.notify_all();
    });
    is_made.wait(false);
    identify(bed);
    receive_until([this] { return active_query_ == 0; });
}

void Device::come_back(Bed& bed) {
    session_->close();
    signal_ = std::make_shared<Signal>();
    active_query_ = -1;
    identify(bed);
}

void Device::identify(Bed& bed) {
    server::sync::IdentRequest request;
    request.user_id = user_;
    request.file = file_;
    request.scan = progress_.download;
    request.latest = progress_.latest;
    request.query_version = {query_};
    request.query_body = body_;
    auto result = bed.engine().identify(request, signal_);
    if (auto* error = std::get_if<SessionError>(&result)) {
        die(error->body.message);
    }
    session_ = std::get<std::shared_ptr<server::sync::Session>>(std::move(result));
}

void Device::subscribe(const std::string& query) {
    body_ = R"({"Note":")" + query + "\"}";
    if (session_->query({++query_}, body_)) {
        die("the query is refused");
    }
}

std::size_t Device::receive() {
    std::size_t count = 0;
    signal_->is_told = false;
    while (auto message = session_->next()) {
        ++count;
        if (const auto* error = std::get_if<SessionError>(&*message);
            error != nullptr && error->ends_binding()) {
            die(error->body.message);
        }
        if (auto* download = std::get_if<server::sync::OutgoingDownload>(&*message)) {
            bytes_ += download->entries.size();
            if (download->batch_state != protocol::BatchState::bootstrap_more) {
                progress_ = download->progress;
            }
            if (download->batch_state == protocol::BatchState::bootstrap_last) {
                active_query_ = download->query_version.value;
            }
            protocol::DownloadEntryReader reader(download->entries);
            while (reader.next().value()) {
                ++entries_;
            }
        }
    }
    return count;
}

void Device::receive_until(const std::function<bool()>& done) {
    for (;;) {
        receive();
        if (done()) {
            return;
        }
        std::unique_lock lock(signal_->mutex);
        signal_->wake.wait(lock, [this] { return signal_->is_told.load(); });
    }
}

void Device::upload(const std::vector<std::vector<std::byte>>& changesets) {
    const std::uint64_t base = cursor();
    std::vector<std::byte> body;
    const auto send = [&] {
        if (session_->upload({{client_version_}, {base}}, {base}, std::move(body))) {
            die("the upload is refused");
        }
        body.clear();
        receive_until([this] { return session_->backlog_bytes() < backlog_bytes_max; });
    };
    for (const std::vector<std::byte>& each : changesets) {
        protocol::UploadEntry entry;
        entry.client_version = {++client_version_};
        entry.server_version = {base};
        entry.origin_timestamp_ms = client_version_;
        entry.changeset = each;
        protocol::append_entry(body, entry);
        if (body.size() > upload_bytes) {
            send();
        }
    }
    if (!body.empty()) {
        send();
    }
}

std::vector<std::byte> new_note(std::int64_t key, std::int64_t group) {
    changeset::ChangesetBuilder out;
    out.create_object("Note", key);
    out.update({"Note", key, "group"}, group);
    const std::string text = "a note that somebody took in a field, number " + std::to_string(key);
    out.update({"Note", key, "text"}, text.c_str());
    out.update({"Note", key, "country"}, "NO");
    out.update({"Note", key, "lat"}, ScalarView(59.91 + static_cast<double>(key % 1000)));
    out.update({"Note", key, "lng"}, ScalarView(10.75 + static_cast<double>(key % 1000)));
    out.update({"Note", key, "count"}, key % 97);
    out.update({"Note", key, "done"}, ScalarView(true));
    return changeset::encode(out.finish().value());
}

std::vector<std::byte> changed_note(std::int64_t key, std::int64_t value) {
    changeset::ChangesetBuilder out;
    out.update({"Note", key, "count"}, value);
    return changeset::encode(out.finish().value());
}

mql::BsonDocument city(std::int64_t key) {
    mql::BsonWriter writer;
    writer.append_int64("_id", key);
    writer.append_int64("group", key % 200);
    writer.append_string("text", "Some City Of The World " + std::to_string(key));
    writer.append_string("country", "NO");
    writer.append_double("lat", 59.91);
    writer.append_double("lng", 10.75);
    writer.append_int64("count", key % 97);
    writer.append_bool("done", true);
    return std::move(writer).finish();
}

double now_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void start_peak() {
    std::ofstream("/proc/self/clear_refs") << "5";
}

std::size_t peak_bytes() {
    std::ifstream in("/proc/self/status");
    std::string name;
    while (in >> name) {
        if (name == "VmHWM:") {
            std::size_t kilobytes = 0;
            in >> kilobytes;
            return kilobytes * 1024;
        }
    }
    return 0;
}

} // namespace tombolo::bench
