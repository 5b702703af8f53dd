// data: documents in and out, and indexes.

#include <chrono>
#include <ctime>

#include <fmt/format.h>

#include "cli/command_table.hpp"
#include "cli/data/document_reader.hpp"
#include "cli/data/document_writer.hpp"
#include "cli/data/import_sender.hpp"
#include "cli/data/shape.hpp"
#include "cli/interrupt.hpp"
#include "cli/run.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;
using mql::BsonDocumentView;

/// Of one request: large enough to make its cost small, small enough to be one of several in
/// flight.
constexpr std::size_t batch_bytes = std::size_t{1} << 20;

template <class T>
T value_or_usage(Result<T> result) {
    if (!result) {
        const bool missing = result.error().code() == ErrorCode::not_found;
        throw Failure(missing ? ExitCode::not_found : ExitCode::usage, result.error().what());
    }
    return *std::move(result);
}

// "/services/<id>" of --service, else of the app's only data source.
std::string service_path(Run& run) {
    const std::string wanted = run.value("service");
    std::vector<json::object> sources;
    for (json::object& each : objects_of(run.admin().get(run.app_path("/services")))) {
        if (text_of(each, "type").starts_with("mongodb") &&
            (wanted.empty() || text_of(each, "name") == wanted || text_of(each, "_id") == wanted)) {
            sources.push_back(std::move(each));
        }
    }
    if (sources.empty()) {
        throw Failure(ExitCode::not_found,
                      wanted.empty() ? "the app has no data source"
                                     : "the app has no data source '" + wanted + "'",
                      "Deploy an app directory with one: tombolo push.");
    }
    if (sources.size() > 1) {
        throw Failure(ExitCode::usage, "the app has several data sources",
                      "Name one with --service.");
    }
    return run.app_path("/services/" + text_of(sources.front(), "_id"));
}

char delimiter_of(const Run& run) {
    const std::string text = run.arguments().value("delimiter", ",");
    if (text == "tab" || text == "\\t") {
        return '\t';
    }
    if (text.size() != 1 || text[0] == '"' || text[0] == '\n' || text[0] == '\r') {
        throw Failure(ExitCode::usage, "--delimiter must be one character, or tab");
    }
    return text[0];
}

std::vector<std::string> split_list(const std::string& text) {
    std::vector<std::string> parts;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        parts.push_back(text.substr(at, comma - at));
        at = comma + 1;
    }
    return parts;
}

ShapeOptions shape_of(const Run& run) {
    ShapeOptions shape;
    const std::string id = run.value("id");
    if (id == "content") {
        shape.id = IdSource::content;
    } else if (!id.empty()) {
        shape.id = IdSource::field;
        shape.id_field = id;
    }
    for (const std::string& point : run.arguments().values("point")) {
        shape.points.push_back(value_or_usage(parse_point_rule(point)));
    }
    return shape;
}

// Reads, shapes and packs documents, and hands full batches over.
class Importer {
  public:
    Importer(const Run& run, const std::string& file)
        : source_(value_or_usage(open_file(file))), shaper_(shape_of(run), random_) {
        const std::string format = run.value("format");
        ReaderOptions options;
        options.delimiter = delimiter_of(run);
        options.header = split_list(run.value("header"));
        reader_ =
            make_reader(value_or_usage(format.empty() ? format_of(file) : parse_format(format)),
                        *source_, options);
    }

    /// False when Ctrl-C ended it before the file did.
    bool run(ImportSender& sender, Progress& progress) {
        const Interrupt interrupt;
        const auto now = static_cast<std::uint32_t>(std::time(nullptr));
        BsonBuffer document;
        std::string batch;
        std::uint64_t batch_first = 1;
        while (!interrupt.requested()) {
            const bool more = value_or_usage(reader_->next(document));
            if (more) {
                ++count_;
                const Result<void> shaped = shaper_.apply(document, now);
                if (!shaped) {
                    throw Failure(ExitCode::usage,
                                  shaped.error().within(fmt::format("document {}", count_)).what());
                }
                batch += as_text(document);
            }
            if (batch.size() >= batch_bytes || (!more && !batch.empty())) {
                sender.send(std::move(batch), batch_first);
                batch.clear();
                batch_first = count_ + 1;
            }
            progress.show(source_->position(), count_of(count_, "document"));
            if (!more) {
                return true;
            }
        }
        return false;
    }

    std::uint64_t file_size() const { return source_->size(); }

  private:
    SystemRandom random_;
    std::unique_ptr<ByteSource> source_;
    std::unique_ptr<DocumentReader> reader_;
    Shaper shaper_;
    std::uint64_t count_ = 0;
};

std::string how_far(const ImportTotals& totals, const std::string& mode) {
    std::string text = count_of(totals.written, "document") + " were written";
    if (totals.skipped > 0) {
        text += ", " + count_text(totals.skipped) + " were there already";
    }
    return text + (mode == "insert" ? "; run it again with --mode skip to go on"
                                    : "; run it again to go on");
}

