#pragma once

// D_c(v): what one file is sent for a version (server-sync-algorithm.md 3, 8). Used for downloads
// and for merging uploads alike, and nothing else decides either.
//
// A pure function of history, documents at versions, and the file's epochs. Borrows all of them.

#include <memory>
#include <optional>

#include "changeset/changeset.hpp"
#include "core/result.hpp"
#include "server/sync/engine/engine.hpp"
#include "server/sync/engine/history.hpp"
#include "server/sync/engine/view.hpp"

namespace tombolo::server::sync {

struct Sent {
    changeset::Changeset changeset;
    Number timestamp = 0;
    Number origin = server_ident;
};

/// What D_c(v) does with one object.
enum class PartRow : std::uint8_t {
    nothing,
    unchanged, ///< the part as it stands in the entry
    erase,
    content, ///< EraseObject, CreateObject, all fields of the document after
};

class Stream {
  public:
    /// `model`: of the file's schema version. `view`: that of all versions asked for, where the
    /// caller knows it.
    Stream(const HistorySource& history, std::shared_ptr<const Model> model, ViewCache& views,
           const FileState& file, const EngineBugs& bugs, std::shared_ptr<const View> view = {})
        : history_(history), model_(std::move(model)), views_(views), file_(file), bugs_(bugs),
          view_(std::move(view)) {}

    /// Changes and resets. REQUIRES: `entry` is that of `version`, which is no point of the file.
    /// Empty: nothing is sent.
    Result<std::shared_ptr<const EncodedPart>> encode(Number version, const Entry& entry) const;

    /// D_c(v)|O in the form that merges need (synthetic parts without fields), or nothing.
    Result<std::optional<Sent>> part(Number version, const ObjectRef& object,
                                     const PartList& parts_above_base) const;
    /// The same for a point of the file.
    Result<std::optional<Sent>> point_part(const Epoch& epoch, const Epoch* previous,
                                           const ObjectRef& object,
                                           const PartList& parts_above_base) const;

    /// view_c(v), or null before the first epoch.
    std::shared_ptr<const View> view_for(Number version) const;
    std::shared_ptr<const View> view_of(const Epoch& epoch) const {
        return views_.get(model_, epoch);
    }
    bool is_in_hole(Number version) const noexcept;

  private:
    /// What an entry means for a view, part by part.
    struct Rows {
        std::vector<PartRow> parts;
        std::vector<Image> after; ///< of those with content
        bool is_whole = true;     ///< every part is sent as it stands
        bool is_nothing = true;
    };
    Result<Rows> rows_of(const View& view, Number version, const Entry& entry) const;
    Result<std::vector<std::byte>> cut_to_view(const View& view, const Entry& entry,
                                               const Rows& rows) const;
    Result<Entry::Images> images(Number version, const Entry& entry, std::size_t part) const;
    void append_seen(changeset::ChangesetBuilder& out, const changeset::Changeset& source,
                     std::span<const std::uint32_t> instructions, const FieldMask* mask) const;
    changeset::Changeset seen_part(const Entry& entry, const ObjectPart& part,
                                   const FieldMask* mask) const;
    PartRow row(const View& view, const CutChangeset& cut, const ObjectPart& part,
                const Entry::Images& images, bool is_own) const;

    const HistorySource& history_;
    std::shared_ptr<const Model> model_;
    ViewCache& views_;
    const FileState& file_;
    const EngineBugs& bugs_;
    const std::shared_ptr<const View> view_; ///< null: to be found
};

/// The newest epoch with a point below the version, or null.
const Epoch* epoch_for(const FileState& file, Number version) noexcept;
/// The epoch whose point is the version, or null; and the one before it.
const Epoch* epoch_at(const FileState& file, Number version, const Epoch** previous) noexcept;
/// The hole that ends at the point, or null.
const Hole* hole_at(const FileState& file, Number point) noexcept;

} // namespace tombolo::server::sync
