#include "server/api/admin/log_delivery.hpp"

#include <boost/json/serialize.hpp>

#include "core/ejson.hpp"
#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using server::App;
using server::LogForwarderConfig;

namespace {

// As the API shows an entry, with real ids and times. What functions were called with is text: it
// need not be legal in a document.
json::object delivered(const json::object& entry) {
    json::object out;
    for (const auto& [key, value] : entry) {
        if (key == "_id" && value.is_string()) {
            out["_id"] = json::object{{"$oid", value}};
        } else if (key == "started_ms" && value.is_int64()) {
            out["started"] = json::object{{"$date", iso_time(value.get_int64())}};
        } else if (key == "completed_ms" && value.is_int64()) {
            out["completed"] = json::object{{"$date", iso_time(value.get_int64())}};
        } else if (key == "function_call") {
            out[key] = json::serialize(value);
        } else {
            out[key] = value;
        }
    }
    out["group_id"] = group_id().to_string();
    return out;
}

json::array delivered(const json::array& entries) {
    json::array out;
    for (const json::value& entry : entries) {
        out.push_back(delivered(entry.get_object()));
    }
    return out;
}

Result<void> to_function(functions::Functions& functions, const std::shared_ptr<const App>& app,
                         const LogForwarderConfig& forwarder, const std::string& request_id,
                         const json::array& entries) {
    functions::Call call;
    call.app = app;
    call.name = forwarder.function;
    call.arguments = json::serialize(json::array{delivered(entries)});
    call.caller.is_system = true;
    call.origin = functions::Origin::provider;
    call.request_id = request_id;
    const functions::Outcome outcome = functions.call(call);
    if (outcome.failure) {
        using Kind = functions::FailureKind;
        const Kind kind = outcome.failure->kind;
        const bool is_lasting = kind == Kind::not_found || kind == Kind::refused ||
                                kind == Kind::bad_arguments || kind == Kind::syntax;
        return Error(is_lasting ? ErrorCode::invalid_argument : ErrorCode::unavailable,
                     "function '" + forwarder.function + "': " + outcome.failure->message);
    }
    return {};
}

Result<void> to_collection(const documents::Documents& documents,
                           const std::shared_ptr<const App>& app,
                           const LogForwarderConfig& forwarder, const json::array& entries) {
    const json::object arguments{{"database", forwarder.database},
                                 {"collection", forwarder.collection},
                                 {"documents", delivered(entries)}};
    TOMBOLO_TRY(BsonBuffer bytes, ejson_to_bson(json::serialize(arguments)));
    TOMBOLO_TRY(const mql::BsonDocument document, mql::BsonDocument::validate(std::move(bytes)));
    const auto inserted = documents.call(
        {*app, documents::system_caller(), forwarder.data_source, "insertMany", document});
    return inserted ? Result<void>() : Result<void>(inserted.error());
}

} // namespace

server::LogDelivery log_delivery(functions::Functions& functions,
                                 const documents::Documents& documents) {
    server::LogDelivery delivery;
    delivery.to_function = [&functions](const std::shared_ptr<const App>& app,
                                        const LogForwarderConfig& forwarder,
                                        const std::string& request_id, const json::array& entries) {
        return to_function(functions, app, forwarder, request_id, entries);
    };
    delivery.to_collection = [&documents](const std::shared_ptr<const App>& app,
                                          const LogForwarderConfig& forwarder,
                                          const json::array& entries) {
        return to_collection(documents, app, forwarder, entries);
    };
    return delivery;
}

} // namespace tombolo::api::admin
