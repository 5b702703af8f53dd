// Permissions by property (server-sync-algorithm.md 11, invariant 9): random roles with filters and
// field permissions, random queries, documents and writes over the real engine, held against an
// evaluator that reads a role in the plainest way.
//
//   told     no entry a device is sent says anything of a field, or brings an object, that the role
//            of its binding hides, in bootstraps, in steady state, after refusals, at any moment
//   written  no document changes by a device's upload where a role that was in force for it denies
//   held     whenever a device has come to rest it holds the documents of its query and role, with
//            the fields that it may read, and nothing else
//
// Roles change all the while, for devices that are connected, offline, behind, or inside a
// bootstrap.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "changeset/codec.hpp"
#include "sim/engine_oracle.hpp"
#include "sim/engine_world.hpp"
#include "sim/view_documents.hpp"
#include "support/property.hpp"

namespace tombolo::sim {

namespace {

using changeset::Changeset;
using changeset::Instruction;
using changeset::Opcode;
using changeset::PayloadType;
using server::sync::ClassPermissions;
using server::sync::EngineBugs;
using server::sync::EntryKind;
using server::sync::FieldPermissions;
using testing::SyncDevice;

constexpr View every_value = (View{1} << queryable_value_count) - 1;
const char* const fields[] = {"q", "x", "l", "k", "e"};

struct Access {
    bool read = true;
    bool write = true;
};

/// A role as a person reads it.
struct NaiveRole {
    View read = every_value;
    View write = every_value;
    View insert = every_value;
    View erase = every_value;
    std::map<std::string, Access> field{{"q", {}}, {"x", {}}, {"l", {}}, {"k", {}}, {"e", {}}};
    /// Of `e` only `y` may be read, and nothing of it written.
    bool only_y = false;

    bool writes_all() const {
        bool all = !only_y;
        for (const auto& [name, access] : field) {
            all = all && access.write;
        }
        return all;
    }
};

bool has(View values, const Document& document) {
    return is_member(document, values);
}

std::string text(View values) {
    std::string out;
    for (std::uint32_t value = 0; value < queryable_value_count; ++value) {
        if ((values >> value & 1) != 0) {
            out += (out.empty() ? "q IN {" : ", ") + std::to_string(value);
        }
    }
    return out.empty() ? "FALSEPREDICATE" : out + "}";
}

std::string body(View values) {
    return values == 0 ? "{}" : "{\"T\":\"(" + text(values) + ")\"}";
}

server::sync::Role compiled(const NaiveRole& role) {
    ClassPermissions out{
        text(role.read | role.write), text(role.write), text(role.insert), text(role.erase), {}};
    for (const auto& [name, access] : role.field) {
        if (!access.read || !access.write) {
            out.fields.fields[name] = {access.read, access.write, {}};
        }
    }
    if (role.only_y) {
        FieldPermissions inside{false, false, {}};
        inside.fields["y"] = {true, false, {}};
        out.fields.fields["e"] = inside;
    }
    server::sync::Role whole;
    whole.classes["T"] = out;
    return whole;
}

NaiveRole random_role(Choices& choices) {
    NaiveRole role;
    const auto values = [&](std::uint32_t all) {
        return choices.percent(all) ? every_value : random_view(choices);
    };
    role.read = values(60);
    role.write = values(70);
    role.insert = values(80);
    role.erase = values(80);
    for (const char* name : fields) {
        const std::uint32_t what = choices.pick(10);
        const bool is_query = std::string(name) == "q"; // hidden, nothing could be asked for
        role.field[name] = what < 6               ? Access{}
                           : what < 8 || is_query ? Access{true, false}
                                                  : Access{false, false};
    }
    role.only_y = choices.percent(15);
    return role;
}

/// What the role shows of a document that it lets through.
Object shown(Object object, const NaiveRole& role) {
    const Object blank = [] {
        changeset::ChangesetBuilder out;
        out.create_object("T", std::int64_t{0});
        changeset::MemoryState state = empty_state();
        changeset::apply(*out.finish(), state).value();
        return *state.find_object("T", std::int64_t{0});
    }();
    for (const auto& [name, access] : role.field) {
        if (!access.read && !(name == "e" && role.only_y)) {
            *object.fields.find(name) = *blank.fields.find(name);
        }
    }
    if (role.only_y) {
        if (auto* inside = object.fields.find("e")->get_if<Object>()) {
            *inside->fields.find("ys") = List();
        }
    }
    return object;
}

struct Peer {
    explicit Peer(std::string user) : device(std::move(user), empty_state()) {}

    SyncDevice device;
    View wanted = 0;
    NaiveRole bound;              ///< of the binding
    std::vector<NaiveRole> since; ///< in force since the last rest
};

class PermissionRun {
  public:
    PermissionRun(std::uint64_t seed, EngineBugs bugs)
        : choices_(seed), database_(fresh_database()),
          world_(seed, World::model_of_views(database_), bugs), oracle_(world_, database_) {
        for (int i = 0; i < 3; ++i) {
            peers_.push_back(std::make_unique<Peer>("user" + std::to_string(i)));
            Peer& peer = *peers_.back();
            world_.adopt(peer.device);
            peer.device.set_on_entry(
                [this, &peer](const auto&, auto, const Changeset& told) { hear(peer, told); });
            connect(peer);
            subscribe(peer);
        }
        oracle_.set_is_shown(
            [this](std::uint64_t file, const Document& said, const Document& document) {
                return is_shown(file, said, document);
            });
    }

