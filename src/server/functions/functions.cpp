#include "server/functions/functions.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>

#include "core/ejson.hpp"
#include "core/limits.hpp"
#include "mql/bson_value.hpp"
#include "server/functions/app_functions.hpp"
#include "server/functions/node.hpp"
#include "server/functions/run.hpp"
#include "server/functions/workers.hpp"

namespace tombolo::functions {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Of can_evaluate, services and rules inside functions inside rules ...: each holds a thread.
constexpr unsigned depth_max = 8;

// Of check_syntax for a worker: whoever saves a function does not wait for others' calls.
constexpr milliseconds check_wait{200};

Failure not_found(const std::string& name) {
    return {FailureKind::not_found, "function not found: '" + name + "'", {}, {}};
}

// A user's id as text or ObjectId; empty for anything else.
std::string user_id_in(const std::string& result) {
    const auto bson = ejson_to_wrapped_bson(result);
    if (!bson) {
        return {};
    }
    const auto document = mql::BsonDocumentView::from_trusted(*bson);
    const mql::BsonView value = document.find("");
    if (value.type() == mql::BsonType::object_id) {
        return value.as_object_id().to_string();
    }
    return value.is_string() ? std::string(value.as_string()) : std::string();
}

std::int64_t unix_ms() {
    return std::chrono::duration_cast<milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

} // namespace

class Functions::Impl {
  public:
    Impl(const server::AppRepository& apps, const server::Log& log, FunctionOptions options)
        : options_(std::move(options)), log_(log), apps_(apps), dependencies_(options_.folder),
          node_(options_.node.empty()
                    ? Result<Node>(Error(ErrorCode::unavailable,
                                         "user functions are switched off on this server"))
                    : find_node(options_.node)) {
        // What an earlier process unpacked; it is done again when it is needed.
        std::error_code ignored;
        if (!options_.folder.empty()) {
            std::filesystem::remove_all(options_.folder, ignored);
        }
        if (node_) {
            workers_ = std::make_unique<Workers>(node_->path, options_);
        }
    }

    void connect(Seams seams) { seams_ = std::move(seams); }

    Outcome call(const Call& call) {
        Outcome outcome;
        outcome.started_unix_ms = unix_ms();
        const auto start = steady_clock::now();
        bool log_arguments = true;
        perform(call, outcome, log_arguments);
        const auto spent = steady_clock::now() - start;
        outcome.duration_ms = std::chrono::duration_cast<milliseconds>(spent).count();
        calls_.fetch_add(1);
        failures_.fetch_add(outcome.ok() ? 0 : 1);
        micros_.fetch_add(static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(spent).count()));
        report(call, outcome);
        if (seams_.record) {
            seams_.record(CallRecord{call, outcome, log_arguments});
        }
        return outcome;
    }

    std::optional<Failure> check_syntax(const std::string& source) {
        if (!node_) {
            return std::nullopt;
        }
        // A worker of no app: what is only compiled needs none.
        static const auto no_app = std::make_shared<const server::App>();
        Call call;
        call.app = no_app;
        call.name = "function";
        call.source = source;
        call.compile_only = true;
        Outcome outcome;
        run(call, call.arguments, Caller{true, {}, {}}, outcome, check_wait);
        return outcome.failure && outcome.failure->kind == FailureKind::syntax
                   ? outcome.failure
                   : std::optional<Failure>();
    }

    Result<std::string> node_version() const {
        if (!node_) {
            return node_.error();
        }
        return node_->version;
    }

    FunctionCounts counts() const {
        FunctionCounts out;
        out.calls = calls_;
        out.failures = failures_;
        out.micros = micros_;
        out.workers_killed = killed_;
        out.workers_crashed = crashed_;
        if (workers_) {
            const Workers::Counts counts = workers_->counts();
            out.workers_started = counts.started;
            out.workers = counts.now;
            out.busy = counts.busy;
        }
        return out;
    }

    void stop() {
        if (workers_) {
            workers_->stop();
        }
    }

