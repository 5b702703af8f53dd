// Updates: following paths through a document, and the three forms' results.

#include <string>

#include "mql/bson_compare.hpp"
#include "mql/bson_text.hpp"
#include "mql/update_program.hpp"

namespace tombolo::mql {

namespace detail {

namespace {

/// Elements that a write beyond an array's end may add: MongoDB's own bound.
constexpr std::int64_t array_padding_max = 1'500'000;

class Walker {
  public:
    Walker(const UpdateOperation& operation, UpdateContext& context)
        : operation_(operation), context_(context) {}

    Result<void> run(MutableValue& root) { return descend(root, 0); }

  private:
    bool is_last(std::size_t step) const noexcept { return step + 1 == operation_.path.size(); }

    Result<void> descend(MutableValue& node, std::size_t at) {
        if (at == operation_.path.size()) {
            return apply_to_value(operation_, node, context_);
        }
        const UpdateStep& step = operation_.path[at];
        switch (step.kind) {
        case StepKind::field:
            return enter_field(node, step, at);
        case StepKind::matched:
            return enter_matched(node, at);
        case StepKind::all:
        case StepKind::filtered:
            return enter_all(node, step, at);
        }
        return {};
    }

    std::string_view parent_name(std::size_t at) const noexcept {
        return at == 0 ? std::string_view() : std::string_view(operation_.path[at - 1].name);
    }

    Error cannot_create(MutableValue& node, std::size_t at) const {
        BsonValue storage;
        return update_failed(operation_, "Cannot create field '" + operation_.path[at].name +
                                             "' in element " +
                                             to_text(parent_name(at), node.view(storage)));
    }

    Result<void> enter_field(MutableValue& node, const UpdateStep& step, std::size_t at) {
        const bool creates = creates_field(operation_.op);
        if (node.is_missing() && creates) {
            node.clear_to(BsonType::document);
        }
        if (node.is_document()) {
            if (operation_.op == UpdateOperator::unset && is_last(at)) {
                node.erase(step.name);
                return {};
            }
            if (MutableValue* child = node.find(step.name)) {
                return descend(*child, at + 1);
            }
            return creates ? descend(node.add(step.name), at + 1) : Result<void>();
        }
        if (node.is_array()) {
            if (operation_.op == UpdateOperator::rename) {
                return update_failed(
                    operation_,
                    "The destination field cannot be an array element, '" + operation_.dotted +
                        "' in doc with " + to_text("_id", context_.document_id) +
                        " has an array field called '" + std::string(parent_name(at)) + "'");
            }
            return step.index >= 0 ? enter_position(node, step.index, at)
                                   : (creates ? cannot_create(node, at) : Result<void>());
        }
        return creates ? cannot_create(node, at) : Result<void>();
    }

    // REQUIRES: node.is_array()
    Result<void> enter_position(MutableValue& node, std::int64_t index, std::size_t at) {
        std::vector<MutableValue::Field>& fields = node.fields();
        const auto position = static_cast<std::size_t>(index);
        if (position < fields.size()) {
            if (operation_.op == UpdateOperator::unset && is_last(at)) {
                fields[position].value = MutableValue(BsonView::null());
                return {};
            }
            return descend(fields[position].value, at + 1);
        }
        if (!creates_field(operation_.op)) {
            return {};
        }
        if (index - static_cast<std::int64_t>(fields.size()) > array_padding_max) {
            return update_failed(operation_, "cannot write to array element " +
                                                 std::to_string(index) + ": more than " +
                                                 std::to_string(array_padding_max) +
                                                 " elements beyond the end of the array");
        }
        while (fields.size() < position) {
            fields.push_back({{}, MutableValue(BsonView::null())});
        }
        return descend(node.add({}), at + 1);
    }

    Result<void> enter_matched(MutableValue& node, std::size_t at) {
        if (context_.input.match.array_index < 0) {
            return update_failed(operation_,
                                 "The positional operator did not find the match needed from the "
                                 "query.");
        }
        if (!node.is_array()) {
            return cannot_apply_to(node, at);
        }
        return enter_position(node, context_.input.match.array_index, at);
    }

    Result<void> cannot_apply_to(MutableValue& node, std::size_t at) const {
        if (node.is_missing()) {
            return update_failed(operation_, "The path '" + prefix(at) +
                                                 "' must exist in the document in order to apply "
                                                 "array updates.");
        }
        BsonValue storage;
        return update_failed(operation_, "Cannot apply array updates to non-array element " +
                                             to_text(parent_name(at), node.view(storage)));
    }

    std::string prefix(std::size_t steps) const {
        std::string out;
        for (std::size_t i = 0; i < steps; ++i) {
            out += i == 0 ? operation_.path[i].name : "." + operation_.path[i].name;
        }
        return out;
    }

