#pragma once

// The classes of a MemoryState, for writers of instructions. Borrows the state.

#include <string_view>

#include "changeset/applier.hpp"
#include "changeset/memory_state.hpp"

namespace tombolo::changeset {

class StateClasses final : public ClassSource {
  public:
    explicit StateClasses(const MemoryState& state) : state_(state) {}
    const ClassInfo* find_class(std::string_view name) const noexcept override {
        const MemoryClass* found = state_.find_class(name);
        return found == nullptr ? nullptr : &found->info;
    }

  private:
    const MemoryState& state_;
};

} // namespace tombolo::changeset
