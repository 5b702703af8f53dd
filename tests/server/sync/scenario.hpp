#pragma once

// Devices over the real engine and a store in memory, driven by hand: what scenarios are written
// with.

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "changeset/builder.hpp"
#include "sim/engine_world.hpp"

namespace tombolo::sim {

using changeset::Changeset;
using changeset::ChangesetBuilder;
using changeset::MemoryState;
using testing::SyncDevice;

inline std::string subscription(const std::string& query) {
    return "{\"T\":\"(" + query + ")\"}";
}

class SyncScenario : public ::testing::Test {
  protected:
    SyncScenario() : SyncScenario(7, World::model_of_views(fresh_database())) {}
    SyncScenario(std::uint64_t seed, server::sync::SyncModel model)
        : database_(model.database), world_(seed, std::move(model)) {}

    /// A new device that has only said who it is.
    SyncDevice& connect(const std::string& user, std::uint64_t schema_version = 0) {
        devices_.push_back(std::make_unique<SyncDevice>(user, MemoryState()));
        SyncDevice& added = *devices_.back();
        added.set_schema_version(schema_version);
        world_.adopt(added);
        added.connect(world_.engine());
        exchange();
        return added;
    }
    SyncDevice& device(const std::string& user, const std::string& query = "") {
        SyncDevice& added = connect(user);
        if (!query.empty()) {
            added.subscribe(subscription(query));
            exchange();
        }
        return added;
    }

    void exchange() {
        world_.exchange(devices_);
        for (const auto& each : devices_) {
            ASSERT_FALSE(each->failure()) << *each->failure();
        }
    }

    /// The server dies, and the connections of all devices with it.
    void crash(bool was_synced) {
        for (const auto& each : devices_) {
            each->disconnect();
        }
        world_.crash(was_synced);
    }

    template <class Edit>
    void write(SyncDevice& by, Edit edit) {
        ChangesetBuilder out;
        edit(out);
        world_.clock().advance(std::chrono::milliseconds(1));
        by.commit(out.finish().value(), world_.now());
    }
    void create(SyncDevice& by, std::int64_t key, std::int64_t q) {
        write(by, [&](ChangesetBuilder& out) {
            out.create_object("T", key);
            out.update({"T", key, "q"}, q);
        });
    }
    void set(SyncDevice& by, std::int64_t key, const char* field, std::int64_t value) {
        write(by, [&](ChangesetBuilder& out) { out.update({"T", key, field}, value); });
    }

    static const Object* object(const SyncDevice& of, std::int64_t key) {
        return of.state().find_object("T", key);
    }
    static std::int64_t field(const SyncDevice& of, std::int64_t key, const char* name) {
        const Object* found = object(of, key);
        const Value* value = found == nullptr ? nullptr : found->fields.find(name);
        return value == nullptr ? -1 : *value->get_if<std::int64_t>();
    }
    void put(std::int64_t key, mql::BsonDocument document) {
        static_cast<void>(key);
        store::Transaction transaction;
        transaction.put(*shared_store().find_collection({"source", database_, "T"}),
                        std::move(document));
        world_.engine().write(std::move(transaction),
                              [](Result<store::Version> done) { EXPECT_TRUE(done); });
        world_.settle();
    }
    static mql::BsonDocument document(std::int64_t key, std::int64_t q, std::int64_t x) {
        mql::BsonWriter writer;
        writer.append_int64("_id", key);
        writer.append_int64("q", q);
        writer.append_int64("x", x);
        return std::move(writer).finish();
    }
    std::string stored(std::int64_t key, const char* name) {
        const auto snapshot = shared_store().snapshot();
        const auto found =
            snapshot->find(*shared_store().find_collection({"source", database_, "T"}),
                           *store::document_key(mql::BsonValue::from_int64(key)));
        std::int64_t value = 0;
        return found && *found && (*found)->body.view().find(name).to_int64(value)
                   ? std::to_string(value)
                   : "";
    }

    std::string database_;
    World world_;
    std::vector<std::unique_ptr<SyncDevice>> devices_;
};

} // namespace tombolo::sim
