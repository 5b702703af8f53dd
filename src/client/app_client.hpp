#pragma once

// The client API of one app, as far as a device needs it: where the app lives, signing in, a new
// access token (client-http-api.md 1, 2, 3).
//
// Thread-safety: none. Errors: unavailable or io when there is no answer; access_denied and
// invalid_argument with the server's words.

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "client/http_client.hpp"
#include "core/result.hpp"

namespace tombolo::client {

struct AppAddress {
    std::string base_url; ///< http or https, host and port
    std::string app_id;   ///< client app id
    std::string ca_file;  ///< empty: the system's authorities
};

/// What a user's device presents.
struct UserTokens {
    std::string user_id;
    std::string access_token;
    std::string refresh_token;
};

class AppClient {
  public:
    explicit AppClient(AppAddress address);

    const AppAddress& address() const noexcept { return address_; }

    /// ws://host:port of the app's sync socket. Asked once, and again after forget_location().
    Result<std::string> socket_origin();
    void forget_location() { socket_origin_.clear(); }

    /// `provider` as the API names it: anon-user, local-userpass, api-key, custom-token,
    /// custom-function.
    Result<UserTokens> log_in(std::string_view provider, const boost::json::object& credentials);
    Result<void> register_user(std::string_view email, std::string_view password);
    /// A new access token. access_denied: the session is over.
    Result<std::string> renew(const std::string& refresh_token);

  private:
    Result<boost::json::object> call(const std::string& method, const std::string& path,
                                     const boost::json::object* body, const std::string& token);

    AppAddress address_;
    HttpClient http_;
    std::string socket_origin_;
};

} // namespace tombolo::client
