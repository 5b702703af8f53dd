#pragma once

// Documents <-> objects, by the mapping of device-sync-server.md 1.3, 1.4 and 1.6.
//
// Reading is total: a document gives the object and every reason why it cannot be synced (2.6).
// Fields that the schema does not name are not read; update_document() keeps them.
//
// Null, missing, empty array and empty sub-document mean the same to sync. An object that was read
// has every stored property of its class; writing leaves nulls out and writes empty collections as
// [] and {}.
//
// What BSON cannot hold exactly (nanoseconds, Float in Mixed, a dictionary that looks like a DBRef,
// a link to the null key) comes back from writing as a list, for the sidecar; restore_exact() puts
// it back after reading, where the document still says what was written.
//
// All functions are pure and may be called from several threads.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/value.hpp"
#include "schema/app_mapping.hpp"

namespace tombolo::schema {

/// A field name or dictionary key, or the index of a list element. Never a dotted string: names may
/// hold dots.
using PathElement = std::variant<std::string, std::uint32_t>;
using FieldPath = std::vector<PathElement>;

/// "(root).tags.3"; "(root)" for the document itself.
std::string to_text(const FieldPath& path);

struct DocumentProblem {
    FieldPath path;
    std::string expected; ///< "long", "objectId (the key of Person)", ...
    std::string found;    ///< "string", "null", "nothing", ...
};

/// "(root).age: expected long, found string".
std::string to_text(const DocumentProblem& problem);

struct ReadOptions {
    /// Missing required values become zero values instead of a problem: how an older schema version
    /// sees newer documents (2.5). A default in the schema is used in any case.
    bool fill_required = false;
};

struct ReadDocument {
    /// Complete when there are no problems.
    Object object;
    /// At most problems_max; empty = the document can be synced.
    std::vector<DocumentProblem> problems;
    /// DBRefs in Mixed whose collection or key nothing in the schema fits: they read as null.
    std::vector<FieldPath> unresolved;

    static constexpr std::size_t problems_max = 100;

    bool ok() const noexcept { return problems.empty(); }
};

/// REQUIRES: the class is in the schema. Bytes that are no BSON are a problem at the root.
ReadDocument document_to_object(const DocumentSchema& documents, std::string_view class_name,
                                ByteView bson, const ReadOptions& options = {});

struct InexactValue {
    FieldPath path;
    Value exact; ///< a set is listed whole when one of its elements is inexact
};

struct WrittenDocument {
    std::vector<std::byte> bson;
    std::vector<InexactValue> inexact;
};

/// A new document, `_id` first, then in the order of the class. Required properties that the object
/// does not have get their default or zero value. Errors: invalid_document (a value that does not
/// fit its property, no `_id`, a key that documents cannot hold: NUL or invalid UTF-8), bad_utf8,
/// limit_exceeded (16 MiB, 100 levels); the context is the path. REQUIRES: the class is in the
/// schema.
Result<WrittenDocument> object_to_document(const DocumentSchema& documents,
                                           std::string_view class_name, const Object& object);

/// `previous` changed to say what the object says: fields outside the schema stay, at any depth;
/// values that did not change keep their bytes; properties that the object does not have keep what
/// the document has. Errors as above, and bad_bson. REQUIRES: the class is in the schema.
Result<WrittenDocument> update_document(const DocumentSchema& documents,
                                        std::string_view class_name, const Object& object,
                                        ByteView previous);

/// Puts exact values back into an object that was read from a document. An entry whose place now
/// holds something else than it would read as (the document was changed by others) is skipped.
/// Returns how many were put back.
std::size_t restore_exact(const DocumentSchema& documents, std::string_view class_name,
                          Object& object, std::span<const InexactValue> inexact);

/// What is wrong with an embedded object as a GeoJSON point (1.6), or nothing. Extra fields and
/// coordinates are allowed.
std::optional<std::string> geo_point_problem(const Object& point);

} // namespace tombolo::schema
