#include "server/api/admin/openapi.hpp"

#include <boost/json/serialize.hpp>

#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;

namespace {

std::string lower_name(http::Method method) {
    std::string name(http::method_name(method));
    for (char& c : name) {
        c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return name;
}

json::array parameters_of(const std::string& pattern) {
    json::array out;
    std::size_t from = 0;
    while ((from = pattern.find('{', from)) != std::string::npos) {
        const std::size_t end = pattern.find('}', from);
        out.push_back(json::object{{"name", pattern.substr(from + 1, end - from - 1)},
                                   {"in", "path"},
                                   {"required", true},
                                   {"schema", json::object{{"type", "string"}}}});
        from = end;
    }
    return out;
}

// The resource: what stands behind the app's or the API's base.
std::string tag_of(const AdminRoute& route) {
    std::string path = route.path;
    if (path.starts_with(private_base)) {
        path = path.substr(private_base.size() + 1);
    }
    if (route.scope == Scope::digest || path == "/api/public/v1.0") {
        return "projects";
    }
    const std::string first = path.substr(0, path.find('/'));
    return first.empty() ? "apps" : first;
}

std::string operation_id(const AdminRoute& route) {
    std::string id = lower_name(route.method);
    bool gap = true;
    for (const char c : route.pattern()) {
        const bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (!letter) {
            gap = true;
            continue;
        }
        if (gap) {
            id += '_';
        }
        gap = false;
        id += c;
    }
    return id;
}

json::object operation(const AdminRoute& route) {
    json::object success{{"description", route.success < 300 ? "Done" : "Refused"}};
    if (route.success == 200 || route.success == 201) {
        success["content"] =
            json::object{{"application/json", json::object{{"schema", json::object()}}}};
    }
    const json::object error{{"$ref", "#/components/responses/Error"}};
    json::object out{
        {"operationId", operation_id(route)},
        {"summary", route.summary},
        {"tags", json::array{tag_of(route)}},
        {"parameters", parameters_of(route.pattern())},
        {"responses", json::object{{std::to_string(route.success), success}, {"default", error}}}};
    const bool has_body = route.method == http::Method::post || route.method == http::Method::put ||
                          route.method == http::Method::patch;
    if (has_body) {
        out["requestBody"] = json::object{
            {"content",
             json::object{{"application/json", json::object{{"schema", json::object()}}}}}};
    }
    if (route.scope == Scope::open) {
        out["security"] = json::array();
    } else if (route.scope == Scope::digest) {
        out["security"] = json::array{json::object{{"digest", json::array()}}};
    }
    return out;
}

} // namespace

json::object openapi_document(const RouteTable& table) {
    json::object paths;
    for (const AdminRoute& route : table.routes()) {
        const std::string pattern = route.pattern();
        json::value& path = paths[pattern];
        if (!path.is_object()) {
            path = json::object();
        }
        path.get_object()[lower_name(route.method)] = operation(route);
    }
    const json::object error_schema{
        {"type", "object"},
        {"required", json::array{"error", "error_code"}},
        {"properties", json::object{{"error", json::object{{"type", "string"}}},
                                    {"error_code", json::object{{"type", "string"}}},
                                    {"link", json::object{{"type", "string"}}}}}};
    return json::object{
        {"openapi", "3.0.3"},
        {"info",
         json::object{{"title", "Tombolo Admin API"},
                      {"version", "3.0"},
                      {"description", "What tombolod serves below /api/admin/v3.0 and "
                                      "/api/private/v1.0. Made from the server's route table."}}},
        {"security", json::array{json::object{{"bearer", json::array()}}}},
        {"paths", paths},
        {"components",
         json::object{
             {"securitySchemes",
              json::object{{"bearer", json::object{{"type", "http"}, {"scheme", "bearer"}}},
                           {"digest", json::object{{"type", "http"}, {"scheme", "digest"}}}}},
             {"responses",
              json::object{
                  {"Error",
                   json::object{
                       {"description", "What was wrong"},
                       {"content", json::object{{"application/json",
                                                 json::object{{"schema", error_schema}}}}}}}}}}}};
}

void add_openapi_route(RouteTable& table) {
    table.add({http::Method::get, "openapi.json", "This description", 200,
               [](AdminCall&) { return json_response(200, openapi_document(admin_routes())); },
               Scope::open});
}

} // namespace tombolo::api::admin
