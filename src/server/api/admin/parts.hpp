#pragma once

// What several resources know of each other's files: services and sync, providers, functions.
// Internal to api/admin. Functions that change a tree throw ApiException.

#include <optional>
#include <string>

#include "server/api/admin/admin_api.hpp"
#include "server/auth/records.hpp"
#include "server/auth/sessions.hpp"

namespace tombolo::api::admin {

boost::json::object app_json(const server::App& app);

// Services.

/// Where a service's files are: "data_sources/name" or "services/name".
std::string service_folder(const server::AppTree& tree, const std::string& name);
/// Makes the service that a POST body describes; 409 when the name is taken.
void put_service(server::AppTree& tree, const boost::json::object& body);
struct ServiceRef {
    std::string name;
    std::string type;
    bool is_data_source = false;
};
/// By the id in the path; 404 ServiceNotFound.
ServiceRef service_of(const AdminCall& call);
/// The same, 404 when it is no data source.
ServiceRef data_source_of(const AdminCall& call);
std::optional<ServiceRef> service_with_id(const server::App& app, const std::string& id);

// Sync settings of a data source: in sync/config.json for the one that file names, in the source's
// own config for others.

struct SyncBlock {
    bool flexible = true;
    boost::json::object settings; ///< state, database_name, queryable_fields_names, ...
};
std::optional<SyncBlock> sync_block(const server::AppTree& tree, const std::string& service);
void put_sync_block(server::AppTree& tree, const std::string& service, const SyncBlock& block);
/// Hidden file of a tree: providers that exist only because development mode was turned on (3.4).
inline constexpr std::string_view by_development_mode_file = ".tombolo/by_development_mode.json";
void set_development_mode(server::AppTree& tree, bool enabled);
/// Turns a deprecated "permissions" member into rules and takes it out (3.1).
void convert_permissions(server::AppTree& tree, const std::string& service,
                         boost::json::object& settings);

// Rules and schemas.

std::string collection_folder(const std::string& source, const std::string& database,
                              const std::string& collection);
/// Without "_id" in roles and filters.
boost::json::object clean_rule(const boost::json::object& body);
void put_schema(server::AppTree& tree, const std::string& source, const std::string& database,
                const std::string& collection, const boost::json::value* schema,
                const boost::json::value* relationships);

// Functions.

/// Empty: no such function.
std::string function_name(const server::App& app, const std::string& id);
std::string function_id(const server::App& app, const std::string& name);

// Secrets.

/// 400 naming the first that is not defined.
void check_secrets(AdminCall& call, const boost::json::value& secret_config);

/// One text for each changed file.
boost::json::array diff_texts(const server::AppTree& before, const server::AppTree& after);
/// An edit's error as the API words it: what the person did is theirs to mend; others are thrown.
ApiError edit_error(const Error& error);

/// A time in the query, in ISO 8601, as Unix ms; 400 for anything else. Nothing: it is not there.
std::optional<std::int64_t> time_of(const AdminCall& call, const char* name);
/// "2026-11-22T01:02:03.456Z"
std::string iso_time(std::int64_t unix_ms);

/// Files below the folder as {name, type, enabled}.
boost::json::array stored_summaries(const server::App& app, const std::string& folder);

} // namespace tombolo::api::admin
