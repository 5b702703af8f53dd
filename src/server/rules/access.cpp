#include "server/rules/access.hpp"

#include <algorithm>
#include <cstring>

#include "mql/bson_compare.hpp"
#include "mql/bson_diff.hpp"
#include "mql/path.hpp"

namespace tombolo::rules {

using mql::BsonDocumentView;
using mql::BsonElement;
using mql::BsonView;

namespace {

// An expression that cannot be evaluated denies.
bool holds(const Predicate& predicate, const Subject& subject) {
    const auto result = predicate.test(subject);
    return result && *result;
}

// A bound expression, or none. What it says whatever the document is, is known without asking it.
class Permission {
  public:
    enum class Kind : std::uint8_t { undefined, always, never, ask };

    Permission() = default;
    Permission(const Expression& expression, const BindingValues& values) {
        if (expression.is_defined()) {
            predicate_ = expression.bind(values);
            const auto constant = predicate_->constant();
            kind_ = !constant ? Kind::ask : (*constant ? Kind::always : Kind::never);
        }
    }

    Kind kind() const noexcept { return kind_; }
    bool is_defined() const noexcept { return kind_ != Kind::undefined; }
    bool is_always() const noexcept { return kind_ == Kind::always; }
    bool is_never() const noexcept { return kind_ == Kind::never; }
    bool holds(const Subject& subject, bool if_undefined) const {
        switch (kind_) {
        case Kind::undefined:
            return if_undefined;
        case Kind::always:
            return true;
        case Kind::never:
            return false;
        case Kind::ask:
            break;
        }
        return rules::holds(*predicate_, subject);
    }
    /// REQUIRES: is_defined().
    std::optional<mql::BsonDocument> query() const { return predicate_->query(); }

  private:
    std::optional<Predicate> predicate_;
    Kind kind_ = Kind::undefined;
};

constexpr std::size_t few_fields = 8;

struct NamedField;

struct BoundField {
    enum class Reads : std::uint8_t { always, never, ask };

    Permission read;
    Permission write;
    std::vector<NamedField> fields; ///< sorted by name
    Reads reads = Reads::ask;       ///< what `read` and `write` say whatever the document is
    /// Positions of the fields that are not readable whatever the document is.
    std::vector<std::size_t> doubtful;

    const BoundField* find(std::string_view name) const;
    /// The same among the doubtful.
    const BoundField* find_doubtful(std::string_view name) const;
    void finish();
    /// Its own permissions say nothing: those of the fields inside do.
    bool asks_inside() const;
};

struct NamedField {
    std::string name;
    BoundField field;
};

bool is_named(const NamedField& entry, std::string_view name) {
    return entry.name.size() == name.size() &&
           (name.empty() || entry.name.front() == name.front()) && entry.name == name;
}

const BoundField* BoundField::find(std::string_view name) const {
    // A look at each name's length is quicker than comparing the few that a search needs.
    if (fields.size() <= few_fields) {
        for (const NamedField& entry : fields) {
            if (is_named(entry, name)) {
                return &entry.field;
            }
        }
        return nullptr;
    }
    const auto at = std::lower_bound(
        fields.begin(), fields.end(), name,
        [](const NamedField& entry, std::string_view wanted) { return entry.name < wanted; });
    return at != fields.end() && at->name == name ? &at->field : nullptr;
}

const BoundField* BoundField::find_doubtful(std::string_view name) const {
    if (doubtful.size() > few_fields) {
        return find(name);
    }
    for (const std::size_t at : doubtful) {
        if (is_named(fields[at], name)) {
            return &fields[at].field;
        }
    }
    return nullptr;
}

void BoundField::finish() {
    for (std::size_t at = 0; at < fields.size(); ++at) {
        if (fields[at].field.reads != Reads::always || fields[at].field.asks_inside()) {
            doubtful.push_back(at);
        }
    }
}

bool BoundField::asks_inside() const {
    return !read.is_defined() && !write.is_defined() && !fields.empty();
}

BoundField::Reads certainty(const BoundField& field) {
    if (field.read.is_always() || field.write.is_always()) {
        return BoundField::Reads::always;
    }
    const bool asks =
        field.read.kind() == Permission::Kind::ask || field.write.kind() == Permission::Kind::ask;
    return asks ? BoundField::Reads::ask : BoundField::Reads::never;
}

BoundField bind_field(const FieldRule& rule, const BindingValues& values) {
    BoundField out;
    out.read = Permission(rule.read, values);
    out.write = Permission(rule.write, values);
    out.reads = certainty(out);
    for (const auto& [name, field] : rule.fields) { // in the order of names
        out.fields.push_back({name, bind_field(field, values)});
    }
    out.finish();
    return out;
}

struct BoundRole {
    std::string name;
    Permission apply_when; ///< undefined: always
    Permission filter_read;
    Permission filter_write;
    Permission read;
    Permission write;
    Permission insert;
    Permission erase;
    BoundField top; ///< `fields`, with additional_fields as its own permissions
};

BoundRole bind_role(const Role& role, const BindingValues& values) {
    BoundRole out{role.name,
                  Permission(role.apply_when, values),
                  Permission(role.filter_read, values),
                  Permission(role.filter_write, values),
                  Permission(role.read, values),
                  Permission(role.write, values),
                  Permission(role.insert, values),
                  Permission(role.erase, values),
                  bind_field(role.additional_fields, values)};
    out.top.fields.clear();
    out.top.doubtful.clear();
    for (const auto& [name, field] : role.fields) {
        out.top.fields.push_back({name, bind_field(field, values)});
    }
    out.top.finish();
    return out;
}

// An element of a document and where it begins and ends. Names are short: their end is looked for
// byte by byte.
struct RawElement {
    explicit RawElement(const std::byte* position) : begin(position) {
        const auto* name = reinterpret_cast<const char*>(position + 1);
        std::size_t length = 0;
        while (name[length] != '\0') {
            ++length;
        }
        const auto type = static_cast<mql::BsonType>(*position);
        const std::byte* value = position + 2 + length;
        const std::uint32_t size = mql::detail::value_size(type, value);
        element = {{name, length}, BsonView(type, {value, size})};
        end = value + size;
    }

