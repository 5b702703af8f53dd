#pragma once

// A device of the filtered view model: local commits, their reciprocals and the download cursor
// (changesets-and-merge.md 5.2).

#include <cstdint>
#include <optional>
#include <vector>

#include "changeset/memory_state.hpp"
#include "core/result.hpp"
#include "sim/view_server.hpp"

namespace tombolo::sim {

class ViewClient {
  public:
    explicit ViewClient(FileIdent file) : file_(file), state_(empty_state()) {}

    FileIdent file() const noexcept { return file_; }
    const changeset::MemoryState& state() const noexcept { return state_; }
    Version cursor() const noexcept { return cursor_; }
    bool has_pending() const noexcept { return !commits_.empty(); }

    /// What the app asked for; decides what it mostly writes.
    View view() const noexcept { return view_; }
    void set_view(View view) noexcept { view_ = view; }

    /// A random transaction, if one is possible.
    void write(std::uint64_t timestamp, std::optional<ObjectKey> denied, Choices& choices);
    /// Commits not sent on this connection.
    std::vector<UploadItem> take_uploads();
    /// The connection was cut: what is not known to be integrated is sent again.
    void reconnect();

    /// One downloaded entry: merged with the commits above `client_version` and applied.
    Result<void> integrate(Version client_version, const Sent& sent);
    /// Everything up to the version has been received.
    void advance(Version version, Version client_version);

  private:
    struct Commit {
        UploadItem item;
        changeset::Changeset reciprocal;
    };

    FileIdent file_;
    changeset::MemoryState state_;
    View view_ = 0;
    Version client_version_ = 1;
    Version cursor_ = 0;
    Version sent_ = 0;
    std::vector<Commit> commits_;
};

} // namespace tombolo::sim
