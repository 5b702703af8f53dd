#pragma once

// The apps of this server: configuration as versioned deployments in the Store, and the parsed form
// that requests use.
//
// A deployment is a whole app tree; file contents are stored once by hash. Making one active
// replaces the App value that find() hands out; a request keeps the one it started with. Secrets
// are sealed and live beside the deployments, never in them.
//
// Records in Space::meta:
//   apps/<id>                       {client_app_id, name, deployment}
//   app-clients/<client app id>     id      app-names/<name>   id
//   deployments/<id>/<number, 8>    {created_ms, origin, files: {path: hash}}
//   blobs/<id>/<hash>               file content
//   secrets/<id>/<name>             sealed value
//
// Thread-safety: all members from any thread.

#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "core/object_id.hpp"
#include "core/result.hpp"
#include "server/app/app_config.hpp"
#include "server/app/app_tree.hpp"
#include "server/runtime/sealer.hpp"
#include "server/store/store.hpp"

namespace tombolo::server {

struct App {
    ObjectId id; ///< the server-side app id; also the tokens' domain id
    std::string client_app_id;
    std::uint64_t deployment = 0;
    AppConfig config;
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
    std::string origin; ///< who made it: a directory, "rollback to 3", an administrator
    std::size_t files = 0;
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

    std::shared_ptr<const App> find(std::string_view client_app_id) const;
    std::shared_ptr<const App> find(const ObjectId& id) const;
    std::vector<std::shared_ptr<const App>> all() const;

    /// Newest first.
    Result<std::vector<DeploymentInfo>> deployments(const ObjectId& app) const;
    Result<AppTree> tree(const ObjectId& app, std::uint64_t number) const;

    Result<void> set_secret(const ObjectId& app, const std::string& name, const std::string& value);
    /// not_found when it is not defined.
    Result<std::string> secret(const ObjectId& app, const std::string& name) const;

  private:
    AppRepository(store::Store& store, const Sealer& sealer) : store_(store), sealer_(sealer) {}

    Result<void> load();
    Result<DeployResult> write(const std::shared_ptr<const App>& current, const AppTree& tree,
                               ParsedApp parsed, const std::string& origin,
                               std::int64_t now_unix_ms);
    std::shared_ptr<const App> find_by_name(const std::string& name) const;
    void activate(std::shared_ptr<const App> app);

    store::Store& store_;
    const Sealer& sealer_;
    std::mutex deploy_mutex_; // one deployment at a time
    mutable std::shared_mutex mutex_;
    std::map<std::string, std::shared_ptr<const App>, std::less<>>
        by_client_id_;                                     // guarded by mutex_
    std::map<ObjectId, std::shared_ptr<const App>> by_id_; // guarded by mutex_
};

} // namespace tombolo::server
