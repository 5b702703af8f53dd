#pragma once

// The trees behind Expression and Predicate; only the files of expression.hpp include this.

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "mql/bson_value.hpp"
#include "mql/filter.hpp"
#include "server/rules/expression.hpp"

namespace tombolo::rules::detail {

/// What an expansion looks into. Those before `root` are fixed by binding.
enum class Source : std::uint8_t {
    nothing, ///< expansions that mean something elsewhere only (%%args, %%partition)
    user,
    custom_data,
    values,
    environment,
    request,
    root,
    previous,
    field,
    previous_field,
};

constexpr bool is_of_document(Source source) noexcept {
    return source >= Source::root;
}

enum class Conversion : std::uint8_t {
    string_to_oid,
    oid_to_string,
    string_to_uuid,
    uuid_to_string
};

struct Operand {
    enum class Kind : std::uint8_t { undefined, literal, expansion, conversion, function, list };
    Kind kind = Kind::undefined;
    mql::BsonValue literal;
    Source source = Source::nothing;
    std::string path; ///< of an expansion, below its source; empty: all of it
    Conversion conversion = Conversion::string_to_oid;
    std::string function;
    std::vector<Operand> items; ///< of conversion (one), function (arguments) and list
};

enum class Operator : std::uint8_t { eq, ne, gt, gte, lt, lte, in, nin, exists, mongo };

struct Node {
    enum class Kind : std::uint8_t { constant, all, any, none, test, call };
    Kind kind = Kind::constant;
    bool value = true;          ///< of constant
    std::vector<Node> children; ///< of all, any, none
    Operand left;               ///< of test; of call the function
    Operator op = Operator::eq;
    Operand right;
    /// Of Operator::mongo: MongoDB's operators with their operands: {$size: 2}.
    mql::BsonDocument mongo;
    bool mongo_expands = false; ///< there are expansions in it, for fill_expansions()
};

struct BoundNode {
    enum class Kind : std::uint8_t {
        constant,
        all,
        any,
        none,
        query,   ///< a MongoDB filter on the document of `source`
        exists,  ///< the whole document of `source` is there
        compare, ///< an operand that a document decides
        call,
    };
    Kind kind = Kind::constant;
    bool value = true; ///< of constant; of exists what is wanted
    std::vector<BoundNode> children;
    Source source = Source::root;
    mql::BsonDocument spec; ///< of query
    mql::Filter filter;     ///< spec, once the tree is whole
    Operand left;           ///< of compare and call; fixed parts are literals
    Operator op = Operator::eq;
    Operand right;
};

/// A bound tree and the functions it calls.
struct Bound {
    BoundNode root;
    FunctionRunner function;
    /// Results by name and arguments: a rule is asked for every document, its function not.
    mutable std::map<std::string, mql::BsonValue> results;
};

/// "$gte" of Operator::gte; REQUIRES: not mongo.
std::string_view operator_name(Operator op) noexcept;

/// The value under a dotted path; arrays on the way give the array of what their elements have.
/// Missing when there is none.
mql::BsonValue value_at(mql::BsonView value, std::string_view path);

/// Missing when the value cannot be converted.
mql::BsonValue convert(Conversion conversion, mql::BsonView value);

/// {path: {operator: value}}, made so that the value is never read as an operator. Nothing when no
/// document can match.
std::optional<mql::BsonDocument> query_spec(std::string_view path, Operator op,
                                            mql::BsonView value);

/// What an operand of MongoDB's operators is replaced by; `is_known` is false when it has no value.
struct Filling {
    bool is_known = true;
    mql::BsonValue value;
};
/// MongoDB's operators with the expansions of their operands replaced, so that no value is ever
/// read as an operator. Expansions may stand where a value is compared: in $all, and in $elemMatch
/// and what is inside of it.
struct Filled {
    mql::BsonDocument tests;
    bool is_misplaced = false; ///< one stands where none may
    bool is_unknown = false;   ///< one has no value: nothing can match
};
Filled fill_expansions(const mql::BsonDocument& tests,
                       const std::function<Filling(std::string_view expansion)>& value_of);
/// Whether the text is an expansion, "%%user.id".
bool is_expansion(std::string_view text) noexcept;
/// Whether there is one anywhere in the value.
bool has_expansion(mql::BsonView value);

BoundNode bind(const Node& node, const BindingValues& values);
Result<bool> evaluate(const BoundNode& node, const Bound& tree, const Subject& subject);

} // namespace tombolo::rules::detail
