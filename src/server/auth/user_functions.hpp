#pragma once

// User functions that authentication runs: the custom-function provider (client-http-api.md 2.9),
// confirmation and reset of e-mail users (section 4), and the function for new users
// (admin-api-and-config.md R16). All of them run as the system, whatever their settings say, and
// may be private.
//
// Each takes the call to make with its app and request filled in. Blocking: on the functions pool.
// Failures are ApiException.

#include <string>

#include "server/auth/context.hpp"
#include "server/auth/sessions.hpp"
#include "server/functions/functions.hpp"

namespace tombolo::auth {

/// As whom a user's own calls run: context.user, where custom data is {} unless wanted.
functions::Caller function_caller(const Context& context, const server::App& app, const User& user,
                                  bool with_custom_data = true);
/// context.user as Extended JSON: {id, type, data, custom_data, identities}.
std::string user_ejson(const Context& context, const server::App& app, const User& user,
                       bool with_custom_data = true);

/// The identity that the provider's function finds behind `payload` (Extended JSON). `linking`
/// changes the answer to bad credentials from 401 to 400 (R2-6).
VerifiedIdentity check_custom_function(Context& context, const server::ProviderConfig& provider,
                                       const std::string& payload, functions::Call call,
                                       bool linking);

enum class Verdict : std::uint8_t { success, pending, fail };

/// What a confirmation or reset function says: {status: "success" | "pending" | "fail"}. `name`
/// names it; `arguments` is an array. A function that fails in whatever way says fail, and the log
/// says why.
Verdict ask_verdict(Context& context, const std::string& name, std::string arguments,
                    functions::Call call);

/// Runs the app's function for a new user, before the first token is made, so that the token has
/// the custom data that it writes.
void run_user_creation_function(Context& context, const User& user, functions::Call call);

} // namespace tombolo::auth
