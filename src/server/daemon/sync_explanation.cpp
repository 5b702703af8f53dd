// Why a user's devices have a document, or not, in words.

#include <algorithm>

#include "server/api/admin/parts.hpp"
#include "server/daemon/sync_admin.hpp"

namespace tombolo::server {

namespace {

namespace json = boost::json;
using sync::DeviceStanding;
using sync::ObjectStanding;
using Explanation = sync::SyncService::Explanation;

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& each : names) {
        text += (text.empty() ? "'" : ", '") + each + "'";
    }
    return text;
}

std::string document_words(const Explanation& all) {
    const ObjectStanding& standing = all.standing;
    if (!standing.exists) {
        return "The document does not exist. " +
               std::string(standing.changed == 0 ? "The kept history does not say that it ever did."
                                                 : "It was deleted in server version " +
                                                       std::to_string(standing.changed) + ".");
    }
    if (!standing.unsyncable.empty()) {
        return "The document exists, but no device gets it: it does not fit the schema (" +
               standing.unsyncable + "). Repair the document or the schema.";
    }
    return "The document exists and can be synced. " +
           std::string(standing.changed == 0 ? "The kept history has no change of it."
                                             : "It was last changed in server version " +
                                                   std::to_string(standing.changed) + ".") +
           " The server is at version " + std::to_string(standing.top) + ".";
}

std::string role_words(const Explanation& all) {
    const auto& choice = all.choice;
    if (!choice.is_known_user) {
        return "There is no such user: nothing is allowed.";
    }
    const std::string before =
        choice.passed_over.empty()
            ? ""
            : " (apply_when of " + joined(choice.passed_over) + " does not hold for this user)";
    if (choice.role.empty()) {
        return "Everything is denied: " + choice.denied + before + ".";
    }
    const std::string name = "Role '" + choice.role + "' applies" + before;
    if (!choice.denied.empty()) {
        return name + ", but sync cannot use it and denies everything: " + choice.denied + ".";
    }
    std::string text = name + ". It reads what matches " + all.permissions.read +
                       " and writes what matches " + all.permissions.write + ". ";
    if (!all.standing.exists) {
        return text + "There is no document to ask about.";
    }
    return text + (all.standing.is_writable   ? "This document it may read and write."
                   : all.standing.is_readable ? "This document it may read, not write."
                                              : "This document it may not read.");
}

/// Why the device is not to have the document.
std::string missing_words(const Explanation& all, const DeviceStanding& device) {
    if (!all.standing.exists) {
        return "the document does not exist";
    }
    if (!all.standing.unsyncable.empty()) {
        return "the document does not fit the schema";
    }
    if (device.query.empty()) {
        return "it has no subscription of " + all.object.class_name;
    }
    if (!device.is_selected) {
        const bool is_bare = device.query.front() != '(';
        return "its subscription " + (is_bare ? "(" + device.query + ")" : device.query) +
               " does not match the document";
    }
    return "the role that it was last given does not show the document";
}

std::string device_words(const Explanation& all, const DeviceStanding& device, bool is_connected) {
    if (device.must_reset) {
        return "It must reset: it is sent nothing until it has.";
    }
    const std::string when =
        is_connected ? "; it is connected and is being sent the rest" : " when it connects";
    const bool is_behind = all.standing.changed > device.cursor;
    std::string text;
    if (device.should_hold && device.held) {
        text = is_behind ? "It holds an older state of the document; it gets the newest one" + when
                         : "It holds the document as it is";
    } else if (device.should_hold) {
        text = "It does not hold the document as far as the server knows, and gets it" + when;
    } else if (device.held) {
        text = "It held the document when the server last heard what it has, and is told to drop "
               "it" +
               when + ": " + missing_words(all, device);
    } else {
        text = "It does not hold the document: " + missing_words(all, device);
    }
    if (device.is_history_gone) {
        text += ". What it held before is not known: that history is trimmed";
    }
    if (!device.has_newest_role) {
        text += ". The user's permissions have changed since it was given its role; it gets the "
                "new one" +
                when;
    }
    return text + ".";
}

} // namespace

json::object explained(const Explanation& all, const std::string& user) {
    const ObjectStanding& standing = all.standing;
    json::array passed_over;
    for (const std::string& each : all.choice.passed_over) {
        passed_over.emplace_back(each);
    }
    json::array devices;
    for (const DeviceStanding& each : standing.devices) {
        const bool is_connected = std::find(all.connected.begin(), all.connected.end(),
                                            each.ident) != all.connected.end();
        devices.push_back(json::object{{"file_ident", each.ident},
                                       {"last_seen", api::admin::iso_time(each.last_seen_ms)},
                                       {"connected", is_connected},
                                       {"schema_version", each.schema_version},
                                       {"downloaded_version", each.cursor},
                                       {"query", each.query},
                                       {"query_matches", each.is_selected},
                                       {"role_shows", each.is_readable},
                                       {"has_newest_role", each.has_newest_role},
                                       {"must_reset", each.must_reset},
                                       {"should_hold", each.should_hold},
                                       {"held", each.held},
                                       {"words", device_words(all, each, is_connected)}});
    }
    return {{"class", all.object.class_name},
            {"key", sync::key_text(all.object.key)},
            {"user_id", user},
            {"document", json::object{{"exists", standing.exists},
                                      {"syncable", standing.exists && standing.unsyncable.empty()},
                                      {"reason", standing.unsyncable},
                                      {"changed_version", standing.changed},
                                      {"server_version", standing.top},
                                      {"words", document_words(all)}}},
            {"role", json::object{{"name", all.choice.role},
                                  {"passed_over", std::move(passed_over)},
                                  {"denied", all.choice.denied},
                                  {"read", all.permissions.read},
                                  {"write", all.permissions.write},
                                  {"readable", standing.is_readable},
                                  {"writable", standing.is_writable},
                                  {"words", role_words(all)}}},
            {"devices", std::move(devices)},
            {"has_more_devices", standing.has_more_devices}};
}

} // namespace tombolo::server
