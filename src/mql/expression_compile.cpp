// From a spec to a tree of nodes: literals, field paths, variables, objects, arrays, and the
// dispatch to operators.

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "core/limits.hpp"
#include "mql/expression_node.hpp"

namespace tombolo::mql::detail {

namespace {

class Constant : public ExpressionNode {
  public:
    explicit Constant(BsonView value) : value_(value) {}
    Result<BsonView> evaluate(Evaluation&) const override { return value_.view(); }
    std::optional<BsonView> constant() const override { return value_.view(); }

  private:
    BsonValue value_;
};

/// $$NOW: a date made when asked for.
class Now : public ExpressionNode {
  public:
    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        return evaluation.date(evaluation.input().now_ms);
    }
};

/// A variable and the path behind it. Arrays on the way are mapped over their documents.
class FieldPath : public ExpressionNode {
  public:
    FieldPath(std::size_t slot, std::vector<std::string> fields)
        : slot_(slot), fields_(std::move(fields)) {}

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        return walk(evaluation, evaluation.slot(slot_), 0);
    }

  private:
    // Recursion is as deep as the path is long, which the compiler bounds.
    Result<BsonView> walk(Evaluation& evaluation, BsonView value, std::size_t at) const {
        while (at < fields_.size() && value.is_document()) {
            value = value.as_document().find(fields_[at]);
            ++at;
        }
        if (at == fields_.size()) {
            return value;
        }
        if (!value.is_array()) {
            return BsonView();
        }
        BsonWriter writer(true);
        for (const BsonElement& element : value.as_document()) {
            if (element.value.is_document()) {
                TOMBOLO_TRY(const BsonView found, walk(evaluation, element.value, at));
                writer.append({}, found);
            }
        }
        TOMBOLO_TRY_VOID(check_size(writer.size(), "a field path"));
        return evaluation.array(std::move(writer));
    }

    std::size_t slot_;
    std::vector<std::string> fields_;
};

class ObjectNode : public ExpressionNode {
  public:
    explicit ObjectNode(std::vector<std::pair<std::string, NodePtr>> fields)
        : fields_(std::move(fields)) {}

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        BsonWriter writer;
        for (const auto& [name, node] : fields_) {
            TOMBOLO_TRY(const BsonView value, node->evaluate(evaluation));
            writer.append(name, value);
            TOMBOLO_TRY_VOID(check_size(writer.size(), "an object expression"));
        }
        return evaluation.document(std::move(writer));
    }

  private:
    std::vector<std::pair<std::string, NodePtr>> fields_;
};

class ArrayNode : public ExpressionNode {
  public:
    explicit ArrayNode(std::vector<NodePtr> elements) : elements_(std::move(elements)) {}

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        BsonWriter writer(true);
        for (const NodePtr& node : elements_) {
            TOMBOLO_TRY(const BsonView value, node->evaluate(evaluation));
            if (value.is_missing()) {
                writer.append_null({});
            } else {
                writer.append({}, value);
            }
            TOMBOLO_TRY_VOID(check_size(writer.size(), "an array expression"));
        }
        return evaluation.array(std::move(writer));
    }

  private:
    std::vector<NodePtr> elements_;
};

/// An operator whose arguments are all evaluated first. Null nodes are absent optional arguments.
class FunctionNode : public ExpressionNode {
  public:
    FunctionNode(OperatorFunction function, std::vector<NodePtr> arguments, std::string path)
        : function_(function), arguments_(std::move(arguments)), path_(std::move(path)) {
        for (std::size_t i = 0; i < std::min<std::size_t>(arguments_.size(), 32); ++i) {
            present_ |= (arguments_[i] ? 1U : 0U) << i;
        }
    }

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        std::array<BsonView, 4> few;
        std::vector<BsonView> many;
        std::span<BsonView> values(few.data(), std::min(arguments_.size(), few.size()));
        if (arguments_.size() > few.size()) {
            many.resize(arguments_.size());
            values = many;
        }
        for (std::size_t i = 0; i < arguments_.size(); ++i) {
            if (arguments_[i]) {
                TOMBOLO_TRY(values[i], arguments_[i]->evaluate(evaluation));
            }
        }
        Result<BsonView> result = function_({evaluation, values, present_});
        if (!result && result.error().context().empty()) {
            return result.error().within(path_);
        }
        return result;
    }

  private:
    OperatorFunction function_;
    std::vector<NodePtr> arguments_;
    std::string path_;
    std::uint32_t present_ = 0;
};

using PositionalTable = std::unordered_map<std::string_view, const PositionalOperator*>;
using NamedTable = std::unordered_map<std::string_view, const NamedOperator*>;

