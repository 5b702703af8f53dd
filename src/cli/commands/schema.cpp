// schema: what collections look like, and whether it makes sense.

#include <map>

#include <boost/json/serialize.hpp>

#include "cli/app_directory.hpp"
#include "cli/command_table.hpp"
#include "cli/commands/directories.hpp"
#include "cli/run.hpp"
#include "schema/app_mapping.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;
using schema::AppSchema;
using schema::CollectionSchema;

struct Finding {
    std::string place; ///< a file, or "collection in data source"
    std::string text;
    bool warning = false;
};

struct Checked {
    std::vector<Finding> findings;
    std::size_t schemas = 0;
};

// By data source: titles are unique there.
using Sources = std::map<std::string, AppSchema>;

void check(const Sources& sources, Checked& checked) {
    for (const auto& [source, app] : sources) {
        for (const schema::SchemaProblem& problem : schema::to_object_schema(app).problems) {
            std::string place = source;
            for (const CollectionSchema& each : app.collections) {
                if (each.schema.title == problem.class_name) {
                    place = to_text(each.place);
                    break;
                }
            }
            checked.findings.push_back({place, problem.text, problem.warning});
        }
    }
}

// "data_sources/<source>/<database>/<collection>/schema.json", or nothing.
std::vector<std::string> path_parts(const std::string& path) {
    std::vector<std::string> parts;
    std::size_t at = 0;
    while (at <= path.size()) {
        const std::size_t slash = std::min(path.find('/', at), path.size());
        parts.push_back(path.substr(at, slash - at));
        at = slash + 1;
    }
    const bool fits = parts.size() == 5 && parts[0] == "data_sources" && parts[4] == "schema.json";
    return fits ? parts : std::vector<std::string>();
}

Checked check_directory(const std::string& root) {
    const Result<server::AppTree> tree = server::read_app_directory(root);
    if (!tree) {
        throw Failure(tree.error());
    }
    Checked checked;
    Sources sources;
    for (const auto& [path, text] : *tree) {
        const std::vector<std::string> parts = path_parts(path);
        if (parts.empty()) {
            continue;
        }
        ++checked.schemas;
        CollectionSchema collection;
        collection.place = {parts[1], parts[2], parts[3]};
        Result<schema::JsonSchema> parsed = schema::parse_json_schema(text);
        if (!parsed) {
            checked.findings.push_back({path, parsed.error().what()});
            continue;
        }
        collection.schema = *std::move(parsed);
        const std::string beside = path.substr(0, path.rfind('/')) + "/relationships.json";
        if (tree->contains(beside)) {
            auto relationships = schema::parse_relationships(tree->at(beside));
            if (!relationships) {
                checked.findings.push_back({beside, relationships.error().what()});
                continue;
            }
            collection.relationships = *std::move(relationships);
        }
        sources[parts[1]].collections.push_back(std::move(collection));
    }
    check(sources, checked);
    return checked;
}

Checked check_server(Run& run) {
    Checked checked;
    Sources sources;
    for (const json::object& each : objects_of(run.admin().get(run.app_path("/schemas")))) {
        ++checked.schemas;
        const json::value whole = run.admin().get(run.app_path("/schemas/" + text_of(each, "_id")));
        auto parsed = schema::parse_collection_schema(json::serialize(whole));
        if (!parsed) {
            checked.findings.push_back({text_of(each, "_id"), parsed.error().what()});
            continue;
        }
        const std::string source = parsed->place.data_source;
        sources[source].collections.push_back(*std::move(parsed));
    }
    check(sources, checked);
    return checked;
}

ExitCode validate(Run& run) {
    if (run.has("collection")) {
        return validate_documents(run);
    }
    const bool remote = run.has("app");
    std::string where;
    Checked checked;
    if (remote) {
        where = run.app().client_app_id;
        checked = check_server(run);
    } else {
        const auto root =
            find_app_root(run.value("DIRECTORY").empty() ? "." : run.value("DIRECTORY"));
        if (!root) {
            throw Failure(ExitCode::usage, "there is no app directory here",
                          "Name one, or check an app on the server with --app.");
        }
        where = *root;
        checked = check_directory(where);
    }
    json::array list;
    std::string text;
    std::size_t errors = 0;
    for (const Finding& finding : checked.findings) {
        errors += finding.warning ? 0U : 1U;
        list.push_back(
            {{"place", finding.place}, {"message", finding.text}, {"warning", finding.warning}});
        text += (finding.warning ? "warning: " : "error: ") + finding.place + ": " + finding.text +
                "\n";
    }
    text += count_of(checked.schemas, "schema") + " of " + where + ": " +
            (errors == 0 ? "valid" : count_of(errors, "error"));
    run.console().result({{"schemas", checked.schemas}, {"errors", errors}, {"findings", list}},
                         text);
    return errors == 0 ? ExitCode::done : ExitCode::usage;
}

ExitCode list(Run& run) {
    const auto schemas = objects_of(run.admin().get(run.app_path("/schemas")));
    std::vector<std::vector<std::string>> rows;
    rows.reserve(schemas.size());
    for (const json::object& each : schemas) {
        const json::object& place = server::object_or_empty(each, "metadata");
        rows.push_back({text_of(each, "_id"), text_of(place, "data_source"),
                        text_of(place, "database"), text_of(place, "collection")});
    }
    run.console().table({"Id", "Data source", "Database", "Collection"}, rows, schemas);
    return ExitCode::done;
}

} // namespace

void add_schema_commands(CommandTable& table) {
    table.groups.push_back(
        {.name = "schema", .aliases = {"schemas"}, .summary = "Schemas of collections"});
    table.commands.push_back({.path = "schema list",
                              .aliases = {"ls"},
                              .summary = "List the schemas of an app",
                              .flags = {app_flag()},
                              .run = list});
    table.commands.push_back(
        {.path = "schema validate",
         .summary = "Check the schemas of an app directory or app, or documents against one",
         .details = "Finds everything that would keep them from being synced, all at once. Needs "
                    "no server for a directory; with --app it checks what is deployed. Ends with 2 "
                    "when there are errors.\n\nWith --collection it checks the documents that are "
                    "there against the collection's schema, and ends with 1 when some do not fit.",
         .arguments = {{.name = "DIRECTORY",
                        .help = "App directory; otherwise the one that this is called in",
                        .optional = true}},
         .flags = {app_flag(),
                   {.name = "datasource",
                    .letter = 's',
                    .value = "NAME",
                    .help = "Data source; otherwise the only one"},
                   {.name = "database", .letter = 'd', .value = "NAME", .help = "Database"},
                   {.name = "collection",
                    .letter = 'c',
                    .value = "NAME",
                    .help = "Collection whose documents are checked"},
                   {.name = "limit",
                    .letter = 'l',
                    .value = "N",
                    .help = "At most so many documents (10000)"},
                   {.name = "skip", .value = "N", .help = "Leave so many out first"},
                   {.name = "filter", .value = "JSON", .help = "Only documents that match"},
                   {.name = "sort", .value = "JSON", .help = "In this order"},
                   {.name = "use-local-app",
                    .help = "Take the schema of the app directory here, not the deployed one"},
                   {.name = "error-path",
                    .letter = 'e',
                    .value = "FILE",
                    .help = "Write what does not fit there, as JSON"}},
         .examples = {{"tombolo schema validate -d app -c Dog --use-local-app",
                       "Would the changed schema fit the dogs that are there?"}},
         .run = validate});
}

} // namespace tombolo::cli
