// GET auth/profile and DELETE auth/delete (client-http-api.md 3.5, 3.6).

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "server/api/client_api.hpp"
#include "server/auth/sessions.hpp"

namespace tombolo::api {

namespace {

using boost::json::object;

// Members that SDKs read as strings: realm-core stops at another type (3.5), and a mapped claim may
// have one.
void make_well_known_text(object& data) {
    static constexpr std::string_view names[] = {
        "name",      "email",  "picture",  "picture_url", "first_name",
        "last_name", "gender", "birthday", "min_age",     "max_age"};
    for (const std::string_view name : names) {
        const boost::json::value* value = data.if_contains(name);
        if (value == nullptr || value->is_string()) {
            continue;
        }
        if (value->is_null()) {
            data.erase(name);
        } else {
            data[name] = boost::json::serialize(*value);
        }
    }
}

object profile_of(const auth::Caller& caller, const auth::User& user) {
    boost::json::array identities;
    for (const auth::Identity& identity : user.identities) {
        identities.push_back(object{{"id", identity.id},
                                    {"provider_type", identity.provider_type},
                                    {"provider_id", identity.provider_id},
                                    {"data", identity.data}});
    }
    object data = user.merged_data();
    make_well_known_text(data);
    // Two spellings in the clients (3.5).
    if (data.contains("picture") && !data.contains("picture_url")) {
        data["picture_url"] = data["picture"];
    } else if (data.contains("picture_url") && !data.contains("picture")) {
        data["picture"] = data["picture_url"];
    }
    return object{{"user_id", user.id.to_string()},
                  {"domain_id", caller.app->id.to_string()},
                  {"identities", std::move(identities)},
                  {"data", std::move(data)},
                  {"type", user.type}};
}

} // namespace

void add_profile_routes(Dispatcher& dispatcher, auth::Context& context) {
    Route profile;
    profile.method = http::Method::get;
    profile.pattern = std::string(client_base) + "/auth/profile";
    profile.run = [&context](Call& call) {
        const auth::Sessions sessions(context);
        const auth::Caller caller = caller_of(call, context, auth::TokenKind::access);
        return http::Response::json(
            200, boost::json::serialize(profile_of(caller, sessions.user(caller))));
    };
    dispatcher.add(std::move(profile));

    Route remove;
    remove.method = http::Method::delete_;
    remove.pattern = std::string(client_base) + "/auth/delete";
    remove.run = [&context](Call& call) {
        const auth::Sessions sessions(context);
        sessions.remove_user(caller_of(call, context, auth::TokenKind::access));
        return http::Response::empty(204);
    };
    dispatcher.add(std::move(remove));
}

} // namespace tombolo::api