    std::string run(int steps) {
        for (int i = 0; i < steps && failure_.empty(); ++i) {
            world_.clock().advance(std::chrono::milliseconds(choices_.pick(2)));
            act(*peers_[choices_.pick(3)]);
            if (i % 60 == 59) {
                rest();
            }
            note_history();
        }
        rest();
        return failure_;
    }

  private:
    void act(Peer& peer) {
        const std::uint32_t what = choices_.pick(100);
        SyncDevice& device = peer.device;
        if (what < 30) {
            write(peer);
        } else if (what < 45) {
            device.send(1 + choices_.pick(3));
        } else if (what < 60) {
            device.receive(1 + choices_.pick(3));
        } else if (what < 76) {
            world_.run_once();
        } else if (what < 84) {
            world_.disk().settle();
        } else if (what < 87) {
            subscribe(peer);
        } else if (what < 90) {
            device.disconnect();
        } else if (&peer != peers_.front().get()) { // the first may do everything
            change_role(peer);
        }
        if (!device.is_connected() && choices_.percent(30)) {
            connect(peer);
        }
        if (device.failure()) {
            fail(peer, *device.failure());
        }
    }

    NaiveRole& role_of(const Peer& peer) { return roles_[peer.device.user()]; }

    void connect(Peer& peer) {
        peer.bound = role_of(peer);
        peer.since.push_back(peer.bound);
        peer.device.connect(world_.engine());
    }

    void change_role(Peer& peer) {
        role_of(peer) = random_role(choices_);
        world_.roles().roles[peer.device.user()] = compiled(role_of(peer));
        if (choices_.percent(70)) {
            world_.engine().roles_changed(peer.device.user());
        }
    }

    void subscribe(Peer& peer) {
        peer.wanted = choices_.percent(50) ? every_value : random_view(choices_);
        peer.device.subscribe(body(peer.wanted));
    }

    void write(Peer& peer) {
        changeset::MemoryState after = peer.device.state();
        const Changeset written = write_random(after, peer.wanted, choices_);
        const std::uint64_t base = peer.device.cursor();
        peer.device.commit(written, world_.now(), std::move(after));
        if (!written.empty()) {
            oracle_.note_upload(peer.device.file(), peer.device.client_version(), base, written);
        }
    }

    /// A reset says what some role of the time shows.
    bool is_shown(std::uint64_t file, const Document& said, const Document& document) {
        for (const auto& peer : peers_) {
            for (const NaiveRole& role : peer->since) {
                if (peer->device.file() == file && document &&
                    same_document(said, shown(*document, role))) {
                    return true;
                }
            }
        }
        return false;
    }

    // told

    void hear(const Peer& peer, const Changeset& whole) {
        changeset::ChangesetBuilder objects;
        for (const Instruction& each : whole.instructions()) {
            if (!changeset::is_schema_instruction(each.op)) {
                objects.append(whole, each);
            }
        }
        const Changeset told = *objects.finish();
        for (const ObjectKey key : objects_of(told)) {
            const Changeset part = part_of(told, key);
            // Without an EraseObject in front, and without q, it may be one that the device holds.
            bool is_made = false;
            bool is_fresh = false;
            std::int64_t value = 0;
            for (const Instruction& each : part.instructions()) {
                is_made = is_made || (each.op == Opcode::create_object && is_fresh);
                is_fresh = is_fresh || each.op == Opcode::erase_object;
                if (each.op == Opcode::update && part.field(each) == "q") {
                    is_made = true;
                    value = each.body.integer();
                }
                if (changeset::is_path_instruction(each.op) && tells(peer.bound, part, each)) {
                    fail(peer, "was told of a hidden field: " + changeset::to_text(part, each));
                }
            }
            const View readable = peer.bound.read | peer.bound.write;
            const bool is_erased = part.instructions().back().op == Opcode::erase_object;
            if (is_made && !is_erased && (readable >> value & 1) == 0) {
                fail(peer, "was told of a hidden object:\n" + changeset::to_text(part));
            }
        }
    }

    /// The instruction says something of a hidden field, other than that it is empty now.
    static bool tells(const NaiveRole& role, const Changeset& part, const Instruction& each) {
        const std::string field(part.field(each));
        const auto path = part.path(each);
        const bool is_inside = !path.empty() && path.front().is_name();
        const bool is_hidden = field == "e" && role.only_y
                                   ? is_inside && part.string(path.front().name()) != "y"
                                   : !role.field.at(field).read;
        if (!is_hidden) {
            return false;
        }
        switch (each.op) {
        case Opcode::array_erase:
        case Opcode::clear:
            return false;
        case Opcode::update:
            return !(each.type == PayloadType::null ||
                     (each.type == PayloadType::integer && each.body.integer() == 0));
        default:
            return true;
        }
    }

