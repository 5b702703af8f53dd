#pragma once

// A whole exchange of a server and several clients in a random order, from numbers: what the
// session properties run on.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tombolo::testing {

struct SessionNumbers {
    std::uint32_t schema = 0;
    std::uint32_t clients = 2;         ///< 2 to 4
    std::vector<std::uint32_t> events; ///< commits, uploads and downloads, one number each
};

/// Runs the events, then exchanges everything. What does not hold, or nothing: every changeset
/// merges and applies, and all files end in the server's state.
std::optional<std::string> check_session(const SessionNumbers& numbers);

/// All clients write on one state without seeing each other, then everything is exchanged; for
/// every order of the uploads. The same expectations, for each order.
std::optional<std::string> check_every_upload_order(const SessionNumbers& numbers);

} // namespace tombolo::testing
