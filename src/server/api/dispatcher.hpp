#pragma once

// From a request to the route that answers it: the one Handler of the public listener.
//
// Routes are registered by the resources (one file each) before the listener starts. A route says
// where it runs: on the I/O thread (only what never blocks), on the store pool, or on the password
// pool, which has the lowest priority and answers 429 when its queue is full. CORS, unknown paths,
// errors and exceptions are dealt with here, once.
//
// Thread-safety: add() before start; the Handler's members from any thread.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/api/api_error.hpp"
#include "server/http/message.hpp"
#include "server/http/router.hpp"
#include "server/http/static_files.hpp"
#include "server/runtime/log.hpp"
#include "server/runtime/worker_pool.hpp"

namespace tombolo::api {

enum class Pool : std::uint8_t {
    io, ///< must not block
    store,
    password,  ///< slow by design, lowest priority
    outbound,  ///< may wait for another server
    functions, ///< waits for user functions
};

/// What a route's code is given.
struct Call {
    http::Request request;
    http::PathParameters path;

    /// REQUIRES: the route's pattern names it.
    const std::string& parameter(std::string_view name) const;

    /// The answer comes from `next`, run on that pool; what the code that asks for this returns is
    /// thrown away. For work of which only the body tells where it belongs.
    void continue_on(Pool pool, std::function<http::Response(Call&)> next) {
        next_pool = pool;
        next_step = std::move(next);
    }
    Pool next_pool = Pool::store;
    std::function<http::Response(Call&)> next_step{}; ///< empty: none
};

struct Route {
    http::Method method = http::Method::get;
    std::string pattern;
    /// May throw ApiException, or Error, which is logged and answered as an internal error.
    std::function<http::Response(Call&)> run;
    Pool pool = Pool::store;
    std::size_t body_bytes_max = std::size_t{64} * 1024; ///< client-http-api.md S-13
};

/// Which origins may call from a browser: CORS of client-http-api.md 11.5.
struct CorsDecision {
    enum class Kind : std::uint8_t { any, listed, refused };
    Kind kind = Kind::any;
};

struct DispatcherOptions {
    /// Prefix of links in errors; no trailing slash. Asked when needed: the port may be known only
    /// after binding.
    std::function<std::string()> public_url;
    unsigned store_threads = 4;
    std::size_t store_queue_max = 4096;
    unsigned password_threads = 1;
    std::size_t password_queue_max = 64;
    unsigned outbound_threads = 4;
    std::size_t outbound_queue_max = 64;
    unsigned functions_threads = 4;
    std::size_t functions_queue_max = 1024;
    /// Answer GET and HEAD where no route is. Absent: none.
    const http::StaticFiles* files = nullptr;
    /// Decides on an Origin for a path (the app's allowed_request_origins). Absent: any origin.
    std::function<CorsDecision(std::string_view path, std::string_view origin)> cors;
    /// Told of what a route answered, before it is sent; must not block nor throw. Absent: nobody.
    std::function<void(const Call& call, const std::string& pattern, const http::Response& answer)>
        observe;
};

/// Numbers for /metrics.
struct RequestCount {
    std::string pattern; ///< "other" for unknown paths
    int status = 0;
    std::uint64_t count = 0;
    std::uint64_t micros = 0;
};

class Dispatcher final : public http::Handler {
  public:
    Dispatcher(DispatcherOptions options, const server::Log& log);
    ~Dispatcher() override;

    void add(Route route);
    /// Method and pattern of every route, in order of registration.
    std::vector<std::pair<http::Method, std::string>> routes() const;
    /// Finishes what runs; later requests get 503.
    void stop();

    std::size_t body_bytes_max(http::Method method, std::string_view path) const override;
    void handle(http::Request request, http::Responder respond) override;
    http::Response refuse(int status, std::string_view reason,
                          const http::Request& request) const override;
    void served(const http::Request& request, int status, std::size_t response_bytes,
                std::int64_t micros) const override;

    std::vector<RequestCount> request_counts() const;

  private:
    struct Counters;

    using Step = std::function<http::Response(Call&)>;
    using Answer = std::function<void(http::Response)>;

    http::Response run(const Route& route, const Step& step, Call& call) const;
    // One step here and now, then what it asked for.
    void proceed(const Route& route, const Step& step, const std::shared_ptr<Call>& call,
                 const Answer& answer);
    void submit(Pool pool, const Route& route, Step step, std::shared_ptr<Call> call,
                Answer answer);
    server::WorkerPool& pool_of(Pool pool);
    http::Response error_response(const ApiError& error, std::string_view request_id) const;
    bool is_refused(std::string_view path, std::string_view origin) const;
    http::Response preflight(const http::Request& request) const;
    void add_cors(const std::string& path, const std::string& origin,
                  http::Response& response) const;

    DispatcherOptions options_;
    const server::Log& log_;
    http::Router router_;
    std::vector<Route> routes_;
    std::unique_ptr<Counters> counters_;
    server::WorkerPool store_pool_;
    server::WorkerPool password_pool_;
    server::WorkerPool outbound_pool_;
    server::WorkerPool functions_pool_;
};

} // namespace tombolo::api
