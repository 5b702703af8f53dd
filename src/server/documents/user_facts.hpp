#pragma once

// A user of an app as rules see them (rules/facts.hpp).

#include <memory>
#include <string_view>

#include "server/auth/context.hpp"
#include "server/auth/records.hpp"
#include "server/http/message.hpp"
#include "server/rules/facts.hpp"

namespace tombolo::documents {

/// The user as of now; custom data is read when a rule asks for it, so `context` and `app` must
/// outlive the facts.
std::shared_ptr<rules::Facts> user_facts(const auth::Context& context, const server::App& app,
                                         const auth::User& user);

/// %%request of a request for an action of a service. Tokens and cookies are left out.
mql::BsonDocument request_facts(const http::Request& request, std::string_view service,
                                std::string_view action);

} // namespace tombolo::documents
