// POST and DELETE auth/session: refresh and sign-out (client-http-api.md 3.2, 3.3).

#include <boost/json/serialize.hpp>

#include "server/api/client_api.hpp"
#include "server/auth/sessions.hpp"

namespace tombolo::api {

void add_session_routes(Dispatcher& dispatcher, auth::Context& context) {
    Route refresh;
    refresh.method = http::Method::post;
    refresh.pattern = std::string(client_base) + "/auth/session";
    refresh.run = [&context](Call& call) {
        throttle(call, context);
        const auth::Sessions sessions(context);
        const auth::Caller caller = caller_of(call, context, auth::TokenKind::refresh);
        const boost::json::object body{{"access_token", sessions.refresh(caller)}};
        return http::Response::json(201, boost::json::serialize(body));
    };
    dispatcher.add(std::move(refresh));

    Route sign_out;
    sign_out.method = http::Method::delete_;
    sign_out.pattern = std::string(client_base) + "/auth/session";
    sign_out.run = [&context](Call& call) {
        const auth::Sessions sessions(context);
        sessions.sign_out(caller_of(call, context, auth::TokenKind::refresh));
        return http::Response::empty(204);
    };
    dispatcher.add(std::move(sign_out));
}

} // namespace tombolo::api
