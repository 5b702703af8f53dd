#include <algorithm>
#include <array>

#include "mql/filter.hpp"
#include "server/rules/expression_tree.hpp"

namespace tombolo::rules {

using detail::Conversion;
using detail::has_expansion;
using detail::is_expansion;
using detail::Node;
using detail::Operand;
using detail::Operator;
using detail::Source;
using mql::BsonElement;
using mql::BsonView;

namespace {

struct NamedSource {
    std::string_view name;
    Source source;
};

// The first name that fits wins: custom_data before user.
constexpr std::array<NamedSource, 11> sources{{
    {"user.custom_data", Source::custom_data},
    {"user", Source::user},
    {"values", Source::values},
    {"environment", Source::environment},
    {"request", Source::request},
    {"root", Source::root},
    {"prevRoot", Source::previous},
    {"this", Source::field},
    {"prev", Source::previous_field},
    {"args", Source::nothing},
    {"partition", Source::nothing},
}};

struct NamedOperator {
    std::string_view name;
    Operator op;
};

constexpr std::array<NamedOperator, 9> operators{{
    {"eq", Operator::eq},
    {"ne", Operator::ne},
    {"gt", Operator::gt},
    {"gte", Operator::gte},
    {"lt", Operator::lt},
    {"lte", Operator::lte},
    {"in", Operator::in},
    {"nin", Operator::nin},
    {"exists", Operator::exists},
}};

struct NamedConversion {
    std::string_view name;
    Conversion conversion;
};

constexpr std::array<NamedConversion, 4> conversions{{
    {"%stringToOid", Conversion::string_to_oid},
    {"%oidToString", Conversion::oid_to_string},
    {"%stringToUuid", Conversion::string_to_uuid},
    {"%uuidToString", Conversion::uuid_to_string},
}};

// Operators of MongoDB that rules may use with literal operands.
constexpr std::array<std::string_view, 7> mongo_operators{
    "$all", "$elemMatch", "$mod", "$options", "$regex", "$size", "$type"};

// "$in" and "%in" alike.
bool is_operator_key(std::string_view key) noexcept {
    return key.starts_with('$') || (key.starts_with('%') && !is_expansion(key));
}

template <class Table>
auto find_named(const Table& table, std::string_view name) noexcept {
    return std::find_if(table.begin(), table.end(),
                        [&](const auto& entry) { return entry.name == name; });
}

Node constant(bool value) {
    Node node;
    node.value = value;
    return node;
}

Node group(Node::Kind kind, std::vector<Node> children) {
    Node node;
    node.kind = kind;
    node.children = std::move(children);
    return node;
}

// An AND of one is that one.
Node conjunction(std::vector<Node> children) {
    return children.size() == 1 ? std::move(children.front())
                                : group(Node::Kind::all, std::move(children));
}

} // namespace

// Depth is bounded by that of the BSON it walks.
class ExpressionParser {
  public:
    explicit ExpressionParser(Problems& problems) : problems_(problems) {}

    Expression run(BsonView spec, const std::string& path) {
        auto root = std::make_shared<Node>(expression(spec, path));
        out_.root_ = std::move(root);
        return std::move(out_);
    }

  private:
    Node expression(BsonView spec, const std::string& path) {
        if (spec.type() == mql::BsonType::boolean) {
            return constant(spec.as_bool());
        }
        if (!spec.is_document()) {
            return wrong(path, "expected true, false or an object");
        }
        std::vector<Node> clauses;
        for (const BsonElement& element : spec.as_document()) {
            clauses.push_back(
                clause(element.key, element.value, path + "." + std::string(element.key)));
        }
        return conjunction(std::move(clauses));
    }

    Node clause(std::string_view key, BsonView value, const std::string& path) {
        if (is_operator_key(key)) {
            const std::string_view name = key.substr(1);
            if (name == "and" || name == "or" || name == "nor") {
                return group(group_kind(name), expressions(value, path));
            }
            if (name == "not") {
                return group(Node::Kind::none, {expression(value, path)});
            }
            if (key == "%function") {
                Node node;
                node.kind = Node::Kind::call;
                node.left = function(value, path);
                return node;
            }
            return wrong(path, "'" + std::string(key) +
                                   "' cannot stand here: expected a field, an expansion, $and, "
                                   "$or, $nor, $not or %function");
        }
        if (is_expansion(key)) {
            if (key == "%%true" || key == "%%false") {
                return truth(key == "%%true", value, path);
            }
            return test(expansion(key, path), value, path);
        }
        Operand field;
        field.kind = Operand::Kind::expansion;
        field.source = Source::root;
        field.path = key;
        out_.fields_.insert(std::string(key));
        return test(field, value, path);
    }

    static Node::Kind group_kind(std::string_view name) noexcept {
        return name == "and" ? Node::Kind::all : name == "or" ? Node::Kind::any : Node::Kind::none;
    }

    std::vector<Node> expressions(BsonView value, const std::string& path) {
        std::vector<Node> nodes;
        if (!value.is_array()) {
            nodes.push_back(wrong(path, "expected an array of expressions"));
            return nodes;
        }
        for (const BsonElement& element : value.as_document()) {
            nodes.push_back(
                expression(element.value, path + "[" + std::to_string(nodes.size()) + "]"));
        }
        return nodes;
    }

