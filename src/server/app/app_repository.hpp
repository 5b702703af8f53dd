#pragma once

// The apps of this server: configuration as versioned deployments in the Store, and the parsed form
// that requests use.
//
// A deployment is a whole app tree; file contents are stored once by hash. Making one active
// replaces the App value that find() hands out; a request keeps the one it started with. Secrets
// are sealed and live beside the deployments, never in them.
//
// Records in Space::meta:
//   apps/<id>                       {client_app_id, name, deployment, deployed_ms, versions}
//   app-clients/<client app id>     id      app-names/<name>   id
//   deployments/<id>/<number, 8>    {created_ms, origin, author, name, draft, files}
//   drafts/<id>/<author>            {draft, base, files}
//                                   files: [{path, hash, sealed: true where its content is}]
//   blobs/<id>/<hash>               file content; sealed where it may hold a provider's key
//   secrets/<id>/<name>             sealed value
//   app-settings/<id>/<name>        JSON that is part of no deployment
//
// An app made by create() starts at deployment 0, which is not listed. An administrator may have
// one draft of an app: edit() then changes the draft, and deploy_draft() makes it a deployment;
// where the active one has moved on meanwhile, the two are merged file by file.
//
// Thread-safety: all members from any thread.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "core/object_id.hpp"
#include "core/result.hpp"
#include "server/app/access_list.hpp"
#include "server/app/app_config.hpp"
#include "server/app/app_tree.hpp"
#include "server/app/schema_versions.hpp"
#include "server/runtime/sealer.hpp"
#include "server/store/store.hpp"

namespace tombolo::server {

struct App {
    ObjectId id; ///< the server-side app id; also the tokens' domain id
    std::string client_app_id;
    std::uint64_t deployment = 0;
    std::int64_t deployed_unix_ms = 0;
    AppConfig config;
    /// Oldest first; empty until sync was on for the first time.
    std::vector<SchemaVersion> schema_versions;
    /// The files that `config` was read from, without secrets.
    std::shared_ptr<const AppTree> tree;

    /// The id by which the Admin API knows a part: made from its kind and name, or kept from before
    /// it was renamed. Kinds: "function", "service", "value", "rule" (name
    /// "source/database/collection"), "default_rule", "schema", ...
    ObjectId part_id(std::string_view kind, std::string_view name) const;
    /// The same in every deployment, so that tokens and profiles may name it.
    ObjectId provider_id(std::string_view type) const;
    /// Null when it is not there or disabled.
    const ProviderConfig* provider(std::string_view type) const;
};

struct DeploymentInfo {
    std::uint64_t number = 0;
    std::int64_t created_unix_ms = 0;
    std::string origin; ///< what made it: a directory, "rollback to 3", UI, CLI, API
    std::string author; ///< the administrator's id; empty: none
    std::string name;   ///< empty: none was given
    std::string draft;  ///< id of the draft that it was
    std::size_t files = 0;
};

/// Whose change it is.
struct Author {
    std::string id; ///< the administrator's; has no "/"
    std::string origin = "API";
    std::int64_t now_unix_ms = 0;
    /// Whether a change that breaks the synced schema makes a new version, or is refused.
    bool may_break_sync = false;
};

struct Draft {
    ObjectId id;
    std::uint64_t base = 0; ///< the deployment it began from
    std::shared_ptr<const App> app;
};

struct AppEvent {
    enum class Kind : std::uint8_t { deployed, removed };
    Kind kind = Kind::deployed;
    std::shared_ptr<const App> before; ///< null of a new app
    std::shared_ptr<const App> after;  ///< null of a removed one
};

struct DeployResult {
    std::shared_ptr<const App> app;
    bool created = false; ///< a new app
    bool changed = false; ///< a new deployment; false when the tree is the active one
    std::vector<std::string> warnings;
};

class AppRepository {
  public:
    /// Reads what the store holds. The references must outlive the repository.
    static Result<std::unique_ptr<AppRepository>> open(store::Store& store, const Sealer& sealer);

    /// Makes `tree` the active deployment of the app it names (by client app id, else by name),
    /// which is created when there is none.
    Result<DeployResult> deploy(const AppTree& tree, const std::string& origin,
                                std::int64_t now_unix_ms);
    /// A new deployment with the tree of an old one.
    Result<DeployResult> roll_back(const ObjectId& app, std::uint64_t number,
                                   std::int64_t now_unix_ms);

    /// A new app, whatever others are called; its client app id is made from the name.
    Result<std::shared_ptr<const App>> create(const AppTree& tree, std::int64_t now_unix_ms);
    /// With deployments, drafts, secrets, users, sessions and logs; documents stay. not_found when
    /// there is no such app.
    Result<void> remove(const ObjectId& app);

