#include "server/documents/document_schema.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <vector>

#include "mql/bson_compare.hpp"
#include "mql/regex.hpp"

namespace tombolo::documents {

using mql::BsonElement;
using mql::BsonType;
using mql::BsonValue;
using mql::BsonView;

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

// Characters, as JSON schema counts them.
std::size_t length_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

Error broken(const std::string& path, const std::string& message) {
    return Error(ErrorCode::invalid_document, message, path);
}

std::string below(const std::string& path, std::string_view name) {
    return path.empty() ? std::string(name) : path + "." + std::string(name);
}

struct Range {
    std::optional<std::size_t> least;
    std::optional<std::size_t> most;

    bool holds(std::size_t count) const noexcept {
        return (!least || count >= *least) && (!most || count <= *most);
    }
};

} // namespace

struct DocumentSchema::Node {
    struct Child;
    struct Pattern;

    std::string type_names; ///< for messages
    std::vector<TypeTest> allowed;
    std::vector<BsonValue> values; ///< enum
    std::set<std::string, std::less<>> required;
    std::vector<Child> properties; ///< sorted by name
    std::vector<Pattern> patterns;
    std::vector<std::pair<std::string, std::vector<std::string>>> dependencies;
    bool additional = true;
    std::vector<Node> additional_schema; ///< one or none
    Range property_count;
    std::vector<Node> items; ///< one for all, or a tuple
    bool tuple = false;
    bool additional_items = true;
    Range item_count;
    bool unique_items = false;
    std::optional<BsonValue> minimum;
    std::optional<BsonValue> maximum;
    bool exclusive_minimum = false;
    bool exclusive_maximum = false;
    std::optional<double> multiple_of;
    Range length;
    std::optional<mql::Regex> pattern;

    const Node* find(std::string_view name) const;
    Result<void> check(BsonView value, const std::string& path) const;
    Result<void> check_object(mql::BsonDocumentView object, const std::string& path) const;
    Result<void> check_field(const BsonElement& field, const std::string& path) const;
    Result<void> check_array(mql::BsonDocumentView array, const std::string& path) const;
    Result<void> check_number(BsonView value, const std::string& path) const;
    Result<void> check_text(std::string_view text, const std::string& path) const;
};

struct DocumentSchema::Node::Child {
    std::string name;
    Node schema;
};

struct DocumentSchema::Node::Pattern {
    mql::Regex regex;
    Node schema;
};

const DocumentSchema::Node* DocumentSchema::Node::find(std::string_view name) const {
    const auto at = std::lower_bound(
        properties.begin(), properties.end(), name,
        [](const Child& child, std::string_view wanted) { return child.name < wanted; });
    return at != properties.end() && at->name == name ? &at->schema : nullptr;
}

