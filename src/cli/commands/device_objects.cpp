// sync show, insert, update, delete, apply: the objects of a device.

#include <ctime>
#include <map>

#include <boost/json/serialize.hpp>

#include "cli/data/byte_source.hpp"
#include "cli/data/json_splitter.hpp"
#include "cli/device/device_command.hpp"
#include "core/bytes.hpp"
#include "core/random.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

/// Of a value in a table.
constexpr std::size_t cell_bytes_max = 60;

std::string cell_of(const json::value* value) {
    if (value == nullptr) {
        return {};
    }
    const json::object* only = value->if_object();
    if (only != nullptr && only->size() == 1 && only->contains("$oid")) {
        return std::string(only->at("$oid").as_string());
    }
    std::string text =
        value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
    if (text.size() > cell_bytes_max) {
        text.resize(cell_bytes_max);
        while (!text.empty() && !is_utf8(text)) {
            text.pop_back();
        }
        text += "...";
    }
    return text;
}

void show_table(Run& run, const changeset::ClassInfo& info,
                const std::vector<json::object>& objects) {
    std::vector<std::string> headers = {info.primary_key};
    for (const changeset::ColumnInfo& column : info.columns) {
        headers.push_back(column.name);
    }
    std::vector<std::vector<std::string>> rows;
    for (const json::object& object : objects) {
        std::vector<std::string>& row = rows.emplace_back();
        for (const std::string& header : headers) {
            row.push_back(cell_of(object.if_contains(header)));
        }
    }
    run.console().table(headers, rows, objects);
}

ExitCode show(Run& run) {
    DeviceRun device(run);
    const DeviceDocuments documents = device.documents();
    const changeset::ClassInfo* info = value_or_usage(documents.class_named(run.value("CLASS")));
    const auto limit = run.arguments().number("limit", 1, 1'000'000'000).value_or(100);
    std::vector<PrimaryKey> keys;
    if (run.has("KEY")) {
        keys.push_back(value_or_usage(documents.parse_key(info->name, run.value("KEY"))));
    } else {
        for (const auto& [key, object] : device.state().find_class(info->name)->objects) {
            if (static_cast<std::int64_t>(keys.size()) == limit) {
                run.console().note("there are more; --limit shows them");
                break;
            }
            keys.push_back(key);
        }
    }
    std::vector<json::object> objects;
    objects.reserve(keys.size());
    for (const PrimaryKey& key : keys) {
        objects.push_back(parsed_object(value_or_usage(documents.json(info->name, key))));
    }
    if (run.has("KEY")) {
        run.console().result(objects.front(), json::serialize(objects.front()));
    } else {
        show_table(run, *info, objects);
    }
    return ExitCode::done;
}

ExitCode insert(Run& run) {
    DeviceRun device(run);
    const DeviceDocuments documents = device.documents();
    SystemRandom random;
    changeset::ChangesetBuilder builder;
    const auto now = static_cast<std::uint32_t>(std::time(nullptr));
    const ObjectName made = value_or_usage(
        documents.insert(builder, run.value("CLASS"), run.value("OBJECT"), random, now));
    device.write(value_or_usage(builder.finish()));
    const ExitCode code = go_online(run, device, false);
    const std::string key = tombolo::to_text(to_view(made.key));
    run.console().result({{"class", made.class_name}, {"key", key}},
                         "wrote " + made.class_name + " " + key);
    return code;
}

ExitCode change(Run& run, bool is_erase) {
    DeviceRun device(run);
    const DeviceDocuments documents = device.documents();
    const changeset::ClassInfo* info = value_or_usage(documents.class_named(run.value("CLASS")));
    const ObjectName object{info->name,
                            value_or_usage(documents.parse_key(info->name, run.value("KEY")))};
    changeset::ChangesetBuilder builder;
    const Result<void> made = is_erase ? documents.erase(builder, object)
                                       : documents.update(builder, object, run.value("CHANGE"));
    if (!made) {
        const bool missing = made.error().code() == ErrorCode::not_found;
        throw Failure(missing ? ExitCode::not_found : ExitCode::usage, made.error().what(),
                      missing ? "A device holds what it is subscribed to and may read." : "");
    }
    const changeset::Changeset written = value_or_usage(builder.finish());
    if (written.empty()) {
        run.console().result({{"changed", false}}, "nothing to change");
        return ExitCode::done;
    }
    device.write(written);
    const ExitCode code = go_online(run, device, false);
    const std::string key = tombolo::to_text(to_view(object.key));
    run.console().result({{"class", object.class_name}, {"key", key}},
                         (is_erase ? "deleted " : "wrote ") + object.class_name + " " + key);
    return code;
}

// One line of a file: {"insert": CLASS, "object": {...}}, {"update": CLASS, "key": KEY, "change":
// {...}} or {"delete": CLASS, "key": KEY}.
void append_line(changeset::ChangesetBuilder& builder, const DeviceDocuments& documents,
                 std::string_view line) {
    SystemRandom random;
    std::map<std::string, std::string_view> members;
    for (const auto& [name, value] : value_or_usage(server::json_members(line))) {
        members[name] = value;
    }
    const auto text = [&](const char* name) {
        const json::object whole = parsed_object("{\"v\":" + std::string(members.at(name)) + "}");
        const json::value& value = whole.at("v");
        return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
    };
    if (members.contains("insert") && members.contains("object")) {
        value_or_usage(documents.insert(builder, text("insert"), members.at("object"), random,
                                        static_cast<std::uint32_t>(std::time(nullptr))));
        return;
    }
    const char* action = members.contains("update") ? "update" : "delete";
    const bool is_whole = members.contains(action) && members.contains("key") &&
                          (members.contains("delete") || members.contains("change"));
    if (!is_whole) {
        throw Failure(ExitCode::usage,
                      "a line is {\"insert\": CLASS, \"object\": {...}}, {\"update\": CLASS, "
                      "\"key\": KEY, \"change\": {...}} or {\"delete\": CLASS, \"key\": KEY}");
    }
    const std::string class_name = text(action);
    const ObjectName object{class_name,
                            value_or_usage(documents.parse_key(class_name, text("key")))};
    const Result<void> made = members.contains("update")
                                  ? documents.update(builder, object, members.at("change"))
                                  : documents.erase(builder, object);
    if (!made) {
        throw Failure(ExitCode::usage, made.error().what());
    }
}

ExitCode apply_file(Run& run) {
    DeviceRun device(run);
    const auto source = value_or_usage(open_file(run.value("FILE")));
    JsonSplitter splitter;
    std::string text;
    std::uint64_t count = 0;
    bool more = true;
    while (more) {
        more = value_or_usage(source->read(text));
        while (const auto extent = value_or_usage(splitter.next(text, !more))) {
            changeset::ChangesetBuilder builder;
            try {
                append_line(
                    builder, device.documents(),
                    std::string_view(text).substr(extent->begin, extent->end - extent->begin));
            } catch (const Failure& failure) {
                throw Failure(failure.code(),
                              "line " + std::to_string(extent->line) + ": " + failure.message(),
                              "The " + count_of(count, "write") + " before it were kept.");
            }
            // A transaction each, so that what was read before a mistake is kept.
            device.write(value_or_usage(builder.finish()));
            ++count;
            text.erase(0, extent->end);
            splitter.consumed(extent->end);
        }
    }
    const ExitCode code = go_online(run, device, false);
    run.console().result({{"written", count}}, "wrote " + count_of(count, "object"));
    return code;
}

} // namespace

