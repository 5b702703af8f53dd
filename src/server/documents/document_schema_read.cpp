// Schemas as they are written, into nodes.

#include <algorithm>
#include <array>

#include "server/documents/document_schema_node.hpp"

namespace tombolo::documents {

using mql::BsonElement;
using mql::BsonType;
using mql::BsonValue;
using mql::BsonView;
using Node = DocumentSchema::Node;

namespace {

using TypeTest = bool (*)(BsonView);

struct NamedType {
    std::string_view name;
    TypeTest test;
};

bool is_whole(BsonView value) {
    return value.type() == BsonType::int32 || value.type() == BsonType::int64;
}

template <BsonType type>
bool is(BsonView value) {
    return value.type() == type;
}

constexpr std::uint8_t uuid_subtype = 4;

bool is_uuid(BsonView value) {
    return value.type() == BsonType::binary && value.as_binary().subtype == uuid_subtype;
}

bool is_double(BsonView value) {
    return value.is_number() && value.type() != BsonType::decimal128;
}

bool is_any(BsonView /*value*/) {
    return true;
}

constexpr std::array<NamedType, 24> types{{
    {"int", is_whole},
    {"long", is_whole},
    {"integer", is_whole},
    {"double", is_double},
    {"float", is_double},
    {"decimal", is<BsonType::decimal128>},
    {"number", [](BsonView value) { return value.is_number(); }},
    {"string", is<BsonType::string>},
    {"bool", is<BsonType::boolean>},
    {"boolean", is<BsonType::boolean>},
    {"date", is<BsonType::date>},
    {"objectId", is<BsonType::object_id>},
    {"uuid", is_uuid},
    {"binData", is<BsonType::binary>},
    {"binary", is<BsonType::binary>},
    {"object", is<BsonType::document>},
    {"array", is<BsonType::array>},
    {"null", is<BsonType::null>},
    {"regex", is<BsonType::regex>},
    {"timestamp", is<BsonType::timestamp>},
    {"javascript", is<BsonType::code>},
    {"minKey", is<BsonType::min_key>},
    {"maxKey", is<BsonType::max_key>},
    {"mixed", is_any},
}};

// Reads one schema object; depth is bounded by that of the BSON.
class SchemaReader {
  public:
    Result<Node> read(mql::BsonDocumentView schema, const std::string& path) {
        Node node;
        for (const BsonElement& element : schema) {
            TOMBOLO_TRY_VOID(keyword(element, below(path, element.key), node));
        }
        std::sort(node.properties.begin(), node.properties.end(),
                  [](const auto& left, const auto& right) { return left.name < right.name; });
        return node;
    }

    bool uses_expressions = false;

  private:
    static Error wrong(const std::string& path, const std::string& expected) {
        return Error(ErrorCode::invalid_schema, "expected " + expected, path);
    }

    Result<void> keyword(const BsonElement& element, const std::string& path, Node& node) {
        const std::string_view key = element.key;
        const BsonView value = element.value;
        if (key == "bsonType" || key == "type") {
            return read_types(value, path, node);
        }
        if (key == "properties") {
            return read_children(value, path, [&](std::string_view name, Node child) {
                node.properties.push_back({std::string(name), std::move(child)});
                return Result<void>();
            });
        }
        if (key == "patternProperties") {
            return read_children(value, path, [&](std::string_view name, Node child) {
                auto regex = mql::Regex::compile(name, {});
                if (!regex) {
                    return Result<void>(regex.error().within(path));
                }
                node.patterns.push_back({*std::move(regex), std::move(child)});
                return Result<void>();
            });
        }
        if (key == "additionalProperties") {
            return read_flag_or_schema(value, path, node.additional, node.additional_schema);
        }
        if (key == "items" || key == "additionalItems" || key == "uniqueItems") {
            return read_items(key, value, path, node);
        }
        if (key == "required" || key == "enum" || key == "dependencies") {
            return read_lists(key, value, path, node);
        }
        if (key == "validate") {
            rules::Problems problems;
            node.validate = rules::Expression::parse(value, path, problems);
            node.validate_is_broken = !problems.empty();
            uses_expressions = uses_expressions || node.validate.is_defined();
            return {};
        }
        return read_bound(key, value, path, node);
    }

    static Result<void> read_types(BsonView value, const std::string& path, Node& node) {
        const auto add = [&](BsonView name) -> Result<void> {
            const auto* found = name.is_string()
                                    ? std::find_if(types.begin(), types.end(),
                                                   [&](const NamedType& type) {
                                                       return type.name == name.as_string();
                                                   })
                                    : types.end();
            if (found == types.end()) {
                return wrong(path, "the name of a type");
            }
            node.allowed.push_back(found->test);
            node.type_names += (node.type_names.empty() ? "" : " or ") + std::string(found->name);
            return {};
        };
        if (!value.is_array()) {
            return add(value);
        }
        for (const BsonElement& element : value.as_document()) {
            TOMBOLO_TRY_VOID(add(element.value));
        }
        return {};
    }

