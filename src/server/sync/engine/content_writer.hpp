#pragma once

// Writes values into places as instructions. Internal to changes.cpp and difference.cpp.

#include <cstdint>
#include <optional>

#include "changeset/builder.hpp"
#include "core/value.hpp"
#include "server/sync/engine/model.hpp"

namespace tombolo::server::sync {

class ContentWriter {
  public:
    ContentWriter(changeset::ChangesetBuilder& out, const Model& model)
        : out_(out), model_(model) {}

    /// The fields of an object at `place` that hold their defaults so far. `place` comes back as it
    /// was, but for its field when the object is a top-level one.
    void fields(changeset::Place& place, const changeset::ClassInfo& info, const Object& object,
                bool is_root);
    /// One value into a field, a dictionary key, a new list element (`insert_at`), or an existing
    /// one (`replace_in`: the list's size). `column`: null inside a Mixed.
    void slot(changeset::Place& place, const changeset::ColumnInfo* column, const Value& value,
              std::optional<std::uint32_t> insert_at,
              std::optional<std::uint32_t> replace_in = std::nullopt);
    void list(changeset::Place& place, const changeset::ColumnInfo* column, const List& list);
    void dictionary(changeset::Place& place, const changeset::ColumnInfo* column,
                    const Dictionary& dictionary);

  private:
    void field(changeset::Place& place, const changeset::ColumnInfo& column, const Value& value);
    void put(const changeset::Place& place, const changeset::PayloadView& value,
             std::optional<std::uint32_t> insert_at, std::optional<std::uint32_t> replace_in);

    changeset::ChangesetBuilder& out_;
    const Model& model_;
};

} // namespace tombolo::server::sync