  private:
    void perform(const Call& call, Outcome& outcome, bool& log_arguments) {
        const auto fail = [&](FailureKind kind, std::string message) {
            outcome.failure = Failure{kind, std::move(message), {}, {}};
        };
        if (!node_) {
            fail(FailureKind::unavailable, node_.error().message());
            return;
        }
        if (call.depth > depth_max) {
            fail(FailureKind::refused, "functions and rules call each other without an end");
            return;
        }
        Caller caller = call.caller;
        if (!call.source) {
            const auto& all = call.app->config.code.functions;
            const auto found = all.find(call.name);
            // A private function is not there for clients.
            if (found == all.end() || (found->second.is_private && call.origin == Origin::client)) {
                outcome.failure = not_found(call.name);
                return;
            }
            const server::FunctionConfig& config = found->second;
            // Those of authentication and endpoints have passwords and tokens.
            log_arguments = !config.disable_arg_logs && call.origin != Origin::provider &&
                            call.origin != Origin::endpoint;
            if (!may_call(call, config.can_evaluate) || !may_call(call, call.can_evaluate)) {
                fail(FailureKind::refused, "the function may not be called by this user");
                return;
            }
            if (!run_as(call, config, caller, outcome)) {
                return;
            }
        }
        // The worker gets the canonical form, whatever was sent.
        const auto bson = ejson_array_to_bson(call.arguments);
        const auto arguments = bson ? bson_array_to_ejson(*bson, EjsonForm::canonical)
                                    : Result<std::string>(bson.error());
        if (!arguments) {
            fail(FailureKind::bad_arguments,
                 std::string("'arguments' must be an array of Extended JSON: ") +
                     arguments.error().what());
            return;
        }
        run(call, *arguments, caller, outcome, milliseconds(options_.wait_ms_max));
    }

    bool may_call(const Call& call, const boost::json::object& can_evaluate) const {
        const bool asked = call.origin == Origin::client || call.origin == Origin::endpoint;
        return !asked || can_evaluate.empty() ||
               (seams_.can_evaluate && seams_.can_evaluate(call, can_evaluate));
    }

    // As whom it runs. False with a failure when that user is not there.
    bool run_as(const Call& call, const server::FunctionConfig& config, Caller& caller,
                Outcome& outcome) {
        caller.is_system = caller.is_system || config.run_as_system;
        std::string user_id = config.run_as_user_id;
        if (user_id.empty() && !config.run_as_user_id_script_source.empty()) {
            Call script;
            script.app = call.app;
            script.name = call.name + " (run as)";
            script.arguments = call.arguments;
            script.caller = Caller{true, {}, {}};
            script.origin = Origin::rule;
            script.request_id = call.request_id;
            script.source = config.run_as_user_id_script_source;
            const Outcome chosen = this->call(script);
            if (!chosen.ok()) {
                outcome.failure = chosen.failure;
                return false;
            }
            user_id = user_id_in(chosen.result);
        }
        if (user_id.empty() || caller.is_system) {
            return true;
        }
        std::optional<Caller> user =
            seams_.user ? seams_.user(*call.app, user_id) : std::optional<Caller>();
        if (!user) {
            outcome.failure = Failure{
                FailureKind::refused, "the user that the function runs as does not exist", {}, {}};
            return false;
        }
        caller = *std::move(user);
        return true;
    }

