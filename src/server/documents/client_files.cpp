#include "server/documents/client_files.hpp"

#include "mql/filter.hpp"
#include "server/documents/arguments.hpp"

namespace tombolo::documents {

using mql::BsonDocument;
using mql::BsonValue;

namespace {

constexpr std::string_view database_prefix = "__realm_sync";

BsonDocument shown(const ClientFile& file) {
    mql::BsonWriter writer;
    writer.append_int64("_id", static_cast<std::int64_t>(file.ident));
    writer.append_string("ownerId", file.owner);
    writer.append_date_ms("lastSeen", file.last_seen_ms);
    return std::move(writer).finish();
}

/// Those that the filter selects, at most `most`.
Result<std::vector<std::pair<ClientFile, BsonDocument>>> select(const ClientFiles& files,
                                                                const Request& request,
                                                                const mql::Filter& filter,
                                                                std::size_t most) {
    std::vector<std::pair<ClientFile, BsonDocument>> selected;
    if (!files.list) {
        return selected;
    }
    TOMBOLO_TRY(const std::vector<ClientFile> all, files.list(request.app));
    for (const ClientFile& file : all) {
        BsonDocument document = shown(file);
        TOMBOLO_TRY(const bool matches, filter.matches(document.view()));
        if (matches) {
            selected.emplace_back(file, std::move(document));
        }
        if (selected.size() == most) {
            break;
        }
    }
    return selected;
}

Result<BsonValue> call(const ClientFiles& files, const Request& request,
                       const Arguments& arguments) {
    const bool is_erase = request.action == "deleteMany" || request.action == "deleteOne";
    const bool is_one = request.action == "deleteOne" || request.action == "findOne";
    if (!is_erase && !is_one && request.action != "find" && request.action != "count") {
        return Error(ErrorCode::unsupported,
                     "client files can be found, counted and deleted, not changed");
    }
    TOMBOLO_TRY(const mql::BsonDocumentView spec, arguments.document("query"));
    TOMBOLO_TRY(const mql::Filter filter, mql::Filter::compile(spec));
    TOMBOLO_TRY(const auto selected, select(files, request, filter, is_one ? 1 : ~std::size_t{0}));
    if (request.action == "count") {
        return BsonValue::from_int64(static_cast<std::int64_t>(selected.size()));
    }
    if (request.action == "findOne") {
        return selected.empty() ? BsonValue::from_null()
                                : BsonDocument(selected[0].second).into_value();
    }
    if (request.action == "find") {
        mql::BsonWriter writer(true);
        for (const auto& [file, document] : selected) {
            writer.append({}, document.view().as_value());
        }
        return std::move(writer).finish().into_array_value();
    }
    std::int32_t erased = 0;
    for (const auto& [file, document] : selected) {
        const Result<void> done = files.reset(request.app, file.ident);
        if (!done && done.error().code() != ErrorCode::not_found) {
            return done.error();
        }
        erased += done ? 1 : 0;
    }
    mql::BsonWriter writer;
    writer.append_int32("deletedCount", erased);
    return std::move(writer).finish().into_value();
}

} // namespace

std::optional<Result<BsonValue>> call_client_files(const ClientFiles& files,
                                                   const Request& request) {
    if (!request.caller.is_system()) {
        return std::nullopt;
    }
    const Arguments arguments(request.arguments);
    const Result<std::string> database = arguments.text("database");
    const Result<std::string> collection = arguments.text("collection");
    if (!database || !collection || !database->starts_with(database_prefix) ||
        *collection != "clientfiles") {
        return std::nullopt;
    }
    return call(files, request, arguments);
}

} // namespace tombolo::documents
