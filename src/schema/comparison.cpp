#include "schema/comparison.hpp"

#include <algorithm>
#include <utility>

namespace tombolo::schema {

namespace {

class Comparison {
  public:
    Comparison(const Schema& before, const Schema& after) : before_(before), after_(after) {}

    std::vector<SchemaChange> run() {
        for (const ClassSchema& now : after_.classes()) {
            const ClassSchema* was = before_.find(now.name());
            if (was == nullptr) {
                add(ChangeKind::class_added, now.name(), "", ChangeEffect::additive,
                    ChangeEffect::additive,
                    std::string(kind_name(now.kind())) + " class '" + now.name() + "' is added");
            } else {
                compare_class(*was, now);
            }
        }
        for (const ClassSchema& was : before_.classes()) {
            if (after_.find(was.name()) == nullptr) {
                add(ChangeKind::class_removed, was.name(), "", ChangeEffect::breaking,
                    ChangeEffect::additive, "class '" + was.name() + "' is removed");
            }
        }
        return std::move(changes_);
    }

  private:
    void add(ChangeKind kind, std::string class_name, std::string property, ChangeEffect server,
             ChangeEffect client, std::string text) {
        changes_.push_back(
            {kind, std::move(class_name), std::move(property), server, client, std::move(text)});
    }

    void compare_class(const ClassSchema& was, const ClassSchema& now) {
        if (was.kind() != now.kind()) {
            add(ChangeKind::class_kind_changed, now.name(), "", ChangeEffect::breaking,
                ChangeEffect::breaking,
                "class '" + now.name() + "' changes from " + std::string(kind_name(was.kind())) +
                    " to " + std::string(kind_name(now.kind())));
        }
        compare_keys(was, now);
        for (const Property& property : now.properties()) {
            const Property* old = was.find(property.name);
            if (old != nullptr) {
                compare_property(now.name(), *old, property);
            } else {
                added(now.name(), property);
            }
        }
        for (const Property& old : was.properties()) {
            if (now.find(old.name) == nullptr) {
                // Linking objects are computed on the device and stored nowhere.
                const bool stored = !old.is_computed();
                add(ChangeKind::property_removed, now.name(), old.name,
                    stored ? ChangeEffect::breaking : ChangeEffect::none,
                    stored ? ChangeEffect::additive : ChangeEffect::none,
                    "property '" + now.name() + "." + old.name + "' is removed");
            }
        }
    }

    void compare_keys(const ClassSchema& was, const ClassSchema& now) {
        const Property* old_key = was.primary_key();
        const Property* new_key = now.primary_key();
        const std::string none = "none";
        const std::string old_name = old_key == nullptr ? none : "'" + old_key->name + "'";
        const std::string new_name = new_key == nullptr ? none : "'" + new_key->name + "'";
        if (old_name != new_name) {
            add(ChangeKind::primary_key_changed, now.name(), "", ChangeEffect::breaking,
                ChangeEffect::breaking,
                "class '" + now.name() + "' changes its primary key from " + old_name + " to " +
                    new_name);
        }
    }

    void added(const std::string& class_name, const Property& property) {
        const bool stored = !property.is_computed();
        const bool required = stored && !property.nullable && !property.is_collection();
        std::string text = std::string(required ? "required" : "optional") + " property '" +
                           class_name + "." + property.name + "' of type " + type_text(property) +
                           " is added";
        if (required && property.default_value.is_null()) {
            text += "; documents without it are not synced until it is filled";
        }
        const ChangeEffect effect = stored ? ChangeEffect::additive : ChangeEffect::none;
        add(ChangeKind::property_added, class_name, property.name, effect, effect, std::move(text));
    }

    void compare_property(const std::string& class_name, const Property& was, const Property& now) {
        const std::string subject = "property '" + class_name + "." + now.name + "' ";
        const auto breaking = [&](ChangeKind kind, const std::string& text) {
            add(kind, class_name, now.name, ChangeEffect::breaking, ChangeEffect::breaking,
                subject + text);
        };
        const std::string from_to = "from " + type_text(was) + " to " + type_text(now);
        if (was.type != now.type) {
            breaking(ChangeKind::type_changed, "changes its type " + from_to);
        } else if (was.collection != now.collection) {
            breaking(ChangeKind::collection_changed, "changes " + from_to);
        } else if (was.target != now.target || was.origin != now.origin) {
            const bool stored = !now.is_computed();
            add(ChangeKind::target_changed, class_name, now.name,
                stored ? ChangeEffect::breaking : ChangeEffect::none,
                stored ? ChangeEffect::breaking : ChangeEffect::none,
                subject + "leads elsewhere: " + from_to);
        } else if (was.nullable != now.nullable && now.type != PropertyType::mixed) {
            const bool elements = now.is_collection();
            breaking(ChangeKind::nullability_changed,
                     std::string(elements ? "changes its elements" : "changes") + " from " +
                         (was.nullable ? "optional to required" : "required to optional"));
        }
        compare_details(class_name, subject, was, now);
    }

