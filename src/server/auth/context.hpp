#pragma once

// What the authentication services share. Borrowed; lives as long as the server.

#include <cstdint>
#include <functional>
#include <string>

#include "server/app/alerts.hpp"
#include "server/app/app_log.hpp"
#include "server/app/app_repository.hpp"
#include "server/auth/throttle.hpp"
#include "server/auth/tokens.hpp"
#include "server/runtime/log.hpp"
#include "server/runtime/measurements.hpp"
#include "server/store/store.hpp"

namespace tombolo::functions {
class Functions;
}

namespace tombolo::auth {

class Mailer;
class KeySets;

struct Context {
    store::Store& store;
    server::AppRepository& apps;
    Tokens& tokens;
    Throttle& throttle;
    Mailer& mailer;
    KeySets& key_sets;
    const server::Log& log;
    std::function<std::int64_t()> now_ms; ///< Unix milliseconds
    std::string public_url;               ///< as clients reach the server; no trailing slash
    /// Answers as for a known user where the API would tell that an address is unknown.
    bool hide_unknown_users = false;
    /// What the app's administrators read; null in tests that need none.
    server::AppLog* app_log = nullptr;
    /// The same, of speed and use; null in tests that need none.
    server::Measurements* measurements = nullptr;
    /// Who is told of what an operator should look at; null in tests that need none.
    server::Alerts* alerts = nullptr;
    /// Runs user functions; null in tests that need none.
    functions::Functions* functions = nullptr;
    /// Told, from any thread, when a user's sessions were all ended: disabled, removed, revoked.
    /// May be empty.
    std::function<void(const ObjectId& app, const ObjectId& user)> on_access_ended = {};
    /// Told, from any thread, when what rules know of a user changed: data of an identity, or the
    /// identities. May be empty.
    std::function<void(const ObjectId& app, const ObjectId& user)> on_user_changed = {};
};

} // namespace tombolo::auth
