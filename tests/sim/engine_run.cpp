#include "sim/engine_run.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "sim/engine_oracle.hpp"
#include "sim/engine_outside.hpp"
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

/// How long a device may be offline in runs with trimming.
constexpr std::int64_t offline_ms = std::int64_t{60} * 3600 * 1000;

constexpr View every_value = (View{1} << queryable_value_count) - 1;

/// A device with what the test knows of it.
struct Peer {
    explicit Peer(std::string user) : device(std::move(user), empty_state()) {}

    SyncDevice device;
    std::int64_t seen_ms = 0; ///< when it was connected last, and the server had let it in
    std::uint64_t messages_before = 0;
    bool was_reset = false;      ///< by an operator
    View wanted = 0;             ///< of the newest subscription set
    View readable = every_value; ///< by the role that the server must go by
    View told = every_value;     ///< by the role at the last IDENT
    View held = 0;               ///< as of the last bootstrap
    std::uint64_t bootstraps = 0;
    std::uint64_t heard = 0; ///< newest version of an entry that came in steady state
    std::map<std::string, View> views{{"{}", 0}};
};

class EngineRun {
  public:
    EngineRun(std::uint64_t seed, const EngineProfile& profile, const EngineRunOptions& options)
        : choices_(seed), profile_(profile), database_(fresh_database()),
          world_(seed, World::model_of_views(database_), options.bugs), oracle_(world_, database_) {
        world_.options().on_met = [this](std::uint64_t file, std::uint64_t version,
                                         const auto& object, const auto& part) {
            oracle_.note_met(file, version, object, part);
        };
        if (profile.goes_ahead) {
            world_.options().ahead_bytes = 0;
        }
        world_.crash(true); // begins anew, with that
        if (profile.trim > 0) {
            world_.options().client_max_offline_ms = offline_ms; // after a crash too
            world_.engine().set_limits(offline_ms, false);
        }
        for (std::uint32_t i = 0; i < profile.devices; ++i) {
            peers_.push_back(nullptr);
            begin(peers_.back(), "user" + std::to_string(i));
        }
    }

    void step(int number) {
        step_ = number;
        world_.clock().advance(std::chrono::milliseconds(choices_.pick(2)));
        Peer& peer = *peers_[choices_.pick(static_cast<std::uint32_t>(peers_.size()))];
        act(peer);
        check(peer);
    }

