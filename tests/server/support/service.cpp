#include "server/support/service.hpp"

#include <algorithm>
#include <fstream>
#include <future>
#include <iterator>

#include <boost/json/parse.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace {

constexpr std::string_view root_text =
    R"({"name": "demo", "app_id": "demo-abcde", "config_version": 20210101})";

constexpr std::string_view providers_text = R"({
    "anon-user": {"name": "anon-user", "type": "anon-user", "disabled": false},
    "api-key": {"name": "api-key", "type": "api-key", "disabled": false},
    "local-userpass": {"name": "local-userpass", "type": "local-userpass", "disabled": false,
        "config": {"autoConfirm": true, "resetPasswordUrl": "http://localhost/reset"}},
    "custom-token": {"name": "custom-token", "type": "custom-token", "disabled": false,
        "config": {"audience": "", "signingAlgorithm": "HS256"},
        "secret_config": {"signingKeys": ["token_key"]},
        "metadata_fields": [
            {"required": true, "name": "user_data.name", "field_name": "name"},
            {"required": false, "name": "min_age", "field_name": "min_age"}]}
})";

constexpr std::string_view confirming_text = R"({
    "local-userpass": {"name": "local-userpass", "type": "local-userpass", "disabled": false,
        "config": {"autoConfirm": false, "emailConfirmationUrl": "http://localhost/confirm",
                   "resetPasswordUrl": "http://localhost/reset"}}
})";

std::string replaced(std::string_view text, const std::string& from, const std::string& to) {
    std::string out(text);
    for (std::size_t at = out.find(from); at != std::string::npos;
         at = out.find(from, at + to.size())) {
        out.replace(at, from.size(), to);
    }
    return out;
}

} // namespace

AppTree demo_app() {
    return {{"root_config.json", std::string(root_text)},
            {"auth/providers.json", std::string(providers_text)},
            {"services/gcm/config.json", R"({"name": "gcm", "type": "gcm"})"},
            {"secrets.json", R"({"token_key": ")" + std::string(demo_token_key) + "\"}"}};
}

AppTree demo_app_named(const std::string& name) {
    AppTree tree = demo_app();
    tree["root_config.json"] = replaced(root_text, "demo", name);
    return tree;
}

AppTree confirming_app() {
    return {{"root_config.json", std::string(root_text)},
            {"auth/providers.json", std::string(confirming_text)}};
}

std::string Answer::string_or(const boost::json::object& object, std::string_view key) {
    return server::string_or(object, key);
}

Service::Service(ServiceOptions options)
    : folder_path_(folder_.path().string()),
      log_(options.log_file.empty()
               ? Log::none()
               : Log::open({LogLevel::debug, LogFormat::json, options.log_file}).value()) {
    sealer_ = std::make_unique<Sealer>(Sealer::from_file(folder_path_ + "/master.key").value());
    store::EmbeddedOptions embedded;
    embedded.directory = folder_path_ + "/store";
    store_ = store::open_embedded(embedded).value();
    apps_ = AppRepository::open(*store_, *sealer_).value();
    tokens_ = auth::Tokens::open(*store_, *sealer_, now_ms / 1000).value();
    for (const AppTree& tree : options.apps) {
        static_cast<void>(apps_->deploy(tree, "test", now_ms).value());
    }
    throttle_ = std::make_unique<auth::Throttle>(options.throttle);
    auth::MailerOptions mail;
    mail.outbox = folder_path_ + "/outbox";
    mailer_ = auth::Mailer::create(mail, *log_).value();
    const auto clock = [this] { return now_ms.load(); };
    key_sets_ = std::make_unique<auth::KeySets>(auth::KeySetOptions{}, clock);
    context_.reset(new auth::Context{*store_, *apps_, *tokens_, *throttle_, *mailer_, *key_sets_,
                                     *log_, clock, "http://127.0.0.1:9090",
                                     options.hide_unknown_users});
    app_log_ = std::make_unique<AppLog>(*store_, clock);
    context_->app_log = app_log_.get();
    data_sources_ = std::make_unique<api::DataSources>(*context_);
    functions::FunctionOptions functions;
    functions.node = options.node;
    functions.folder = folder_path_ + "/functions";
    functions_ = std::make_unique<functions::Functions>(*apps_, *log_, functions);
    functions_->connect(api::function_seams(*context_, data_sources_->function_services(),
                                            data_sources_->can_evaluate()));
    context_->functions = functions_.get();
    api::DispatcherOptions dispatcher;
    dispatcher.public_url = [this] { return context_->public_url; };
    dispatcher.cors = [this](std::string_view path, std::string_view origin) {
        return api::cors_decision(*context_, path, origin);
    };
    dispatcher_ = std::make_unique<api::Dispatcher>(std::move(dispatcher), *log_);
    api::add_client_routes(*dispatcher_, *context_);
    api::add_function_routes(*dispatcher_, *context_, data_sources_->action());
    data_sources_->add_routes(*dispatcher_);
}

