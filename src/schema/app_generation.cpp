// Object schema -> App Services schema: what development mode stores for a client's classes
// (device-sync-server.md 1.3, 2.3).

#include <utility>

#include "core/limits.hpp"
#include "schema/app_mapping.hpp"
#include "schema/default_value.hpp"
#include "schema/validation.hpp"

namespace tombolo::schema {

namespace {

constexpr std::size_t unfolded_properties_max = 100'000;

class Generator {
  public:
    Generator(const Schema& schema, const Places& places, const Namespace& fallback)
        : schema_(schema), places_(places), fallback_(fallback) {}

    Result<AppSchema> run() {
        AppSchema app;
        for (const ClassSchema& class_schema : schema_.classes()) {
            if (class_schema.is_embedded()) {
                continue;
            }
            collection_ = CollectionSchema{};
            collection_.place = place_of(class_schema.name());
            collection_.asymmetric = class_schema.is_asymmetric();
            TOMBOLO_TRY(collection_.schema, class_node(class_schema, "", 0));
            app.collections.push_back(std::move(collection_));
        }
        return app;
    }

  private:
    Namespace place_of(const std::string& class_name) const {
        const auto found = places_.find(class_name);
        if (found != places_.end()) {
            return found->second;
        }
        Namespace place = fallback_;
        place.collection = class_name;
        return place;
    }

    // Recursion is bounded by `depth`.
    Result<JsonSchema> class_node(const ClassSchema& class_schema, const std::string& path,
                                  std::size_t depth) {
        if (depth > limits::document_depth_max) {
            return Error(ErrorCode::limit_exceeded,
                         "embedded objects are nested deeper than " +
                             std::to_string(limits::document_depth_max) + " levels",
                         class_schema.name());
        }
        JsonSchema node;
        node.title = class_schema.name();
        node.types = {"object"};
        node.has_properties = true;
        for (const Property& property : class_schema.properties()) {
            if (property.is_computed()) {
                continue;
            }
            if (++properties_ > unfolded_properties_max) {
                return Error(ErrorCode::limit_exceeded,
                             "the embedded classes unfold to more than " +
                                 std::to_string(unfolded_properties_max) + " properties",
                             class_schema.name() + "." + property.name);
            }
            const std::string inner = path.empty() ? property.name : path + "." + property.name;
            TOMBOLO_TRY(JsonSchema child, property_node(property, inner, depth));
            if (!property.nullable && !property.is_collection()) {
                node.required.push_back(property.name);
            }
            node.properties.push_back({property.name, std::move(child)});
        }
        return node;
    }

    Result<JsonSchema> property_node(const Property& property, const std::string& path,
                                     std::size_t depth) {
        JsonSchema element;
        const ClassSchema* target = property.is_link() ? schema_.find(property.target) : nullptr;
        if (target != nullptr && target->is_embedded()) {
            TOMBOLO_TRY(element, class_node(*target, property.is_collection() ? path + ".[]" : path,
                                            depth + 1));
        } else if (target != nullptr) {
            const Property* key = target->primary_key();
            element.types = {std::string(scalar_name(*key))};
            Relationship relationship;
            relationship.path = path;
            relationship.target = place_of(target->name());
            relationship.is_list = property.is_collection();
            collection_.relationships.push_back(std::move(relationship));
        } else {
            element.types = {std::string(scalar_name(property))};
            if (property.is_collection() && property.nullable &&
                property.type != PropertyType::mixed) {
                element.types.emplace_back("null");
                element.types_in_array = true;
            }
        }
        if (!property.default_value.is_null()) {
            element.default_json = print_default(property.default_value);
        }
        return wrap(property, std::move(element));
    }

    static std::string_view scalar_name(const Property& property) noexcept {
        return property.int32_in_documents ? "int" : bson_type_name(property.type);
    }

    static JsonSchema wrap(const Property& property, JsonSchema element) {
        if (!property.is_collection()) {
            return element;
        }
        JsonSchema node;
        std::swap(node.default_json, element.default_json);
        if (property.collection == CollectionKind::dictionary) {
            node.types = {"object"};
            node.additional = JsonSchema::Additional::schema;
            node.additional_schema.push_back(std::move(element));
            return node;
        }
        node.types = {"array"};
        node.unique_items = property.collection == CollectionKind::set;
        node.items = JsonSchema::Items::one;
        node.item_schemas.push_back(std::move(element));
        return node;
    }

    const Schema& schema_;
    const Places& places_;
    const Namespace& fallback_;
    CollectionSchema collection_;
    std::size_t properties_ = 0;
};

} // namespace

Result<AppSchema> to_app_schema(const Schema& schema, const Places& places,
                                const Namespace& fallback) {
    const SchemaProblems problems = validate(schema, {SchemaUse::flexible_sync, false});
    if (has_errors(problems)) {
        return to_error(problems);
    }
    return Generator(schema, places, fallback).run();
}

} // namespace tombolo::schema
