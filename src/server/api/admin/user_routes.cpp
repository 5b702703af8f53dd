// Users and pending registrations (admin-api-and-config.md R11).

#include <algorithm>

#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/auth/password.hpp"
#include "server/auth/userpass.hpp"
#include "server/runtime/json.hpp"
#include "server/runtime/sealer.hpp"
#include "server/store/embedded/layout.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;
using server::App;
using server::string_or;
using store::Space;

namespace {

constexpr std::size_t page_size = 50;

json::array identities(const auth::User& user) {
    json::array out;
    for (const auth::Identity& one : user.identities) {
        json::object identity{
            {"id", one.id}, {"provider_type", one.provider_type}, {"provider_id", one.provider_id}};
        if (!one.data.empty()) {
            identity["provider_data"] = one.data;
        }
        out.push_back(std::move(identity));
    }
    return out;
}

json::object user_json(const auth::User& user) {
    return json::object{{"_id", user.id.to_string()},
                        {"type", user.type},
                        {"identities", identities(user)},
                        {"data", user.merged_data()},
                        {"creation_date", user.created_ms / 1000},
                        {"last_authentication_date", user.last_sign_in_ms / 1000},
                        {"disabled", user.disabled}};
}

bool is_wanted(const auth::User& user, const std::string& status, const std::string& providers) {
    if ((status == "enabled" && user.disabled) || (status == "disabled" && !user.disabled)) {
        return false;
    }
    return providers.empty() ||
           std::any_of(user.identities.begin(), user.identities.end(),
                       [&](const auth::Identity& one) {
                           return ("," + providers + ",").find("," + one.provider_type + ",") !=
                                  std::string::npos;
                       });
}

http::Response list_users(AdminCall& call) {
    const std::string prefix = "users/" + call.app().id.to_string() + "/";
    const std::string after = call.query("after");
    const bool descending = call.query("desc") == "true";
    if (!after.empty() && !ObjectId::parse(after)) {
        throw ApiException(bad_request("'after' must be the id of a user"));
    }
    const std::string begin = after.empty() || descending ? prefix : prefix + after + "~";
    const std::string end =
        !after.empty() && descending ? prefix + after : store::embedded::prefix_end(prefix);
    const auto snapshot = call.context().auth.store.snapshot();
    const auto cursor = snapshot->scan_records(Space::meta, begin, end);
    std::vector<json::object> found;
    while (cursor->next()) {
        const ObjectId id = ObjectId::parse(cursor->key().substr(prefix.size())).value();
        const auth::User user = auth::decode_user(id, cursor->value()).value();
        if (is_wanted(user, call.query("status"), call.query("provider_types"))) {
            found.push_back(user_json(user));
            if (descending && found.size() > 2 * page_size) { // only the last page counts
                found.erase(found.begin(), found.end() - page_size);
            }
        }
        if (!descending && found.size() == page_size) {
            break;
        }
    }
    cursor->status().value();
    if (descending) {
        std::reverse(found.begin(), found.end());
        found.resize(std::min(found.size(), page_size));
    }
    json::array out;
    for (json::object& one : found) {
        out.push_back(std::move(one));
    }
    return json_response(200, out);
}

http::Response create_user(AdminCall& call) {
    const json::object body = call.body();
    const std::string email = required(body, "email");
    const std::string password = required(body, "password");
    auth::Context& context = call.context().auth;
    // Of the deployed app: users belong to no draft.
    const auto app = call.apps().find(call.app().id);
    if (app == nullptr || app->provider("local-userpass") == nullptr) {
        throw ApiException(
            bad_request("the 'local-userpass' authentication provider is not enabled"));
    }
    const ObjectId id = auth::Userpass(context, *app).create_confirmed(email, password);
    return json_response(201, user_json(*auth::Sessions(context).find_user(call.app().id, id)));
}

auth::User user_of(AdminCall& call) {
    const auto id = ObjectId::parse(call.parameter("user"));
    auto user =
        id ? auth::Sessions(call.context().auth).find_user(call.app().id, *id) : std::nullopt;
    if (!user) {
        throw ApiException(not_found("UserNotFound", "user not found"));
    }
    return *std::move(user);
}

http::Response delete_user(AdminCall& call) {
    auth::Sessions(call.context().auth).remove_user(call.app(), user_of(call).id);
    return http::Response::empty(204);
}

http::Response log_user_out(AdminCall& call) {
    auth::Sessions(call.context().auth).revoke_all(call.app().id, user_of(call).id);
    return http::Response::empty(204);
}

http::Response switch_user(AdminCall& call, bool disabled) {
    auth::Sessions(call.context().auth).set_disabled(call.app().id, user_of(call).id, disabled);
    return http::Response::empty(204);
}

http::Response user_devices(AdminCall& call) {
    const auth::User user = user_of(call);
    const auth::Keys keys(call.app().id);
    const std::string prefix = keys.user_sessions(user.id);
    const auto snapshot = call.context().auth.store.snapshot();
    const auto cursor =
        snapshot->scan_records(Space::meta, prefix, store::embedded::prefix_end(prefix));
    json::array out;
    while (cursor->next()) {
        const auto id = ObjectId::parse(cursor->key().substr(prefix.size()));
        const auto record =
            id ? snapshot->record(Space::meta, keys.session(*id)).value() : std::nullopt;
        if (!record) {
            continue;
        }
        const auth::Session session = auth::decode_session(*record).value();
        const bool known = std::any_of(out.begin(), out.end(), [&](const json::value& one) {
            return string_or(one.get_object(), "device_id") == session.device_id;
        });
        if (!known) {
            out.push_back(json::object{{"device_id", session.device_id},
                                       {"platform", ""},
                                       {"platform_version", ""},
                                       {"app_version", ""},
                                       {"sdk_version", ""},
                                       {"last_seen", session.created_ms / 1000}});
        }
    }
    cursor->status().value();
    return json_response(200, out);
}

http::Response verify_token(AdminCall& call) {
    const std::string token = required(call.body(), "token");
    const auth::Context& context = call.context().auth;
    const auth::Tokens::Verified found =
        context.tokens.verify(token, auth::TokenKind::access, context.now_ms() / 1000);
    if (!found.claims && found.problem == auth::Tokens::Problem::expired) {
        return json_response(200, "token expired");
    }
    if (!found.claims || found.claims->app != call.app().id) {
        throw ApiException(invalid_session());
    }
    const auth::TokenClaims& claims = *found.claims;
    const auto data = server::parse_json_object(claims.user_data);
    const auto user = auth::Sessions(call.context().auth).find_user(claims.app, claims.user);
    return json_response(200, json::object{{"sub", claims.user.to_string()},
                                           {"aud", call.app().client_app_id},
                                           {"exp", claims.expires_at},
                                           {"iat", claims.issued_at},
                                           {"iss", claims.session.to_string()},
                                           {"custom_user_data", data ? *data : json::object()},
                                           {"domain_id", claims.app.to_string()},
                                           {"data", user ? user->merged_data() : json::object()},
                                           {"device_id", claims.device_id}});
}

// Pending registrations: addresses that nobody has signed in with yet.

struct Pending {
    std::string address;
    auth::EmailAccount account;
};

json::object pending_json(const App& app, const Pending& pending) {
    return json::object{
        {"_id", pending.account.identity_id},
        {"domain_id", app.id.to_string()},
        {"login_ids", json::array{json::object{{"id_type", "email"}, {"id", pending.address}}}},
        {"user_id", pending.account.user}};
}

http::Response list_pending(AdminCall& call) {
    const std::string prefix = auth::Keys(call.app().id).email({});
    const auto snapshot = call.context().auth.store.snapshot();
    const auto cursor =
        snapshot->scan_records(Space::meta, prefix, store::embedded::prefix_end(prefix));
    const std::string after = call.query("after");
    bool started = after.empty();
    json::array out;
    while (cursor->next() && out.size() < page_size) {
        const Pending one{std::string(cursor->key().substr(prefix.size())),
                          auth::decode_email_account(cursor->value()).value()};
        if (!one.account.user.empty()) {
            continue;
        }
        if (started) {
            out.push_back(pending_json(call.app(), one));
        }
        started = started || one.account.identity_id == after;
    }
    cursor->status().value();
    return json_response(200, out);
}

Pending pending_of(AdminCall& call) {
    const std::string& address = call.parameter("email");
    const auto stored = call.context()
                            .auth.store.snapshot()
                            ->record(Space::meta, auth::Keys(call.app().id).email(address))
                            .value();
    if (!stored) {
        throw ApiException(not_found("UserNotFound", "user not found"));
    }
    Pending found{address, auth::decode_email_account(*stored).value()};
    if (!found.account.user.empty()) {
        throw ApiException(not_found("UserNotFound", "the user is not pending"));
    }
    return found;
}

http::Response delete_pending(AdminCall& call) {
    const Pending found = pending_of(call);
    store::Transaction transaction;
    transaction.erase_record(Space::meta, auth::Keys(call.app().id).email(found.address));
    call.context().auth.store.commit(std::move(transaction)).value();
    return http::Response::empty(204);
}

http::Response confirm_pending(AdminCall& call) {
    Pending found = pending_of(call);
    if (found.account.state == auth::EmailAccount::State::confirmed) {
        throw ApiException(ApiError{400, "UserAlreadyConfirmed", "already confirmed"});
    }
    found.account.state = auth::EmailAccount::State::confirmed;
    store::Transaction transaction;
    transaction.put_record(Space::meta, auth::Keys(call.app().id).email(found.address),
                           auth::encode(found.account));
    call.context().auth.store.commit(std::move(transaction)).value();
    return http::Response::empty(204);
}

http::Response send_confirmation(AdminCall& call) {
    const Pending found = pending_of(call);
    const auto* provider = call.app().provider("local-userpass");
    if (provider == nullptr || provider->userpass.auto_confirm ||
        provider->userpass.run_confirmation_function) {
        throw ApiException(bad_request("confirmation by e-mail is not configured"));
    }
    auth::Userpass(call.context().auth, call.app()).send_confirmation(found.address);
    return http::Response::empty(200);
}

http::Response run_confirmation(AdminCall& call) {
    const Pending found = pending_of(call);
    functions::Call run;
    run.app = call.app_pointer();
    run.request_id = call.request().id;
    run.remote_address = call.request().remote_address;
    auth::Userpass(call.context().auth, call.app()).call_confirmation(found.address, run);
    return http::Response::empty(202);
}

http::Response reset_email(AdminCall& call) {
    const auth::User user = user_of(call);
    const std::string email = required(call.body(), "email");
    auth::Userpass(call.context().auth, call.app()).change_address(user.id, email);
    return http::Response::empty(204);
}

} // namespace