    void compare_details(const std::string& class_name, const std::string& subject,
                         const Property& was, const Property& now) {
        const auto note = [&](ChangeKind kind, ChangeEffect server, const std::string& text) {
            add(kind, class_name, now.name, server, ChangeEffect::none, subject + text);
        };
        if (!identical(was.default_value, now.default_value)) {
            const auto text = [](const Value& value) {
                return value.is_null() ? std::string("none") : to_text(value);
            };
            note(ChangeKind::default_changed, ChangeEffect::additive,
                 "changes its default from " + text(was.default_value) + " to " +
                     text(now.default_value));
        }
        if (was.indexed != now.indexed || was.full_text != now.full_text) {
            note(ChangeKind::index_changed, ChangeEffect::none,
                 "changes its indexes, which are local");
        }
        if (was.int32_in_documents != now.int32_in_documents && was.type == now.type) {
            note(ChangeKind::document_type_changed, ChangeEffect::additive,
                 now.int32_in_documents ? "is stored as int instead of long from now on"
                                        : "is stored as long instead of int from now on");
        }
        if (was.alias != now.alias) {
            note(ChangeKind::alias_changed, ChangeEffect::none, "changes its name in code");
        }
    }

    const Schema& before_;
    const Schema& after_;
    std::vector<SchemaChange> changes_;
};

void compare_places(const Places& before, const Places& after, std::vector<SchemaChange>& changes) {
    for (const auto& [class_name, place] : after) {
        const auto was = before.find(class_name);
        if (was != before.end() && was->second != place) {
            changes.push_back({ChangeKind::place_changed, class_name, "", ChangeEffect::breaking,
                               ChangeEffect::none,
                               "class '" + class_name + "' moves from " + to_text(was->second) +
                                   " to " + to_text(place)});
        }
    }
}

} // namespace

std::string_view change_kind_name(ChangeKind kind) noexcept {
    switch (kind) {
    case ChangeKind::class_added:
        return "class_added";
    case ChangeKind::class_removed:
        return "class_removed";
    case ChangeKind::class_kind_changed:
        return "class_kind_changed";
    case ChangeKind::property_added:
        return "property_added";
    case ChangeKind::property_removed:
        return "property_removed";
    case ChangeKind::type_changed:
        return "type_changed";
    case ChangeKind::collection_changed:
        return "collection_changed";
    case ChangeKind::target_changed:
        return "target_changed";
    case ChangeKind::nullability_changed:
        return "nullability_changed";
    case ChangeKind::primary_key_changed:
        return "primary_key_changed";
    case ChangeKind::default_changed:
        return "default_changed";
    case ChangeKind::index_changed:
        return "index_changed";
    case ChangeKind::document_type_changed:
        return "document_type_changed";
    case ChangeKind::alias_changed:
        return "alias_changed";
    case ChangeKind::place_changed:
        return "place_changed";
    case ChangeKind::keywords_changed:
        return "keywords_changed";
    }
    return "unknown";
}

std::vector<SchemaChange> compare_schemas(const Schema& before, const Schema& after) {
    return Comparison(before, after).run();
}

std::vector<SchemaChange> compare_apps(const AppSchema& before, const AppSchema& after) {
    const DocumentSchema was = to_object_schema(before).documents;
    const DocumentSchema now = to_object_schema(after).documents;
    std::vector<SchemaChange> changes = compare_schemas(was.schema, now.schema);
    compare_places(was.places, now.places, changes);
    for (const CollectionSchema& collection : after.collections) {
        const CollectionSchema* old = before.find(collection.place);
        const std::string& title = collection.schema.title;
        const bool told = std::any_of(changes.begin(), changes.end(), [&](const SchemaChange& one) {
            return one.class_name == title;
        });
        // Types, fields and titles are told above; what is left are keywords for validation.
        if (old != nullptr && !told && !(old->schema == collection.schema)) {
            changes.push_back(
                {ChangeKind::keywords_changed, title, "", ChangeEffect::additive,
                 ChangeEffect::none,
                 "class '" + title + "' changes in keywords or in the order of its fields only"});
        }
    }
    return changes;
}

bool breaks_server(const std::vector<SchemaChange>& changes) noexcept {
    return std::any_of(changes.begin(), changes.end(), [](const SchemaChange& change) {
        return change.on_server == ChangeEffect::breaking;
    });
}

bool breaks_client(const std::vector<SchemaChange>& changes) noexcept {
    return std::any_of(changes.begin(), changes.end(), [](const SchemaChange& change) {
        return change.on_client == ChangeEffect::breaking;
    });
}

} // namespace tombolo::schema