namespace {

using Node = DocumentSchema::Node;

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

Result<void> Node::check(BsonView value, const std::string& path) const {
    if (!allowed.empty() &&
        std::none_of(allowed.begin(), allowed.end(), [&](TypeTest test) { return test(value); })) {
        return broken(path, "expected " + type_names + ", found " +
                                std::string(mql::type_alias(value.type())));
    }
    if (!values.empty() && std::none_of(values.begin(), values.end(), [&](const BsonValue& each) {
            return mql::equal(each, value);
        })) {
        return broken(path, "not one of the values that the schema lists");
    }
    if (value.is_document()) {
        return check_object(value.as_document(), path);
    }
    if (value.is_array()) {
        return check_array(value.as_document(), path);
    }
    if (value.is_number()) {
        return check_number(value, path);
    }
    return value.is_string() ? check_text(value.as_string(), path) : Result<void>();
}

Result<void> Node::check_object(mql::BsonDocumentView object, const std::string& path) const {
    for (const std::string& name : required) {
        if (object.find(name).is_missing()) {
            return broken(below(path, name), "a required field is missing");
        }
    }
    for (const auto& [name, needed] : dependencies) {
        if (object.find(name).is_missing()) {
            continue;
        }
        for (const std::string& other : needed) {
            if (object.find(other).is_missing()) {
                return broken(below(path, other), "required beside '" + name + "'");
            }
        }
    }
    if (!property_count.holds(object.count())) {
        return broken(path, "too few or too many fields");
    }
    for (const BsonElement& field : object) {
        TOMBOLO_TRY_VOID(check_field(field, below(path, field.key)));
    }
    return {};
}

Result<void> Node::check_field(const BsonElement& field, const std::string& path) const {
    const Node* property = find(field.key);
    bool known = property != nullptr;
    if (known) {
        const bool empty = field.value.is_null() && required.count(field.key) == 0;
        if (!empty) {
            TOMBOLO_TRY_VOID(property->check(field.value, path));
        }
    }
    for (const auto& [regex, schema] : patterns) {
        TOMBOLO_TRY(const bool matches, regex.matches(field.key));
        if (matches) {
            known = true;
            TOMBOLO_TRY_VOID(schema.check(field.value, path));
        }
    }
    if (known) {
        return {};
    }
    if (!additional && field.key != "_id") {
        return broken(path, "the schema has no such field and allows no others");
    }
    return additional_schema.empty() ? Result<void>()
                                     : additional_schema.front().check(field.value, path);
}

Result<void> Node::check_array(mql::BsonDocumentView array, const std::string& path) const {
    std::vector<BsonView> elements;
    for (const BsonElement& element : array) {
        elements.push_back(element.value);
    }
    if (!item_count.holds(elements.size())) {
        return broken(path, "too few or too many elements");
    }
    for (std::size_t i = 0; i < elements.size() && !items.empty(); ++i) {
        if (tuple && i >= items.size()) {
            if (!additional_items) {
                return broken(path, "more elements than the schema allows");
            }
            break;
        }
        TOMBOLO_TRY_VOID(items[tuple ? i : 0].check(elements[i], below(path, std::to_string(i))));
    }
    if (unique_items) {
        std::sort(elements.begin(), elements.end(), mql::BsonLess());
        if (std::adjacent_find(elements.begin(), elements.end(), [](BsonView left, BsonView right) {
                return mql::equal(left, right);
            }) != elements.end()) {
            return broken(path, "two elements are equal");
        }
    }
    return {};
}

Result<void> Node::check_number(BsonView value, const std::string& path) const {
    if (minimum) {
        const int order = mql::compare_numbers(value, *minimum);
        if (order < 0 || (order == 0 && exclusive_minimum)) {
            return broken(path, "below the minimum");
        }
    }
    if (maximum) {
        const int order = mql::compare_numbers(value, *maximum);
        if (order > 0 || (order == 0 && exclusive_maximum)) {
            return broken(path, "above the maximum");
        }
    }
    if (multiple_of && *multiple_of != 0) {
        const double quotient = value.to_double() / *multiple_of;
        if (std::abs(quotient - std::round(quotient)) > 1e-9 * std::max(1.0, std::abs(quotient))) {
            return broken(path, "not a multiple of what the schema says");
        }
    }
    return {};
}

Result<void> Node::check_text(std::string_view text, const std::string& path) const {
    if (!length.holds(length_of(text))) {
        return broken(path, "too short or too long");
    }
    if (pattern) {
        TOMBOLO_TRY(const bool matches, pattern->matches(text));
        if (!matches) {
            return broken(path, "does not match the pattern");
        }
    }
    return {};
}

Result<DocumentSchema> DocumentSchema::compile(mql::BsonDocumentView schema) {
    TOMBOLO_TRY(Node root, SchemaReader().read(schema, {}));
    return DocumentSchema(std::make_shared<const Node>(std::move(root)));
}

Result<void> DocumentSchema::check(mql::BsonDocumentView document) const {
    return root_->check(document.as_value(), {});
}

} // namespace tombolo::documents
