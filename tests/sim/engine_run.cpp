#include "sim/engine_run.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "schema/document.hpp"
#include "sim/engine_world.hpp"
#include "sim/view_documents.hpp"

namespace tombolo::sim {

using server::sync::ClassPermissions;
using server::sync::Role;
using testing::SyncDevice;

namespace {

std::string values_text(View view) {
    if (view == 0) {
        return "FALSEPREDICATE";
    }
    std::string text;
    for (std::uint32_t value = 0; value < queryable_value_count; ++value) {
        if ((view >> value & 1) != 0) {
            text += (text.empty() ? "q IN {" : ", ") + std::to_string(value);
        }
    }
    return text + "}";
}

std::string body_text(View view) {
    return view == 0 ? "{}" : "{\"T\":\"(" + values_text(view) + ")\"}";
}

constexpr View every_value = (View{1} << queryable_value_count) - 1;

/// A device with what the test knows of it.
struct Peer {
    explicit Peer(std::string user) : device(std::move(user), empty_state()) {}

    SyncDevice device;
    View wanted = 0;             ///< of the newest subscription set
    View readable = every_value; ///< by the role at the last IDENT
    std::map<std::string, View> views{{"{}", 0}};
};

class EngineRun {
  public:
    EngineRun(std::uint64_t seed, const EngineRunOptions& options)
        : choices_(seed), options_(options), database_(fresh_database()),
          world_(seed, World::model_of_views(database_), options.bugs) {
        for (std::uint32_t i = 0; i < options.devices; ++i) {
            peers_.push_back(std::make_unique<Peer>("user" + std::to_string(i)));
            world_.adopt(peers_.back()->device);
            connect(*peers_.back());
        }
    }

    void step(int number) {
        step_ = number;
        world_.clock().advance(std::chrono::milliseconds(choices_.pick(2)));
        Peer& peer = *peers_[choices_.pick(static_cast<std::uint32_t>(peers_.size()))];
        act(peer, choices_.pick(1000));
        check(peer);
    }

    void finish() {
        for (int round = 0; round < 6 && !failure_; ++round) {
            std::vector<SyncDevice*> devices;
            for (const auto& peer : peers_) {
                if (!peer->device.is_connected()) {
                    connect(*peer);
                }
                devices.push_back(&peer->device);
            }
            world_.exchange(devices);
        }
        for (const auto& peer : peers_) {
            check(*peer);
            if (!failure_ && !peer->device.is_connected()) {
                fail(*peer, "cannot stay connected: " +
                                (peer->device.error() ? peer->device.error()->body.message : "?"));
            }
            if (!failure_ && (peer->device.has_pending() || peer->device.has_pending_query())) {
                fail(*peer, "something is still pending at the end");
            }
            compare(*peer);
        }
    }

    const std::optional<std::string>& failure() const { return failure_; }
    EngineRunResult result() {
        EngineRunResult result;
        result.failure = failure_;
        for (const auto& peer : peers_) {
            result.log += peer->device.log();
        }
        result.statistics = world_.engine().statistics();
        return result;
    }

  private:
    void act(Peer& peer, std::uint32_t what) {
        SyncDevice& device = peer.device;
        if (what < 330) {
            write(peer);
        } else if (what < 480) {
            device.send(1 + choices_.pick(3));
        } else if (what < 640) {
            receive(peer);
        } else if (what < 800) {
            world_.run_once();
        } else if (what < 880) {
            world_.disk().settle();
        } else if (what < 920) {
            subscribe(peer);
        } else if (what < 945) {
            device.disconnect();
        } else if (what < 955) {
            device.restart();
        } else if (what < 975) {
            connect(peer);
        } else if (what < 988) {
            change_role(peer);
        } else if (what < 991) {
            crash();
        } else if (what < 994) {
            write_outside();
        } else {
            settle(peer);
        }
        if (!device.is_connected() && choices_.percent(20)) {
            connect(peer);
        }
    }

    void connect(Peer& peer) {
        const auto role = readable_.find(peer.device.user());
        peer.readable = role == readable_.end() ? every_value : role->second;
        peer.device.connect(world_.engine());
    }

    void write(Peer& peer) {
        const std::int64_t skew = std::int64_t{choices_.pick(5)} - 2;
        const auto clock =
            static_cast<std::uint64_t>(static_cast<std::int64_t>(world_.now()) + skew);
        changeset::MemoryState after = peer.device.state();
        const changeset::Changeset written = write_random(after, peer.wanted, choices_);
        peer.device.commit(written, clock, std::move(after));
    }

    void receive(Peer& peer) {
        if (choices_.percent(12)) {
            peer.device.receive(1, choices_.pick(3)); // killed inside a message
        } else {
            peer.device.receive(1 + choices_.pick(4));
        }
    }

    void subscribe(Peer& peer) {
        peer.wanted = random_view(choices_);
        const std::string body = body_text(peer.wanted);
        peer.views[body] = peer.wanted;
        peer.device.subscribe(body);
    }

    void change_role(Peer& peer) {
        if (!options_.with_roles) {
            return;
        }
        Role role;
        ClassPermissions& permissions = role.classes["T"];
        const View read = choices_.percent(40) ? every_value : random_view(choices_);
        permissions.read = values_text(read);
        permissions.write =
            choices_.percent(60) ? permissions.read : values_text(random_view(choices_) & read);
        permissions.insert = choices_.percent(70) ? "TRUEPREDICATE" : "FALSEPREDICATE";
        permissions.erase = choices_.percent(70) ? "TRUEPREDICATE" : "q != 1";
        world_.roles().roles[peer.device.user()] = role;
        readable_[peer.device.user()] = read;
        if (choices_.percent(60)) {
            world_.engine().roles_changed(peer.device.user());
        }
    }