    // {"%%true": value}: the value's truth, where it is an expression or a function; else equality.
    Node truth(bool wanted, BsonView value, const std::string& path) {
        if (value.is_document() && !value.as_document().empty()) {
            const std::string_view first = (*value.as_document().begin()).key;
            const std::string_view name = first.substr(first.empty() ? 0 : 1);
            const bool logical = is_operator_key(first) &&
                                 (name == "and" || name == "or" || name == "nor" || name == "not");
            if (logical || !is_operator_key(first)) {
                Node inner = expression(value, path);
                return wanted ? std::move(inner) : group(Node::Kind::none, {std::move(inner)});
            }
        }
        Operand left;
        left.kind = Operand::Kind::literal;
        left.literal = mql::BsonValue::from_bool(wanted);
        return test(left, value, path);
    }

    // What is asked of the left side.
    Node test(const Operand& left, BsonView value, const std::string& path) {
        if (value.is_document() && !value.as_document().empty()) {
            const std::string_view first = (*value.as_document().begin()).key;
            const bool is_value = first == "%function" ||
                                  find_named(conversions, first) != conversions.end() ||
                                  first == "$ref";
            if (is_operator_key(first) && !is_value) {
                return operator_tests(left, value.as_document(), path);
            }
        }
        return comparison(left, Operator::eq, value, path);
    }

    Node operator_tests(const Operand& left, mql::BsonDocumentView tests, const std::string& path) {
        std::vector<Node> nodes;
        mql::BsonWriter mongo;
        bool has_mongo = false;
        for (const BsonElement& element : tests) {
            const std::string at = path + "." + std::string(element.key);
            if (!is_operator_key(element.key)) {
                nodes.push_back(wrong(at, "an operator and a field cannot be mixed"));
                continue;
            }
            const std::string_view name = element.key.substr(1);
            if (const auto* found = find_named(operators, name); found != operators.end()) {
                nodes.push_back(comparison(left, found->op, element.value, at));
            } else if (name == "and" || name == "or" || name == "nor") {
                nodes.push_back(group(group_kind(name), tests_of(left, element.value, at)));
            } else if (name == "not") {
                nodes.push_back(group(Node::Kind::none, {test(left, element.value, at)}));
            } else if (std::find(mongo_operators.begin(), mongo_operators.end(), element.key) !=
                       mongo_operators.end()) {
                has_mongo = true;
                mongo.append(element.key, element.value);
            } else {
                nodes.push_back(wrong(at, "unknown operator '" + std::string(element.key) + "'"));
            }
        }
        if (has_mongo) {
            nodes.push_back(mongo_test(left, std::move(mongo).finish(), path));
        }
        return conjunction(std::move(nodes));
    }

    std::vector<Node> tests_of(const Operand& left, BsonView value, const std::string& path) {
        std::vector<Node> nodes;
        if (!value.is_array()) {
            nodes.push_back(wrong(path, "expected an array"));
            return nodes;
        }
        for (const BsonElement& element : value.as_document()) {
            nodes.push_back(
                test(left, element.value, path + "[" + std::to_string(nodes.size()) + "]"));
        }
        return nodes;
    }

    Node comparison(const Operand& left, Operator op, BsonView value, const std::string& path) {
        Node node;
        node.kind = Node::Kind::test;
        node.left = left;
        node.op = op;
        node.right = operand(value, path);
        const bool literal = node.right.kind == Operand::Kind::literal;
        if (op == Operator::exists && (!literal || value.type() != mql::BsonType::boolean)) {
            return wrong(path, "expected true or false");
        }
        if ((op == Operator::in || op == Operator::nin) && literal && !value.is_array()) {
            return wrong(path, "expected an array or an expansion");
        }
        const bool whole_document =
            left.kind == Operand::Kind::expansion && left.path.empty() &&
            (left.source == Source::root || left.source == Source::previous);
        if (whole_document && op != Operator::exists) {
            return wrong(path, "a whole document can only be asked for %exists");
        }
        return node;
    }

    Node mongo_test(const Operand& left, mql::BsonDocument tests, const std::string& path) {
        const bool expands = has_expansion(tests.view().as_value());
        mql::BsonDocument filled = tests;
        if (expands) {
            const std::size_t before = problems_.size();
            detail::Filled probed = detail::fill_expansions(tests, [&](std::string_view expansion) {
                return filling_at_parse(expansion, path);
            });
            if (probed.is_misplaced) {
                return wrong(path, "expansions can stand in $all, and in $elemMatch where a value "
                                   "is compared, not elsewhere in MongoDB's operators");
            }
            if (problems_.size() > before) {
                return constant(false);
            }
            filled = std::move(probed.tests);
        }
        mql::BsonWriter probe;
        probe.append("value", filled.view().as_value());
        const auto compiled = mql::Filter::compile(std::move(probe).finish());
        if (!compiled) {
            return wrong(path, compiled.error().message());
        }
        if (left.kind == Operand::Kind::expansion && left.path.empty() &&
            (left.source == Source::root || left.source == Source::previous)) {
            return wrong(path, "a whole document can only be asked for %exists");
        }
        Node node;
        node.kind = Node::Kind::test;
        node.left = left;
        node.op = Operator::mongo;
        node.mongo = std::move(tests);
        node.mongo_expands = expands;
        return node;
    }

