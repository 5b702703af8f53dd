#pragma once

// Remote collection access: the actions of a data source (client-http-api.md 7) over the Store, by
// a system caller or under the rules of the app. What functions/call and
// context.services.get("mongodb-atlas") stand on.
//
//     documents::Request request{app, documents::system_caller(), "mongodb-atlas", "find", args};
//     TOMBOLO_TRY(const mql::BsonValue result, documents.call(request));
//
// Actions: find, findOne, aggregate, count, insertOne, insertMany, updateOne, updateMany,
// deleteOne, deleteMany, findOneAndUpdate, findOneAndReplace, findOneAndDelete. `arguments` is the
// one document that clients send (database, collection, query, ...); the result is what the chapter
// says, as BSON: counts of changes are int32, of documents int64, "nothing" is null.
//
// Reads see one snapshot. An action's writes are one transaction of the Store, so they are atomic
// (updateMany and deleteMany too), reach sync and watches like any other write, and are retried
// when something else wrote first. Every document is judged by rules on its own (rules/access.hpp);
// what a caller may not read is not there for it, neither in results nor for its filters.
//
// Errors (error_code in the client API in brackets):
//   service_not_found   no such data source in the app [ServiceNotFound]
//   action_not_found    no such action [ServiceCommandNotFound]
//   access_denied       rules do not permit it; the text tells no more than the action
//                       [NoMatchingRuleFound]. Which role decided is in the log.
//   invalid_argument    an argument is missing or has the wrong type [InvalidParameter]
//   invalid_document    a document breaks the collection's schema [SchemaValidationFailedWrite]
//   duplicate_key, mql_*, limit_exceeded, ...                       [MongoDBError]
//
// Thread-safety: all members from any thread; calls block on the store.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "server/app/app_repository.hpp"
#include "server/rules/facts.hpp"
#include "server/runtime/log.hpp"
#include "server/store/store.hpp"

namespace tombolo::rules {
class RuleBook;
}

namespace tombolo::documents {

struct ClientFiles;

/// On whose behalf. Cheap to copy.
struct Caller {
    /// Null: the system, which no rule binds (functions that run as system, administrators).
    std::shared_ptr<const rules::Facts> facts;
    /// Of the HTTP request, for the log; may be empty.
    std::string request_id;

    bool is_system() const noexcept { return facts == nullptr; }
};

inline Caller system_caller(std::string request_id = {}) {
    return {nullptr, std::move(request_id)};
}

/// Borrowed for the call.
struct Request {
    const server::App& app;
    Caller caller;
    std::string_view data_source;
    std::string_view action;
    mql::BsonDocumentView arguments;
};

struct Limits {
    /// Documents in one answer to a user: Atlas' own (R7-14). The system has only the bytes.
    std::size_t result_documents_max = 50'000;
    std::size_t result_bytes_max = std::size_t{64} * 1024 * 1024;
    /// Bytes of one action's writes.
    std::size_t write_bytes_max = std::size_t{64} * 1024 * 1024;
    /// Held in memory for a sort or a pipeline.
    std::size_t memory_bytes_max = std::size_t{100} * 1024 * 1024;
    std::int64_t time_ms_max = 60'000;
    unsigned write_attempts_max = 64;
};

class Documents {
  public:
    /// The references must outlive this.
    Documents(store::Store& store, rules::RuleBook& rules, const server::Log& log,
              std::function<std::int64_t()> now_ms, Limits limits = {});
    ~Documents();

    Result<mql::BsonValue> call(const Request& request) const;

    /// Serves client files too (client_files.hpp). REQUIRES: before the first call().
    void connect(ClientFiles files);

    /// Whether call() knows the action. "watch" is none: it is a stream (watch.hpp).
    static bool has_action(std::string_view action) noexcept;

    class Impl;

  private:
    std::unique_ptr<Impl> impl_;
};

} // namespace tombolo::documents