ExitCode report(Run& run, const ImportTotals& totals, double seconds) {
    for (const std::string& problem : totals.problems) {
        run.console().error(problem, {});
    }
    if (totals.refused > totals.problems.size()) {
        run.console().error("and " + count_text(totals.refused - totals.problems.size()) + " more",
                            {});
    }
    std::string text = "imported " + count_of(totals.written, "document");
    if (totals.skipped > 0) {
        text += "; " + count_text(totals.skipped) + " were there already";
    }
    if (totals.refused > 0) {
        text += "; " + count_text(totals.refused) + " were refused";
    }
    if (seconds > 0.05) {
        text += fmt::format(" in {:.1f} s ({}/s)", seconds,
                            count_text(static_cast<std::uint64_t>(
                                static_cast<double>(totals.written + totals.skipped) / seconds)));
    }
    run.console().result({{"written", totals.written},
                          {"skipped", totals.skipped},
                          {"refused", totals.refused},
                          {"seconds", seconds}},
                         text);
    return totals.refused > 0 ? ExitCode::failure : ExitCode::done;
}

ExitCode import(Run& run) {
    const std::string database = run.required("database");
    const std::string collection = run.required("collection");
    const std::string mode = run.arguments().value("mode", "insert");
    Importer importer(run, run.value("FILE"));
    const std::string path = service_path(run) + "/import";
    Progress progress(run.console(), database + "." + collection, importer.file_size());
    const auto start = std::chrono::steady_clock::now();
    ImportSender sender(run.admin(), path,
                        {{"database", database}, {"collection", collection}, {"mode", mode}});
    const auto failed = [&](const Failure& failure) {
        progress.finish();
        return Failure(failure.code(), "the import stopped: " + failure.message(),
                       how_far(sender.totals(), mode) +
                           (failure.hint().empty() ? "" : "\n" + failure.hint()));
    };
    bool whole = false;
    try {
        whole = importer.run(sender, progress);
    } catch (const Failure& failure) {
        try {
            sender.finish(); // what was read before goes in
        } catch (const Failure&) {
            throw failed(failure);
        }
        throw failed(failure);
    }
    try {
        sender.finish();
    } catch (const Failure& failure) {
        throw failed(failure);
    }
    progress.finish();
    if (!whole) {
        throw Failure(ExitCode::failure, "interrupted", how_far(sender.totals(), mode));
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    return report(run, sender.totals(), seconds.count());
}

WriterOptions writer_options(const Run& run, const std::string& file) {
    WriterOptions options;
    const std::string format = run.value("format");
    const std::string plain = file.ends_with(".gz") ? file.substr(0, file.size() - 3) : file;
    if (format == "csv" || (format.empty() && plain.ends_with(".csv"))) {
        options.format = OutputFormat::csv;
    } else if (format == "bson" || (format.empty() && plain.ends_with(".bson"))) {
        options.format = OutputFormat::bson;
    } else if (format == "json" || (format.empty() && plain.ends_with(".json"))) {
        options.format = OutputFormat::json_array;
    }
    options.form = run.has("canonical") ? EjsonForm::canonical : EjsonForm::relaxed;
    options.fields = split_list(run.value("fields"));
    options.delimiter = delimiter_of(run);
    if (options.format == OutputFormat::csv && options.fields.empty()) {
        throw Failure(ExitCode::usage, "CSV needs its columns: --fields _id,name,address.city");
    }
    return options;
}

// Writes one answer of the export route.
void write_page(const std::string& page, DocumentWriter& writer) {
    std::string_view rest = page;
    while (!rest.empty()) {
        std::uint32_t size = 0;
        if (rest.size() >= sizeof size) {
            std::memcpy(&size, rest.data(), sizeof size);
        }
        if (size < 5 || size > rest.size()) {
            throw Failure(ExitCode::failure, "the server's answer to an export is damaged");
        }
        const auto document = BsonDocumentView::validate(as_bytes(rest.substr(0, size)));
        if (!document) {
            throw Failure(document.error());
        }
        if (const Result<void> written = writer.write(*document); !written) {
            throw Failure(written.error());
        }
        rest.remove_prefix(size);
    }
}

ExitCode export_all(Run& run) {
    const std::string file = run.arguments().value("FILE", "-");
    Query query{{"database", run.required("database")}, {"collection", run.required("collection")}};
    if (run.has("query")) {
        query.emplace_back("filter", run.value("query"));
    }
    const WriterOptions options = writer_options(run, file);
    const std::string path = service_path(run) + "/export";
    const std::unique_ptr<ByteSink> sink = value_or_usage(create_file(file));
    DocumentWriter writer(options, *sink);
    Progress progress(run.console(), query[0].second + "." + query[1].second, 0);
    const Interrupt interrupt;
    std::string after;
    do {
        Query page_query = query;
        if (!after.empty()) {
            page_query.emplace_back("after", after);
        }
        const HttpResponse page = run.admin().request("GET", path, page_query, {}, {});
        write_page(page.body, writer);
        after = page.header("x-tombolo-next");
        progress.show(0, count_of(writer.count(), "document"));
    } while (!after.empty() && !interrupt.requested());
    progress.finish();
    if (interrupt.requested()) {
        throw Failure(ExitCode::failure, "interrupted; no file was written");
    }
    if (const Result<void> finished = writer.finish(); !finished) {
        throw Failure(finished.error());
    }
    if (file != "-") {
        run.console().result({{"file", file}, {"documents", writer.count()}},
                             "exported " + count_of(writer.count(), "document") + " to " + file);
    }
    return ExitCode::done;
}

Query place_of(const Run& run) {
    return {{"database", run.required("database")}, {"collection", run.required("collection")}};
}

ExitCode list_indexes(Run& run) {
    const auto indexes = objects_of(run.admin().get(service_path(run) + "/indexes", place_of(run)));
    std::vector<std::vector<std::string>> rows;
    rows.reserve(indexes.size());
    for (const json::object& each : indexes) {
        std::string fields;
        if (each.contains("fields") && each.at("fields").is_array()) {
            for (const json::value& field : each.at("fields").get_array()) {
                fields += (fields.empty() ? "" : ", ") + text_of({{"f", field}}, "f");
            }
        }
        rows.push_back({text_of(each, "name"), fields,
                        server::bool_or(each, "unique", false) ? "unique" : ""});
    }
    run.console().table({"Name", "Fields", ""}, rows, indexes);
    return ExitCode::done;
}

ExitCode create_index(Run& run) {
    json::array fields;
    std::string name;
    for (const std::string& field : run.arguments().values("FIELD")) {
        fields.emplace_back(field);
        name += (name.empty() ? "" : "_") + field;
    }
    const Query place = place_of(run);
    const json::object made = object_of(run.admin().post(
        service_path(run) + "/indexes", json::object{{"database", place[0].second},
                                                     {"collection", place[1].second},
                                                     {"name", run.arguments().value("name", name)},
                                                     {"fields", fields},
                                                     {"unique", run.has("unique")}}));
    run.console().result(made, "index " + text_of(made, "name") + " is there");
    return ExitCode::done;
}

ExitCode delete_index(Run& run) {
    const std::string name = run.value("NAME");
    run.admin().request("DELETE", service_path(run) + "/indexes/" + percent_encode(name),
                        place_of(run), {}, {});
    run.console().result({{"name", name}, {"deleted", true}}, "deleted index " + name);
    return ExitCode::done;
}

ExitCode drop(Run& run) {
    const Query place = place_of(run);
    const std::string name = place[0].second + "." + place[1].second;
    if (!run.console().confirm("Erase the collection " + name +
                               " with all its documents and indexes? An app that syncs it fails: "
                               "its sync must be terminated and enabled again, and its devices "
                               "reset.")) {
        run.console().note("nothing was erased");
        return ExitCode::done;
    }
    const std::string answer =
        run.admin().request("DELETE", service_path(run) + "/collections", place, {}, {}).body;
    const json::object done = server::parse_json_object(answer).value();
    run.console().result(done, "erased " + name);
    if (server::bool_or(done, "sync_failed", false)) {
        run.console().warning("sync has failed: terminate it and enable it again (tombolo sync "
                              "terminate, tombolo sync enable)");
    }
    return ExitCode::done;
}

std::vector<Flag> place_flags() {
    return {app_flag(),
            {.name = "database", .letter = 'd', .value = "NAME", .help = "Database"},
            {.name = "collection", .letter = 'c', .value = "NAME", .help = "Collection"},
            {.name = "service",
             .letter = 's',
             .value = "NAME",
             .help = "Data source; otherwise the app's only one",
             .aliases = {"datasource"}}};
}

void add_import(CommandTable& table) {
    std::vector<Flag> flags = place_flags();
    flags.push_back({.name = "format",
                     .value = "FORMAT",
                     .help = "Of the file; otherwise its name tells",
                     .choices = {"json", "jsonl", "csv", "bson"}});
    flags.push_back({.name = "mode",
                     .value = "MODE",
                     .help = "What to do with an _id that exists (insert: refuse it)",
                     .choices = {"insert", "upsert", "skip"}});
    flags.push_back({.name = "id",
                     .value = "FIELD",
                     .help = "Field whose value becomes the _id; \"content\" makes it of a digest "
                             "of the document, the same in every run. Otherwise a document without "
                             "_id gets a new ObjectId"});
    flags.push_back({.name = "point",
                     .value = "FIELD=LNG,LAT",
                     .help = "Make a GeoJSON point of two fields, like loc=lng,lat",
                     .repeatable = true});
    flags.push_back({.name = "delimiter",
                     .value = "CHARACTER",
                     .help = "Between the cells of CSV (a comma); tab for tabs"});
    flags.push_back({.name = "header",
                     .value = "COLUMNS",
                     .help = "Columns of a CSV file that has none, separated by commas"});
    table.commands.push_back(
        {.path = "data import",
         .summary = "Import documents from a file",
         .details =
             "JSON: an array of objects, or objects one after the other (one a line, or not), as "
             "Extended JSON. BSON: what mongodump writes. Either may be packed with gzip; \"-\" "
             "reads standard input.\n\nCSV: the header names the columns: name, name:type, or as "
             "mongoimport writes it, name.type(); the types are string (when none is given), int, "
             "long, double, decimal, bool, date, objectId, uuid, json and auto. A dot makes nested "
             "documents; an empty cell leaves the field out.\n\nDocuments go past rules and "
             "schemas and reach devices and watches like any other write. What was acknowledged "
             "before an interruption is kept: run the same again with --mode skip or upsert.",
         .arguments = {{.name = "FILE", .help = "File to read, or -"}},
         .flags = flags,
         .examples = {{"tombolo data import cities.json -d geo -c cities --id content --point "
                       "loc=lng,lat --mode upsert",
                       "Points and ids made of the records"},
                      {"tombolo data import dump/shop/orders.bson.gz -d shop -c orders",
                       "A collection of a mongodump"}},
         .run = import});
}

void add_export(CommandTable& table) {
    std::vector<Flag> flags = place_flags();
    flags.push_back({.name = "format",
                     .value = "FORMAT",
                     .help = "Of the file; otherwise its name tells, else jsonl",
                     .choices = {"json", "jsonl", "csv", "bson"}});
    flags.push_back({.name = "query",
                     .value = "FILTER",
                     .help = "Only documents that match this filter (Extended JSON)",
                     .aliases = {"filter"}});
    flags.push_back({.name = "fields",
                     .value = "COLUMNS",
                     .help = "Columns of CSV: fields, separated by commas, with dots for nested "
                             "ones"});
    flags.push_back(
        {.name = "canonical", .help = "Canonical Extended JSON, which keeps every type"});
    flags.push_back({.name = "delimiter",
                     .value = "CHARACTER",
                     .help = "Between the cells of CSV (a comma); tab for tabs"});
    table.commands.push_back(
        {.path = "data export",
         .summary = "Export documents to a file",
         .details = "In the order of _id, in pages: documents that change meanwhile may be in it "
                    "as they were or as they are. A name that ends in .gz is packed. A backup of "
                    "everything at one instant is tombolo server backup.",
         .arguments = {{.name = "FILE",
                        .help = "File to write; otherwise standard output",
                        .optional = true}},
         .flags = flags,
         .examples = {{"tombolo data export notes.jsonl.gz -d app -c notes --canonical",
                       "All of a collection, every type kept"},
                      {"tombolo data export -d app -c notes --format csv --fields _id,text",
                       "Two columns"}},
         .run = export_all});
}

} // namespace

