#pragma once

// The server of the filtered view model: server-sync-algorithm.md 2 to 8 over documents in memory.
//
// One class, no rules but a refusal that the client's message carries (`denied`), no network. Every
// function runs to its end at once, so a call is a committed batch. The names are the chapter's.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "changeset/changeset.hpp"
#include "changeset/memory_state.hpp"
#include "core/result.hpp"
#include "sim/view_bugs.hpp"
#include "sim/view_documents.hpp"

namespace tombolo::sim {

using FileIdent = std::uint64_t;
using Version = std::uint64_t;
inline constexpr FileIdent server_ident = 1;

/// One changeset of an UPLOAD.
struct UploadItem {
    Version client_version = 0;
    Version base = 0;
    std::uint64_t timestamp = 0;
    changeset::Changeset changeset;
    /// An object whose write the rules refuse, whatever it is.
    std::optional<ObjectKey> denied;
};

/// One changeset of D(v): what a client is sent.
struct Sent {
    std::uint64_t timestamp = 0;
    FileIdent origin = server_ident;
    changeset::Changeset changeset;
};

struct ServerOptions {
    PlantedBug bug = PlantedBug::none;
    /// Merge with the Erase and Create of synthetic parts only (4.2); must make no difference.
    bool merges_slim_parts = false;
};

struct ServerStatistics {
    std::uint64_t refusals = 0;
    std::uint64_t recips = 0;
    std::uint64_t collapses = 0;
    std::uint64_t points = 0;

    ServerStatistics& operator+=(const ServerStatistics& other);
};

class ViewServer {
  public:
    explicit ViewServer(ServerOptions options) : options_(options), state_(empty_state()) {}

    void add_file(FileIdent file);
    Version top() const noexcept { return history_.size(); }
    const ServerStatistics& statistics() const noexcept { return statistics_; }

    /// UPLOAD (4). An error is a bug: the model's clients send nothing that does not parse.
    Result<void> upload(FileIdent file, const std::vector<UploadItem>& items, std::uint64_t now);
    /// QUERY (7): a new point with the view.
    void change_view(FileIdent file, View view, std::uint64_t now);
    /// IDENT of a client at `scan` whose role has changed (8): everything above is collapsed into a
    /// new point.
    void collapse(FileIdent file, Version scan, View view, std::uint64_t now);

    /// D_c(v); nothing when nothing is sent for v.
    std::optional<Sent> stream(FileIdent file, Version version) const;
    /// The content of a point made by bootstrap_at_reached_version, sent behind the entry of that
    /// version.
    std::optional<Sent> late_point(FileIdent file, Version version) const;
    /// The client version in the head of D_c(v).
    Version client_version_at(FileIdent file, Version version) const;
    Version client_version(FileIdent file) const { return files_.at(file).client_version; }

    /// What a client with nothing pending holds at the version: the projection of the documents by
    /// its view.
    Document visible_document(FileIdent file, ObjectKey key, Version version) const;
    /// False where no client can stand still and be compared: inside a collapse, and before a reset
    /// of its own.
    bool is_comparable(FileIdent file, Version version) const;

  private:
    struct Entry {
        FileIdent origin = server_ident;
        std::uint64_t timestamp = 0;
        changeset::Changeset changeset;
        std::vector<ObjectKey> named; ///< objects of the original upload
        std::map<ObjectKey, Document> before;
        std::map<ObjectKey, Document> after;
        FileIdent audience = 0; ///< of a reset; 0: everybody
    };
    struct Epoch {
        Version point = 0;
        View view = 0;
    };
    /// Points of bootstrap_at_reached_version sort behind the entry of their version.
    using RecipKey = std::pair<ObjectKey, std::pair<Version, bool>>;
    struct File {
        Version client_version = 0;
        Version floor = 0;
        std::vector<Epoch> epochs;
        std::map<Version, changeset::Changeset> points;
        std::map<RecipKey, Sent> recips;
        std::vector<std::pair<Version, Version>> integrated; ///< server version, client version
        std::vector<std::pair<Version, Version>> holes;      ///< collapsed: (first, second)
    };
    struct Met {
        RecipKey place;
        Sent sent;
    };

    const Entry& entry(Version version) const { return history_[version - 1]; }
    Version add_entry(Entry added);
    View view_for_entry(const File& file, Version version) const;
    Document document_at(ObjectKey key, Version version) const;
    void append_part(changeset::ChangesetBuilder& out, const Entry& of, ObjectKey key, bool is_own,
                     View view) const;

    std::vector<Met> met_by(FileIdent file, ObjectKey key, Version base) const;
    void add_met(std::vector<Met>& met, const File& file, RecipKey place,
                 const std::optional<Sent>& sent, bool is_synthetic) const;
    Result<void> integrate(FileIdent file, const UploadItem& item, std::uint64_t now);
    Result<changeset::Changeset> merge_object(FileIdent file, const UploadItem& item,
                                              ObjectKey key);
    bool is_accepted(const File& file, const UploadItem& item, ObjectKey key,
                     const changeset::Changeset& part) const;
    void append_reset(FileIdent file, const std::vector<ObjectKey>& refused, std::uint64_t now);
    changeset::Changeset difference(View old_view, View new_view) const;
    std::set<ObjectKey> touched_above(FileIdent file, Version scan) const;

    ServerOptions options_;
    changeset::MemoryState state_;
    std::vector<Entry> history_;
    std::map<FileIdent, File> files_;
    ServerStatistics statistics_;
};

} // namespace tombolo::sim
