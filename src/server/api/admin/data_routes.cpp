// Documents of a data source in bulk, and its indexes: routes of ours, for tools
// (docs/reference/admin-data.md).
//
//   POST   services/{service}/import   ?database, collection, mode=insert|upsert|skip
//          body: BSON documents (application/bson), or Extended JSON, one document a line
//   GET    services/{service}/export   ?database, collection, filter, after
//          BSON documents; the header x-tombolo-next, when there, is the next `after`
//   GET    services/{service}/indexes  ?database, collection
//   POST   services/{service}/indexes  {database, collection, name, fields, unique}
//   DELETE services/{service}/indexes/{index}
//   DELETE services/{service}/collections  ?database, collection

#include <boost/json/serialize.hpp>

#include "core/ejson.hpp"
#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/bulk/bulk.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;

namespace {

constexpr const char* next_header = "x-tombolo-next";

std::string required_query(const AdminCall& call, std::string_view name) {
    std::string value = call.query(name);
    if (value.empty()) {
        throw ApiException(missing_parameter("the query needs '" + std::string(name) + "'"));
    }
    return value;
}

store::CollectionName collection_of(const AdminCall& call) {
    return {data_source_of(call).name, required_query(call, "database"),
            required_query(call, "collection")};
}

// What a caller can mend is told; the rest goes to the log as an internal error.
ApiError data_error(const Error& error) {
    switch (error.code()) {
    case ErrorCode::bad_bson:
    case ErrorCode::bad_json:
    case ErrorCode::bad_ejson:
    case ErrorCode::bad_utf8:
    case ErrorCode::bad_hex:
    case ErrorCode::invalid_argument:
    case ErrorCode::limit_exceeded:
    case ErrorCode::mql_invalid:
    case ErrorCode::mql_unsupported:
    case ErrorCode::mql_failed:
    case ErrorCode::duplicate_key:
        return bad_request(error.what());
    case ErrorCode::not_found:
        return not_found("IndexNotFound", error.what());
    case ErrorCode::already_exists:
        return conflict("IndexAlreadyExists", error.what());
    case ErrorCode::disk_full:
    case ErrorCode::unavailable:
        return too_busy(503, error.what());
    default:
        throw error;
    }
}

template <class T>
T checked(Result<T> result) {
    if (!result) {
        throw ApiException(data_error(result.error()));
    }
    return *std::move(result);
}

void checked(const Result<void>& result) {
    if (!result) {
        throw ApiException(data_error(result.error()));
    }
}

bulk::ImportMode mode_of(const AdminCall& call) {
    const std::string mode = call.query("mode");
    if (mode == "upsert") {
        return bulk::ImportMode::upsert;
    }
    if (mode == "skip") {
        return bulk::ImportMode::skip;
    }
    if (!mode.empty() && mode != "insert") {
        throw ApiException(bad_request("'mode' is insert, upsert or skip"));
    }
    return bulk::ImportMode::insert;
}

// Extended JSON, one document a line, as BSON.
std::string to_bson(std::string_view lines) {
    std::string out;
    for (std::size_t number = 1; !lines.empty(); ++number) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        const std::string_view line = lines.substr(0, end);
        lines.remove_prefix(std::min(end + 1, lines.size()));
        if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
            Result<BsonBuffer> document = ejson_to_bson(line);
            if (!document) {
                throw ApiException(
                    bad_request(document.error().within("line " + std::to_string(number)).what()));
            }
            out += as_text(*document);
        }
    }
    return out;
}

http::Response import_documents(AdminCall& call) {
    const store::CollectionName collection = collection_of(call);
    const bulk::ImportMode mode = mode_of(call);
    const bool is_bson =
        call.request().headers.find("content-type").starts_with("application/bson");
    const std::string converted = is_bson ? std::string() : to_bson(call.request().body);
    const bulk::ImportReport report =
        checked(bulk::import_documents(call.context().auth.store, collection, mode,
                                       as_bytes(is_bson ? call.request().body : converted)));
    json::array problems;
    for (const bulk::RefusedDocument& each : report.problems) {
        problems.push_back({{"index", each.index}, {"message", each.message}});
    }
    return json_response(200, json::object{{"written", report.written},
                                           {"skipped", report.skipped},
                                           {"refused", report.refused},
                                           {"problems", std::move(problems)}});
}

