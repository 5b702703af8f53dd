#pragma once

// The small universe that property tests draw from (changesets-and-merge.md 6.3): few classes, keys
// and columns, so that concurrent writes collide often.
//
// Classes: A (int key) and B (string key) with a random choice of columns, E and F embedded (E may
// hold F). Z may be erased and nothing links to it; A.z may be erased and only Updates touch it: so
// edges E2 and E3 cannot arise.
//
// Columns are named after what they hold, so that a definition never differs between two peers that
// add the same one. The name also tells the writer what it may do there; see random_writer.hpp.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "changeset/builder.hpp"
#include "core/primary_key.hpp"

namespace tombolo::testing {

/// A sequence of choices that one number decides: equal numbers, equal choices, on every platform.
class Choices {
  public:
    explicit Choices(std::uint64_t seed) : state_(seed) {}

    /// 0 .. below-1. REQUIRES: below > 0
    std::uint32_t pick(std::uint32_t below);
    bool percent(std::uint32_t chance) { return pick(100) < chance; }
    template <class T>
    const T& one_of(const std::vector<T>& options) {
        return options[pick(static_cast<std::uint32_t>(options.size()))];
    }

  private:
    std::uint64_t state_;
};

struct ColumnMenuItem {
    std::string_view table;
    std::string_view name;
    changeset::ColumnDefinition definition;
};

/// Every column that can exist.
const std::vector<ColumnMenuItem>& column_menu();

/// AddTable and AddColumn for A, B, E, F and, sometimes, Z, with a random part of their columns.
void add_random_schema(Choices& choices, changeset::ChangesetBuilder& out);

/// AddTable of A, B, E, F, Z or N; the definition of a name is always the same.
void add_class(std::string_view name, changeset::ChangesetBuilder& out);

/// A key of the class's type, out of three.
PrimaryKey random_key(std::string_view table, Choices& choices);

} // namespace tombolo::testing
