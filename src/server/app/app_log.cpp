#include "server/app/app_log.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <set>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "server/runtime/json.hpp"
#include "server/runtime/sealer.hpp"
#include "server/store/embedded/layout.hpp"

namespace tombolo::server {

namespace json = boost::json;
using store::Space;

namespace {

constexpr auto gather_time = std::chrono::milliseconds(500);
constexpr std::string_view all_logs = "app-logs/";

std::string u64(std::uint64_t value) {
    std::string out;
    store::embedded::append_u64(out, value);
    return out;
}

// Newest first, so that reading forwards is what everybody asks for.
std::string time_key(const ObjectId& app, std::int64_t unix_ms) {
    return AppLog::prefix(app) + u64(~static_cast<std::uint64_t>(unix_ms));
}

std::int64_t time_of(std::string_view key, std::size_t prefix_size) {
    return static_cast<std::int64_t>(~store::embedded::read_u64(key, prefix_size));
}

std::string new_id() {
    return to_hex(as_bytes(random_bytes(12)));
}

json::object to_json(const AppLogEntry& entry) {
    json::object out;
    out["_id"] = new_id();
    out["co_id"] = entry.request_id.empty() ? new_id() : entry.request_id;
    out["domain_id"] = entry.app.to_string();
    out["app_id"] = entry.app.to_string();
    out["type"] = entry.type;
    out["started_ms"] = entry.started_ms;
    out["completed_ms"] = entry.completed_ms;
    out["request_url"] = entry.request_url;
    out["request_method"] = entry.request_method;
    out["remote_ip_address"] = entry.remote_address;
    out["user_id"] = entry.user_id;
    out["status"] = entry.status;
    out["error"] = entry.error;
    out["error_code"] = entry.error_code;
    out["messages"] = entry.messages;
    for (const auto& [key, value] : entry.details) {
        out[key] = value;
    }
    return out;
}

bool is_wanted(const json::object& entry, const AppLogQuery& query) {
    const std::string type = string_or(entry, "type");
    return (query.request_id.empty() || string_or(entry, "co_id") == query.request_id) &&
           (query.user_id.empty() || string_or(entry, "user_id") == query.user_id) &&
           (!query.errors_only || !string_or(entry, "error").empty()) &&
           (query.types.empty() ||
            std::find(query.types.begin(), query.types.end(), type) != query.types.end());
}

} // namespace

AppLog::AppLog(store::Store& store, std::function<std::int64_t()> now_ms, AppLogOptions options)
    : store_(store), now_ms_(std::move(now_ms)), options_(options), thread_([this] { run(); }) {}

AppLog::~AppLog() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        wake_.notify_all();
    }
    thread_.join();
}

std::string AppLog::prefix(const ObjectId& app) {
    return std::string(all_logs) + app.to_string() + "/";
}

void AppLog::add(AppLogEntry entry) {
    const std::int64_t now = now_ms_();
    entry.started_ms = entry.started_ms == 0 ? now : entry.started_ms;
    entry.completed_ms = entry.completed_ms == 0 ? now : entry.completed_ms;
    const std::lock_guard lock(mutex_);
    if (pending_.size() >= options_.pending_max) {
        ++dropped_;
        return;
    }
    pending_.push_back(std::move(entry));
    ++number_;
    if (pending_.size() == 1) {
        wake_.notify_all();
    }
}

void AppLog::flush() {
    std::unique_lock lock(mutex_);
    const std::uint64_t upto = number_;
    flush_ = true;
    wake_.notify_all();
    written_.wait(lock, [&] { return done_ >= upto; });
}

std::uint64_t AppLog::dropped() const {
    const std::lock_guard lock(mutex_);
    return dropped_;
}

