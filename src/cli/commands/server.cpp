// server: its state, backups, and what works on its files while it is stopped.

#include <cstdlib>
#include <filesystem>

#include "cli/command_table.hpp"
#include "cli/run.hpp"
#include "server/runtime/json.hpp"
#include "server/store/embedded/embedded_store.hpp"

namespace tombolo::cli {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::uint64_t number(const json::object& object, std::string_view key) {
    const json::value* member = object.if_contains(key);
    return member != nullptr && member->is_int64() && member->get_int64() > 0
               ? static_cast<std::uint64_t>(member->get_int64())
               : 0;
}

ExitCode status(Run& run) {
    const json::object status = object_of(run.admin().get("/server/status"));
    std::string text = run.admin().base_url() + "\nversion: " + text_of(status, "version") +
                       "\nrunning since: " + text_of(status, "started") +
                       "\napps: " + text_of(status, "apps") +
                       "\nstore: " + size_text(number(status, "disk_bytes")) + ", " +
                       count_of(number(status, "commits"), "commit") + " since the start" +
                       "\nbackups: " + text_of(status, "backup_directory");
    run.console().result(status, text);
    return ExitCode::done;
}

ExitCode backup(Run& run) {
    run.console().note("the server writes a backup; it goes on serving meanwhile");
    const json::object made = object_of(run.admin().post("/server/backups", json::object()));
    run.console().result(made, "backed up to " + text_of(made, "directory") +
                                   " on the server's machine\nThe master key is not part of it: "
                                   "keep a copy of " +
                                   text_of(made, "master_key_file") + " in another place.");
    return ExitCode::done;
}

json::object report_json(const store::VerifyReport& report) {
    json::array problems;
    for (const std::string& each : report.problems) {
        problems.emplace_back(each);
    }
    return {{"documents", report.documents},
            {"past_images", report.past_images},
            {"index_entries", report.index_entries},
            {"records", report.records},
            {"problems", problems}};
}

ExitCode show_report(Run& run, const json::object& report) {
    std::string text;
    std::size_t problems = 0;
    if (const json::value* list = report.if_contains("problems");
        list != nullptr && list->is_array()) {
        problems = list->get_array().size();
        for (const json::value& each : list->get_array()) {
            text += "problem: " + text_of({{"p", each}}, "p") + "\n";
        }
    }
    text += count_of(number(report, "documents"), "document") + ", " +
            count_of(number(report, "past_images"), "earlier version") + ", " +
            count_text(number(report, "index_entries")) + " index entries, " +
            count_of(number(report, "records"), "record") + ": ";
    text += problems == 0 ? "all well" : count_of(problems, "problem");
    run.console().result(report, text);
    return problems == 0 ? ExitCode::done : ExitCode::failure;
}

ExitCode verify_files(Run& run, const std::string& directory) {
    std::error_code error;
    if (!fs::is_directory(directory, error)) {
        throw Failure(ExitCode::not_found, "there is no store at " + directory);
    }
    store::EmbeddedOptions options;
    options.directory = directory;
    const auto opened = store::open_embedded(options);
    if (!opened) {
        throw Failure(ExitCode::failure, opened.error().what(),
                      "While tombolod runs, verify without --data.");
    }
    const auto report = (*opened)->verify();
    if (!report) {
        throw Failure(report.error());
    }
    return show_report(run, report_json(*report));
}

// A backup is only as good as what can be restored from it: so that is done, then thrown away.
ExitCode verify_backup(Run& run, const std::string& backup_directory) {
    std::string scratch = (fs::path(run.arguments().value("scratch", fs::temp_directory_path())) /
                           "tombolo-verify-XXXXXX")
                              .string();
    if (::mkdtemp(scratch.data()) == nullptr) {
        throw Failure(ExitCode::failure, "cannot make a temporary folder in " +
                                             fs::path(scratch).parent_path().string());
    }
    struct Remove {
        std::string path;
        ~Remove() {
            std::error_code ignored;
            fs::remove_all(path, ignored);
        }
    } const remove{scratch};
    const Result<void> restored = store::restore_embedded(backup_directory, scratch + "/store");
    if (!restored) {
        throw Failure(restored.error());
    }
    return verify_files(run, scratch + "/store");
}

ExitCode verify(Run& run) {
    if (run.has("backup")) {
        return verify_backup(run, run.value("backup"));
    }
    if (run.has("data")) {
        return verify_files(run, run.value("data") + "/store");
    }
    return show_report(run, object_of(run.admin().post("/server/verify", json::object())));
}

ExitCode restore(Run& run) {
    const std::string from = run.value("BACKUP");
    const fs::path data = run.required("data");
    std::error_code error;
    if (!fs::is_directory(from, error)) {
        throw Failure(ExitCode::not_found, "there is no backup at " + from);
    }
    if (fs::exists(data / "store", error) && !fs::is_empty(data / "store", error)) {
        throw Failure(ExitCode::usage, (data / "store").string() + " is not empty",
                      "Stop the server and move its data folder away, or restore into another.");
    }
    fs::create_directories(data, error);
    const Result<void> restored = store::restore_embedded(from, (data / "store").string());
    if (!restored) {
        throw Failure(restored.error());
    }
    const std::string key = run.value("master-key");
    if (!key.empty()) {
        fs::copy_file(key, data / "master.key", fs::copy_options::none, error);
        if (error) {
            throw Failure(ExitCode::failure, "cannot copy the master key: " + error.message());
        }
        fs::permissions(data / "master.key", fs::perms::owner_read | fs::perms::owner_write, error);
    }
    const bool has_key = fs::exists(data / "master.key", error);
    run.console().result({{"data", data.string()}, {"master_key", has_key}},
                         "restored into " + data.string() +
                             "\nDevices that saw newer data are told to reset when they connect: "
                             "they send again what they had not sent, and what they had sent since "
                             "the backup is gone.");
    if (!has_key) {
        run.console().warning("there is no master.key: put the copy of it there before starting "
                              "tombolod, or the app secrets stay closed");
    }
    return ExitCode::done;
}

} // namespace

