#include "server/rules/rule_set.hpp"

#include <set>

#include <boost/json/serialize.hpp>

#include "core/ejson.hpp"
#include "mql/projection.hpp"

namespace tombolo::rules {

using mql::BsonElement;
using mql::BsonView;

namespace {

constexpr std::size_t name_bytes_max = 100;

Result<mql::BsonDocument> read_document(std::string_view text) {
    TOMBOLO_TRY(BsonBuffer bytes, ejson_to_bson(text));
    return mql::BsonDocument::validate(std::move(bytes));
}

std::string child(const std::string& path, std::string_view key) {
    return path.ends_with(": ") ? path + std::string(key) : path + "." + std::string(key);
}

} // namespace

// One rules document.
class RuleReader {
  public:
    explicit RuleReader(Problems& problems) : problems_(problems) {}

    CollectionRules run(mql::BsonDocumentView document, const std::string& path) {
        const std::size_t before = problems_.size();
        read_roles(document.find("roles"), child(path, "roles"));
        read_filters(document.find("filters"), child(path, "filters"));
        out_.broken = problems_.size() > before;
        return std::move(out_);
    }

  private:
    void problem(const std::string& path, std::string message) {
        problems_.push_back({path, std::move(message)});
    }

    // The elements of an array of objects.
    template <class Read>
    void each(BsonView list, const std::string& path, Read read) {
        if (list.is_nullish()) {
            return;
        }
        if (!list.is_array()) {
            problem(path, "expected an array");
            return;
        }
        std::size_t index = 0;
        for (const BsonElement& element : list.as_document()) {
            const std::string at = path + "[" + std::to_string(index++) + "]";
            if (element.value.is_document()) {
                read(element.value.as_document(), at);
            } else {
                problem(at, "expected an object");
            }
        }
    }

    void read_roles(BsonView list, const std::string& path) {
        std::set<std::string> names;
        each(list, path, [&](mql::BsonDocumentView document, const std::string& at) {
            Role role = read_role(document, at);
            if (!role.name.empty() && !names.insert(role.name).second) {
                problem(at + ".name", "there is another role named '" + role.name + "'");
            }
            out_.roles.push_back(std::move(role));
        });
    }

    std::string read_name(mql::BsonDocumentView document, const std::string& path) {
        const BsonView name = document.find("name");
        if (!name.is_string() || name.as_string().empty()) {
            problem(path + ".name", "expected a name");
            return {};
        }
        if (name.as_string().size() > name_bytes_max) {
            problem(path + ".name",
                    "longer than " + std::to_string(name_bytes_max) + " characters");
        }
        return std::string(name.as_string());
    }

    Expression read_expression(mql::BsonDocumentView document, std::string_view key,
                               const std::string& path) {
        const BsonView value = document.find(key);
        if (value.is_nullish()) {
            return {};
        }
        Expression expression = Expression::parse(value, child(path, key), problems_);
        out_.uses_custom_data |= expression.uses_custom_data();
        return expression;
    }

    Role read_role(mql::BsonDocumentView document, const std::string& path) {
        Role role;
        role.name = read_name(document, path);
        role.apply_when = read_expression(document, "apply_when", path);
        role.read = read_expression(document, "read", path);
        role.write = read_expression(document, "write", path);
        role.insert = read_expression(document, "insert", path);
        role.erase = read_expression(document, "delete", path);
        const BsonView filters = document.find("document_filters");
        if (filters.is_document()) {
            const std::string at = path + ".document_filters";
            role.filter_read = read_expression(filters.as_document(), "read", at);
            role.filter_write = read_expression(filters.as_document(), "write", at);
        } else if (!filters.is_nullish()) {
            problem(path + ".document_filters", "expected an object with read and write");
        }
        const BsonView search = document.find("search");
        if (search.type() == mql::BsonType::boolean) {
            role.search = search.as_bool();
        }
        role.fields = read_fields(document, path);
        const BsonView additional = document.find("additional_fields");
        if (additional.is_document()) {
            role.additional_fields =
                read_field(additional.as_document(), path + ".additional_fields");
        } else if (!additional.is_nullish()) {
            problem(path + ".additional_fields", "expected an object with read and write");
        }
        return role;
    }

    FieldRule read_field(mql::BsonDocumentView document, const std::string& path) {
        FieldRule field;
        field.read = read_expression(document, "read", path);
        field.write = read_expression(document, "write", path);
        field.fields = read_fields(document, path);
        return field;
    }

    std::map<std::string, FieldRule, std::less<>> read_fields(mql::BsonDocumentView document,
                                                              const std::string& path) {
        std::map<std::string, FieldRule, std::less<>> out;
        const BsonView fields = document.find("fields");
        if (fields.is_nullish()) {
            return out;
        }
        if (!fields.is_document()) {
            problem(path + ".fields", "expected an object");
            return out;
        }
        for (const BsonElement& element : fields.as_document()) {
            const std::string at = path + ".fields." + std::string(element.key);
            if (element.value.is_document()) {
                out[std::string(element.key)] = read_field(element.value.as_document(), at);
            } else {
                problem(at, "expected an object with read and write");
            }
        }
        return out;
    }

