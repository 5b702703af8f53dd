#pragma once

// Writes values into places as instructions: a new object's fields, or one value of them.
//
// What is written holds its default before: a new object, a new element. Borrows everything it is
// given. Not thread-safe.

#include <cstdint>
#include <optional>

#include "changeset/applier.hpp"
#include "changeset/builder.hpp"
#include "core/value.hpp"

namespace tombolo::changeset {

class ContentWriter {
  public:
    ContentWriter(ChangesetBuilder& out, const ClassSource& classes)
        : out_(out), classes_(classes) {}

    /// The fields of an object at `place` that hold their defaults so far. `place` comes back as it
    /// was, but for its field when the object is a top-level one.
    void fields(Place& place, const ClassInfo& info, const Object& object, bool is_root);
    /// One value into a field, a dictionary key, a new list element (`insert_at`), or an existing
    /// one (`replace_in`: the list's size). `column`: null inside a Mixed.
    void slot(Place& place, const ColumnInfo* column, const Value& value,
              std::optional<std::uint32_t> insert_at,
              std::optional<std::uint32_t> replace_in = std::nullopt);
    void list(Place& place, const ColumnInfo* column, const List& list);
    void dictionary(Place& place, const ColumnInfo* column, const Dictionary& dictionary);

  private:
    void field(Place& place, const ColumnInfo& column, const Value& value);
    void put(const Place& place, const PayloadView& value, std::optional<std::uint32_t> insert_at,
             std::optional<std::uint32_t> replace_in);

    ChangesetBuilder& out_;
    const ClassSource& classes_;
};

} // namespace tombolo::changeset