void add_server_commands(CommandTable& table) {
    table.groups.push_back(
        {.name = "server", .summary = "The server itself: state, backup, restore, verification"});
    table.commands.push_back({.path = "server status",
                              .summary = "Show version, size and activity of a running server",
                              .run = status});
    table.commands.push_back(
        {.path = "server backup",
         .summary = "Make a backup while the server runs",
         .details = "A consistent copy of everything at one instant, in the server's backup folder "
                    "(setting backup_directory). Earlier backups there are kept and shared, so the "
                    "next one is small.",
         .run = backup});
    table.commands.push_back(
        {.path = "server restore",
         .summary = "Restore the newest backup into an empty data folder",
         .details = "Works on files; no server may run on that folder. Afterwards start tombolod "
                    "with --data.",
         .arguments = {{.name = "BACKUP", .help = "Folder of backups"}},
         .flags = {{.name = "data", .value = "DIRECTORY", .help = "Data folder to make"},
                   {.name = "master-key",
                    .value = "FILE",
                    .help = "Copy of the master key to put there"}},
         .examples = {{"tombolo server restore /backup/tombolo --data /var/lib/tombolo "
                       "--master-key /safe/master.key",
                       "After the disk was lost"}},
         .run = restore});
    table.commands.push_back(
        {.path = "server verify",
         .aliases = {"check"},
         .summary = "Read everything and check it against itself",
         .details = "Asks a running server; with --data it reads the files of a stopped one, with "
                    "--backup it restores the newest backup into a temporary folder and reads "
                    "that. Ends with 1 when something is wrong.",
         .flags = {{.name = "data",
                    .value = "DIRECTORY",
                    .help = "Data folder of a stopped server"},
                   {.name = "backup", .value = "DIRECTORY", .help = "Folder of backups"},
                   {.name = "scratch",
                    .value = "DIRECTORY",
                    .help = "Where there is room for the restored copy (the system's temporary "
                            "folder)"}},
         .run = verify});
}

} // namespace tombolo::cli
