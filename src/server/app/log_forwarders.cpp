#include "server/app/log_forwarders.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "server/runtime/json.hpp"
#include "server/runtime/sealer.hpp"

namespace tombolo::server {

namespace json = boost::json;

namespace {

constexpr std::size_t own_request_bytes = 8; // the other 4 of an id are a count
constexpr std::size_t error_bytes_max = 1024;

bool wants(const LogForwarderConfig& forwarder, const json::object& entry) {
    if (forwarder.disabled) {
        return false;
    }
    const bool failed = !string_or(entry, "error").empty();
    if (failed ? !forwarder.errors : !forwarder.successes) {
        return false;
    }
    const std::string type = string_or(entry, "type");
    return forwarder.types.count(type) != 0;
}

bool may_work_later(const Error& error) {
    return error.code() == ErrorCode::unavailable || error.code() == ErrorCode::io ||
           error.code() == ErrorCode::disk_full || error.code() == ErrorCode::write_conflict;
}

const LogForwarderConfig* find(const App& app, const std::string& name) {
    const auto& all = app.config.log_forwarders;
    const auto found = std::find_if(
        all.begin(), all.end(), [&](const LogForwarderConfig& one) { return one.name == name; });
    return found == all.end() ? nullptr : &*found;
}

} // namespace

LogForwarders::LogForwarders(AppRepository& apps, AppLog& log, LogDelivery delivery,
                             std::function<std::int64_t()> now_ms, LogForwarderOptions options)
    : apps_(apps), log_(log), delivery_(std::move(delivery)), now_ms_(std::move(now_ms)),
      options_(options), own_requests_(to_hex(as_bytes(random_bytes(own_request_bytes)))) {
    for (unsigned i = 0; i < options_.threads; ++i) {
        threads_.emplace_back([this] { run(); });
    }
    log_.observe([this](const std::vector<json::object>& entries) { take(entries); });
}

LogForwarders::~LogForwarders() {
    log_.observe({});
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        wake_.notify_all();
    }
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

void LogForwarders::take(const std::vector<json::object>& entries) {
    std::map<std::string, std::shared_ptr<const App>> known;
    const std::lock_guard lock(mutex_);
    for (const json::object& entry : entries) {
        if (string_or(entry, "co_id").starts_with(own_requests_)) {
            continue;
        }
        const std::string id = string_or(entry, "app_id");
        auto at = known.find(id);
        if (at == known.end()) {
            const auto parsed = ObjectId::parse(id);
            at = known.emplace(id, parsed ? apps_.find(*parsed) : nullptr).first;
        }
        if (at->second == nullptr) {
            continue;
        }
        for (const LogForwarderConfig& one : at->second->config.log_forwarders) {
            if (!wants(one, entry)) {
                continue;
            }
            Queue& queue = queues_[{at->second->id, one.name}];
            queue.batch = one.batch;
            if (queue.waiting.size() + queue.failing.size() >= options_.waiting_max) {
                ++queue.dropped;
                ++queue.dropped_unsaid;
                continue;
            }
            if (queue.waiting.empty()) {
                queue.oldest = Clock::now();
            }
            queue.waiting.push_back(entry);
        }
    }
    wake_.notify_all();
}

bool LogForwarders::is_due(const Queue& queue, Clock::time_point now) const {
    if (queue.busy) {
        return false;
    }
    const bool at_once = stopping_ || flushing_ > 0;
    if (!queue.failing.empty()) {
        return at_once || now >= queue.next_try;
    }
    return !queue.waiting.empty() &&
           (!queue.batch || at_once || queue.waiting.size() >= options_.batch_max ||
            now - queue.oldest >= options_.batch_time);
}

std::map<LogForwarders::Key, LogForwarders::Queue>::iterator
LogForwarders::next(Clock::time_point now, Clock::time_point& wake) {
    for (auto at = queues_.begin(); at != queues_.end(); ++at) {
        const Queue& queue = at->second;
        if (is_due(queue, now)) {
            return at;
        }
        if (!queue.busy && !queue.failing.empty()) {
            wake = std::min(wake, queue.next_try);
        } else if (!queue.busy && !queue.waiting.empty()) {
            wake = std::min(wake, queue.oldest + options_.batch_time);
        }
    }
    return queues_.end();
}

json::array LogForwarders::take_due(Queue& queue, Clock::time_point now) const {
    if (!queue.failing.empty()) {
        return std::exchange(queue.failing, {});
    }
    json::array entries;
    const std::size_t most = queue.batch ? options_.batch_max : 1;
    while (!queue.waiting.empty() && entries.size() < most) {
        entries.emplace_back(std::move(queue.waiting.front()));
        queue.waiting.pop_front();
    }
    queue.oldest = now;
    return entries;
}

std::vector<AppLogEntry> LogForwarders::settle(const Key& key, Queue& queue, json::array entries,
                                               const Result<void>& delivered) {
    std::vector<AppLogEntry> notes;
    if (const std::uint64_t count = std::exchange(queue.dropped_unsaid, 0); count > 0) {
        notes.push_back(note(key, "entries came while too many waited, and are not forwarded",
                             json::object{{"dropped", count}}));
    }
    if (delivered) {
        queue.tries = 0;
        queue.forwarded += entries.size();
        return notes;
    }
    ++queue.tries;
    queue.last_error = std::string(delivered.error().what()).substr(0, error_bytes_max);
    queue.last_error_ms = now_ms_();
    if (may_work_later(delivered.error()) && !stopping_ && queue.tries < options_.tries_max) {
        queue.next_try = Clock::now() + options_.first_pause * (1U << (queue.tries - 1));
        queue.failing = std::move(entries);
        return notes;
    }
    queue.failed += entries.size();
    const unsigned tries = std::exchange(queue.tries, 0);
    json::array ids;
    for (const json::value& one : entries) {
        ids.emplace_back(string_or(one.get_object(), "_id"));
    }
    notes.push_back(
        note(key,
             (tries > 1 ? "given up after " + std::to_string(tries) + " tries: " : std::string()) +
                 queue.last_error,
             json::object{{"failed_to_forward_log_ids", std::move(ids)}}));
    return notes;
}

void LogForwarders::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        const Clock::time_point now = Clock::now();
        Clock::time_point wake = now + std::chrono::hours(1);
        const auto at = next(now, wake);
        if (at == queues_.end()) {
            idle_.notify_all();
            if (stopping_) {
                return;
            }
            wake_.wait_until(lock, wake);
            continue;
        }
        const Key key = at->first;
        Queue& queue = at->second; // stays: only a busy queue's own thread erases it
        queue.busy = true;
        json::array entries = take_due(queue, now);
        lock.unlock();
        const std::optional<Result<void>> delivered = deliver(key, entries);
        lock.lock();
        if (!delivered) {
            queues_.erase(key); // nobody to deliver for any more
            idle_.notify_all();
            continue;
        }
        std::vector<AppLogEntry> notes = settle(key, queue, std::move(entries), *delivered);
        lock.unlock();
        for (AppLogEntry& each : notes) {
            log_.add(std::move(each));
        }
        lock.lock();
        queue.busy = false;
        idle_.notify_all();
    }
}

