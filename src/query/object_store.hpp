#pragma once

// Objects in memory as core Values, and the accessor over them: what tests, and small sets of
// objects that are stored nowhere yet, are queried with. Simple rather than fast: finding backlinks
// looks at every object.
//
// Values have the shapes of changesets-and-merge.md 1: links as Link, embedded objects as Object,
// collections as List, Set and Dictionary. Links to objects that are not in the store read as null
// and are hidden from collections.
//
// Thread-safety: const members may be called from several threads. Pointers to objects stay valid
// until clear().

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.hpp"
#include "query/accessor.hpp"
#include "schema/object_schema.hpp"

namespace tombolo::query {

/// Borrowed.
struct ObjectRef {
    const Object* fields = nullptr;
    const schema::ClassSchema* object_class = nullptr;
};

class ObjectStore {
  public:
    /// `schema` must outlive the store.
    explicit ObjectStore(const schema::Schema& schema) noexcept : schema_(schema) {}

    /// REQUIRES: the class exists and is top-level; no object of that primary key is there.
    void add(std::string_view class_name, Object object);
    void clear() noexcept { classes_.clear(); }

    /// In the order of adding.
    std::vector<ObjectRef> objects(std::string_view class_name) const;
    std::optional<ObjectRef> find(std::string_view class_name, const PrimaryKeyView& key) const;

    /// Every object of the class, also embedded ones. `f` returns false to stop; so does this.
    bool for_each(const schema::ClassSchema& object_class,
                  FunctionRef<bool(const ObjectRef&)> f) const;

    const schema::Schema& schema() const noexcept { return schema_; }

  private:
    using Objects = std::deque<Object>;

    bool for_each_inside(const ObjectRef& parent, const schema::ClassSchema& object_class,
                         FunctionRef<bool(const ObjectRef&)> f) const;

    const schema::Schema& schema_;
    std::map<std::string, Objects, std::less<>> classes_;
};

/// The primary key of an object; monostate when it is null or the class has none.
PrimaryKeyView primary_key_of(const ObjectRef& object) noexcept;

class ObjectAccessor {
  public:
    using Object = ObjectRef;

    /// A value, or nothing: then null or an empty collection of the declared kind.
    struct Cell {
        const Value* value = nullptr;
        schema::CollectionKind collection = schema::CollectionKind::none;
    };

    /// `store` must outlive the accessor.
    explicit ObjectAccessor(const ObjectStore& store) noexcept : store_(store) {}

    Cell property(const Object& object, const schema::Property& property, int slot) const noexcept;
    Item self(const Object& object, const schema::ClassSchema& object_class) const noexcept;
    Item item(const Cell& cell) const noexcept;
    std::size_t size(const Cell& cell) const;
    std::optional<Cell> element(const Cell& cell, std::size_t index) const;
    std::optional<Cell> find(const Cell& cell, std::string_view key) const noexcept;
    bool for_each(const Cell& cell, FunctionRef<bool(const Cell&)> f) const;
    bool for_each_key(const Cell& cell, FunctionRef<bool(std::string_view)> f) const;
    std::optional<Object> follow(const Cell& cell, const schema::ClassSchema& object_class) const;
    bool for_each_backlink(const Object& object, const schema::ClassSchema& object_class,
                           const schema::Property& property,
                           FunctionRef<bool(const Object&)> f) const;
    std::size_t backlink_count(const Object& object) const;

  private:
    bool is_dangling(const Value& value) const;

    const ObjectStore& store_;
};

static_assert(Accessor<ObjectAccessor>);

} // namespace tombolo::query
