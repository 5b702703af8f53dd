#pragma once

// What rules can ask about the one who acts: the values of the %%user, %%values, %%environment and
// %%request expansions (device-sync-server.md 4.4), and the seam through which %function is called.
//
// Facts are taken once for a request or a session and do not change in it: a rule bound to them
// (access.hpp) is a fixed tree.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::rules {

/// Runs the app's function `name` for a %function expression. The result's truth, or the result
/// itself where the expression compares it, decides. An error denies.
using FunctionRunner = std::function<Result<mql::BsonValue>(
    const std::string& name, const std::vector<mql::BsonValue>& arguments)>;

struct Facts {
    std::string user_id; ///< as text: for the log, and for %%user.id
    /// %%user without custom_data: {id, type, data, identities: [{id, provider_type,
    /// providerType}]}.
    mql::BsonDocument user;
    /// %%user.custom_data; asked for once, and only by rules that use it. Null: an empty document.
    std::function<mql::BsonDocument()> custom_data;
    /// %%request: {httpMethod, httpReferrer, httpUserAgent, rawQueryString, remoteIPAddress,
    /// requestHeaders, service, action}. Empty where there is none (sync).
    mql::BsonDocument request;
    /// Null: %function denies.
    FunctionRunner function;
};

} // namespace tombolo::rules
