#include "cli/device/device_command.hpp"

#include <filesystem>

#include "cli/data/byte_source.hpp"
#include "schema/app_mapping.hpp"
#include "server/app/app_tree.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace json = boost::json;

namespace {

Flag device_flag() {
    return {.name = "device",
            .value = "FILE",
            .help = "File of the device (default: $TOMBOLO_DEVICE, else device.tombolo)"};
}

} // namespace

std::vector<Flag> device_flags(std::vector<Flag> more) {
    more.insert(more.begin(), device_flag());
    return more;
}

Flag offline_flag() {
    return {.name = "offline", .help = "Stay offline: writes wait in the device's file"};
}

std::string waiting_words(DeviceRun& device) {
    const std::size_t count = device.waiting().size();
    return count == 0
               ? "nothing waits to be sent"
               : count_of(count, "write") + (count == 1 ? " waits" : " wait") + " to be sent";
}

ExitCode go_online(Run& run, DeviceRun& device, bool must_reach) {
    if (run.has("offline")) {
        run.console().note("offline: " + waiting_words(device));
        return ExitCode::done;
    }
    Advice advice;
    switch (device.synchronize(advice)) {
    case DeviceRun::Outcome::settled:
        return device.undone() > 0 ? ExitCode::failure : ExitCode::done;
    case DeviceRun::Outcome::interrupted:
        run.console().note("ended early: " + waiting_words(device));
        return ExitCode::failure;
    case DeviceRun::Outcome::offline:
        break;
    }
    if (must_reach) {
        throw Failure(advice.code, advice.message + "; " + waiting_words(device), advice.hint);
    }
    run.console().note(advice.message + "; " + waiting_words(device));
    return ExitCode::done;
}

json::object counts_of(DeviceRun& device) {
    json::object counts;
    for (const auto& [name, holder] : device.state().classes) {
        if (holder.info.kind == changeset::TableKind::top_level) {
            counts[name] = holder.objects.size();
        }
    }
    return counts;
}

std::string counts_text(DeviceRun& device) {
    std::string text;
    for (const auto& [name, count] : counts_of(device)) {
        text += (text.empty() ? "" : ", ") + count_text(count.to_number<std::uint64_t>()) + " " +
                std::string(name);
    }
    return text.empty() ? "no classes" : text;
}

json::object parsed_object(const std::string& text) {
    return server::parse_json_object(text).value();
}

json::object picked(json::object object, const std::set<std::string>& fields) {
    if (fields.empty()) {
        return object;
    }
    json::object out;
    for (const auto& [key, value] : object) {
        if (fields.contains(std::string(key))) {
            out[key] = value;
        }
    }
    return out;
}

schema::Schema read_classes(const std::string& path) {
    schema::AppSchema app;
    if (std::filesystem::is_directory(path)) {
        const server::AppTree tree = value_or_usage(server::read_app_directory(path));
        for (const auto& [file, text] : tree) {
            if (file.starts_with("data_sources/") && file.ends_with("/schema.json")) {
                schema::CollectionSchema collection;
                const std::string folder = file.substr(0, file.rfind('/'));
                const std::string name = folder.substr(folder.rfind('/') + 1);
                const std::string above = folder.substr(0, folder.rfind('/'));
                collection.place = {"tombolo", above.substr(above.rfind('/') + 1), name};
                collection.schema = value_or_usage(schema::parse_json_schema(text));
                const auto links = tree.find(folder + "/relationships.json");
                if (links != tree.end()) {
                    collection.relationships =
                        value_or_usage(schema::parse_relationships(links->second));
                }
                for (schema::Relationship& each : collection.relationships) {
                    each.target.data_source = "tombolo";
                }
                app.collections.push_back(std::move(collection));
            }
        }
    } else {
        auto source = value_or_usage(open_file(path));
        std::string text;
        while (value_or_usage(source->read(text))) {
        }
        schema::CollectionSchema collection;
        collection.schema = value_or_usage(schema::parse_json_schema(text));
        collection.place = {"tombolo", "device", collection.schema.title};
        app.collections.push_back(std::move(collection));
    }
    schema::MappedSchema mapped = schema::to_object_schema(app);
    if (!mapped.ok()) {
        throw Failure(ExitCode::usage, path + ": " + mapped.problems.front().text,
                      "tombolo schema check shows everything that is wrong.");
    }
    return std::move(mapped.documents.schema);
}

} // namespace tombolo::cli
