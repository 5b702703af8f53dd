#pragma once

// The client API, /api/client/v2.0 (client-http-api.md): what published SDKs and realm-web call.
// One file a resource; each adds its routes to the dispatcher.

#include "server/api/dispatcher.hpp"
#include "server/auth/context.hpp"
#include "server/auth/sessions.hpp"

namespace tombolo::api {

inline constexpr std::string_view client_base = "/api/client/v2.0";
inline constexpr std::string_view client_app = "/api/client/v2.0/app/{app}";

void add_location_routes(Dispatcher& dispatcher, auth::Context& context);
void add_login_routes(Dispatcher& dispatcher, auth::Context& context);
void add_userpass_routes(Dispatcher& dispatcher, auth::Context& context);
void add_session_routes(Dispatcher& dispatcher, auth::Context& context);
void add_profile_routes(Dispatcher& dispatcher, auth::Context& context);
void add_api_key_routes(Dispatcher& dispatcher, auth::Context& context);
void add_push_routes(Dispatcher& dispatcher, auth::Context& context);

/// All of the above.
void add_client_routes(Dispatcher& dispatcher, auth::Context& context);

/// /app/{app}/endpoint/{route...}: HTTPS endpoints of apps (admin-api-and-config.md R20). Not a
/// part of the client API's paths, but of its users.
inline constexpr std::string_view endpoint_app = "/app/";
void add_endpoint_routes(Dispatcher& dispatcher, auth::Context& context);

// Shared by the resources.

/// The app in the path; 404 with the text that SDK tests expect, 403 for an address that its access
/// list does not have.
std::shared_ptr<const server::App> app_of(const Call& call, const auth::Context& context);
/// The caller of an app-scoped route: a token of another app is 403 (S-14).
auth::Caller caller_of(const Call& call, auth::Context& context, const server::App& app);
/// The caller of a user-scoped route, whose app is the token's.
auth::Caller caller_of(const Call& call, auth::Context& context, auth::TokenKind kind);
/// The body as an object; an empty body is an empty object.
boost::json::object body_of(const Call& call);
/// The member as a string; 400 MissingParameter or BadRequest.
std::string required_string(const boost::json::object& body, std::string_view key);
/// What a provider finds the credentials in `body` to be; `linking` words its refusal. Blocks on
/// what the provider needs: Pool::password for local-userpass, Pool::outbound for custom-token,
/// Pool::functions for custom-function.
auth::VerifiedIdentity check_credentials(auth::Context& context, const Call& call,
                                         const std::shared_ptr<const server::App>& app,
                                         const std::string& provider,
                                         const boost::json::object& body, bool linking);
/// Counts the request against its address: 429 when there are too many (S-5).
void throttle(const Call& call, auth::Context& context);
/// Whether the Origin may call the app in the path.
CorsDecision cors_decision(const auth::Context& context, std::string_view path,
                           std::string_view origin);

} // namespace tombolo::api