Service::~Service() {
    dispatcher_->stop();
}

http::Response Service::respond(http::Method method, const std::string& path,
                                const std::string& token, const std::string& body,
                                const http::Headers& headers) {
    http::Request request;
    request.method = method;
    const std::size_t question = path.find('?');
    const std::string plain = path.substr(0, question);
    request.path = plain.starts_with("/app/") || plain.starts_with("/api/")
                       ? plain
                       : std::string(api::client_base) +
                             (plain.starts_with('/') ? plain : "/app/" + app_id + "/" + plain);
    request.query = question == std::string::npos ? "" : path.substr(question + 1);
    request.headers = headers;
    if (!token.empty()) {
        request.headers.add("Authorization", "Bearer " + token);
    }
    request.body = body;
    request.remote_address = remote_address;
    request.id = "00112233445566778899aabb";
    std::promise<http::Response> promise;
    dispatcher_->handle(std::move(request), http::Responder([&promise](http::Response response) {
                            promise.set_value(std::move(response));
                        }));
    return promise.get_future().get();
}

Answer Service::call(http::Method method, const std::string& path, const std::string& token,
                     const std::string& body, const http::Headers& headers) {
    const http::Response response = respond(method, path, token, body, headers);
    Answer answer{response.status, response.headers, response.body, nullptr};
    const auto parsed = parse_json(answer.text);
    if (parsed) {
        answer.body = *parsed;
    }
    return answer;
}

Answer Service::log_in(const std::string& provider, const std::string& body) {
    return post("auth/providers/" + provider + "/login", body);
}

SignedInUser Service::signed_in(const Answer& answer) {
    EXPECT_EQ(answer.status, 200) << answer.text;
    return {answer["user_id"], answer["access_token"], answer["refresh_token"],
            answer["device_id"]};
}

SignedInUser Service::anonymous() {
    return signed_in(log_in("anon-user", ""));
}

SignedInUser Service::user(const std::string& address, const std::string& password) {
    static_cast<void>(post("auth/providers/local-userpass/register",
                           R"({"email": ")" + address + R"(", "password": ")" + password + "\"}"));
    return signed_in(log_in("local-userpass", R"({"username": ")" + address +
                                                  R"(", "password": ")" + password + "\"}"));
}

std::vector<std::string> Service::mails() {
    mailer_->flush();
    std::vector<std::pair<std::filesystem::file_time_type, std::string>> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_path_ + "/outbox")) {
        std::ifstream file(entry.path(), std::ios::binary);
        files.emplace_back(entry.last_write_time(),
                           std::string((std::istreambuf_iterator<char>(file)), {}));
    }
    std::sort(files.begin(), files.end());
    std::vector<std::string> texts;
    for (auto& [time, text] : files) {
        texts.push_back(std::move(text));
    }
    return texts;
}

std::string Service::newest_mail_token() {
    const std::string text = mails().back();
    const std::size_t token = text.find("token=") + 6;
    const std::size_t id = text.find("tokenId=") + 8;
    return R"("token": ")" + text.substr(token, 64) + R"(", "tokenId": ")" + text.substr(id, 24) +
           "\"";
}

std::string make_jwt(std::string_view claims, std::string_view key, std::string_view header) {
    std::string text = to_base64url(as_bytes(header)) + "." + to_base64url(as_bytes(claims));
    std::string signature(32, '\0');
    unsigned size = 0;
    ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           reinterpret_cast<unsigned char*>(signature.data()), &size);
    return text + "." + to_base64url(as_bytes(signature));
}

boost::json::object jwt_claims(std::string_view token) {
    const std::size_t first = token.find('.');
    const std::size_t second = token.find('.', first + 1);
    const auto bytes = from_base64url(token.substr(first + 1, second - first - 1)).value();
    return parse_json_object(as_text(bytes)).value();
}

} // namespace tombolo::server