    void read_filters(BsonView list, const std::string& path) {
        each(list, path, [&](mql::BsonDocumentView document, const std::string& at) {
            QueryFilter filter;
            filter.name = read_name(document, at);
            filter.apply_when = read_expression(document, "apply_when", at);
            filter.query = read_expression(document, "query", at);
            const BsonView projection = document.find("projection");
            if (projection.is_document()) {
                const auto compiled = mql::Projection::compile(projection.as_document());
                if (!compiled) {
                    problem(at + ".projection", compiled.error().what());
                }
                filter.projection = mql::BsonDocument(projection.as_document());
            } else if (!projection.is_nullish()) {
                problem(at + ".projection", "expected an object");
            }
            out_.filters.push_back(std::move(filter));
        });
    }

    Problems& problems_;
    CollectionRules out_;
};

namespace {

// What the directory holds as JSON is Extended JSON.
mql::BsonDocument to_bson(const boost::json::object& object, const std::string& path,
                          Problems& problems) {
    auto document = read_document(boost::json::serialize(object));
    if (!document) {
        problems.push_back({path, document.error().what()});
        return {};
    }
    return *std::move(document);
}

CollectionRules to_rules(const server::RuleConfig& config, const std::string& path,
                         Problems& problems) {
    const std::size_t before = problems.size();
    const mql::BsonDocument document =
        to_bson({{"roles", config.roles}, {"filters", config.filters}}, path, problems);
    CollectionRules rules = parse_collection_rules(document, path + ": ", problems);
    rules.broken = problems.size() > before;
    return rules;
}

// "validate" wherever a schema may have it: an expression that nobody understands would refuse
// every write.
void check_validate(mql::BsonDocumentView schema, const std::string& path, Problems& problems) {
    for (const mql::BsonElement& element : schema) {
        const std::string here =
            path + (path.ends_with(": ") ? "" : ".") + std::string(element.key);
        const bool children = element.key == "properties" || element.key == "patternProperties";
        if (element.key == "validate") {
            static_cast<void>(Expression::parse(element.value, here, problems));
        } else if (children && element.value.is_document()) {
            for (const mql::BsonElement& child : element.value.as_document()) {
                if (child.value.is_document()) {
                    check_validate(child.value.as_document(), here + "." + std::string(child.key),
                                   problems);
                }
            }
        } else if ((element.key == "items" || element.key == "additionalProperties") &&
                   element.value.is_document()) {
            check_validate(element.value.as_document(), here, problems);
        }
    }
}

} // namespace

CollectionRules parse_collection_rules(mql::BsonDocumentView document, const std::string& path,
                                       Problems& problems) {
    return RuleReader(problems).run(document, path);
}

std::shared_ptr<const AppRules> AppRules::parse(const server::AppConfig& config) {
    auto out = std::make_shared<AppRules>();
    for (const server::DataSourceConfig& source : config.data_sources) {
        const std::string folder = "data_sources/" + source.name;
        if (source.default_rule) {
            out->defaults_[source.name] =
                to_rules(*source.default_rule, folder + "/default_rule.json", out->problems_);
        }
        for (const server::RuleConfig& rule : source.rules) {
            const std::string path = folder + "/" + server::path_part(rule.database) + "/" +
                                     server::path_part(rule.collection) + "/rules.json";
            out->collections_[{source.name, rule.database, rule.collection}] =
                to_rules(rule, path, out->problems_);
        }
    }
    for (const server::SchemaConfig& schema : config.schemas) {
        const std::string path = "data_sources/" + schema.data_source + "/" +
                                 server::path_part(schema.database) + "/" +
                                 server::path_part(schema.collection) + "/schema.json";
        check_validate(to_bson(schema.schema, path, out->problems_), path + ": ", out->problems_);
    }
    boost::json::object values;
    for (const auto& [name, value] : config.code.values) {
        if (!value.from_secret) {
            values[name] = value.value;
        }
    }
    out->values_ = to_bson(values, "values", out->problems_);
    out->environment_ =
        to_bson({{"tag", config.code.environment}, {"values", config.code.environment_values}},
                "environments", out->problems_);
    return out;
}

const CollectionRules* AppRules::find(const store::CollectionName& collection) const {
    const auto own = collections_.find(collection);
    if (own != collections_.end() && (own->second.broken || !own->second.roles.empty())) {
        return &own->second;
    }
    const auto defaults = defaults_.find(collection.data_source);
    if (defaults == defaults_.end() ||
        (defaults->second.roles.empty() && !defaults->second.broken)) {
        return nullptr;
    }
    return &defaults->second;
}

const std::vector<QueryFilter>* AppRules::filters(const store::CollectionName& collection) const {
    const auto own = collections_.find(collection);
    if (own != collections_.end()) {
        return &own->second.filters;
    }
    const auto defaults = defaults_.find(collection.data_source);
    return defaults == defaults_.end() ? nullptr : &defaults->second.filters;
}

} // namespace tombolo::rules
