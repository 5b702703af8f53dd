// sync explain, sync conflicts, sync restore-conflict: for the hour when data is not where somebody
// expects it.

#include <boost/json/serialize.hpp>

#include "cli/command_table.hpp"
#include "cli/run.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

constexpr std::size_t page_size = 100;

struct ObjectName {
    std::string class_name;
    std::string key; ///< empty: all of the class
};

/// "Note/65f0c0ffee00000000000001", "Note".
ObjectName object_name(const std::string& text) {
    const std::size_t slash = text.find('/');
    return {text.substr(0, slash), slash == std::string::npos ? "" : text.substr(slash + 1)};
}

std::string lost_text(const json::object& conflict) {
    std::string text;
    const json::value* lost = conflict.if_contains("lost");
    if (lost == nullptr || !lost->is_array()) {
        return text;
    }
    for (const json::value& each : lost->get_array()) {
        if (!each.is_object()) {
            continue;
        }
        const json::object& one = each.get_object();
        text += "\n    " + text_of(one, "action");
        const std::string field = text_of(one, "field");
        text += field.empty() ? "" : " " + field;
        if (const json::value* value = one.if_contains("value")) {
            text += (text_of(one, "action") == "set" ? " to " : ": ") + json::serialize(*value);
        }
    }
    if (server::bool_or(conflict, "too_large", false)) {
        text += "\n    (too large to be kept)";
    }
    return text;
}

std::string conflict_text(const json::object& conflict) {
    const std::string user = text_of(conflict, "user_id");
    std::string text = text_of(conflict, "id") + "  " + text_of(conflict, "time") + "  " +
                       text_of(conflict, "class") + "/" + text_of(conflict, "key") + "\n    ";
    text += user.empty()
                ? "written on the server"
                : "written by user " + user + " on device " + text_of(conflict, "file_ident");
    text += " at " + text_of(conflict, "written") + "\n    " + text_of(conflict, "reason") +
            lost_text(conflict);
    if (const json::object restored = server::object_or_empty(conflict, "restored");
        !restored.empty()) {
        text += "\n    restored by " + text_of(restored, "by") + " at " + text_of(restored, "time");
    }
    return text;
}

