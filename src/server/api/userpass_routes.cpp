// The email/password provider's calls: POST auth/providers/local-userpass/... (client-http-api.md
// section 4).

#include "server/api/client_api.hpp"
#include "server/auth/userpass.hpp"

namespace tombolo::api {

namespace {

using boost::json::object;
using Action = void (*)(const auth::Userpass&, const object&);

struct UserpassRoute {
    const char* suffix;
    int success;
    Pool pool;
    Action action;
};

constexpr UserpassRoute table[] = {
    {"register", 201, Pool::password,
     [](const auth::Userpass& userpass, const object& body) {
         userpass.register_user(required_string(body, "email"), required_string(body, "password"));
     }},
    {"confirm", 200, Pool::store,
     [](const auth::Userpass& userpass, const object& body) {
         userpass.confirm(required_string(body, "token"), required_string(body, "tokenId"));
     }},
    {"confirm/send", 202, Pool::store,
     [](const auth::Userpass& userpass, const object& body) {
         userpass.send_confirmation(required_string(body, "email"));
     }},
    {"confirm/call", 202, Pool::store,
     [](const auth::Userpass& userpass, const object& body) {
         userpass.call_confirmation(required_string(body, "email"));
     }},
    {"reset/send", 202, Pool::store,
     [](const auth::Userpass& userpass, const object& body) {
         userpass.send_reset(required_string(body, "email"));
     }},
    {"reset", 200, Pool::password,
     [](const auth::Userpass& userpass, const object& body) {
         userpass.reset(required_string(body, "password"), required_string(body, "token"),
                        required_string(body, "tokenId"));
     }},
    {"reset/call", 202, Pool::password,
     [](const auth::Userpass& userpass, const object& body) {
         userpass.call_reset(required_string(body, "email"), required_string(body, "password"));
     }},
};

} // namespace

void add_userpass_routes(Dispatcher& dispatcher, auth::Context& context) {
    for (const UserpassRoute& one : table) {
        Route route;
        route.method = http::Method::post;
        route.pattern = std::string(client_app) + "/auth/providers/local-userpass/" + one.suffix;
        route.pool = one.pool;
        route.run = [&context, &one](Call& call) {
            throttle(call, context);
            const auto app = app_of(call, context);
            one.action(auth::Userpass(context, *app), body_of(call));
            return http::Response::empty(one.success);
        };
        dispatcher.add(std::move(route));
    }
}

} // namespace tombolo::api
