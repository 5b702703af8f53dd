#include "schema/validation.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "core/limits.hpp"

namespace tombolo::schema {

namespace {

constexpr std::size_t properties_max = 65'535;

bool is_key_type(PropertyType type) noexcept {
    return type == PropertyType::integer || type == PropertyType::string ||
           type == PropertyType::object_id || type == PropertyType::uuid;
}

bool is_indexable(const Property& property) noexcept {
    if (property.is_collection()) {
        return property.collection == CollectionKind::list && property.type == PropertyType::string;
    }
    switch (property.type) {
    case PropertyType::integer:
    case PropertyType::boolean:
    case PropertyType::timestamp:
    case PropertyType::string:
    case PropertyType::object_id:
    case PropertyType::uuid:
    case PropertyType::mixed:
        return true;
    default:
        return false;
    }
}

// One run over a schema; problems are collected in reading order.
class Validator {
  public:
    Validator(const Schema& schema, const ValidationOptions& options)
        : schema_(schema), options_(options) {}

    SchemaProblems run() {
        for (const ClassSchema& class_schema : schema_.classes()) {
            class_ = &class_schema;
            check_class();
            for (const Property& property : class_schema.properties()) {
                property_ = &property;
                check_property();
            }
        }
        check_embedded_cycles();
        if (options_.classes_listed_explicitly) {
            check_embedded_orphans();
        }
        return std::move(problems_);
    }

  private:
    bool synced() const noexcept { return options_.use != SchemaUse::local; }

    std::string here() const { return "property '" + class_->name() + "." + property_->name + "'"; }
    std::string class_here() const { return "class '" + class_->name() + "'"; }

    void report_class(ProblemCode code, std::string text) {
        problems_.push_back({code, class_->name(), "", std::move(text)});
    }
    void report(ProblemCode code, std::string text) {
        problems_.push_back({code, class_->name(), property_->name, std::move(text)});
    }

    void check_class();
    void check_primary_key();
    void check_aliases();
    void check_property();
    void check_property_name();
    void check_linking_objects();
    void check_link();
    void check_nullability();
    void check_indexes();
    void check_embedded_cycles();
    void check_embedded_orphans();
    std::vector<std::pair<const Property*, const ClassSchema*>>
    embedded_children(const ClassSchema& parent) const;
    void report_cycle(const std::vector<std::pair<const ClassSchema*, const Property*>>& cycle);

