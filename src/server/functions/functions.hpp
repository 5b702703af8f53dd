#pragma once

// User functions: JavaScript of an app, run in Node.js worker processes of their own
// (client-http-api.md 6, admin-api-and-config.md R12; how: docs/internals/functions.md).
//
//     functions::Call call;
//     call.app = app;
//     call.name = "sum";
//     call.arguments = "[1, 2]"; // Extended JSON
//     const functions::Outcome outcome = functions.call(call);
//
// call() blocks until the function has ended, at most the time limit and the wait for a worker:
// callers run on the dispatcher's functions pool. Whatever a function does (crash, loop, hog
// memory, flood output), only its worker dies, and the outcome says so.
//
// Thread-safety: all members from any thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "core/result.hpp"
#include "server/app/app_repository.hpp"
#include "server/app/function_config.hpp"
#include "server/runtime/log.hpp"

namespace tombolo::functions {

/// On whose behalf.
struct Caller {
    bool is_system = false;
    std::string user_id; ///< 24 hex digits; empty: nobody (the system)
    /// context.user as Extended JSON; empty: the system's.
    std::string user;
};

/// Who asks decides what may be called: clients may not call private functions, HTTPS endpoints
/// may, and both are asked for can_evaluate.
enum class Origin : std::uint8_t { client, endpoint, administrator, provider, rule };

struct Call {
    std::shared_ptr<const server::App> app;
    std::string name;
    std::string arguments = "[]"; ///< Extended JSON, an array
    Caller caller;
    Origin origin = Origin::client;
    /// context.request as Extended JSON; empty: none.
    std::string request;
    std::string request_id; ///< for the log
    std::string remote_address;
    /// Instead of a function of the app: this source, under `name` (debug runs).
    std::optional<std::string> source;
    /// With `source`: an expression that is evaluated after it and whose value is the result, such
    /// as "exports(1)"; empty: exports is called with `arguments`.
    std::string eval_source;
    /// With `source`: it is compiled and not run.
    bool compile_only = false;
    /// Of endpoints, "JSON" or "EJSON": the function gets the one argument and a response object,
    /// and the outcome's result is {status, headers: [[name, value]], body: binary or null}, where
    /// the body is what the function set, else its result in this form.
    std::string response_form;
    /// Of endpoints: asked beside the function's own can_evaluate. Empty: nothing.
    boost::json::object can_evaluate;
    /// Of calls that a running function waits for (rules with %function): such a call may go beyond
    /// the pool's size.
    unsigned depth = 0;
};

enum class FailureKind : std::uint8_t {
    not_found,     ///< no such function, or a private one called by a client
    refused,       ///< can_evaluate is not true
    bad_arguments, ///< not an array of Extended JSON, or too large
    thrown,        ///< the function threw; `message` is what
    syntax,        ///< the source does not compile
    time_limit,
    memory_limit,
    output_limit,
    crashed,     ///< its process ended
    busy,        ///< no worker was free in time
    unavailable, ///< no Node.js; `message` says what to do
};

struct Failure {
    FailureKind kind = FailureKind::thrown;
    std::string message;
    std::string name;  ///< of a thrown Error: "TypeError"
    std::string stack; ///< of a thrown Error, for administrators
};

struct Outcome {
    std::string result = "null"; ///< canonical Extended JSON
    std::optional<Failure> failure;
    std::vector<std::string> logs;       ///< console.log, info, debug
    std::vector<std::string> error_logs; ///< console.error, warn
    std::int64_t started_unix_ms = 0;
    std::int64_t duration_ms = 0;

    bool ok() const noexcept { return !failure; }
};

/// One operation of context.services, asked for by a running function.
struct ServiceRequest {
    const server::App& app;
    const Caller& caller; ///< the system for functions that run as system
    std::string service;
    std::string action;
    std::string arguments; ///< Extended JSON, one document
    const Call& call;
};

/// A finished call, for the app's logs.
struct CallRecord {
    const Call& call;
    const Outcome& outcome;
    bool log_arguments = true;
};

/// What functions need of the layers above; empty members are left out.
struct Seams {
    /// Result as Extended JSON.
    std::function<Result<std::string>(const ServiceRequest&)> service;
    /// Whether can_evaluate lets the caller in.
    std::function<bool(const Call&, const boost::json::object& expression)> can_evaluate;
    /// The user that run_as_user_id names.
    std::function<std::optional<Caller>(const server::App&, const std::string& user_id)> user;
    std::function<void(const CallRecord&)> record;
};

struct FunctionOptions {
    std::string node = "node"; ///< path, or a name looked for in PATH; empty: no functions
    std::string folder;        ///< for unpacked dependencies; made when needed
    unsigned workers_max = 4;  ///< processes, and so calls at a time
    std::int64_t time_ms_max = 60'000;
    std::int64_t rule_time_ms_max = 10'000; ///< of calls by rules: they hold up other requests
    std::int64_t wait_ms_max = 10'000;      ///< for a free worker
    std::size_t memory_bytes_max = std::size_t{256} * 1024 * 1024;
    std::size_t result_bytes_max = std::size_t{16} * 1024 * 1024; ///< as Extended JSON
    std::size_t log_messages_max = 256;
    std::size_t log_bytes_max = std::size_t{64} * 1024;
    std::int64_t idle_ms_max = 300'000; ///< then a worker is ended
};

/// Numbers for /metrics.
struct FunctionCounts {
    std::uint64_t calls = 0;
    std::uint64_t failures = 0;
    std::uint64_t micros = 0;
    std::uint64_t workers_started = 0;
    std::uint64_t workers_killed = 0; ///< for a limit
    std::uint64_t workers_crashed = 0;
    std::uint64_t workers = 0; ///< now
    std::uint64_t busy = 0;    ///< now
};

class Functions {
  public:
    /// Starts no process. The references must outlive this.
    Functions(const server::AppRepository& apps, const server::Log& log, FunctionOptions options);
    /// Ends all workers; running calls fail.
    ~Functions();

    /// Before the first call.
    void connect(Seams seams);

    Outcome call(const Call& call);
    /// What is wrong with a source's syntax; nothing when it compiles, or when that cannot be told
    /// here and now (no Node.js, all workers busy). Blocks for the moment that compiling takes.
    std::optional<Failure> check_syntax(const std::string& source);

    /// Error when Node.js was not found: what to do about it. Else its version.
    Result<std::string> node_version() const;
    /// How far functions are kept from the machine's files, for the operator.
    static std::string confinement();
    FunctionCounts counts() const;
    /// Ends all workers; later calls fail as unavailable.
    void stop();

    class Impl;

  private:
    std::unique_ptr<Impl> impl_;
};

/// What a client is told: status, error_code and text of client-http-api.md 6.3 are made of this.
std::string_view failure_name(FailureKind kind) noexcept;

} // namespace tombolo::functions