    // Some value in the place of an expansion that binding will know.
    detail::Filling filling_at_parse(std::string_view text, const std::string& path) {
        const Operand used = operand(mql::BsonValue::from_string(std::string(text)), path);
        if (used.kind == Operand::Kind::expansion && is_of_document(used.source)) {
            problem(path, "'" + std::string(text) + "' cannot stand inside $all and $elemMatch");
        }
        return {true, mql::BsonValue::from_bool(true)};
    }

    Operand operand(BsonView value, const std::string& path) {
        if (value.is_string() && is_expansion(value.as_string())) {
            const std::string_view text = value.as_string();
            if (text == "%%true" || text == "%%false") {
                return literal(mql::BsonValue::from_bool(text == "%%true"));
            }
            return expansion(text, path);
        }
        if (value.is_document() && !value.as_document().empty()) {
            const BsonElement first = *value.as_document().begin();
            const bool alone = value.as_document().count() == 1;
            if (first.key == "%function" && alone) {
                return function(first.value, path + ".%function");
            }
            const auto* conversion = find_named(conversions, first.key);
            if (conversion != conversions.end() && alone) {
                Operand out;
                out.kind = Operand::Kind::conversion;
                out.conversion = conversion->conversion;
                out.items.push_back(operand(first.value, path + "." + std::string(first.key)));
                return out;
            }
            if (is_operator_key(first.key) && first.key != "$ref") {
                problem(path, "'" + std::string(first.key) + "' cannot stand here");
                return {};
            }
        }
        if (!has_expansion(value)) {
            return literal(mql::BsonValue(value));
        }
        if (value.is_array()) {
            Operand out;
            out.kind = Operand::Kind::list;
            for (const BsonElement& element : value.as_document()) {
                out.items.push_back(
                    operand(element.value, path + "[" + std::to_string(out.items.size()) + "]"));
            }
            return out;
        }
        problem(path, "an expansion inside a document value; name the field by a path instead");
        return {};
    }

    Operand function(BsonView value, const std::string& path) {
        out_.uses_function_ = true;
        Operand out;
        out.kind = Operand::Kind::function;
        if (!value.is_document() || !value.as_document().find("name").is_string()) {
            problem(path, "expected {\"name\": ..., \"arguments\": [...]}");
            return {};
        }
        out.function = value.as_document().find("name").as_string();
        const BsonView arguments = value.as_document().find("arguments");
        if (arguments.is_array()) {
            for (const BsonElement& element : arguments.as_document()) {
                out.items.push_back(operand(
                    element.value, path + ".arguments[" + std::to_string(out.items.size()) + "]"));
            }
        } else if (!arguments.is_nullish()) {
            problem(path + ".arguments", "expected an array");
        }
        return out;
    }

    Operand expansion(std::string_view text, const std::string& path) {
        const std::string_view rest = text.substr(2);
        for (const NamedSource& entry : sources) {
            if (!rest.starts_with(entry.name) ||
                (rest.size() > entry.name.size() && rest[entry.name.size()] != '.')) {
                continue;
            }
            Operand out;
            out.kind = Operand::Kind::expansion;
            out.source = entry.source;
            out.path = rest.substr(std::min(rest.size(), entry.name.size() + 1));
            note(out);
            return out;
        }
        problem(path, "unknown expansion '" + std::string(text) + "'");
        return {};
    }

    void note(const Operand& used) {
        // %%user alone holds the custom data too.
        out_.uses_custom_data_ |= used.source == Source::custom_data ||
                                  (used.source == Source::user && used.path.empty());
        out_.uses_request_ |= used.source == Source::request;
        out_.uses_document_expansion_ |= is_of_document(used.source);
        if (used.source == Source::root && !used.path.empty()) {
            out_.fields_.insert(used.path);
        }
    }

    static Operand literal(mql::BsonValue value) {
        Operand out;
        out.kind = Operand::Kind::literal;
        out.literal = std::move(value);
        return out;
    }

    void problem(const std::string& path, std::string message) {
        problems_.push_back({path, std::move(message)});
    }
    Node wrong(const std::string& path, std::string message) {
        problem(path, std::move(message));
        return constant(false);
    }

    Problems& problems_;
    Expression out_;
};

Expression Expression::parse(BsonView spec, const std::string& path, Problems& problems) {
    return ExpressionParser(problems).run(spec, path);
}

std::optional<bool> Expression::literal() const noexcept {
    if (root_ == nullptr) {
        return std::nullopt;
    }
    if (root_->kind == Node::Kind::constant) {
        return root_->value;
    }
    if (root_->kind == Node::Kind::all && root_->children.empty()) {
        return true;
    }
    return std::nullopt;
}

} // namespace tombolo::rules
