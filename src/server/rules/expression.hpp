#pragma once

// Expressions of rules (device-sync-server.md 4.4): parsed once a deployment, bound to one user's
// facts once a session or request, evaluated on many documents.
//
//   expression   true | false | {clause, ...}                     all clauses hold; {} is true
//   clause       "$and"|"%and"|"$or"|"%or"|"$nor"|"%nor": [expression, ...]
//                "$not"|"%not": expression
//                "%function": {"name": .., "arguments": [value, ...]}      its result is truthy
//                left: value                                      equal, or what the operators say
//   left         "%%user.id", "%%root.owner", "%%true", ... or a field's name (= %%root.name)
//   value        literal | "%%expansion" | {"$in": value, "%exists": true, ...} |
//                {"%stringToOid"|"%oidToString"|"%stringToUuid"|"%uuidToString": value} |
//                {"%function": ..}
//   operators    $eq $ne $gt $gte $lt $lte $in $nin $exists and the same with "%"; $and $or $nor
//                $not of operators; $all $elemMatch $mod $options $regex $size $type as in MongoDB
//
// Binding replaces all that does not depend on a document by its value. What is left is a tree; one
// that asks only fields of the document is a single MongoDB filter, with MongoDB's semantics:
// arrays contain, null equals missing. Values of expansions are never read as operators. An
// expansion that leads to nothing (no such custom data) makes every comparison false, but $exists.
//
// Parsing is pure; input is bounded by limits::document_depth_max and the size of an app. A Parsed
// or Predicate is immutable: const use from any thread. Predicates whose functions are called
// remember results and belong to one thread.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "server/rules/facts.hpp"

namespace tombolo::rules {

/// Something wrong in an app's rules.
struct Problem {
    std::string path; ///< file, then keys: "data_sources/.../rules.json: roles[0].read.$foo"
    std::string message;
};
using Problems = std::vector<Problem>;

namespace detail {
struct Node;
struct Bound;
} // namespace detail

/// What an expression asks for: the values of this deployment and of one user.
struct BindingValues {
    const Facts& facts;
    mql::BsonDocumentView values;      ///< %%values
    mql::BsonDocumentView environment; ///< {tag, values}
    mql::BsonDocumentView custom_data; ///< %%user.custom_data
};

/// The documents an evaluation is about. Borrowed.
struct Subject {
    mql::BsonDocumentView root;
    /// The document before a write; null when there was none.
    const mql::BsonDocumentView* previous = nullptr;
    /// In expressions of a field: its value after and before.
    mql::BsonView field;
    mql::BsonView previous_field;
};

/// A bound expression.
class Predicate {
  public:
    explicit Predicate(bool constant);

    /// Fails where a function or a regular expression fails: the caller denies.
    Result<bool> test(const Subject& subject) const;

    std::optional<bool> constant() const noexcept;
    /// The MongoDB filter that says the same, when it asks only fields of the document.
    std::optional<mql::BsonDocument> query() const;

  private:
    friend class Expression;
    explicit Predicate(std::shared_ptr<const detail::Bound> root) : root_(std::move(root)) {}

    std::shared_ptr<const detail::Bound> root_; // shared: predicates are copied into sessions
};

class Expression {
  public:
    /// Not defined: what that means is said where the expression stands.
    Expression() = default;

    /// Problems are added with `path` in front; the expression is then good for nothing.
    static Expression parse(mql::BsonView spec, const std::string& path, Problems& problems);

    bool is_defined() const noexcept { return root_ != nullptr; }
    /// True or false as it stands in the text.
    std::optional<bool> literal() const noexcept;

    Predicate bind(const BindingValues& values) const;

    bool uses_function() const noexcept { return uses_function_; }
    bool uses_request() const noexcept { return uses_request_; }
    bool uses_custom_data() const noexcept { return uses_custom_data_; }
    /// %%root, %%prevRoot, %%this, %%prev by name, as opposed to bare field names.
    bool uses_document_expansion() const noexcept { return uses_document_expansion_; }
    /// Paths of the document's fields that are asked for.
    const std::set<std::string>& fields() const noexcept { return fields_; }

  private:
    friend class ExpressionParser;
    std::shared_ptr<const detail::Node> root_; // shared: the rules of a deployment are copied
    bool uses_function_ = false;
    bool uses_request_ = false;
    bool uses_custom_data_ = false;
    bool uses_document_expansion_ = false;
    std::set<std::string> fields_;
};

} // namespace tombolo::rules