    Result<void> enter_all(MutableValue& node, const UpdateStep& step, std::size_t at) {
        if (!node.is_array()) {
            return cannot_apply_to(node, at);
        }
        std::vector<MutableValue::Field>& fields = node.fields();
        for (std::size_t i = 0; i < fields.size(); ++i) {
            if (step.kind == StepKind::filtered) {
                TOMBOLO_TRY(const bool matched, filter_matches(step, fields[i].value));
                if (!matched) {
                    continue;
                }
            }
            TOMBOLO_TRY_VOID(enter_position(node, static_cast<std::int64_t>(i), at));
        }
        return {};
    }

    Result<bool> filter_matches(const UpdateStep& step, const MutableValue& element) const {
        const ArrayFilter& filter = context_.program.array_filters[step.filter];
        BsonWriter writer;
        element.write(writer, filter.identifier);
        return filter.filter.matches(std::move(writer).finish(), context_.input.evaluation);
    }

    const UpdateOperation& operation_;
    UpdateContext& context_;
};

// Takes the value at the source out of the document; missing when there is none.
Result<MutableValue> take_renamed(const UpdateOperation& operation, MutableValue& root,
                                  const UpdateContext& context) {
    const std::vector<UpdateStep>& source = std::get<RenameArgument>(operation.argument).source;
    MutableValue* node = &root;
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (node->is_array()) {
            return update_failed(operation,
                                 "The source field cannot be an array element, '" + source[i].name +
                                     "' in doc with " + to_text("_id", context.document_id) +
                                     " has an array field called '" + source[i - 1].name + "'");
        }
        MutableValue* child = node->is_document() ? node->find(source[i].name) : nullptr;
        if (child == nullptr) {
            return MutableValue();
        }
        if (i + 1 == source.size()) {
            MutableValue out = std::move(*child);
            node->erase(source[i].name);
            return out;
        }
        node = child;
    }
    return MutableValue();
}

Result<void> apply_operation(const UpdateOperation& operation, MutableValue& root,
                             UpdateContext& context) {
    if (operation.op == UpdateOperator::set_on_insert && !context.input.insert) {
        return {};
    }
    if (operation.op == UpdateOperator::rename) {
        TOMBOLO_TRY(MutableValue value, take_renamed(operation, root, context));
        if (value.is_missing()) {
            return {};
        }
        context.renamed = &value;
        return Walker(operation, context).run(root);
    }
    return Walker(operation, context).run(root);
}

Result<void> check_id(BsonView before, BsonDocumentView after, std::string_view what) {
    if (before.is_missing() || equal(before, after.find("_id"))) {
        return {};
    }
    return Error(ErrorCode::mql_failed, std::string(what));
}

Result<BsonDocument> checked(BsonDocument document) {
    TOMBOLO_TRY([[maybe_unused]] const auto view, BsonDocumentView::validate(document.bytes()));
    return document;
}

Result<BsonDocument> apply_operators(const UpdateProgram& program, BsonDocumentView document,
                                     const UpdateInput& input) {
    UpdateContext context{program, input, document.find("_id"), nullptr};
    MutableValue root(document.as_value());
    for (const UpdateOperation& operation : program.operations) {
        TOMBOLO_TRY_VOID(apply_operation(operation, root, context));
    }
    BsonWriter writer;
    root.write_members(writer);
    TOMBOLO_TRY(BsonDocument result, checked(std::move(writer).finish()));
    TOMBOLO_TRY_VOID(
        check_id(context.document_id, result,
                 "Performing an update on the path '_id' would modify the immutable field '_id'"));
    return result;
}

Result<BsonDocument> apply_replacement(const UpdateProgram& program, BsonDocumentView document) {
    const BsonDocumentView replacement = program.spec.view().as_document();
    const BsonView own = document.find("_id");
    const BsonView given = replacement.find("_id");
    if (!own.is_missing() && !given.is_missing() && !equal(own, given)) {
        return Error(ErrorCode::mql_failed,
                     "After applying the update, the (immutable) field '_id' was found to have "
                     "been altered to " +
                         to_text("_id", given));
    }
    BsonWriter writer;
    writer.append("_id", own.is_missing() ? given : own);
    for (const BsonElement& element : replacement) {
        if (element.key != "_id") {
            writer.append(element.key, element.value);
        }
    }
    return checked(std::move(writer).finish());
}

} // namespace

} // namespace detail

Result<BsonDocument> Update::apply(BsonDocumentView document, const UpdateInput& input) const {
    if (program_->is_replacement) {
        return detail::apply_replacement(*program_, document);
    }
    if (program_->pipeline == nullptr) {
        return detail::apply_operators(*program_, document, input);
    }
    TOMBOLO_TRY(BsonDocument result,
                detail::run_update_pipeline(*program_->pipeline, document, input.evaluation));
    const BsonView own = document.find("_id");
    if (result.view().find("_id").is_missing() && !own.is_missing()) {
        // A new root without _id keeps the document's.
        BsonWriter writer;
        writer.append("_id", own);
        for (const BsonElement& element : result.view()) {
            writer.append(element.key, element.value);
        }
        result = std::move(writer).finish();
    }
    TOMBOLO_TRY_VOID(detail::check_id(own, result,
                                      "Performing an update on the path '_id' would modify the "
                                      "immutable field '_id'"));
    return detail::checked(std::move(result));
}

} // namespace tombolo::mql
