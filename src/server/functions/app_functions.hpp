#pragma once

// An app's functions as its workers get them, made once a deployment.
//
// Thread-safety: all members from any thread. What of() hands out stays good after a new
// deployment.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/result.hpp"
#include "server/app/app_repository.hpp"
#include "server/app/function_config.hpp"

namespace tombolo::functions {

struct AppFunctions {
    server::FunctionsConfig config;
    std::uint64_t deployment = 0;
    /// The folder that holds the app's node_modules; empty: none.
    std::string folder;
};

class AppFunctionsBook {
  public:
    /// Dependencies are unpacked under `folder`. `apps` must outlive this.
    AppFunctionsBook(const server::AppRepository& apps, std::string folder)
        : apps_(apps), folder_(std::move(folder)) {}

    /// An Error when the deployment cannot be read or its dependencies cannot be unpacked.
    Result<std::shared_ptr<const AppFunctions>> of(const server::App& app);
    /// The values that are secrets, by the values' names. Not kept: secrets change without a
    /// deployment.
    std::map<std::string, std::string> secrets(const server::App& app,
                                               const AppFunctions& functions) const;

  private:
    Result<std::string> unpack(const server::App& app, const server::AppTree& tree,
                               const std::string& archive) const;

    const server::AppRepository& apps_;
    const std::string folder_;
    std::mutex mutex_;
    std::map<ObjectId, std::shared_ptr<const AppFunctions>> entries_; // guarded by mutex_
};

struct DescriptionLimits {
    std::size_t result_bytes_max = 0;
    std::size_t log_messages_max = 0;
    std::size_t log_bytes_max = 0;
};

/// The body of the app frame.
std::string describe(const server::App& app, const AppFunctions& functions,
                     const DescriptionLimits& limits);

} // namespace tombolo::functions
