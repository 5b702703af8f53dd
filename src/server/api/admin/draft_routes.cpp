// Drafts and deployments (admin-api-and-config.md R14).

#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;
using server::App;
using server::string_or;

namespace {

constexpr std::size_t deployments_shown_max = 25;

std::string deployment_id(const App& app, std::uint64_t number) {
    return app.part_id("deployment", std::to_string(number)).to_string();
}

json::object deployment_json(const App& app, const server::DeploymentInfo& info) {
    const std::string id = deployment_id(app, info.number);
    json::object out{{"_id", id},
                     {"name", info.name.empty() ? id : info.name},
                     {"app_id", app.id.to_string()},
                     {"user_id", info.author},
                     {"deployed_at", info.created_unix_ms / 1000},
                     {"origin", info.origin},
                     {"commit", ""},
                     {"status", "successful"},
                     {"status_error_message", ""},
                     {"diff_url", ""},
                     {"remote_location", ""}};
    if (!info.draft.empty()) {
        out["draft_id"] = info.draft;
    }
    return out;
}

json::object draft_json(const AdminCall& call, const server::Draft& draft) {
    return json::object{{"_id", draft.id.to_string()},
                        {"user_id", call.admin().id.to_string()},
                        {"app", app_json(*draft.app)}};
}

http::Response list_drafts(AdminCall& call) {
    json::array out;
    if (const auto draft = call.apps().draft(call.app().id, call.author().id)) {
        out.push_back(draft_json(call, *draft));
    }
    return json_response(200, out);
}

http::Response create_draft(AdminCall& call) {
    static_cast<void>(call.body()); // nothing in it counts, but JSON it must be
    const auto draft = call.apps().open_draft(call.app().id, call.author());
    if (!draft) {
        if (draft.error().code() == ErrorCode::already_exists) {
            throw ApiException(conflict("DraftAlreadyExists", "a draft already exists"));
        }
        throw draft.error();
    }
    return json_response(201, draft_json(call, *draft));
}

server::Draft draft_of(const AdminCall& call) {
    auto draft = call.apps().draft(call.app().id, call.author().id);
    if (!draft || draft->id.to_string() != call.parameter("draft")) {
        throw ApiException(not_found("DraftNotFound", "draft not found"));
    }
    return *std::move(draft);
}

http::Response delete_draft(AdminCall& call) {
    static_cast<void>(draft_of(call));
    call.apps().discard_draft(call.app().id, call.author().id).value();
    return http::Response::empty(204);
}

http::Response draft_diff(AdminCall& call) {
    const server::Draft draft = draft_of(call);
    const auto deployed = call.apps().find(call.app().id);
    const auto nothing = [] {
        return json::object{
            {"added", json::array()}, {"deleted", json::array()}, {"modified", json::array()}};
    };
    return json_response(
        200, json::object{
                 {"diffs", diff_texts(*deployed->tree, *draft.app->tree)},
                 {"hosting_files_diff", nothing()},
                 {"dependencies_diff", nothing()},
                 {"graphql_config_diff", json::object{{"field_diffs", json::array()}}},
                 {"schema_options_diff", json::object{{"graphql_validation_diff", json::object()},
                                                      {"rest_validation_diff", json::object()}}}});
}

http::Response deploy_draft(AdminCall& call) {
    static_cast<void>(draft_of(call));
    server::Author author = call.author();
    author.may_break_sync = call.bypasses_sync();
    const auto deployed =
        call.apps().deploy_draft(call.app().id, author, string_or(call.body(), "name"));
    if (!deployed) {
        throw ApiException(edit_error(deployed.error()));
    }
    const auto infos = call.apps().deployments(call.app().id).value();
    return json_response(201, deployment_json(call.app(), infos.front()));
}

http::Response list_deployments(AdminCall& call) {
    json::array out;
    for (const server::DeploymentInfo& one : take(call.apps().deployments(call.app().id))) {
        if (out.size() < deployments_shown_max) {
            out.push_back(deployment_json(call.app(), one));
        }
    }
    return json_response(200, out);
}

server::DeploymentInfo deployment_of(const AdminCall& call) {
    for (const server::DeploymentInfo& one : take(call.apps().deployments(call.app().id))) {
        if (deployment_id(call.app(), one.number) == call.parameter("deployment")) {
            return one;
        }
    }
    throw ApiException(not_found("DeploymentNotFound", "deployment not found"));
}

http::Response redeploy(AdminCall& call) {
    server::Author author = call.author();
    author.may_break_sync = call.bypasses_sync();
    const auto done = call.apps().redeploy(call.app().id, deployment_of(call).number, author);
    if (!done) {
        throw ApiException(edit_error(done.error()));
    }
    return http::Response::empty(204);
}

http::Response deploy_config(AdminCall& call) {
    json::object out{
        {"ui_drafts_disabled", call.app().config.sync.development_mode_enabled},
        {"automatic_deployment",
         json::object{{"enabled", false}, {"provider", ""}, {"installation_ids", json::array()}}},
        {"last_modified", call.app().deployed_unix_ms / 1000}};
    for (const auto& [key, value] : take(call.apps().setting(call.app().id, "deploy"))) {
        out[key] = value;
    }
    if (call.app().config.sync.development_mode_enabled) {
        out["ui_drafts_disabled"] = true;
    }
    return json_response(200, out);
}

http::Response change_deploy_config(AdminCall& call) {
    const json::object body = call.body();
    const json::object& automatic = server::object_or_empty(body, "automatic_deployment");
    if (is_true(automatic, "enabled")) {
        throw ApiException(
            bad_request("automatic deployment from a repository is not offered by this server"));
    }
    if (body.contains("ui_drafts_disabled") && !is_true(body, "ui_drafts_disabled") &&
        call.app().config.sync.development_mode_enabled) {
        throw ApiException(
            bad_request("drafts in the console stay off while development mode is on"));
    }
    json::object stored = call.apps().setting(call.app().id, "deploy").value();
    for (const auto& [key, value] : body) {
        if (!value.is_null()) {
            stored[key] = value;
        }
    }
    call.apps().set_setting(call.app().id, "deploy", stored).value();
    return http::Response::empty(204);
}

} // namespace

