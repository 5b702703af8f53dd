#include "server/api/request_log.hpp"

#include "server/api/client_api.hpp"
#include "server/app/app_log.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api {

namespace {

// "local-userpass" and "login" of ".../auth/providers/local-userpass/login".
std::pair<std::string, std::string> provider_and_event(const std::string& path) {
    constexpr std::string_view mark = "/auth/providers/";
    const std::size_t from = path.find(mark);
    if (from == std::string::npos) {
        return {};
    }
    const std::string rest = path.substr(from + mark.size());
    const std::size_t slash = rest.find('/');
    return slash == std::string::npos ? std::pair<std::string, std::string>()
                                      : std::pair{rest.substr(0, slash), rest.substr(slash + 1)};
}

} // namespace

void log_sign_in(const auth::Context& context, const Call& call, const std::string& pattern,
                 const http::Response& answer) {
    if (context.app_log == nullptr || !pattern.starts_with(client_app)) {
        return;
    }
    const auto [provider, event] = provider_and_event(call.request.path);
    if (provider.empty()) {
        return;
    }
    const auto app = context.apps.find(call.parameter("app"));
    if (app == nullptr) {
        return;
    }
    server::AppLogEntry entry;
    entry.app = app->id;
    entry.type = "AUTH";
    entry.request_id = call.request.id;
    entry.request_method = std::string(http::method_name(call.request.method));
    entry.request_url = call.request.path;
    entry.remote_address = call.request.remote_address;
    entry.status = answer.status;
    const bool failed = answer.status >= 400;
    if (failed || event == "login") {
        const auto body = server::parse_json_object(answer.body);
        if (body && failed) {
            entry.error = server::string_or(*body, "error");
            entry.error_code = server::string_or(*body, "error_code");
        } else if (body) {
            entry.user_id = server::string_or(*body, "user_id");
        }
    }
    entry.details["auth_event"] =
        boost::json::object{{"type", event}, {"provider", provider}, {"failed", failed}};
    context.app_log->add(std::move(entry));
}

} // namespace tombolo::api
