#pragma once

// Replays a recorded conversation (tests/vectors/sessions) through the codec and the checkers.

#include <filesystem>
#include <string>
#include <vector>

namespace tombolo::protocol::test {

/// What refused a recorded message.
enum class RefusedBy { parser, encoder, checker };

struct Refusal {
    RefusedBy by;
    std::string header; ///< of the message
    std::string reason; ///< the error's or violation's text
};

struct Replay {
    std::size_t message_count = 0;
    std::size_t compressed_count = 0;
    std::size_t entry_count = 0;
    std::vector<Refusal> refusals;
    /// Messages that were accepted but came back as other bytes; must stay empty.
    std::vector<std::string> changed;
};

Replay replay_session(const std::filesystem::path& file);

} // namespace tombolo::protocol::test
