#pragma once

// HTTP requests and responses as handlers see them: plain values, no Asio, no Beast.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tombolo::http {

// NOLINTNEXTLINE(readability-identifier-naming): delete is a keyword
enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options, other };

std::string_view method_name(Method method) noexcept;

/// Names compare case-insensitively; order is kept.
class Headers {
  public:
    void add(std::string name, std::string value);
    /// Replaces all of that name.
    void set(std::string name, std::string value);
    /// The first value of that name, or an empty view.
    std::string_view find(std::string_view name) const noexcept;
    bool contains(std::string_view name) const noexcept;
    const std::vector<std::pair<std::string, std::string>>& all() const noexcept { return all_; }

  private:
    std::vector<std::pair<std::string, std::string>> all_;
};

struct Request {
    Method method = Method::other;
    /// Percent-decoded, always starting with "/"; what could climb out ("..", NUL) was refused.
    std::string path;
    /// As sent, without the "?".
    std::string query;
    Headers headers;
    std::string body;
    /// The peer's address without port; behind a trusted proxy the one it forwards.
    std::string remote_address;
    /// 24 hex digits, unique; also in the response header x-appservices-request-id.
    std::string id;
    bool secure = false; ///< came over TLS

    /// The first value of that name in the query, percent-decoded ("+" is a space); empty when
    /// absent.
    std::string query_value(std::string_view name) const;
    /// The token of "Authorization: Bearer <token>"; empty when there is none.
    std::string_view bearer_token() const noexcept;
};

class BodyStream; // body_stream.hpp
struct Upgrade;   // websocket.hpp

struct Response {
    int status = 200;
    Headers headers;
    std::string body;
    /// Of status 101: what the connection becomes.
    std::shared_ptr<Upgrade> upgrade;
    /// When set, the body: sent as it is made, in chunks; the connection closes after it.
    std::shared_ptr<BodyStream> stream;

    /// application/json, exactly (client-http-api.md R0-4, R0-5).
    static Response json(int status, std::string body);
    static Response text(int status, std::string body);
    /// No body and so no content type (R0-6).
    static Response empty(int status);
};

/// Answers one request: call it once, from any thread. Dropped without a call it answers 500.
class Responder {
  public:
    using Send = std::function<void(Response)>;

    explicit Responder(Send send);
    Responder(Responder&&) noexcept = default;
    Responder& operator=(Responder&&) noexcept = default;
    ~Responder();

    void operator()(Response response);

  private:
    Send send_;
};

/// What the listener asks of the application.
class Handler {
  public:
    virtual ~Handler() = default;

    /// Largest body accepted for a request; asked before it is read.
    virtual std::size_t body_bytes_max(Method method, std::string_view path) const = 0;
    /// Called on an I/O thread: must not block. Blocking work goes to a pool, which calls
    /// `respond`.
    virtual void handle(Request request, Responder respond) = 0;
    /// Makes the response to a request that never got to handle(): bad syntax, too large, overload.
    /// `request` has its id and what could be read of the rest.
    virtual Response refuse(int status, std::string_view reason, const Request& request) const = 0;
    /// Called after each response was written, for logs and metrics. `micros` is from the request's
    /// last byte to the response.
    virtual void served(const Request& request, int status, std::size_t response_bytes,
                        std::int64_t micros) const = 0;
};

/// Percent-decodes; false on a bad escape.
bool percent_decode(std::string_view text, bool plus_is_space, std::string& out);

/// The standard phrase of a status, "Unknown" for others.
std::string_view reason_phrase(int status) noexcept;

} // namespace tombolo::http