    // written

    void note_history() {
        const std::uint64_t before = oracle_.top();
        if (const auto& violation = oracle_.read(); violation && failure_.empty()) {
            failure_ = "oracle: " + *violation;
        }
        const server::sync::RecordKeys keys(world_.options().app);
        const auto snapshot = shared_store().snapshot();
        for (std::uint64_t version = before + 1; version <= oracle_.top(); ++version) {
            const auto record = snapshot->record(store::Space::history, keys.history(version));
            const auto entry = server::sync::decode_history(record.value().value()).value();
            for (const auto& peer : peers_) {
                if (entry.kind == EntryKind::change && entry.origin == peer->device.file()) {
                    judge(*peer, version);
                }
            }
        }
    }

    void judge(const Peer& peer, std::uint64_t version) {
        for (ObjectKey key = 0; key < object_key_count; ++key) {
            const Document& before = oracle_.at(key, version - 1);
            const Document& after = oracle_.at(key, version);
            bool is_allowed = same_document(before, after);
            for (const NaiveRole& role : peer.since) {
                is_allowed = is_allowed || allows(role, before, after);
            }
            if (!is_allowed) {
                fail(peer, "changed what its role denies: object " + std::to_string(key) +
                               " in version " + std::to_string(version));
            }
        }
    }

    static bool allows(const NaiveRole& role, const Document& before, const Document& after) {
        if (before && !has(role.write, before)) {
            return false;
        }
        if (!after) {
            return role.writes_all() && has(role.erase, before);
        }
        if (!has(role.write, after) || (!before && !has(role.insert, after))) {
            return false;
        }
        if (role.writes_all() || !before) {
            return true; // which fields a creation named cannot be told from the document
        }
        for (const char* name : fields) {
            const bool is_writable =
                role.field.at(name).write && !(std::string(name) == "e" && role.only_y);
            if (!is_writable && !identical(*before->fields.find(name), *after->fields.find(name))) {
                return false;
            }
        }
        return true;
    }

    // held

    void rest() {
        for (int round = 0; round < 4 && failure_.empty(); ++round) {
            std::vector<SyncDevice*> devices;
            for (const auto& peer : peers_) {
                if (peer->device.is_connected()) {
                    world_.engine().roles_changed(peer->device.user());
                }
                devices.push_back(&peer->device);
            }
            world_.exchange(devices);
            for (const auto& peer : peers_) {
                if (!peer->device.is_connected()) {
                    connect(*peer);
                }
            }
            world_.exchange(devices);
        }
        note_history();
        for (const auto& peer : peers_) {
            compare(*peer);
            peer->since = {peer->bound};
        }
    }

    void compare(const Peer& peer) {
        const SyncDevice& device = peer.device;
        if (device.failure()) {
            fail(peer, *device.failure());
        }
        if (!device.is_connected() || device.has_pending() || device.has_pending_query()) {
            fail(peer, "does not come to rest");
        }
        const NaiveRole& role = roles_[device.user()];
        for (ObjectKey key = 0; key < object_key_count; ++key) {
            const Document& stored = oracle_.at(key, oracle_.top());
            Document expected;
            if (has(peer.wanted, stored) && has(role.read | role.write, stored)) {
                expected = shown(*stored, role);
            }
            if (!same_document(sim::document(device.state(), key), expected)) {
                const Document held = sim::document(device.state(), key);
                fail(peer, "holds of object " + std::to_string(key) + " " +
                               (held ? to_text(Value(*held)) : "nothing") + " instead of " +
                               (expected ? to_text(Value(*expected)) : "nothing"));
            }
        }
    }

    void fail(const Peer& peer, const std::string& what) {
        if (failure_.empty()) {
            failure_ = peer.device.user() + " " + what;
        }
    }

    Choices choices_;
    std::string database_;
    World world_;
    EngineOracle oracle_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::map<std::string, NaiveRole> roles_;
    std::string failure_;
};

} // namespace

TEST(SyncPermissionRoles, no_device_is_told_holds_or_changes_what_its_role_denies) {
    const std::uint64_t seeds = testing::is_long_run() ? 5'000 : 120;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        const std::string failure = PermissionRun(seed, {}).run(240);
        ASSERT_EQ(failure, "") << "seed " << seed;
    }
}

TEST(SyncPermissionRoles, planted_mistakes_are_caught) {
    EngineBugs told;
    told.hidden_fields_sent = true;
    EngineBugs written;
    written.unwritable_fields_taken = true;
    EngineBugs held;
    held.drained_under_the_old_role = true;
    for (const EngineBugs& bugs : {told, written, held}) {
        std::string failure;
        for (std::uint64_t seed = 0; seed < 60 && failure.empty(); ++seed) {
            failure = PermissionRun(seed, bugs).run(240);
        }
        EXPECT_NE(failure, "");
    }
}

} // namespace tombolo::sim
