// Device Sync, what operators ask when data is not where somebody expects it: what uploads lost.

#include <charconv>

#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/sync_answers.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;

namespace {

http::Response conflicts(AdminCall& call) {
    SyncServices::ConflictQuery query;
    query.user = call.query("user");
    query.class_name = call.query("class");
    query.key = call.query("key");
    query.before = call.query_number("before", 0, 1, INT64_MAX);
    query.count_max = call.query_number("limit", 100, 1, 1000);
    const auto app = app_with_sync(call);
    json::object out{{"conflicts", json::array()}, {"scanned", 0}};
    if (call.context().sync.conflicts) {
        out = take(call.context().sync.conflicts(*app, query));
    }
    return json_response(200, out);
}

http::Response restore_conflict(AdminCall& call) {
    const std::string& text = call.parameter("conflict");
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto app = app_with_sync(call);
    if (error != std::errc() || end != text.data() + text.size() ||
        !call.context().sync.restore_conflict) {
        throw ApiException(not_found("ConflictNotFound", "this app has no such conflict"));
    }
    const Result<json::object> done =
        call.context().sync.restore_conflict(*app, number, call.admin().name);
    if (!done) {
        switch (done.error().code()) {
        case ErrorCode::not_found:
            throw ApiException(not_found("ConflictNotFound", done.error().message()));
        case ErrorCode::invalid_argument:
            throw ApiException(conflict("ConflictNotRestorable", done.error().message()));
        default:
            throw ApiException(sync_error(done.error()));
        }
    }
    return json_response(200, *done);
}

http::Response explain(AdminCall& call) {
    const std::string user = call.query("user");
    const std::string class_name = call.query("class");
    const std::string key = call.query("key");
    if (user.empty() || class_name.empty() || key.empty()) {
        throw ApiException(missing_parameter("'user', 'class' and 'key' are required"));
    }
    const auto app = app_with_sync(call);
    if (!call.context().sync.explain) {
        return json_response(200, json::object());
    }
    const Result<json::object> answer = call.context().sync.explain(*app, user, class_name, key);
    if (!answer) {
        switch (answer.error().code()) {
        case ErrorCode::not_found:
            throw ApiException(not_found("ClassNotFound", answer.error().message()));
        case ErrorCode::invalid_argument:
            throw ApiException(bad_request(answer.error().message()));
        default:
            throw ApiException(sync_error(answer.error()));
        }
    }
    return json_response(200, *answer);
}

} // namespace

void add_sync_inquiry_routes(RouteTable& table) {
    table.add(Method::get, "sync/conflicts", "What uploads lost in conflicts and refusals", 200,
              conflicts);
    table.add(Method::post, "sync/conflicts/{conflict}/restore", "Write back what an upload lost",
              200, restore_conflict);
    table.add(Method::get, "sync/explain", "Why the devices of a user have a document, or not", 200,
              explain);
}

} // namespace tombolo::api::admin