    const std::byte* begin;
    const std::byte* end;
    BsonElement element;
};

// Builds a document in a buffer that outlives it: its runs of elements are copied as they stand.
class RawDocument {
  public:
    explicit RawDocument(std::vector<std::byte>& bytes) : bytes_(bytes) {
        bytes_.clear();
        bytes_.resize(4);
    }

    void append(const std::byte* first, const std::byte* last) {
        bytes_.insert(bytes_.end(), first, last);
    }
    /// Where the document or array begins, for end().
    std::size_t begin(mql::BsonType type, std::string_view key) {
        bytes_.push_back(static_cast<std::byte>(type));
        const auto* first = reinterpret_cast<const std::byte*>(key.data());
        bytes_.insert(bytes_.end(), first, first + key.size());
        bytes_.push_back(std::byte{0});
        bytes_.resize(bytes_.size() + 4);
        return bytes_.size() - 4;
    }
    void end(std::size_t start) {
        bytes_.push_back(std::byte{0});
        const auto length = static_cast<std::uint32_t>(bytes_.size() - start);
        std::memcpy(bytes_.data() + start, &length, sizeof length);
    }
    BsonDocumentView finish() {
        end(0);
        return BsonDocumentView::from_trusted(bytes_);
    }

  private:
    std::vector<std::byte>& bytes_;
};

// Copies what may be read of a document; says whether all of it may.
class FieldReader {
  public:
    FieldReader(const BoundField& top, const Subject& subject, std::vector<std::byte>& buffer)
        : top_(top), subject_(subject), out_(buffer) {}

    Visible run() {
        const bool any = copy(top_, subject_.root, true);
        Visible out;
        if (!any) {
            return out;
        }
        if (whole_) {
            out.kind = Visible::Kind::whole;
        } else {
            out.kind = Visible::Kind::fields;
            out.document = out_.finish();
        }
        return out;
    }