void add_user_routes(RouteTable& table) {
    const std::string user = "users/{user}";
    table.add(Method::get, "users", "Users", 200, list_users);
    AdminRoute create{Method::post, "users", "Create an e-mail user", 201, create_user};
    create.pool = Pool::password;
    table.add(create);
    table.add(Method::post, "users/verify_token", "What an access token says", 200, verify_token);
    table.add(Method::get, user, "One user", 200,
              [](AdminCall& call) { return json_response(200, user_json(user_of(call))); });
    table.add(Method::delete_, user, "Delete a user", 204, delete_user);
    table.add(Method::put, user + "/logout", "End a user's sessions", 204, log_user_out);
    table.add(Method::put, user + "/enable", "Let a user sign in again", 204,
              [](AdminCall& call) { return switch_user(call, false); });
    table.add(Method::put, user + "/disable", "Keep a user from signing in", 204,
              [](AdminCall& call) { return switch_user(call, true); });
    table.add(Method::get, user + "/devices", "A user's devices", 200, user_devices);
    table.add(Method::patch, user + "/reset_email", "Change a user's address", 204, reset_email);
    const std::string pending = "user_registrations/by_email/{email}";
    table.add(Method::get, "user_registrations/pending_users", "Addresses not used yet", 200,
              list_pending);
    table.add(Method::delete_, pending, "Forget a registration", 204, delete_pending);
    table.add(Method::post, pending + "/send_confirm", "Send the confirmation mail again", 200,
              send_confirmation);
    table.add(Method::post, pending + "/confirm", "Confirm an address", 204, confirm_pending);
    AdminRoute run{Method::post, pending + "/run_confirm", "Run the confirmation function again",
                   202, run_confirmation};
    run.pool = Pool::functions;
    table.add(run);
}

} // namespace tombolo::api::admin
