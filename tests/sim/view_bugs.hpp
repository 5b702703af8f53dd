#pragma once

// Mistakes that a server could make, planted one at a time to prove that the model notices them.

#include <string_view>
#include <utility>

namespace tombolo::sim {

enum class PlantedBug {
    none,
    merge_with_shared_history,    ///< uploads meet the shared entries, not what the client was sent
    bootstrap_at_reached_version, ///< a point takes the version already sent instead of a new one
    recips_not_kept,              ///< every upload meets D(v) as it was first made
    newest_client_version_everywhere, ///< downloads carry the newest integrated client version, not
                                      ///< that of their place
    refusal_without_reset,            ///< a refused write is dropped and nothing is sent about it
    cut_by_current_view, ///< entries are cut by the view and documents of now, not of their version
    own_departure_not_erased, ///< a client's own update out of its view is not answered with
                              ///< EraseObject
    collapse_of_views_only,   ///< an object that enters the view comes without the EraseObject in
                              ///< front
    resent_upload_integrated_again, ///< the upload cursor is not looked at
    uploads_judged_by_no_view,      ///< a write to an object the client does not hold is let in
};

inline constexpr std::pair<PlantedBug, std::string_view> planted_bugs[] = {
    {PlantedBug::merge_with_shared_history, "merge_with_shared_history"},
    {PlantedBug::bootstrap_at_reached_version, "bootstrap_at_reached_version"},
    {PlantedBug::recips_not_kept, "recips_not_kept"},
    {PlantedBug::newest_client_version_everywhere, "newest_client_version_everywhere"},
    {PlantedBug::refusal_without_reset, "refusal_without_reset"},
    {PlantedBug::cut_by_current_view, "cut_by_current_view"},
    {PlantedBug::own_departure_not_erased, "own_departure_not_erased"},
    {PlantedBug::collapse_of_views_only, "collapse_of_views_only"},
    {PlantedBug::resent_upload_integrated_again, "resent_upload_integrated_again"},
    {PlantedBug::uploads_judged_by_no_view, "uploads_judged_by_no_view"},
};

} // namespace tombolo::sim