http::Response export_documents(AdminCall& call) {
    const store::CollectionName collection = collection_of(call);
    mql::Filter filter;
    if (const std::string text = call.query("filter"); !text.empty()) {
        const BsonBuffer spec = checked(ejson_to_bson(text));
        filter = checked(mql::Filter::compile(mql::BsonDocumentView::from_trusted(spec)));
    }
    const auto after = checked(from_hex(call.query("after")));
    bulk::ExportPage page = checked(
        bulk::export_documents(call.context().auth.store, collection, filter, as_text(after)));
    http::Response response;
    response.headers.add("Content-Type", "application/bson");
    if (page.next) {
        response.headers.add(next_header, to_hex(as_bytes(*page.next)));
    }
    response.body = std::move(page.documents);
    return response;
}

json::object index_json(const store::IndexSpec& spec) {
    json::array fields;
    for (const store::IndexField& field : spec.fields) {
        fields.emplace_back(field.path);
    }
    return {{"name", spec.name}, {"fields", std::move(fields)}, {"unique", spec.unique}};
}

http::Response list_indexes(AdminCall& call) {
    const store::Store& store = call.context().auth.store;
    const auto collection = store.find_collection(collection_of(call));
    json::array list;
    if (collection) {
        for (const store::IndexSpec& spec : checked(store.indexes(*collection))) {
            list.push_back(index_json(spec));
        }
    }
    return json_response(200, list);
}

http::Response create_index(AdminCall& call) {
    const json::object body = call.body();
    const store::CollectionName name{data_source_of(call).name, required(body, "database"),
                                     required(body, "collection")};
    store::IndexSpec spec;
    spec.name = required(body, "name");
    spec.unique = is_true(body, "unique");
    const json::value* fields = body.if_contains("fields");
    if (fields == nullptr || !fields->is_array() || fields->get_array().empty()) {
        throw ApiException(bad_request("'fields' must be an array of field names"));
    }
    for (const json::value& field : fields->get_array()) {
        if (!field.is_string() || field.get_string().empty()) {
            throw ApiException(bad_request("'fields' must be an array of field names"));
        }
        spec.fields.push_back({std::string(field.get_string())});
    }
    store::Store& store = call.context().auth.store;
    const store::CollectionId collection = checked(store.ensure_collection(name));
    checked(store.ensure_index(collection, spec));
    return json_response(201, index_json(spec));
}

http::Response delete_index(AdminCall& call) {
    store::Store& store = call.context().auth.store;
    const auto collection = store.find_collection(collection_of(call));
    if (!collection) {
        throw ApiException(not_found("IndexNotFound", "there is no such collection"));
    }
    checked(store.drop_index(*collection, call.parameter("index")));
    return http::Response::empty(204);
}

// With documents and indexes. Sync of an app that syncs it fails (device-sync-server.md 6.1).
http::Response drop_collection(AdminCall& call) {
    const store::CollectionName name = collection_of(call);
    bool was_synced = false;
    if (call.context().sync.drop_collection) {
        was_synced = checked(call.context().sync.drop_collection(name));
    } else {
        const auto id = call.context().auth.store.find_collection(name);
        if (!id) {
            throw ApiException(not_found("CollectionNotFound", "there is no such collection"));
        }
        checked(call.context().auth.store.drop_collection(*id));
    }
    return json_response(200, json::object{{"dropped", name.database + "." + name.collection},
                                           {"sync_failed", was_synced}});
}

} // namespace

void add_data_routes(RouteTable& table) {
    AdminRoute import;
    import.method = Method::post;
    import.path = "services/{service}/import";
    import.summary = "Write documents in bulk";
    import.run = import_documents;
    import.body_bytes_max = bulk::import_bytes_max;
    table.add(std::move(import));
    table.add(Method::get, "services/{service}/export", "Read documents in bulk, a page at a time",
              200, export_documents);
    table.add(Method::get, "services/{service}/indexes", "List the indexes of a collection", 200,
              list_indexes);
    table.add(Method::post, "services/{service}/indexes", "Create an index", 201, create_index);
    table.add(Method::delete_, "services/{service}/indexes/{index}", "Delete an index", 204,
              delete_index);
    table.add(Method::delete_, "services/{service}/collections",
              "Erase a collection; sync of an app that syncs it fails", 200, drop_collection);
}

} // namespace tombolo::api::admin
