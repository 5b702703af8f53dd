// Initial sync of documents that are there already (device-sync-server.md 2.6, 6.4): over an engine
// that is driven by hand, so that it can be looked at, and killed, in the middle.

#include <gtest/gtest.h>

#include "server/sync/engine/model.hpp"
#include "server/sync/engine/unsynced.hpp"
#include "server/sync/scenario.hpp"
#include "server/sync/session/connection.hpp"
#include "server/sync_session/islands.hpp"
#include "server/sync_session/operator.hpp"

namespace tombolo::sim {
namespace {

using server::sync::ClassProgress;
using server::sync::Connection;
using server::sync::ConnectionSetup;

constexpr std::int64_t many = 3'000;

/// The client's end of a connection: what it is sent.
class Peer final : public server::sync::Outlet, public server::sync::Waker {
  public:
    void send(protocol::MessageBytes message) override {
        const auto parsed = protocol::parse_server_message(message, {});
        ASSERT_TRUE(parsed);
        if (const auto* error = std::get_if<protocol::JsonError>(&*parsed)) {
            code = error->code;
            is_to_try_again = error->body.try_again;
        }
        is_known = is_known || std::holds_alternative<protocol::ServerIdent>(*parsed);
    }
    void close(std::uint16_t /*code*/, std::string_view /*reason*/) override {}
    bool has_room() const noexcept override { return true; }
    void wake() override {}

    int code = 0;
    bool is_to_try_again = false;
    bool is_known = false;
};

class InitialSync : public SyncScenario {
  protected:
    store::CollectionId collection() const {
        return *shared_store().find_collection({"source", database_, "T"});
    }
    static mql::BsonDocument bad(std::int64_t key) {
        mql::BsonWriter writer;
        writer.append_int64("_id", key);
        writer.append("q", mql::BsonValue::from_string("no number"));
        return std::move(writer).finish();
    }
    static mql::BsonDocument some(std::int64_t key, bool is_bad) {
        return is_bad ? bad(key) : document(key, key % 7, 0);
    }
    /// Past the engine: they were there before.
    void fill(std::int64_t count, std::int64_t bad_every) {
        store::Transaction transaction;
        for (std::int64_t key = 0; key < count; ++key) {
            transaction.put(collection(), some(key, bad_every > 0 && key % bad_every == 0));
        }
        ASSERT_TRUE(shared_store().commit(std::move(transaction)));
    }
    ClassProgress progress() {
        for (const ClassProgress& each : world_.engine().census()) {
            if (each.class_name == "T") {
                return each;
            }
        }
        return {};
    }
    /// One call of run() with its commit.
    bool step() {
        const bool ran = world_.run_once();
        return world_.disk().settle() > 0 || ran;
    }
    void step_until_done(std::uint64_t documents) {
        while (progress().done < documents && step()) {
        }
        ASSERT_GE(progress().done, documents);
        ASSERT_FALSE(progress().is_complete);
    }
    /// What BIND is answered with.
    std::shared_ptr<Peer> bind() {
        auto peer = std::make_shared<Peer>();
        Connection connection({world_.engine(), counters_, *log_, "app", "user", "id", {}, {}},
                              *peer, peer);
        connection.open();
        protocol::Bind message;
        message.session = {1};
        message.needs_file_ident = true;
        message.data = protocol::FlexibleBind();
        connection.receive(protocol::encode_client_message(message, {}).value());
        if (peer->code == 0) {
            world_.settle();
        }
        while (connection.pump()) {
        }
        return peer;
    }
    std::size_t listed() {
        const auto page = server::sync::unsynced_documents(world_.engine().model(), shared_store(),
                                                           {}, 1'000'000, 1'000'000);
        return page.value().documents.size();
    }

