// Comparison, boolean operators and control flow: what decides, and the forms that bind variables
// or delay evaluation.

#include <unordered_map>

#include <fmt/format.h>

#include "mql/bson_compare.hpp"
#include "mql/expression_node.hpp"

namespace tombolo::mql::detail {

namespace {

enum class Comparison : std::uint8_t { eq, ne, gt, gte, lt, lte, cmp };

template <Comparison kind>
Result<BsonView> compare_operands(const Arguments& arguments) {
    const int order = compare(arguments[0], arguments[1]);
    switch (kind) {
    case Comparison::eq:
        return arguments.evaluation.boolean(order == 0);
    case Comparison::ne:
        return arguments.evaluation.boolean(order != 0);
    case Comparison::gt:
        return arguments.evaluation.boolean(order > 0);
    case Comparison::gte:
        return arguments.evaluation.boolean(order >= 0);
    case Comparison::lt:
        return arguments.evaluation.boolean(order < 0);
    case Comparison::lte:
        return arguments.evaluation.boolean(order <= 0);
    case Comparison::cmp:
        break;
    }
    return arguments.evaluation.int32(order < 0 ? -1 : (order > 0 ? 1 : 0));
}

Result<BsonView> negate_truth(const Arguments& arguments) {
    return arguments.evaluation.boolean(!arguments[0].truthy());
}

/// $and and $or: stop at the first operand that decides.
class Junction : public ExpressionNode {
  public:
    Junction(std::vector<NodePtr> operands, bool deciding)
        : operands_(std::move(operands)), deciding_(deciding) {}

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        for (const NodePtr& operand : operands_) {
            TOMBOLO_TRY(const BsonView value, operand->evaluate(evaluation));
            if (value.truthy() == deciding_) {
                return evaluation.boolean(deciding_);
            }
        }
        return evaluation.boolean(!deciding_);
    }

  private:
    std::vector<NodePtr> operands_;
    bool deciding_;
};

/// $cond and $switch: the value of the first branch whose case is true.
class Branches : public ExpressionNode {
  public:
    Branches(std::vector<std::pair<NodePtr, NodePtr>> branches, NodePtr otherwise, std::string path)
        : branches_(std::move(branches)), otherwise_(std::move(otherwise)), path_(std::move(path)) {
    }

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        for (const auto& [condition, value] : branches_) {
            TOMBOLO_TRY(const BsonView truth, condition->evaluate(evaluation));
            if (truth.truthy()) {
                return value->evaluate(evaluation);
            }
        }
        if (!otherwise_) {
            return failed("no branch of $switch is true and there is no default").within(path_);
        }
        return otherwise_->evaluate(evaluation);
    }

  private:
    std::vector<std::pair<NodePtr, NodePtr>> branches_;
    NodePtr otherwise_;
    std::string path_;
};

class IfNull : public ExpressionNode {
  public:
    explicit IfNull(std::vector<NodePtr> operands) : operands_(std::move(operands)) {}

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        BsonView value;
        for (const NodePtr& operand : operands_) {
            TOMBOLO_TRY(value, operand->evaluate(evaluation));
            if (!value.is_nullish()) {
                break;
            }
        }
        return value;
    }

  private:
    std::vector<NodePtr> operands_;
};

class Let : public ExpressionNode {
  public:
    Let(std::vector<std::pair<std::size_t, NodePtr>> variables, NodePtr body)
        : variables_(std::move(variables)), body_(std::move(body)) {}

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        for (const auto& [slot, node] : variables_) {
            TOMBOLO_TRY(const BsonView value, node->evaluate(evaluation));
            evaluation.set_slot(slot, value);
        }
        return body_->evaluate(evaluation);
    }

  private:
    std::vector<std::pair<std::size_t, NodePtr>> variables_;
    NodePtr body_;
};

class Random : public ExpressionNode {
  public:
    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        if (evaluation.input().random == nullptr) {
            return failed("$rand is not available here");
        }
        return evaluation.float64((*evaluation.input().random)());
    }
};

constexpr std::array<PositionalOperator, 8> operators = {{
    {"$eq", 2, 2, compare_operands<Comparison::eq>},
    {"$ne", 2, 2, compare_operands<Comparison::ne>},
    {"$gt", 2, 2, compare_operands<Comparison::gt>},
    {"$gte", 2, 2, compare_operands<Comparison::gte>},
    {"$lt", 2, 2, compare_operands<Comparison::lt>},
    {"$lte", 2, 2, compare_operands<Comparison::lte>},
    {"$cmp", 2, 2, compare_operands<Comparison::cmp>},
    {"$not", 1, 1, negate_truth},
}};

} // namespace

std::span<const PositionalOperator> logic_operators() noexcept {
    return operators;
}

Result<NodePtr> make_and(Compiler& compiler, BsonView spec, const std::string& path) {
    TOMBOLO_TRY(auto operands, compiler.compile_list(spec, path));
    return NodePtr(std::make_unique<Junction>(std::move(operands), false));
}

Result<NodePtr> make_or(Compiler& compiler, BsonView spec, const std::string& path) {
    TOMBOLO_TRY(auto operands, compiler.compile_list(spec, path));
    return NodePtr(std::make_unique<Junction>(std::move(operands), true));
}

