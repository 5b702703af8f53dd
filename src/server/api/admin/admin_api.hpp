#pragma once

// The Admin API, /api/admin/v3.0 and /api/private/v1.0 (admin-api-and-config.md 1, 2): what tools,
// SDK test harnesses and the console configure apps with.
//
// One file a resource; each adds its routes to a table, which add_admin_routes() hands to the
// dispatcher. The table also makes the OpenAPI description (openapi.hpp), so that what is served
// and what is described cannot differ.
//
// Every route but the open ones needs an administrator's access token; app routes also need the
// role in the path's group and an app that is there. A change of configuration is an edit of the
// app's tree (AppRepository::edit): validated as a whole, then a deployment, or part of the
// administrator's draft.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "server/api/admin/accounts.hpp"
#include "server/api/dispatcher.hpp"
#include "server/auth/context.hpp"
#include "server/functions/functions.hpp"

namespace tombolo::api::admin {

inline constexpr std::string_view admin_base = "/api/admin/v3.0";
inline constexpr std::string_view private_base = "/api/private/v1.0";

/// What runs sync, for the routes that show or change its state. Null members: the server has no
/// such engine, and what can be answered from the configuration alone is.
struct SyncServices {
    /// Of the initial sync: "accepting", "progress": {"db.coll": {"complete": bool, ...}}, and
    /// "error" when sync cannot start.
    std::function<boost::json::object(const server::App&)> progress;
    /// "error" and "message" of sync that has stopped for good; empty: it has not.
    std::function<boost::json::object(const server::App&)> failure;
    /// Erases a collection, whatever syncs it; true when an app did, whose sync has failed now.
    std::function<Result<bool>(const store::CollectionName&)> drop_collection;
    /// not_found when the app has no such file.
    std::function<Result<void>(const server::App&, std::uint64_t file_ident)> force_reset;
    /// The same; the device is not waited for any more.
    std::function<Result<void>(const server::App&, std::uint64_t file_ident)> expire;
    /// Client files above `after`.
    std::function<Result<boost::json::array>(const server::App&, std::uint64_t after,
                                             std::size_t count_max)>
        devices;
    std::function<Result<boost::json::object>(const server::App&)> history;
    std::function<boost::json::array(const server::App&)> sessions;
    /// Documents that no device gets, and why, a page at a time (device-sync-server.md 2.6).
    std::function<Result<boost::json::object>(const server::App&, std::string_view after,
                                              std::size_t count_max)>
        unsynced;
    /// What uploads lost, newest first, numbered below `before` (0: all).
    struct ConflictQuery {
        std::string user;
        std::string class_name;
        std::string key;
        std::uint64_t before = 0;
        std::size_t count_max = 0;
    };
    std::function<Result<boost::json::object>(const server::App&, const ConflictQuery&)> conflicts;
    /// Writes one back; `by` is the administrator.
    std::function<Result<boost::json::object>(const server::App&, std::uint64_t number,
                                              const std::string& by)>
        restore_conflict;
    /// Why the devices of a user have a document, or not.
    std::function<Result<boost::json::object>(const server::App&, const std::string& user,
                                              const std::string& class_name,
                                              const std::string& key)>
        explain;
};

/// The process, for the routes that are about the server itself.
struct ServerFacts {
    std::string version;
    std::int64_t started_ms = 0;
    std::string backup_directory;
    std::string master_key_file;
};

/// What the Admin API works on. Borrowed; lives as long as the server.
struct AdminContext {
    AdminContext(auth::Context& context, const server::Sealer& sealer)
        : auth(context), accounts(context, sealer) {}

    auth::Context& auth;
    Accounts accounts;
    /// Null member: this server runs no functions.
    std::function<functions::Outcome(const functions::Call&)> run_function;
    /// What is wrong with a source's syntax. Null member: it is not looked at.
    std::function<std::optional<functions::Failure>(const std::string& source)> check_source;
    SyncServices sync;
    ServerFacts server;
    /// What a log forwarder did (LogForwarders::state). Null member: forwarders do not run here.
    std::function<boost::json::object(const server::App&, const std::string& name)> forwarder_state;
};

/// Whose token a route needs, and what its path holds.
enum class Scope : std::uint8_t {
    open,        ///< no token
    digest,      ///< a key pair, by HTTP Digest; the route looks at it
    refresh,     ///< a refresh token
    account,     ///< an administrator
    group,       ///< ... with a role in {group}
    app,         ///< ... and {app} is there
    private_app, ///< the same below /api/private/v1.0
};

/// One request on its way through a route.
class AdminCall {
  public:
    AdminCall(Call& call, AdminContext& context) : call_(call), context_(context) {}

