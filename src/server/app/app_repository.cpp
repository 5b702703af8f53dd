#include "server/app/app_repository.hpp"

#include <algorithm>
#include <mutex>

#include "server/app/app_json.hpp"
#include "server/app/app_layout.hpp"
#include "server/app/app_records.hpp"

namespace tombolo::server {

using namespace records;

namespace {

std::string encode_app(const App& app) {
    mql::BsonWriter writer;
    writer.append_string("client_app_id", app.client_app_id);
    writer.append_string("name", app.config.name);
    writer.append_int64("deployment", static_cast<std::int64_t>(app.deployment));
    writer.append_int64("deployed_ms", app.deployed_unix_ms);
    writer.begin_array("versions");
    for (const SchemaVersion& one : app.schema_versions) {
        writer.begin_document({});
        writer.append_int64("number", static_cast<std::int64_t>(one.number));
        writer.append_int64("deployment", static_cast<std::int64_t>(one.deployment));
        writer.append_int64("created_ms", one.created_unix_ms);
        writer.append_string("schema", frozen_text(one));
        writer.end();
    }
    writer.end();
    return bytes_of(std::move(writer));
}

std::vector<SchemaVersion> read_versions(mql::BsonDocumentView record) {
    std::vector<SchemaVersion> out;
    const mql::BsonView list = record.find("versions");
    if (list.is_array()) {
        for (const mql::BsonElement& element : list.as_document()) {
            const mql::BsonDocumentView one = element.value.as_document();
            out.push_back({static_cast<std::uint64_t>(integer(one, "number")),
                           static_cast<std::uint64_t>(integer(one, "deployment")),
                           integer(one, "created_ms"),
                           {},
                           {}});
            const mql::BsonView frozen = one.find("schema");
            read_frozen(frozen.is_string() ? frozen.as_string() : std::string_view(), out.back());
        }
    }
    return out;
}

// "field-notes-qwert": the name as a URL can hold it, and five letters against collisions.
std::string new_client_app_id(const std::string& name) {
    std::string id;
    for (const char c : name) {
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        const bool keep =
            (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') || lower == '_';
        if (keep || (!id.empty() && id.back() != '-')) {
            id += keep ? lower : '-';
        }
    }
    while (!id.empty() && id.back() == '-') {
        id.pop_back();
    }
    id += '-';
    for (const char byte : random_bytes(5)) {
        id += static_cast<char>('a' + static_cast<unsigned char>(byte) % 26);
    }
    return id;
}

} // namespace

ObjectId App::provider_id(std::string_view type) const {
    return object_id_of(sha256(id.to_string() + "/" + std::string(type)));
}

ObjectId App::part_id(std::string_view kind, std::string_view name) const {
    const std::string part = std::string(kind) + "/" + std::string(name);
    const auto kept = config.kept_ids.find(part);
    return kept != config.kept_ids.end() ? kept->second
                                         : object_id_of(sha256(id.to_string() + "/" + part));
}

const ProviderConfig* App::provider(std::string_view type) const {
    const auto found = config.providers.find(std::string(type));
    return found == config.providers.end() || found->second.disabled ? nullptr : &found->second;
}

Result<std::unique_ptr<AppRepository>> AppRepository::open(store::Store& store,
                                                           const Sealer& sealer) {
    std::unique_ptr<AppRepository> repository(new AppRepository(store, sealer));
    TOMBOLO_TRY_VOID(repository->load());
    return repository;
}

Result<void> AppRepository::load() {
    const auto snapshot = store_.snapshot();
    const auto cursor = snapshot->scan_records(Space::meta, "apps/", "apps0");
    while (cursor->next()) {
        TOMBOLO_TRY(const ObjectId id, ObjectId::parse(cursor->key().substr(5)));
        TOMBOLO_TRY(const mql::BsonDocumentView record,
                    mql::BsonDocumentView::validate(as_bytes(cursor->value())));
        auto app = std::make_shared<App>();
        app->id = id;
        app->client_app_id = text(record, "client_app_id");
        app->deployment = static_cast<std::uint64_t>(integer(record, "deployment"));
        app->deployed_unix_ms = integer(record, "deployed_ms");
        app->schema_versions = read_versions(record);
        TOMBOLO_TRY(const AppTree files, tree(id, app->deployment));
        TOMBOLO_TRY(ParsedApp parsed, parse_app(files));
        app->config = std::move(parsed.config);
        app->tree = std::make_shared<const AppTree>(files);
        activate(std::move(app));
        TOMBOLO_TRY_VOID(load_access_list(id));
    }
    TOMBOLO_TRY_VOID(cursor->status());
    return load_drafts();
}

void AppRepository::activate(std::shared_ptr<const App> app) {
    const std::unique_lock lock(mutex_);
    by_client_id_[app->client_app_id] = app;
    by_id_[app->id] = std::move(app);
}

std::shared_ptr<const App> AppRepository::find(std::string_view client_app_id) const {
    const std::shared_lock lock(mutex_);
    const auto found = by_client_id_.find(client_app_id);
    return found == by_client_id_.end() ? nullptr : found->second;
}

std::shared_ptr<const App> AppRepository::find(const ObjectId& id) const {
    const std::shared_lock lock(mutex_);
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

std::shared_ptr<const App> AppRepository::find_by_name(const std::string& name) const {
    const std::shared_lock lock(mutex_);
    const auto found = std::find_if(by_id_.begin(), by_id_.end(), [&](const auto& one) {
        return one.second->config.name == name;
    });
    return found == by_id_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const App>> AppRepository::all() const {
    const std::shared_lock lock(mutex_);
    std::vector<std::shared_ptr<const App>> apps;
    for (const auto& [id, app] : by_id_) {
        apps.push_back(app);
    }
    return apps;
}

Result<DeployResult> AppRepository::deploy(const AppTree& tree, const std::string& origin,
                                           std::int64_t now_unix_ms) {
    const std::lock_guard lock(deploy_mutex_);
    TOMBOLO_TRY(ImportedApp imported, normalize_app(tree));
    TOMBOLO_TRY(ParsedApp parsed, parse_app(imported.tree));
    parsed.config.client_app_id = imported.client_app_id;
    parsed.warnings.insert(parsed.warnings.begin(), imported.notes.begin(), imported.notes.end());
    const std::shared_ptr<const App> current = parsed.config.client_app_id.empty()
                                                   ? find_by_name(parsed.config.name)
                                                   : find(parsed.config.client_app_id);
    imported.tree.erase("secrets.json");
    const AppTree kept = current ? merge_import(*current->tree, imported.tree) : imported.tree;
    return write(current, kept, std::move(parsed), {origin, {}, {}, {}, now_unix_ms, false, true});
}

Result<DeployResult> AppRepository::roll_back(const ObjectId& app, std::uint64_t number,
                                              std::int64_t now_unix_ms) {
    const std::lock_guard lock(deploy_mutex_);
    const std::shared_ptr<const App> current = find(app);
    if (current == nullptr) {
        return no_app();
    }
    TOMBOLO_TRY(const AppTree old, tree(app, number));
    TOMBOLO_TRY(ParsedApp parsed, parse_app(old));
    return write(current, old, std::move(parsed),
                 {"rollback to " + std::to_string(number), {}, {}, {}, now_unix_ms});
}

Result<DeployResult> AppRepository::redeploy(const ObjectId& app, std::uint64_t number,
                                             const Author& author) {
    const std::lock_guard lock(deploy_mutex_);
    const std::shared_ptr<const App> current = find(app);
    if (current == nullptr) {
        return no_app();
    }
    TOMBOLO_TRY(const AppTree old, tree(app, number));
    TOMBOLO_TRY(ParsedApp parsed, parse_app(old));
    return write(
        current, old, std::move(parsed),
        {author.origin, author.id, {}, {}, author.now_unix_ms, false, author.may_break_sync, true});
}

Result<std::shared_ptr<const App>> AppRepository::create(const AppTree& tree,
                                                         std::int64_t now_unix_ms) {
    const std::lock_guard lock(deploy_mutex_);
    TOMBOLO_TRY(ParsedApp parsed, parse_app(tree));
    parsed.config.client_app_id.clear();
    TOMBOLO_TRY(DeployResult result,
                write(nullptr, tree, std::move(parsed), {"create", {}, {}, {}, now_unix_ms, true}));
    return std::move(result.app);
}

Result<DeployResult> AppRepository::edit(const ObjectId& app, const Author& author,
                                         const Change& change) {
    const std::lock_guard lock(deploy_mutex_);
    const std::shared_ptr<const App> current = find(app);
    if (current == nullptr) {
        return no_app();
    }
    const std::optional<Draft> open = draft(app, author.id);
    const std::shared_ptr<const App> base = open ? open->app : current;
    AppTree tree = *base->tree;
    TOMBOLO_TRY_VOID(change(tree, *base));
    TOMBOLO_TRY(ParsedApp parsed, parse_app(tree));
    if (open) {
        DeployResult result;
        result.warnings = parsed.warnings;
        result.changed = tree != *base->tree;
        TOMBOLO_TRY(const Draft written,
                    write_draft(*current, *open, tree, std::move(parsed), author.id));
        result.app = written.app;
        return result;
    }
    return write(
        current, tree, std::move(parsed),
        {author.origin, author.id, {}, {}, author.now_unix_ms, false, author.may_break_sync});
}

Result<DeployResult> AppRepository::write(const std::shared_ptr<const App>& current,
                                          const AppTree& tree, ParsedApp parsed,
                                          const Writing& writing) {
    DeployResult result;
    result.warnings = std::move(parsed.warnings);
    for (const DataSourceConfig& source : parsed.config.data_sources) {
        result.warnings.push_back("data source '" + source.name +
                                  "': its documents live in the embedded store" +
                                  (source.address.empty() ? "" : ", not at " + source.address));
    }
    auto app = std::make_shared<App>();
    app->id = current ? current->id : object_id_of(random_bytes(12));
    app->client_app_id = current ? current->client_app_id
                         : parsed.config.client_app_id.empty()
                             ? new_client_app_id(parsed.config.name)
                             : parsed.config.client_app_id;
    app->deployment = current ? current->deployment + 1 : writing.is_new ? 0 : 1;
    app->deployed_unix_ms = writing.now_unix_ms;
    app->config = std::move(parsed.config);
    app->tree = std::make_shared<const AppTree>(tree);
    result.created = current == nullptr;
    TOMBOLO_TRY(
        app->schema_versions,
        next_schema_versions(current ? &current->config : nullptr, app->config,
                             current ? current->schema_versions : std::vector<SchemaVersion>(),
                             app->deployment, writing.now_unix_ms, writing.may_break_sync));

    store::Transaction transaction;
    for (const auto& [name, value] : parsed.secrets) {
        transaction.put_record(Space::meta, secret_key(app->id, name),
                               sealer_.seal(secret_key(app->id, name), value));
    }
    if (current && *current->tree == tree && !writing.always) {
        if (!transaction.empty()) {
            TOMBOLO_TRY(const store::Version written, store_.commit(std::move(transaction)));
            static_cast<void>(written);
        }
        result.app = current;
        return result;
    }
    mql::BsonWriter record;
    record.append_int64("created_ms", writing.now_unix_ms);
    record.append_string("origin", writing.origin);
    record.append_string("author", writing.author);
    record.append_string("name", writing.name);
    record.append_string("draft", writing.draft);
    write_files(app->id, tree, current ? current->tree.get() : nullptr, sealer_, record,
                transaction);
    transaction.put_record(Space::meta, deployment_key(app->id, app->deployment),
                           bytes_of(std::move(record)));
    transaction.put_record(Space::meta, app_key(app->id), encode_app(*app));
    if (result.created) {
        transaction.insert_record(Space::meta, "app-clients/" + app->client_app_id,
                                  app->id.to_string());
    }
    if (!writing.draft.empty()) {
        transaction.erase_record(Space::meta, draft_key(app->id, writing.author));
    }
    TOMBOLO_TRY(const store::Version written, store_.commit(std::move(transaction)));
    static_cast<void>(written);
    result.changed = true;
    result.app = app;
    activate(app);
    tell({AppEvent::Kind::deployed, current, std::move(app)});
    return result;
}

Result<void> AppRepository::remove(const ObjectId& id) {
    const std::lock_guard lock(deploy_mutex_);
    const std::shared_ptr<const App> gone = find(id);
    if (gone == nullptr) {
        return no_app();
    }
    store::Transaction transaction;
    transaction.erase_record(Space::meta, app_key(id));
    transaction.erase_record(Space::meta, "app-clients/" + gone->client_app_id);
    for (const char* space :
         {"deployments/", "drafts/", "blobs/", "secrets/", "app-settings/", "app-logs/", "users/",
          "identities/", "sessions/", "user-sessions/", "devices/", "emails/", "mail-tokens/",
          "api-keys/", "user-keys/", "push/", "server-keys/"}) {
        const std::string prefix = space + id.to_string() + "/";
        transaction.erase_records(Space::meta, prefix, store::embedded::prefix_end(prefix));
    }
    TOMBOLO_TRY(const store::Version written, store_.commit(std::move(transaction)));
    static_cast<void>(written);
    {
        const std::unique_lock maps(mutex_);
        by_id_.erase(id);
        by_client_id_.erase(gone->client_app_id);
        access_.erase(id);
        std::erase_if(drafts_, [&](const auto& one) { return one.first.first == id; });
    }
    tell({AppEvent::Kind::removed, gone, nullptr});
    return {};
}

void AppRepository::add_listener(Listener listener) {
    listeners_.push_back(std::move(listener));
}

void AppRepository::tell(const AppEvent& event) const {
    for (const Listener& listener : listeners_) {
        listener(event);
    }
}

Result<std::vector<DeploymentInfo>> AppRepository::deployments(const ObjectId& app) const {
    std::vector<DeploymentInfo> out;
    const auto snapshot = store_.snapshot();
    const std::string prefix = "deployments/" + app.to_string() + "/";
    const auto cursor =
        snapshot->scan_records(Space::meta, prefix, store::embedded::prefix_end(prefix));
    while (cursor->next()) {
        TOMBOLO_TRY(const mql::BsonDocumentView record,
                    mql::BsonDocumentView::validate(as_bytes(cursor->value())));
        DeploymentInfo info;
        info.number = store::embedded::read_u64(cursor->key(), prefix.size());
        info.created_unix_ms = integer(record, "created_ms");
        info.origin = text(record, "origin");
        info.author = text(record, "author");
        info.name = text(record, "name");
        info.draft = text(record, "draft");
        if (info.number == 0) {
            continue; // what an app is created with
        }
        info.files = record.find("files").as_document().count();
        out.push_back(std::move(info));
    }
    TOMBOLO_TRY_VOID(cursor->status());
    if (out.empty() && find(app) == nullptr) {
        return no_app();
    }
    std::reverse(out.begin(), out.end());
    return out;
}

Result<AppTree> AppRepository::tree(const ObjectId& app, std::uint64_t number) const {
    const auto snapshot = store_.snapshot();
    TOMBOLO_TRY(const std::optional<std::string> stored,
                snapshot->record(Space::meta, deployment_key(app, number)));
    if (!stored) {
        return Error(ErrorCode::not_found, "the app has no deployment " + std::to_string(number));
    }
    TOMBOLO_TRY(const mql::BsonDocumentView record,
                mql::BsonDocumentView::validate(as_bytes(*stored)));
    return read_files(app, record, sealer_, *snapshot);
}

} // namespace tombolo::server