void add_data_commands(CommandTable& table) {
    table.groups.push_back({.name = "data", .summary = "Documents: import, export, indexes"});
    add_import(table);
    add_export(table);
    table.commands.push_back({.path = "data drop",
                              .summary = "Erase a collection with its documents and indexes",
                              .details =
                                  "Sync of an app that syncs the collection fails: terminate "
                                  "it and enable it again.",
                              .flags = place_flags(),
                              .run = drop});
    table.groups.push_back(
        {.name = "indexes", .aliases = {"index"}, .summary = "Indexes of a collection"});
    table.commands.push_back({.path = "indexes list",
                              .aliases = {"ls"},
                              .summary = "List the indexes of a collection",
                              .flags = place_flags(),
                              .run = list_indexes});
    std::vector<Flag> create_flags = place_flags();
    create_flags.push_back({.name = "unique", .help = "No two documents may have the same"});
    create_flags.push_back({.name = "name",
                            .letter = 'n',
                            .value = "NAME",
                            .help = "Of the index; otherwise made of the fields"});
    table.commands.push_back({.path = "indexes create",
                              .summary = "Create an index over what is there and what comes",
                              .arguments = {{.name = "FIELD",
                                             .help = "Field, with dots for nested ones",
                                             .repeatable = true}},
                              .flags = create_flags,
                              .run = create_index});
    table.commands.push_back({.path = "indexes delete",
                              .summary = "Delete an index",
                              .arguments = {{.name = "NAME", .help = "Of the index"}},
                              .flags = place_flags(),
                              .run = delete_index});
}

} // namespace tombolo::cli