PositionalTable positional_table() {
    PositionalTable table;
    for (const auto operators : {logic_operators(), arithmetic_operators(), math_operators(),
                                 string_operators(), array_operators(), set_operators(),
                                 type_operators(), object_operators(), summary_operators()}) {
        for (const PositionalOperator& entry : operators) {
            table.emplace(entry.name, &entry);
        }
    }
    return table;
}

NamedTable named_table() {
    NamedTable table;
    for (const auto operators :
         {string_named_operators(), array_named_operators(), date_named_operators()}) {
        for (const NamedOperator& entry : operators) {
            table.emplace(entry.name, &entry);
        }
    }
    return table;
}

/// Splits "a.b.c". An error when a part is empty or begins with '$'.
Result<std::vector<std::string>> split_path(std::string_view text, const std::string& path) {
    std::vector<std::string> fields;
    std::size_t start = 0;
    while (true) {
        const std::size_t end = std::min(text.find('.', start), text.size());
        const std::string_view field = text.substr(start, end - start);
        if (field.empty()) {
            return invalid_expression(
                fmt::format("field path \"{}\" has an empty part", text.substr(0, 100)), path);
        }
        if (field.front() == '$' || field.find('\0') != std::string_view::npos) {
            return invalid_expression(
                fmt::format("field path \"{}\" has a part that begins with '$'",
                            text.substr(0, 100)),
                path);
        }
        fields.emplace_back(field);
        if (fields.size() > limits::document_depth_max) {
            return invalid_expression("a field path has too many parts", path);
        }
        if (end == text.size()) {
            return fields;
        }
        start = end + 1;
    }
}

std::string below(const std::string& path, std::string_view name) {
    return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

} // namespace

const PositionalOperator* find_positional(std::string_view name) noexcept {
    static const PositionalTable table = positional_table();
    const auto found = table.find(name);
    return found == table.end() ? nullptr : found->second;
}

const NamedOperator* find_named(std::string_view name) noexcept {
    static const NamedTable table = named_table();
    const auto found = table.find(name);
    return found == table.end() ? nullptr : found->second;
}

NodePtr make_constant(BsonView value) {
    return std::make_unique<Constant>(value);
}

Compiler::Compiler(const ExpressionOptions& options) {
    variables_.emplace_back("ROOT", 0);
    variables_.emplace_back("CURRENT", 1);
    slots_ = 2;
    for (const std::string& name : options.variables) {
        variables_.emplace_back(name, slots_++);
    }
}

std::size_t Compiler::push_variable(std::string_view name) {
    if (name == "CURRENT") {
        // "$field" means "$$CURRENT.field": both follow the newest binding.
        variables_.emplace_back("CURRENT", slots_);
    } else {
        variables_.emplace_back(name, slots_);
    }
    return slots_++;
}

void Compiler::pop_variables(std::size_t count) {
    variables_.resize(variables_.size() - count);
}

Result<NodePtr> Compiler::compile(BsonView spec, const std::string& path) {
    if (depth_ >= limits::document_depth_max) {
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("an expression is nested deeper than {} levels",
                                 limits::document_depth_max),
                     path);
    }
    ++depth_;
    Result<NodePtr> result = [&]() -> Result<NodePtr> {
        switch (spec.type()) {
        case BsonType::string:
            return compile_text(spec.as_string(), path);
        case BsonType::document:
            return compile_document(spec.as_document(), path);
        case BsonType::array: {
            std::vector<NodePtr> elements;
            for (const BsonElement& element : spec.as_document()) {
                TOMBOLO_TRY(NodePtr node,
                            compile(element.value, fmt::format("{}[{}]", path, elements.size())));
                elements.push_back(std::move(node));
            }
            return NodePtr(std::make_unique<ArrayNode>(std::move(elements)));
        }
        default:
            return make_constant(spec);
        }
    }();
    --depth_;
    return result;
}

Result<NodePtr> Compiler::compile_text(std::string_view text, const std::string& path) {
    if (text.empty() || text.front() != '$') {
        return make_constant(BsonValue::from_string(text));
    }
    if (text == "$" || text == "$$") {
        return invalid_expression(fmt::format("\"{}\" alone is not a field path", text), path);
    }
    const bool names_variable = text[1] == '$';
    TOMBOLO_TRY(std::vector<std::string> fields,
                split_path(text.substr(names_variable ? 2 : 1), path));
    std::string variable = "CURRENT";
    if (names_variable) {
        variable = fields.front();
        fields.erase(fields.begin());
    }
    const auto found = std::find_if(variables_.rbegin(), variables_.rend(),
                                    [&](const auto& entry) { return entry.first == variable; });
    if (found != variables_.rend()) {
        return NodePtr(std::make_unique<FieldPath>(found->second, std::move(fields)));
    }
    if (variable == "REMOVE") {
        return make_constant({});
    }
    if (variable == "NOW" && fields.empty()) {
        return NodePtr(std::make_unique<Now>());
    }
    return invalid_expression(fmt::format("variable \"$${}\" is not defined", variable), path);
}

