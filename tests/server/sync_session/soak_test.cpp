// Convergence over real sockets: headless devices with changing subscriptions, a proxy that cuts
// connections anywhere, devices that crash, and a tombolod that is killed and started again. When
// everything has calmed down every device holds its query over the store, and no write that was
// acknowledged is missing. Once more while administrators and programs change documents, roles and
// the schema.
//
// TOMBOLO_SOAK_SEED repeats a run's choices (not the operating system's timing); TOMBOLO_LONG=1
// runs for hours (TOMBOLO_SOAK_SECONDS says how long).

#include <signal.h>

#include <cstdlib>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "core/value.hpp"
#include "server/daemon/tombolod_process.hpp"
#include "server/sync_session/islands.hpp"
#include "server/sync_session/soak_operator.hpp"
#include "sim/view_documents.hpp"
#include "support/fault_proxy.hpp"

namespace tombolo::server {
namespace {

using changeset::MemoryClass;
using changeset::MemoryState;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;
using tombolo::testing::Choices;
using tombolo::testing::FaultProxy;

std::uint64_t environment_number(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// A bit for each value of q that is asked for.
std::string query_of(sim::View view) {
    std::string query;
    for (std::uint32_t value = 0; value < sim::queryable_value_count; ++value) {
        if ((view >> value & 1U) != 0) {
            query += (query.empty() ? "(q == " : " OR (q == ") + std::to_string(value) + ")";
        }
    }
    return query;
}

struct SoakDevice {
    std::unique_ptr<Device> device;
    /// By version of the subscriptions: the server may refuse the newest.
    std::map<std::int64_t, sim::View> views;

    sim::View view() const {
        const auto found = views.find(device->replica().active_version().value);
        return found == views.end() ? 0 : found->second;
    }
    /// Items that this device made, which nobody ever touches, and its version that made each:
    /// they must all be there at the end, but for those that a reset found unacknowledged.
    std::map<std::int64_t, protocol::ClientVersion> items;
    bool is_ready = false; ///< its first subscription was bootstrapped
};

class Soak : public ::testing::Test {
  protected:
    Soak()
        : seed_(environment_number("TOMBOLO_SOAK_SEED", std::random_device{}())), choices_(seed_) {
        std::printf("TOMBOLO_SOAK_SEED=%llu\n", static_cast<unsigned long long>(seed_));
    }

    void run() {
        const bool is_long = environment_number("TOMBOLO_LONG", 0) != 0;
        const auto time = seconds(environment_number("TOMBOLO_SOAK_SECONDS", is_long ? 7200 : 30));
        for (int i = 0; i < 6; ++i) {
            add_device();
        }
        std::uint64_t rounds = 0;
        const auto until = Clock::now() + time;
        for (; Clock::now() < until && !HasFailure(); ++rounds) {
            proxy_->set_faults(40);
            const auto calm_at = Clock::now() + milliseconds(1500 + choices_.pick(1500));
            bool killed = false;
            while (Clock::now() < calm_at) {
                act();
                if (!killed && choices_.pick(700) == 0) {
                    kill_server();
                    killed = true;
                }
            }
            calm_down();
            compare();
        }
        const std::uint64_t faults = proxy_->faults();
        std::printf(
            "%llu rounds, %d kills, %llu faults, %llu refusals, %llu resets, %lld items\n",
            static_cast<unsigned long long>(rounds), kills_,
            static_cast<unsigned long long>(faults), static_cast<unsigned long long>(refusals_),
            static_cast<unsigned long long>(resets_), static_cast<long long>(next_item_ - 1));
        EXPECT_GT(faults, 0u);
        server_->signal(SIGTERM);
        EXPECT_EQ(server_->wait_exit(), 0);
    }

    void start_server() {
        server_.reset();
        std::vector<std::string> arguments{
            "--data",       folder_.file("data"),    "--listen",
            "127.0.0.1:0",  "--requests-per-minute", "0",
            "--admin-user", "operator@example.com",  "--admin-password",
            "password"};
        if (starts_ == 0) {
            // Later it would undo what operators did.
            arguments.insert(arguments.end(), {"--app", islands_directory()});
        }
        server_ = std::make_unique<Tombolod>(arguments,
                                             folder_.file("output" + std::to_string(starts_++)));
        if (!server_->wait_ready()) {
            throw std::runtime_error("tombolod does not start: " + server_->output());
        }
        if (proxy_ == nullptr) {
            proxy_ = std::make_unique<FaultProxy>(server_->port(), seed_);
        }
        proxy_->set_target(server_->port());
        if (operator_ != nullptr) {
            operator_->arrive(server_->port());
        }
    }

    void kill_server() {
        server_->signal(SIGKILL);
        server_->wait_exit();
        proxy_->cut_all();
        start_server();
        ++kills_;
    }

    void add_device() {
        SoakDevice added;
        added.device = std::make_unique<Device>(proxy_->port(),
                                                log_in_anonymously(server_->port(), islands_app));
        added.device->write(islands_schema());
        devices_.push_back(std::move(added));
        subscribe(devices_.back());
    }

    // What published clients call "discard local".
    void reset(SoakDevice& one) {
        const protocol::ClientVersion acknowledged = one.device->replica().progress().upload.client;
        std::erase_if(one.items, [&](const auto& item) { return acknowledged < item.second; });
        for (auto& [id, version] : one.items) {
            version = {};
        }
        const Login login = one.device->login();
        one.device->disconnect();
        one.device = std::make_unique<Device>(proxy_->port(), login);
        one.device->write(islands_schema());
        one.views.clear();
        one.is_ready = false;
        subscribe(one);
        ++resets_;
    }

    void subscribe(SoakDevice& one) {
        const sim::View view = sim::random_view(choices_);
        // Of a field that may not be queryable; whatever the server says to it, nothing is left
        // out by it.
        const bool is_daring = operator_ != nullptr && choices_.percent(40);
        protocol::QueryBody query{{"Item", "(TRUEPREDICATE)"}};
        if (view != 0) {
            query.emplace("T", is_daring ? "(" + query_of(view) + ") AND x > -1000000000"
                                         : query_of(view));
        }
        one.views[one.device->subscribe(query).value] = view;
    }

    void write(SoakDevice& one) {
        if (!one.is_ready) {
            const auto* set = one.device->replica().subscriptions(protocol::QueryVersion{1});
            one.is_ready = one.device->replica().active_version().value > 0 || set == nullptr;
            return;
        }
        if (choices_.percent(30)) {
            const std::int64_t id = next_item_++;
            one.device->write(item(id, "made", "device", id % 10));
            one.items.emplace(id, one.device->replica().newest_version());
            return;
        }
        MemoryState copy = one.device->replica().state();
        one.device->write_skewed(sim::write_random(copy, one.view(), choices_),
                                 choices_.pick(100'000));
    }

    // One random thing on one random device, or of an operator.
    void act() {
        if (operator_ != nullptr && choices_.percent(4)) {
            const SoakDevice& one =
                devices_[choices_.pick(static_cast<std::uint32_t>(devices_.size()))];
            operator_->act(one.device->replica().file().ident.value);
            return;
        }
        SoakDevice& one = devices_[choices_.pick(static_cast<std::uint32_t>(devices_.size()))];
        const std::uint32_t what = choices_.pick(100);
        if (what < 40) {
            write(one);
        } else if (what < 44) {
            subscribe(one);
        } else if (what < 47) {
            one.device->disconnect();
        } else if (what < 49) {
            one.device->crash();
        } else if (!one.device->is_connected()) {
            try_connect(one, choices_.percent(50));
        } else {
            try_step(one, milliseconds(choices_.pick(4)));
        }
    }

    void try_connect(SoakDevice& one, bool fast) {
        try {
            one.device->connect(fast);
        } catch (const ConnectionEnded&) {
            one.device->disconnect(); // cut during the upgrade
        }
    }

    void try_step(SoakDevice& one, milliseconds time) {
        one.device->step(time);
        for (const protocol::JsonError& error : one.device->session().errors()) {
            if (operator_ != nullptr && error.body.action == protocol::ErrorAction::client_reset) {
                reset(one);
                return;
            }
            if (error.body.action == protocol::ErrorAction::client_reset ||
                error.body.action == protocol::ErrorAction::protocol_violation) {
                throw std::runtime_error("error " + std::to_string(error.code) + " " +
                                         error.body.message);
            }
            refusals_ += error.code == 231 ? 1U : 0U;
        }
        one.device->session().clear_errors();
    }

    void calm_down() {
        proxy_->set_faults(0);
        proxy_->cut_all();
        if (operator_ != nullptr) {
            operator_->calm_down();
        }
        for (SoakDevice& one : devices_) {
            one.device->disconnect();
        }
        for (int round = 0; round < 2; ++round) {
            for (SoakDevice& one : devices_) {
                settle(one);
            }
        }
    }

    // The proxy may still be cutting what it has.
    void settle(SoakDevice& one) {
        for (int attempt = 0;; ++attempt) {
            try {
                if (!one.device->is_connected()) {
                    one.device->connect(false);
                }
                one.device->synchronize();
                return;
            } catch (const ConnectionEnded&) {
                one.device->disconnect();
                if (attempt == 20) {
                    throw;
                }
            } catch (const ResetDemanded&) {
                if (operator_ == nullptr || attempt == 20) {
                    throw;
                }
                reset(one);
            }
        }
    }

    void compare() {
        SoakDevice fresh;
        fresh.device = std::make_unique<Device>(proxy_->port(),
                                                log_in_anonymously(server_->port(), islands_app));
        fresh.device->write(islands_schema());
        fresh.device->subscribe({{"Item", "(TRUEPREDICATE)"}, {"T", "(TRUEPREDICATE)"}});
        settle(fresh);
        const MemoryState& store = fresh.device->replica().state();
        for (std::size_t i = 0; i < devices_.size(); ++i) {
            const SoakDevice& one = devices_[i];
            const MemoryState& held = one.device->replica().state();
            EXPECT_EQ(differing(held, store, "Item", all), "") << "items of device " << i;
            EXPECT_EQ(differing(held, store, "T", one.view()), "")
                << "objects of device " << i << " with version "
                << one.device->replica().active_version().value << " of "
                << one.device->replica().newest_subscriptions().value << ", "
                << one.device->replica().active_body();
            for (const auto& [id, version] : one.items) {
                EXPECT_NE(store.find_object("Item", id), nullptr)
                    << "item " << id << " of device " << i << " was acknowledged and is gone";
            }
        }
    }

    static constexpr sim::View all = ~sim::View{0};

    // The objects of the class that the device has otherwise than the view over the store.
    static std::string differing(const MemoryState& held, const MemoryState& store,
                                 const char* name, sim::View view) {
        const auto in_view = [&](const MemoryState& state) {
            std::map<std::string, std::string> shown;
            for (const auto& [key, object] : state.find_class(name)->objects) {
                const Value* q = object.fields.find("q");
                if (q == nullptr || (view >> *q->get_if<std::int64_t>() & 1U) != 0) {
                    shown[to_text(to_view(key))] = to_text(Value(object));
                }
            }
            return shown;
        };
        std::string out;
        auto wanted = in_view(store);
        for (const auto& [key, object] : held.find_class(name)->objects) {
            const std::string text = to_text(Value(object));
            std::string& other = wanted[to_text(to_view(key))];
            if (other != text) {
                out += to_text(to_view(key)) + ": " + text + ", not " + other + "\n";
            }
            wanted.erase(to_text(to_view(key)));
        }
        for (const auto& [key, object] : wanted) {
            out += key + ": lacks " + object + "\n";
        }
        return out;
    }

    std::uint64_t seed_;
    Choices choices_;
    TemporaryFolder folder_;
    int starts_ = 0;
    int kills_ = 0;
    std::uint64_t refusals_ = 0;
    std::uint64_t resets_ = 0;
    std::int64_t next_item_ = 1;
    std::unique_ptr<Tombolod> server_;
    std::unique_ptr<FaultProxy> proxy_;
    std::vector<SoakDevice> devices_;
    std::unique_ptr<SoakOperator> operator_; ///< null: nobody meddles
};

TEST_F(Soak, devices_converge_over_a_bad_network_and_a_server_that_is_killed) {
    start_server();
    run();
}

TEST_F(Soak, devices_converge_while_operators_change_documents_roles_and_schema) {
    operator_ = std::make_unique<SoakOperator>(choices_);
    start_server();
    run();
    std::printf("%s\n", operator_->report().c_str());
}

} // namespace
} // namespace tombolo::server
