#pragma once

// One user's access to one collection for device sync (device-sync-server.md 4.2 to 4.5): the role,
// chosen once a session, as MongoDB filters over queryable fields; or why there is none.
//
// Sync cannot do all that remote access can. A role that uses more is denied, and `denied` says
// what it uses.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "mql/bson_value.hpp"
#include "server/rules/rule_set.hpp"

namespace tombolo::rules {

/// What of a document's fields may be read and written: literals, so they hold for all documents
/// that the filters let through. Write implies read.
struct FieldAccess {
    bool read = true; ///< of fields that are not listed
    bool write = true;
    /// One with fields of its own speaks for the inside of an embedded document.
    std::map<std::string, FieldAccess, std::less<>> fields;

    bool allows_all() const { return read && write && fields.empty(); }
};

struct SyncAccess {
    std::string role;                          ///< empty when none applied
    std::vector<std::string> passed_over = {}; ///< roles before it, whose apply_when does not hold
    std::string denied;                        ///< why nothing is permitted; empty otherwise
    mql::BsonDocument read;                    ///< includes `write`: who may write may read
    mql::BsonDocument write;
    mql::BsonDocument insert; ///< of the new document, on top of `write`
    mql::BsonDocument erase;  ///< of the document before, on top of `write`
    /// `read` and `write` are never when no field is readable, or writable.
    FieldAccess fields;
};

/// `queryable`: paths of the collection's queryable fields; _id is always one.
SyncAccess sync_access(const AppRules& app, const store::CollectionName& collection,
                       const Facts& facts, const std::set<std::string>& queryable);

} // namespace tombolo::rules
