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

json::object shown(const sync::DeviceReport& device) {
    return {{"file_ident", device.ident},
            {"user_id", device.user},
            {"schema_version", device.schema_version},
            {"last_seen", api::admin::iso_time(device.last_seen_ms)},
            {"connected", device.is_connected},
            {"must_reset", device.is_reset || device.is_expired},
            {"holds_history", device.needs_history && !device.is_passed_over},
            {"downloaded_version", device.downloaded},
            {"needs_history_above", device.needs_above},
            {"uploaded_client_version", device.uploaded_client_version},
            {"query_version", device.query_version},
            {"query", device.query}};
}

json::object shown(const sync::HistoryReport& report) {
    json::object run;
    if (report.ran_ms != 0) {
        const sync::TrimReport& last = report.last_run;
        run = {{"at", api::admin::iso_time(report.ran_ms)},
               {"old_enough", last.old_enough},
               {"acknowledged", last.acknowledged},
               {"held_back_by_file", last.holder},
               {"files_passed_over", last.files_passed_over},
               {"files_forgotten", last.files_forgotten}};
    }
    return {{"version", report.top},
            {"trimmed_version", report.trimmed},
            {"client_max_offline_days", report.client_max_offline_ms / (24 * 3600 * 1000)},
            {"disk_bytes", json::object{{"history", report.history_bytes},
                                        {"parts", report.parts_bytes},
                                        {"reciprocals", report.reciprocals_bytes},
                                        {"files", report.files_bytes},
                                        {"past_documents", report.past_bytes}}},
            {"last_run", std::move(run)}};
}

json::object progress(sync::SyncService& service, const App& app) {
    json::object entries;
    if (app.config.sync.mode == SyncConfig::Mode::partition) {
        return entries; // configured by test suites, and served to no device
    }
    const auto known = service.progress(app);
    if (!known) {
        for (const SchemaConfig& schema : app.config.schemas) {
            entries[schema.database + "." + schema.collection] = json::object{
                {"started", true}, {"complete", false}, {"error", known.error().what()}};
        }
        return {{"accepting", false},
                {"error", known.error().what()},
                {"progress", std::move(entries)}};
    }
    for (const sync::ClassProgress& each : known->classes) {
        const auto place = known->places.find(each.class_name);
        if (place != known->places.end()) {
            entries[place->second.database + "." + place->second.collection] =
                json::object{{"started", true},
                             {"complete", each.is_complete},
                             {"documents_total", each.total},
                             {"documents_done", each.done},
                             {"documents_unsynced", each.unsynced}};
        }
    }
    return {{"accepting", known->accepts_clients}, {"progress", std::move(entries)}};
}

} // namespace

api::admin::SyncServices sync_services(sync::SyncService& service) {
    api::admin::SyncServices out;
    out.sessions = [&service](const App& app) { return sessions(service, app); };
    out.progress = [&service](const App& app) { return progress(service, app); };
    out.failure = [&service](const App& app) {
        const std::optional<sync::SyncFailure> failed = service.failure(app.id);
        return failed ? json::object{{"error", failed->name}, {"message", failed->message}}
                      : json::object();
    };
    out.drop_collection = [&service](const store::CollectionName& name) {
        return service.drop_collection(name);
    };
    out.force_reset = [&service](const App& app, std::uint64_t file) {
        return service.reset_file(app.id, file, false);
    };
    out.expire = [&service](const App& app, std::uint64_t file) {
        return service.reset_file(app.id, file, true);
    };
    out.devices = [&service](const App& app, std::uint64_t after,
                             std::size_t count_max) -> Result<json::array> {
        TOMBOLO_TRY(const auto found, service.devices(app.id, after, count_max));
        json::array devices;
        for (const sync::DeviceReport& each : found) {
            devices.push_back(shown(each));
        }
        return devices;
    };
    out.history = [&service](const App& app) -> Result<json::object> {
        TOMBOLO_TRY(const sync::HistoryReport report, service.history(app.id));
        return shown(report);
    };
    out.unsynced = [&service](const App& app, std::string_view after,
                              std::size_t count_max) -> Result<json::object> {
        TOMBOLO_TRY(const sync::UnsyncedPage page, service.unsynced(app, after, count_max));
        return shown(app, page);
    };
    add_inquiries(out, service);
    return out;
}

documents::ClientFiles client_files(sync::SyncService& service) {
    constexpr std::size_t page = 1000;
    documents::ClientFiles out;
    out.list = [&service](const App& app) -> Result<std::vector<documents::ClientFile>> {
        std::vector<documents::ClientFile> files;
        if (app.config.sync.mode != SyncConfig::Mode::flexible || app.config.sync.state.empty()) {
            return files;
        }
        for (std::uint64_t after = 0;;) {
            TOMBOLO_TRY(const auto devices, service.devices(app.id, after, page));
            for (const sync::DeviceReport& each : devices) {
                after = each.ident;
                if (!each.is_reset && !each.is_expired) {
                    files.push_back({each.ident, each.user, each.last_seen_ms});
                }
            }
            if (devices.size() < page) {
                return files;
            }
        }
    };
    out.reset = [&service](const App& app, std::uint64_t ident) {
        return service.reset_file(app.id, ident, false);
    };
    return out;
}

} // namespace tombolo::server