Result<NodePtr> make_cond(Compiler& compiler, BsonView spec, const std::string& path) {
    std::vector<NodePtr> nodes;
    if (spec.is_document()) {
        constexpr std::array<std::string_view, 3> names = {"if", "then", "else"};
        TOMBOLO_TRY(nodes, compiler.compile_named(spec, names, path));
    } else {
        TOMBOLO_TRY(nodes, compiler.compile_list(spec, path));
        if (nodes.size() != 3) {
            return invalid_expression("$cond takes 3 arguments: if, then, else", path);
        }
    }
    std::vector<std::pair<NodePtr, NodePtr>> branches;
    branches.emplace_back(std::move(nodes[0]), std::move(nodes[1]));
    return NodePtr(std::make_unique<Branches>(std::move(branches), std::move(nodes[2]), path));
}

Result<NodePtr> make_if_null(Compiler& compiler, BsonView spec, const std::string& path) {
    TOMBOLO_TRY(auto operands, compiler.compile_list(spec, path));
    if (operands.size() < 2) {
        return invalid_expression("$ifNull takes at least 2 arguments", path);
    }
    return NodePtr(std::make_unique<IfNull>(std::move(operands)));
}

Result<NodePtr> make_switch(Compiler& compiler, BsonView spec, const std::string& path) {
    if (!spec.is_document()) {
        return invalid_expression("$switch takes an object with \"branches\"", path);
    }
    std::vector<std::pair<NodePtr, NodePtr>> branches;
    NodePtr otherwise;
    for (const BsonElement& element : spec.as_document()) {
        if (element.key == "default") {
            TOMBOLO_TRY(otherwise, compiler.compile(element.value, path + ".default"));
        } else if (element.key == "branches" && element.value.is_array()) {
            for (const BsonElement& branch : element.value.as_document()) {
                constexpr std::array<std::string_view, 2> names = {"case", "then"};
                TOMBOLO_TRY(auto nodes, compiler.compile_named(
                                            branch.value, names,
                                            fmt::format("{}.branches[{}]", path, branches.size())));
                branches.emplace_back(std::move(nodes[0]), std::move(nodes[1]));
            }
        } else {
            return invalid_expression(
                fmt::format("\"{}\" is not an argument of $switch of that type", element.key),
                path);
        }
    }
    if (branches.empty()) {
        return invalid_expression("$switch needs at least one branch", path);
    }
    return NodePtr(std::make_unique<Branches>(std::move(branches), std::move(otherwise), path));
}

Result<NodePtr> make_let(Compiler& compiler, BsonView spec, const std::string& path) {
    const BsonView names = spec.is_document() ? spec.as_document().find("vars") : BsonView();
    const BsonView body = spec.is_document() ? spec.as_document().find("in") : BsonView();
    if (!names.is_document() || body.is_missing() || spec.as_document().count() != 2) {
        return invalid_expression("$let takes {vars: {...}, in: ...}", path);
    }
    std::vector<std::pair<std::string_view, NodePtr>> values;
    for (const BsonElement& element : names.as_document()) {
        TOMBOLO_TRY_VOID(check_variable_name(element.key, path));
        TOMBOLO_TRY(NodePtr node,
                    compiler.compile(element.value, fmt::format("{}.vars.{}", path, element.key)));
        values.emplace_back(element.key, std::move(node));
    }
    // The variables see only what stands outside, never each other.
    std::vector<std::pair<std::size_t, NodePtr>> variables;
    variables.reserve(values.size());
    for (auto& [name, node] : values) {
        variables.emplace_back(compiler.push_variable(name), std::move(node));
    }
    Result<NodePtr> node = compiler.compile(body, path + ".in");
    compiler.pop_variables(variables.size());
    if (!node) {
        return node;
    }
    return NodePtr(std::make_unique<Let>(std::move(variables), *std::move(node)));
}

Result<void> check_variable_name(std::string_view name, const std::string& path) {
    const bool begins_well = !name.empty() && ((name[0] >= 'a' && name[0] <= 'z') ||
                                               (static_cast<unsigned char>(name[0]) >= 0x80));
    if (name != "CURRENT" && !begins_well) {
        return invalid_expression(
            fmt::format("variable \"{}\" must begin with a lower-case letter", name), path);
    }
    for (const char c : name) {
        const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '_' ||
                             static_cast<unsigned char>(c) >= 0x80;
        if (!allowed) {
            return invalid_expression(
                fmt::format("variable \"{}\" may have letters, digits and '_' only", name), path);
        }
    }
    return {};
}

Result<NodePtr> make_literal(Compiler&, BsonView spec, const std::string&) {
    return make_constant(spec);
}

Result<NodePtr> make_rand(Compiler&, BsonView spec, const std::string& path) {
    if (!spec.is_container() || !spec.as_document().empty()) {
        return invalid_expression("$rand takes no arguments: write {$rand: {}}", path);
    }
    return NodePtr(std::make_unique<Random>());
}

SpecialForm find_special_form(std::string_view name) noexcept {
    static const std::unordered_map<std::string_view, SpecialForm> table = {
        {"$and", make_and},
        {"$or", make_or},
        {"$cond", make_cond},
        {"$ifNull", make_if_null},
        {"$switch", make_switch},
        {"$let", make_let},
        {"$literal", make_literal},
        {"$const", make_literal},
        {"$rand", make_rand},
        {"$map", make_map},
        {"$filter", make_filter},
        {"$reduce", make_reduce},
        {"$sortArray", make_sort_array},
        {"$getField", make_get_field},
        {"$setField", make_set_field},
        {"$unsetField", make_unset_field},
        {"$convert", make_convert},
        {"$regexMatch", make_regex_match},
        {"$regexFind", make_regex_find},
        {"$regexFindAll", make_regex_find_all},
    };
    const auto found = table.find(name);
    return found == table.end() ? find_date_part(name) : found->second;
}

} // namespace tombolo::mql::detail