    server::sync::Counters counters_;
    const std::unique_ptr<server::Log> log_ = server::Log::none();
};

TEST_F(InitialSync, f10_binds_are_answered_229_until_the_documents_are_read) {
    fill(many, 10);
    EXPECT_FALSE(world_.engine().accepts_clients());
    step_until_done(1);
    EXPECT_EQ(progress().total, static_cast<std::uint64_t>(many));
    EXPECT_LT(progress().done, static_cast<std::uint64_t>(many));
    const auto refused = bind();
    EXPECT_EQ(refused->code, 229);
    EXPECT_TRUE(refused->is_to_try_again);
    EXPECT_FALSE(refused->is_known);

    world_.settle();

    EXPECT_TRUE(progress().is_complete);
    EXPECT_EQ(progress().done, static_cast<std::uint64_t>(many));
    EXPECT_EQ(progress().unsynced, static_cast<std::uint64_t>(many / 10));
    EXPECT_TRUE(world_.engine().accepts_clients());
    const auto accepted = bind();
    EXPECT_EQ(accepted->code, 0);
    EXPECT_TRUE(accepted->is_known);
}

TEST_F(InitialSync, f10_clients_do_not_wait_for_ever) {
    fill(many, 0);
    step_until_done(1);
    world_.clock().advance(std::chrono::milliseconds(world_.options().initial_wait_ms));
    EXPECT_TRUE(world_.engine().accepts_clients());
    EXPECT_FALSE(progress().is_complete);
}

TEST_F(InitialSync, f10_a_server_killed_in_the_middle_goes_on_and_clients_still_wait) {
    fill(many, 10);
    step_until_done(500);
    crash(false);
    EXPECT_FALSE(world_.engine().accepts_clients());
    world_.settle();
    EXPECT_EQ(progress().done, static_cast<std::uint64_t>(many));
    EXPECT_EQ(progress().unsynced, static_cast<std::uint64_t>(many / 10));
    crash(true);
    EXPECT_TRUE(world_.engine().accepts_clients()); // it was written that it is over
    EXPECT_EQ(progress().unsynced, static_cast<std::uint64_t>(many / 10));
}

TEST_F(InitialSync, clients_that_are_there_do_not_wait_for_a_class_that_changed) {
    fill(many, 0);
    world_.settle();
    SyncDevice& a = device("a", "TRUEPREDICATE");
    server::sync::SyncModel model = world_.model();
    const schema::PropertyFact added{
        "T", "added", schema::PropertyType::integer, schema::CollectionKind::none, true, {}};
    ASSERT_TRUE(server::sync::add_fact(model, added));
    ASSERT_TRUE(world_.engine().update_model(std::move(model)));
    while (progress().is_complete && step()) {
    }
    EXPECT_FALSE(progress().is_complete);
    EXPECT_TRUE(world_.engine().accepts_clients());
    create(a, many + 1, 1);
    exchange();
    EXPECT_TRUE(progress().is_complete);
}

TEST_F(InitialSync, a_property_that_came_while_no_engine_ran_is_told_to_devices_with_its_values) {
    const auto with_late = [](std::int64_t key, std::int64_t late) {
        mql::BsonWriter writer;
        writer.append_int64("_id", key);
        writer.append_int64("q", 1);
        writer.append_int64("x", 2);
        writer.append_int64("late", late);
        return std::move(writer).finish();
    };
    SyncDevice& a = device("a", "TRUEPREDICATE");
    create(a, 1, 1);
    put(2, with_late(2, 7)); // nobody knows the field yet
    exchange();
    const schema::PropertyFact added{
        "T", "late", schema::PropertyType::integer, schema::CollectionKind::none, false, {}};
    ASSERT_TRUE(server::sync::add_fact(world_.options().model, added));
    a.disconnect();
    crash(true);
    a.connect(world_.engine());
    exchange(); // an unknown property would be a bad changeset
    EXPECT_EQ(field(a, 2, "late"), 7);
    EXPECT_EQ(field(a, 1, "late"), 0) << "a document without a required field stays in sync";
    put(1, with_late(1, 5));
    exchange();
    EXPECT_EQ(field(a, 1, "late"), 5);

    const auto top = world_.engine().statistics().server_version;
    a.disconnect();
    crash(true);
    a.connect(world_.engine());
    exchange();
    EXPECT_EQ(world_.engine().statistics().server_version, top) << "told once";
}

TEST_F(InitialSync, the_number_of_unsynced_documents_is_exact_whatever_is_written_meanwhile) {
    SeededRandom random(11);
    fill(many, 4);
    for (int round = 0; round < 60; ++round) {
        for (std::uint64_t steps = random.next() % 3; steps > 0; --steps) {
            step();
        }
        if (round % 20 == 19) {
            crash(random.next() % 2 == 0);
        }
        for (int writes = 0; writes < 5; ++writes) {
            const auto key = static_cast<std::int64_t>(random.next() % (many + 50));
            store::Transaction transaction;
            if (random.next() % 4 == 0) {
                transaction.erase(collection(),
                                  *store::document_key(mql::BsonValue::from_int64(key)));
            } else {
                transaction.put(collection(), some(key, random.next() % 2 == 0));
            }
            world_.engine().write(std::move(transaction), [](const auto& /*done*/) {});
        }
        if (round == 30) {
            world_.settle();
            device("a", "TRUEPREDICATE");
        }
    }
    world_.settle();
    ASSERT_TRUE(progress().is_complete);
    EXPECT_EQ(progress().unsynced, listed());
    EXPECT_EQ(world_.engine().statistics().unsynced_documents, listed());
}

} // namespace
} // namespace tombolo::sim