  private:
    // True when any field but _id may be read, or nothing but _id is there. Neighbours that may be
    // read are copied together.
    bool copy(const BoundField& rules, BsonDocumentView document, bool top) {
        bool any = false;
        bool other = false;
        // What has no rule of its own may be read: then only the doubtful are looked for.
        const bool open = top && rules.reads == BoundField::Reads::always;
        const std::byte* at = document.bytes().data() + 4;
        const std::byte* copied = at;
        while (*at != std::byte{0}) {
            const RawElement raw(at);
            const BsonElement& field = raw.element;
            at = raw.end;
            if (top && field.key == "_id") {
                continue;
            }
            other = true;
            const BoundField* rule = open ? rules.find_doubtful(field.key) : rules.find(field.key);
            if (open && rule == nullptr) {
                any = true;
                continue;
            }
            const bool asks_inside = rule != nullptr && rule->asks_inside();
            // Without a rule of its own a field of the document is an additional one; inside
            // embedded documents there are none.
            if (rule == nullptr && top) {
                rule = &rules;
            }
            if (!asks_inside && rule != nullptr && readable(*rule, field.value)) {
                any = true;
                continue;
            }
            out_.append(copied, raw.begin);
            copied = at;
            if (asks_inside) {
                any = copy_inside(*rule, field) || any;
            } else {
                whole_ = false;
            }
        }
        out_.append(copied, at);
        return any || !other;
    }

    bool copy_inside(const BoundField& rule, const BsonElement& element) {
        if (element.value.is_document()) {
            const std::size_t start = out_.begin(mql::BsonType::document, element.key);
            const bool any = copy(rule, element.value.as_document(), false);
            out_.end(start);
            return any;
        }
        if (!element.value.is_array()) {
            whole_ = false; // a value where rules expect a document: nothing is said about it
            return false;
        }
        bool any = false;
        std::size_t index = 0;
        const std::size_t start = out_.begin(mql::BsonType::array, element.key);
        for (const BsonElement& item : element.value.as_document()) {
            if (item.value.is_document()) {
                const std::size_t place =
                    out_.begin(mql::BsonType::document, std::to_string(index++));
                any = copy(rule, item.value.as_document(), false) || any;
                out_.end(place);
            } else {
                whole_ = false;
            }
        }
        out_.end(start);
        return any;
    }

    bool readable(const BoundField& rule, BsonView value) const {
        if (rule.reads != BoundField::Reads::ask) {
            return rule.reads == BoundField::Reads::always;
        }
        Subject subject = subject_;
        subject.field = value;
        subject.previous_field = value;
        return rule.read.holds(subject, false) || rule.write.holds(subject, false);
    }

    const BoundField& top_;
    const Subject& subject_;
    RawDocument out_;
    bool whole_ = true;
};

// Finds the first change that may not be made.
class FieldWriter {
  public:
    FieldWriter(const BoundField& top, const Subject& subject) : top_(top), subject_(subject) {}

    /// The path of a field that may not be written; empty when all may.
    std::string denied(BsonDocumentView before, BsonDocumentView after) {
        for (const mql::FieldChange& change : mql::diff(before, after)) {
            if (change.path.front() == "_id") {
                continue; // an update cannot change it, an insert must bring it
            }
            if (!writable(change)) {
                std::string path;
                for (const std::string_view part : change.path) {
                    path += (path.empty() ? "" : ".") + std::string(part);
                }
                return path;
            }
        }
        return {};
    }

  private:
    // Walks to the rule that speaks for the changed place. A change of a whole embedded document
    // must be allowed in each of its fields.
    bool writable(const mql::FieldChange& change) const {
        const BoundField* rule = top_.find(change.path.front());
        std::size_t depth = 1;
        if (rule == nullptr) {
            return allowed(top_, top_value(change.path.front(), true),
                           top_value(change.path.front(), false));
        }
        BsonView before = top_value(change.path.front(), true);
        BsonView after = top_value(change.path.front(), false);
        while (rule->asks_inside() && depth < change.path.size()) {
            const bool in_array = before.is_array() || after.is_array();
            before = inside(before, change.path[depth]);
            after = inside(after, change.path[depth]);
            if (!in_array) {
                rule = rule->find(change.path[depth]);
                if (rule == nullptr) {
                    return false;
                }
            }
            ++depth;
        }
        return rule->asks_inside() ? allowed_inside(*rule, before, after)
                                   : allowed(*rule, before, after);
    }

    bool allowed_inside(const BoundField& rule, BsonView before, BsonView after) const {
        return allowed_value(rule, before, false) && allowed_value(rule, after, true);
    }

    // Every field of a value that comes or goes as a whole.
    bool allowed_value(const BoundField& rule, BsonView value, bool coming) const {
        if (value.is_nullish()) {
            return true;
        }
        if (!value.is_container()) {
            return false;
        }
        for (const BsonElement& element : value.as_document()) {
            const BoundField* field = value.is_array() ? &rule : rule.find(element.key);
            if (field == nullptr) {
                return false;
            }
            const bool deeper = value.is_array() || field->asks_inside();
            if (!(deeper ? allowed_value(*field, element.value, coming)
                         : allowed(*field, coming ? BsonView() : element.value,
                                   coming ? element.value : BsonView()))) {
                return false;
            }
        }
        return true;
    }

