#include "sim/engine_world.hpp"

#include <stdexcept>
#include <utility>

#include <rocksdb/env.h>

#include "server/store/embedded/embedded_store.hpp"

namespace tombolo::sim {

using schema::ClassKind;
using schema::ClassSchema;
using schema::CollectionKind;
using schema::Property;
using schema::PropertyType;
using testing::SyncDevice;

namespace {

Property property(std::string name, PropertyType type,
                  CollectionKind collection = CollectionKind::none, std::string target = {}) {
    Property result;
    result.name = std::move(name);
    result.type = type;
    result.collection = collection;
    result.nullable = !target.empty();
    result.target = std::move(target);
    return result;
}

} // namespace

store::Store& shared_store() {
    struct Holder {
        std::unique_ptr<rocksdb::Env> env{rocksdb::NewMemEnv(rocksdb::Env::Default())};
        std::unique_ptr<store::Store> store;
        Holder() {
            store::EmbeddedOptions options;
            options.directory = "/sync-simulation";
            options.env = env.get();
            store = store::open_embedded(options).value();
        }
    };
    static Holder holder;
    return *holder.store;
}

std::string fresh_database() {
    static std::uint64_t count = 0;
    return "world" + std::to_string(++count);
}

World::World(std::uint64_t seed, server::sync::SyncModel model, server::sync::EngineBugs bugs)
    : random_(seed), disk_(shared_store()) {
    // Apart from the seed's randomness: two worlds of one seed share the store.
    static std::uint32_t worlds = 0;
    ++worlds;
    for (std::size_t i = 0; i < 4; ++i) {
        options_.app.bytes.at(i) = static_cast<std::byte>(worlds >> (8 * i));
    }
    options_.model = std::move(model);
    options_.bugs = bugs;
    open();
}

World::~World() {
    disk_.lose();
}

void World::open() {
    engine_ = server::sync::open_engine(options_, disk_, roles_, *this, clock_, random_).value();
}

std::uint64_t World::now() const {
    return static_cast<std::uint64_t>(clock_.unix_ms()) - protocol::origin_epoch_unix_ms;
}

bool World::run_once() {
    if (!is_scheduled_) {
        return false;
    }
    is_scheduled_ = false;
    const bool was_waiting = disk_.is_waiting();
    engine_->run();
    const std::uint64_t begun = engine_->statistics().batches_ahead;
    has_ahead_ = begun != batches_ahead_now_ || (has_ahead_ && was_waiting);
    batches_ahead_ += begun - std::exchange(batches_ahead_now_, begun);
    return true;
}

void World::refuse() {
    disk_.refuse(Error(ErrorCode::duplicate_key, "refused for once"));
    has_ahead_ = false;
}

void World::settle() {
    while (run_once() || disk_.settle() > 0) {
    }
}

void World::crash(bool was_synced) {
    if (was_synced) {
        disk_.commit_unheard();
    } else {
        disk_.lose();
    }
    engine_.reset();
    is_scheduled_ = false;
    has_ahead_ = false;
    batches_ahead_now_ = 0;
    open();
}

void World::adopt(SyncDevice& device) {
    engine_->allocate_file(
        device.user(), device.schema_version(),
        [&](Result<protocol::SaltedFileIdent> file) { device.take_file(file.value()); });
    settle();
}

void World::exchange(const std::vector<std::unique_ptr<SyncDevice>>& devices) {
    std::vector<SyncDevice*> connected;
    for (const auto& each : devices) {
        if (each->is_connected()) {
            connected.push_back(each.get());
        }
    }
    exchange(connected);
}

void World::exchange(const std::vector<SyncDevice*>& devices) {
    for (int round = 0; round < 100; ++round) {
        bool is_moving = false;
        settle();
        for (SyncDevice* device : devices) {
            is_moving = device->receive() > 0 || is_moving;
            device->send();
        }
        is_moving = is_scheduled_ || is_moving;
        if (!is_moving) {
            return;
        }
    }
    throw std::runtime_error("the exchange does not end");
}

server::sync::SyncModel World::model_of_views(const std::string& database) {
    Property key = property("_id", PropertyType::integer);
    key.primary_key = true;
    ClassSchema embedded("E", ClassKind::embedded);
    embedded.add(property("y", PropertyType::integer))
        .add(property("ys", PropertyType::integer, CollectionKind::list));
    ClassSchema top("T");
    top.add(key)
        .add(property("q", PropertyType::integer))
        .add(property("x", PropertyType::integer))
        .add(property("l", PropertyType::integer, CollectionKind::list))
        .add(property("k", PropertyType::link, CollectionKind::none, "T"))
        .add(property("e", PropertyType::link, CollectionKind::none, "E"));
    server::sync::SyncModel model;
    model.documents.schema.add(std::move(embedded));
    model.documents.schema.add(std::move(top));
    model.documents.places["T"] = {"source", database, "T"};
    model.queryable.global.insert("q");
    model.data_source = "source";
    model.database = database;
    return model;
}

} // namespace tombolo::sim
