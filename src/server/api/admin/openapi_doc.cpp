// Prints docs/reference/openapi.json.

#include <cstdio>

#include "server/api/admin/openapi.hpp"
#include "server/runtime/json.hpp"

int main() {
    using namespace tombolo;
    const std::string text =
        server::pretty_json(api::admin::openapi_document(api::admin::admin_routes()));
    return std::fputs(text.c_str(), stdout) < 0 ? 1 : 0;
}
