#pragma once

// The objects of an in-memory store as BSON documents, by the App Services mapping
// (device-sync-server.md 1.3).

#include <map>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "query/bson_accessor.hpp"
#include "query/object_store.hpp"

namespace tombolo::query::test {

std::vector<std::byte> encode_document(const ObjectRef& object);

/// All documents of a store, found by class and key.
class DocumentStore : public BsonLookup {
  public:
    explicit DocumentStore(const ObjectStore& store);

    ByteView document(std::string_view class_name, const PrimaryKeyView& key) const override;
    /// Collections are named as classes, in this store.
    std::string_view class_of(std::string_view collection) const override { return collection; }
    bool for_each(std::string_view class_name, FunctionRef<bool(ByteView)> f) const override;

    const std::vector<std::vector<std::byte>>& documents(std::string_view class_name) const;

  private:
    std::map<std::string, std::vector<std::vector<std::byte>>, std::less<>> documents_;
};

} // namespace tombolo::query::test
