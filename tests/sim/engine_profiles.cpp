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

const EngineProfile& ahead_profile() {
    static const EngineProfile profile = [] {
        EngineProfile ahead;
        ahead.name = "ahead";
        ahead.steps = 250;
        ahead.write = 400;
        ahead.send = 300;
        ahead.receive = 250;
        ahead.run = 100;
        ahead.commit = 60;
        ahead.subscribe = 10;
        ahead.disconnect = 8;
        ahead.restart = 4;
        ahead.role = 3;
        ahead.crash = 20;
        ahead.refuse = 30;
        ahead.wide = 70;
        ahead.goes_ahead = true;
        return ahead;
    }();
    return profile;
}

} // namespace tombolo::sim
