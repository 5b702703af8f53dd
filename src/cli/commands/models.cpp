// schema generate, schema datamodels: schemas from documents, and classes from schemas.

#include <filesystem>
#include <fstream>
#include <set>

#include <boost/json/serialize.hpp>

#include "cli/app_directory.hpp"
#include "cli/command_table.hpp"
#include "cli/run.hpp"
#include "server/app/app_config.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::int64_t sample_default = 500;
constexpr std::int64_t sample_max = 10'000;

struct LanguageName {
    const char* name;
    const char* api;
};
// Names and their short forms, as older tools take them.
constexpr LanguageName languages[] = {
    {"c_sharp", "C_SHARP"},
    {"java", "JAVA"},
    {"javascript", "JAVA_SCRIPT"},
    {"kotlin", "KOTLIN"},
    {"objective_c", "OBJECTIVE_C"},
    {"swift", "SWIFT"},
    {"typescript", "TYPE_SCRIPT"},
    {"dart", "DART"},
    {"cpp", "C_PLUS_PLUS"},
    {"c#", "C_SHARP"},
    {"cs", "C_SHARP"},
    {"csharp", "C_SHARP"},
    {"js", "JAVA_SCRIPT"},
    {"java_script", "JAVA_SCRIPT"},
    {"kt", "KOTLIN"},
    {"objc", "OBJECTIVE_C"},
    {"objective-c", "OBJECTIVE_C"},
    {"ts", "TYPE_SCRIPT"},
    {"type_script", "TYPE_SCRIPT"},
    {"c++", "C_PLUS_PLUS"},
};

std::vector<std::string> language_names() {
    std::vector<std::string> names;
    for (const LanguageName& each : languages) {
        names.emplace_back(each.name);
    }
    return names;
}

json::value json_flag(const Run& run, const std::string& flag) {
    const std::string text = run.value(flag);
    if (text.empty()) {
        return nullptr;
    }
    const Result<json::object> parsed = server::parse_json_object(text);
    if (!parsed) {
        throw Failure(ExitCode::usage,
                      "--" + flag + " must be a JSON object: " + parsed.error().what());
    }
    return *parsed;
}

// The data source of that name, or the only one.
json::object data_source(Run& run) {
    const std::string wanted = run.value("datasource");
    std::vector<json::object> found;
    for (json::object& each : objects_of(run.admin().get(run.app_path("/services")))) {
        const bool stores = text_of(each, "type").starts_with("mongodb");
        if (wanted.empty() ? stores : text_of(each, "name") == wanted) {
            found.push_back(std::move(each));
        }
    }
    if (found.size() == 1) {
        return found.front();
    }
    if (wanted.empty() && found.size() > 1) {
        throw Failure(ExitCode::usage, "the app has several data sources",
                      "Name one with --datasource.");
    }
    throw Failure(ExitCode::not_found, wanted.empty() ? "the app has no data source"
                                                      : "there is no data source " + wanted);
}

void write_text(const fs::path& path, const std::string& text) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file) {
        throw Failure(ExitCode::failure, "cannot write " + path.string());
    }
}

// Into the app directory that this is called in.
std::string save_schema(const std::string& source, const std::string& database,
                        const std::string& collection, const json::object& schema) {
    const auto root = find_app_root(".");
    if (!root) {
        throw Failure(ExitCode::usage, "there is no app directory here to save the schema in");
    }
    const fs::path folder = fs::path(*root) / "data_sources" / server::path_part(source) /
                            server::path_part(database) / server::path_part(collection);
    write_text(folder / "schema.json", server::pretty_json(schema));
    if (!fs::exists(folder / "relationships.json")) {
        write_text(folder / "relationships.json", server::pretty_json(json::object()));
    }
    return (folder / "schema.json").string();
}

ExitCode generate(Run& run) {
    const std::string database = run.required("database");
    const std::string collection = run.required("collection");
    const json::object source = data_source(run);
    json::object body{
        {"database_name", database},
        {"collection_name", collection},
        {"limit", run.arguments().number("limit", 1, sample_max).value_or(sample_default)},
        {"skip", run.arguments().number("skip", 0, INT32_MAX).value_or(0)},
        {"filter", json_flag(run, "filter")},
        {"sort", json_flag(run, "sort")}};
    const json::object answer = object_of(run.admin().post(
        run.app_path("/services/" + text_of(source, "_id") + "/commands/generate_schema"), body));
    json::object schema = server::object_or_empty(answer, "schema");
    if (run.has("title")) {
        schema["title"] = run.value("title");
    }
    if (run.has("save")) {
        const std::string path = save_schema(text_of(source, "name"), database, collection, schema);
        run.console().result({{"path", path}, {"schema", schema}}, "wrote " + path);
        return ExitCode::done;
    }
    std::string text = server::pretty_json(schema);
    text.pop_back();
    run.console().result(schema, text);
    return ExitCode::done;
}

