// What the published command line asks the cloud's own API for: projects, and the data stores that
// an app may link (admin-api-and-config.md 1). With HTTP Digest over the same key pairs.
//
// Errors have that API's form: {"error": status, "reason": phrase, "detail": text}.

#include <set>

#include <boost/json/serialize.hpp>

#include "server/api/admin/admin_api.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;

namespace {

// The one store of this server, by the name that the cloud gives to the first one of a project.
constexpr const char* default_cluster = "Cluster0";

http::Response failure(int status, const std::string& detail) {
    return json_response(status, json::object{{"error", status},
                                              {"reason", http::reason_phrase(status)},
                                              {"detail", detail}});
}

http::Response list_of(json::array results) {
    const std::size_t count = results.size();
    return json_response(200, json::object{{"results", std::move(results)},
                                           {"links", json::array()},
                                           {"totalCount", count}});
}

json::object project() {
    return json::object{{"id", group_id().to_string()}, {"name", "tombolo"}};
}

json::array clusters(const AdminCall& call) {
    std::set<std::string> names{default_cluster};
    for (const auto& app : call.apps().all()) {
        for (const server::DataSourceConfig& source : app->config.data_sources) {
            if (source.type == "mongodb-atlas" && !source.address.empty()) {
                names.insert(source.address);
            }
        }
    }
    json::array out;
    for (const std::string& name : names) {
        const std::string id = to_hex(as_bytes(server::sha256("cluster/" + name))).substr(0, 24);
        out.push_back(json::object{{"id", id}, {"name", name}, {"stateName", "IDLE"}});
    }
    return out;
}

// Who signed the request; every refusal is an answer that asks to sign in.
http::Response signed_in(AdminCall& call, const Handler& handler) {
    Accounts& accounts = call.context().accounts;
    const Accounts::DigestCaller caller = accounts.digest_caller(call.request());
    if (!caller.admin) {
        http::Response response = failure(401, caller.problem);
        response.headers.set("WWW-Authenticate", accounts.challenge(caller.stale));
        return response;
    }
    if (caller.admin->role != "GROUP_OWNER" && caller.admin->role != "GROUP_READ_ONLY") {
        return failure(403, "no permission in this project");
    }
    return handler(call);
}

Handler in_project(Handler handler) {
    return [handler = std::move(handler)](AdminCall& call) {
        return call.parameter("group") == group_id().to_string()
                   ? handler(call)
                   : failure(404, "no project has this id");
    };
}

} // namespace

void add_atlas_routes(RouteTable& table) {
    const auto add = [&](const std::string& path, const char* summary, Handler handler) {
        table.add(AdminRoute{
            Method::get, path, summary, 200,
            [handler = std::move(handler)](AdminCall& call) { return signed_in(call, handler); },
            Scope::digest});
    };
    const auto projects = [](AdminCall& /*call*/) { return list_of({project()}); };
    // Whether this is the server that was meant.
    table.add({Method::get, "/api/public/v1.0", "The companion API answers", 200,
               [](AdminCall& /*call*/) { return json_response(200, json::object()); },
               Scope::open});
    for (const std::string base : {"/api/public/v1.0", "/api/atlas/v1.0"}) {
        add(base + "/groups", "Projects: this server has one", projects);
        add(base + "/groups/{group}", "One project",
            in_project([](AdminCall& /*call*/) { return json_response(200, project()); }));
    }
    const std::string group = "/api/atlas/v1.0/groups/{group}/";
    add(group + "clusters", "Data stores that an app may link",
        in_project([](AdminCall& call) { return list_of(clusters(call)); }));
    add(group + "serverless", "Serverless instances: none",
        in_project([](AdminCall& /*call*/) { return list_of({}); }));
    // A bare list, other than its neighbours.
    add(group + "dataLakes", "Data lakes: none",
        in_project([](AdminCall& /*call*/) { return json_response(200, json::array()); }));
}

} // namespace tombolo::api::admin
