// Updates: paths with positional operators.

#include <string>

#include "mql/path.hpp"
#include "mql/update_program.hpp"

namespace tombolo::mql::detail {

namespace {

Error invalid(std::string message) {
    return Error(ErrorCode::mql_invalid, std::move(message));
}

Result<UpdateStep> parse_step(std::string_view name, std::string_view dotted,
                              const std::vector<ArrayFilter>& filters) {
    UpdateStep step;
    step.name = name;
    step.index = array_index(name);
    if (name.empty()) {
        return invalid("The update path '" + std::string(dotted) +
                       "' contains an empty field name, which is not allowed.");
    }
    if (name == "$") {
        step.kind = StepKind::matched;
    } else if (name == "$[]") {
        step.kind = StepKind::all;
    } else if (name.starts_with("$[") && name.ends_with(']')) {
        step.kind = StepKind::filtered;
        const std::string_view identifier = name.substr(2, name.size() - 3);
        while (step.filter < filters.size() && filters[step.filter].identifier != identifier) {
            ++step.filter;
        }
        if (step.filter == filters.size()) {
            return invalid("No array filter found for identifier '" + std::string(identifier) +
                           "' in path '" + std::string(dotted) + "'");
        }
    } else if (name.starts_with('$') && name != "$ref" && name != "$id" && name != "$db") {
        return invalid("The dollar ($) prefixed field '" + std::string(name) + "' in '" +
                       std::string(dotted) + "' is not valid for storage.");
    }
    return step;
}

} // namespace

Result<std::vector<UpdateStep>> parse_update_path(std::string_view dotted,
                                                  const std::vector<ArrayFilter>& filters) {
    if (dotted.empty()) {
        return invalid("An empty update path is not valid.");
    }
    std::vector<UpdateStep> steps;
    bool has_matched = false;
    std::size_t start = 0;
    while (start <= dotted.size()) {
        const std::size_t dot = std::min(dotted.find('.', start), dotted.size());
        TOMBOLO_TRY(UpdateStep step,
                    parse_step(dotted.substr(start, dot - start), dotted, filters));
        if (step.kind != StepKind::field && steps.empty()) {
            return invalid("Cannot have positional (i.e. '$') element in the first position in "
                           "path '" +
                           std::string(dotted) + "'");
        }
        if (step.kind == StepKind::matched && std::exchange(has_matched, true)) {
            return invalid("Too many positional (i.e. '$') elements found in path '" +
                           std::string(dotted) + "'");
        }
        if (steps.size() == limits::document_depth_max) {
            return invalid("an update path has more than " +
                           std::to_string(limits::document_depth_max) + " components");
        }
        steps.push_back(std::move(step));
        start = dot + 1;
    }
    return steps;
}

} // namespace tombolo::mql::detail
