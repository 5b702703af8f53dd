// Every type and nesting through the real engine: documents, sidecars, bootstraps and merges, with
// schemas that grow while devices write (development mode).

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/engine_world.hpp"
#include "support/property.hpp"
#include "support/random_writer.hpp"

namespace tombolo::sim {

namespace {

using testing::Choices;
using testing::RandomWriter;
using testing::SyncDevice;

constexpr const char* everything = "{\"A\":\"(TRUEPREDICATE)\",\"B\":\"(TRUEPREDICATE)\"}";

/// Erasing classes and properties is refused, and nobody subscribes to Z and N.
bool is_acceptable(const changeset::Changeset& written) {
    const auto all = written.instructions();
    return std::none_of(all.begin(), all.end(), [&](const changeset::Instruction& each) {
        const std::string_view table = written.table(each);
        return each.op == changeset::Opcode::erase_table ||
               each.op == changeset::Opcode::erase_column || table == "Z" || table == "N";
    });
}

class TypesRun {
  public:
    explicit TypesRun(std::uint64_t seed) : choices_(seed), world_(seed, model()) {
        for (int i = 0; i < 3; ++i) {
            add_device();
        }
        changeset::MemoryState state = devices_[0]->state();
        RandomWriter writer(state);
        do {
            state = devices_[0]->state();
            writer.take();
            writer.write_schema(choices_);
            schema_ = writer.take();
        } while (!is_acceptable(schema_));
        for (const auto& device : devices_) {
            device->commit(schema_, world_.now());
            device->subscribe(everything);
        }
        exchange();
    }

    void step() {
        world_.clock().advance(std::chrono::milliseconds(choices_.pick(2)));
        SyncDevice& device = *devices_[choices_.pick(static_cast<std::uint32_t>(devices_.size()))];
        const std::uint32_t what = choices_.pick(100);
        if (what < 60) {
            write(device);
        } else if (what < 75) {
            device.send(1 + choices_.pick(2));
        } else if (what < 90) {
            device.receive(1 + choices_.pick(3));
        } else {
            world_.settle();
        }
    }

    std::string finish() {
        exchange();
        exchange();
        for (const auto& device : devices_) {
            if (device->failure() || device->error() || device->has_pending()) {
                return device->failure().value_or(device->error() ? device->error()->body.message
                                                                  : "something is pending");
            }
        }
        add_device();
        devices_.back()->commit(schema_, world_.now());
        devices_.back()->subscribe(everything);
        exchange();
        for (const auto& device : devices_) {
            if (device->failure()) {
                return *device->failure();
            }
            if (!identical(device->state(), devices_[0]->state())) {
                return "two devices differ\n" + to_text(device->state()) + "\n---\n" +
                       to_text(devices_[0]->state());
            }
        }
        return "";
    }

    std::size_t rejections() const { return devices_[0]->rejections().size(); }

  private:
    static server::sync::SyncModel model() {
        server::sync::SyncModel model;
        model.development_mode = true;
        model.data_source = "source";
        model.database = fresh_database();
        return model;
    }

    void add_device() {
        devices_.push_back(std::make_unique<SyncDevice>("user", changeset::MemoryState()));
        world_.adopt(*devices_.back());
        devices_.back()->connect(world_.engine());
    }

    void write(SyncDevice& device) {
        changeset::MemoryState after = device.state();
        RandomWriter writer(after);
        for (std::uint32_t i = 0; i <= choices_.pick(4); ++i) {
            writer.write(choices_);
        }
        const changeset::Changeset written = writer.take();
        if (is_acceptable(written)) {
            device.commit(written, world_.now() + choices_.pick(3), std::move(after));
        }
    }

    void exchange() {
        std::vector<SyncDevice*> devices;
        for (const auto& device : devices_) {
            devices.push_back(device.get());
        }
        world_.exchange(devices);
    }

    Choices choices_;
    World world_;
    changeset::Changeset schema_;
    std::vector<std::unique_ptr<SyncDevice>> devices_;
};

} // namespace

TEST(SyncEngineTypes, every_type_converges_and_bootstraps) {
    const std::uint64_t runs = testing::is_long_run() ? 3'000 : 60;
    std::size_t rejections = 0;
    for (std::uint64_t seed = 0; seed < runs; ++seed) {
        TypesRun run(seed);
        for (int step = 0; step < 60; ++step) {
            run.step();
        }
        const std::string failure = run.finish();
        ASSERT_EQ(failure, "") << "seed " << seed;
        rejections += run.rejections();
    }
    std::cout << "sync engine, every type: 0 failures in " << runs << " runs, " << rejections
              << " rejections seen by the first devices\n";
}

} // namespace tombolo::sim
