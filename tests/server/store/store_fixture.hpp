#pragma once

// A store in a folder of its own that goes with the test, and short ways to make documents.

#include <filesystem>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <unistd.h>

#include "server/store/embedded/embedded_store.hpp"
#include "support/temporary_folder.hpp"

namespace tombolo::store {

using tombolo::TemporaryFolder;

/// {"_id": id, field: value}
inline mql::BsonDocument document(std::int64_t id, std::string_view field = {},
                                  std::int64_t value = 0) {
    mql::BsonWriter writer;
    writer.append_int64("_id", id);
    if (!field.empty()) {
        writer.append_int64(field, value);
    }
    return std::move(writer).finish();
}

inline std::string key_of(std::int64_t id) {
    return *document_key(mql::BsonValue::from_int64(id).view());
}

class StoreTest : public testing::Test {
  protected:
    void SetUp() override { open(); }

    void open() {
        EmbeddedOptions options;
        options.directory = (folder_.path() / "store").string();
        store_ = open_embedded(options).value();
        people_ = store_->ensure_collection({"source", "app", "people"}).value();
    }
    void reopen() {
        store_.reset();
        open();
    }

    Version insert(mql::BsonDocument one) {
        Transaction transaction;
        transaction.insert(people_, std::move(one));
        return store_->commit(std::move(transaction)).value();
    }
    Version put(mql::BsonDocument one) {
        Transaction transaction;
        transaction.put(people_, std::move(one));
        return store_->commit(std::move(transaction)).value();
    }
    Version erase(std::int64_t id) {
        Transaction transaction;
        transaction.erase(people_, key_of(id));
        return store_->commit(std::move(transaction)).value();
    }
    std::optional<StoredDocument> find(std::int64_t id) {
        return store_->snapshot()->find(people_, key_of(id)).value();
    }
    std::optional<StoredDocument> find_at(std::int64_t id, Version at) {
        return store_->snapshot()->find_at(people_, key_of(id), at).value();
    }

    TemporaryFolder folder_;
    std::unique_ptr<Store> store_;
    CollectionId people_{};
};

inline std::int64_t field(const std::optional<StoredDocument>& stored, std::string_view name) {
    std::int64_t value = -1;
    if (stored) {
        static_cast<void>(stored->body.view().find(name).to_int64(value));
    }
    return value;
}

} // namespace tombolo::store
