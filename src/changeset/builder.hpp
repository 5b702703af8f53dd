#pragma once

// Writes changesets from code: names are interned, limits checked, payload types refused where they
// cannot stand.
//
//     ChangesetBuilder builder;
//     builder.create_object("Foo", std::int64_t{5});
//     builder.update({"Foo", std::int64_t{5}, "x"}, std::int64_t{42});
//     Result<Changeset> changeset = builder.finish();
//
// The first error is kept, later calls do nothing, and finish() returns it. Everything passed in is
// copied. Names and keys are limited as limits.hpp says; a builder checks shape, not a schema. Not
// thread-safe.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "changeset/changeset.hpp"
#include "core/primary_key.hpp"
#include "core/result.hpp"
#include "core/value.hpp"

namespace tombolo::changeset {

/// What an instruction stores: a scalar, or one of the bodyless commands. Borrows.
struct PayloadView {
    PayloadType type = PayloadType::null;
    ScalarView scalar;

    PayloadView(const ScalarView& value)
        : type(static_cast<PayloadType>(value.index())), scalar(value) {}
    /// REQUIRES: null or one of set, list, erased, dictionary, object_value; others are refused by
    /// the builder.
    PayloadView(PayloadType command) : type(command) {}
    PayloadView(std::int64_t value) : PayloadView(ScalarView(value)) {}
    PayloadView(std::string_view value) : PayloadView(ScalarView(value)) {}
    PayloadView(const char* value) : PayloadView(ScalarView(std::string_view(value))) {}
};

/// A list index, or the name of a dictionary key or embedded field. Borrows.
struct PathStep {
    std::uint32_t index = 0;
    std::optional<std::string_view> name;

    PathStep(int list_index) : index(static_cast<std::uint32_t>(list_index)) {}
    PathStep(std::uint32_t list_index) : index(list_index) {}
    PathStep(std::string_view key) : name(key) {}
    PathStep(const char* key) : name(key) {}
};

/// Where a path instruction acts. Borrows.
struct Place {
    std::string_view table;
    PrimaryKeyView object;
    std::string_view field;
    std::vector<PathStep> path = {};
};

struct ColumnDefinition {
    PayloadType type = PayloadType::null; ///< null: Mixed
    bool nullable = false;
    CollectionKind collection = CollectionKind::single;
    std::string_view link_target = {};          ///< type link only; empty: a typed link
    PayloadType key_type = PayloadType::string; ///< dictionary only
};

class ChangesetBuilder {
  public:
    ChangesetBuilder() = default;

    /// A class with a primary key; type global_key and an empty field name: without one.
    void add_table(std::string_view table, TableKind kind, std::string_view key_field,
                   PayloadType key_type, bool key_nullable);
    void add_embedded_table(std::string_view table);
    void erase_table(std::string_view table);
    void add_column(std::string_view table, std::string_view field,
                    const ColumnDefinition& definition);
    void erase_column(std::string_view table, std::string_view field);

    void create_object(std::string_view table, const PrimaryKeyView& object);
    void erase_object(std::string_view table, const PrimaryKeyView& object);

    /// A field, an embedded field or a dictionary key: the path does not end in an index.
    void update(const Place& place, const PayloadView& value, bool is_default = false);
    /// A list element: the path ends in its index.
    void update_element(const Place& place, const PayloadView& value, std::uint32_t prior_size);
    void add_integer(const Place& place, std::int64_t addend);
    void array_insert(const Place& place, const PayloadView& value, std::uint32_t prior_size);
    void array_move(const Place& place, std::uint32_t to, std::uint32_t prior_size);
    void array_erase(const Place& place, std::uint32_t prior_size);
    void clear(const Place& place, CollectionKind kind);
    void set_insert(const Place& place, const PayloadView& value);
    void set_erase(const Place& place, const PayloadView& value);

    /// Copies an instruction of another changeset. REQUIRES: it belongs to `source`.
    void append(const Changeset& source, const Instruction& instruction);

    std::size_t size() const noexcept { return changeset_.instructions().size(); }

    /// The changeset, or the first error. The builder is empty afterwards.
    Result<Changeset> finish();

  private:
    friend class PartsWriter;

    Changeset changeset_;
    std::optional<Error> error_;
};

} // namespace tombolo::changeset
