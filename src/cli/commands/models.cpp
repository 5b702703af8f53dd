// schema generate, schema datamodels: schemas from documents, and classes from schemas.

#include <filesystem>
#include <fstream>
#include <set>

#include <boost/json/serialize.hpp>

#include "cli/app_directory.hpp"
#include "cli/command_table.hpp"
#include "cli/commands/directories.hpp"
#include "cli/data/document_reader.hpp"
#include "cli/run.hpp"
#include "server/app/app_config.hpp"
#include "server/app/schema_inference.hpp"
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

// A schema of a file's documents; needs no server.
json::object schema_of_file(const Run& run, std::size_t limit, std::size_t skip) {
    const std::string path = run.value("path");
    const Result<std::unique_ptr<ByteSource>> source = open_file(path);
    if (!source) {
        throw Failure(source.error());
    }
    const Result<DataFormat> format = format_of(path);
    const auto reader = make_reader(format ? *format : DataFormat::json, **source);
    server::SchemaInference inference;
    BsonBuffer document;
    for (std::size_t at = 0; inference.documents() < limit; ++at) {
        const Result<bool> more = reader->next(document);
        if (!more) {
            throw Failure(ExitCode::usage, path + ": " + more.error().what());
        }
        if (!*more) {
            break;
        }
        if (at >= skip) {
            inference.add(mql::BsonDocumentView::from_trusted(document));
        }
    }
    if (inference.documents() == 0) {
        throw Failure(ExitCode::failure, "there are no documents in " + path);
    }
    const std::string stem = fs::path(path).filename().string();
    const std::string collection = run.value("collection");
    return inference.schema(collection.empty() ? stem.substr(0, stem.find('.')) : collection);
}

ExitCode show_schema(Run& run, json::object schema, const std::string& source,
                     const std::string& database, const std::string& collection) {
    if (run.has("title")) {
        schema["title"] = run.value("title");
    }
    if (run.has("save")) {
        const std::string path = save_schema(source, database, collection, schema);
        run.console().result({{"path", path}, {"schema", schema}}, "wrote " + path);
        return ExitCode::done;
    }
    std::string text = server::pretty_json(schema);
    text.pop_back();
    run.console().result(schema, text);
    return ExitCode::done;
}

ExitCode generate(Run& run) {
    const std::int64_t limit =
        run.arguments().number("limit", 1, sample_max).value_or(sample_default);
    const std::int64_t skip = run.arguments().number("skip", 0, INT32_MAX).value_or(0);
    if (run.has("path")) {
        const bool save = run.has("save");
        const auto named = [&](const char* flag) {
            return save ? run.required(flag) : std::string();
        };
        return show_schema(
            run,
            schema_of_file(run, static_cast<std::size_t>(limit), static_cast<std::size_t>(skip)),
            named("datasource"), named("database"), named("collection"));
    }
    const std::string database = run.required("database");
    const std::string collection = run.required("collection");
    const json::object source = data_source(run);
    json::object body{{"database_name", database},
                      {"collection_name", collection},
                      {"limit", limit},
                      {"skip", skip},
                      {"filter", json_flag(run, "filter")},
                      {"sort", json_flag(run, "sort")}};
    const json::object answer = object_of(run.admin().post(
        run.app_path("/services/" + text_of(source, "_id") + "/commands/generate_schema"), body));
    return show_schema(run, server::object_or_empty(answer, "schema"), text_of(source, "name"),
                       database, collection);
}

json::object local_schema(const std::string& source, const std::string& database,
                          const std::string& collection) {
    const auto root = find_app_root(".");
    const Result<server::AppTree> tree =
        root ? server::read_app_directory(*root)
             : Result<server::AppTree>(
                   Error(ErrorCode::not_found, "there is no app directory here"));
    if (!tree) {
        throw Failure(tree.error());
    }
    const std::string path = "data_sources/" + server::path_part(source) + "/" +
                             server::path_part(database) + "/" + server::path_part(collection) +
                             "/schema.json";
    const auto file = tree->find(path);
    if (file == tree->end()) {
        throw Failure(ExitCode::not_found, "there is no " + path);
    }
    const Result<json::object> schema = server::parse_json_object(file->second);
    if (!schema) {
        throw Failure(ExitCode::usage, path + ": " + schema.error().what());
    }
    return *schema;
}

json::object deployed_schema(Run& run, const std::string& source, const std::string& database,
                             const std::string& collection) {
    for (const json::object& each : objects_of(run.admin().get(run.app_path("/schemas")))) {
        const json::object& place = server::object_or_empty(each, "metadata");
        if (text_of(place, "data_source") == source && text_of(place, "database") == database &&
            text_of(place, "collection") == collection) {
            return server::object_or_empty(
                object_of(run.admin().get(run.app_path("/schemas/" + text_of(each, "_id")))),
                "schema");
        }
    }
    throw Failure(ExitCode::not_found, "the collection has no schema",
                  "Make one with tombolo schema generate --save.");
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

ExitCode validate_documents(Run& run) {
    const std::string database = run.required("database");
    const std::string collection = run.required("collection");
    const json::object source = data_source(run);
    const std::string name = text_of(source, "name");
    const json::object body{
        {"database_name", database},
        {"collection_name", collection},
        {"from_schema", run.has("use-local-app")
                            ? local_schema(name, database, collection)
                            : deployed_schema(run, name, database, collection)},
        {"limit", run.arguments().number("limit", 1, sample_max).value_or(sample_max)},
        {"skip", run.arguments().number("skip", 0, INT32_MAX).value_or(0)},
        {"query", json_flag(run, "filter")},
        {"sort", json_flag(run, "sort")}};
    const json::object answer = object_of(run.admin().post(
        run.app_path("/services/" + text_of(source, "_id") + "/commands/validate_documents"),
        body));
    std::string text;
    for (const json::object& each : objects_of(answer.at("errors"))) {
        text += text_of(each, "error_count") + " x " + text_of(each, "field") + ": " +
                text_of(each, "error_code") + "\n";
    }
    const std::string failed = text_of(answer, "total_error_count");
    text += failed + " of " + text_of(answer, "total_processed_count") + " documents do not fit";
    if (run.has("error-path")) {
        write_text(fs::absolute(run.value("error-path")), server::pretty_json(answer));
    }
    run.console().result(answer, text);
    return failed == "0" ? ExitCode::done : ExitCode::failure;
}

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
                   {.name = "path",
                    .value = "FILE",
                    .help = "Sample this file (JSON, CSV or BSON) instead; needs no server"},
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
