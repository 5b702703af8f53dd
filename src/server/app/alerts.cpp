#include "server/app/alerts.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include <boost/json/serialize.hpp>

#include "server/app/app_log.hpp"
#include "server/runtime/json.hpp"
#include "server/runtime/sealer.hpp"
#include "server/store/embedded/layout.hpp"

namespace tombolo::server {

namespace json = boost::json;
using store::Space;

namespace {

constexpr std::string_view all_alerts = "alerts/";
/// Between two tries of a store that does not take them.
constexpr auto retry_time = std::chrono::seconds(5);
constexpr int posts_max = 2;

std::string prefix_of(const ObjectId& app) {
    return std::string(all_alerts) + app.to_string() + "/";
}

std::string u64(std::uint64_t value) {
    std::string out;
    store::embedded::append_u64(out, value);
    return out;
}

/// By what sorts the newest first, then by app.
using Found = std::map<std::pair<std::string, std::string>, json::object>;

Result<void> add(std::string_view key, std::string_view value, const std::string& prefix,
                 Found& out) {
    TOMBOLO_TRY(json::object alert, parse_json_object(value));
    out.emplace(std::pair(std::string(key.substr(prefix.size())), prefix), std::move(alert));
    return {};
}

Result<void> read_all(const store::Snapshot& snapshot, const std::string& prefix,
                      std::size_t count_max, Found& out) {
    const auto cursor =
        snapshot.scan_records(Space::meta, prefix, store::embedded::prefix_end(prefix));
    for (std::size_t count = 0; count < count_max && cursor->next(); ++count) {
        TOMBOLO_TRY_VOID(add(cursor->key(), cursor->value(), prefix, out));
    }
    return cursor->status();
}

} // namespace

Alerts::Alerts(store::Store& store, std::function<std::int64_t()> now_ms, const Log& log,
               AppLog* app_log, AlertOptions options)
    : store_(store), now_ms_(std::move(now_ms)), log_(log), app_log_(app_log),
      options_(std::move(options)), thread_([this] { run(); }) {}

Alerts::~Alerts() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
        wake_.notify_all();
    }
    thread_.join();
}

void Alerts::raise(const Alert& alert) {
    const std::int64_t now = now_ms_();
    std::uint64_t repeated = 0;
    {
        const std::lock_guard lock(mutex_);
        Said& said = said_[std::pair(alert.app, std::string(alert.kind))];
        said.app_name = alert.app_name;
        ++said.count;
        if (said.message == alert.message && now - said.at_ms < options_.quiet_ms) {
            ++said.since;
            return;
        }
        said.at_ms = now;
        said.message = alert.message;
        repeated = std::exchange(said.since, 0);
        const json::object record{{"_id", to_hex(as_bytes(random_bytes(12)))},
                                  {"app_id", alert.app == ObjectId() ? "" : alert.app.to_string()},
                                  {"app", alert.app_name},
                                  {"kind", alert.kind},
                                  {"time_ms", now},
                                  {"message", alert.message},
                                  {"what_to_do", alert.what_to_do},
                                  {"repeated", repeated}};
        std::string text = json::serialize(record);
        ++number_;
        to_write_.push_back(
            {number_, prefix_of(alert.app) + u64(~static_cast<std::uint64_t>(now)) + u64(~number_),
             text});
        if (to_write_.size() > options_.waiting_max) {
            to_write_.pop_front();
        }
        if (options_.post) {
            to_post_.push_back(std::move(text));
        }
        if (to_post_.size() > options_.waiting_max) {
            to_post_.pop_front();
            ++posts_failed_;
        }
        wake_.notify_all();
    }
    log_.error("alert", {{"app", alert.app_name},
                         {"kind", std::string(alert.kind)},
                         {"says", alert.message},
                         {"do", alert.what_to_do}});
    if (app_log_ != nullptr && alert.app != ObjectId()) {
        AppLogEntry entry;
        entry.app = alert.app;
        entry.type = "ALERT";
        entry.status = 500;
        entry.error = alert.message;
        entry.error_code = std::string(alert.kind);
        entry.messages.emplace_back(alert.what_to_do);
        app_log_->add(std::move(entry));
    }
}