json::array diff_texts(const server::AppTree& before, const server::AppTree& after) {
    json::array out;
    for (const server::FileChange& change : server::diff(before, after)) {
        if (change.path.starts_with(".tombolo/")) {
            continue;
        }
        using Kind = server::FileChange::Kind;
        std::string text = "--- " + (change.kind == Kind::added ? "/dev/null" : change.path) +
                           "\n+++ " + (change.kind == Kind::removed ? "/dev/null" : change.path) +
                           "\n";
        for (const std::string& line : change.lines) {
            text += line + "\n";
        }
        out.emplace_back(std::move(text));
    }
    return out;
}

void add_draft_routes(RouteTable& table) {
    table.add(Method::get, "drafts", "The administrator's draft", 200, list_drafts);
    table.add(Method::post, "drafts", "Begin a draft", 201, create_draft);
    table.add(Method::delete_, "drafts/{draft}", "Discard a draft", 204, delete_draft);
    table.add(Method::get, "drafts/{draft}/diff", "What a draft changes", 200, draft_diff);
    table.add(Method::post, "drafts/{draft}/deployment", "Deploy a draft", 201, deploy_draft);
    table.add(Method::get, "deployments", "Deployments, newest first", 200, list_deployments);
    table.add(Method::get, "deployments/{deployment}", "One deployment", 200, [](AdminCall& call) {
        return json_response(200, deployment_json(call.app(), deployment_of(call)));
    });
    table.add(Method::post, "deployments/{deployment}/redeploy", "Deploy an old state again", 204,
              redeploy);
    table.add(Method::get, "deploy/config", "How deployments happen", 200, deploy_config);
    table.add(Method::patch, "deploy/config", "Change how deployments happen", 204,
              change_deploy_config);
}

} // namespace tombolo::api::admin
