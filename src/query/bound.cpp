#include "query/bound.hpp"

#include <utility>

namespace tombolo::query {

Constants::Constants(std::vector<Value> values, bool is_list)
    : values_(std::move(values)), is_list_(is_list) {
    items_.reserve(values_.size());
    for (const Value& value : values_) {
        items_.emplace_back(value.scalar());
    }
}

Constants Constants::of_types(const std::vector<TypeMask>& masks, bool is_list) {
    std::vector<Value> values;
    values.reserve(masks.size());
    for (TypeMask mask : masks) {
        values.emplace_back(std::int64_t{mask});
    }
    return Constants(std::move(values), is_list);
}

bool Operand::is_many() const noexcept {
    if (const auto* constants = std::get_if<Constants>(&node)) {
        return constants->is_list();
    }
    if (const auto* path = std::get_if<Path>(&node)) {
        return path->many;
    }
    if (const auto* arithmetic = std::get_if<Arithmetic>(&node)) {
        for (const Operand& operand : arithmetic->operands) {
            if (operand.is_many()) {
                return true;
            }
        }
    }
    return false;
}

} // namespace tombolo::query