    /// What an edit does to the tree. An error leaves everything as it was.
    using Change = std::function<Result<void>(AppTree& tree, const App& app)>;
    /// Changes the author's draft when there is one, else makes a deployment at once.
    Result<DeployResult> edit(const ObjectId& app, const Author& author, const Change& change);
    /// The app as the author sees it: the draft, else the active deployment; null when there is no
    /// such app.
    std::shared_ptr<const App> view(const ObjectId& app, const std::string& author) const;

    std::optional<Draft> draft(const ObjectId& app, const std::string& author) const;
    /// already_exists when the author has one.
    Result<Draft> open_draft(const ObjectId& app, const Author& author);
    Result<void> discard_draft(const ObjectId& app, const std::string& author);
    /// incompatible_schema and the like leave the draft open; merge_error names the file that was
    /// changed on both sides.
    Result<DeployResult> deploy_draft(const ObjectId& app, const Author& author,
                                      const std::string& name);

    /// Told of every change, after it is in force, on the thread that made it: must not block for
    /// long, nor change apps.
    using Listener = std::function<void(const AppEvent&)>;
    /// Before requests are served.
    void add_listener(Listener listener);

    /// Like roll_back, by an administrator; a new deployment even when nothing differs.
    Result<DeployResult> redeploy(const ObjectId& app, std::uint64_t number, const Author& author);

    std::shared_ptr<const App> find(std::string_view client_app_id) const;
    std::shared_ptr<const App> find(const ObjectId& id) const;
    std::vector<std::shared_ptr<const App>> all() const;

    /// Newest first.
    Result<std::vector<DeploymentInfo>> deployments(const ObjectId& app) const;
    Result<AppTree> tree(const ObjectId& app, std::uint64_t number) const;
    /// Removes deployments beyond the newest `kept` of each app, with the file contents that
    /// nothing else has; the active one and what drafts began from stay. How many were removed.
    Result<std::size_t> trim_deployments(std::size_t kept);

    Result<void> set_secret(const ObjectId& app, const std::string& name, const std::string& value);
    /// not_found when it is not defined.
    Result<std::string> secret(const ObjectId& app, const std::string& name) const;
    Result<std::vector<std::string>> secret_names(const ObjectId& app) const;
    /// not_found when it is not defined.
    Result<void> remove_secret(const ObjectId& app, const std::string& name);

    /// JSON that is part of no deployment ("deploy", "features", ...); an empty object when unset.
    Result<boost::json::object> setting(const ObjectId& app, std::string_view name) const;
    Result<void> set_setting(const ObjectId& app, std::string_view name,
                             const boost::json::object& value);

    /// Who may call the app, in force when this returns; part of no deployment.
    std::shared_ptr<const AccessList> access_list(const ObjectId& app) const;
    /// `change` may throw.
    Result<std::shared_ptr<const AccessList>>
    change_access_list(const ObjectId& app, const std::function<void(AccessList&)>& change);

  private:
    AppRepository(store::Store& store, const Sealer& sealer) : store_(store), sealer_(sealer) {}

    Result<void> load();
    struct Writing; // what a deployment's record says besides the files
    Result<DeployResult> write(const std::shared_ptr<const App>& current, const AppTree& tree,
                               ParsedApp parsed, const Writing& writing);
    Result<void> load_drafts();
    Result<void> load_access_list(const ObjectId& app);
    Result<std::size_t> trim_deployments(const App& app, std::size_t kept);
    Result<Draft> write_draft(const App& current, Draft draft, const AppTree& tree,
                              ParsedApp parsed, const std::string& author);
    void tell(const AppEvent& event) const;
    std::shared_ptr<const App> find_by_name(const std::string& name) const;
    void activate(std::shared_ptr<const App> app);

    store::Store& store_;
    const Sealer& sealer_;
    std::mutex deploy_mutex_; // one deployment at a time
    mutable std::shared_mutex mutex_;
    std::map<std::string, std::shared_ptr<const App>, std::less<>>
        by_client_id_;                                             // guarded by mutex_
    std::map<ObjectId, std::shared_ptr<const App>> by_id_;         // guarded by mutex_
    std::map<std::pair<ObjectId, std::string>, Draft> drafts_;     // guarded by mutex_
    std::map<ObjectId, std::shared_ptr<const AccessList>> access_; // guarded by mutex_
    std::vector<Listener> listeners_;
};

} // namespace tombolo::server
