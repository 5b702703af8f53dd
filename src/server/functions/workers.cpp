#include "server/functions/workers.hpp"

#include <pthread.h>

#include <algorithm>

#include "server/functions/worker_script.hpp"

namespace tombolo::functions {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Reads a length and so many bytes of script from the socket, and runs them: the script is in the
// server's program, not in a file that could be another version.
constexpr const char* bootstrap =
    "const read = (size) => { const all = Buffer.alloc(size); let at = 0;"
    " while (at < size) { const got = require('fs').readSync(3, all, at, size - at);"
    " if (got === 0) process.exit(0); at += got; } return all; };"
    "const text = read(read(4).readUInt32LE(0)).toString();"
    "require('vm').compileFunction(text, ['require', 'process'], {filename: 'tombolo:worker'})"
    "(require, process);";

constexpr milliseconds start_time_max{20'000};
constexpr milliseconds ready_time_max{2'000};
// Beside the heap: Node.js' own memory, its threads' stacks, compiled code.
constexpr std::size_t node_bytes = std::size_t{160} * 1024 * 1024;
// A worker is replaced after so many calls, so that what leaks in an app's libraries stays small.
constexpr std::uint32_t calls_max = 10'000;

std::string script_with_length() {
    const std::string_view script = worker_script();
    std::string out;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        out += static_cast<char>((script.size() >> shift) & 0xFF);
    }
    return out.append(script);
}

} // namespace

// A process that acquire() waits for.
struct Workers::Start {
    const ProcessOptions& options;
    std::optional<Result<std::unique_ptr<WorkerProcess>>> result; // guarded by mutex_
};

Workers::Workers(std::string node, const FunctionOptions& options)
    : node_(std::move(node)), options_(options), thread_([this] { loop(); }) {}

Workers::~Workers() {
    stop();
}

void Workers::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        counts_.now -= idle_.size();
        idle_.clear();
        work_.notify_all();
        freed_.notify_all();
    }
    if (thread_.joinable()) {
        thread_.join();
    }
}

ProcessOptions Workers::process_options(const WorkerApp& app) const {
    ProcessOptions out;
    out.node = node_;
    const std::size_t megabytes = std::max<std::size_t>(options_.memory_bytes_max >> 20, 16);
    out.arguments = {"--max-old-space-size=" + std::to_string(megabytes), "--no-addons",
                     "--no-warnings", "-e", bootstrap};
    out.confinement.readable =
        readable_paths(node_, app.folder.empty() ? std::vector<std::string>()
                                                 : std::vector<std::string>{app.folder});
    out.confinement.data_bytes_max = options_.memory_bytes_max + node_bytes;
    // Arguments of a service call may be as long as a whole result.
    out.frame_bytes_max = options_.result_bytes_max + std::size_t{1024} * 1024;
    return out;
}

Result<Worker> Workers::acquire(const WorkerApp& app, bool extra, Deadline deadline) {
    for (;;) {
        TOMBOLO_TRY(std::optional<Worker> idle, take(app, extra, deadline));
        if (!idle) {
            break;
        }
        if (is_ready(*idle)) {
            return *std::move(idle);
        }
        discard(*std::move(idle));
    }
    Result<Worker> worker = start(app, extra, steady_clock::now() + start_time_max);
    if (!worker) {
        const std::lock_guard lock(mutex_);
        --counts_.now;
        --counts_.busy;
        extras_ -= extra ? 1 : 0;
        freed_.notify_all();
    }
    return worker;
}

// An idle worker of the app, or nothing and the right to start one.
Result<std::optional<Worker>> Workers::take(const WorkerApp& app, bool extra, Deadline deadline) {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (stopping_) {
            return Error(ErrorCode::unavailable, "the server is stopping");
        }
        // The youngest: its memory is in the caches.
        const auto fit = std::find_if(idle_.rbegin(), idle_.rend(), [&](const Worker& one) {
            return one.app == app.id && one.version == app.version;
        });
        if (fit != idle_.rend()) {
            Worker worker = std::move(*fit);
            idle_.erase(std::next(fit).base());
            ++counts_.busy;
            return std::optional<Worker>(std::move(worker));
        }
        // As many calls inside calls again as there are workers, or two calls that wait for each
        // other's worker would wait until their time is up.
        const bool room =
            extra ? extras_ < options_.workers_max : counts_.now - extras_ < options_.workers_max;
        if (room || (!extra && !idle_.empty())) {
            if (!room) {
                idle_.pop_front(); // ends it
                --counts_.now;
            }
            ++counts_.now;
            ++counts_.busy;
            extras_ += extra ? 1 : 0;
            return std::optional<Worker>();
        }
        if (freed_.wait_until(lock, deadline) == std::cv_status::timeout) {
            return Error(ErrorCode::unavailable, "all workers are busy");
        }
    }
}

