#include "server/documents/user_facts.hpp"

#include <algorithm>
#include <array>

#include <boost/json/serialize.hpp>

#include "core/bytes.hpp"
#include "core/ejson.hpp"
#include "server/auth/user_data.hpp"

namespace tombolo::documents {

namespace {

// Empty when it is no document.
mql::BsonDocument to_bson(std::string_view ejson) {
    auto bytes = ejson.empty() ? Result<BsonBuffer>(BsonBuffer()) : ejson_to_bson(ejson);
    if (!bytes || bytes->empty()) {
        return {};
    }
    auto document = mql::BsonDocument::validate(*std::move(bytes));
    return document ? *std::move(document) : mql::BsonDocument();
}

std::string lower_case(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

bool is_credential(std::string_view header) {
    static constexpr std::array<std::string_view, 3> names{"authorization", "cookie",
                                                           "proxy-authorization"};
    return std::find(names.begin(), names.end(), lower_case(header)) != names.end();
}

} // namespace

std::shared_ptr<rules::Facts> user_facts(const auth::Context& context, const server::App& app,
                                         const auth::User& user) {
    auto facts = std::make_shared<rules::Facts>();
    facts->user_id = user.id.to_string();
    mql::BsonWriter writer;
    writer.append_string("id", facts->user_id);
    writer.append_string("type", user.type);
    writer.append("data", to_bson(boost::json::serialize(user.merged_data())).view().as_value());
    writer.begin_array("identities");
    for (const auth::Identity& identity : user.identities) {
        writer.begin_document({});
        writer.append_string("id", identity.id);
        // Both spellings are in use (device-sync-server.md 4.4).
        writer.append_string("provider_type", identity.provider_type);
        writer.append_string("providerType", identity.provider_type);
        writer.end();
    }
    facts->user = std::move(writer).finish();
    facts->custom_data = [&context, &app, id = user.id] {
        return to_bson(auth::custom_user_data(context, app, id));
    };
    return facts;
}

mql::BsonDocument request_facts(const http::Request& request, std::string_view service,
                                std::string_view action) {
    mql::BsonWriter writer;
    const auto text = [&](std::string_view name, std::string_view value) {
        writer.append_string(name, is_utf8(value) ? value : std::string_view());
    };
    text("httpMethod", http::method_name(request.method));
    text("httpReferrer", request.headers.find("referer"));
    text("httpUserAgent", request.headers.find("user-agent"));
    const bool has_token = request.query.find("baas_at") != std::string::npos;
    text("rawQueryString", has_token ? std::string_view() : request.query);
    text("remoteIPAddress", request.remote_address);
    writer.begin_document("requestHeaders");
    for (const auto& [name, value] : request.headers.all()) {
        if (!is_credential(name) && is_utf8(value) && is_utf8(name) &&
            name.find('\0') == std::string::npos) {
            writer.begin_array(name);
            writer.append_string({}, value);
            writer.end();
        }
    }
    writer.end();
    text("service", service);
    text("action", action);
    return std::move(writer).finish();
}

} // namespace tombolo::documents
