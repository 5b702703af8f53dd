// GET realm-sync: the upgrade to a sync connection (sync-protocol.md 1.2 to 1.6).

#include "server/api/realm_sync.hpp"
#include "server/api/client_api.hpp"
#include "server/sync/session/service.hpp"

namespace tombolo::api {

namespace {

using server::sync::SyncService;

// Who asks, by the token in the query: there is no Authorization header.
server::sync::SyncUser user_of(const Call& call, auth::Context& context, const server::App& app) {
    const auth::Sessions sessions(context);
    const auth::Caller caller =
        sessions.caller(call.request.query_value("baas_at"), auth::TokenKind::access);
    if (caller.app->id != app.id) {
        throw ApiException(forbidden("UserAppDomainMismatch", "the token belongs to another app"));
    }
    const auth::User user = sessions.user(caller);
    if (!sessions.is_live(caller)) {
        throw ApiException(invalid_session());
    }
    return {user.id.to_string()};
}

http::Response answer(Result<http::Response> response) {
    if (response) {
        return *std::move(response);
    }
    if (response.error().code() == ErrorCode::unavailable) {
        throw ApiException(too_busy(503, response.error().what()));
    }
    throw ApiException(bad_request(response.error().what()));
}

http::Response connect(Call& call, auth::Context& context, SyncService& service) {
    const auto app = app_of(call, context);
    if (!http::asks_for_websocket(call.request)) {
        throw ApiException(bad_request("this address is for sync WebSockets"));
    }
    try {
        return answer(service.accept(call.request, app, user_of(call, context, *app)));
    } catch (const ApiException& exception) {
        // A browser shows its page no status, so the connection is made to be closed (1.6).
        const int status = exception.error().status;
        if (call.request.headers.contains("origin") && (status == 401 || status == 403)) {
            const std::uint16_t code = status == 401 ? 4001 : 4002;
            return answer(SyncService::accept_to_close(call.request, code, exception.error().text));
        }
        throw;
    }
}

} // namespace

void add_sync_routes(Dispatcher& dispatcher, auth::Context& context, SyncService& service) {
    Route route;
    route.method = http::Method::get;
    route.pattern = std::string(client_app) + "/realm-sync";
    route.run = [&context, &service](Call& call) { return connect(call, context, service); };
    dispatcher.add(std::move(route));
}

} // namespace tombolo::api
