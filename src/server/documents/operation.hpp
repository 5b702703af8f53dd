#pragma once

// One action under way: its collection, its caller's access, its bounds. The actions themselves are
// functions over it (actions.hpp).
//
// Thread-safety: one thread.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/random.hpp"
#include "server/documents/arguments.hpp"
#include "server/documents/document_schema.hpp"
#include "server/documents/documents.hpp"
#include "server/documents/reader.hpp"
#include "server/rules/rule_set.hpp"

namespace tombolo::documents {

class SchemaBook;

/// What an operation needs of its service. Borrowed.
struct Services {
    store::Store& store;
    const server::Log& log;
    ObjectIdGenerator& ids;
    SchemaBook& schemas;
    const Limits& limits;
};

class Operation {
  public:
    /// `rules` null for the system.
    Operation(const Services& services, const Request& request,
              std::shared_ptr<const rules::AppRules> rules, std::int64_t now_ms);

    /// Reads database and collection, binds the caller's roles. access_denied when the collection
    /// has no rules at all.
    Result<void> open();

    const Arguments& arguments() const noexcept { return arguments_; }
    const store::CollectionName& collection() const noexcept { return name_; }
    bool is_system() const noexcept { return request_.caller.is_system(); }
    const Services& services() const noexcept { return services_; }
    const Limits& limits() const noexcept { return services_.limits; }
    /// Null for the system.
    const rules::CollectionAccess* access() const noexcept;
    /// The collection as the caller sees it; `snapshot` must outlive it.
    CollectionView view(const store::Snapshot& snapshot) const;
    /// Another collection of the same database, for $lookup.
    Result<CollectionView> foreign_view(const store::Snapshot& snapshot,
                                        const std::string& collection);
    mql::EvaluationInput evaluation() const;

    /// access_denied with "<action> not permitted", after logging which role said so; nothing when
    /// allowed.
    Result<void> check(const rules::Verdict& verdict, std::string_view action, mql::BsonView id);
    /// invalid_document when the document breaks the collection's schema; `previous` is null for
    /// an insert.
    Result<void> check_schema(mql::BsonDocumentView document,
                              const mql::BsonDocumentView* previous);
    ObjectId new_id() const;
    /// Says in the log that rules kept documents back.
    void note_hidden(const Reader& reader) const;

    /// Runs `attempt`, which reads the snapshot, adds to the transaction and answers the result,
    /// until its transaction is committed without a conflict.
    using Attempt = std::function<Result<mql::BsonValue>(const store::Snapshot& snapshot,
                                                         store::Transaction& transaction)>;
    Result<mql::BsonValue> write(const Attempt& attempt, bool retry_duplicates);

  private:
    const rules::CollectionAccess& access_to(const store::CollectionName& name);

    const Services& services_;
    const Request& request_;
    Arguments arguments_;
    std::shared_ptr<const rules::AppRules> rules_;
    std::int64_t now_ms_;
    Deadline deadline_;
    store::CollectionName name_;
    std::map<store::CollectionName, rules::CollectionAccess> accesses_;
    // Of the collection, looked up with the first document that is written.
    std::optional<std::optional<DocumentSchema>> schema_;
    mql::BsonDocument custom_data_;
    std::optional<rules::BindingValues> values_; // only for schemas with expressions
};

} // namespace tombolo::documents
