// Alerts of an app and of the server (device-sync-server.md 8.7). A route of ours.

#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/app/alerts.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;

namespace {

http::Response alerts(AdminCall& call) {
    const std::size_t count_max = call.query_number("limit", 100, 1, 1000);
    json::array out;
    if (call.context().auth.alerts != nullptr) {
        out = take(call.context().auth.alerts->find(call.app().id, count_max));
    }
    for (json::value& each : out) {
        json::object& alert = each.as_object();
        alert["time"] = iso_time(alert["time_ms"].as_int64());
        alert.stable_erase("time_ms");
    }
    return json_response(200, out);
}

} // namespace

void add_alert_routes(RouteTable& table) {
    table.add(Method::get, "alerts", "Alerts of the app and of the server, newest first", 200,
              alerts);
}

} // namespace tombolo::api::admin
