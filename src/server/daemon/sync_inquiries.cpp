// What uploads lost, as the Admin API shows it.

#include <boost/json/parse.hpp>

#include "core/ejson.hpp"
#include "server/api/admin/parts.hpp"
#include "server/daemon/sync_admin.hpp"

namespace tombolo::server {

namespace {

namespace json = boost::json;
using sync::Conflict;
using sync::ConflictCause;

json::value parsed(const std::string& text) {
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    return error ? json::value(nullptr) : value;
}

/// "the device 3 of user 65f0...", "a write on the server".
std::string writer(std::uint64_t file, const std::string& user) {
    if (file == 0) {
        return "something that is not in the history";
    }
    if (file < sync::first_file_ident) {
        return "a write on the server";
    }
    return "device " + std::to_string(file) + (user.empty() ? "" : " of user " + user);
}

/// For a person at night.
std::string words(const Conflict& conflict) {
    const std::string winner = writer(conflict.winner_file, conflict.winner_user);
    switch (conflict.cause) {
    case ConflictCause::overwritten:
        return "overwritten: " + winner + " wrote the same place at the same time, and counts";
    case ConflictCause::deleted:
        return "deleted: " + winner + " deleted the object at the same time";
    case ConflictCause::left_view:
        return conflict.winner_file >= sync::first_file_ident
                   ? "out of view: " + winner +
                         " changed the object so that it left what this device sees"
                   : "out of view: the object had left what the device's subscriptions and role "
                     "show it";
    case ConflictCause::refused:
        return "refused: " + conflict.reason;
    case ConflictCause::upload_refused:
        return "the upload it was in ended the session: " + conflict.reason;
    }
    return {};
}

Result<json::object> shown(const sync::NumberedConflict& each) {
    const Conflict& conflict = each.conflict;
    json::array lost;
    TOMBOLO_TRY(const std::vector<sync::LostValue> values, sync::lost_values(conflict));
    for (const sync::LostValue& value : values) {
        json::object one{{"field", value.place}, {"action", value.action}};
        if (value.value) {
            one["value"] = parsed(*value.value);
        }
        lost.push_back(std::move(one));
    }
    json::object out{{"id", each.number},
                     {"time", api::admin::iso_time(conflict.time_ms)},
                     {"cause", sync::conflict_cause_name(conflict.cause)},
                     {"reason", words(conflict)},
                     {"class", conflict.object.class_name},
                     {"key", sync::key_text(conflict.object.key)},
                     {"user_id", conflict.user},
                     {"file_ident", conflict.file},
                     {"client_version", conflict.client_version},
                     {"server_version", conflict.version},
                     {"written", api::admin::iso_time(conflict.made_ms)},
                     {"lost", std::move(lost)},
                     {"too_large", conflict.changeset.empty()}};
    if (conflict.winner_version != 0) {
        out["lost_to"] = json::object{{"user_id", conflict.winner_user},
                                      {"file_ident", conflict.winner_file},
                                      {"server_version", conflict.winner_version}};
    }
    if (each.came_later) {
        out["came_later"] = true;
    }
    if (conflict.restored_ms != 0) {
        out["restored"] = json::object{{"time", api::admin::iso_time(conflict.restored_ms)},
                                       {"by", conflict.restored_by}};
    }
    return out;
}

} // namespace

void add_inquiries(api::admin::SyncServices& out, sync::SyncService& service) {
    using Services = api::admin::SyncServices;
    out.conflicts = [&service](const App& app,
                               const Services::ConflictQuery& query) -> Result<json::object> {
        TOMBOLO_TRY(const sync::ConflictPage page,
                    service.conflicts(app.id, {query.user, query.class_name, query.key},
                                      query.before, query.count_max));
        json::array conflicts;
        for (const sync::NumberedConflict& each : page.conflicts) {
            TOMBOLO_TRY(json::object one, shown(each));
            conflicts.push_back(std::move(one));
        }
        json::object answer{{"conflicts", std::move(conflicts)}, {"scanned", page.scanned}};
        if (page.next) {
            answer["next"] = *page.next;
        }
        return answer;
    };
    out.restore_conflict = [&service](const App& app, std::uint64_t number,
                                      const std::string& by) -> Result<json::object> {
        TOMBOLO_TRY(Conflict conflict, service.restore_conflict(app.id, number, by));
        return shown({number, std::move(conflict)});
    };
    out.explain = [&service](const App& app, const std::string& user, const std::string& class_name,
                             const std::string& key) -> Result<json::object> {
        TOMBOLO_TRY(const auto explanation, service.explain(app.id, user, class_name, key));
        return explained(explanation, user);
    };
}

} // namespace tombolo::server
