// $map, $filter, $reduce and $sortArray: forms that evaluate an expression for every element of an
// array.
//
// What one element's evaluation made is dropped before the next, so that a loop needs the memory of
// its result only.

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "mql/expression_node.hpp"
#include "mql/stage_sort_key.hpp"

namespace tombolo::mql::detail {

namespace {

/// The spec's fields by name; the variable's name must be a literal. Missing fields stay missing.
struct LoopSpec {
    BsonView input;
    BsonView body;
    BsonView extra;
    std::string_view variable = "this";
};

Result<LoopSpec> read_loop(BsonView spec, std::string_view body, std::string_view extra,
                           const std::string& path) {
    if (!spec.is_document()) {
        return invalid_expression("the arguments must stand in an object", path);
    }
    LoopSpec loop;
    for (const BsonElement& element : spec.as_document()) {
        if (element.key == "input") {
            loop.input = element.value;
        } else if (element.key == body) {
            loop.body = element.value;
        } else if (element.key == "as") {
            if (!element.value.is_string()) {
                return invalid_expression("\"as\" must be a string", path);
            }
            loop.variable = element.value.as_string();
            TOMBOLO_TRY_VOID(check_variable_name(loop.variable, path));
        } else if (!extra.empty() && element.key == extra) {
            loop.extra = element.value;
        } else {
            return invalid_expression(fmt::format("\"{}\" is not an argument here", element.key),
                                      path);
        }
    }
    if (loop.input.is_missing() || loop.body.is_missing()) {
        return invalid_expression(fmt::format("\"input\" and \"{}\" are needed", body), path);
    }
    return loop;
}

Error not_an_array(std::string_view name, BsonView value, const std::string& path) {
    return failed(fmt::format("the input of {} must be an array, not {}", name,
                              type_alias(value.type())))
        .within(path);
}

class MapNode : public ExpressionNode {
  public:
    MapNode(NodePtr input, std::size_t slot, NodePtr body, std::string path)
        : input_(std::move(input)), slot_(slot), body_(std::move(body)), path_(std::move(path)) {}

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        TOMBOLO_TRY(const BsonView input, input_->evaluate(evaluation));
        if (input.is_nullish()) {
            return BsonView::null();
        }
        if (!input.is_array()) {
            return not_an_array("$map", input, path_);
        }
        BsonWriter writer(true);
        for (const BsonElement& element : input.as_document()) {
            const auto mark = evaluation.scratch().mark();
            TOMBOLO_TRY_VOID(evaluation.step());
            evaluation.set_slot(slot_, element.value);
            TOMBOLO_TRY(const BsonView value, body_->evaluate(evaluation));
            if (value.is_missing()) {
                writer.append_null({});
            } else {
                writer.append({}, value);
            }
            evaluation.scratch().rewind(mark);
            TOMBOLO_TRY_VOID(check_size(writer.size(), "$map"));
        }
        return evaluation.array(std::move(writer));
    }

  private:
    NodePtr input_;
    std::size_t slot_;
    NodePtr body_;
    std::string path_;
};

class FilterNode : public ExpressionNode {
  public:
    FilterNode(NodePtr input, std::size_t slot, NodePtr condition, NodePtr limit, std::string path)
        : input_(std::move(input)), slot_(slot), condition_(std::move(condition)),
          limit_(std::move(limit)), path_(std::move(path)) {}

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        TOMBOLO_TRY(const BsonView input, input_->evaluate(evaluation));
        if (input.is_nullish()) {
            return BsonView::null();
        }
        if (!input.is_array()) {
            return not_an_array("$filter", input, path_);
        }
        std::int64_t limit = std::numeric_limits<std::int64_t>::max();
        if (limit_) {
            TOMBOLO_TRY(const BsonView count, limit_->evaluate(evaluation));
            if (!count.is_nullish() && (!count.to_int64(limit) || limit < 1)) {
                return failed("the limit of $filter must be a whole number from 1").within(path_);
            }
        }
        BsonWriter writer(true);
        for (const BsonElement& element : input.as_document()) {
            if (limit <= 0) {
                break;
            }
            const auto mark = evaluation.scratch().mark();
            TOMBOLO_TRY_VOID(evaluation.step());
            evaluation.set_slot(slot_, element.value);
            TOMBOLO_TRY(const BsonView truth, condition_->evaluate(evaluation));
            if (truth.truthy()) {
                writer.append({}, element.value);
                --limit;
            }
            evaluation.scratch().rewind(mark);
        }
        return evaluation.array(std::move(writer));
    }

  private:
    NodePtr input_;
    std::size_t slot_;
    NodePtr condition_;
    NodePtr limit_;
    std::string path_;
};

class ReduceNode : public ExpressionNode {
  public:
    ReduceNode(NodePtr input, NodePtr initial, std::size_t this_slot, std::size_t value_slot,
               NodePtr body, std::string path)
        : input_(std::move(input)), initial_(std::move(initial)), this_slot_(this_slot),
          value_slot_(value_slot), body_(std::move(body)), path_(std::move(path)) {}

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        TOMBOLO_TRY(const BsonView input, input_->evaluate(evaluation));
        if (input.is_nullish()) {
            return BsonView::null();
        }
        if (!input.is_array()) {
            return not_an_array("$reduce", input, path_);
        }
        TOMBOLO_TRY(const BsonView initial, initial_->evaluate(evaluation));
        BsonValue value(initial);
        for (const BsonElement& element : input.as_document()) {
            const auto mark = evaluation.scratch().mark();
            TOMBOLO_TRY_VOID(evaluation.step());
            evaluation.set_slot(this_slot_, element.value);
            evaluation.set_slot(value_slot_, value.view());
            TOMBOLO_TRY(const BsonView next, body_->evaluate(evaluation));
            TOMBOLO_TRY_VOID(check_size(next.bytes().size(), "$reduce"));
            TOMBOLO_TRY_VOID(check_depth(next));
            // Copied before the scratch and the old value, either of which it may point into, are
            // gone.
            BsonValue copy(next);
            value = std::move(copy);
            evaluation.scratch().rewind(mark);
        }
        return evaluation.scratch().keep(std::move(value));
    }

  private:
    NodePtr input_;
    NodePtr initial_;
    std::size_t this_slot_;
    std::size_t value_slot_;
    NodePtr body_;
    std::string path_;
};

