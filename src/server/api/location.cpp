// GET location: where an app's servers are (client-http-api.md section 1).

#include <boost/json/serialize.hpp>

#include "server/api/client_api.hpp"

namespace tombolo::api {

namespace {

// http -> ws, https -> wss. From configuration, never from the Host header (R1-3).
std::string socket_url(const std::string& url) {
    return url.starts_with("http") ? "ws" + url.substr(4) : url;
}

} // namespace

void add_location_routes(Dispatcher& dispatcher, auth::Context& context) {
    Route route;
    route.method = http::Method::get;
    route.pattern = std::string(client_app) + "/location";
    route.pool = Pool::io;
    route.run = [&context](Call& call) {
        const auto app = app_of(call, context);
        const boost::json::object body{{"deployment_model", app->config.deployment_model},
                                       {"location", app->config.location},
                                       {"hostname", context.public_url},
                                       {"ws_hostname", socket_url(context.public_url)}};
        return http::Response::json(200, boost::json::serialize(body));
    };
    dispatcher.add(std::move(route));
}

} // namespace tombolo::api