Result<NodePtr> Compiler::compile_document(BsonDocumentView spec, const std::string& path) {
    const auto first = spec.begin();
    if (first != spec.end() && !first->key.empty() && first->key.front() == '$') {
        const std::string_view name = first->key;
        const BsonView argument = first->value;
        auto next = first;
        ++next;
        if (next != spec.end()) {
            return invalid_expression(
                fmt::format("an expression has one operator, but \"{}\" follows {}", next->key,
                            name),
                path);
        }
        return compile_operator(name, argument, below(path, name));
    }
    std::vector<std::pair<std::string, NodePtr>> fields;
    for (const BsonElement& element : spec) {
        if (element.key.empty() || element.key.front() == '$' ||
            element.key.find('.') != std::string_view::npos) {
            return invalid_expression(
                fmt::format("\"{}\" is not a field name that an object expression can have",
                            element.key),
                path);
        }
        TOMBOLO_TRY(NodePtr node, compile(element.value, below(path, element.key)));
        fields.emplace_back(element.key, std::move(node));
    }
    return NodePtr(std::make_unique<ObjectNode>(std::move(fields)));
}

Result<std::vector<NodePtr>> Compiler::compile_list(BsonView spec, const std::string& path) {
    std::vector<NodePtr> nodes;
    if (!spec.is_array()) {
        TOMBOLO_TRY(NodePtr node, compile(spec, path));
        nodes.push_back(std::move(node));
        return nodes;
    }
    for (const BsonElement& element : spec.as_document()) {
        TOMBOLO_TRY(NodePtr node,
                    compile(element.value, fmt::format("{}[{}]", path, nodes.size())));
        nodes.push_back(std::move(node));
    }
    return nodes;
}

Result<std::vector<NodePtr>> Compiler::compile_named(BsonView spec,
                                                     std::span<const std::string_view> names,
                                                     const std::string& path) {
    if (!spec.is_document()) {
        return invalid_expression("the arguments must stand in an object", path);
    }
    std::vector<NodePtr> nodes(names.size());
    for (const BsonElement& element : spec.as_document()) {
        const auto found = std::find_if(names.begin(), names.end(), [&](std::string_view name) {
            return (name.front() == '?' ? name.substr(1) : name) == element.key;
        });
        if (found == names.end()) {
            return invalid_expression(fmt::format("\"{}\" is not an argument here", element.key),
                                      path);
        }
        TOMBOLO_TRY(nodes[static_cast<std::size_t>(found - names.begin())],
                    compile(element.value, below(path, element.key)));
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!nodes[i] && names[i].front() != '?') {
            return invalid_expression(fmt::format("argument \"{}\" is missing", names[i]), path);
        }
    }
    return nodes;
}

Result<NodePtr> Compiler::compile_operator(std::string_view name, BsonView spec,
                                           const std::string& path) {
    if (const SpecialForm form = find_special_form(name)) {
        return form(*this, spec, path);
    }
    if (const NamedOperator* entry = find_named(name)) {
        const auto* const end = std::find(entry->names.begin(), entry->names.end(), "");
        TOMBOLO_TRY(auto arguments, compile_named(spec, {entry->names.begin(), end}, path));
        return NodePtr(std::make_unique<FunctionNode>(entry->function, std::move(arguments), path));
    }
    const PositionalOperator* const entry = find_positional(name);
    if (entry == nullptr) {
        return Error(ErrorCode::mql_unsupported,
                     fmt::format("\"{}\" is not an expression operator known here", name), path);
    }
    TOMBOLO_TRY(auto arguments, compile_list(spec, path));
    if (arguments.size() < entry->least || arguments.size() > entry->most) {
        const std::string expected =
            entry->least == entry->most
                ? fmt::format("{}", entry->least)
                : (entry->most == any_count ? fmt::format("at least {}", entry->least)
                                            : fmt::format("{} to {}", entry->least, entry->most));
        return invalid_expression(fmt::format("{} takes {} arguments, but {} are given", name,
                                              expected, arguments.size()),
                                  path);
    }
    return NodePtr(std::make_unique<FunctionNode>(entry->function, std::move(arguments), path));
}

} // namespace tombolo::mql::detail
