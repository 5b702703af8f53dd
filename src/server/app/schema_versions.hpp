#pragma once

// Which schema versions an app has (device-sync-server.md 2.4, 2.5): the first when sync is turned
// on for the first time, one more with each deployment that breaks the schema while it is on.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "server/app/app_config.hpp"

namespace tombolo::server {

struct SchemaVersion {
    std::uint64_t number = 0;     ///< the major version that clients name
    std::uint64_t deployment = 0; ///< where it began
    std::int64_t created_unix_ms = 0;
    /// What it was when the next version took its place; empty in the newest one, which is the
    /// app's configuration.
    std::vector<SchemaConfig> schemas;
    std::vector<std::string> asymmetric_tables;
};

/// Schemas and asymmetric tables of an older version as one text; empty for the newest one.
std::string frozen_text(const SchemaVersion& version);
/// The other way. Text that was not made by frozen_text() is as good as none.
void read_frozen(std::string_view text, SchemaVersion& version);

/// The versions after a deployment of `after`. incompatible_schema, with every breaking change in
/// its text, when there is one and `may_break` is false. `before` may be null.
Result<std::vector<SchemaVersion>> next_schema_versions(const AppConfig* before,
                                                        const AppConfig& after,
                                                        std::vector<SchemaVersion> versions,
                                                        std::uint64_t deployment,
                                                        std::int64_t now_unix_ms, bool may_break);

} // namespace tombolo::server
