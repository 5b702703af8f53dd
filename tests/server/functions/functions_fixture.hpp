#pragma once

// Functions of an app over a real store and real Node.js processes.

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "server/app/app_repository.hpp"
#include "server/functions/functions.hpp"
#include "server/runtime/sealer.hpp"
#include "server/store/embedded/embedded_store.hpp"
#include "support/temporary_folder.hpp"

namespace tombolo::functions {

/// An app of these functions: name -> source.
inline server::AppTree app_of(const std::map<std::string, std::string>& sources,
                              const std::string& name = "demo") {
    server::AppTree tree;
    tree["root_config.json"] = R"({"name": ")" + name + R"(", "app_id": ")" + name + R"(-abcde"})";
    for (const auto& [function, source] : sources) {
        tree["functions/" + function + ".js"] = source;
    }
    return tree;
}

class Fixture {
  public:
    explicit Fixture(FunctionOptions options = {}) {
        store::EmbeddedOptions embedded;
        embedded.directory = folder_.file("store");
        store_ = store::open_embedded(embedded).value();
        apps_ = server::AppRepository::open(*store_, sealer_).value();
        options.folder = folder_.file("dependencies");
        functions_ = std::make_unique<Functions>(*apps_, *log_, options);
    }
    ~Fixture() {
        functions_.reset();
        apps_.reset();
        store_.reset();
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;

    std::shared_ptr<const server::App> deploy(const server::AppTree& tree) {
        return apps_->deploy(tree, "test", 0).value().app;
    }
    /// Deploys `body` as function "f" and calls it.
    Outcome run(const std::string& source, const std::string& arguments = "[]") {
        return call(deploy(app_of({{"f", source}})), "f", arguments);
    }
    Outcome call(std::shared_ptr<const server::App> app, const std::string& name,
                 const std::string& arguments = "[]") {
        Call call;
        call.app = std::move(app);
        call.name = name;
        call.arguments = arguments;
        return functions_->call(call);
    }
    Functions& functions() { return *functions_; }
    server::AppRepository& apps() { return *apps_; }
    std::string folder() const { return folder_.path().string(); }

  private:
    TemporaryFolder folder_; ///< outlives all that is in it
    std::unique_ptr<server::Log> log_ = server::Log::none();
    server::Sealer sealer_{server::Sealer::Key{}};
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<server::AppRepository> apps_;
    std::unique_ptr<Functions> functions_;
};

/// The kind of the failure; not_found's name and such in messages.
inline std::string failure_of(const Outcome& outcome) {
    return outcome.ok() ? "none" : std::string(failure_name(outcome.failure->kind));
}

} // namespace tombolo::functions
