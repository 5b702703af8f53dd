#pragma once

// One property's value into BSON. Only for this layer's .cpp files: libbson stays inside.

#include <bson/bson.h>

#include "schema/document.hpp"
#include "schema/document_reader.hpp"

namespace tombolo::schema {

/// A bson_t that frees itself.
class BsonDocument {
  public:
    BsonDocument() noexcept { bson_init(&bson_); }
    ~BsonDocument() { bson_destroy(&bson_); }
    BsonDocument(const BsonDocument&) = delete;
    BsonDocument& operator=(const BsonDocument&) = delete;

    bson_t* get() noexcept { return &bson_; }
    /// limit_exceeded above 16 MiB.
    Result<std::vector<std::byte>> take_bytes() const;

  private:
    bson_t bson_;
};

class DocumentWriter {
  public:
    /// Borrows all of them. Inexact values are appended to `inexact`.
    DocumentWriter(const DocumentSchema& documents, const ClassSchema& root,
                   std::vector<InexactValue>& inexact)
        : documents_(documents), root_(root), inexact_(inexact) {}

    /// All properties of the class. `previous` (may be null) stands before the fields of the
    /// document to change.
    Result<void> write_fields(bson_t* out, const ClassSchema& class_schema, const Object& object,
                              const bson_iter_t* previous);

    /// The value of a property (the whole collection) under the property's name. Null writes
    /// nothing when that says the same.
    Result<void> write_property(bson_t* out, const Property& property, const Value& value,
                                const bson_iter_t* previous);

  private:
    /// libbson aligns its iterators in a way that template arguments lose.
    struct OldElement {
        bson_iter_t iter;
    };

    Result<void> write_previous(bson_t* out, const ClassSchema& class_schema, const Object& object,
                                const bson_iter_t& previous, std::vector<bool>& written);
    Result<void> write_new(bson_t* out, const Property& property, const Object& object,
                           bool changing);
    Result<void> write_element(bson_t* out, std::string_view key, const Property& property,
                               const Value& value, const bson_iter_t* previous);
    Result<void> write_embedded(bson_t* out, std::string_view key, const ClassSchema& class_schema,
                                const Object& object, const bson_iter_t* previous);
    Result<void> write_elements(bson_t* out, std::string_view key, const Property* property,
                                const std::vector<Value>& elements, const bson_iter_t* previous);
    Result<void> write_set(bson_t* out, const Property& property, const Value& value);
    Result<void> write_dictionary(bson_t* out, std::string_view key, const Property* property,
                                  const Value& value, const bson_iter_t* previous);
    Result<void> write_mixed(bson_t* out, std::string_view key, const Value& value);
    Result<void> write_reference(bson_t* out, std::string_view key, const Link& link);
    Result<void> write_scalar(bson_t* out, std::string_view key, const Value& value, bool int32);
    Result<void> write_key(bson_t* out, std::string_view key, const PrimaryKey& primary_key,
                           bool int32);
    bool reads_as(const Property& property, const bson_iter_t& previous, const Value& value) const;
    std::vector<const OldElement*> match_previous(const Property& property,
                                                  const std::vector<Value>& elements,
                                                  const std::vector<OldElement>& previous) const;
    void note_inexact(const Value& value) { inexact_.push_back({path_, value}); }
    Error error(std::string message) const;

    const DocumentSchema& documents_;
    const ClassSchema& root_;
    std::vector<InexactValue>& inexact_;
    FieldPath path_;
    std::size_t depth_ = 0;
    std::size_t mixed_depth_ = 0;
};

} // namespace tombolo::schema
