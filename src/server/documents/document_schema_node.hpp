#pragma once

// A compiled schema, one node for each schema object. Internal to document_schema*.cpp.

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mql/regex.hpp"
#include "server/documents/document_schema.hpp"

namespace tombolo::documents {

struct SchemaRange {
    std::optional<std::size_t> least;
    std::optional<std::size_t> most;

    bool holds(std::size_t count) const noexcept {
        return (!least || count >= *least) && (!most || count <= *most);
    }
};

struct DocumentSchema::Node {
    struct Child;
    struct Pattern;

    std::string type_names; ///< for messages
    std::vector<bool (*)(mql::BsonView)> allowed;
    std::vector<mql::BsonValue> values; ///< enum
    std::set<std::string, std::less<>> required;
    std::vector<Child> properties; ///< sorted by name
    std::vector<Pattern> patterns;
    std::vector<std::pair<std::string, std::vector<std::string>>> dependencies;
    bool additional = true;
    std::vector<Node> additional_schema; ///< one or none
    SchemaRange property_count;
    std::vector<Node> items; ///< one for all, or a tuple
    bool tuple = false;
    bool additional_items = true;
    SchemaRange item_count;
    bool unique_items = false;
    std::optional<mql::BsonValue> minimum;
    std::optional<mql::BsonValue> maximum;
    bool exclusive_minimum = false;
    bool exclusive_maximum = false;
    std::optional<double> multiple_of;
    SchemaRange length;
    std::optional<mql::Regex> pattern;
    rules::Expression validate; ///< not defined: there is none
    bool validate_is_broken = false;
};

struct DocumentSchema::Node::Child {
    std::string name;
    Node schema;
};

struct DocumentSchema::Node::Pattern {
    mql::Regex regex;
    Node schema;
};

inline std::string below(const std::string& path, std::string_view name) {
    return path.empty() ? std::string(name) : path + "." + std::string(name);
}

} // namespace tombolo::documents
