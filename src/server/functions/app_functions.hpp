#pragma once

// An app's functions as its workers get them.

#include <map>
#include <mutex>
#include <string>

#include "core/result.hpp"
#include "server/app/app_repository.hpp"

namespace tombolo::functions {

/// Where the apps' npm packages are: unpacked once for each archive, when they are first needed.
///
/// Thread-safety: all members from any thread.
class DependencyFolders {
  public:
    explicit DependencyFolders(std::string folder) : folder_(std::move(folder)) {}

    /// The folder that holds the app's node_modules; empty when it has none. An Error when they
    /// cannot be unpacked.
    Result<std::string> of(const server::App& app);

  private:
    struct Entry {
        std::uint64_t deployment = 0;
        std::string folder;
    };

    const std::string folder_;
    std::mutex mutex_;
    std::map<ObjectId, Entry> entries_; // guarded by mutex_
};

/// The values that are secrets, by the values' names. To be asked for at each call: secrets change
/// without a deployment.
std::map<std::string, std::string> secret_values(const server::AppRepository& apps,
                                                 const server::App& app);

struct DescriptionLimits {
    std::size_t result_bytes_max = 0;
    std::size_t log_messages_max = 0;
    std::size_t log_bytes_max = 0;
};

/// The body of the app frame.
std::string describe(const server::App& app, const std::string& folder,
                     const DescriptionLimits& limits);

} // namespace tombolo::functions
