#include "server/daemon/sync_admin.hpp"

#include <boost/json/parse.hpp>

#include "core/ejson.hpp"
#include "server/api/admin/parts.hpp"

namespace tombolo::server {

namespace {

namespace json = boost::json;

json::array sessions(const sync::SyncService& service, const App& app) {
    json::array out;
    for (const auto& connection : service.connections(app.id)) {
        for (const auto& [session, file] : connection->files()) {
            out.push_back(json::object{{"user_id", connection->user_id},
                                       {"file_ident", file.file},
                                       {"since", api::admin::iso_time(file.since_ms)},
                                       {"connection_id", connection->id},
                                       {"connected", api::admin::iso_time(connection->opened_ms)},
                                       {"remote_ip_address", connection->address},
                                       {"client", connection->client},
                                       {"protocol_version", connection->protocol}});
        }
    }
    return out;
}

json::value id_of(const mql::BsonDocument& document) {
    const Result<std::string> text = bson_to_ejson(document.view().bytes(), EjsonForm::relaxed);
    if (!text) {
        return nullptr;
    }
    json::value parsed = json::parse(*text);
    return std::move(parsed.as_object()["_id"]);
}

json::object shown(const App& app, const sync::UnsyncedPage& page) {
    json::array documents;
    for (const sync::UnsyncedDocument& each : page.documents) {
        documents.push_back(
            json::object{{"appId", app.id.to_string()},
                         {"documentId", id_of(each.id)},
                         {"class", each.class_name},
                         {"ns", json::object{{"db", each.database}, {"coll", each.collection}}},
                         {"reason", each.reason}});
    }
    json::object out{{"documents", std::move(documents)}, {"scanned", page.scanned}};
    if (page.next) {
        out["next"] = to_base64url(as_bytes(*page.next));
    }
    return out;
}

} // namespace

api::admin::SyncServices sync_services(sync::SyncService& service) {
    api::admin::SyncServices out;
    out.sessions = [&service](const App& app) { return sessions(service, app); };
    out.unsynced = [&service](const App& app, std::string_view after,
                              std::size_t count_max) -> Result<json::object> {
        TOMBOLO_TRY(const sync::UnsyncedPage page, service.unsynced(app, after, count_max));
        return shown(app, page);
    };
    return out;
}

} // namespace tombolo::server
