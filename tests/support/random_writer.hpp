#pragma once

// Writes random valid transactions: every step is executed on the state at once and logged, so
// indices and prior_sizes are always right (changesets-and-merge.md 6.3).
//
// It writes what an SDK of ours would (2.11), which keeps clear of the known edges (6.4) by
// construction: E1  lists whose elements can have inner edits are never moved in; E2, E3  only A.z
// and Z are erased: see random_schema.hpp; E4  an embedded object goes into a dictionary as Erased,
// then ObjectValue; E5  needs no care: our merge compares by content; E6  a Mixed slot becomes a
// collection by Update and Clear, or by Clear alone. The columns named bare_* get a bare Update
//     instead, so that concurrent first inserts merge; they never hold anything but that
//     collection.
// Numbers of different types that compare equal, and -0, are kept out of sets: which of two equal
// elements stays depends on the order of arrival.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "changeset/builder.hpp"
#include "changeset/memory_applier.hpp"
#include "changeset/memory_state.hpp"
#include "support/random_schema.hpp"

namespace tombolo::testing {

enum class WriterHabit : std::uint8_t {
    careful,  ///< as above
    careless, ///< walks into E1, E4, E6, E7 and E9: the canary that a property over this writer
              ///< must fail
};

class RandomWriter {
  public:
    /// Edits the state, which must outlive the writer.
    explicit RandomWriter(changeset::MemoryState& state, WriterHabit habit = WriterHabit::careful)
        : state_(state), is_careful_(habit == WriterHabit::careful) {}

    /// One random operation: usually one to three instructions, none when nothing can be done.
    void write(Choices& choices);
    /// Adds the classes and columns of add_random_schema.
    void write_schema(Choices& choices);

    /// What was written since the last call.
    changeset::Changeset take();

  private:
    using Step = std::variant<std::uint32_t, std::string>;
    /// A place that owns its text; states change under the writer's hands.
    struct Where {
        std::string table;
        PrimaryKey object;
        std::string field;
        std::vector<Step> path;

        Where then(Step step) const;
        /// REQUIRES of container(): is_element()
        Where container() const;
        bool is_element() const; ///< of a list
        changeset::Place place() const;
    };
    /// What may be done in a slot or collection.
    struct Traits {
        changeset::ColumnInfo column;
        bool is_field = true; ///< a field of an object, not an element of a collection
        bool is_bare = false; ///< inside a bare_* column
    };

    void schema_change(Choices& choices);
    void edit_object(const changeset::ClassInfo& info, const PrimaryKey& key, Choices& choices);
    void create(const changeset::ClassInfo& info, const PrimaryKey& key, Choices& choices);
    void erase(const std::string& table, const PrimaryKey& key, Choices& choices);
    bool sever_one_link(const std::string& table, const PrimaryKey& key);
    bool sever_in(const Where& where, const Value& value, const Traits& traits, const Link& target);

    void edit_field(const Where& where, const changeset::ColumnInfo& column, Choices& choices);
    void edit_slot(const Where& where, const Traits& traits, Choices& choices);
    void edit_embedded(const Where& where, const std::string& target, Choices& choices);
    void edit_embedded_slot(const Where& where, const std::string& target, Choices& choices);
    void edit_mixed_slot(const Where& where, const Traits& traits, Choices& choices);
    void edit_bare_slot(const Where& where, const Traits& traits, Choices& choices);
    void edit_inside(const Where& where, const Traits& traits, Choices& choices);
    void edit_list(const Where& where, const Traits& traits, Choices& choices);
    void insert_element(const Where& where, const Traits& traits, Choices& choices);
    void edit_dictionary(const Where& where, const Traits& traits, Choices& choices);
    void edit_set(const Where& where, const Traits& traits, Choices& choices);

    /// Update of a field, key or element, whichever the place is.
    void update(const Where& where, const changeset::PayloadView& value, bool is_default = false);
    void make_collection(const Where& where, changeset::CollectionKind kind);
    /// `is_in_slot`: the collection is a value of Mixed, not a column.
    void clear(const Where& where, changeset::CollectionKind kind, bool is_in_slot);
    Value random_scalar(const changeset::ColumnInfo& column, Choices& choices,
                        bool for_set = false);
    Value random_link(std::string_view table, Choices& choices);

    const Value& value_at(const Where& where) const;
    bool is_embedded(const changeset::ColumnInfo& column) const;
    std::uint32_t list_size(const Where& where) const;
    /// Applies and logs what the builder holds.
    void emit(changeset::ChangesetBuilder& step);

    changeset::MemoryState& state_;
    bool is_careful_;
    changeset::ChangesetBuilder log_;
};

} // namespace tombolo::testing
