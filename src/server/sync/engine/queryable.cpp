#include "server/sync/engine/queryable.hpp"

#include "core/record_codec.hpp"
#include "protocol/json_bodies.hpp"
#include "query/subscription.hpp"
#include "schema/validation.hpp"

namespace tombolo::server::sync {

namespace {

using Fields = std::set<std::string, std::less<>>;

constexpr std::uint64_t format = 1;

/// Fields that are not queryable yet and could be.
Fields candidates(const SyncModel& model, const schema::ClassSchema& of) {
    Fields out;
    for (const schema::Property& property : of.properties()) {
        if (!model.queryable.contains(of.name(), property.name) &&
            !schema::queryable_problem(model.documents.schema, of.name(), property.name)) {
            out.insert(property.name);
        }
    }
    return out;
}

/// Those of `fields` without which the query is refused.
Fields needed(const query::Query& query, const SyncModel& model, const std::string& class_name,
              const Fields& fields) {
    schema::QueryableFields queryable = model.queryable;
    Fields& of_class = queryable.by_class[class_name];
    of_class.insert(fields.begin(), fields.end());
    const query::SubscriptionRules rules{queryable, ""};
    if (!query::check_subscription(query, rules)) {
        return {}; // wrong in another way
    }
    Fields out;
    for (const std::string& field : fields) {
        of_class.erase(field);
        if (!query::check_subscription(query, rules)) {
            out.insert(field);
        }
        of_class.insert(field);
    }
    return out;
}

} // namespace

bool add_queryable_fields(SyncModel& model, std::string_view body) {
    const Result<protocol::QueryBody> queries = protocol::parse_query_body(body);
    if (!queries) {
        return false;
    }
    bool is_new = false;
    for (const auto& [class_name, text] : *queries) {
        const schema::ClassSchema* of = model.documents.schema.find(class_name);
        if (of == nullptr || of->is_embedded()) {
            continue;
        }
        const Result<query::Query> query = query::compile(text, model.documents.schema, class_name);
        if (!query) {
            continue;
        }
        const Fields fields = needed(*query, model, class_name, candidates(model, *of));
        if (!fields.empty()) {
            model.queryable.by_class[class_name].insert(fields.begin(), fields.end());
            model.added_queryable[class_name].insert(fields.begin(), fields.end());
            is_new = true;
        }
    }
    return is_new;
}

void keep_added_queryable(const SyncModel& known, SyncModel& config) {
    for (const auto& [class_name, fields] : known.added_queryable) {
        for (const std::string& field : fields) {
            if (!config.queryable.contains(class_name, field)) {
                config.queryable.by_class[class_name].insert(field);
                config.added_queryable[class_name].insert(field);
            }
        }
    }
}

bool changes_indexed_field(const Model& model, const Object& before, const Object& after) {
    const std::string& field = model.config().indexed_queryable;
    if (field.empty()) {
        return false;
    }
    const Value* was = before.fields.find(field);
    const Value* is = after.fields.find(field);
    const Value null;
    return !identical(was == nullptr ? null : *was, is == nullptr ? null : *is);
}

std::string encode_added_queryable(const SyncModel& model) {
    RecordWriter out;
    out.number(format).number(model.added_queryable.size());
    for (const auto& [class_name, fields] : model.added_queryable) {
        out.text(class_name).number(fields.size());
        for (const std::string& field : fields) {
            out.text(field);
        }
    }
    return out.take();
}

Result<void> decode_added_queryable(std::string_view record, SyncModel& model) {
    RecordReader in(record);
    in.number();
    SyncModel known;
    for (std::uint64_t classes = in.number(); classes > 0 && !in.failed(); --classes) {
        Fields& fields = known.added_queryable[std::string(in.text())];
        for (std::uint64_t count = in.number(); count > 0 && !in.failed(); --count) {
            fields.emplace(in.text());
        }
    }
    TOMBOLO_TRY_VOID(in.finish("added queryable fields"));
    keep_added_queryable(known, model);
    return {};
}

} // namespace tombolo::server::sync
