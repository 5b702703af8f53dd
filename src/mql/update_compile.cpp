// Updates: compiling the three forms.

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "mql/bson_text.hpp"
#include "mql/path.hpp"
#include "mql/update_program.hpp"

namespace tombolo::mql {

namespace detail {

namespace {

Error invalid(std::string message) {
    return Error(ErrorCode::mql_invalid, std::move(message));
}

std::optional<UpdateOperator> find_operator(std::string_view name) noexcept {
    for (std::size_t i = 0; i <= static_cast<std::size_t>(UpdateOperator::bit); ++i) {
        const auto op = static_cast<UpdateOperator>(i);
        if (operator_name(op) == name) {
            return op;
        }
    }
    return std::nullopt;
}

// The identifier that all conditions of an array filter start with.
Result<void> find_identifier(BsonDocumentView filter, std::string& identifier) {
    for (const BsonElement& element : filter) {
        if (element.key == "$and" || element.key == "$or" || element.key == "$nor") {
            if (element.value.is_array()) {
                for (const BsonElement& part : element.value.as_document()) {
                    if (part.value.is_document()) {
                        TOMBOLO_TRY_VOID(find_identifier(part.value.as_document(), identifier));
                    }
                }
            }
            continue;
        }
        const std::string_view name = element.key.substr(0, element.key.find('.'));
        if (!identifier.empty() && identifier != name) {
            return invalid("Error parsing array filter :: caused by :: Expected a single top-level "
                           "field name, found '" +
                           identifier + "' and '" + std::string(name) + "'");
        }
        identifier = name;
    }
    return {};
}

bool is_identifier(std::string_view name) noexcept {
    return !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
           std::all_of(name.begin(), name.end(),
                       [](unsigned char c) { return std::isalnum(c) != 0 && c < 128; });
}

Result<void> compile_array_filters(UpdateProgram& program, const UpdateOptions& options) {
    for (const BsonDocumentView spec : options.array_filters) {
        std::string identifier;
        TOMBOLO_TRY_VOID(find_identifier(spec, identifier));
        if (identifier.empty()) {
            return invalid("Cannot use an expression without a top-level field name in "
                           "arrayFilters");
        }
        if (!is_identifier(identifier)) {
            return invalid("Error parsing array filter :: caused by :: The top-level field name "
                           "must be an alphanumeric string beginning with a lowercase letter, "
                           "found '" +
                           identifier + "'");
        }
        for (const ArrayFilter& other : program.array_filters) {
            if (other.identifier == identifier) {
                return invalid("Found multiple array filters with the same top-level field name " +
                               identifier);
            }
        }
        auto filter = Filter::compile(spec);
        if (!filter) {
            return filter.error().within("arrayFilters");
        }
        program.array_filters.push_back({identifier, *std::move(filter)});
    }
    return {};
}

int compare_steps(const std::string& left, const std::string& right) noexcept {
    const std::int64_t left_index = array_index(left);
    const std::int64_t right_index = array_index(right);
    if (left_index >= 0 && right_index >= 0) {
        return left_index < right_index ? -1 : (left_index > right_index ? 1 : 0);
    }
    if ((left_index >= 0) != (right_index >= 0)) {
        return left_index >= 0 ? -1 : 1;
    }
    return left.compare(right);
}

bool path_less(const std::vector<UpdateStep>& left, const std::vector<UpdateStep>& right) noexcept {
    return std::lexicographical_compare(
        left.begin(), left.end(), right.begin(), right.end(),
        [](const UpdateStep& a, const UpdateStep& b) { return compare_steps(a.name, b.name) < 0; });
}

std::string dotted(const std::vector<UpdateStep>& steps) {
    std::string out;
    for (const UpdateStep& step : steps) {
        out += out.empty() ? step.name : "." + step.name;
    }
    return out;
}

struct TouchedPath {
    const std::vector<UpdateStep>* steps;
    std::size_t order;
};

// In sorted order a path is followed directly by the paths inside it, so neighbours show every
// conflict.
Result<void> check_conflicts(const std::vector<UpdateOperation>& operations) {
    std::vector<TouchedPath> touched;
    for (const UpdateOperation& operation : operations) {
        if (const auto* rename = std::get_if<RenameArgument>(&operation.argument)) {
            touched.push_back({&rename->source, operation.order});
        }
        touched.push_back({&operation.path, operation.order});
    }
    std::stable_sort(touched.begin(), touched.end(),
                     [](const TouchedPath& left, const TouchedPath& right) {
                         return path_less(*left.steps, *right.steps);
                     });
    for (std::size_t i = 1; i < touched.size(); ++i) {
        const std::vector<UpdateStep>& outer = *touched[i - 1].steps;
        const std::vector<UpdateStep>& inner = *touched[i].steps;
        const bool conflict =
            outer.size() <= inner.size() &&
            std::equal(outer.begin(), outer.end(), inner.begin(),
                       [](const UpdateStep& a, const UpdateStep& b) { return a.name == b.name; });
        if (conflict) {
            const auto& later = touched[i - 1].order > touched[i].order ? outer : inner;
            return invalid("Updating the path '" + dotted(later) +
                           "' would create a conflict at '" + dotted(outer) + "'");
        }
    }
    return {};
}

Result<void> check_filters_used(const UpdateProgram& program) {
    for (std::size_t i = 0; i < program.array_filters.size(); ++i) {
        const bool used = std::any_of(
            program.operations.begin(), program.operations.end(),
            [&](const UpdateOperation& operation) {
                return std::any_of(operation.path.begin(), operation.path.end(),
                                   [&](const UpdateStep& step) {
                                       return step.kind == StepKind::filtered && step.filter == i;
                                   });
            });
        if (!used) {
            return invalid("The array filter for identifier '" +
                           program.array_filters[i].identifier + "' was not used in the update " +
                           to_text(program.spec));
        }
    }
    return {};
}

Result<UpdateOperation> compile_operation(UpdateOperator op, const BsonElement& element,
                                          const UpdateProgram& program) {
    UpdateOperation operation;
    operation.op = op;
    operation.operand = element.value;
    TOMBOLO_TRY(operation.argument, compile_update_argument(op, element.key, element.value));
    const std::string_view path =
        op == UpdateOperator::rename ? element.value.as_string() : element.key;
    operation.dotted = path;
    TOMBOLO_TRY(operation.path, parse_update_path(path, program.array_filters));
    return operation;
}

Result<void> compile_modifier(UpdateProgram& program, const BsonElement& modifier) {
    const auto op = find_operator(modifier.key);
    if (!op) {
        return Error(ErrorCode::mql_unsupported,
                     "Unknown modifier: " + std::string(modifier.key) +
                         ". Expected a valid update modifier or pipeline-style update specified "
                         "as an array");
    }
    if (!modifier.value.is_document()) {
        return invalid("Modifiers operate on fields but we found type " +
                       std::string(type_alias(modifier.value.type())) +
                       " instead. For example: {$mod: {<field>: ...}} not " +
                       to_text(modifier.key, modifier.value));
    }
    for (const BsonElement& element : modifier.value.as_document()) {
        auto operation = compile_operation(*op, element, program);
        if (!operation) {
            return operation.error().within(std::string(modifier.key) + " '" +
                                            std::string(element.key) + "'");
        }
        operation->order = program.operations.size();
        program.operations.push_back(*std::move(operation));
    }
    return {};
}

Result<void> compile_operators(UpdateProgram& program) {
    for (const BsonElement& modifier : program.spec.view().as_document()) {
        TOMBOLO_TRY_VOID(compile_modifier(program, modifier));
    }
    TOMBOLO_TRY_VOID(check_conflicts(program.operations));
    TOMBOLO_TRY_VOID(check_filters_used(program));
    std::stable_sort(program.operations.begin(), program.operations.end(),
                     [](const UpdateOperation& left, const UpdateOperation& right) {
                         return path_less(left.path, right.path);
                     });
    return {};
}

Result<void> check_replacement(const UpdateProgram& program) {
    if (!program.array_filters.empty()) {
        return invalid("arrayFilters may not be specified for a replacement or a pipeline");
    }
    for (const BsonElement& element : program.spec.view().as_document()) {
        if (element.key.starts_with('$')) {
            return invalid("The dollar ($) prefixed field '" + std::string(element.key) + "' in '" +
                           std::string(element.key) + "' is not valid for storage.");
        }
    }
    return {};
}

} // namespace

} // namespace detail

Update::Update(std::shared_ptr<const detail::UpdateProgram> program) noexcept
    : program_(std::move(program)) {}

Result<Update> Update::compile(BsonView spec, const UpdateOptions& options) {
    auto program = std::make_shared<detail::UpdateProgram>();
    program->spec = BsonValue(spec);
    TOMBOLO_TRY_VOID(detail::compile_array_filters(*program, options));
    if (spec.is_array()) {
        if (!program->array_filters.empty()) {
            return detail::invalid(
                "arrayFilters may not be specified for a replacement or a pipeline");
        }
        TOMBOLO_TRY(program->pipeline, detail::compile_update_pipeline(
                                           program->spec.view().as_document(), options.expression));
        return Update(std::move(program));
    }
    if (!spec.is_document()) {
        return detail::invalid("an update is a document or an array, not " +
                               std::string(type_alias(spec.type())));
    }
    const BsonDocumentView document = program->spec.view().as_document();
    program->is_replacement = document.empty() || !document.begin()->key.starts_with('$');
    if (program->is_replacement) {
        TOMBOLO_TRY_VOID(detail::check_replacement(*program));
    } else {
        TOMBOLO_TRY_VOID(detail::compile_operators(*program));
    }
    return Update(std::move(program));
}

bool Update::is_replacement() const noexcept {
    return program_->is_replacement;
}

bool Update::is_pipeline() const noexcept {
    return program_->pipeline != nullptr;
}

} // namespace tombolo::mql
