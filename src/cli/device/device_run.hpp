#pragma once

// A device of `tombolo sync` while a command works with it: its file, its settings, its connection.
//
// Members throw Failure with words and a hint. Local writes are durable when write() returns.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/device/change_collector.hpp"
#include "cli/device/device_documents.hpp"
#include "cli/device/device_settings.hpp"
#include "cli/device/device_words.hpp"
#include "cli/interrupt.hpp"
#include "cli/run.hpp"
#include "client/device_connection.hpp"
#include "client/device_file.hpp"

namespace tombolo::cli {

/// --device, else the variable, else a file here.
std::string device_path(const Run& run);

class DeviceRun {
  public:
    /// Opens the command's device.
    explicit DeviceRun(Run& run);
    /// A new one.
    DeviceRun(Run& run, DeviceSettings settings);

    const std::string& path() const noexcept { return file_->path(); }
    client::Replica& replica() noexcept { return file_->replica(); }
    const changeset::MemoryState& state() noexcept { return file_->replica().state(); }
    DeviceSettings& settings() noexcept { return settings_; }
    DeviceDocuments documents() { return DeviceDocuments(state()); }
    /// Local writes that the server is not known to have.
    std::vector<const client::LocalCommit*> waiting();

    void save_settings();
    void write(const changeset::Changeset& changeset);
    /// Asks for what the settings' subscriptions say.
    void subscribe();
    /// Begins again with an empty replica and the same subscriptions.
    void start_anew();

    enum class Outcome : std::uint8_t { settled, offline, interrupted };
    /// Sends and receives until both sides have everything. Offline when the server cannot be
    /// reached; `advice` says why then.
    Outcome synchronize(Advice& advice);
    /// Stays connected and shows what comes until Ctrl-C; comes back after a lost connection.
    void watch(const std::function<void(const ObjectChange&)>& show);

    /// Writes that the server undid during synchronize() or watch().
    std::size_t undone() const noexcept { return undone_; }

  private:
    void attach(std::unique_ptr<client::DeviceFile> file);
    client::DeviceConnection connect(client::AppClient& app);
    /// Says what came; the advice of an error that ended the binding.
    std::optional<Advice> report(client::ReplicaSession& session, bool& is_transient);
    void check_query();
    void keep();

    Run& run_;
    std::unique_ptr<client::DeviceFile> file_;
    DeviceSettings settings_;
    ChangeCollector collector_;
    std::size_t undone_ = 0;
};

} // namespace tombolo::cli
