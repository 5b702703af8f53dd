// Drafts of the AppRepository (admin-api-and-config.md R14).

#include <mutex>

#include "server/app/app_records.hpp"

namespace tombolo::server {

using namespace records;

namespace {

Error no_draft() {
    return Error(ErrorCode::not_found, "there is no such draft");
}

// What both sides changed since `base`, file by file. A file that both made the same is no
// conflict.
Result<AppTree> merged(const AppTree& base, const AppTree& ours, const AppTree& theirs) {
    const auto content = [](const AppTree& tree, const std::string& path) {
        const auto found = tree.find(path);
        return found == tree.end() ? nullptr : &found->second;
    };
    const auto same = [](const std::string* left, const std::string* right) {
        return left == right || (left != nullptr && right != nullptr && *left == *right);
    };
    AppTree out = theirs;
    AppTree all = base;
    all.insert(ours.begin(), ours.end());
    for (const auto& [path, unused] : all) {
        const std::string* before = content(base, path);
        const std::string* mine = content(ours, path);
        const std::string* other = content(theirs, path);
        if (same(before, mine) || same(mine, other)) {
            continue;
        }
        if (!same(before, other)) {
            return Error(ErrorCode::merge_error,
                         "the draft and a later deployment both changed " + path +
                             "; discard the draft and make the change again",
                         path);
        }
        if (mine == nullptr) {
            out.erase(path);
        } else {
            out[path] = *mine;
        }
    }
    return out;
}

} // namespace

std::shared_ptr<const App> AppRepository::view(const ObjectId& app,
                                               const std::string& author) const {
    const std::optional<Draft> open = draft(app, author);
    return open ? open->app : find(app);
}

std::optional<Draft> AppRepository::draft(const ObjectId& app, const std::string& author) const {
    const std::shared_lock lock(mutex_);
    const auto found = drafts_.find({app, author});
    return found == drafts_.end() ? std::nullopt : std::optional<Draft>(found->second);
}

Result<Draft> AppRepository::open_draft(const ObjectId& app, const Author& author) {
    const std::lock_guard lock(deploy_mutex_);
    const std::shared_ptr<const App> current = find(app);
    if (current == nullptr) {
        return no_app();
    }
    if (draft(app, author.id)) {
        return Error(ErrorCode::already_exists, "a draft already exists");
    }
    TOMBOLO_TRY(ParsedApp parsed, parse_app(*current->tree));
    return write_draft(*current, {object_id_of(random_bytes(12)), current->deployment, nullptr},
                       *current->tree, std::move(parsed), author.id);
}

Result<Draft> AppRepository::write_draft(const App& current, Draft draft, const AppTree& tree,
                                         ParsedApp parsed, const std::string& author) {
    mql::BsonWriter record;
    record.append_string("draft", draft.id.to_string());
    record.append_int64("base", static_cast<std::int64_t>(draft.base));
    store::Transaction transaction;
    const AppTree* known = draft.app ? draft.app->tree.get() : current.tree.get();
    write_files(current.id, tree, known, sealer_, record, transaction);
    transaction.put_record(Space::meta, draft_key(current.id, author), bytes_of(std::move(record)));
    TOMBOLO_TRY(const store::Version written, store_.commit(std::move(transaction)));
    static_cast<void>(written);
    auto app = std::make_shared<App>(current);
    app->config = std::move(parsed.config);
    app->tree = std::make_shared<const AppTree>(tree);
    draft.app = std::move(app);
    const std::unique_lock maps(mutex_);
    drafts_[{current.id, author}] = draft;
    return draft;
}

Result<void> AppRepository::load_drafts() {
    const auto snapshot = store_.snapshot();
    const auto cursor = snapshot->scan_records(Space::meta, "drafts/", "drafts0");
    while (cursor->next()) {
        const std::string key(cursor->key());
        constexpr std::size_t app_at = 7;
        constexpr std::size_t author_at = app_at + 25;
        TOMBOLO_TRY(const ObjectId id, ObjectId::parse(key.substr(app_at, 24)));
        const std::shared_ptr<const App> current = find(id);
        TOMBOLO_TRY(const mql::BsonDocumentView record,
                    mql::BsonDocumentView::validate(as_bytes(cursor->value())));
        if (current == nullptr) {
            continue;
        }
        TOMBOLO_TRY(const AppTree tree, read_files(id, record, sealer_, *snapshot));
        TOMBOLO_TRY(ParsedApp parsed, parse_app(tree));
        auto app = std::make_shared<App>(*current);
        app->config = std::move(parsed.config);
        app->tree = std::make_shared<const AppTree>(tree);
        TOMBOLO_TRY(const ObjectId draft_id, ObjectId::parse(text(record, "draft")));
        const std::unique_lock lock(mutex_);
        drafts_[{id, key.substr(author_at)}] = {
            draft_id, static_cast<std::uint64_t>(integer(record, "base")), std::move(app)};
    }
    return cursor->status();
}

Result<void> AppRepository::discard_draft(const ObjectId& app, const std::string& author) {
    const std::lock_guard lock(deploy_mutex_);
    if (!draft(app, author)) {
        return no_draft();
    }
    store::Transaction transaction;
    transaction.erase_record(Space::meta, draft_key(app, author));
    TOMBOLO_TRY(const store::Version written, store_.commit(std::move(transaction)));
    static_cast<void>(written);
    const std::unique_lock maps(mutex_);
    drafts_.erase({app, author});
    return {};
}

Result<DeployResult> AppRepository::deploy_draft(const ObjectId& app, const Author& author,
                                                 const std::string& name) {
    const std::lock_guard lock(deploy_mutex_);
    const std::shared_ptr<const App> current = find(app);
    const std::optional<Draft> open = draft(app, author.id);
    if (current == nullptr || !open) {
        return no_draft();
    }
    AppTree tree = *open->app->tree;
    if (open->base != current->deployment) {
        TOMBOLO_TRY(const AppTree base, this->tree(app, open->base));
        TOMBOLO_TRY(tree, merged(base, tree, *current->tree));
    }
    TOMBOLO_TRY(ParsedApp parsed, parse_app(tree));
    TOMBOLO_TRY(DeployResult result,
                write(current, tree, std::move(parsed),
                      {author.origin, author.id, name, open->id.to_string(), author.now_unix_ms,
                       false, author.may_break_sync, true}));
    const std::unique_lock maps(mutex_);
    drafts_.erase({app, author.id});
    return result;
}

} // namespace tombolo::server
