#include "server/rules/sync_access.hpp"

#include "mql/bson_compare.hpp"

namespace tombolo::rules {

namespace {

bool matches_all(const mql::BsonDocument& query) noexcept {
    return query.view().empty();
}

mql::BsonDocument constant(bool value) {
    return *Predicate(value).query();
}

mql::BsonDocument either(const mql::BsonDocument& left, const mql::BsonDocument& right) {
    const mql::BsonDocument nothing = constant(false);
    const auto same = [](const mql::BsonDocument& a, const mql::BsonDocument& b) {
        return mql::identical(a.view().as_value(), b.view().as_value());
    };
    if (matches_all(left) || same(left, right) || same(right, nothing)) {
        return left;
    }
    if (matches_all(right) || same(left, nothing)) {
        return right;
    }
    mql::BsonWriter writer;
    writer.begin_array("$or");
    writer.append({}, left.view().as_value());
    writer.append({}, right.view().as_value());
    return std::move(writer).finish();
}

class SyncRole {
  public:
    SyncRole(const Role& role, const BindingValues& values, const std::set<std::string>& queryable)
        : role_(role), values_(values), queryable_(queryable) {}

    Result<SyncAccess> run() const {
        SyncAccess out;
        out.role = role_.name;
        if (!role_.filter_read.is_defined() || !role_.filter_write.is_defined()) {
            return no("document_filters must define read and write");
        }
        TOMBOLO_TRY(const mql::BsonDocument reads,
                    query(role_.filter_read, "document_filters.read"));
        TOMBOLO_TRY(const mql::BsonDocument writes,
                    query(role_.filter_write, "document_filters.write"));
        TOMBOLO_TRY(out.insert, query(role_.insert, "insert"));
        TOMBOLO_TRY(out.erase, query(role_.erase, "delete"));
        TOMBOLO_TRY(const bool may_write, whole(true));
        TOMBOLO_TRY(const bool may_read, whole(false));
        out.read = may_read || may_write ? either(reads, writes) : constant(false);
        out.write = may_write ? writes : constant(false);
        return out;
    }

  private:
    static Error no(std::string reason) { return Error(ErrorCode::unsupported, std::move(reason)); }

    // Undefined is true.
    Result<mql::BsonDocument> query(const Expression& expression, const std::string& name) const {
        if (!expression.is_defined()) {
            return constant(true);
        }
        if (expression.uses_function() || expression.uses_request() ||
            expression.uses_document_expansion()) {
            return no(name + " uses %function, %%request, %%root, %%prevRoot, %%this or %%prev");
        }
        for (const std::string& field : expression.fields()) {
            if (field != "_id" && queryable_.count(field) == 0) {
                return no(name + " asks for '" + field + "', which is no queryable field");
            }
        }
        auto found = expression.bind(values_).query();
        if (!found) {
            return no(name + " cannot be asked as a query");
        }
        return *std::move(found);
    }

    // Whether all fields may be read (or written); an error when only some may.
    Result<bool> whole(bool write) const {
        const Expression& top = write ? role_.write : role_.read;
        if (top.is_defined()) {
            if (!top.literal()) {
                return no(std::string(write ? "write" : "read") + " is not a literal");
            }
            return *top.literal();
        }
        if (!write && role_.write.literal() == true) {
            return true; // the fields are never asked
        }
        TOMBOLO_TRY(const bool rest, of_field(role_.additional_fields, write, "additional_fields"));
        for (const auto& [name, rule] : role_.fields) {
            if (name == "_id") {
                return no("fields has _id");
            }
            TOMBOLO_TRY(const bool one, of_field(rule, write, "fields." + name));
            if (one != rest) {
                return no("permissions of single fields are not supported in sync (fields." + name +
                          ")");
            }
        }
        return rest;
    }

    Result<bool> of_field(const FieldRule& rule, bool write, const std::string& path) const {
        for (const Expression* each : {&rule.read, &rule.write}) {
            if (each->is_defined() && !each->literal()) {
                return no(path + " is not a literal");
            }
        }
        if (!rule.read.is_defined() && !rule.write.is_defined() && !rule.fields.empty()) {
            return no("permissions of single fields are not supported in sync (" + path + ")");
        }
        const bool writes = rule.write.is_defined() && *rule.write.literal();
        return write ? writes : writes || (rule.read.is_defined() && *rule.read.literal());
    }

    const Role& role_;
    const BindingValues& values_;
    const std::set<std::string>& queryable_;
};

SyncAccess denied(std::string role, std::string reason) {
    return {std::move(role), std::move(reason), constant(false),
            constant(false), constant(false),   constant(false)};
}

} // namespace

SyncAccess sync_access(const AppRules& app, const store::CollectionName& collection,
                       const Facts& facts, const std::set<std::string>& queryable) {
    const CollectionRules* rules = app.find(collection);
    if (rules == nullptr) {
        return denied({}, "the collection has no rules");
    }
    if (rules->broken) {
        return denied({}, "the collection's rules have a problem");
    }
    const mql::BsonDocument custom_data =
        facts.custom_data && rules->uses_custom_data ? facts.custom_data() : mql::BsonDocument();
    const BindingValues values{facts, app.values(), app.environment(), custom_data};
    for (const Role& role : rules->roles) {
        const Expression& when = role.apply_when;
        if (when.uses_request() || when.uses_document_expansion() || !when.fields().empty()) {
            return denied(role.name, "apply_when asks for documents or the request");
        }
        if (when.is_defined()) {
            const auto applies = when.bind(values).test({});
            if (!applies) {
                return denied(role.name, std::string("apply_when: ") + applies.error().what());
            }
            if (!*applies) {
                continue;
            }
        }
        auto access = SyncRole(role, values, queryable).run();
        return access ? *std::move(access) : denied(role.name, access.error().message());
    }
    return denied({}, "no role applies");
}

} // namespace tombolo::rules
