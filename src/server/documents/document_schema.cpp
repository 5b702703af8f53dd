#include "server/documents/document_schema.hpp"

#include <algorithm>
#include <cmath>

#include "mql/bson_compare.hpp"
#include "server/documents/document_schema_node.hpp"

namespace tombolo::documents {

using mql::BsonElement;
using mql::BsonValue;
using mql::BsonView;
using Node = DocumentSchema::Node;

namespace {

// Characters, as JSON schema counts them.
std::size_t length_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

Error broken(const std::string& path, const std::string& message) {
    return Error(ErrorCode::invalid_document, message, path);
}

const Node* find_property(const Node& node, std::string_view name) {
    const auto at = std::lower_bound(
        node.properties.begin(), node.properties.end(), name,
        [](const Node::Child& child, std::string_view wanted) { return child.name < wanted; });
    return at != node.properties.end() && at->name == name ? &at->schema : nullptr;
}

Result<void> check_number(const Node& node, BsonView value, const std::string& path) {
    if (node.minimum) {
        const int order = mql::compare_numbers(value, *node.minimum);
        if (order < 0 || (order == 0 && node.exclusive_minimum)) {
            return broken(path, "below the minimum");
        }
    }
    if (node.maximum) {
        const int order = mql::compare_numbers(value, *node.maximum);
        if (order > 0 || (order == 0 && node.exclusive_maximum)) {
            return broken(path, "above the maximum");
        }
    }
    if (node.multiple_of && *node.multiple_of != 0) {
        const double quotient = value.to_double() / *node.multiple_of;
        if (std::abs(quotient - std::round(quotient)) > 1e-9 * std::max(1.0, std::abs(quotient))) {
            return broken(path, "not a multiple of what the schema says");
        }
    }
    return {};
}

Result<void> check_text(const Node& node, std::string_view text, const std::string& path) {
    if (!node.length.holds(length_of(text))) {
        return broken(path, "too short or too long");
    }
    if (node.pattern) {
        TOMBOLO_TRY(const bool matches, node.pattern->matches(text));
        if (!matches) {
            return broken(path, "does not match the pattern");
        }
    }
    return {};
}

Result<void> check_members(const Node& node, mql::BsonDocumentView object,
                           const std::string& path) {
    for (const std::string& name : node.required) {
        if (object.find(name).is_missing()) {
            return broken(below(path, name), "a required field is missing");
        }
    }
    for (const auto& [name, needed] : node.dependencies) {
        if (object.find(name).is_missing()) {
            continue;
        }
        for (const std::string& other : needed) {
            if (object.find(other).is_missing()) {
                return broken(below(path, other), "required beside '" + name + "'");
            }
        }
    }
    return node.property_count.holds(object.count()) ? Result<void>()
                                                     : broken(path, "too few or too many fields");
}

// One document on its way through the nodes of its schema. `previous` is what stood at a value's
// place before; missing in arrays, whose elements have no place of their own.
class Checker {
  public:
    Checker(mql::BsonDocumentView root, const SchemaContext& context)
        : root_(root), context_(context) {}

    Result<void> value(const Node& node, BsonView value, BsonView previous,
                       const std::string& path) const {
        if (!node.allowed.empty() && std::none_of(node.allowed.begin(), node.allowed.end(),
                                                  [&](const auto& test) { return test(value); })) {
            return broken(path, "expected " + node.type_names + ", found " +
                                    std::string(mql::type_alias(value.type())));
        }
        if (!node.values.empty() &&
            std::none_of(node.values.begin(), node.values.end(),
                         [&](const BsonValue& each) { return mql::equal(each, value); })) {
            return broken(path, "not one of the values that the schema lists");
        }
        TOMBOLO_TRY_VOID(expression(node, value, previous, path));
        if (value.is_document()) {
            return object(node, value.as_document(), previous, path);
        }
        if (value.is_array()) {
            return array(node, value.as_document(), path);
        }
        if (value.is_number()) {
            return check_number(node, value, path);
        }
        return value.is_string() ? check_text(node, value.as_string(), path) : Result<void>();
    }

  private:
    Result<void> expression(const Node& node, BsonView value, BsonView previous,
                            const std::string& path) const {
        if (context_.values == nullptr ||
            !(node.validate.is_defined() || node.validate_is_broken)) {
            return {};
        }
        if (node.validate_is_broken) {
            return broken(path, "the schema's 'validate' cannot be understood");
        }
        const rules::Subject subject{root_, context_.previous, value, previous};
        const Result<bool> holds = node.validate.bind(*context_.values).test(subject);
        return holds && *holds ? Result<void>() : broken(path, "the schema's 'validate' is false");
    }

    Result<void> object(const Node& node, mql::BsonDocumentView object, BsonView previous,
                        const std::string& path) const {
        TOMBOLO_TRY_VOID(check_members(node, object, path));
        for (const BsonElement& element : object) {
            const BsonView before =
                previous.is_document() ? previous.as_document().find(element.key) : BsonView();
            TOMBOLO_TRY_VOID(field(node, element, before, below(path, element.key)));
        }
        return {};
    }

    Result<void> field(const Node& node, const BsonElement& field, BsonView previous,
                       const std::string& path) const {
        const Node* property = find_property(node, field.key);
        bool known = property != nullptr;
        const bool empty =
            context_.null_passes && field.value.is_null() && node.required.count(field.key) == 0;
        if (known && !empty) {
            TOMBOLO_TRY_VOID(value(*property, field.value, previous, path));
        }
        for (const auto& [regex, schema] : node.patterns) {
            TOMBOLO_TRY(const bool matches, regex.matches(field.key));
            if (matches) {
                known = true;
                TOMBOLO_TRY_VOID(value(schema, field.value, previous, path));
            }
        }
        if (known) {
            return {};
        }
        if (!node.additional && field.key != "_id") {
            return broken(path, "the schema has no such field and allows no others");
        }
        return node.additional_schema.empty()
                   ? Result<void>()
                   : value(node.additional_schema.front(), field.value, previous, path);
    }

    Result<void> array(const Node& node, mql::BsonDocumentView array,
                       const std::string& path) const {
        std::vector<BsonView> elements;
        for (const BsonElement& element : array) {
            elements.push_back(element.value);
        }
        if (!node.item_count.holds(elements.size())) {
            return broken(path, "too few or too many elements");
        }
        for (std::size_t i = 0; i < elements.size() && !node.items.empty(); ++i) {
            if (node.tuple && i >= node.items.size()) {
                if (!node.additional_items) {
                    return broken(path, "more elements than the schema allows");
                }
                break;
            }
            TOMBOLO_TRY_VOID(value(node.items[node.tuple ? i : 0], elements[i], BsonView(),
                                   below(path, std::to_string(i))));
        }
        if (node.unique_items) {
            std::sort(elements.begin(), elements.end(), mql::BsonLess());
            if (std::adjacent_find(elements.begin(), elements.end(),
                                   [](BsonView left, BsonView right) {
                                       return mql::equal(left, right);
                                   }) != elements.end()) {
                return broken(path, "two elements are equal");
            }
        }
        return {};
    }

    mql::BsonDocumentView root_;
    const SchemaContext& context_;
};

} // namespace

Result<void> DocumentSchema::check(mql::BsonDocumentView document,
                                   const SchemaContext& context) const {
    const BsonView previous =
        context.previous != nullptr ? context.previous->as_value() : BsonView();
    return Checker(document, context).value(*root_, document.as_value(), previous, {});
}

} // namespace tombolo::documents