void add_device_object_commands(CommandTable& table) {
    table.commands.push_back(
        {.path = "sync show",
         .summary = "Print objects that a device holds",
         .details = "A table, or one object whole with its KEY; with --json all are whole.",
         .arguments = {{.name = "CLASS", .help = "Class"},
                       {.name = "KEY", .help = "Its _id", .optional = true}},
         .flags = device_flags(
             {{.name = "limit", .letter = 'l', .value = "N", .help = "At most so many (100)"}}),
         .run = show});
    table.commands.push_back(
        {.path = "sync insert",
         .summary = "Write a new object on a device",
         .arguments = {{.name = "CLASS", .help = "Class"},
                       {.name = "OBJECT", .help = "Extended JSON; without an _id it gets one"}},
         .flags = device_flags({offline_flag()}),
         .run = insert});
    table.commands.push_back(
        {.path = "sync update",
         .summary = "Change an object on a device",
         .arguments = {{.name = "CLASS", .help = "Class"},
                       {.name = "KEY", .help = "Its _id"},
                       {.name = "CHANGE",
                        .help = "Fields to set, or update operators like $set, $push, $inc"}},
         .flags = device_flags({offline_flag()}),
         .examples = {{"tombolo sync update Note 65f0c0ffee00000000000001 "
                       "'{\"$push\": {\"tags\": \"harbour\"}}'",
                       "Add to a list"}},
         .run = [](Run& run) { return change(run, false); }});
    table.commands.push_back(
        {.path = "sync delete",
         .summary = "Delete an object on a device",
         .arguments = {{.name = "CLASS", .help = "Class"}, {.name = "KEY", .help = "Its _id"}},
         .flags = device_flags({offline_flag()}),
         .run = [](Run& run) { return change(run, true); }});
    table.commands.push_back(
        {.path = "sync apply",
         .summary = "Write what a file says on a device",
         .details = "One JSON object a write: {\"insert\": CLASS, \"object\": {...}}, {\"update\": "
                    "CLASS, \"key\": KEY, \"change\": {...}} or {\"delete\": CLASS, \"key\": "
                    "KEY}. Each is a transaction.",
         .arguments = {{.name = "FILE", .help = "JSON lines; - is standard input"}},
         .flags = device_flags({offline_flag()}),
         .run = apply_file});
}

} // namespace tombolo::cli