// Whether a worker that was idle lives and listens. What an earlier call left behind may speak
// first, a little.
bool Workers::is_ready(Worker& worker) {
    worker.process->resume();
    const Deadline deadline = steady_clock::now() + ready_time_max;
    if (!worker.process->send(Frame{FrameKind::ping, 0, {}, {}}, deadline)) {
        return false;
    }
    for (int frames = 0; frames < 100; ++frames) {
        const Result<Frame> answer = worker.process->receive(deadline);
        if (!answer) {
            return false;
        }
        if (answer->kind == FrameKind::ready) {
            return true;
        }
    }
    return false;
}

Result<Worker> Workers::start(const WorkerApp& app, bool extra, Deadline deadline) {
    const ProcessOptions options = process_options(app);
    Start request{options, std::nullopt};
    {
        std::unique_lock lock(mutex_);
        if (stopping_) { // the thread may be gone
            return Error(ErrorCode::unavailable, "the server is stopping");
        }
        starts_.push_back(&request);
        work_.notify_one();
        freed_.wait(lock, [&] { return request.result.has_value(); });
    }
    TOMBOLO_TRY(std::unique_ptr<WorkerProcess> process, *std::move(request.result));
    static const std::string script = script_with_length();
    const auto introduce = [&]() -> Result<void> {
        TOMBOLO_TRY_VOID(process->send(script, deadline));
        TOMBOLO_TRY_VOID(process->send(Frame{FrameKind::app, 0, {}, app.description()}, deadline));
        TOMBOLO_TRY(const Frame answer, process->receive(deadline));
        if (answer.kind != FrameKind::ready) {
            return Error(ErrorCode::internal, "a worker process did not introduce itself");
        }
        return {};
    };
    const Result<void> introduced = introduce();
    if (!introduced) {
        process->kill();
        return Error(ErrorCode::io, "a worker process did not start: " + process->ending(),
                     process->last_words().substr(0, 1000));
    }
    Worker worker;
    worker.process = std::move(process);
    worker.app = app.id;
    worker.version = app.version;
    worker.is_extra = extra;
    return worker;
}

void Workers::release(Worker worker) {
    if (worker.is_extra || ++worker.calls >= calls_max) {
        discard(std::move(worker));
        return;
    }
    worker.process->pause();
    worker.idle_since = steady_clock::now();
    const std::lock_guard lock(mutex_);
    --counts_.busy;
    if (stopping_) {
        --counts_.now;
        return;
    }
    idle_.push_back(std::move(worker));
    freed_.notify_all();
}

void Workers::discard(Worker worker) {
    worker.process->kill();
    const std::lock_guard lock(mutex_);
    --counts_.busy;
    --counts_.now;
    extras_ -= worker.is_extra ? 1 : 0;
    freed_.notify_all();
}

Workers::Counts Workers::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

void Workers::loop() {
    ::pthread_setname_np(::pthread_self(), "workers");
    std::unique_lock lock(mutex_);
    while (!stopping_ || !starts_.empty()) {
        if (!starts_.empty()) {
            Start* const request = starts_.front();
            starts_.pop_front();
            lock.unlock();
            Result<std::unique_ptr<WorkerProcess>> process = WorkerProcess::start(request->options);
            lock.lock();
            request->result.emplace(std::move(process));
            ++counts_.started;
            freed_.notify_all();
            continue;
        }
        const milliseconds idle_max{options_.idle_ms_max};
        const auto now = steady_clock::now();
        while (!idle_.empty() && now - idle_.front().idle_since >= idle_max) {
            idle_.pop_front();
            --counts_.now;
        }
        const auto next = idle_.empty() ? now + idle_max : idle_.front().idle_since + idle_max;
        work_.wait_until(lock, std::max(next, now + milliseconds(10)));
    }
}

} // namespace tombolo::functions
