#pragma once

// Which queries a device may subscribe to (database-and-sdk.md 3.8, device-sync-server.md 3.2-3.4).
//
// Messages are what QUERY_ERROR 226 carries: "Invalid query: "<Class>": ..." naming the first form
// that is not allowed and why. Text beyond limits::subscription_bytes_max is limit_exceeded, all
// else query_invalid or query_unsupported.

#include <string_view>

#include "core/result.hpp"
#include "query/binder.hpp"
#include "query/bound.hpp"
#include "schema/object_schema.hpp"

namespace tombolo::query {

struct SubscriptionRules {
    const schema::QueryableFields& queryable;
    /// The one indexed queryable field, or "": every query of a class that has it must be tied to
    /// its values.
    std::string_view indexed_field;
};

/// Says yes, or what is not allowed.
Result<void> check_subscription(const Query& query, const SubscriptionRules& rules);

/// Text to a query that a subscription may have. `schema` must outlive the result.
Result<Query> compile_subscription(std::string_view text, const schema::Schema& schema,
                                   std::string_view class_name, const SubscriptionRules& rules);

} // namespace tombolo::query
