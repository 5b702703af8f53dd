#pragma once

// Data-source services in the client API (client-http-api.md 7): their actions through
// functions/call and inside user functions, under the app's rules.

#include <functional>
#include <string>

#include <boost/json/object.hpp>

#include "server/api/client_api.hpp"
#include "server/api/function_routes.hpp"
#include "server/documents/documents.hpp"
#include "server/documents/watch.hpp"
#include "server/functions/functions.hpp"
#include "server/rules/rule_book.hpp"

namespace tombolo::api {

/// The rules and documents of all apps, as routes and functions need them.
///
/// Thread-safety: all members from any thread; calls block on the store. Outlives the dispatcher
/// and the functions that were given its members.
class DataSources {
  public:
    explicit DataSources(auth::Context& context);

    /// For add_function_routes(): one action for a signed-in user. The answer is canonical Extended
    /// JSON.
    ServiceAction action();
    /// For function_seams(): one action for a running function, by its caller.
    std::function<Result<std::string>(const functions::ServiceRequest&)> function_services();
    /// For function_seams(): whether a function's can_evaluate lets the caller in. An expression
    /// that is wrong lets nobody in.
    std::function<bool(const functions::Call&, const boost::json::object&)> can_evaluate();

    /// GET functions/call: the watch stream (6.5).
    void add_routes(Dispatcher& dispatcher);
    /// Ends all watch streams.
    void stop() { watches_.stop(); }

    /// For sync::ServiceOptions::facts: the user as of now, null when gone or disabled. `app` must
    /// outlive the facts.
    std::shared_ptr<const rules::Facts> facts(const server::App& app, const std::string& user_id);

    rules::RuleBook& rules() noexcept { return rules_; }
    const documents::Documents& documents() const noexcept { return documents_; }
    documents::Documents& documents() noexcept { return documents_; }
    const documents::Watches& watches() const noexcept { return watches_; }

  private:
    http::Response call(Call& call, const server::App& app, const auth::Caller& caller,
                        const std::string& service, const std::string& action,
                        const std::string& arguments) const;
    Result<std::string> call(const functions::ServiceRequest& request) const;
    http::Response watch(Call& call);

    auth::Context& context_;
    rules::RuleBook rules_;
    documents::Documents documents_;
    documents::Watches watches_;
};

/// The facts of a signed-in user with %function, for one request of the client API.
std::shared_ptr<rules::Facts> facts_of(auth::Context& context, const Call& call,
                                       const server::App& app, const auth::User& user,
                                       const std::string& service, const std::string& action);

/// The answer to a failed action.
ApiError document_error(const Error& error);

} // namespace tombolo::api
