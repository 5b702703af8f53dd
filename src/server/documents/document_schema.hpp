#pragma once

// A collection's schema as a check of documents (device-sync-server.md 1.2): what remote access and
// functions write must fit it.
//
// Enforced: bsonType (and type), required, properties, patternProperties, additionalProperties,
// minProperties, maxProperties, dependencies on fields, items (one or a tuple), additionalItems,
// minItems, maxItems, uniqueItems, minimum, maximum and their exclusive forms, multipleOf,
// minLength, maxLength, pattern and enum. "validate", an
// expression of rules, is not enforced. An explicit null is accepted for an optional field.
// Types are of BSON: a "long" takes int32 too, a "double" takes any number but decimal.
//
// Immutable; const use from any thread.

#include <memory>
#include <string>

#include "core/result.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::documents {

class DocumentSchema {
  public:
    /// Of a schema.json as BSON. Keywords it does not know are left alone; invalid_schema, with the
    /// path, for a wrong operand.
    static Result<DocumentSchema> compile(mql::BsonDocumentView schema);

    /// invalid_document; the context is the field's path.
    Result<void> check(mql::BsonDocumentView document) const;

    struct Node;

  private:
    explicit DocumentSchema(std::shared_ptr<const Node> root) : root_(std::move(root)) {}

    std::shared_ptr<const Node> root_; // shared: requests outlive deployments
};

} // namespace tombolo::documents
