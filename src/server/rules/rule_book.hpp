#pragma once

// The rules of every app in force, parsed once a deployment.
//
// Thread-safety: all members from any thread. What rules() hands out stays good after a new
// deployment; a request keeps what it started with.

#include <map>
#include <memory>
#include <mutex>

#include "core/object_id.hpp"
#include "server/app/app_repository.hpp"
#include "server/rules/rule_set.hpp"
#include "server/runtime/log.hpp"

namespace tombolo::rules {

class RuleBook {
  public:
    /// The log must outlive this.
    explicit RuleBook(const server::Log& log) : log_(log) {}

    /// Of the app's deployment. Problems are logged once; a collection whose rules have one denies.
    std::shared_ptr<const AppRules> rules(const server::App& app);

  private:
    struct Entry {
        std::uint64_t deployment = 0;
        std::shared_ptr<const AppRules> rules;
    };

    const server::Log& log_;
    std::mutex mutex_;
    std::map<ObjectId, Entry> entries_; // guarded by mutex_
};

} // namespace tombolo::rules
