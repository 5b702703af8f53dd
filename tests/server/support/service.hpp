#pragma once

// The client API in this process, without a socket and on a clock of its own: what tombolod puts
// together, each part in reach of the test.

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "server/api/client_api.hpp"
#include "server/api/document_routes.hpp"
#include "server/api/function_routes.hpp"
#include "server/auth/key_sets.hpp"
#include "server/auth/mailer.hpp"
#include "server/store/embedded/embedded_store.hpp"
#include "server/store/store_fixture.hpp"

namespace tombolo::server {

/// App "demo" (demo-abcde): anonymous, e-mail with auto-confirm, API keys, custom JWT (HS256), push
/// service "gcm".
AppTree demo_app();
/// The demo app under another name and client app id.
AppTree demo_app_named(const std::string& name);
/// Confirms by mail; nothing but e-mail addresses.
AppTree confirming_app();
/// The custom JWT secret of demo_app().
inline constexpr std::string_view demo_token_key = "0123456789abcdefghijklmnopqrstuv";

struct Answer {
    int status = 0;
    http::Headers headers;
    std::string text;
    boost::json::value body; ///< null when the text is no JSON

    std::string operator[](std::string_view key) const { ///< a string member, or empty
        return body.is_object() ? string_or(body.get_object(), key) : std::string();
    }

  private:
    static std::string string_or(const boost::json::object& object, std::string_view key);
};

struct SignedInUser {
    std::string id;
    std::string access;
    std::string refresh;
    std::string device;
};

struct ServiceOptions {
    std::vector<AppTree> apps = {demo_app()};
    auth::ThrottleOptions throttle{0};
    bool hide_unknown_users = false;
    std::string node = "node";
    std::string log_file; ///< everything from debug on; empty: no log
};

class Service {
  public:
    explicit Service(ServiceOptions options = {});
    ~Service();

    /// Base paths are added: "location" is of the app, "/auth/profile" of the user; "/app/..." is
    /// one of an endpoint, "/api/..." is taken as it is.
    Answer call(http::Method method, const std::string& path, const std::string& token = {},
                const std::string& body = {}, const http::Headers& headers = {});
    /// The same, as it was answered: with its stream.
    http::Response respond(http::Method method, const std::string& path,
                           const std::string& token = {}, const std::string& body = {},
                           const http::Headers& headers = {});
    Answer get(const std::string& path, const std::string& token = {}) {
        return call(http::Method::get, path, token);
    }
    Answer post(const std::string& path, const std::string& body, const std::string& token = {}) {
        return call(http::Method::post, path, token, body);
    }
    Answer log_in(const std::string& provider, const std::string& body);

    SignedInUser anonymous();
    /// Registers the address (when it is new) and signs in.
    SignedInUser user(const std::string& address, const std::string& password = "secret horse");
    static SignedInUser signed_in(const Answer& answer);

    /// Texts of the mails in the outbox, oldest first.
    std::vector<std::string> mails();
    /// {token, tokenId} of the newest mail, as a JSON object's members without braces.
    std::string newest_mail_token();

    std::shared_ptr<const App> app() const { return context().apps.find(app_id); }
    auth::Context& context() const { return *context_; }
    AppLog& app_log() const { return *app_log_; }
    api::Dispatcher& dispatcher() const { return *dispatcher_; }
    api::DataSources& data_sources() const { return *data_sources_; }
    const std::string& folder() const { return folder_path_; }

    std::atomic<std::int64_t> now_ms{1'700'000'000'000};
    std::string app_id = "demo-abcde"; ///< of app-scoped calls
    std::string remote_address = "192.0.2.1";

  private:
    store::TemporaryFolder folder_;
    std::string folder_path_;
    std::unique_ptr<Log> log_;
    std::unique_ptr<Sealer> sealer_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<AppRepository> apps_;
    std::unique_ptr<auth::Tokens> tokens_;
    std::unique_ptr<auth::Throttle> throttle_;
    std::unique_ptr<auth::Mailer> mailer_;
    std::unique_ptr<auth::KeySets> key_sets_;
    std::unique_ptr<auth::Context> context_;
    std::unique_ptr<AppLog> app_log_;
    std::unique_ptr<api::DataSources> data_sources_;
    std::unique_ptr<functions::Functions> functions_;
    std::unique_ptr<api::Dispatcher> dispatcher_;
};

/// An HS256 JWT, signed with any key, over any header.
std::string make_jwt(std::string_view claims, std::string_view key,
                     std::string_view header = R"({"alg":"HS256","typ":"JWT"})");
/// The payload of a JWT, unchecked.
boost::json::object jwt_claims(std::string_view token);

} // namespace tombolo::server
