// The email/password provider's calls: POST auth/providers/local-userpass/... (client-http-api.md
// section 4).

#include "core/ejson.hpp"
#include "server/api/client_api.hpp"
#include "server/api/function_routes.hpp"
#include "server/auth/userpass.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api {

namespace {

using boost::json::object;

// What a route works on.
struct Input {
    Call& call;
    auth::Context& context;
    std::shared_ptr<const server::App> app;
    const object& body;

    auth::Userpass userpass() const { return auth::Userpass(context, *app); }
};

using Action = void (*)(const Input&);

// Goes on with `step` where functions may be waited for.
template <class Step>
void then_on_functions(const Input& input, int success, Step step) {
    input.call.continue_on(Pool::functions, [&context = input.context, app = input.app, success,
                                             step = std::move(step)](Call& call) {
        step(auth::Userpass(context, *app), function_call(call, app));
        return http::Response::empty(success);
    });
}

struct UserpassRoute {
    const char* suffix;
    int success;
    Pool pool;
    Action action;
};

void register_user(const Input& input) {
    const std::string address = required_string(input.body, "email");
    const auth::Userpass userpass = input.userpass();
    userpass.register_user(address, required_string(input.body, "password"));
    if (userpass.confirms_by_function()) {
        then_on_functions(input, 201,
                          [address](const auth::Userpass& next, const functions::Call& call) {
                              next.confirm_registered(address, call);
                          });
    }
}

void call_confirmation(const Input& input) {
    input.userpass().call_confirmation(required_string(input.body, "email"),
                                       function_call(input.call, input.app));
}

void call_reset(const Input& input) {
    const auth::Userpass::PreparedReset reset = input.userpass().prepare_reset(
        required_string(input.body, "email"), required_string(input.body, "password"));
    std::string arguments = "[]";
    const auto members = server::json_members(input.call.request.body).value();
    for (const auto& [key, raw] : members) {
        if (key == "arguments" && raw != "null") {
            arguments = std::string(raw);
        }
    }
    if (!ejson_array_to_bson(arguments)) {
        throw ApiException(bad_request("'arguments' must be an array"));
    }
    then_on_functions(input, 202,
                      [reset, arguments](const auth::Userpass& next, const functions::Call& call) {
                          next.call_reset(reset, arguments, call);
                      });
}

constexpr UserpassRoute table[] = {
    {"register", 201, Pool::password, register_user},
    {"confirm", 200, Pool::store,
     [](const Input& input) {
         input.userpass().confirm(required_string(input.body, "token"),
                                  required_string(input.body, "tokenId"));
     }},
    {"confirm/send", 202, Pool::store,
     [](const Input& input) {
         input.userpass().send_confirmation(required_string(input.body, "email"));
     }},
    {"confirm/call", 202, Pool::functions, call_confirmation},
    {"reset/send", 202, Pool::store,
     [](const Input& input) { input.userpass().send_reset(required_string(input.body, "email")); }},
    {"reset", 200, Pool::password,
     [](const Input& input) {
         input.userpass().reset(required_string(input.body, "password"),
                                required_string(input.body, "token"),
                                required_string(input.body, "tokenId"));
     }},
    {"reset/call", 202, Pool::password, call_reset},
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
            const object body = body_of(call);
            one.action(Input{call, context, app, body});
            return http::Response::empty(one.success);
        };
        dispatcher.add(std::move(route));
    }
}

} // namespace tombolo::api