    bool allowed(const BoundField& rule, BsonView before, BsonView after) const {
        Subject subject = subject_;
        subject.previous_field = before;
        subject.field = after;
        return rule.write.holds(subject, false);
    }

    BsonView top_value(std::string_view name, bool before) const {
        if (before) {
            return subject_.previous != nullptr ? subject_.previous->find(name) : BsonView();
        }
        return subject_.root.find(name);
    }

    static BsonView inside(BsonView value, std::string_view part) {
        if (value.is_document()) {
            return value.as_document().find(part);
        }
        const std::int64_t index = mql::array_index(part);
        return value.is_array() && index >= 0
                   ? value.as_document().at(static_cast<std::size_t>(index))
                   : BsonView();
    }

    const BoundField& top_;
    const Subject& subject_;
};

} // namespace

struct CollectionAccess::State {
    std::vector<BoundRole> roles;
    bool has_rules = false;
    std::vector<std::byte> buffer; ///< of read()
    std::vector<Predicate> filter_queries;
    std::vector<mql::Projection> filter_projections;

    const BoundRole* role_of(const Subject& subject) const {
        for (const BoundRole& role : roles) {
            if (role.apply_when.holds(subject, true)) {
                return &role;
            }
        }
        return nullptr;
    }
};

CollectionAccess::CollectionAccess(std::unique_ptr<State> state) : state_(std::move(state)) {}
CollectionAccess::CollectionAccess(CollectionAccess&&) noexcept = default;
CollectionAccess& CollectionAccess::operator=(CollectionAccess&&) noexcept = default;
CollectionAccess::~CollectionAccess() = default;

CollectionAccess CollectionAccess::bind(const AppRules& app,
                                        const store::CollectionName& collection,
                                        const Facts& facts) {
    auto state = std::make_unique<State>();
    const CollectionRules* rules = app.find(collection);
    if (rules == nullptr) {
        return CollectionAccess(std::move(state));
    }
    state->has_rules = true;
    if (rules->broken) {
        return CollectionAccess(std::move(state));
    }
    const std::vector<QueryFilter>* filters = app.filters(collection);
    const bool asks =
        rules->uses_custom_data ||
        (filters != nullptr &&
         std::any_of(filters->begin(), filters->end(), [](const auto& filter) {
             return filter.apply_when.uses_custom_data() || filter.query.uses_custom_data();
         }));
    mql::BsonDocument custom_data;
    if (facts.custom_data && asks) {
        custom_data = facts.custom_data();
    }
    const BindingValues values{facts, app.values(), app.environment(), custom_data};
    for (const Role& role : rules->roles) {
        BoundRole bound = bind_role(role, values);
        if (bound.apply_when.is_never()) {
            continue;
        }
        const bool last = !bound.apply_when.is_defined() || bound.apply_when.is_always();
        state->roles.push_back(std::move(bound));
        if (last) {
            break; // no later role is ever asked
        }
    }
    if (filters != nullptr) {
        for (const QueryFilter& filter : *filters) {
            const bool applies =
                !filter.apply_when.is_defined() || holds(filter.apply_when.bind(values), {});
            if (!applies) {
                continue;
            }
            if (filter.query.is_defined()) {
                state->filter_queries.push_back(filter.query.bind(values));
            }
            if (!filter.projection.view().empty()) {
                // Compiled once already when the rules were read.
                state->filter_projections.push_back(
                    mql::Projection::compile(filter.projection).value());
            }
        }
    }
    return CollectionAccess(std::move(state));
}

bool CollectionAccess::has_rules() const noexcept {
    return state_->has_rules;
}

Visible CollectionAccess::read(BsonDocumentView document) const {
    Subject subject;
    subject.root = document;
    subject.previous = &document;
    const BoundRole* role = state_->role_of(subject);
    Visible out;
    if (role == nullptr) {
        return out;
    }
    out.role = role->name;
    // Whoever may write may read.
    const bool reads = role->filter_read.holds(subject, true);
    const bool writes =
        (!reads || !role->read.is_always()) && role->filter_write.holds(subject, true);
    if (!reads && !writes) {
        return out;
    }
    if (role->read.holds(subject, false) || (writes && role->write.holds(subject, false))) {
        out.kind = Visible::Kind::whole;
        return out;
    }
    if (role->read.is_defined()) {
        return out;
    }
    out = FieldReader(role->top, subject, state_->buffer).run();
    out.role = role->name;
    return out;
}

namespace {

Verdict deny(const BoundRole* role, std::string reason) {
    Verdict out;
    out.role = role != nullptr ? std::string_view(role->name) : std::string_view();
    out.reason = std::move(reason);
    return out;
}

Verdict allow(const BoundRole& role) {
    return {true, role.name, {}};
}

// Top-level `write`, else the fields that differ.
std::string denied_write(const BoundRole& role, const Subject& subject, BsonDocumentView before,
                         BsonDocumentView after) {
    if (role.write.is_defined()) {
        return role.write.holds(subject, false) ? std::string() : std::string("write");
    }
    const std::string field = FieldWriter(role.top, subject).denied(before, after);
    return field.empty() ? std::string() : "write of field '" + field + "'";
}

} // namespace

Verdict CollectionAccess::insert(BsonDocumentView after) const {
    Subject subject;
    subject.root = after;
    const BoundRole* role = state_->role_of(subject);
    if (role == nullptr) {
        return deny(role, "no role applies");
    }
    if (!role->filter_write.holds(subject, true)) {
        return deny(role, "document_filters.write");
    }
    std::string denied = denied_write(*role, subject, BsonDocumentView(), after);
    if (!denied.empty()) {
        return deny(role, std::move(denied));
    }
    return role->insert.holds(subject, true) ? allow(*role) : deny(role, "insert");
}

Verdict CollectionAccess::update(BsonDocumentView before, BsonDocumentView after) const {
    Subject old;
    old.root = before;
    old.previous = &before;
    const BoundRole* role = state_->role_of(old);
    if (role == nullptr) {
        return deny(role, "no role applies");
    }
    Subject subject;
    subject.root = after;
    subject.previous = &before;
    if (!role->filter_write.holds(old, true)) {
        return deny(role, "document_filters.write before the change");
    }
    if (!role->filter_write.holds(subject, true)) {
        return deny(role, "document_filters.write after the change");
    }
    std::string denied = denied_write(*role, subject, before, after);
    return denied.empty() ? allow(*role) : deny(role, std::move(denied));
}

Verdict CollectionAccess::erase(BsonDocumentView before) const {
    Subject subject;
    subject.root = before;
    subject.previous = &before;
    const BoundRole* role = state_->role_of(subject);
    if (role == nullptr) {
        return deny(role, "no role applies");
    }
    if (!role->filter_write.holds(subject, true)) {
        return deny(role, "document_filters.write");
    }
    if (!role->erase.holds(subject, true)) {
        return deny(role, "delete");
    }
    std::string denied = denied_write(*role, subject, before, BsonDocumentView());
    return denied.empty() ? allow(*role) : deny(role, std::move(denied));
}

std::optional<mql::BsonDocument> CollectionAccess::read_query() const {
    // With a role that always applies before all others, its filters bound what can be read.
    if (state_->roles.size() != 1 || (state_->roles.front().apply_when.is_defined() &&
                                      !state_->roles.front().apply_when.is_always())) {
        return std::nullopt;
    }
    const BoundRole& role = state_->roles.front();
    if (!role.filter_read.is_defined() || !role.filter_write.is_defined()) {
        return std::nullopt; // undefined is true
    }
    const auto reads = role.filter_read.query();
    const auto writes = role.filter_write.query();
    if (!reads || !writes) {
        return std::nullopt;
    }
    const bool same = mql::identical(reads->view().as_value(), writes->view().as_value());
    if (same || role.filter_write.is_never()) {
        return reads;
    }
    if (role.filter_read.is_never()) {
        return writes;
    }
    mql::BsonWriter writer;
    writer.begin_array("$or");
    writer.append({}, reads->view().as_value());
    writer.append({}, writes->view().as_value());
    return std::move(writer).finish();
}

const std::vector<Predicate>& CollectionAccess::filter_queries() const noexcept {
    return state_->filter_queries;
}

const std::vector<mql::Projection>& CollectionAccess::filter_projections() const noexcept {
    return state_->filter_projections;
}

} // namespace tombolo::rules
