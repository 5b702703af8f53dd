// Objects: merging, and fields whose names are computed or unusual.

#include <fmt/format.h>

#include "mql/expression_node.hpp"
#include "mql/expression_object.hpp"

namespace tombolo::mql::detail {

namespace {

Result<BsonView> merge_objects(const Arguments& arguments) {
    ObjectMerger merger;
    const auto merge = [&merger](BsonView value) -> Result<void> {
        if (value.is_nullish()) {
            return {};
        }
        if (!value.is_document()) {
            return failed(
                fmt::format("$mergeObjects takes objects, not {}", type_alias(value.type())));
        }
        merger.merge(value.as_document());
        return {};
    };
    for (const BsonView value : arguments.values) {
        if (value.is_array() && arguments.size() == 1) {
            for (const BsonElement& element : value.as_document()) {
                TOMBOLO_TRY_VOID(merge(element.value));
            }
        } else {
            TOMBOLO_TRY_VOID(merge(value));
        }
    }
    BsonDocument merged = merger.document();
    TOMBOLO_TRY_VOID(check_size(merged.bytes().size(), "$mergeObjects"));
    return arguments.evaluation.scratch().keep(std::move(merged).into_value());
}

/// The literal text of "field", which may begin with '$' when it stands inside $literal.
Result<std::string> field_name(Compiler& compiler, BsonView spec, const std::string& path) {
    if (spec.is_string() && !spec.as_string().starts_with('$')) {
        return std::string(spec.as_string());
    }
    if (spec.is_missing()) {
        return invalid_expression("argument \"field\" is missing", path);
    }
    TOMBOLO_TRY(const NodePtr node, compiler.compile(spec, path + ".field"));
    const auto constant = node->constant();
    if (!constant || !constant->is_string()) {
        return invalid_expression("\"field\" must be a constant string", path);
    }
    std::string name(constant->as_string());
    if (name.find('\0') != std::string::npos) {
        return invalid_expression("\"field\" must not contain a NUL", path);
    }
    return name;
}

class GetField : public ExpressionNode {
  public:
    GetField(std::string field, NodePtr input)
        : field_(std::move(field)), input_(std::move(input)) {}

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        TOMBOLO_TRY(const BsonView input, input_->evaluate(evaluation));
        if (input.is_document()) {
            return input.as_document().find(field_);
        }
        return input.is_nullish() && !input.is_missing() ? BsonView::null() : BsonView();
    }

  private:
    std::string field_;
    NodePtr input_;
};

/// $setField and $unsetField: a null value node removes.
class SetField : public ExpressionNode {
  public:
    SetField(std::string field, NodePtr input, NodePtr value, std::string path)
        : field_(std::move(field)), input_(std::move(input)), value_(std::move(value)),
          path_(std::move(path)) {}

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        TOMBOLO_TRY(const BsonView input, input_->evaluate(evaluation));
        if (input.is_nullish()) {
            return BsonView::null();
        }
        if (!input.is_document()) {
            return failed(fmt::format("the input of $setField must be an object, not {}",
                                      type_alias(input.type())))
                .within(path_);
        }
        BsonView value;
        if (value_) {
            TOMBOLO_TRY(value, value_->evaluate(evaluation));
        }
        BsonWriter writer;
        bool written = false;
        for (const BsonElement& element : input.as_document()) {
            const bool is_it = element.key == field_;
            writer.append(element.key, is_it ? value : element.value);
            written = written || is_it;
        }
        if (!written) {
            writer.append(field_, value);
        }
        TOMBOLO_TRY_VOID(check_size(writer.size(), "$setField"));
        return evaluation.document(std::move(writer));
    }

  private:
    std::string field_;
    NodePtr input_;
    NodePtr value_;
    std::string path_;
};

Result<NodePtr> make_field_change(Compiler& compiler, BsonView spec, const std::string& path,
                                  bool has_value) {
    if (!spec.is_document()) {
        return invalid_expression("the arguments must stand in an object", path);
    }
    const BsonDocumentView fields = spec.as_document();
    if (fields.find("input").is_missing() || (has_value && fields.find("value").is_missing()) ||
        fields.count() != (has_value ? 3 : 2)) {
        return invalid_expression(has_value ? "$setField takes {field, input, value}"
                                            : "$unsetField takes {field, input}",
                                  path);
    }
    TOMBOLO_TRY(std::string name, field_name(compiler, fields.find("field"), path));
    TOMBOLO_TRY(NodePtr input, compiler.compile(fields.find("input"), path + ".input"));
    NodePtr value;
    if (has_value) {
        TOMBOLO_TRY(value, compiler.compile(fields.find("value"), path + ".value"));
    }
    return NodePtr(
        std::make_unique<SetField>(std::move(name), std::move(input), std::move(value), path));
}

constexpr std::array operators = std::to_array<PositionalOperator>({
    {"$mergeObjects", 0, any_count, merge_objects},
});

} // namespace

void ObjectMerger::merge(BsonDocumentView document) {
    for (const BsonElement& element : document) {
        const auto [place, is_new] = places_.emplace(element.key, fields_.size());
        if (is_new) {
            fields_.emplace_back(element.key, BsonValue(element.value));
        } else {
            fields_[place->second].second = BsonValue(element.value);
        }
    }
}

BsonDocument ObjectMerger::document() const {
    BsonWriter writer;
    for (const auto& [name, value] : fields_) {
        writer.append(name, value);
    }
    return std::move(writer).finish();
}

std::span<const PositionalOperator> object_operators() noexcept {
    return operators;
}

Result<NodePtr> make_get_field(Compiler& compiler, BsonView spec, const std::string& path) {
    const BsonValue current = BsonValue::from_string("$$CURRENT");
    BsonView field = spec;
    BsonView input;
    if (spec.is_document() && !spec.as_document().find("field").is_missing()) {
        field = spec.as_document().find("field");
        input = spec.as_document().find("input");
        if (spec.as_document().count() != (input.is_missing() ? 1U : 2U)) {
            return invalid_expression("$getField takes {field, input}", path);
        }
    }
    TOMBOLO_TRY(std::string name, field_name(compiler, field, path));
    TOMBOLO_TRY(NodePtr node,
                compiler.compile(input.is_missing() ? current.view() : input, path + ".input"));
    return NodePtr(std::make_unique<GetField>(std::move(name), std::move(node)));
}

Result<NodePtr> make_set_field(Compiler& compiler, BsonView spec, const std::string& path) {
    return make_field_change(compiler, spec, path, true);
}

Result<NodePtr> make_unset_field(Compiler& compiler, BsonView spec, const std::string& path) {
    return make_field_change(compiler, spec, path, false);
}

} // namespace tombolo::mql::detail