class SortArrayNode : public ExpressionNode {
  public:
    SortArrayNode(NodePtr input, SortKey key, std::string path)
        : input_(std::move(input)), key_(std::move(key)), path_(std::move(path)) {}

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        TOMBOLO_TRY(const BsonView input, input_->evaluate(evaluation));
        if (input.is_nullish()) {
            return BsonView::null();
        }
        if (!input.is_array()) {
            return not_an_array("$sortArray", input, path_);
        }
        std::vector<BsonView> elements;
        for (const BsonElement& element : input.as_document()) {
            elements.push_back(element.value);
        }
        std::stable_sort(elements.begin(), elements.end(), [this](BsonView left, BsonView right) {
            return key_.compare(left, right) < 0;
        });
        BsonWriter writer(true);
        for (const BsonView element : elements) {
            writer.append({}, element);
        }
        return evaluation.array(std::move(writer));
    }

  private:
    NodePtr input_;
    SortKey key_;
    std::string path_;
};

/// Compiles the body with one more variable in scope.
Result<std::pair<std::size_t, NodePtr>> compile_body(Compiler& compiler, std::string_view variable,
                                                     BsonView body, const std::string& path) {
    const std::size_t slot = compiler.push_variable(variable);
    Result<NodePtr> node = compiler.compile(body, path);
    compiler.pop_variables(1);
    if (!node) {
        return node.error();
    }
    return std::pair(slot, *std::move(node));
}

} // namespace

Result<NodePtr> make_map(Compiler& compiler, BsonView spec, const std::string& path) {
    TOMBOLO_TRY(const LoopSpec loop, read_loop(spec, "in", "", path));
    TOMBOLO_TRY(NodePtr input, compiler.compile(loop.input, path + ".input"));
    TOMBOLO_TRY(auto body, compile_body(compiler, loop.variable, loop.body, path + ".in"));
    return NodePtr(
        std::make_unique<MapNode>(std::move(input), body.first, std::move(body.second), path));
}

Result<NodePtr> make_filter(Compiler& compiler, BsonView spec, const std::string& path) {
    TOMBOLO_TRY(const LoopSpec loop, read_loop(spec, "cond", "limit", path));
    TOMBOLO_TRY(NodePtr input, compiler.compile(loop.input, path + ".input"));
    NodePtr limit;
    if (!loop.extra.is_missing()) {
        TOMBOLO_TRY(limit, compiler.compile(loop.extra, path + ".limit"));
    }
    TOMBOLO_TRY(auto body, compile_body(compiler, loop.variable, loop.body, path + ".cond"));
    return NodePtr(std::make_unique<FilterNode>(std::move(input), body.first,
                                                std::move(body.second), std::move(limit), path));
}

Result<NodePtr> make_reduce(Compiler& compiler, BsonView spec, const std::string& path) {
    constexpr std::array<std::string_view, 3> names = {"input", "initialValue", "in"};
    if (!spec.is_document()) {
        return invalid_expression("$reduce takes {input, initialValue, in}", path);
    }
    std::array<BsonView, 3> parts;
    for (const BsonElement& element : spec.as_document()) {
        const auto* const found = std::find(names.begin(), names.end(), element.key);
        if (found == names.end()) {
            return invalid_expression(
                fmt::format("\"{}\" is not an argument of $reduce", element.key), path);
        }
        parts[static_cast<std::size_t>(found - names.begin())] = element.value;
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (parts[i].is_missing()) {
            return invalid_expression(fmt::format("argument \"{}\" is missing", names[i]), path);
        }
    }
    TOMBOLO_TRY(NodePtr input, compiler.compile(parts[0], path + ".input"));
    TOMBOLO_TRY(NodePtr initial, compiler.compile(parts[1], path + ".initialValue"));
    const std::size_t value_slot = compiler.push_variable("value");
    auto body = compile_body(compiler, "this", parts[2], path + ".in");
    compiler.pop_variables(1);
    if (!body) {
        return body.error();
    }
    return NodePtr(std::make_unique<ReduceNode>(std::move(input), std::move(initial), body->first,
                                                value_slot, std::move(body->second), path));
}

Result<NodePtr> make_sort_array(Compiler& compiler, BsonView spec, const std::string& path) {
    TOMBOLO_TRY(const LoopSpec loop, read_loop(spec, "sortBy", "", path));
    TOMBOLO_TRY(NodePtr input, compiler.compile(loop.input, path + ".input"));
    auto key = SortKey::compile(loop.body);
    if (!key) {
        return key.error().within(path + ".sortBy");
    }
    return NodePtr(std::make_unique<SortArrayNode>(std::move(input), *std::move(key), path));
}

} // namespace tombolo::mql::detail
