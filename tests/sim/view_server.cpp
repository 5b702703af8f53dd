#include "sim/view_server.hpp"

#include <algorithm>
#include <set>

#include "changeset/merge.hpp"
#include "core/check.hpp"

namespace tombolo::sim {

using changeset::Changeset;
using changeset::ChangesetBuilder;
using changeset::MemoryState;
using changeset::MergeInput;
using changeset::Opcode;

namespace {

bool is_lone_erase(const Changeset& part) {
    return part.instructions().size() == 1 &&
           part.instructions().front().op == Opcode::erase_object;
}

bool has_erase(const Changeset& part) {
    const auto all = part.instructions();
    return std::any_of(all.begin(), all.end(),
                       [](const auto& each) { return each.op == Opcode::erase_object; });
}

} // namespace

ServerStatistics& ServerStatistics::operator+=(const ServerStatistics& other) {
    refusals += other.refusals;
    recips += other.recips;
    collapses += other.collapses;
    points += other.points;
    return *this;
}

void ViewServer::add_file(FileIdent file) {
    files_[file].epochs.push_back({0, 0});
}

Version ViewServer::add_entry(Entry added) {
    if (added.audience == 0) {
        for (const ObjectKey key : objects_of(added.changeset)) {
            added.before[key] = document(state_, key);
        }
        apply(added.changeset, state_).value();
        for (const ObjectKey key : objects_of(added.changeset)) {
            added.after[key] = document(state_, key);
        }
    }
    history_.push_back(std::move(added));
    return top();
}

/// view_c(v): the newest epoch with a point below v. The point itself goes from the old view to the
/// new one.
View ViewServer::view_for_entry(const File& file, Version version) const {
    View view = 0;
    for (const Epoch& epoch : file.epochs) {
        if (epoch.point < version) {
            view = epoch.view;
        }
    }
    return view;
}

/// doc(O, v): the oldest past above v, else the current document.
Document ViewServer::document_at(ObjectKey key, Version version) const {
    for (Version v = version + 1; v <= top(); ++v) {
        const auto found = entry(v).before.find(key);
        if (found != entry(v).before.end()) {
            return found->second;
        }
    }
    return document(state_, key);
}

Version ViewServer::client_version_at(FileIdent file, Version version) const {
    if (options_.bug == PlantedBug::newest_client_version_everywhere) {
        return files_.at(file).client_version;
    }
    Version result = 0;
    for (const auto& [server_version, client_version] : files_.at(file).integrated) {
        if (server_version <= version) {
            result = client_version;
        }
    }
    return result;
}

// The stream D_c(v)

/// One row of the table of section 3.
void ViewServer::append_part(ChangesetBuilder& out, const Entry& of, ObjectKey key, bool is_own,
                             View view) const {
    const Document& before = of.before.at(key);
    const Document& after = of.after.at(key);
    const bool was_in = is_member(before, view);
    const bool is_in = is_member(after, view);
    if ((was_in && (is_in || !after)) || (!before && is_in)) {
        if (!is_own) {
            append(out, part_of(of.changeset, key));
        }
    } else if (was_in) {
        if (!is_own || options_.bug != PlantedBug::own_departure_not_erased) {
            append_erase(out, key);
        }
    } else if (is_in && !is_own) {
        append_content(out, key, *after);
    }
}

std::optional<Sent> ViewServer::stream(FileIdent ident, Version version) const {
    const File& file = files_.at(ident);
    for (const auto& [first, second] : file.holes) {
        if (first < version && version < second) {
            return std::nullopt;
        }
    }
    const Entry& of = entry(version);
    Sent sent{of.timestamp, server_ident, {}};
    const bool points_are_late = options_.bug == PlantedBug::bootstrap_at_reached_version;
    const auto point = file.points.find(version);
    if (of.audience != 0) {
        if (of.audience != ident) {
            return std::nullopt;
        }
        sent.changeset = of.changeset;
    } else if (point != file.points.end() && !points_are_late) {
        sent.changeset = point->second;
    } else {
        const bool is_own = of.origin == ident;
        sent.origin = is_own ? server_ident : of.origin;
        const View view = options_.bug == PlantedBug::cut_by_current_view
                              ? file.epochs.back().view
                              : view_for_entry(file, version);
        ChangesetBuilder out;
        for (const ObjectKey key : objects_of(of.changeset)) {
            append_part(out, of, key, is_own, view);
        }
        sent.changeset = *out.finish();
    }
    return sent.changeset.empty() ? std::nullopt : std::optional(std::move(sent));
}

std::optional<Sent> ViewServer::late_point(FileIdent ident, Version version) const {
    const auto& points = files_.at(ident).points;
    const auto found = points.find(version);
    if (options_.bug != PlantedBug::bootstrap_at_reached_version || found == points.end() ||
        found->second.empty()) {
        return std::nullopt;
    }
    const std::uint64_t timestamp = version == 0 ? 0 : entry(version).timestamp;
    return Sent{timestamp, server_ident, found->second};
}

// Uploads

Result<void> ViewServer::upload(FileIdent ident, const std::vector<UploadItem>& items,
                                std::uint64_t now) {
    File& file = files_.at(ident);
    for (const UploadItem& item : items) {
        if (item.client_version > file.client_version ||
            options_.bug == PlantedBug::resent_upload_integrated_again) {
            TOMBOLO_TRY_VOID(integrate(ident, item, now));
        }
    }
    return {};
}

Result<void> ViewServer::integrate(FileIdent ident, const UploadItem& item, std::uint64_t now) {
    File& file = files_.at(ident);
    ChangesetBuilder kept;
    std::vector<ObjectKey> refused;
    for (const ObjectKey key : objects_of(item.changeset)) {
        TOMBOLO_TRY(const Changeset part, merge_object(ident, item, key));
        if (part.empty()) {
            continue;
        }
        if (is_accepted(file, item, key, part)) {
            append(kept, part);
        } else {
            refused.push_back(key);
        }
    }
    const Version version =
        add_entry({ident, item.timestamp, *kept.finish(), objects_of(item.changeset), {}, {}, 0});
    file.client_version = std::max(file.client_version, item.client_version);
    file.integrated.emplace_back(version, item.client_version);
    file.floor = item.base;
    for (auto recip = file.recips.begin(); recip != file.recips.end();) {
        const Version at = recip->first.second.first;
        recip = at <= file.floor ? file.recips.erase(recip) : std::next(recip);
    }
    if (!refused.empty()) {
        ++statistics_.refusals;
        if (options_.bug != PlantedBug::refusal_without_reset) {
            append_reset(ident, refused, now);
        }
    }
    return {};
}

/// u'|O of section 4.3.
Result<Changeset> ViewServer::merge_object(FileIdent ident, const UploadItem& item, ObjectKey key) {
    File& file = files_.at(ident);
    std::vector<Met> met = met_by(ident, key, item.base);
    std::vector<MergeInput> ours;
    ours.reserve(met.size());
    for (Met& each : met) {
        ours.push_back({&each.sent.changeset, each.sent.timestamp, each.sent.origin});
    }
    Changeset part = part_of(item.changeset, key);
    MergeInput theirs{&part, item.timestamp, ident};
    TOMBOLO_TRY_VOID(merge(ours, {&theirs, 1}));
    for (std::size_t i = 0; i < met.size(); ++i) {
        if (ours[i].modified && options_.bug != PlantedBug::recips_not_kept) {
            ++statistics_.recips;
            file.recips[met[i].place] = std::move(met[i].sent);
        }
    }
    return part;
}

/// `ours` of section 4.2: every part for O in (base, top], as the client knows it by now.
std::vector<ViewServer::Met> ViewServer::met_by(FileIdent ident, ObjectKey key,
                                                Version base) const {
    const File& file = files_.at(ident);
    std::vector<Met> met;
    for (Version version = base + 1; version <= top(); ++version) {
        if (options_.bug == PlantedBug::merge_with_shared_history) {
            const Entry& of = entry(version);
            if (of.audience == 0 && of.origin != ident) {
                add_met(met, file, {key, {version, false}},
                        Sent{of.timestamp, of.origin, of.changeset}, false);
            }
            continue;
        }
        add_met(met, file, {key, {version, false}}, stream(ident, version),
                file.points.contains(version) || entry(version).audience != 0);
        add_met(met, file, {key, {version, true}}, late_point(ident, version), true);
    }
    return met;
}

void ViewServer::add_met(std::vector<Met>& met, const File& file, RecipKey place,
                         const std::optional<Sent>& sent, bool is_synthetic) const {
    const auto recip = file.recips.find(place);
    if (recip != file.recips.end()) {
        met.push_back({place, recip->second});
        return;
    }
    if (!sent) {
        return;
    }
    Changeset part = part_of(sent->changeset, place.first);
    if (is_synthetic && options_.merges_slim_parts) {
        part = without_fields(part);
    }
    if (!part.empty()) {
        met.push_back({place, {sent->timestamp, sent->origin, std::move(part)}});
    }
}

/// Section 4.4.
bool ViewServer::is_accepted(const File& file, const UploadItem& item, ObjectKey key,
                             const Changeset& part) const {
    if (item.denied == key) {
        return false;
    }
    const View view = file.epochs.back().view;
    const Document before = document(state_, key);
    if (!before && is_lone_erase(part)) {
        return true;
    }
    if (before && !is_member(before, view) &&
        options_.bug != PlantedBug::uploads_judged_by_no_view) {
        return false;
    }
    MemoryState tried = state_of(key, before);
    if (!apply(part, tried)) {
        return false;
    }
    const Document after = document(tried, key);
    const bool leaves = after && !is_member(after, view);
    // Leaving the query by an update is legal; creating something outside it is not.
    return !leaves || (before && !has_erase(part));
}

void ViewServer::append_reset(FileIdent ident, const std::vector<ObjectKey>& refused,
                              std::uint64_t now) {
    ChangesetBuilder content;
    for (const ObjectKey key : refused) {
        const Document current = document(state_, key);
        if (is_member(current, files_.at(ident).epochs.back().view)) {
            append_content(content, key, *current);
        } else {
            append_erase(content, key);
        }
    }
    add_entry({server_ident, now, *content.finish(), {}, {}, {}, ident});
}

// Points

/// What a point brings (section 3): by the documents of now, which are those at the point.
Changeset ViewServer::difference(View old_view, View new_view) const {
    ChangesetBuilder out;
    for (ObjectKey key = 0; key < object_key_count; ++key) {
        const Document current = document(state_, key);
        const bool was_in = is_member(current, old_view);
        const bool is_in = is_member(current, new_view);
        if (was_in && !is_in) {
            append_erase(out, key);
        } else if (is_in && !was_in) {
            append_content(out, key, *current);
        }
    }
    return *out.finish();
}

void ViewServer::change_view(FileIdent ident, View view, std::uint64_t now) {
    File& file = files_.at(ident);
    ++statistics_.points;
    const bool is_late = options_.bug == PlantedBug::bootstrap_at_reached_version;
    const Version point = is_late ? top() : add_entry({server_ident, now, {}, {}, {}, {}, 0});
    file.points[point] = difference(file.epochs.back().view, view);
    file.epochs.push_back({point, view});
}

/// Objects named by an entry above the scan, or by an original upload of the file's own that is
/// integrated there: what the merge or a refusal took away counts too.
std::set<ObjectKey> ViewServer::touched_above(FileIdent ident, Version scan) const {
    std::set<ObjectKey> touched;
    for (Version v = scan + 1; v <= top(); ++v) {
        const Entry& of = entry(v);
        if (of.audience == 0 || of.audience == ident) {
            const std::vector<ObjectKey> keys = objects_of(of.changeset);
            touched.insert(keys.begin(), keys.end());
        }
        if (of.origin == ident) {
            touched.insert(of.named.begin(), of.named.end());
        }
    }
    return touched;
}

void ViewServer::collapse(FileIdent ident, Version scan, View view, std::uint64_t now) {
    File& file = files_.at(ident);
    ++statistics_.collapses;
    const View held = view_for_entry(file, scan + 1);
    const Version point = add_entry({server_ident, now, {}, {}, {}, {}, 0});
    const std::set<ObjectKey> touched = options_.bug == PlantedBug::collapse_of_views_only
                                            ? std::set<ObjectKey>()
                                            : touched_above(ident, scan);
    ChangesetBuilder out;
    for (ObjectKey key = 0; key < object_key_count; ++key) {
        const Document current = document(state_, key);
        const bool is_in = is_member(current, view);
        const bool was_in = is_member(document_at(key, scan), held);
        if (touched.contains(key) ? is_in : is_in && !was_in) {
            append_content(out, key, *current);
        } else if (!is_in && (touched.contains(key) || was_in)) {
            append_erase(out, key);
        }
    }
    std::erase_if(file.points, [&](const auto& each) { return each.first > scan; });
    std::erase_if(file.recips, [&](const auto& each) { return each.first.second.first > scan; });
    std::erase_if(file.epochs, [&](const Epoch& each) { return each.point > scan; });
    file.epochs.push_back({point, view});
    file.holes.emplace_back(scan, point);
    file.points[point] = *out.finish();
}

// Invariants

Document ViewServer::visible_document(FileIdent ident, ObjectKey key, Version version) const {
    Document at = document_at(key, version);
    const View view = view_for_entry(files_.at(ident), version + 1);
    return is_member(at, view) ? at : std::nullopt;
}

bool ViewServer::is_comparable(FileIdent ident, Version version) const {
    const auto& holes = files_.at(ident).holes;
    const bool in_hole = std::any_of(holes.begin(), holes.end(), [&](const auto& hole) {
        return hole.first < version && version < hole.second;
    });
    const bool before_reset = version < top() && entry(version + 1).audience == ident;
    return !in_hole && !before_reset;
}

} // namespace tombolo::sim