ExitCode conflicts(Run& run) {
    const auto limit =
        static_cast<std::size_t>(run.arguments().number("limit", 1, 100'000).value_or(50));
    Query query{{"limit", std::to_string(std::min(limit, page_size))}};
    if (run.has("user")) {
        query.emplace_back("user", run.value("user"));
    }
    if (run.has("object")) {
        const ObjectName object = object_name(run.value("object"));
        query.emplace_back("class", object.class_name);
        query.emplace_back("key", object.key);
    }
    std::size_t count = 0;
    for (;;) {
        const json::object page =
            object_of(run.admin().get(run.app_path("/sync/conflicts"), query));
        const json::value* list = page.if_contains("conflicts");
        for (const json::object& each : objects_of(list == nullptr ? json::array() : *list)) {
            if (count++ == limit) {
                run.console().note("there are more; --limit shows them");
                return ExitCode::done;
            }
            run.console().result(each, conflict_text(each));
        }
        const std::string next = text_of(page, "next");
        if (next.empty()) {
            break;
        }
        std::erase_if(query, [](const auto& each) { return each.first == "before"; });
        query.emplace_back("before", next);
    }
    if (count == 0) {
        run.console().note("no upload has lost anything that is still kept");
    }
    return ExitCode::done;
}

ExitCode unsynced(Run& run) {
    const auto limit =
        static_cast<std::size_t>(run.arguments().number("limit", 1, 100'000).value_or(50));
    std::size_t count = 0;
    std::string after;
    do {
        Query query{{"limit", std::to_string(page_size)}};
        if (!after.empty()) {
            query.emplace_back("after", after);
        }
        const json::object page =
            object_of(run.admin().get(run.app_path("/sync/unsynced_documents"), query));
        const json::value* list = page.if_contains("documents");
        for (const json::object& each : objects_of(list == nullptr ? json::array() : *list)) {
            if (count++ == limit) {
                run.console().note("there are more; --limit shows them");
                return ExitCode::done;
            }
            const json::value* id = each.if_contains("documentId");
            run.console().result(each, text_of(each, "class") + "  " +
                                           (id == nullptr ? "" : json::serialize(*id)) + "  " +
                                           text_of(each, "reason"));
        }
        after = text_of(page, "next");
    } while (!after.empty());
    if (count == 0) {
        run.console().note("every document of the synced collections can be synced");
    }
    return ExitCode::done;
}

ExitCode restore(Run& run) {
    const std::string id = run.value("ID");
    if (id.empty() || id.find_first_not_of("0123456789") != std::string::npos) {
        throw Failure(ExitCode::usage, "'" + id + "' is not the number of a conflict",
                      "tombolo sync conflicts lists them.");
    }
    const json::object done = object_of(
        run.admin().post(run.app_path("/sync/conflicts/" + id + "/restore"), json::object()));
    run.console().result(done, "written back to " + text_of(done, "class") + "/" +
                                   text_of(done, "key") + ":" + lost_text(done));
    return ExitCode::done;
}

std::string explanation_text(const json::object& all) {
    const auto words = [&](const char* name) {
        return text_of(server::object_or_empty(all, name), "words");
    };
    std::string text = text_of(all, "class") + "/" + text_of(all, "key") + " and user " +
                       text_of(all, "user_id") + "\n\ndocument: " + words("document") +
                       "\nrole: " + words("role");
    const json::value* list = all.if_contains("devices");
    const std::vector<json::object> devices =
        objects_of(list == nullptr ? json::value(json::array()) : *list);
    if (devices.empty()) {
        text += "\ndevices: The user has none: nobody has signed in and synced as this user.";
    }
    for (const json::object& each : devices) {
        const bool connected = server::bool_or(each, "connected", false);
        text += "\ndevice " + text_of(each, "file_ident") + " (" +
                (connected ? "connected" : "last seen " + text_of(each, "last_seen")) +
                ", known to have everything up to version " + text_of(each, "downloaded_version") +
                "): " + text_of(each, "words");
    }
    if (server::bool_or(all, "has_more_devices", false)) {
        text += "\n(the user has more devices than are shown)";
    }
    return text;
}

ExitCode explain(Run& run) {
    const ObjectName object = object_name(run.required("object"));
    if (object.key.empty()) {
        throw Failure(ExitCode::usage,
                      "--object is CLASS/KEY, such as Note/65f0c0ffee00000000000001");
    }
    const json::object all = object_of(run.admin().get(
        run.app_path("/sync/explain"),
        {{"user", run.required("user")}, {"class", object.class_name}, {"key", object.key}}));
    run.console().result(all, explanation_text(all));
    return ExitCode::done;
}

} // namespace

void add_sync_inquiry_commands(CommandTable& table) {
    table.commands.push_back(
        {.path = "sync explain",
         .summary = "Say why the devices of a user have a document, or not",
         .details = "The role that was chosen and its filters, whether the document can be synced, "
                    "and for each device of the user its subscription, what it has and why.",
         .flags = {app_flag(),
                   {.name = "user", .letter = 'u', .value = "ID", .help = "The user's id"},
                   {.name = "object", .value = "CLASS/KEY", .help = "The document"}},
         .examples = {{"tombolo sync explain --user 65f0c0ffee00000000000002 --object "
                       "Note/65f0c0ffee00000000000001",
                       "She says that she cannot see this note"}},
         .run = explain});
    table.commands.push_back(
        {.path = "sync unsynced",
         .summary = "List documents that no device gets, and why",
         .details = "They do not fit the schema of their collection. Each joins when a write "
                    "repairs it.",
         .flags = {app_flag(),
                   {.name = "limit", .letter = 'l', .value = "N", .help = "At most so many (50)"}},
         .run = unsynced});
    table.commands.push_back(
        {.path = "sync conflicts",
         .summary = "List what uploads lost: to other writes, to deletions, to permissions",
         .details = "Newest first, with the values, what they lost to and why. How long they are "
                    "kept: settings conflict_days and conflict_megabytes of the server.",
         .flags = {app_flag(),
                   {.name = "user", .letter = 'u', .value = "ID", .help = "Of this user only"},
                   {.name = "object",
                    .value = "CLASS/KEY",
                    .help = "Of this object only, or of a CLASS"},
                   {.name = "limit", .letter = 'l', .value = "N", .help = "At most so many (50)"}},
         .examples = {{"tombolo sync conflicts --object Note/65f0c0ffee00000000000001",
                       "Where did the title of this note go?"}},
         .run = conflicts});
    table.commands.push_back(
        {.path = "sync restore-conflict",
         .summary = "Write back what an upload lost, for everybody",
         .details = "Over the document as it is now; an object that was deleted comes back as it "
                    "was then. Devices get it like any other write on the server.",
         .arguments = {{.name = "ID", .help = "Number of the conflict"}},
         .flags = {app_flag()},
         .run = restore});
}

} // namespace tombolo::cli
