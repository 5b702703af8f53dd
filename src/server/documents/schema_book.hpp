#pragma once

// The schemas of every app in force, as checks of documents, compiled once a deployment.
//
// Thread-safety: all members from any thread.

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "core/object_id.hpp"
#include "mql/bson_value.hpp"
#include "server/app/app_repository.hpp"
#include "server/documents/document_schema.hpp"
#include "server/store/types.hpp"

namespace tombolo::documents {

class SchemaBook {
  public:
    /// The collection's; nothing when it has none.
    std::optional<DocumentSchema> find(const server::App& app,
                                       const store::CollectionName& collection);

  private:
    using Schemas = std::map<store::CollectionName, DocumentSchema>;
    struct Entry {
        std::uint64_t deployment = 0;
        std::shared_ptr<const Schemas> schemas;
    };

    std::shared_ptr<const Schemas> schemas(const server::App& app);

    std::mutex mutex_;
    std::map<ObjectId, Entry> entries_; // guarded by mutex_
};

} // namespace tombolo::documents
