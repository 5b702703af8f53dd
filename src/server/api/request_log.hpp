#pragma once

// Sign-ins, registrations and the like in the app's logs (admin-api-and-config.md R17, A-14).
// Function calls and document operations write entries of their own.

#include "server/api/dispatcher.hpp"
#include "server/auth/context.hpp"

namespace tombolo::api {

/// Adds an AUTH entry when the route belongs to an app's authentication providers. Never blocks.
void log_sign_in(const auth::Context& context, const Call& call, const std::string& pattern,
                 const http::Response& answer);

} // namespace tombolo::api
