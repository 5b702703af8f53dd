#pragma once

// A document under change: containers are taken apart only where something inside them changes, the
// rest is copied byte by byte when the result is written. Private to updates and projections.
//
// Names and unexpanded values are borrowed from the input document and from the compiled update,
// which must outlive this. Not thread-safe.

#include <string_view>
#include <vector>

#include "mql/bson_value.hpp"

namespace tombolo::mql::detail {

class MutableValue {
  public:
    struct Field;

    /// Missing.
    MutableValue();
    /// Borrows.
    explicit MutableValue(BsonView value);
    explicit MutableValue(BsonValue value);
    MutableValue(MutableValue&&) noexcept;
    MutableValue& operator=(MutableValue&&) noexcept;
    MutableValue(const MutableValue&) = delete;
    MutableValue& operator=(const MutableValue&) = delete;
    ~MutableValue();

    BsonType type() const noexcept;
    bool is_missing() const noexcept { return type() == BsonType::missing; }
    bool is_document() const noexcept { return type() == BsonType::document; }
    bool is_array() const noexcept { return type() == BsonType::array; }

    /// Becomes an empty document or array.
    void clear_to(BsonType container);

    /// The members, taken apart; erased ones are missing. REQUIRES: is_document() or is_array(). In
    /// arrays the names mean nothing. The number of a document's members changes only by add().
    std::vector<Field>& fields();

    /// REQUIRES: is_document(). Null when there is no such field.
    MutableValue* find(std::string_view name);
    /// Appends a missing value and returns it. REQUIRES: is_document() or is_array().
    MutableValue& add(std::string_view name);
    /// REQUIRES: is_document(). False when there was none.
    bool erase(std::string_view name);

    /// The value as it stands now; borrowed from this unless it was taken apart, then `storage`
    /// holds it.
    BsonView view(BsonValue& storage) const;

    /// Appends the value under the key; missing appends nothing.
    void write(BsonWriter& writer, std::string_view key) const;
    /// REQUIRES: is_document(). Appends the members to the writer's open document.
    void write_members(BsonWriter& writer) const;

  private:
    struct State;
    State& state();
    BsonView source() const noexcept;

    // Most members of a document stay as they are: they cost no more than this.
    BsonView borrowed_;
    std::unique_ptr<State> state_;
};

struct MutableValue::Field {
    std::string_view name;
    MutableValue value;
};

} // namespace tombolo::mql::detail
