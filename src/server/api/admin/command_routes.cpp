// Commands of data sources (admin-api-and-config.md R3): what is in them, and what their documents
// look like.
//
//   POST services/{service}/commands/list_databases      -> {databases: [name]}
//   POST services/{service}/commands/list_collections    {database_name} -> {collections: [name]}
//   POST services/{service}/commands/generate_schema     {database_name, collection_name, limit,
//                                                         skip, filter, sort} -> {schema}
//   POST services/{service}/commands/validate_documents  {database_name, collection_name,
//                                                         from_schema, query, sort, limit}
//   GET  services/{service}/commands/build_info

#include <algorithm>
#include <map>
#include <set>

#include <boost/json/serialize.hpp>

#include "core/ejson.hpp"
#include "mql/filter.hpp"
#include "mql/sort.hpp"
#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/app/schema_inference.hpp"
#include "server/documents/document_schema.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;

namespace {

constexpr std::size_t sample_max = 10'000;
constexpr std::size_t sample_default = 500;
constexpr std::size_t sort_bytes_max = std::size_t{64} << 20;
/// Ids shown for each kind of failure.
constexpr std::size_t failed_ids_max = 100;

template <class T>
T checked(Result<T> result) {
    if (!result) {
        throw ApiException(bad_request(result.error().what()));
    }
    return *std::move(result);
}

mql::BsonDocument bson_member(const json::object& body, std::string_view key) {
    const json::value* value = body.if_contains(key);
    if (value == nullptr || value->is_null()) {
        return {};
    }
    if (!value->is_object()) {
        throw ApiException(bad_request("'" + std::string(key) + "' must be an object"));
    }
    BsonBuffer bytes = checked(ejson_to_bson(json::serialize(*value)));
    return checked(mql::BsonDocument::validate(std::move(bytes)));
}

std::size_t number_member(const json::object& body, std::string_view key, std::size_t fallback,
                          std::size_t most) {
    const json::value* value = body.if_contains(key);
    if (value == nullptr || value->is_null()) {
        return fallback;
    }
    boost::system::error_code error;
    const auto number = value->to_number<std::int64_t>(error);
    if (error || number < 0) {
        throw ApiException(bad_request("'" + std::string(key) + "' must be a whole number"));
    }
    return std::min(static_cast<std::size_t>(number), most);
}

/// Documents of a collection: those that match, in order, at most `limit` after `skip`.
struct Sample {
    store::CollectionName collection;
    mql::BsonDocument filter;
    mql::BsonDocument sort;
    std::size_t skip = 0;
    std::size_t limit = 0;
};

template <class Visit>
void visit_unsorted(const Sample& sample, store::DocumentCursor& cursor, const mql::Filter& filter,
                    Visit visit) {
    std::size_t matched = 0;
    while (matched < sample.skip + sample.limit && cursor.next()) {
        if (checked(filter.matches(cursor.document())) && ++matched > sample.skip) {
            visit(cursor.document());
        }
    }
}

template <class Visit>
void visit_sorted(const Sample& sample, store::DocumentCursor& cursor, const mql::Filter& filter,
                  const mql::SortOrder& order, Visit visit) {
    std::vector<mql::BsonDocument> held;
    std::size_t bytes = 0;
    while (cursor.next()) {
        if (!checked(filter.matches(cursor.document()))) {
            continue;
        }
        bytes += cursor.document().size();
        if (bytes > sort_bytes_max) {
            throw ApiException(
                bad_request("too many documents to sort; narrow the filter or leave 'sort' out"));
        }
        held.emplace_back(cursor.document());
    }
    std::vector<mql::BsonView> sorted;
    sorted.reserve(held.size());
    for (const mql::BsonDocument& document : held) {
        sorted.push_back(document.view().as_value());
    }
    order.sort(sorted);
    for (std::size_t i = sample.skip; i < sorted.size() && i < sample.skip + sample.limit; ++i) {
        visit(sorted[i].as_document());
    }
}

template <class Visit>
void visit_documents(const store::Store& store, const Sample& sample, Visit visit) {
    const mql::Filter filter = checked(mql::Filter::compile(sample.filter));
    const mql::SortOrder order = checked(mql::SortOrder::compile(sample.sort));
    const auto id = store.find_collection(sample.collection);
    if (!id) {
        return;
    }
    const auto snapshot = store.snapshot();
    const auto cursor = snapshot->scan(*id);
    if (order.empty()) {
        visit_unsorted(sample, *cursor, filter, visit);
    } else {
        visit_sorted(sample, *cursor, filter, order, visit);
    }
    const Result<void> status = cursor->status();
    if (!status) {
        throw status.error();
    }
}

Sample sample_of(const AdminCall& call, const json::object& body, std::string_view filter,
                 std::size_t limit) {
    Sample sample;
    sample.collection = {data_source_of(call).name, required(body, "database_name"),
                         required(body, "collection_name")};
    sample.filter = bson_member(body, filter);
    sample.sort = bson_member(body, "sort");
    sample.skip = number_member(body, "skip", 0, SIZE_MAX / 2);
    sample.limit = number_member(body, "limit", limit, sample_max);
    return sample;
}

http::Response list_databases(AdminCall& call) {
    const std::string source = data_source_of(call).name;
    std::set<std::string> names;
    for (const auto& [name, id] : call.context().auth.store.collections()) {
        if (name.data_source == source) {
            names.insert(name.database);
        }
    }
    return json_response(200, json::object{{"databases", json::array(names.begin(), names.end())}});
}

http::Response list_collections(AdminCall& call) {
    const std::string source = data_source_of(call).name;
    const std::string database = required(call.body(), "database_name");
    std::set<std::string> names;
    for (const auto& [name, id] : call.context().auth.store.collections()) {
        if (name.data_source == source && name.database == database) {
            names.insert(name.collection);
        }
    }
    return json_response(200,
                         json::object{{"collections", json::array(names.begin(), names.end())}});
}

http::Response generate_schema(AdminCall& call) {
    const json::object body = call.body();
    const Sample sample = sample_of(call, body, "filter", sample_default);
    server::SchemaInference inference;
    visit_documents(call.context().auth.store, sample,
                    [&](mql::BsonDocumentView document) { inference.add(document); });
    if (inference.documents() == 0) {
        throw ApiException(bad_request("there are no documents to make a schema from in " +
                                       sample.collection.database + "." +
                                       sample.collection.collection));
    }
    return json_response(200,
                         json::object{{"schema", inference.schema(sample.collection.collection)}});
}

/// Documents that fail in one way.
struct Failures {
    std::size_t count = 0;
    json::array ids;
};

json::value id_json(mql::BsonDocumentView document) {
    mql::BsonWriter writer;
    writer.append("id", document.find("_id"));
    const auto text = bson_to_ejson(std::move(writer).finish().bytes(), EjsonForm::canonical);
    if (!text) {
        return nullptr;
    }
    const Result<json::value> parsed = server::parse_json(*text);
    return parsed ? parsed->as_object().at("id") : json::value();
}

http::Response validate_documents(AdminCall& call) {
    const json::object body = call.body();
    const Sample sample = sample_of(call, body, "query", sample_max);
    if (!body.contains("from_schema")) {
        throw ApiException(missing_parameter("the body needs 'from_schema'"));
    }
    const documents::DocumentSchema schema =
        checked(documents::DocumentSchema::compile(bson_member(body, "from_schema")));
    std::map<std::pair<std::string, std::string>, Failures> failures; // by field and message
    std::size_t processed = 0;
    std::size_t failed = 0;
    visit_documents(call.context().auth.store, sample, [&](mql::BsonDocumentView document) {
        ++processed;
        // What inference makes of documents with nulls fits them, whatever the setting.
        const Result<void> fits = schema.check(document, {true});
        if (fits) {
            return;
        }
        ++failed;
        Failures& one = failures[{fits.error().context(), fits.error().message()}];
        ++one.count;
        if (one.ids.size() < failed_ids_max) {
            one.ids.push_back(id_json(document));
        }
    });
    json::array errors;
    for (auto& [what, one] : failures) {
        const std::string query =
            json::serialize(json::object{{"_id", json::object{{"$in", one.ids}}}});
        errors.push_back(json::object{{"error_code", what.second},
                                      {"error_count", one.count},
                                      {"field", what.first},
                                      {"failed_ids", std::move(one.ids)},
                                      {"failed_documents_query", query}});
    }
    return json_response(200, json::object{{"errors", std::move(errors)},
                                           {"total_processed_count", processed},
                                           {"total_error_count", failed}});
}

http::Response build_info(AdminCall& call) {
    static_cast<void>(data_source_of(call));
    return json_response(200, json::object{{"version", call.context().server.version},
                                           {"storageEngine", "embedded"}});
}

http::Response unknown_command(AdminCall& call) {
    static_cast<void>(service_of(call));
    throw ApiException(not_found("ServiceCommandNotFound",
                                 "there is no command '" + call.parameter("command") + "'"));
}

} // namespace

void add_command_routes(RouteTable& table) {
    const std::string base = "services/{service}/commands/";
    table.add(Method::post, base + "list_databases", "List the databases of a data source", 200,
              list_databases);
    table.add(Method::post, base + "list_collections", "List the collections of a database", 200,
              list_collections);
    table.add(Method::post, base + "generate_schema", "Make a schema that fits documents", 200,
              generate_schema);
    table.add(Method::post, base + "validate_documents", "Count the documents that break a schema",
              200, validate_documents);
    table.add(Method::get, base + "build_info", "The version of the store", 200, build_info);
    table.add(Method::post, base + "{command}", "Other commands: there are none", 404,
              unknown_command);
}

} // namespace tombolo::api::admin
