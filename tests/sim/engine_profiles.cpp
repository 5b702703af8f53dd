#include "sim/engine_run.hpp"

namespace tombolo::sim {

const std::vector<EngineProfile>& engine_profiles() {
    static const std::vector<EngineProfile> profiles = [] {
        EngineProfile mixed;
        EngineProfile views;
        views.name = "views";
        views.write = 300;
        views.subscribe = 60;
        views.role = 100;
        views.disconnect = 100;
        views.settle = 250;
        views.be_away = 80;
        views.send = views.receive = views.run = views.commit = 60;
        EngineProfile cuts = views;
        cuts.name = "cuts";
        cuts.subscribe = 20;
        cuts.role = 5;
        cuts.disconnect = 20;
        cuts.cut_after_upload = 100;
        cuts.crash = 20;
        EngineProfile roles = views;
        roles.name = "roles";
        roles.write = 100;
        roles.role = 40;
        roles.subscribe = 40;
        roles.disconnect = 20;
        roles.be_away = 400;
        roles.wide = 60;
        roles.has_free_writer = true;
        return std::vector<EngineProfile>{mixed, views, cuts, roles};
    }();
    return profiles;
}

} // namespace tombolo::sim
