#pragma once

// A collection's schema as a check of documents (device-sync-server.md 1.2): what remote access and
// functions write must fit it.
//
// Enforced: bsonType (and type), required, properties, patternProperties, additionalProperties,
// minProperties, maxProperties, dependencies on fields, items (one or a tuple), additionalItems,
// minItems, maxItems, uniqueItems, minimum, maximum and their exclusive forms, multipleOf,
// minLength, maxLength, pattern, enum, and "validate": an
// expression of rules (%%this and %%prev are the value after and before, %%root and %%prevRoot the
// document), asked of users; the system is bound by the rest. An explicit null passes for an
// optional field only where the app's setting says so, or its type has null.
// Types are of BSON: a "long" takes int32 too, a "double" takes any number but decimal.
//
// Immutable; const use from any thread.

#include <memory>
#include <string>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "server/rules/expression.hpp"

namespace tombolo::documents {

/// What a check asks beside the document. Borrowed.
struct SchemaContext {
    /// Whether an explicit null is as good as nothing for an optional field.
    bool null_passes = false;
    /// The document before an update.
    const mql::BsonDocumentView* previous = nullptr;
    /// Null: "validate" is not asked.
    const rules::BindingValues* values = nullptr;
};

class DocumentSchema {
  public:
    /// Of a schema.json as BSON. Keywords it does not know are left alone; invalid_schema, with the
    /// path, for a wrong operand.
    static Result<DocumentSchema> compile(mql::BsonDocumentView schema);

    /// invalid_document; the context is the field's path.
    Result<void> check(mql::BsonDocumentView document, const SchemaContext& context = {}) const;
    /// Whether some part has a "validate".
    bool uses_expressions() const noexcept { return uses_expressions_; }

    struct Node;

  private:
    DocumentSchema(std::shared_ptr<const Node> root, bool uses_expressions)
        : root_(std::move(root)), uses_expressions_(uses_expressions) {}

    std::shared_ptr<const Node> root_; // shared: requests outlive deployments
    bool uses_expressions_ = false;
};

} // namespace tombolo::documents
