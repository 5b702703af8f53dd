#include "cli/data/import_sender.hpp"

#include <chrono>

#include <fmt/format.h>

#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace json = boost::json;

namespace {

constexpr std::size_t connections = 2;
constexpr std::size_t waiting_max = 2;
constexpr std::size_t problems_max = 20;
constexpr int attempts_max = 6;
constexpr auto first_pause = std::chrono::milliseconds(100);

std::uint64_t number(const json::object& object, std::string_view key) {
    const json::value* member = object.if_contains(key);
    return member != nullptr && member->is_int64() && member->get_int64() > 0
               ? static_cast<std::uint64_t>(member->get_int64())
               : 0;
}

} // namespace

ImportSender::ImportSender(const AdminClient& client, std::string path, Query query)
    : path_(std::move(path)), query_(std::move(query)) {
    for (std::size_t i = 0; i < connections; ++i) {
        threads_.emplace_back([this](AdminClient own) { work(std::move(own)); }, client.clone());
    }
}

ImportSender::~ImportSender() {
    stop();
}

void ImportSender::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }
    for (std::thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
}

void ImportSender::send(std::string batch, std::uint64_t first) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return failure_ || waiting_.size() < waiting_max; });
    if (failure_) {
        std::rethrow_exception(failure_);
    }
    waiting_.push_back({std::move(batch), first});
    changed_.notify_all();
}

void ImportSender::finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return failure_ || (waiting_.empty() && running_ == 0); });
    if (failure_) {
        std::rethrow_exception(failure_);
    }
}

ImportTotals ImportSender::totals() const {
    const std::lock_guard lock(mutex_);
    return totals_;
}

void ImportSender::work(AdminClient client) {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return stopping_ || failure_ || !waiting_.empty(); });
        if (stopping_ || failure_) {
            return;
        }
        const Batch batch = std::move(waiting_.front());
        waiting_.pop_front();
        ++running_;
        changed_.notify_all();
        lock.unlock();
        std::exception_ptr failed;
        try {
            post(client, batch);
        } catch (...) { // handed to the thread that waits in send() or finish()
            failed = std::current_exception();
        }
        lock.lock();
        --running_;
        if (failed && !failure_) {
            failure_ = failed;
        }
        changed_.notify_all();
    }
}

void ImportSender::post(AdminClient& client, const Batch& batch) {
    auto pause = first_pause;
    for (int attempt = 1;; ++attempt) {
        try {
            const HttpResponse response =
                client.request("POST", path_, query_, batch.bytes, "application/bson");
            Result<json::object> report = server::parse_json_object(response.body);
            if (!report) {
                throw Failure(ExitCode::failure, "the server's answer to an import is not JSON");
            }
            count(*report, batch);
            return;
        } catch (const ServerFailure& failure) {
            // Busy, not broken: nothing of the batch was written.
            const bool busy = failure.status() == 503 || failure.status() == 429;
            if (!busy || attempt == attempts_max) {
                throw;
            }
        }
        std::this_thread::sleep_for(pause);
        pause *= 2;
    }
}

void ImportSender::count(const json::object& report, const Batch& batch) {
    const std::lock_guard lock(mutex_);
    totals_.written += number(report, "written");
    totals_.skipped += number(report, "skipped");
    totals_.refused += number(report, "refused");
    const json::value* problems = report.if_contains("problems");
    if (problems == nullptr || !problems->is_array()) {
        return;
    }
    for (const json::value& each : problems->get_array()) {
        if (each.is_object() && totals_.problems.size() < problems_max) {
            totals_.problems.push_back(
                fmt::format("document {}: {}", batch.first + number(each.get_object(), "index"),
                            server::string_or(each.get_object(), "message")));
        }
    }
}

} // namespace tombolo::cli
