#pragma once

// What `data import` does to a document on its way: an `_id` where there is none, and GeoJSON
// points made from two fields. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "core/bson.hpp"
#include "core/random.hpp"
#include "core/result.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::cli {

enum class IdSource : std::uint8_t {
    keep,    ///< a document without `_id` gets a new ObjectId
    content, ///< an ObjectId made of a digest of the document: the same in every run, so that
             ///< documents that are wholly the same become one
    field,   ///< the value of another field, which stays
};

/// A GeoJSON point `field` in place of the fields `longitude` and `latitude`.
struct PointRule {
    std::string field;
    std::string longitude;
    std::string latitude;
};

/// "loc=lng,lat".
Result<PointRule> parse_point_rule(const std::string& text);

struct ShapeOptions {
    IdSource id = IdSource::keep;
    std::string id_field; ///< of IdSource::field
    std::vector<PointRule> points;
};

/// Gives documents their final shape. An `_id` that is there is kept with IdSource::keep and
/// content. Errors: invalid_argument naming the field. Thread-safety: one thread at a time.
class Shaper {
  public:
    /// `random` is borrowed.
    Shaper(ShapeOptions options, Random& random);

    /// REQUIRES: `document` is valid BSON. `unix_seconds` goes into new ObjectIds.
    Result<void> apply(BsonBuffer& document, std::uint32_t unix_seconds);

  private:
    Result<BsonBuffer> with_points(mql::BsonDocumentView document) const;
    Result<mql::BsonValue> id_for(mql::BsonDocumentView document, std::uint32_t unix_seconds);

    ShapeOptions options_;
    ObjectIdGenerator ids_;
};

} // namespace tombolo::cli
