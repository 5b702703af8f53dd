#include "server/sync/engine/view.hpp"

#include <algorithm>

#include "changeset/difference.hpp"
#include "query/binder.hpp"
#include "query/match_plan.hpp"
#include "query/subscription.hpp"

namespace tombolo::server::sync {

namespace {

std::unique_ptr<const Predicate> compile(const schema::Schema& schema, std::string_view class_name,
                                         std::string_view text) {
    query::BindOptions options;
    options.judges_writes = true;
    Result<query::Query> query = query::compile(text, schema, class_name, {}, options);
    return query ? std::make_unique<const Predicate>(*std::move(query)) : nullptr;
}

/// A field of the queried object that the query asks for and the mask hides, or null.
const std::string* hidden_field(const query::Query& query, const FieldMask* mask) {
    if (mask == nullptr || mask->reads_all()) {
        return nullptr;
    }
    for (const schema::Property* property : query.root_properties) {
        if (!property->primary_key && !mask->reads_field(property->name)) {
            return &property->name;
        }
    }
    return nullptr;
}

/// Which fields may be read, in one form.
// NOLINTNEXTLINE(misc-no-recursion): as deep as a role, which its reader bounds
void append_readable(std::string& text, const FieldPermissions& permissions) {
    text += permissions.read ? '+' : '-';
    for (const auto& [name, inside] : permissions.fields) {
        text += std::to_string(name.size()) + ':' + name;
        append_readable(text, inside);
    }
    text += ';';
}

} // namespace

Predicate::Predicate(query::Query query) : query_(std::move(query)), filter_(query_) {}

CompiledRole::CompiledRole(const Model& model, const Role& role) {
    for (const schema::ClassSchema& each : model.schema().classes()) {
        if (each.is_embedded()) {
            continue;
        }
        const std::string& name = each.name();
        OfClass& of = classes_[name];
        const ClassPermissions& permissions = role.of(name);
        std::map<std::string_view, std::shared_ptr<const Predicate>> known; // often all the same
        const auto compile_once = [&](const std::string& text) {
            const auto [at, is_new] = known.try_emplace(text);
            if (is_new) {
                at->second = compile(model.whole(), name, text);
            }
            return at->second;
        };
        of.write = compile_once(permissions.write);
        of.insert = compile_once(permissions.insert);
        of.mask = FieldMask::compile(model, name, permissions.fields);
        if (of.mask != nullptr && !of.mask->reads_all()) {
            append_readable(of.readable, permissions.fields);
        }
        if (!each.is_asymmetric()) {
            of.read = compile_once(permissions.read);
            of.erase = compile_once(permissions.erase);
        }
    }
}

const CompiledRole::OfClass* CompiledRole::find(std::string_view class_name) const noexcept {
    const auto found = classes_.find(class_name);
    return found == classes_.end() ? nullptr : &found->second;
}

View::View(const std::shared_ptr<const Model>& model, const std::string& body, const Role& role)
    : View(model, body, std::make_shared<const CompiledRole>(*model, role)) {}

View::View(std::shared_ptr<const Model> model, const std::string& body,
           std::shared_ptr<const CompiledRole> role)
    : model_(std::move(model)), role_(std::move(role)) {
    protocol::QueryBody queries;
    if (Result<protocol::QueryBody> parsed = protocol::parse_query_body(body)) {
        queries = *std::move(parsed);
    }
    for (const schema::ClassSchema& each : model_->schema().classes()) {
        if (each.is_embedded() || each.is_asymmetric()) {
            continue;
        }
        const std::string& name = each.name();
        const auto text = queries.find(name);
        if (text == queries.end()) {
            continue;
        }
        std::unique_ptr<const Predicate> query = compile(model_->schema(), name, text->second);
        if (query != nullptr && hidden_field(query->query(), mask(name)) != nullptr) {
            query.reset();
        }
        order_.push_back(name);
        queries_.push_back(std::move(query));
    }
    order_.shrink_to_fit();
    queries_.shrink_to_fit();
    reading_ = std::make_shared<const std::string>(reading_text());
}

std::string View::reading_text() const {
    std::string text;
    for (const std::string& name : order_) {
        if (sees_class(name)) {
            text += role_->find(name)->readable;
            text += query::canonical(*query_of(name));
            text += '\n';
            text += query::canonical(*read_filter_of(name));
            text += '\n';
        }
    }
    return text;
}

const Predicate* View::find_query(std::string_view class_name) const noexcept {
    const auto found = std::find(order_.begin(), order_.end(), class_name);
    return found == order_.end() ? nullptr
                                 : queries_[static_cast<std::size_t>(found - order_.begin())].get();
}

const query::Query* View::query_of(std::string_view class_name) const noexcept {
    const Predicate* query = find_query(class_name);
    return query == nullptr ? nullptr : &query->query();
}

const query::Query* View::read_filter_of(std::string_view class_name) const noexcept {
    const CompiledRole::OfClass* of = role_->find(class_name);
    return of == nullptr || of->read == nullptr ? nullptr : &of->read->query();
}

bool View::sees_class(std::string_view class_name) const noexcept {
    return find_query(class_name) != nullptr && read_filter_of(class_name) != nullptr;
}

bool View::selects(std::string_view class_name, ByteView document) const {
    const Predicate* query = find_query(class_name);
    const CompiledRole::OfClass* of = role_->find(class_name);
    return query != nullptr && of != nullptr && of->read != nullptr && query->matches(document) &&
           of->read->matches(document);
}

bool View::holds(std::string_view class_name, const Image& image) const {
    if (!image.exists() || !selects(class_name, image.bson())) {
        return false;
    }
    // What one schema version can show, another may not.
    return image.is_syncable && !model_->is_narrowed()
               ? *image.is_syncable
               : read_object(*model_, class_name, image).has_value();
}

const FieldMask* View::mask(std::string_view class_name) const noexcept {
    const CompiledRole::OfClass* of = role_->find(class_name);
    return of == nullptr ? nullptr : of->mask.get();
}

bool View::may_write(std::string_view class_name, ByteView document) const {
    const CompiledRole::OfClass* of = role_->find(class_name);
    return of != nullptr && of->write != nullptr && of->write->matches(document);
}

bool View::may_insert(std::string_view class_name, ByteView document) const {
    const CompiledRole::OfClass* of = role_->find(class_name);
    return of != nullptr && of->insert != nullptr && of->insert->matches(document);
}

bool View::may_erase(std::string_view class_name, ByteView document) const {
    const CompiledRole::OfClass* of = role_->find(class_name);
    return of != nullptr && of->erase != nullptr && of->erase->matches(document);
}

std::optional<Object> visible_object(const View& view, std::string_view class_name,
                                     const Image& image) {
    std::optional<Object> object = read_object(view.model(), class_name, image);
    if (const FieldMask* mask = view.mask(class_name); mask != nullptr && object) {
        mask->hide(*object);
    }
    return object;
}

void append_revealed(changeset::ChangesetBuilder& out, const View& before, const View& after,
                     const ObjectRef& object, const Image& image) {
    const std::string& name = object.class_name;
    if (FieldMask::reads_the_same(before.mask(name), after.mask(name))) {
        return;
    }
    changeset::append_difference(out, after.model(), *after.model().find_class(name),
                                 to_view(object.key), *visible_object(before, name, image),
                                 *visible_object(after, name, image));
}

namespace {

Result<void> check_body(const Model& model, std::string_view body, const Role* role) {
    TOMBOLO_TRY(const protocol::QueryBody queries, protocol::parse_query_body(body));
    const query::SubscriptionRules rules{model.config().queryable,
                                         model.config().indexed_queryable};
    for (const auto& [class_name, text] : queries) {
        const schema::ClassSchema* of = model.schema().find(class_name);
        if (of == nullptr || of->is_embedded() || of->is_asymmetric()) {
            return Error(ErrorCode::query_invalid,
                         "Invalid query: table \"" + class_name + "\" cannot be subscribed to");
        }
        const Result<query::Query> query =
            query::compile_subscription(text, model.schema(), class_name, rules);
        if (!query) {
            return query.error();
        }
        if (role != nullptr) {
            const auto mask = FieldMask::compile(model, class_name, role->of(class_name).fields);
            if (const std::string* hidden = hidden_field(*query, mask.get())) {
                return Error(ErrorCode::query_invalid, "Invalid query: \"" + class_name +
                                                           "\": key \"" + *hidden +
                                                           "\" may not be read by this user");
            }
        }
    }
    return {};
}

} // namespace

Result<void> check_query_body(const Model& model, std::string_view body) {
    return check_body(model, body, nullptr);
}

Result<void> check_query_body(const Model& model, std::string_view body, const Role& role) {
    return check_body(model, body, &role);
}

ViewCache::SharedRole ViewCache::share(Role role) {
    std::string text = role_text(role);
    const MutexLock lock(mutex_);
    KnownRole& known = roles_[text];
    SharedRole shared{known.role.lock(), known.text.lock()};
    if (shared.role == nullptr) {
        shared.role = std::make_shared<const Role>(std::move(role));
        known.role = shared.role;
    }
    if (shared.text == nullptr) {
        shared.text = std::make_shared<const std::string>(std::move(text));
        known.text = shared.text;
    }
    if (roles_.size() > sweep_roles_at_) {
        std::erase_if(roles_, [](const auto& each) {
            return each.second.role.expired() && each.second.text.expired();
        });
        sweep_roles_at_ = 64 + 2 * roles_.size();
    }
    return shared;
}

void ViewCache::share_roles(FileState& file) {
    for (std::shared_ptr<const Epoch>& epoch : file.epochs) {
        Epoch shared = *epoch;
        shared.role = share(*epoch->role).role;
        epoch = std::make_shared<const Epoch>(std::move(shared));
    }
}

std::shared_ptr<const CompiledRole> ViewCache::compiled(const Model& model,
                                                        const std::shared_ptr<const Role>& role) {
    std::weak_ptr<const CompiledRole>& slot = compiled_[{&model, role.get()}];
    if (std::shared_ptr<const CompiledRole> known = slot.lock()) {
        return known;
    }
    // It keeps the role that it is known by, so that no other one gets its address.
    struct Kept {
        std::shared_ptr<const Role> role;
        CompiledRole compiled;
    };
    const auto kept = std::make_shared<const Kept>(Kept{role, CompiledRole(model, *role)});
    const std::shared_ptr<const CompiledRole> result(kept, &kept->compiled);
    slot = result;
    return result;
}

std::shared_ptr<const View> ViewCache::get(const std::shared_ptr<const Model>& model,
                                           const Epoch& epoch) {
    const std::pair key(model.get(), epoch.identity);
    const MutexLock lock(mutex_);
    std::weak_ptr<const View>& slot = views_[key];
    if (std::shared_ptr<const View> view = slot.lock()) {
        return view;
    }
    auto view = std::make_shared<View>(model, epoch.body, compiled(*model, epoch.role));
    slot = view;
    std::weak_ptr<const std::string>& reading =
        readings_[{model.get(), digest_of(*view->reading_)}];
    if (const std::shared_ptr<const std::string> known = reading.lock()) {
        view->reading_ = known;
    } else {
        reading = view->reading_;
    }
    if (views_.size() > sweep_at_) {
        const auto is_gone = [](const auto& each) { return each.second.expired(); };
        std::erase_if(views_, is_gone);
        std::erase_if(readings_, is_gone);
        std::erase_if(compiled_, is_gone);
        sweep_at_ = 64 + 2 * views_.size();
    }
    return view;
}

std::size_t ViewCache::size() const {
    const MutexLock lock(mutex_);
    std::size_t count = 0;
    for (const auto& each : views_) {
        count += each.second.expired() ? 0 : 1;
    }
    return count;
}

} // namespace tombolo::server::sync