std::string language_of(const Run& run) {
    const std::string wanted = run.required("language");
    for (const LanguageName& each : languages) {
        if (wanted == each.name) {
            return each.api;
        }
    }
    throw Failure(ExitCode::usage, "there is no language " + wanted);
}

std::string joined(const json::object& model, const char* key) {
    std::string text;
    const json::value* list = model.if_contains(key);
    if (list != nullptr && list->is_array()) {
        for (const json::value& line : list->get_array()) {
            text += text_of({{"line", line}}, "line") + "\n";
        }
    }
    return text;
}

// The models' text; with one block of imports on top when they are flat.
std::string source_text(const std::vector<json::object>& models, bool flat, bool imports) {
    std::set<std::string> lines;
    std::string text;
    for (const json::object& model : models) {
        const std::string own = joined(model, "import_statements");
        if (imports && flat) {
            lines.insert(own);
        }
        text += text.empty() ? "" : "\n";
        text += imports && !flat && !own.empty() ? own + "\n" : "";
        text += text_of(model, "schema") + "\n";
    }
    std::set<std::string> single;
    for (const std::string& block : lines) {
        for (std::size_t at = 0; at < block.size();) {
            const std::size_t end = block.find('\n', at);
            single.insert(block.substr(at, end - at));
            at = end + 1;
        }
    }
    std::string head;
    for (const std::string& line : single) {
        head += line + "\n";
    }
    return head + (head.empty() ? "" : "\n") + text;
}

ExitCode data_models(Run& run) {
    const std::vector<std::string> names = run.arguments().values("name");
    std::vector<json::object> models;
    bool failed = false;
    for (json::object& model :
         objects_of(run.admin().get(run.app_path("/sync/client_schemas/" + language_of(run))))) {
        const std::string name = text_of(model, "model_name");
        if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end()) {
            continue;
        }
        const json::object& error = server::object_or_empty(model, "error");
        if (!error.empty()) {
            failed = true;
            run.console().error(name + ": " + text_of(error, "error"), {});
            continue;
        }
        models.push_back(std::move(model));
    }
    if (models.empty()) {
        if (!failed) {
            run.console().note("the app has no such schema");
        }
        return failed ? ExitCode::failure : ExitCode::done;
    }
    if (run.console().json()) {
        for (const json::object& model : models) {
            run.console().result(model, {});
        }
    } else {
        std::string text = source_text(models, run.has("flat"), !run.has("no-imports"));
        text.pop_back();
        run.console().result({}, text);
    }
    return failed ? ExitCode::failure : ExitCode::done;
}

} // namespace

void add_model_commands(CommandTable& table) {
    table.commands.push_back(
        {.path = "schema generate",
         .summary = "Make a schema that fits the documents of a collection",
         .details = "Samples documents. Only _id is required in the result; fields without one "
                    "type are mixed.",
         .flags = {app_flag(),
                   {.name = "datasource",
                    .letter = 's',
                    .value = "NAME",
                    .help = "Data source; otherwise the only one"},
                   {.name = "database", .letter = 'd', .value = "NAME", .help = "Database"},
                   {.name = "collection", .letter = 'c', .value = "NAME", .help = "Collection"},
                   {.name = "limit",
                    .letter = 'l',
                    .value = "N",
                    .help = "At most so many documents (500)"},
                   {.name = "skip", .value = "N", .help = "Leave so many out first"},
                   {.name = "filter", .value = "JSON", .help = "Only documents that match"},
                   {.name = "sort", .value = "JSON", .help = "In this order"},
                   {.name = "title",
                    .value = "NAME",
                    .help = "Name of the class; otherwise the collection's"},
                   {.name = "save", .help = "Write it into the app directory here"}},
         .examples = {{"tombolo schema generate -d app -c Dog --title Dog --save",
                       "A schema.json from the dogs that are there"}},
         .run = generate});
    table.commands.push_back(
        {.path = "schema datamodels",
         .aliases = {"datamodel"},
         .summary = "Print an app's classes as source text for an SDK",
         .flags = {app_flag(),
                   {.name = "language",
                    .letter = 'l',
                    .value = "LANGUAGE",
                    .help = "The SDK's language",
                    .choices = language_names()},
                   {.name = "name",
                    .value = "CLASS",
                    .help = "Only this class; may be repeated",
                    .repeatable = true},
                   {.name = "flat", .help = "All imports first"},
                   {.name = "no-imports", .help = "No imports"}},
         .examples = {{"tombolo schema datamodels -l kotlin --flat > Models.kt", "All of them"}},
         .run = data_models});
}

} // namespace tombolo::cli