void AppLog::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return !pending_.empty() || stopping_; });
        wake_.wait_for(lock, gather_time, [this] { return flush_ || stopping_; });
        flush_ = false;
        const std::vector<AppLogEntry> entries = std::move(pending_);
        pending_.clear();
        const std::uint64_t upto = number_;
        const bool last = stopping_;
        lock.unlock();
        write(entries);
        lock.lock();
        done_ = upto;
        written_.notify_all();
        if (last && pending_.empty()) {
            return;
        }
    }
}

void AppLog::write(const std::vector<AppLogEntry>& entries) {
    if (entries.empty()) {
        return;
    }
    store::Transaction transaction;
    std::vector<json::object> shown;
    const auto base = static_cast<std::uint64_t>(store::number(store_.newest_version())) << 20;
    std::uint64_t number = 0;
    for (const AppLogEntry& entry : entries) {
        transaction.put_record(Space::meta,
                               time_key(entry.app, entry.completed_ms) + u64(~(base + number++)),
                               json::serialize(shown.emplace_back(to_json(entry))));
    }
    // A full disk loses log entries, not the server.
    const Result<store::Version> written = store_.commit(std::move(transaction));
    if (!written) {
        const std::lock_guard lock(mutex_);
        dropped_ += entries.size();
        return;
    }
    const std::lock_guard lock(observer_mutex_);
    if (observer_) {
        observer_(shown);
    }
}

void AppLog::observe(Observer observer) {
    const std::lock_guard lock(observer_mutex_);
    observer_ = std::move(observer);
}

Result<AppLogPage> AppLog::find(const ObjectId& app, const AppLogQuery& query) {
    flush();
    AppLogPage page;
    const std::string start = prefix(app);
    const std::string begin = query.until_ms ? time_key(app, *query.until_ms) : start;
    // Keys of the excluded time sort from time_key(after) on.
    const std::string end =
        query.after_ms ? time_key(app, *query.after_ms) : store::embedded::prefix_end(start);
    const auto snapshot = store_.snapshot();
    const auto cursor = snapshot->scan_records(Space::meta, begin, end);
    std::size_t skipped = 0;
    std::int64_t last_ms = 0;
    std::size_t at_last_ms = 0;
    while (cursor->next()) {
        const std::int64_t time = time_of(cursor->key(), start.size());
        TOMBOLO_TRY(const json::object entry, parse_json_object(cursor->value()));
        if (!is_wanted(entry, query)) {
            continue;
        }
        if (skipped < query.skip) {
            ++skipped;
            at_last_ms = time == last_ms ? at_last_ms + 1 : 1;
            last_ms = time;
            continue;
        }
        if (page.entries.size() == query.limit) {
            page.next_until_ms = last_ms;
            page.next_skip = at_last_ms;
            break;
        }
        at_last_ms = time == last_ms ? at_last_ms + 1 : 1;
        last_ms = time;
        page.entries.emplace_back(entry);
    }
    TOMBOLO_TRY_VOID(cursor->status());
    return page;
}

void AppLog::trim() {
    const std::int64_t oldest = now_ms_() - options_.keep_ms;
    const auto snapshot = store_.snapshot();
    const std::string first(all_logs);
    const auto cursor =
        snapshot->scan_records(Space::meta, first, store::embedded::prefix_end(first));
    constexpr std::size_t id_digits = 24;
    std::string prefix;
    std::size_t count = 0;
    store::Transaction transaction;
    bool cut = false;
    while (cursor->next()) {
        const std::string_view key = cursor->key();
        const std::string_view own = key.substr(0, first.size() + id_digits + 1);
        if (own != prefix) {
            prefix = std::string(own);
            count = 0;
            cut = false;
        }
        if (!cut && (++count > options_.entries_max || time_of(key, own.size()) <= oldest)) {
            transaction.erase_records(Space::meta, std::string(key),
                                      store::embedded::prefix_end(prefix));
            cut = true;
        }
    }
    static_cast<void>(store_.commit(std::move(transaction))); // next time, when it cannot now
}

} // namespace tombolo::server