void Alerts::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock,
                   [this] { return is_stopping_ || !to_write_.empty() || !to_post_.empty(); });
        is_busy_ = true;
        const bool is_last = is_stopping_;
        const std::deque<Waiting> waiting = to_write_; // shown from there until it is written
        const std::deque<std::string> posts = std::exchange(to_post_, {});
        lock.unlock();
        const bool is_written = write(waiting);
        for (const std::string& each : posts) {
            if (!is_last) {
                post(each);
            }
        }
        lock.lock();
        if (is_written) {
            std::erase_if(to_write_, [&](const Waiting& each) {
                return !waiting.empty() && each.number <= waiting.back().number;
            });
        }
        is_busy_ = false;
        idle_.notify_all();
        if (is_last) {
            return;
        }
        if (!is_written) {
            wake_.wait_for(lock, retry_time, [this] { return is_stopping_; });
        }
    }
}

bool Alerts::write(const std::deque<Waiting>& waiting) {
    store::Transaction transaction;
    for (const Waiting& each : waiting) {
        transaction.put_record(Space::meta, each.key, each.json);
    }
    return waiting.empty() || store_.commit(std::move(transaction)).has_value();
}

void Alerts::post(const std::string& json) {
    Result<void> done;
    for (int tried = 0; tried < posts_max; ++tried) {
        {
            const std::lock_guard lock(mutex_);
            if (is_stopping_) {
                return;
            }
        }
        done = options_.post(json);
        if (done) {
            return;
        }
    }
    log_.warning("an alert could not be posted to the webhook", {{"error", done.error().what()}});
    const std::lock_guard lock(mutex_);
    ++posts_failed_;
}

void Alerts::flush() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] {
        return !is_busy_ && to_post_.empty() && (to_write_.empty() || is_stopping_);
    });
}

Result<json::array> Alerts::find(const ObjectId& app, std::size_t count_max) {
    Found found;
    const std::vector<std::string> prefixes{prefix_of(app), prefix_of(ObjectId())};
    {
        const std::lock_guard lock(mutex_);
        for (const Waiting& each : to_write_) {
            for (const std::string& prefix : prefixes) {
                if (each.key.starts_with(prefix)) {
                    TOMBOLO_TRY_VOID(add(each.key, each.json, prefix, found));
                }
            }
        }
    }
    const auto snapshot = store_.snapshot();
    for (const std::string& prefix : prefixes) {
        TOMBOLO_TRY_VOID(read_all(*snapshot, prefix, count_max, found));
    }
    json::array out;
    for (auto& each : found) {
        if (out.size() < count_max) {
            out.push_back(std::move(each.second));
        }
    }
    return out;
}

void Alerts::trim() {
    const std::int64_t oldest = now_ms_() - options_.keep_ms;
    const std::string first(all_alerts);
    const auto snapshot = store_.snapshot();
    const auto cursor =
        snapshot->scan_records(Space::meta, first, store::embedded::prefix_end(first));
    std::string prefix;
    std::size_t count = 0;
    store::Transaction transaction;
    while (cursor->next()) {
        const std::string_view key = cursor->key();
        const std::string_view own = key.substr(0, key.find('/', first.size()) + 1);
        if (own != prefix) {
            prefix = std::string(own);
            count = 0;
        }
        const auto time = static_cast<std::int64_t>(~store::embedded::read_u64(key, own.size()));
        if (++count > options_.kept_max || time <= oldest) {
            transaction.erase_record(Space::meta, std::string(key));
        }
    }
    if (!transaction.empty()) {
        static_cast<void>(store_.commit(std::move(transaction))); // next time, when it cannot now
    }
}

std::vector<Alerts::Count> Alerts::counts() const {
    const std::lock_guard lock(mutex_);
    std::vector<Count> out;
    out.reserve(said_.size());
    for (const auto& [what, said] : said_) {
        out.push_back({said.app_name, what.second, said.count});
    }
    return out;
}

std::uint64_t Alerts::posts_failed() const {
    const std::lock_guard lock(mutex_);
    return posts_failed_;
}

} // namespace tombolo::server
