#pragma once

// The rules of an app as its directory has them: roles and filters by collection and data source
// (admin-api-and-config.md 4.5, device-sync-server.md 4.1), parsed, not bound to a user.
//
// Immutable once parsed; const use from any thread.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mql/bson_value.hpp"
#include "server/app/app_config.hpp"
#include "server/rules/expression.hpp"
#include "server/store/types.hpp"

namespace tombolo::rules {

struct FieldRule {
    Expression read;
    Expression write;
    /// Of an embedded document; asked only where neither read nor write is defined.
    std::map<std::string, FieldRule, std::less<>> fields;
};

struct Role {
    std::string name;
    Expression apply_when;
    Expression filter_read; ///< document_filters.read
    Expression filter_write;
    Expression read;
    Expression write;
    Expression insert;
    Expression erase; ///< "delete"
    bool search = true;
    std::map<std::string, FieldRule, std::less<>> fields;
    FieldRule additional_fields;
};

/// Narrows what queries of remote collection access see; sync knows none.
struct QueryFilter {
    std::string name;
    Expression apply_when;
    Expression query;
    mql::BsonDocument projection;
};

struct CollectionRules {
    std::vector<Role> roles;
    std::vector<QueryFilter> filters;
    /// The file could not be understood: nobody gets in.
    bool broken = false;
    /// Some expression asks for %%user.custom_data.
    bool uses_custom_data = false;
};

class AppRules {
  public:
    /// The rules, values and environment of a configuration. All problems are found at once.
    static std::shared_ptr<const AppRules> parse(const server::AppConfig& config);

    /// The collection's own rules when it has roles, else the data source's defaults; null when
    /// there are neither.
    const CollectionRules* find(const store::CollectionName& collection) const;
    /// Filters of the collection, or the data source's when it has no rules of its own.
    const std::vector<QueryFilter>* filters(const store::CollectionName& collection) const;

    const Problems& problems() const noexcept { return problems_; }
    mql::BsonDocumentView values() const noexcept { return values_; }
    mql::BsonDocumentView environment() const noexcept { return environment_; }

  private:
    std::map<store::CollectionName, CollectionRules> collections_;
    std::map<std::string, CollectionRules, std::less<>> defaults_; ///< by data source
    mql::BsonDocument values_;
    mql::BsonDocument environment_;
    Problems problems_;
};

/// A role list or rule as the Admin API takes it ({roles, filters}); problems are named by path.
CollectionRules parse_collection_rules(mql::BsonDocumentView document, const std::string& path,
                                       Problems& problems);

} // namespace tombolo::rules
