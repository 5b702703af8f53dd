#include "client/device_log.hpp"

#include <utility>

#include <gtest/gtest.h>

#include "changeset/codec.hpp"
#include "support/random_writer.hpp"

namespace tombolo::client {
namespace {

using changeset::Changeset;
using changeset::MemoryState;
using testing::Choices;
using testing::RandomWriter;

/// A replica whose every transaction is a frame behind the snapshot it began with.
class Recorded {
  public:
    Recorded() : file_(write_device("settings", replica_)), now_(file_) { replica_.set_log(&log_); }

    Replica& replica() { return replica_; }
    const std::string& file() const { return file_; }

    void keep() {
        ends_.push_back(file_.size());
        states_.push_back(std::exchange(now_, write_device("settings", replica_)));
        file_ += log_.take_frame();
    }
    /// Where frame i begins, and what the replica was before it.
    const std::vector<std::size_t>& ends() const { return ends_; }
    const std::vector<std::string>& states() const { return states_; }

  private:
    Replica replica_;
    DeviceLog log_;
    std::string file_;
    std::string now_; ///< the replica as a snapshot
    std::vector<std::size_t> ends_;
    std::vector<std::string> states_;
};

std::string rewritten(const std::string& file) {
    ReadDevice read = read_device(as_bytes(file)).value();
    return write_device(read.content.settings, read.content.replica);
}

Changeset random_write(const MemoryState& now, Choices& choices) {
    MemoryState state = now;
    RandomWriter writer(state);
    for (int i = 0; i < 3; ++i) {
        writer.write(choices);
    }
    return writer.take();
}

/// What another device does with the same objects, as the server sends it.
void receive(Replica& replica, const MemoryState& other, Choices& choices, std::uint64_t server) {
    const Changeset theirs = random_write(other, choices);
    protocol::Download header;
    header.progress = replica.progress();
    header.progress.download.server.value = server;
    header.progress.latest = {protocol::ServerVersion{server}, protocol::Salt{77}};
    std::vector<ReceivedEntry> entries;
    ReceivedEntry entry;
    entry.server_version.value = server;
    entry.client_version = header.progress.download.client;
    entry.timestamp_ms = server;
    entry.origin.value = 9;
    entry.changeset = changeset::encode(theirs);
    entries.push_back(std::move(entry));
    replica.integrate(header, std::move(entries)).value();
}

Recorded random_device(std::uint32_t seed) {
    Recorded recorded;
    Choices choices(seed);
    MemoryState schema;
    RandomWriter writer(schema);
    writer.write_schema(choices);
    recorded.replica().write(writer.take(), 1).value();
    recorded.keep();
    recorded.replica().set_file({protocol::ClientFileIdent{7}, protocol::Salt{-5}});
    recorded.replica().subscribe({{"A", "TRUEPREDICATE"}});
    recorded.keep();
    MemoryState acknowledged = recorded.replica().state();
    for (std::uint64_t i = 0; i < 8; ++i) {
        if (i == 4) {
            receive(recorded.replica(), acknowledged, choices, 12);
        } else {
            recorded.replica()
                .write(random_write(recorded.replica().state(), choices), 10 + i)
                .value();
        }
        recorded.keep();
    }
    recorded.replica().query_error(recorded.replica().newest_subscriptions(), "no such field");
    recorded.keep();
    return recorded;
}

TEST(DeviceLog, what_was_logged_is_what_is_read) {
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
        Recorded recorded = random_device(seed);
        ReadDevice read = read_device(as_bytes(recorded.file())).value();
        EXPECT_EQ(read.end, recorded.file().size());
        EXPECT_EQ(read.content.settings, "settings");
        ASSERT_TRUE(identical(read.content.replica.state(), recorded.replica().state())) << seed;
        // Cursors, commits with their reciprocals, subscriptions: everything a snapshot holds.
        EXPECT_TRUE(rewritten(recorded.file()) == write_device("settings", recorded.replica()))
            << seed;
    }
}

TEST(DeviceLog, a_snapshot_reads_as_what_it_was_made_of) {
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
        Recorded recorded = random_device(seed);
        const std::string whole = write_device("settings", recorded.replica());
        EXPECT_TRUE(rewritten(whole) == whole) << seed;
    }
}

TEST(DeviceLog, a_crash_anywhere_in_the_last_write_loses_only_that_write) {
    Recorded recorded = random_device(3);
    const std::size_t last = recorded.ends().back();
    for (std::size_t size = last; size < recorded.file().size(); ++size) {
        const std::string cut = recorded.file().substr(0, size);
        const ReadDevice read = read_device(as_bytes(cut)).value();
        ASSERT_EQ(read.end, last) << size;
        ASSERT_TRUE(rewritten(cut) == recorded.states().back()) << size;
        // Blocks that never reached the disk read as zeros.
        const std::string zeros = cut + std::string(recorded.file().size() - size, '\0');
        ASSERT_EQ(read_device(as_bytes(zeros)).value().end, last) << size;
    }
}

TEST(DeviceLog, damage_before_the_last_write_is_refused) {
    const Recorded recorded = random_device(4);
    for (std::size_t at = 0; at < recorded.ends().back(); at += 7) {
        std::string damaged = recorded.file();
        damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
        EXPECT_FALSE(read_device(as_bytes(damaged))) << at;
    }
}

TEST(DeviceLog, other_files_and_later_formats_are_refused_by_name) {
    EXPECT_EQ(read_device(as_bytes("")).error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(read_device(as_bytes("{\"a\": 1}")).error().code(), ErrorCode::invalid_argument);
    std::string later = write_device("", Replica());
    later[device_magic.size()] = 2;
    EXPECT_EQ(read_device(as_bytes(later)).error().code(), ErrorCode::unsupported);
    EXPECT_EQ(read_device(as_bytes(later.substr(0, 12))).error().code(), ErrorCode::unsupported);
}

} // namespace
} // namespace tombolo::client
