#pragma once

// POST functions/call (client-http-api.md 6.1): a user function, or with "service" an action of a
// data source; and what functions ask of the layers beside them.

#include <functional>
#include <string>

#include "server/api/client_api.hpp"
#include "server/functions/functions.hpp"

namespace tombolo::api {

/// Runs an action of a data source for the caller. `arguments` is the array that was sent, as
/// Extended JSON text.
using ServiceAction = std::function<http::Response(
    Call& call, const server::App& app, const auth::Caller& caller, const std::string& service,
    const std::string& action, const std::string& arguments)>;

/// Without `service` every service is unknown. Calls of services run on the store pool.
void add_function_routes(Dispatcher& dispatcher, auth::Context& context, ServiceAction service);

/// What context.services, can_evaluate and the app's logs need: set Functions::connect with it.
/// `service` and `can_evaluate` are what the rules engine gives; empty: not available.
functions::Seams function_seams(
    auth::Context& context,
    std::function<Result<std::string>(const functions::ServiceRequest&)> service = {},
    std::function<bool(const functions::Call&, const boost::json::object&)> can_evaluate = {});

/// A call with the app and what the request tells: context.request and the log's members.
functions::Call function_call(const Call& call, std::shared_ptr<const server::App> app);
/// context.request: {httpMethod, httpReferrer, httpUserAgent, rawQueryString, remoteIPAddress,
/// requestHeaders}; no credentials in it.
std::string request_ejson(const http::Request& request);

/// The answer to a failed call (client-http-api.md 6.3).
ApiError to_api_error(const functions::Failure& failure);

} // namespace tombolo::api
