#pragma once

// How one document stands with the devices of one user: what each has of it, and why. Read from
// the store, for an operator; nothing is kept for it.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "server/store/store.hpp"
#include "server/sync/engine/model.hpp"
#include "server/sync/engine/records.hpp"

namespace tombolo::server::sync {

struct DeviceStanding {
    Number ident = 0;
    std::int64_t last_seen_ms = 0;
    Number schema_version = 0;
    Number cursor = 0; ///< it is known to have everything up to this version
    bool must_reset = false;
    std::string query;        ///< of the class; empty: not subscribed
    bool is_selected = false; ///< the query matches the document
    bool is_readable = false; ///< by the role that the device was last given
    bool has_newest_role = false;
    bool should_hold = false;
    bool held = false;            ///< at its cursor
    bool is_history_gone = false; ///< `held` cannot be told: trimmed
};

struct ObjectStanding {
    bool exists = false;
    std::string unsyncable; ///< why; empty: it can be synced
    Number top = 0;
    Number changed = 0;       ///< last version that changed it; 0: before the history that is kept
    bool is_readable = false; ///< by the role of now
    bool is_writable = false;
    std::vector<DeviceStanding> devices;
    bool has_more_devices = false;
};

/// The object of that class with the key as people type it. not_found when there is no such class,
/// invalid_argument when the key is none of its keys.
Result<ObjectRef> parse_object(const Model& model, const std::string& class_name,
                               const std::string& key);

/// `role`: of the user, as of now.
Result<ObjectStanding> explain_object(const std::shared_ptr<const Model>& model,
                                      const store::Store& store, const ObjectId& app,
                                      std::string_view user, const Role& role,
                                      const ObjectRef& object);

} // namespace tombolo::server::sync
