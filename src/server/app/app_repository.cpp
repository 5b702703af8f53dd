#include "server/app/app_repository.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "server/store/embedded/layout.hpp"

namespace tombolo::server {

namespace {

using store::Space;

std::string app_key(const ObjectId& id) {
    return "apps/" + id.to_string();
}
std::string deployment_key(const ObjectId& id, std::uint64_t number) {
    std::string key = "deployments/" + id.to_string() + "/";
    for (int shift = 56; shift >= 0; shift -= 8) {
        key.push_back(static_cast<char>((number >> shift) & 0xff));
    }
    return key;
}
std::string blob_key(const ObjectId& id, std::string_view hash) {
    return "blobs/" + id.to_string() + "/" + std::string(hash);
}
std::string secret_key(const ObjectId& id, std::string_view name) {
    return "secrets/" + id.to_string() + "/" + std::string(name);
}
std::string hash_of(std::string_view content) {
    return to_hex(as_bytes(sha256(content)));
}

std::string text(mql::BsonDocumentView document, std::string_view key) {
    const mql::BsonView value = document.find(key);
    return value.is_string() ? std::string(value.as_string()) : std::string();
}
std::int64_t integer(mql::BsonDocumentView document, std::string_view key) {
    std::int64_t out = 0;
    const mql::BsonView value = document.find(key);
    return value.is_number() && value.to_int64(out) ? out : 0;
}
std::string bytes_of(mql::BsonWriter&& writer) {
    const mql::BsonDocument document = std::move(writer).finish();
    return std::string(as_text(document.bytes()));
}

std::string encode_app(const App& app) {
    mql::BsonWriter writer;
    writer.append_string("client_app_id", app.client_app_id);
    writer.append_string("name", app.config.name);
    writer.append_int64("deployment", static_cast<std::int64_t>(app.deployment));
    return bytes_of(std::move(writer));
}

// "field-notes-qwert": the name as a URL can hold it, and five letters against collisions.
std::string new_client_app_id(const std::string& name) {
    std::string id;
    for (const char c : name) {
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        const bool keep = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
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

ObjectId object_id_of(std::string_view bytes) {
    ObjectId id;
    std::memcpy(id.bytes.data(), bytes.data(), id.bytes.size());
    return id;
}

Error no_app() {
    return Error(ErrorCode::not_found, "there is no such app");
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
        TOMBOLO_TRY(const AppTree files, tree(id, app->deployment));
        TOMBOLO_TRY(ParsedApp parsed, parse_app(files));
        app->config = std::move(parsed.config);
        app->tree = std::make_shared<const AppTree>(files);
        activate(std::move(app));
    }
    return cursor->status();
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
    TOMBOLO_TRY(ParsedApp parsed, parse_app(tree));
    const std::shared_ptr<const App> current = parsed.config.client_app_id.empty()
                                                   ? find_by_name(parsed.config.name)
                                                   : find(parsed.config.client_app_id);
    AppTree kept = tree;
    kept.erase("secrets.json");
    return write(current, kept, std::move(parsed), origin, now_unix_ms);
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
    return write(current, old, std::move(parsed), "rollback to " + std::to_string(number),
                 now_unix_ms);
}

Result<DeployResult> AppRepository::write(const std::shared_ptr<const App>& current,
                                          const AppTree& tree, ParsedApp parsed,
                                          const std::string& origin, std::int64_t now_unix_ms) {
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
    app->deployment = current ? current->deployment + 1 : 1;
    app->config = std::move(parsed.config);
    app->tree = std::make_shared<const AppTree>(tree);
    result.created = current == nullptr;

    store::Transaction transaction;
    for (const auto& [name, value] : parsed.secrets) {
        transaction.put_record(Space::meta, secret_key(app->id, name),
                               sealer_.seal(secret_key(app->id, name), value));
    }
    if (current) {
        if (*current->tree == tree) {
            if (!transaction.empty()) {
                TOMBOLO_TRY(const store::Version written, store_.commit(std::move(transaction)));
                static_cast<void>(written);
            }
            result.app = current;
            return result;
        }
    }
    mql::BsonWriter record;
    record.append_int64("created_ms", now_unix_ms);
    record.append_string("origin", origin);
    record.begin_array("files");
    for (const auto& [path, content] : tree) {
        const std::string hash = hash_of(content);
        record.begin_document({});
        record.append_string("path", path);
        record.append_string("hash", hash);
        record.end();
        transaction.put_record(Space::meta, blob_key(app->id, hash), content);
    }
    record.end();
    transaction.put_record(Space::meta, deployment_key(app->id, app->deployment),
                           bytes_of(std::move(record)));
    transaction.put_record(Space::meta, app_key(app->id), encode_app(*app));
    if (result.created) {
        transaction.insert_record(Space::meta, "app-clients/" + app->client_app_id,
                                  app->id.to_string());
    }
    TOMBOLO_TRY(const store::Version written, store_.commit(std::move(transaction)));
    static_cast<void>(written);
    result.changed = true;
    result.app = app;
    activate(std::move(app));
    return result;
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
        info.files = record.find("files").as_document().count();
        out.push_back(std::move(info));
    }
    TOMBOLO_TRY_VOID(cursor->status());
    if (out.empty()) {
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
    AppTree tree;
    for (const mql::BsonElement& element : record.find("files").as_document()) {
        const mql::BsonDocumentView file = element.value.as_document();
        TOMBOLO_TRY(std::optional<std::string> content,
                    snapshot->record(Space::meta, blob_key(app, text(file, "hash"))));
        if (!content) {
            return Error(ErrorCode::store_corrupt, "a deployment misses a file",
                         text(file, "path"));
        }
        tree.emplace(text(file, "path"), std::move(*content));
    }
    return tree;
}

Result<void> AppRepository::set_secret(const ObjectId& app, const std::string& name,
                                       const std::string& value) {
    const std::string key = secret_key(app, name);
    store::Transaction transaction;
    transaction.put_record(Space::meta, key, sealer_.seal(key, value));
    TOMBOLO_TRY(const store::Version written, store_.commit(std::move(transaction)));
    static_cast<void>(written);
    return {};
}

Result<std::string> AppRepository::secret(const ObjectId& app, const std::string& name) const {
    const std::string key = secret_key(app, name);
    TOMBOLO_TRY(const std::optional<std::string> sealed,
                store_.snapshot()->record(Space::meta, key));
    if (!sealed) {
        return Error(ErrorCode::not_found, "secret '" + name + "' is not defined");
    }
    return sealer_.open(key, *sealed);
}

} // namespace tombolo::server