    const http::Request& request() const noexcept { return call_.request; }
    const std::string& parameter(std::string_view name) const { return call_.parameter(name); }
    std::string query(std::string_view name) const { return call_.request.query_value(name); }
    /// `fallback` when it is not there; 400 when it is no number in the range.
    std::uint64_t query_number(std::string_view name, std::uint64_t fallback, std::uint64_t least,
                               std::uint64_t most) const;
    AdminContext& context() const noexcept { return context_; }
    server::AppRepository& apps() const noexcept { return context_.auth.apps; }
    const Admin& admin() const noexcept { return admin_; }
    /// As the administrator sees it: the open draft, else what is deployed. Of app routes.
    const server::App& app() const noexcept { return *app_; }
    const std::shared_ptr<const server::App>& app_pointer() const noexcept { return app_; }

    /// The body as an object; an empty body and null are {} (section 0).
    boost::json::object body() const;
    boost::json::array body_array() const;
    /// Whether bypass_service_change allows what sync would refuse (2.6).
    bool bypasses_sync() const;

    server::Author author() const;
    using Change = std::function<void(server::AppTree& tree, const server::App& app)>;
    /// Edits the app; `change` may throw ApiException. Afterwards app() is the edited one.
    void edit(const Change& change);

  private:
    friend class RouteTable;

    Call& call_;
    AdminContext& context_;
    Admin admin_;
    std::shared_ptr<const server::App> app_;
};

using Handler = std::function<http::Response(AdminCall&)>;

struct AdminRoute {
    http::Method method = http::Method::get;
    /// Below the scope's base: "functions/{function}" of an app, "auth/profile" of an account.
    std::string path;
    std::string summary; ///< one line, for the OpenAPI description
    int success = 200;
    Handler run;
    Scope scope = Scope::app;
    Pool pool = Pool::store;
    std::size_t body_bytes_max = std::size_t{1} << 20;

    /// The whole pattern, base and group included.
    std::string pattern() const;
};

class RouteTable {
  public:
    void add(AdminRoute route) { routes_.push_back(std::move(route)); }
    // An app route.
    void add(http::Method method, std::string path, std::string summary, int success, Handler run) {
        add(AdminRoute{method, std::move(path), std::move(summary), success, std::move(run)});
    }
    const std::vector<AdminRoute>& routes() const noexcept { return routes_; }
    void add_to(Dispatcher& dispatcher, AdminContext& context) const;

  private:
    static http::Response run(const AdminRoute& route, AdminContext& context, Call& call);

    std::vector<AdminRoute> routes_;
};

void add_atlas_routes(RouteTable& table);
void add_auth_routes(RouteTable& table);
void add_app_routes(RouteTable& table);
void add_service_routes(RouteTable& table);
void add_command_routes(RouteTable& table);
void add_rule_routes(RouteTable& table);
void add_schema_routes(RouteTable& table);
void add_sync_routes(RouteTable& table);
void add_sync_inquiry_routes(RouteTable& table);
void add_model_routes(RouteTable& table);
void add_provider_routes(RouteTable& table);
void add_function_routes(RouteTable& table);
void add_dependency_routes(RouteTable& table);
void add_value_routes(RouteTable& table);
void add_user_routes(RouteTable& table);
void add_key_routes(RouteTable& table);
void add_draft_routes(RouteTable& table);
void add_import_routes(RouteTable& table);
void add_alert_routes(RouteTable& table);
void add_log_routes(RouteTable& table);
void add_metric_routes(RouteTable& table);
void add_security_routes(RouteTable& table);
void add_private_routes(RouteTable& table);
void add_stored_routes(RouteTable& table);
void add_data_routes(RouteTable& table);
void add_server_routes(RouteTable& table);

/// All of the above.
const RouteTable& admin_routes();
void add_admin_routes(Dispatcher& dispatcher, AdminContext& context);

// Shared by the resources.

/// The value; an error is thrown. For range-for, which would not keep the Result alive.
template <class T>
T take(Result<T> result) {
    return *std::move(result);
}

http::Response json_response(int status, const boost::json::value& body);
/// The member as a string; 400 MissingParameter or BadRequest.
std::string required(const boost::json::object& body, std::string_view key);
/// 1 to 64 of [A-Za-z0-9_-]; 400 otherwise. `what` names the thing: "a value".
void check_name(const std::string& name, std::string_view what);
bool is_true(const boost::json::object& body, std::string_view key, bool fallback = false);

// Files of a tree as JSON. What is stored was validated: a broken file is an internal error.
boost::json::object read_file(const server::AppTree& tree, const std::string& path);
boost::json::array read_list(const server::AppTree& tree, const std::string& path);
void write_file(server::AppTree& tree, const std::string& path, const boost::json::value& value);

// Ids of parts (App::part_id) through renames.
/// A new part of that name must not get the id of one that was renamed.
void claim_id(server::AppTree& tree, const server::App& app, const std::string& kind,
              const std::string& name);
void move_id(server::AppTree& tree, const server::App& app, const std::string& kind,
             const std::string& from, const std::string& to);

} // namespace tombolo::api::admin
