#pragma once

// The server under measurement: tombolod with the app of sync_app/, users who are signed in, and
// what the process costs.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server_process.hpp"
#include "sync_fleet.hpp"

namespace tombolo::bench {

class SyncSubject {
  public:
    /// An empty server with its data in the scratch folder.
    explicit SyncSubject(const std::string& name);

    std::uint16_t port() const noexcept { return daemon_->port(); }
    /// Of RocksDB.
    std::string store_directory() const { return directory_ + "/store"; }
    const ServerProcess& process() const noexcept { return *daemon_; }

    /// kill -9.
    void kill() { daemon_.reset(); }
    /// The same data, another port, perhaps over TLS.
    void start(bool tls = false);

    /// Access tokens of so many new anonymous users. Not over TLS.
    std::vector<std::string> log_in(std::size_t count) const;
    FleetOptions fleet() const;

    double cpu_seconds() const;
    /// Highest resident memory since the last reset.
    std::uint64_t peak_bytes() const;
    void reset_peak() const;
    /// Sync messages that the server has handled.
    std::uint64_t messages_handled() const;
    /// All cities of the world, by the command line. Not over TLS.
    void import_cities() const;

  private:
    const std::string directory_;
    bool tls_ = false;
    std::optional<ServerProcess> daemon_;
};

/// As many open files as this bench needs; ends the program when the system does not allow them.
void raise_file_limit(std::size_t files);

} // namespace tombolo::bench
