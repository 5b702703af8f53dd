// The server itself: state, backup, verification. Routes of ours, for administrators of the whole
// server.
//
// A backup goes where the configuration says, never where a request says: who can call this must
// not choose files on the machine.

#include <boost/json/serialize.hpp>

#include "core/timestamp.hpp"
#include "server/api/admin/admin_api.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;

namespace {

void owners_only(const AdminCall& call) {
    if (call.admin().role != "GROUP_OWNER") {
        throw ApiException(forbidden("Forbidden", "only an owner may do this"));
    }
}

http::Response status(AdminCall& call) {
    const AdminContext& context = call.context();
    const store::StoreStatistics store = context.auth.store.statistics();
    return json_response(
        200,
        json::object{{"version", context.server.version},
                     {"started", Timestamp::from_unix_ms(context.server.started_ms).to_string()},
                     {"apps", call.apps().all().size()},
                     {"store_version", number(context.auth.store.newest_version())},
                     {"commits", store.commits},
                     {"disk_bytes", store.disk_bytes},
                     {"backup_directory", context.server.backup_directory}});
}

http::Response backup(AdminCall& call) {
    owners_only(call);
    const AdminContext& context = call.context();
    const store::Version version = context.auth.store.newest_version();
    const Result<void> made = context.auth.store.backup(context.server.backup_directory);
    if (!made) {
        context.auth.log.error("backup failed", {{"directory", context.server.backup_directory},
                                                 {"error", made.error().what()}});
        throw ApiException(ApiError{500, "InternalServerError",
                                    "the backup into " + context.server.backup_directory +
                                        " failed: " + made.error().message()});
    }
    context.auth.log.info("backup made", {{"directory", context.server.backup_directory},
                                          {"administrator", call.admin().name}});
    return json_response(201, json::object{{"directory", context.server.backup_directory},
                                           {"store_version", number(version)},
                                           {"master_key_file", context.server.master_key_file}});
}

http::Response verify(AdminCall& call) {
    owners_only(call);
    const store::VerifyReport report = take(call.context().auth.store.verify());
    json::array problems;
    for (const std::string& each : report.problems) {
        problems.emplace_back(each);
    }
    return json_response(200, json::object{{"documents", report.documents},
                                           {"past_images", report.past_images},
                                           {"index_entries", report.index_entries},
                                           {"records", report.records},
                                           {"problems", std::move(problems)}});
}

} // namespace

void add_server_routes(RouteTable& table) {
    table.add({Method::get, "server/status", "Show version, size and activity", 200, status,
               Scope::account});
    // They take as long as the disk does: apart from the requests of apps.
    table.add({Method::post, "server/backups", "Make a backup", 201, backup, Scope::account,
               Pool::outbound});
    table.add({Method::post, "server/verify", "Check the store against itself", 200, verify,
               Scope::account, Pool::outbound});
}

} // namespace tombolo::api::admin
