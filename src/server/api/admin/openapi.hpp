#pragma once

// The Admin API's description in OpenAPI 3.0, made from the route table that is served.

#include <boost/json/object.hpp>

#include "server/api/admin/admin_api.hpp"

namespace tombolo::api::admin {

boost::json::object openapi_document(const RouteTable& table);
/// GET /api/admin/v3.0/openapi.json, without a token.
void add_openapi_route(RouteTable& table);

} // namespace tombolo::api::admin