    const Schema& schema_;
    const ValidationOptions& options_;
    const ClassSchema* class_ = nullptr;
    const Property* property_ = nullptr;
    SchemaProblems problems_;
};

void Validator::check_class() {
    const std::string& name = class_->name();
    if (schema_.find(name) != class_) {
        report_class(ProblemCode::duplicate_class,
                     class_here() + " is defined more than once; keep one definition");
    }
    if (name.empty() || name.size() > limits::class_name_bytes_max || !is_utf8(name) ||
        name.find('\0') != std::string::npos) {
        report_class(ProblemCode::invalid_class_name,
                     class_here() + " has a name of " + std::to_string(name.size()) +
                         " bytes; a class name is valid UTF-8 of 1 to " +
                         std::to_string(limits::class_name_bytes_max) + " bytes without NUL");
    }
    if (class_->properties().size() > properties_max) {
        report_class(ProblemCode::too_many_properties,
                     class_here() + " has " + std::to_string(class_->properties().size()) +
                         " properties; at most 65535 are possible");
    }
    if (class_->is_asymmetric() && options_.use != SchemaUse::flexible_sync) {
        report_class(ProblemCode::asymmetric_not_allowed,
                     class_here() +
                         " is asymmetric, which only a database with flexible sync can hold");
    }
    check_primary_key();
    check_aliases();
}

void Validator::check_primary_key() {
    const Property* first = nullptr;
    for (const Property& property : class_->properties()) {
        if (!property.primary_key) {
            continue;
        }
        property_ = &property;
        if (first != nullptr) {
            report(ProblemCode::two_primary_keys, here() + " is a second primary key, '" +
                                                      first->name +
                                                      "' is the first; a class has at most one");
            continue;
        }
        first = &property;
        if (class_->is_embedded()) {
            report(ProblemCode::embedded_with_primary_key,
                   here() + " is a primary key, but embedded objects have none");
        }
    }
    if (!synced() || class_->is_embedded()) {
        return;
    }
    if (first == nullptr) {
        report_class(ProblemCode::missing_primary_key,
                     class_here() + " has no primary key; a synced class needs one named '_id'");
    } else if (first->name != "_id") {
        property_ = first;
        report(ProblemCode::primary_key_not_id,
               here() + " is the primary key; in a synced class it must be named '_id'");
    }
}

void Validator::check_aliases() {
    std::map<std::string_view, const Property*> names;
    for (const Property& property : class_->properties()) {
        property_ = &property;
        if (!names.emplace(property.name, &property).second) {
            report(ProblemCode::duplicate_property,
                   here() + " is defined more than once; keep one definition");
        }
    }
    std::set<std::string_view> aliases;
    for (const Property& property : class_->properties()) {
        if (property.alias.empty()) {
            continue;
        }
        property_ = &property;
        if (!aliases.insert(property.alias).second) {
            report(ProblemCode::duplicate_alias, here() + " has the alias '" + property.alias +
                                                     "', which another property of the class has");
        }
        const auto named = names.find(property.alias);
        if (named != names.end() && named->second->name != property.name) {
            report(ProblemCode::alias_is_property_name,
                   here() + " has the alias '" + property.alias +
                       "', which is the name of another property of the class");
        }
    }
}

void Validator::check_property() {
    check_property_name();
    if (property_->is_computed()) {
        check_linking_objects();
    } else if (property_->is_link()) {
        check_link();
    } else if (!property_->target.empty()) {
        report(ProblemCode::unexpected_target,
               here() + " is of type " + type_text(*property_) + " and cannot name a target class");
    }
    if (!property_->is_computed() && !property_->origin.empty()) {
        report(ProblemCode::unexpected_target,
               here() + " names an origin property, which only linking objects have");
    }
    check_nullability();
    check_indexes();
    if (property_->primary_key && (!is_key_type(property_->type) || property_->is_collection())) {
        report(ProblemCode::bad_primary_key_type,
               here() + " is a primary key of type " + type_text(*property_) +
                   "; a primary key is an Int, String, ObjectId or UUID");
    }
    if (!property_->default_value.is_null() &&
        (property_->is_computed() || !value_fits(*property_, property_->default_value))) {
        report(ProblemCode::bad_default, here() + " has a default that is no " +
                                             type_text(*property_) + ": " +
                                             to_text(property_->default_value));
    }
}

void Validator::check_property_name() {
    const std::string& name = property_->name;
    if (name.empty() || name.size() > limits::property_name_bytes_max || !is_utf8(name) ||
        name.find('\0') != std::string::npos) {
        report(ProblemCode::invalid_property_name,
               here() + " has a name of " + std::to_string(name.size()) +
                   " bytes; a property name is valid UTF-8 of 1 to " +
                   std::to_string(limits::property_name_bytes_max) + " bytes without NUL");
    }
}

void Validator::check_linking_objects() {
    if (property_->collection != CollectionKind::list || property_->nullable) {
        report(ProblemCode::linking_objects_not_list,
               here() + " is of type linking objects, which is always a list and never null");
    }
    const ClassSchema* source = schema_.find(property_->target);
    if (source == nullptr) {
        report(ProblemCode::unknown_target,
               here() + " follows links of class '" + property_->target +
                   "', which is not in the schema; add the class or remove the property");
        return;
    }
    const std::string origin_text = "'" + property_->target + "." + property_->origin + "'";
    const Property* origin = source->find(property_->origin);
    if (origin == nullptr) {
        report(ProblemCode::linking_objects_without_origin,
               here() + " follows the link " + origin_text + ", which does not exist");
    } else if (!origin->is_link()) {
        report(ProblemCode::linking_objects_origin_not_link,
               here() + " follows " + origin_text + ", which is of type " + type_text(*origin) +
                   " and no link");
    } else if (origin->target != class_->name()) {
        report(ProblemCode::linking_objects_wrong_target,
               here() + " follows the link " + origin_text + ", which leads to class '" +
                   origin->target + "' instead of '" + class_->name() + "'");
    }
}

void Validator::check_link() {
    const ClassSchema* target = schema_.find(property_->target);
    if (target == nullptr) {
        report(ProblemCode::unknown_target,
               here() + (property_->target.empty()
                             ? std::string(" is a link without a target class; name the class")
                             : " links to class '" + property_->target +
                                   "', which is not in the schema; add the class or remove the "
                                   "property"));
        return;
    }
    if (target->is_asymmetric()) {
        report(ProblemCode::link_to_asymmetric,
               here() + " links to class '" + property_->target +
                   "', which is asymmetric: its objects cannot be read, so nothing can link to it");
    }
    if (target->is_embedded() && property_->collection == CollectionKind::set) {
        report(ProblemCode::set_of_embedded, here() + " is a set of embedded objects of class '" +
                                                 property_->target +
                                                 "'; use a list or a dictionary");
    }
}

void Validator::check_nullability() {
    if (property_->is_link()) {
        switch (property_->collection) {
        case CollectionKind::none:
            if (!property_->nullable) {
                report(ProblemCode::link_not_nullable,
                       here() + " is a link to one object and must be optional");
            }
            break;
        case CollectionKind::list:
        case CollectionKind::set:
            if (property_->nullable) {
                report(ProblemCode::nullable_list_of_objects,
                       here() + " is a " + std::string(collection_name(property_->collection)) +
                           " of objects, whose elements cannot be optional");
            }
            break;
        case CollectionKind::dictionary:
            if (!property_->nullable) {
                report(ProblemCode::dictionary_of_objects_not_nullable,
                       here() + " is a dictionary of objects, whose values must be optional");
            }
            break;
        }
    }
    // A dictionary of Mixed is seen with either flag on the wire (changesets-and-merge.md 1.8); its
    // values can be null.
    if (property_->type == PropertyType::mixed && !property_->nullable &&
        property_->collection != CollectionKind::dictionary) {
        report(ProblemCode::mixed_not_nullable,
               here() + " is of type Mixed, which can always be null: declare it optional");
    }
}

void Validator::check_indexes() {
    if (property_->indexed && !is_indexable(*property_)) {
        report(ProblemCode::bad_index_type,
               here() + " is indexed, which type " + type_text(*property_) +
                   " cannot be: an index needs an Int, Bool, Date, String, ObjectId, UUID, Mixed "
                   "or a List<String>");
    }
    if (!property_->full_text) {
        return;
    }
    if (property_->type != PropertyType::string || property_->is_collection()) {
        report(ProblemCode::bad_full_text_type, here() + " has a full-text index, which type " +
                                                    type_text(*property_) +
                                                    " cannot have: it needs a String");
    } else if (property_->primary_key) {
        report(ProblemCode::bad_full_text_type,
               here() + " is the primary key and cannot have a full-text index");
    } else if (property_->indexed) {
        report(ProblemCode::bad_full_text_type,
               here() + " has a general and a full-text index; choose one");
    }
}

std::vector<std::pair<const Property*, const ClassSchema*>>
Validator::embedded_children(const ClassSchema& parent) const {
    std::vector<std::pair<const Property*, const ClassSchema*>> children;
    for (const Property& property : parent.properties()) {
        if (!property.is_link()) {
            continue;
        }
        const ClassSchema* target = schema_.find(property.target);
        if (target != nullptr && target->is_embedded()) {
            children.emplace_back(&property, target);
        }
    }
    return children;
}

// Depth first over the embedded places, without recursion: a back edge into the current path is a
// cycle.
void Validator::check_embedded_cycles() {
    enum class State : std::uint8_t { open, done };
    struct Frame {
        const ClassSchema* at;
        std::vector<std::pair<const Property*, const ClassSchema*>> children;
        std::size_t next;
    };
    std::map<const ClassSchema*, State> states;
    for (const ClassSchema& start : schema_.classes()) {
        if (!start.is_embedded() || states.count(&start) != 0) {
            continue;
        }
        std::vector<Frame> path;
        path.push_back({&start, embedded_children(start), 0});
        states[&start] = State::open;
        while (!path.empty()) {
            Frame& frame = path.back();
            if (frame.next == frame.children.size()) {
                states[frame.at] = State::done;
                path.pop_back();
                continue;
            }
            const ClassSchema* child = frame.children[frame.next++].second;
            const auto known = states.find(child);
            if (known == states.end()) {
                states[child] = State::open;
                path.push_back({child, embedded_children(*child), 0});
            } else if (known->second == State::open) {
                auto first = std::find_if(path.begin(), path.end(),
                                          [&](const Frame& step) { return step.at == child; });
                std::vector<std::pair<const ClassSchema*, const Property*>> cycle;
                for (; first != path.end(); ++first) {
                    cycle.emplace_back(first->at, first->children[first->next - 1].first);
                }
                report_cycle(cycle);
            }
        }
    }
}

void Validator::report_cycle(
    const std::vector<std::pair<const ClassSchema*, const Property*>>& cycle) {
    class_ = cycle.front().first;
    property_ = cycle.front().second;
    std::string way;
    for (const auto& [class_schema, property] : cycle) {
        way += class_schema->name() + "." + property->name + " -> ";
    }
    report(ProblemCode::embedded_cycle, here() + " makes an embedded class hold itself: " + way +
                                            class_->name() +
                                            "; break the circle with a link to a top-level class");
}

void Validator::check_embedded_orphans() {
    std::set<const ClassSchema*> held;
    std::vector<const ClassSchema*> open;
    for (const ClassSchema& class_schema : schema_.classes()) {
        if (!class_schema.is_embedded()) {
            open.push_back(&class_schema);
        }
    }
    while (!open.empty()) {
        const ClassSchema* at = open.back();
        open.pop_back();
        for (const auto& [property, child] : embedded_children(*at)) {
            if (held.insert(child).second) {
                open.push_back(child);
            }
        }
    }
    for (const ClassSchema& class_schema : schema_.classes()) {
        if (class_schema.is_embedded() && held.count(&class_schema) == 0) {
            class_ = &class_schema;
            report_class(ProblemCode::embedded_orphan,
                         class_here() + " is embedded, but no top-level class holds it; add a "
                                        "property that does or remove the class");
        }
    }
}

bool element_fits(const Property& property, const Value& value) noexcept {
    if (value.is_null()) {
        return property.nullable || property.type == PropertyType::mixed;
    }
    switch (property.type) {
    case PropertyType::mixed:
        // Sets and embedded objects cannot stand in a Mixed; a set of Mixed holds no collections.
        return value.is_scalar() ||
               ((value.type() == ValueType::list || value.type() == ValueType::dictionary) &&
                property.collection != CollectionKind::set);
    case PropertyType::link:
        if (value.type() == ValueType::object) {
            return property.collection != CollectionKind::set;
        }
        return value.link() != nullptr && value.link()->class_name == property.target;
    case PropertyType::linking_objects:
        return false;
    default:
        return property_type_of(value.type()) == property.type && value.is_scalar();
    }
}

} // namespace

SchemaProblems validate(const Schema& schema, const ValidationOptions& options) {
    return Validator(schema, options).run();
}

Result<void> check_schema(const Schema& schema, const ValidationOptions& options) {
    const SchemaProblems problems = validate(schema, options);
    if (has_errors(problems)) {
        return to_error(problems);
    }
    return {};
}

bool value_fits(const Property& property, const Value& value) noexcept {
    const auto fits = [&](const Value& element) { return element_fits(property, element); };
    switch (property.collection) {
    case CollectionKind::none:
        return fits(value);
    case CollectionKind::list: {
        const List* list = value.get_if<List>();
        return list != nullptr && std::all_of(list->elements.begin(), list->elements.end(), fits);
    }
    case CollectionKind::set: {
        const Set* set = value.get_if<Set>();
        return set != nullptr && std::all_of(set->elements().begin(), set->elements().end(), fits);
    }
    case CollectionKind::dictionary: {
        const Dictionary* dictionary = value.get_if<Dictionary>();
        return dictionary != nullptr &&
               std::all_of(dictionary->entries().begin(), dictionary->entries().end(),
                           [&](const Dictionary::Entry& entry) { return fits(entry.second); });
    }
    }
    return false;
}

bool is_geo_point(const ClassSchema& class_schema) noexcept {
    const Property* type = class_schema.find("type");
    const Property* coordinates = class_schema.find("coordinates");
    return class_schema.is_embedded() && type != nullptr && coordinates != nullptr &&
           type->type == PropertyType::string && !type->is_collection() &&
           coordinates->type == PropertyType::float64 &&
           coordinates->collection == CollectionKind::list;
}

} // namespace tombolo::schema
