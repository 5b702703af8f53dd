#include "server/rules/sync_access.hpp"

#include <algorithm>

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
        TOMBOLO_TRY(out.fields, fields());
        out.read = some(out.fields, false) ? either(reads, writes) : constant(false);
        out.write = some(out.fields, true) ? writes : constant(false);
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

    // Top-level permissions decide where they are defined; the fields are asked where not.
    Result<FieldAccess> fields() const {
        TOMBOLO_TRY(const std::optional<bool> read, literal(role_.read, "read"));
        TOMBOLO_TRY(const std::optional<bool> write, literal(role_.write, "write"));
        FieldAccess out;
        TOMBOLO_TRY(out, of_field(role_.additional_fields, "additional_fields"));
        for (const auto& [name, rule] : role_.fields) {
            if (name == "_id") {
                return no("fields has _id");
            }
            TOMBOLO_TRY(FieldAccess one, of_field(rule, "fields." + name));
            if (!one.fields.empty() || one.read != out.read || one.write != out.write) {
                out.fields.emplace(name, std::move(one));
            }
        }
        if (write == true) {
            return FieldAccess{};
        }
        if (read == false) {
            return FieldAccess{false, false, {}};
        }
        if (read == true || write == false) {
            restrict(out, read == true, write == false);
        }
        return out;
    }

    static void restrict(FieldAccess& access, bool reads_all, bool writes_none) {
        access.read = access.read || reads_all;
        access.write = access.write && !writes_none;
        for (auto each = access.fields.begin(); each != access.fields.end();) {
            FieldAccess& one = each->second;
            restrict(one, reads_all, writes_none);
            const bool is_even =
                one.fields.empty() && one.read == access.read && one.write == access.write;
            each = is_even ? access.fields.erase(each) : std::next(each);
        }
    }

    Result<FieldAccess> of_field(const FieldRule& rule, const std::string& path) const {
        TOMBOLO_TRY(const std::optional<bool> read, literal(rule.read, path + ".read"));
        TOMBOLO_TRY(const std::optional<bool> write, literal(rule.write, path + ".write"));
        FieldAccess out{read == true || write == true, write == true, {}};
        for (const auto& [name, inside] : rule.fields) {
            TOMBOLO_TRY(FieldAccess one, of_field(inside, path + ".fields." + name));
            // A permission on a field overrides what is said of its inside.
            if (!read && !write) {
                out.fields.emplace(name, std::move(one));
            }
        }
        return out;
    }

    static Result<std::optional<bool>> literal(const Expression& expression,
                                               const std::string& path) {
        if (expression.is_defined() && !expression.literal()) {
            return no(path + " is not a literal");
        }
        return expression.literal();
    }

    static bool some(const FieldAccess& access, bool write) {
        return (write ? access.write : access.read) ||
               std::any_of(access.fields.begin(), access.fields.end(),
                           [&](const auto& each) { return some(each.second, write); });
    }

    const Role& role_;
    const BindingValues& values_;
    const std::set<std::string>& queryable_;
};

SyncAccess denied(std::string role, std::string reason) {
    return {
        std::move(role), {}, std::move(reason), constant(false), constant(false), constant(false),
        constant(false), {}};
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
    std::vector<std::string> passed_over;
    const auto answer = [&](SyncAccess access) {
        access.passed_over = std::move(passed_over);
        return access;
    };
    for (const Role& role : rules->roles) {
        const Expression& when = role.apply_when;
        if (when.uses_request() || when.uses_document_expansion() || !when.fields().empty()) {
            return answer(denied(role.name, "apply_when asks for documents or the request"));
        }
        if (when.is_defined()) {
            const auto applies = when.bind(values).test({});
            if (!applies) {
                return answer(
                    denied(role.name, std::string("apply_when: ") + applies.error().what()));
            }
            if (!*applies) {
                passed_over.push_back(role.name);
                continue;
            }
        }
        auto access = SyncRole(role, values, queryable).run();
        return answer(access ? *std::move(access) : denied(role.name, access.error().message()));
    }
    return answer(denied({}, "no role applies"));
}

} // namespace tombolo::rules
