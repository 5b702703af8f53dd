// Push registration: tokens are stored; delivering to them is not part of this server yet
// (client-http-api.md 8.1).

#include <algorithm>

#include "server/api/client_api.hpp"
#include "server/auth/records.hpp"
#include "server/auth/sessions.hpp"

namespace tombolo::api {

void add_push_routes(Dispatcher& dispatcher, auth::Context& context) {
    for (const http::Method method : {http::Method::put, http::Method::delete_}) {
        Route route;
        route.method = method;
        route.pattern = std::string(client_app) + "/push/providers/{service}/registration";
        route.run = [&context, method](Call& call) {
            const auto app = app_of(call, context);
            const auth::Caller caller = caller_of(call, context, *app);
            const auth::User user = auth::Sessions(context).user(caller);
            const std::string& service = call.parameter("service");
            const auto& services = app->config.push_services;
            if (std::find(services.begin(), services.end(), service) == services.end()) {
                throw ApiException(
                    not_found("ServiceNotFound", "service not found: '" + service + "'"));
            }
            const std::string key = auth::Keys(app->id).push(service, user.id);
            store::Transaction transaction;
            if (method == http::Method::put) {
                transaction.put_record(store::Space::meta, key,
                                       required_string(body_of(call), "registrationToken"));
            } else {
                transaction.erase_record(store::Space::meta, key);
            }
            context.store.commit(std::move(transaction)).value();
            return http::Response::empty(204);
        };
        dispatcher.add(std::move(route));
    }
}

} // namespace tombolo::api