    /// Everybody comes back and everything comes to rest. How many rounds it took.
    int finish() {
        int round = 0;
        for (std::uint64_t heard = 1; round < 6 && heard > 0 && !failure_; ++round, ++step_) {
            const std::uint64_t before = messages();
            std::vector<SyncDevice*> devices;
            for (const auto& peer : peers_) {
                if (!peer->device.is_connected()) {
                    connect(*peer);
                    check(*peer);
                }
                devices.push_back(&peer->device);
            }
            world_.exchange(devices);
            heard = messages() - before;
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
        return round;
    }

    const std::optional<std::string>& failure() const { return failure_; }
    EngineRunResult result() {
        EngineRunResult result;
        result.failure = failure_;
        for (const auto& peer : peers_) {
            result.log += peer->device.log();
        }
        result.log += oracle_.describe();
        result.statistics = world_.engine().statistics();
        result.trimmed = world_.engine().history().value().trimmed;
        result.expired = expired_;
        result.refused = refused_;
        result.ahead = world_.batches_ahead();
        result.compared = oracle_.compared();
        result.steps = static_cast<std::uint64_t>(extra_steps_);
        return result;
    }

  private:
    /// A device with a file of its own.
    void begin(std::unique_ptr<Peer>& place, std::string user) {
        auto fresh = std::make_unique<Peer>(std::move(user));
        Peer& peer = *fresh;
        place = std::move(fresh);
        world_.adopt(peer.device);
        peer.device.set_on_entry(
            [this, &peer](const auto& entry, protocol::BatchState state, const auto& told) {
                hear(peer, entry, state, told);
            });
        connect(peer);
    }

    std::uint64_t messages() const {
        std::uint64_t count = 0;
        for (const auto& peer : peers_) {
            count += peer->device.messages();
        }
        return count;
    }

    void act(Peer& peer) {
        struct Choice {
            std::uint32_t weight;
            void (EngineRun::*act)(Peer&);
        };
        const EngineProfile& p = profile_;
        const Choice all[] = {
            {p.write, &EngineRun::write},
            {p.send, &EngineRun::send},
            {p.receive, &EngineRun::receive},
            {p.run, &EngineRun::run},
            {p.commit, &EngineRun::commit},
            {p.subscribe, &EngineRun::subscribe},
            {p.disconnect, &EngineRun::disconnect},
            {p.restart, &EngineRun::restart},
            {p.connect, &EngineRun::connect},
            {p.role, &EngineRun::change_role},
            {p.crash, &EngineRun::crash},
            {p.refuse, &EngineRun::refuse},
            {p.outside, &EngineRun::write_outside},
            {p.settle, &EngineRun::settle},
            {p.cut_after_upload, &EngineRun::cut_after_upload},
            {p.be_away, &EngineRun::be_away},
            {p.trim, &EngineRun::trim},
            {p.reset, &EngineRun::reset},
        };
        std::uint32_t sum = 0;
        for (const Choice& choice : all) {
            sum += choice.weight;
        }
        std::uint32_t what = choices_.pick(sum);
        for (const Choice& choice : all) {
            if (what < choice.weight) {
                (this->*choice.act)(peer);
                break;
            }
            what -= choice.weight;
        }
        if (!peer.device.is_connected() && choices_.percent(20)) {
            connect(peer);
        }
    }

    void send(Peer& peer) {
        peer.device.send(1 + choices_.pick(3));
        if (profile_.goes_ahead) {
            world_.run_once();
        }
    }
    void run(Peer& /*peer*/) { world_.run_once(); }
    void commit(Peer& /*peer*/) { world_.disk().settle(); }
    void disconnect(Peer& peer) { peer.device.disconnect(); }
    void restart(Peer& peer) { peer.device.restart(); }

    void cut_after_upload(Peer& peer) {
        peer.device.send();
        world_.settle();
        peer.device.disconnect();
    }

    /// The device is gone while others go on, and may find its role changed.
    void be_away(Peer& peer) {
        settle(peer);
        peer.device.disconnect();
        for (std::uint32_t i = choices_.pick(3) + 1; i > 0; --i) {
            const std::uint32_t writers = profile_.has_free_writer ? 1U : profile_.devices;
            Peer& other = *peers_[choices_.pick(writers)];
            write(other);
            settle(other);
            extra_steps_ += 2;
            check(other);
        }
        if (choices_.percent(70)) {
            change_role(peer);
        }
        connect(peer);
    }

    void trim(Peer& /*peer*/) {
        for (const auto& peer : peers_) {
            if (peer->device.is_connected() && peer->device.messages() > peer->messages_before) {
                peer->seen_ms = world_.clock().unix_ms();
            }
        }
        world_.clock().advance(std::chrono::hours(choices_.pick(30)));
        world_.engine().trim([](const Result<server::sync::TrimReport>&) {});
        if (choices_.percent(50)) {
            static_cast<void>(world_.disk().trim(world_.engine().past_needed_above()));
        }
    }

    void reset(Peer& peer) {
        peer.was_reset = true;
        world_.engine().reset_file(peer.device.file(), choices_.percent(30),
                                   [](const Result<void>&) {});
    }

    /// A device that was reset, or away for too long, begins anew with another file.
    void replace_expired(Peer& peer) {
        const std::int64_t away_ms = world_.clock().unix_ms() - peer.seen_ms;
        if (!peer.was_reset && profile_.crash == 0 && away_ms < offline_ms) {
            fail(peer, "was away for a permitted time (" + std::to_string(away_ms) +
                           " ms) and has to be reset: " + peer.device.error()->body.message);
            return;
        }
        ++expired_;
        begin(*std::find_if(peers_.begin(), peers_.end(),
                            [&](const auto& each) { return each.get() == &peer; }),
              peer.device.user());
    }

    /// An entry of a DOWNLOAD, as it comes.
    void hear(Peer& peer, const protocol::DownloadEntry& entry, protocol::BatchState state,
              const changeset::Changeset& told) {
        const std::uint64_t file = peer.device.file();
        const std::uint64_t version = entry.server_version.value;
        note(peer, oracle_.read());
        note(peer, oracle_.check_header(file, version, entry.client_version.value));
        if (failure_) {
            return;
        }
        note(peer, oracle_.check_told(told, peer.readable, version));
        note(peer, oracle_.check_sent(file, version, told));
        note_bootstrap(peer);
        if (state != protocol::BatchState::steady) {
            return;
        }
        // Entries come before they are integrated: the message began behind the cursor.
        const bool is_behind = peer.heard > peer.device.cursor() && peer.heard < version;
        std::uint64_t passed = (is_behind ? peer.heard : peer.device.cursor()) + 1;
        for (; passed < version; ++passed) {
            note(peer, oracle_.check_row(file, passed, peer.held, nullptr));
        }
        note(peer, oracle_.check_row(file, version, peer.held, &told));
        peer.heard = version;
    }

    /// The first thing that goes wrong is kept.
    void note(const Peer& peer, const std::optional<std::string>& wrong) {
        if (wrong && !failure_) {
            fail(peer, *wrong);
        }
    }

    void connect(Peer& peer) {
        note_bootstrap(peer);
        const auto role = readable_.find(peer.device.user());
        peer.readable = role == readable_.end() ? every_value : role->second;
        peer.told = peer.readable;
        peer.messages_before = peer.device.messages();
        peer.device.connect(world_.engine(), choices_.percent(40));
    }

    void write(Peer& peer) {
        const std::int64_t skew = std::int64_t{choices_.pick(5)} - 2;
        const auto clock =
            static_cast<std::uint64_t>(static_cast<std::int64_t>(world_.now()) + skew);
        changeset::MemoryState after = peer.device.state();
        const changeset::Changeset written = write_random(after, peer.wanted, choices_);
        const std::uint64_t base = peer.device.cursor();
        peer.device.commit(written, clock, std::move(after));
        if (!written.empty()) {
            oracle_.note_upload(peer.device.file(), peer.device.client_version(), base, written);
        }
    }

    void receive(Peer& peer) {
        if (choices_.percent(12)) {
            peer.device.receive(1, choices_.pick(3)); // killed inside a message
        } else {
            peer.device.receive(1 + choices_.pick(4));
        }
    }

    void subscribe(Peer& peer) {
        peer.wanted = choices_.percent(profile_.wide) ? every_value : random_view(choices_);
        const std::string body = body_text(peer.wanted);
        peer.views[body] = peer.wanted;
        peer.device.subscribe(body);
    }

    void change_role(Peer& peer) {
        if (profile_.has_free_writer && &peer == peers_.front().get()) {
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
            peer.readable = read;
        }
    }

    /// A program that writes to the database, not through a device.
    void write_outside(Peer& /*peer*/) {
        world_.engine().write(random_outside_write(world_.model(), database_, choices_),
                              [this](Result<store::Version> done) {
                                  if (!done && done.error().code() != ErrorCode::io && !failure_) {
                                      failure_ = std::string("an outside write failed: ") +
                                                 done.error().what();
                                  }
                              });
    }

    void refuse(Peer& /*peer*/) {
        if (world_.has_ahead()) {
            world_.refuse();
            ++refused_;
        }
    }

    void crash(Peer& /*peer*/) {
        for (const auto& peer : peers_) {
            peer->device.disconnect();
        }
        world_.crash(choices_.percent(50));
        oracle_.forget_met();
    }

    /// The server comes to rest and one device hears all of it.
    void settle(Peer& peer) {
        peer.device.receive();
        peer.device.send();
        world_.settle();
        peer.device.receive();
    }

    void check(Peer& peer) {
        if (profile_.trim + profile_.reset > 0 && !failure_ && peer.device.error() &&
            (peer.device.error()->code == protocol::SyncErrorCode::client_file_expired ||
             peer.device.error()->code == protocol::SyncErrorCode::bad_client_file_ident)) {
            replace_expired(peer);
            return;
        }
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
        note(peer, oracle_.read());
        note_bootstrap(peer);
        // What passed without an entry behind it.
        for (; peer.heard < peer.device.cursor() && !failure_; ++peer.heard) {
            note(peer, oracle_.check_row(peer.device.file(), peer.heard + 1, peer.held, nullptr));
        }
        compare(peer);
    }

    /// A bootstrap that was applied replaced what the device holds.
    static void note_bootstrap(Peer& peer) {
        if (peer.bootstraps != peer.device.bootstraps()) {
            peer.bootstraps = peer.device.bootstraps();
            peer.held = peer.views.at(peer.device.active_body()) & peer.told;
            peer.heard = std::max(peer.heard, peer.device.cursor());
        }
    }

    /// Invariant 1, at whatever version the device is.
    void compare(const Peer& peer) {
        const SyncDevice& device = peer.device;
        if (failure_ || device.has_pending()) {
            return;
        }
        for (ObjectKey key = 0; key < object_key_count; ++key) {
            if (const auto wrong =
                    oracle_.check_held(device.file(), key, sim::document(device.state(), key),
                                       peer.held, device.cursor())) {
                fail(peer, *wrong);
                return;
            }
        }
    }

    void fail(const Peer& peer, const std::string& reason) {
        failure_ = "step " + std::to_string(step_) + ": file " +
                   std::to_string(peer.device.file()) + ": " + reason;
    }

    testing::Choices choices_;
    const EngineProfile profile_;
    std::uint64_t expired_ = 0;
    std::uint64_t refused_ = 0;
    std::string database_;
    World world_;
    EngineOracle oracle_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::map<std::string, View> readable_;
    int step_ = 0;
    int extra_steps_ = 0; ///< of decisions that hold several
    std::optional<std::string> failure_;
};

} // namespace

EngineRunResult run_engine(std::uint64_t seed, const EngineRunOptions& options) {
    const auto& profiles = engine_profiles();
    const EngineProfile& profile =
        options.profile != nullptr ? *options.profile : profiles[seed % profiles.size()];
    EngineRun run(seed, profile, options);
    int step = 0;
    for (; step < profile.steps && !run.failure(); ++step) {
        run.step(step);
    }
    if (!run.failure()) {
        step += run.finish();
    }
    EngineRunResult result = run.result();
    result.steps += static_cast<std::uint64_t>(step);
    result.profile = profile.name;
    return result;
}

} // namespace tombolo::sim
