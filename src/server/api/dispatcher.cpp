#include "server/api/dispatcher.hpp"

#include <algorithm>
#include <map>
#include <mutex>

namespace tombolo::api {

namespace {

// S-15: the request itself is blocked too, not only its preflight.
ApiError origin_refused() {
    return {403, "OriginNotAllowed", "this origin may not call this app"};
}

} // namespace

struct Dispatcher::Counters {
    struct Sum {
        std::uint64_t count = 0;
        std::uint64_t micros = 0;
    };
    mutable std::mutex mutex;
    std::map<std::pair<std::string, int>, Sum> sums; // guarded by mutex
};

const std::string& Call::parameter(std::string_view name) const {
    for (const auto& [key, value] : path) {
        if (key == name) {
            return value;
        }
    }
    throw Error(ErrorCode::internal, "the route has no parameter", std::string(name));
}

Dispatcher::Dispatcher(DispatcherOptions options, const server::Log& log)
    : options_(std::move(options)), log_(log), counters_(std::make_unique<Counters>()),
      store_pool_({"store", options_.store_threads, options_.store_queue_max, false}),
      password_pool_({"password", options_.password_threads, options_.password_queue_max, false}),
      outbound_pool_({"outbound", options_.outbound_threads, options_.outbound_queue_max, false}),
      functions_pool_(
          {"functions", options_.functions_threads, options_.functions_queue_max, false}) {}

Dispatcher::~Dispatcher() {
    stop();
}

void Dispatcher::stop() {
    store_pool_.stop();
    password_pool_.stop();
    outbound_pool_.stop();
    functions_pool_.stop();
}

void Dispatcher::add(Route route) {
    router_.add(route.method, route.pattern, routes_.size());
    routes_.push_back(std::move(route));
}

std::vector<std::pair<http::Method, std::string>> Dispatcher::routes() const {
    std::vector<std::pair<http::Method, std::string>> out;
    for (const Route& route : routes_) {
        out.emplace_back(route.method, route.pattern);
    }
    return out;
}

std::size_t Dispatcher::body_bytes_max(http::Method method, std::string_view path) const {
    const http::Router::Match match = router_.match(method, path);
    // Unknown paths get a small body read and thrown away, so that the answer can be a clean 404.
    return match.kind == http::Router::Match::Kind::found ? routes_[match.route].body_bytes_max
                                                          : std::size_t{64} * 1024;
}

void Dispatcher::handle(http::Request request, http::Responder respond) {
    const std::string path = request.path;
    const std::string origin(request.headers.find("origin"));
    const auto answer = [this, path, origin](http::Responder& to, http::Response response) {
        add_cors(path, origin, response);
        to(std::move(response));
    };
    if (request.method == http::Method::options) {
        answer(respond, preflight(request));
        return;
    }
    if (is_refused(path, origin)) {
        respond(error_response(origin_refused(), request.id));
        return;
    }
    http::Router::Match match = router_.match(request.method, request.path);
    using Kind = http::Router::Match::Kind;
    const bool reads = request.method == http::Method::get || request.method == http::Method::head;
    if (match.kind == Kind::no_path && reads && options_.files != nullptr &&
        options_.files->contains(path)) {
        answer(respond, options_.files->respond(request));
        return;
    }
    if (match.kind != Kind::found) {
        const ApiError error =
            match.kind == Kind::no_path
                ? ApiError{404, "NotFound", "there is no such path: " + path}
                : ApiError{405, "MethodNotAllowed", "this path does not answer this method"};
        http::Response response = error_response(error, request.id);
        if (match.kind == Kind::no_method) {
            std::string allowed;
            for (const http::Method method : match.allowed) {
                allowed += allowed.empty() ? "" : ", ";
                allowed += http::method_name(method);
            }
            response.headers.set("Allow", allowed);
        }
        answer(respond, std::move(response));
        return;
    }
    const Route& route = routes_[match.route];
    auto call = std::make_shared<Call>(Call{std::move(request), std::move(match.parameters)});
    auto shared = std::make_shared<http::Responder>(std::move(respond));
    const Answer send = [shared, answer](http::Response response) {
        answer(*shared, std::move(response));
    };
    if (route.pool == Pool::io) {
        proceed(route, route.run, call, send);
    } else {
        submit(route.pool, route, route.run, std::move(call), send);
    }
}

void Dispatcher::proceed(const Route& route, const Step& step, const std::shared_ptr<Call>& call,
                         const Answer& answer) {
    http::Response response = run(route, step, *call);
    if (call->next_step) {
        submit(call->next_pool, route, std::exchange(call->next_step, nullptr), call, answer);
    } else {
        if (options_.observe) {
            options_.observe(*call, route.pattern, response);
        }
        answer(std::move(response));
    }
}

// NOLINTBEGIN(performance-unnecessary-value-param): both live on in what the pool runs
void Dispatcher::submit(Pool pool, const Route& route, Step step, std::shared_ptr<Call> call,
                        Answer answer) {
    // NOLINTEND(performance-unnecessary-value-param)
    const bool taken = pool_of(pool).submit([this, &route, step = std::move(step), call, answer] {
        proceed(route, step, call, answer);
    });
    if (taken) {
        return;
    }
    ApiError busy = too_busy(429, "too many sign-ins at once; try again");
    if (pool == Pool::store) {
        busy = too_busy(503, "the server is busy; try again");
    } else if (pool == Pool::functions) {
        busy = too_busy(429, "too many function calls at once; try again");
    }
    answer(error_response(busy, call->request.id));
}

http::Response Dispatcher::error_response(const ApiError& error,
                                          std::string_view request_id) const {
    return to_response(error, options_.public_url ? options_.public_url() : std::string(),
                       request_id);
}

server::WorkerPool& Dispatcher::pool_of(Pool pool) {
    switch (pool) {
    case Pool::password:
        return password_pool_;
    case Pool::outbound:
        return outbound_pool_;
    case Pool::functions:
        return functions_pool_;
    case Pool::io:
    case Pool::store:
        break;
    }
    return store_pool_;
}

http::Response Dispatcher::run(const Route& route, const Step& step, Call& call) const {
    try {
        return step(call);
    } catch (const ApiException& exception) {
        call.next_step = nullptr;
        return error_response(exception.error(), call.request.id);
    } catch (const Error& error) {
        log_.error("request failed", {{"request", call.request.id},
                                      {"route", route.pattern},
                                      {"code", std::string(error_code_name(error.code()))},
                                      {"error", error.what()}});
        call.next_step = nullptr;
        if (error.code() == ErrorCode::disk_full || error.code() == ErrorCode::unavailable) {
            return error_response(too_busy(503, "the server cannot write now; try again later"),
                                  call.request.id);
        }
    } catch (const std::exception& error) {
        log_.error(
            "request failed",
            {{"request", call.request.id}, {"route", route.pattern}, {"error", error.what()}});
    }
    call.next_step = nullptr;
    return error_response(internal_error(), call.request.id);
}

bool Dispatcher::is_refused(std::string_view path, std::string_view origin) const {
    return options_.cors && !origin.empty() &&
           options_.cors(path, origin).kind == CorsDecision::Kind::refused;
}

http::Response Dispatcher::preflight(const http::Request& request) const {
    if (is_refused(request.path, request.headers.find("origin"))) {
        return error_response(origin_refused(), request.id);
    }
    http::Response response = http::Response::empty(204);
    response.headers.set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS");
    response.headers.set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept");
    response.headers.set("Access-Control-Max-Age", "600");
    return response;
}

void Dispatcher::add_cors(const std::string& path, const std::string& origin,
                          http::Response& response) const {
    if (origin.empty()) {
        return;
    }
    const CorsDecision decision =
        options_.cors ? options_.cors(path, origin) : CorsDecision{CorsDecision::Kind::any};
    if (decision.kind == CorsDecision::Kind::refused) {
        return;
    }
    if (decision.kind == CorsDecision::Kind::listed) {
        response.headers.set("Access-Control-Allow-Origin", origin);
        response.headers.set("Access-Control-Allow-Credentials", "true");
        response.headers.set("Vary", "Origin");
    } else {
        response.headers.set("Access-Control-Allow-Origin", "*");
    }
    response.headers.set("Access-Control-Expose-Headers",
                         "x-baas-location, x-appservices-request-id");
}

http::Response Dispatcher::refuse(int status, std::string_view reason,
                                  const http::Request& request) const {
    const char* code = status == 413   ? "ReadSizeLimitExceeded"
                       : status == 503 ? "ServiceUnavailable"
                                       : "BadRequest";
    http::Response response = error_response({status, code, std::string(reason)}, request.id);
    add_cors(request.path, std::string(request.headers.find("origin")), response);
    return response;
}

void Dispatcher::served(const http::Request& request, int status, std::size_t response_bytes,
                        std::int64_t micros) const {
    const http::Router::Match match = router_.match(request.method, request.path);
    const bool known = match.kind == http::Router::Match::Kind::found;
    const std::string pattern = known ? routes_[match.route].pattern : "other";
    {
        const std::lock_guard lock(counters_->mutex);
        Counters::Sum& sum = counters_->sums[{pattern, status}];
        ++sum.count;
        sum.micros += static_cast<std::uint64_t>(std::max<std::int64_t>(micros, 0));
    }
    // The query is left out: it can hold a token (client-http-api.md S-9).
    if (log_.enabled(server::LogLevel::debug)) {
        log_.debug("served", {{"request", request.id},
                              {"method", std::string(http::method_name(request.method))},
                              {"path", request.path},
                              {"status", std::to_string(status)},
                              {"bytes", std::to_string(response_bytes)},
                              {"micros", std::to_string(micros)},
                              {"remote", request.remote_address}});
    }
}

std::vector<RequestCount> Dispatcher::request_counts() const {
    const std::lock_guard lock(counters_->mutex);
    std::vector<RequestCount> out;
    for (const auto& [key, sum] : counters_->sums) {
        out.push_back({key.first, key.second, sum.count, sum.micros});
    }
    return out;
}

} // namespace tombolo::api
