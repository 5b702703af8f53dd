#include "server/sync/engine/view.hpp"

#include "changeset/difference.hpp"
#include "query/binder.hpp"
#include "query/match_plan.hpp"
#include "query/subscription.hpp"

namespace tombolo::server::sync {

namespace {

std::unique_ptr<Predicate> compile(const schema::Schema& schema, std::string_view class_name,
                                   std::string_view text) {
    query::BindOptions options;
    options.judges_writes = true;
    Result<query::Query> query = query::compile(text, schema, class_name, {}, options);
    return query ? std::make_unique<Predicate>(*std::move(query)) : nullptr;
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

View::View(std::shared_ptr<const Model> model, const std::string& body, const Role& role)
    : model_(std::move(model)) {
    protocol::QueryBody queries;
    if (Result<protocol::QueryBody> parsed = protocol::parse_query_body(body)) {
        queries = *std::move(parsed);
    }
    for (const schema::ClassSchema& each : model_->schema().classes()) {
        if (each.is_embedded()) {
            continue;
        }
        const std::string& name = each.name();
        OfClass& of = classes_[name];
        const ClassPermissions& permissions = role.of(name);
        of.write = compile(model_->whole(), name, permissions.write);
        of.insert = compile(model_->whole(), name, permissions.insert);
        of.mask = FieldMask::compile(*model_, name, permissions.fields);
        if (each.is_asymmetric()) {
            continue;
        }
        of.read = compile(model_->whole(), name, permissions.read);
        of.erase = compile(model_->whole(), name, permissions.erase);
        if (const auto query = queries.find(name); query != queries.end()) {
            of.query = compile(model_->schema(), name, query->second);
            if (of.query != nullptr && hidden_field(of.query->query(), of.mask.get()) != nullptr) {
                of.query.reset();
            }
            order_.push_back(name);
        }
    }
    reading_ = std::make_shared<const std::string>(reading_text(role));
}

std::string View::reading_text(const Role& role) const {
    std::string text;
    for (const std::string& name : order_) {
        if (sees_class(name)) {
            const FieldMask* hides = mask(name);
            if (hides != nullptr && !hides->reads_all()) {
                append_readable(text, role.of(name).fields);
            }
            text += query::canonical(*query_of(name));
            text += '\n';
            text += query::canonical(*read_filter_of(name));
            text += '\n';
        }
    }
    return text;
}

const query::Query* View::query_of(std::string_view class_name) const noexcept {
    const OfClass* of = find(class_name);
    return of == nullptr || of->query == nullptr ? nullptr : &of->query->query();
}

const query::Query* View::read_filter_of(std::string_view class_name) const noexcept {
    const OfClass* of = find(class_name);
    return of == nullptr || of->read == nullptr ? nullptr : &of->read->query();
}

const View::OfClass* View::find(std::string_view class_name) const noexcept {
    const auto found = classes_.find(class_name);
    return found == classes_.end() ? nullptr : &found->second;
}

bool View::sees_class(std::string_view class_name) const noexcept {
    const OfClass* of = find(class_name);
    return of != nullptr && of->query != nullptr && of->read != nullptr;
}

bool View::selects(std::string_view class_name, ByteView document) const {
    const OfClass* of = find(class_name);
    return of != nullptr && of->query != nullptr && of->read != nullptr &&
           of->query->matches(document) && of->read->matches(document);
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
    const OfClass* of = find(class_name);
    return of == nullptr ? nullptr : of->mask.get();
}

bool View::may_write(std::string_view class_name, ByteView document) const {
    const OfClass* of = find(class_name);
    return of != nullptr && of->write != nullptr && of->write->matches(document);
}

bool View::may_insert(std::string_view class_name, ByteView document) const {
    const OfClass* of = find(class_name);
    return of != nullptr && of->insert != nullptr && of->insert->matches(document);
}

bool View::may_erase(std::string_view class_name, ByteView document) const {
    const OfClass* of = find(class_name);
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

std::shared_ptr<const View> ViewCache::get(const std::shared_ptr<const Model>& model,
                                           const Epoch& epoch) {
    const std::pair key(model.get(), epoch.identity);
    const MutexLock lock(mutex_);
    std::weak_ptr<const View>& slot = views_[key];
    if (std::shared_ptr<const View> view = slot.lock()) {
        return view;
    }
    auto view = std::make_shared<View>(model, epoch.body, epoch.role);
    slot = view;
    std::weak_ptr<const std::string>& reading = readings_[{model.get(), *view->reading_}];
    if (const std::shared_ptr<const std::string> known = reading.lock()) {
        view->reading_ = known;
    } else {
        reading = view->reading_;
    }
    if (views_.size() > sweep_at_) {
        std::erase_if(views_, [](const auto& each) { return each.second.expired(); });
        std::erase_if(readings_, [](const auto& each) { return each.second.expired(); });
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
