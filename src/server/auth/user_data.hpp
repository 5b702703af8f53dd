#pragma once

// Custom user data: the application's document about a user, shown in the access token
// (client-http-api.md 3.8).

#include <string>

#include "server/auth/context.hpp"

namespace tombolo::auth {

/// Relaxed Extended JSON of the document, or empty when there is none, it is off, or it is too
/// large (which is logged). The document whose field is the id as a string goes before one that has
/// it as an ObjectId; of several the first inserted.
std::string custom_user_data(const Context& context, const server::App& app, const ObjectId& user);

/// Makes the index that the lookup uses. Called when an app is deployed.
Result<void> prepare_custom_user_data(store::Store& store, const server::App& app);

} // namespace tombolo::auth
