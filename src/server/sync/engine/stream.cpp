#include "server/sync/engine/stream.hpp"

#include <algorithm>

#include "changeset/codec.hpp"

namespace tombolo::server::sync {

using changeset::Changeset;
using changeset::ChangesetBuilder;

namespace {

Changeset lone_erase(const ObjectRef& object) {
    ChangesetBuilder out;
    append_erase(out, object);
    return out.finish().value();
}

/// EraseObject and, when it comes back, CreateObject: all that a merge can see of a synthetic part.
Changeset slim(const ObjectRef& object, bool comes_back) {
    ChangesetBuilder out;
    append_erase(out, object);
    if (comes_back) {
        out.create_object(object.class_name, to_view(object.key));
    }
    return out.finish().value();
}

} // namespace

const Epoch* epoch_for(const FileState& file, Number version) noexcept {
    const Epoch* result = nullptr;
    for (const auto& epoch : file.epochs) {
        if (epoch->point < version) {
            result = epoch.get();
        }
    }
    return result;
}

const Epoch* epoch_at(const FileState& file, Number version, const Epoch** previous) noexcept {
    *previous = nullptr;
    for (const auto& epoch : file.epochs) {
        if (epoch->point == version) {
            return epoch.get();
        }
        *previous = epoch.get();
    }
    return nullptr;
}

const Hole* hole_at(const FileState& file, Number point) noexcept {
    const auto found = std::find_if(file.holes.begin(), file.holes.end(),
                                    [&](const Hole& hole) { return hole.point == point; });
    return found == file.holes.end() ? nullptr : &*found;
}

bool Stream::is_in_hole(Number version) const noexcept {
    return std::any_of(file_.holes.begin(), file_.holes.end(), [&](const Hole& hole) {
        return hole.after < version && version < hole.point;
    });
}

std::shared_ptr<const View> Stream::view_for(Number version) const {
    if (view_ != nullptr && !bugs_.cut_by_current_view) {
        return view_;
    }
    const Epoch* epoch = bugs_.cut_by_current_view && !file_.epochs.empty()
                             ? file_.epochs.back().get()
                             : epoch_for(file_, version);
    return epoch == nullptr ? nullptr : view_of(*epoch);
}

Result<Entry::Images> Stream::images(Number version, const Entry& entry, std::size_t part) const {
    if (part < entry.images().size()) {
        return entry.images()[part];
    }
    const ObjectRef& object = entry.cut().parts[part].object;
    TOMBOLO_TRY(const PartList above, history_.parts(object, version - 1));
    Entry::Images images;
    TOMBOLO_TRY(images.before, history_.document_at(object, version - 1, above));
    TOMBOLO_TRY(images.after, history_.document_at(object, version, above));
    return images;
}

/// The table of section 3.
PartRow Stream::row(const View& view, const CutChangeset& cut, const ObjectPart& part,
                    const Entry::Images& images, bool is_own) const {
    const std::string& class_name = part.object.class_name;
    if (!view.sees_class(class_name)) {
        return PartRow::nothing;
    }
    const bool was_in = view.holds(class_name, images.before);
    const bool is_in = view.holds(class_name, images.after);
    // A document that cannot be synced may have come later to where the object was: that says
    // nothing to devices, so no entry tells the two times apart.
    const bool is_gone =
        was_in && !is_in && (!images.after.exists() || ends_erased(cut.changeset, part));
    const bool comes_into_being = !images.before.exists() && is_in;
    if ((was_in && is_in) || is_gone || comes_into_being) {
        return is_own ? PartRow::nothing : PartRow::unchanged;
    }
    if (was_in) {
        return is_own && bugs_.own_departure_not_erased ? PartRow::nothing : PartRow::erase;
    }
    return is_in && !is_own ? PartRow::content : PartRow::nothing;
}

Result<std::shared_ptr<const EncodedPart>> Stream::encode(Number version,
                                                          const Entry& entry) const {
    auto result = std::make_shared<EncodedPart>();
    const HistoryEntry& head = entry.head();
    if (is_in_hole(version) || head.kind == EntryKind::point) {
        return std::shared_ptr<const EncodedPart>(std::move(result));
    }
    if (head.kind == EntryKind::reset) {
        if (head.audience == file_.ident) {
            result->changeset = head.changeset;
        }
        return std::shared_ptr<const EncodedPart>(std::move(result));
    }
    const std::shared_ptr<const View> view = view_for(version);
    if (view == nullptr) {
        return std::shared_ptr<const EncodedPart>(std::move(result));
    }
    const bool is_own = head.origin == file_.ident;
    if (!is_own) {
        if (std::shared_ptr<const EncodedPart> known = entry.remembered(view->reading())) {
            return known;
        }
    }
    result->origin = is_own ? server_ident : head.origin;
    TOMBOLO_TRY(const Rows rows, rows_of(*view, version, entry));
    if (rows.is_whole && !is_own) {
        result->changeset = head.changeset;
    } else if (!rows.is_nothing || !entry.cut().schema.empty()) {
        TOMBOLO_TRY(result->changeset, cut_to_view(*view, entry, rows));
    }
    if (!is_own) {
        entry.remember(view->reading(), result);
    }
    return std::shared_ptr<const EncodedPart>(std::move(result));
}

Result<Stream::Rows> Stream::rows_of(const View& view, Number version, const Entry& entry) const {
    const bool is_own = entry.head().origin == file_.ident;
    Rows rows;
    rows.is_whole = !model_->is_narrowed();
    rows.parts.reserve(entry.cut().parts.size());
    for (std::size_t i = 0; i < entry.cut().parts.size(); ++i) {
        const std::string& class_name = entry.cut().parts[i].object.class_name;
        PartRow what = PartRow::nothing;
        if (view.sees_class(class_name)) {
            TOMBOLO_TRY(Entry::Images each, images(version, entry, i));
            what = row(view, entry.cut(), entry.cut().parts[i], each, is_own);
            rows.after.push_back(what == PartRow::content ? std::move(each.after) : Image());
        } else {
            rows.after.emplace_back();
        }
        const FieldMask* mask = view.mask(class_name);
        rows.is_whole =
            rows.is_whole && what == PartRow::unchanged && (mask == nullptr || mask->reads_all());
        rows.is_nothing = rows.is_nothing && what == PartRow::nothing;
        rows.parts.push_back(what);
    }
    return rows;
}

Result<std::vector<std::byte>> Stream::cut_to_view(const View& view, const Entry& entry,
                                                   const Rows& rows) const {
    ChangesetBuilder out;
    const CutChangeset& cut = entry.cut();
    if (entry.head().origin != file_.ident) {
        append_seen(out, cut.changeset, cut.schema, nullptr);
    }
    for (std::size_t i = 0; i < cut.parts.size(); ++i) {
        const ObjectRef& object = cut.parts[i].object;
        if (rows.parts[i] == PartRow::unchanged) {
            append_seen(out, cut.changeset, cut.parts[i].instructions,
                        bugs_.hidden_fields_sent ? nullptr : view.mask(object.class_name));
        } else if (rows.parts[i] == PartRow::erase) {
            append_erase(out, object);
        } else if (rows.parts[i] == PartRow::content) {
            append_content(out, *model_, object,
                           *visible_object(view, object.class_name, rows.after[i]));
        }
    }
    TOMBOLO_TRY(const Changeset changeset, out.finish());
    return changeset::encode(changeset);
}

/// What the role may read of it and the schema version has.
void Stream::append_seen(ChangesetBuilder& out, const Changeset& source,
                         std::span<const std::uint32_t> instructions, const FieldMask* mask) const {
    if (!model_->is_narrowed()) {
        append_readable(out, source, instructions, mask);
        return;
    }
    ChangesetBuilder readable;
    append_readable(readable, source, instructions, mask);
    model_->project(out, readable.finish().value());
}

Changeset Stream::seen_part(const Entry& entry, const ObjectPart& part,
                            const FieldMask* mask) const {
    ChangesetBuilder out;
    append_seen(out, entry.cut().changeset, part.instructions, mask);
    return out.finish().value();
}

Result<std::optional<Sent>> Stream::part(Number version, const ObjectRef& object,
                                         const PartList& parts_above_base) const {
    if (is_in_hole(version)) {
        return std::optional<Sent>();
    }
    TOMBOLO_TRY(const std::shared_ptr<const Entry> entry, history_.entry(version));
    const HistoryEntry& head = entry->head();
    const ObjectPart* part = entry->cut().find(object);
    if (part == nullptr || (head.kind == EntryKind::reset && head.audience != file_.ident)) {
        return std::optional<Sent>();
    }
    if (head.kind == EntryKind::reset) {
        const Changeset whole = entry->cut().part(*part);
        return std::optional<Sent>(
            Sent{slim(object, has_create(whole)), head.timestamp, server_ident});
    }
    const bool is_own = head.origin == file_.ident;
    if (bugs_.merge_with_shared_history) {
        return is_own ? std::optional<Sent>()
                      : Sent{entry->cut().part(*part), head.timestamp, head.origin};
    }
    const std::shared_ptr<const View> view = view_for(version);
    if (view == nullptr) {
        return std::optional<Sent>();
    }
    Entry::Images around;
    TOMBOLO_TRY(around.before, history_.document_at(object, version - 1, parts_above_base));
    TOMBOLO_TRY(around.after, history_.document_at(object, version, parts_above_base));
    const Number origin = is_own ? server_ident : head.origin;
    switch (row(*view, entry->cut(), *part, around, is_own)) {
    case PartRow::unchanged:
        return std::optional<Sent>(
            Sent{seen_part(*entry, *part, view->mask(object.class_name)), head.timestamp, origin});
    case PartRow::erase:
        return std::optional<Sent>(Sent{lone_erase(object), head.timestamp, origin});
    case PartRow::content:
        return std::optional<Sent>(Sent{slim(object, true), head.timestamp, origin});
    case PartRow::nothing:
        break;
    }
    return std::optional<Sent>();
}

Result<std::optional<Sent>> Stream::point_part(const Epoch& epoch, const Epoch* previous,
                                               const ObjectRef& object,
                                               const PartList& parts_above_base) const {
    TOMBOLO_TRY(const Image at, history_.document_at(object, epoch.point, parts_above_base));
    const std::shared_ptr<const View> now = view_of(epoch);
    const std::shared_ptr<const View> before = previous ? view_of(*previous) : nullptr;
    const bool is_in = now->holds(object.class_name, at);
    const bool was_in = before != nullptr && before->holds(object.class_name, at);
    bool is_touched = false;
    if (const Hole* hole = hole_at(file_, epoch.point); hole && !bugs_.collapse_of_views_only) {
        TOMBOLO_TRY(const PartList above, history_.parts(object, hole->after));
        is_touched = std::any_of(above.begin(), above.end(), [&](const auto& each) {
            return each.first < epoch.point &&
                   (each.second.kind == PartKind::change || each.second.audience == file_.ident);
        });
    }
    const bool stays = !is_touched && is_in && was_in;
    if (!is_touched && !is_in && !was_in) {
        return std::optional<Sent>();
    }
    TOMBOLO_TRY(const std::shared_ptr<const Entry> entry, history_.entry(epoch.point));
    if (stays) {
        ChangesetBuilder out;
        append_revealed(out, *before, *now, object, at);
        TOMBOLO_TRY(Changeset revealed, out.finish());
        return revealed.empty() ? std::optional<Sent>()
                                : Sent{std::move(revealed), entry->head().timestamp, server_ident};
    }
    return std::optional<Sent>(Sent{slim(object, is_in), entry->head().timestamp, server_ident});
}

} // namespace tombolo::server::sync