    /// A program that writes to the database, not through a device.
    void write_outside() {
        const auto collection = *shared_store().find_collection({"source", database_, "T"});
        const auto snapshot = shared_store().snapshot();
        const ObjectKey key = choices_.pick(object_key_count);
        const std::string name = *store::document_key(mql::BsonValue::from_int64(key));
        const auto stored = *snapshot->find(collection, name);
        changeset::MemoryState state = empty_state();
        bool is_syncable = false;
        if (stored) {
            schema::ReadDocument read =
                schema::document_to_object(world_.model().documents, "T", stored->body.bytes());
            is_syncable = read.ok();
            if (read.ok()) {
                read.object.fields.erase("_id");
                state = state_of(key, read.object);
            }
        }
        store::Transaction transaction;
        write_random(state, every_value, choices_);
        Document after = sim::document(state, key);
        if (choices_.percent(15)) {
            mql::BsonWriter writer;
            writer.append_int64("_id", key);
            writer.append_string("q", "fits no class");
            transaction.put(collection, std::move(writer).finish());
        } else if (after) {
            after->fields.set("_id", key);
            const auto written =
                stored && is_syncable
                    ? schema::update_document(world_.model().documents, "T", *after,
                                              stored->body.bytes())
                    : schema::object_to_document(world_.model().documents, "T", *after);
            transaction.put(collection, *mql::BsonDocument::validate(written->bson));
        } else {
            transaction.erase(collection, name);
        }
        world_.engine().write(std::move(transaction), [this](Result<store::Version> done) {
            if (!done && done.error().code() != ErrorCode::io && !failure_) {
                failure_ = std::string("an outside write failed: ") + done.error().what();
            }
        });
    }

    void crash() {
        if (!options_.with_crashes) {
            return;
        }
        for (const auto& peer : peers_) {
            peer->device.disconnect();
        }
        world_.crash(choices_.percent(50));
    }

    /// Everybody comes to rest, then one device is compared.
    void settle(Peer& peer) {
        world_.settle();
        peer.device.receive();
        compare(peer);
    }

    void check(const Peer& peer) {
        if (!failure_ && peer.device.failure()) {
            failure_ = "step " + std::to_string(step_) + ": " + *peer.device.failure();
        }
        if (!failure_ && !peer.device.query_errors().empty()) {
            fail(peer, "a good query was refused: " + peer.device.query_errors().front());
        }
        if (!failure_ && peer.device.error() &&
            peer.device.error()->code != protocol::SyncErrorCode::session_closed) {
            fail(peer, "error " + std::to_string(static_cast<int>(peer.device.error()->code)) +
                           ": " + peer.device.error()->body.message);
        }
    }

    /// The documents that the device must hold, judged here and not by the engine.
    std::map<std::int64_t, Object> wanted(const Peer& peer) const {
        std::map<std::int64_t, Object> objects;
        const View query = peer.views.at(peer.device.active_body());
        const View view = query & peer.readable;
        const auto collection = shared_store().find_collection({"source", database_, "T"});
        const auto snapshot = shared_store().snapshot();
        const auto cursor = snapshot->scan(*collection);
        while (cursor->next()) {
            schema::ReadDocument read = schema::document_to_object(world_.model().documents, "T",
                                                                   cursor->document().bytes());
            if (!read.ok()) {
                continue;
            }
            const std::int64_t key = *read.object.fields.find("_id")->get_if<std::int64_t>();
            read.object.fields.erase("_id");
            if (is_member(read.object, view)) {
                objects.emplace(key, std::move(read.object));
            }
        }
        return objects;
    }

    /// A device with nothing pending that has everything holds its view of the documents.
    void compare(const Peer& peer) {
        const SyncDevice& device = peer.device;
        if (failure_ || device.has_pending() || !device.is_connected() ||
            device.cursor() != world_.engine().statistics().server_version ||
            world_.disk().is_waiting() || device.is_inside_bootstrap() || device.error()) {
            return;
        }
        const auto should = wanted(peer);
        for (ObjectKey key = 0; key < object_key_count; ++key) {
            const auto found = should.find(key);
            const Document document = found == should.end() ? Document() : Document(found->second);
            const Document held = sim::document(device.state(), key);
            if (!same_document(held, document)) {
                fail(peer, "object " + std::to_string(key) + " at version " +
                               std::to_string(device.cursor()) + " is " + print(held) +
                               ", should be " + print(document));
                return;
            }
        }
    }

    static std::string print(const Document& document) {
        return document ? to_text(Value(*document)) : "absent";
    }

    void fail(const Peer& peer, const std::string& reason) {
        failure_ = "step " + std::to_string(step_) + ": file " +
                   std::to_string(peer.device.file()) + ": " + reason;
    }

    testing::Choices choices_;
    EngineRunOptions options_;
    std::string database_;
    World world_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::map<std::string, View> readable_;
    int step_ = 0;
    std::optional<std::string> failure_;
};

} // namespace

EngineRunResult run_engine(std::uint64_t seed, const EngineRunOptions& options) {
    EngineRun run(seed, options);
    int step = 0;
    for (; step < options.steps && !run.failure(); ++step) {
        run.step(step);
    }
    if (!run.failure()) {
        run.finish();
    }
    EngineRunResult result = run.result();
    result.steps = static_cast<std::uint64_t>(step);
    return result;
}

} // namespace tombolo::sim