std::optional<Result<void>> LogForwarders::deliver(const Key& key, const json::array& entries) {
    const std::shared_ptr<const App> app = apps_.find(key.first);
    const LogForwarderConfig* forwarder = app == nullptr ? nullptr : find(*app, key.second);
    if (forwarder == nullptr || forwarder->disabled) {
        return std::nullopt;
    }
    if (forwarder->function.empty()) {
        return delivery_.to_collection(app, *forwarder, entries);
    }
    std::array<char, 9> count{};
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) {
            return std::nullopt;
        }
        std::snprintf(count.data(), count.size(), "%08x", static_cast<unsigned>(++calls_));
    }
    return delivery_.to_function(app, *forwarder, own_requests_ + count.data(), entries);
}

// For the app's administrators; entries of this type are never forwarded.
AppLogEntry LogForwarders::note(const Key& key, std::string error, json::object details) const {
    AppLogEntry entry;
    entry.app = key.first;
    entry.type = "LOG_FORWARDER";
    entry.error = std::move(error);
    entry.error_code = "LogForwarderError";
    if (const auto app = apps_.find(key.first)) {
        details["log_forwarder_id"] = app->part_id("log_forwarder", key.second).to_string();
    }
    details["log_forwarder_name"] = key.second;
    entry.details = std::move(details);
    return entry;
}

void LogForwarders::flush() {
    log_.flush();
    std::unique_lock lock(mutex_);
    ++flushing_;
    wake_.notify_all();
    idle_.wait(lock, [this] {
        return std::all_of(queues_.begin(), queues_.end(), [](const auto& one) {
            const Queue& queue = one.second;
            return queue.waiting.empty() && queue.failing.empty() && !queue.busy;
        });
    });
    --flushing_;
}

json::object LogForwarders::state(const ObjectId& app, const std::string& forwarder) const {
    const std::lock_guard lock(mutex_);
    const auto found = queues_.find({app, forwarder});
    const Queue none;
    const Queue& queue = found == queues_.end() ? none : found->second;
    return json::object{{"forwarded", queue.forwarded},
                        {"failed", queue.failed},
                        {"dropped", queue.dropped},
                        {"waiting", queue.waiting.size() + queue.failing.size()},
                        {"tries", queue.tries},
                        {"last_error", queue.last_error},
                        {"last_error_ms", queue.last_error_ms}};
}

} // namespace tombolo::server