    void run(const Call& call, const std::string& arguments, const Caller& caller, Outcome& outcome,
             milliseconds wait) {
        const Result<std::string> folder = dependencies_.of(*call.app);
        if (!folder) {
            log_.error("the dependencies of an app's functions cannot be used",
                       {{"app", call.app->client_app_id}, {"error", folder.error().what()}});
            outcome.failure = Failure{FailureKind::unavailable, folder.error().message(), {}, {}};
            return;
        }
        WorkerApp app;
        app.id = call.app->id;
        app.version = std::to_string(call.app->deployment);
        app.folder = *folder;
        app.description = [&] {
            return describe(
                *call.app, *folder,
                {options_.result_bytes_max, options_.log_messages_max, options_.log_bytes_max});
        };
        Result<Worker> worker = workers_->acquire(app, call.depth > 0, steady_clock::now() + wait);
        if (!worker) {
            const bool busy = worker.error().code() == ErrorCode::unavailable;
            if (!busy) {
                log_.error("no worker for a function",
                           {{"app", call.app->client_app_id}, {"error", worker.error().what()}});
            }
            outcome.failure =
                Failure{busy ? FailureKind::busy : FailureKind::unavailable,
                        busy ? "too many functions run at once; try again"
                             : "user functions cannot run: a worker process did not start",
                        {},
                        {}};
            return;
        }
        const auto secrets = secret_values(apps_, *call.app);
        const RunInput input{call, arguments, caller, secrets, seams_, options_};
        const bool usable = run_in(*worker, input, outcome);
        if (usable) {
            workers_->release(*std::move(worker));
            return;
        }
        const bool crashed = outcome.failure && outcome.failure->kind == FailureKind::crashed;
        (crashed ? crashed_ : killed_).fetch_add(1);
        log_.warning(crashed ? "a function's process ended" : "a function went over a limit",
                     {{"app", call.app->client_app_id},
                      {"function", call.name},
                      {"request", call.request_id},
                      {"what", outcome.failure ? outcome.failure->message : std::string()}});
        workers_->discard(*std::move(worker));
    }

    void report(const Call& call, const Outcome& outcome) const {
        if (outcome.ok()) {
            log_.debug("function called", {{"app", call.app->client_app_id},
                                           {"function", call.name},
                                           {"request", call.request_id},
                                           {"ms", std::to_string(outcome.duration_ms)}});
            return;
        }
        log_.info("function failed", {{"app", call.app->client_app_id},
                                      {"function", call.name},
                                      {"request", call.request_id},
                                      {"user", call.caller.user_id},
                                      {"kind", std::string(failure_name(outcome.failure->kind))},
                                      {"ms", std::to_string(outcome.duration_ms)}});
    }

    const FunctionOptions options_;
    const server::Log& log_;
    Seams seams_;
    const server::AppRepository& apps_;
    DependencyFolders dependencies_;
    const Result<Node> node_;
    std::unique_ptr<Workers> workers_;
    std::atomic<std::uint64_t> calls_{0};
    std::atomic<std::uint64_t> failures_{0};
    std::atomic<std::uint64_t> micros_{0};
    std::atomic<std::uint64_t> killed_{0};
    std::atomic<std::uint64_t> crashed_{0};
};

Functions::Functions(const server::AppRepository& apps, const server::Log& log,
                     FunctionOptions options)
    : impl_(std::make_unique<Impl>(apps, log, std::move(options))) {}
Functions::~Functions() {
    impl_->stop();
}
void Functions::connect(Seams seams) {
    impl_->connect(std::move(seams));
}
Outcome Functions::call(const Call& call) {
    return impl_->call(call);
}
std::optional<Failure> Functions::check_syntax(const std::string& source) {
    return impl_->check_syntax(source);
}
Result<std::string> Functions::node_version() const {
    return impl_->node_version();
}
std::string Functions::confinement() {
    return has_landlock() ? "closed to them (Landlock)"
                          : "open to them as to the server: this kernel has no Landlock";
}
FunctionCounts Functions::counts() const {
    return impl_->counts();
}
void Functions::stop() {
    impl_->stop();
}

std::string_view failure_name(FailureKind kind) noexcept {
    switch (kind) {
    case FailureKind::not_found:
        return "not found";
    case FailureKind::refused:
        return "refused";
    case FailureKind::bad_arguments:
        return "bad arguments";
    case FailureKind::thrown:
        return "thrown";
    case FailureKind::syntax:
        return "syntax";
    case FailureKind::time_limit:
        return "time limit";
    case FailureKind::memory_limit:
        return "memory limit";
    case FailureKind::output_limit:
        return "output limit";
    case FailureKind::crashed:
        return "crashed";
    case FailureKind::busy:
        return "busy";
    case FailureKind::unavailable:
        break;
    }
    return "unavailable";
}

} // namespace tombolo::functions
