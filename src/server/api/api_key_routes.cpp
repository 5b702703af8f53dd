// auth/api_keys: a user's own keys (client-http-api.md section 5).

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "server/api/client_api.hpp"
#include "server/auth/api_keys.hpp"

namespace tombolo::api {

namespace {

using boost::json::object;

// Exactly these members: clients compare whole objects (R5-2).
object to_json(const auth::ApiKey& key) {
    return object{{"_id", key.id}, {"name", key.name}, {"disabled", key.disabled}};
}

using Action = http::Response (*)(const auth::ApiKeys&, const auth::Caller&, const Call&);

struct KeyRoute {
    http::Method method;
    const char* suffix;
    Action action;
};

constexpr KeyRoute table[] = {
    {http::Method::post, "",
     [](const auth::ApiKeys& keys, const auth::Caller& caller, const Call& call) {
         const auto created = keys.create(caller, required_string(body_of(call), "name"));
         object body = to_json(created.key);
         body["key"] = created.secret;
         return http::Response::json(201, boost::json::serialize(body));
     }},
    {http::Method::get, "",
     [](const auth::ApiKeys& keys, const auth::Caller& caller, const Call& /*call*/) {
         boost::json::array body;
         for (const auth::ApiKey& key : keys.list(caller)) {
             body.push_back(to_json(key));
         }
         return http::Response::json(200, boost::json::serialize(body));
     }},
    {http::Method::get, "/{key}",
     [](const auth::ApiKeys& keys, const auth::Caller& caller, const Call& call) {
         return http::Response::json(
             200, boost::json::serialize(to_json(keys.find(caller, call.parameter("key")))));
     }},
    {http::Method::delete_, "/{key}",
     [](const auth::ApiKeys& keys, const auth::Caller& caller, const Call& call) {
         keys.remove(caller, call.parameter("key"));
         return http::Response::empty(204);
     }},
    {http::Method::put, "/{key}/enable",
     [](const auth::ApiKeys& keys, const auth::Caller& caller, const Call& call) {
         keys.set_disabled(caller, call.parameter("key"), false);
         return http::Response::empty(204);
     }},
    {http::Method::put, "/{key}/disable",
     [](const auth::ApiKeys& keys, const auth::Caller& caller, const Call& call) {
         keys.set_disabled(caller, call.parameter("key"), true);
         return http::Response::empty(204);
     }},
};

} // namespace

void add_api_key_routes(Dispatcher& dispatcher, auth::Context& context) {
    for (const KeyRoute& one : table) {
        Route route;
        route.method = one.method;
        route.pattern = std::string(client_base) + "/auth/api_keys" + one.suffix;
        route.run = [&context, &one](Call& call) {
            const auth::Caller caller = caller_of(call, context, auth::TokenKind::refresh);
            return one.action(auth::ApiKeys(context), caller, call);
        };
        dispatcher.add(std::move(route));
    }
}

} // namespace tombolo::api
