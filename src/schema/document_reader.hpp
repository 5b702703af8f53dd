#pragma once

// One property's value out of BSON. Only for this layer's .cpp files: libbson stays inside.

#include <optional>

#include <bson/bson.h>

#include "schema/document.hpp"

namespace tombolo::schema {

class DocumentReader {
  public:
    /// Borrows all of them.
    DocumentReader(const DocumentSchema& documents, const ClassSchema& root,
                   const ReadOptions& options, ReadDocument& result)
        : documents_(documents), root_(root), options_(options), result_(result) {}

    /// The fields of an object of the class, out of the document that `iter` stands before.
    Object read_fields(const ClassSchema& class_schema, bson_iter_t iter);

    /// The value of a property (the whole collection) at the element that `iter` stands on. Nothing
    /// after a problem.
    std::optional<Value> read_property(const Property& property, const bson_iter_t& iter);

    /// One value or one element of a collection.
    std::optional<Value> read_element(const Property& property, const bson_iter_t& iter);

  private:
    std::optional<Value> read_missing(const Property& property);
    std::optional<Value> read_scalar(PropertyType type, const bson_iter_t& iter);
    std::optional<Value> read_link(const Property& property, const bson_iter_t& iter);
    std::optional<Value> read_mixed(const bson_iter_t& iter);
    std::optional<Value> read_reference(const bson_iter_t& document);
    std::optional<Value> read_list(const Property* property, const bson_iter_t& iter);
    std::optional<Value> read_set(const Property& property, const bson_iter_t& iter);
    std::optional<Value> read_dictionary(const Property* property, const bson_iter_t& iter);
    void problem(std::string expected, std::string found);
    std::nullopt_t mismatch(const Property& property, const bson_iter_t& iter, bool of_element);
    std::string expected_text(const Property& property, bool of_element) const;

    const DocumentSchema& documents_;
    const ClassSchema& root_;
    const ReadOptions& options_;
    ReadDocument& result_;
    FieldPath path_;
    std::size_t depth_ = 0;       ///< of embedded objects and typed collections around the value
    std::size_t mixed_depth_ = 0; ///< of collections inside the Mixed around the value
};

/// "string", "int", "binData", ... as MongoDB names the type of the element.
std::string_view bson_type_of(const bson_iter_t& iter) noexcept;

/// The key as a link stores it; nothing for values that are no keys.
std::optional<PrimaryKey> key_from(const Value& value);

/// False for bytes that are no BSON document, which libbson must not see.
bool open_bson(ByteView bytes, bson_t& document) noexcept;

/// {$ref: text, $id: anything, ...}: what stands for a link inside Mixed.
bool looks_like_reference(bson_iter_t document) noexcept;

} // namespace tombolo::schema
