// The published description says what is served.

#include "server/api/admin/openapi.hpp"

#include <fstream>
#include <iterator>
#include <set>

#include "server/admin/admin_client.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {
namespace {

namespace json = boost::json;

TEST(OpenApi, document_in_docs_is_the_one_that_the_routes_make) {
    std::ifstream file(std::string(TOMBOLO_TEST_DATA) + "/../docs/reference/openapi.json",
                       std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    EXPECT_TRUE(text == pretty_json(api::admin::openapi_document(api::admin::admin_routes())))
        << "run: build/release/bin/openapi_doc > docs/reference/openapi.json";
}

TEST(OpenApi, every_described_route_is_served_and_wants_a_token) {
    AdminServer& server = shared_server();
    const AdminAnswer described = server.call("GET", "/api/admin/v3.0/openapi.json");
    ASSERT_EQ(described.status, 200);
    std::set<std::string> ids;
    for (const auto& [pattern, operations] : described.object().at("paths").as_object()) {
        std::string path;
        for (const char c : std::string(pattern)) { // parameters become an id of nothing
            path += c;
            if (c == '}') {
                path.replace(path.rfind('{'), std::string::npos, "0123456789abcdef01234567");
            }
        }
        for (const auto& [method, operation] : operations.as_object()) {
            std::string verb(method);
            for (char& c : verb) {
                c = static_cast<char>(c - 'a' + 'A');
            }
            EXPECT_TRUE(ids.insert(string_or(operation.as_object(), "operationId")).second);
            const AdminAnswer answer = server.call(verb, path);
            const json::value* security = operation.as_object().if_contains("security");
            if (security != nullptr && !security->as_array().empty()) { // HTTP Digest
                EXPECT_EQ(answer.status, 401) << verb << " " << path;
                EXPECT_TRUE(answer.has_header("WWW-Authenticate: Digest "));
            } else if (security != nullptr) {
                EXPECT_NE(answer.status, 404) << verb << " " << path;
            } else {
                EXPECT_EQ(answer.status, 401) << verb << " " << path;
                EXPECT_EQ(answer["error_code"], "InvalidSession") << verb << " " << path;
            }
        }
    }
    EXPECT_GT(ids.size(), 100U);
}

} // namespace
} // namespace tombolo::server
