#include "query/condition_walk.hpp"

namespace tombolo::query {
namespace {

void add(FieldsRead& out, const Path& path) noexcept {
    const bool property = !path.steps.empty() && path.steps.front().kind == StepKind::property;
    if (!property || path.steps.front().slot >= 64) {
        out.needs_object = true;
    } else if (path.steps.front().slot >= 0) {
        out.slots |= std::uint64_t{1} << path.steps.front().slot;
    }
}

void add(FieldsRead& out, const Operand& operand) noexcept {
    if (const auto* path = std::get_if<Path>(&operand.node)) {
        add(out, *path);
    } else if (const auto* aggregate = std::get_if<Aggregate>(&operand.node)) {
        add(out, aggregate->path);
    } else if (const auto* subquery = std::get_if<Subquery>(&operand.node)) {
        add(out, subquery->path);
    } else if (const auto* arithmetic = std::get_if<Arithmetic>(&operand.node)) {
        for (const Operand& inner : arithmetic->operands) {
            add(out, inner);
        }
    }
}

void add(FieldsRead& out, const Condition& condition) noexcept {
    if (const auto* comparison = std::get_if<Comparison>(&condition.node)) {
        add(out, comparison->left);
        add(out, comparison->right);
    } else if (const auto* text = std::get_if<TextCondition>(&condition.node)) {
        add(out, text->path);
    } else if (const auto* geo = std::get_if<GeoCondition>(&condition.node)) {
        add(out, geo->path);
    } else if (const auto* negation = std::get_if<Negation>(&condition.node)) {
        add(out, *negation->operand);
    } else if (const auto* group = std::get_if<Group>(&condition.node)) {
        for (const Condition& operand : group->operands) {
            add(out, operand);
        }
    }
}

} // namespace

FieldsRead read_fields(const Condition& condition) noexcept {
    FieldsRead out;
    add(out, condition);
    return out;
}

} // namespace tombolo::query