    template <class Add>
    Result<void> read_children(BsonView value, const std::string& path, Add add) {
        if (!value.is_document()) {
            return wrong(path, "an object");
        }
        for (const BsonElement& element : value.as_document()) {
            if (!element.value.is_document()) {
                return wrong(below(path, element.key), "a schema");
            }
            TOMBOLO_TRY(Node child, read(element.value.as_document(), below(path, element.key)));
            TOMBOLO_TRY_VOID(add(element.key, std::move(child)));
        }
        return {};
    }

    Result<void> read_flag_or_schema(BsonView value, const std::string& path, bool& flag,
                                     std::vector<Node>& schema) {
        if (value.type() == BsonType::boolean) {
            flag = value.as_bool();
            return {};
        }
        if (!value.is_document()) {
            return wrong(path, "true, false or a schema");
        }
        TOMBOLO_TRY(Node child, read(value.as_document(), path));
        schema.push_back(std::move(child));
        return {};
    }

    Result<void> read_items(std::string_view key, BsonView value, const std::string& path,
                            Node& node) {
        if (key != "items") {
            if (value.type() != BsonType::boolean) {
                return key == "additionalItems" ? Result<void>() : wrong(path, "true or false");
            }
            (key == "uniqueItems" ? node.unique_items : node.additional_items) = value.as_bool();
            return {};
        }
        if (value.is_document()) {
            TOMBOLO_TRY(Node child, read(value.as_document(), path));
            node.items.push_back(std::move(child));
            return {};
        }
        if (!value.is_array()) {
            return wrong(path, "a schema or an array of them");
        }
        node.tuple = true;
        for (const BsonElement& element : value.as_document()) {
            if (!element.value.is_document()) {
                return wrong(path, "schemas");
            }
            TOMBOLO_TRY(Node child, read(element.value.as_document(), path));
            node.items.push_back(std::move(child));
        }
        return {};
    }

    static Result<std::vector<std::string>> read_names(BsonView value, const std::string& path) {
        std::vector<std::string> names;
        if (!value.is_array()) {
            return wrong(path, "an array of names");
        }
        for (const BsonElement& element : value.as_document()) {
            if (!element.value.is_string()) {
                return wrong(path, "an array of names");
            }
            names.emplace_back(element.value.as_string());
        }
        return names;
    }

    static Result<void> read_lists(std::string_view key, BsonView value, const std::string& path,
                                   Node& node) {
        if (key == "required") {
            TOMBOLO_TRY(const auto names, read_names(value, path));
            node.required.insert(names.begin(), names.end());
            return {};
        }
        if (key == "enum") {
            if (!value.is_array()) {
                return wrong(path, "an array");
            }
            for (const BsonElement& element : value.as_document()) {
                node.values.emplace_back(element.value);
            }
            return {};
        }
        if (!value.is_document()) {
            return wrong(path, "an object");
        }
        for (const BsonElement& element : value.as_document()) {
            TOMBOLO_TRY(auto names, read_names(element.value, below(path, element.key)));
            node.dependencies.emplace_back(std::string(element.key), std::move(names));
        }
        return {};
    }

    static Result<void> read_bound(std::string_view key, BsonView value, const std::string& path,
                                   Node& node) {
        const std::array<std::pair<std::string_view, std::optional<std::size_t>*>, 6> counts{{
            {"minProperties", &node.property_count.least},
            {"maxProperties", &node.property_count.most},
            {"minItems", &node.item_count.least},
            {"maxItems", &node.item_count.most},
            {"minLength", &node.length.least},
            {"maxLength", &node.length.most},
        }};
        for (const auto& [name, target] : counts) {
            std::int64_t count = 0;
            if (key != name) {
                continue;
            }
            if (!value.is_number() || !value.to_int64(count) || count < 0) {
                return wrong(path, "a whole number that is not negative");
            }
            *target = static_cast<std::size_t>(count);
            return {};
        }
        if (key == "exclusiveMinimum" || key == "exclusiveMaximum") {
            (key == "exclusiveMinimum" ? node.exclusive_minimum : node.exclusive_maximum) =
                value.truthy();
        } else if (key == "minimum" || key == "maximum" || key == "multipleOf") {
            if (!value.is_number()) {
                return wrong(path, "a number");
            }
            if (key == "multipleOf") {
                node.multiple_of = value.to_double();
            } else {
                (key == "minimum" ? node.minimum : node.maximum) = BsonValue(value);
            }
        } else if (key == "pattern") {
            if (!value.is_string()) {
                return wrong(path, "a regular expression");
            }
            auto regex = mql::Regex::compile(value.as_string(), {});
            if (!regex) {
                return regex.error().within(path);
            }
            node.pattern = *std::move(regex);
        }
        return {};
    }
};

} // namespace

Result<DocumentSchema> DocumentSchema::compile(mql::BsonDocumentView schema) {
    SchemaReader reader;
    TOMBOLO_TRY(Node root, reader.read(schema, {}));
    return DocumentSchema(std::make_shared<const Node>(std::move(root)), reader.uses_expressions);
}

} // namespace tombolo::documents
