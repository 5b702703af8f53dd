#pragma once

// The Applier over a MemoryState: the reference implementation of that interface.
//
// Edits the state in place and does not roll back; apply(changeset, state) in memory_state.hpp
// does. The state must outlive the applier. Never fails. Not thread-safe.

#include <string_view>

#include "changeset/applier.hpp"
#include "changeset/memory_state.hpp"

namespace tombolo::changeset {

class MemoryApplier final : public Applier {
  public:
    explicit MemoryApplier(MemoryState& state) : state_(state) {}

    const ClassInfo* find_class(std::string_view class_name) override;
    bool is_link_target(std::string_view class_name) override;
    Result<void> add_class(const ClassInfo& info) override;
    Result<void> erase_class(std::string_view class_name) override;
    Result<void> add_column(std::string_view class_name, const ColumnInfo& column) override;
    Result<void> erase_column(std::string_view class_name, std::string_view column) override;

    Result<void> create_object(const ClassInfo& object_class, PrimaryKeyView key) override;
    Result<void> erase_object(const ClassInfo& object_class, PrimaryKeyView key) override;
    Result<bool> open_object(const ClassInfo& object_class, PrimaryKeyView key) override;

    Result<void> enter_field(const ColumnInfo& column) override;
    Result<bool> enter_index(std::size_t index) override;
    Result<bool> enter_key(std::string_view key) override;
    Result<ValueType> content() override;
    Result<std::size_t> size() override;
    Result<std::int64_t> integer() override;

    Result<void> put(const NewContent& content) override;
    Result<void> list_insert(std::size_t index, const NewContent& content) override;
    Result<void> list_erase(std::size_t index) override;
    Result<void> list_move(std::size_t from, std::size_t to) override;
    Result<void> dictionary_put(std::string_view key, const NewContent& content) override;
    Result<void> dictionary_erase(std::string_view key) override;
    Result<void> set_insert(const ScalarView& value) override;
    Result<void> set_erase(const ScalarView& value) override;
    Result<void> clear() override;

  private:
    MemoryClass& holder_of(std::string_view class_name);
    template <class Collection>
    Collection& current();

    MemoryState& state_;
    /// The position: an object (then value_ is null) or a value inside one.
    Object* object_ = nullptr;
    Value* value_ = nullptr;
};

} // namespace tombolo::changeset
