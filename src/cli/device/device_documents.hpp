#pragma once

// What a device holds, as documents for people, and what people want written, as changesets.
//
// The classes are those that the device knows: of the server's first bootstrap, or declared by the
// device itself. Pure functions over values. Errors say which class or field; not_found for an
// object that the device does not hold.

#include <string>
#include <string_view>
#include <vector>

#include "changeset/builder.hpp"
#include "changeset/memory_state.hpp"
#include "core/bson.hpp"
#include "core/random.hpp"
#include "core/result.hpp"
#include "schema/app_mapping.hpp"

namespace tombolo::cli {

/// Where one write goes.
struct ObjectName {
    std::string class_name;
    PrimaryKey key;
};

/// Classes of a device as documents are read and written by.
schema::DocumentSchema device_schema(const changeset::MemoryState& state);

/// AddTable and AddColumn for what the state does not have yet. invalid_schema when it contradicts.
Result<changeset::Changeset> schema_changeset(const changeset::MemoryState& state,
                                              const schema::Schema& wanted);

class DeviceDocuments {
  public:
    /// Borrows the state. Make another when its classes change.
    explicit DeviceDocuments(const changeset::MemoryState& state);

    /// The object with its `_id`, as BSON.
    Result<BsonBuffer> document(std::string_view class_name, const PrimaryKey& key) const;
    /// The same in relaxed Extended JSON.
    Result<std::string> json(std::string_view class_name, const PrimaryKey& key) const;

    /// A key as people type it: bare for texts, numbers, ObjectIds and UUIDs, or Extended JSON.
    Result<PrimaryKey> parse_key(std::string_view class_name, std::string_view text) const;

    /// Appends the new object. One without an `_id` gets a new ObjectId or UUID when its class has
    /// such keys. already_exists when the device holds one of that key.
    Result<ObjectName> insert(changeset::ChangesetBuilder& out, std::string_view class_name,
                              std::string_view json, Random& random,
                              std::uint32_t unix_seconds) const;
    /// `change`: MongoDB's update operators, or fields to set. $inc of an integer field adds on the
    /// server too, whatever others write meanwhile; everything else says what has changed.
    Result<void> update(changeset::ChangesetBuilder& out, const ObjectName& object,
                        std::string_view change) const;
    Result<void> erase(changeset::ChangesetBuilder& out, const ObjectName& object) const;

    /// not_found, naming the classes that are there.
    Result<const changeset::ClassInfo*> class_named(std::string_view name) const;

  private:
    Result<Object> read(std::string_view class_name, ByteView document) const;
    Result<std::string> take_increments(changeset::ChangesetBuilder& out, const ObjectName& object,
                                        const Object& current, std::string_view change) const;

    const changeset::MemoryState& state_;
    schema::DocumentSchema documents_;
};

} // namespace tombolo::cli
