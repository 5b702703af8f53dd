#pragma once

// A schema that fits documents: what "generate schema" makes of a sample (admin-api-and-config.md
// R3, A-59).
//
// Every document of the sample passes DocumentSchema::check of the result. A field of one type
// gets that type, whole numbers of both widths are "long", with fractions "double", binary data and
// UUIDs "binData"; what has no common type, null alone included, is "mixed". Only `_id` is
// required, and only where every document has one.
//
// A sample with more than fields_max places of fields: the rest are left to additional properties.
// Thread-safety: one thread.

#include <memory>
#include <string>

#include <boost/json/object.hpp>

#include "mql/bson_value.hpp"

namespace tombolo::server {

class SchemaInference {
  public:
    static constexpr std::size_t fields_max = 10'000;

    SchemaInference();
    ~SchemaInference();

    void add(mql::BsonDocumentView document);
    std::size_t documents() const noexcept { return documents_; }
    /// {title, bsonType, required, properties}
    boost::json::object schema(const std::string& title) const;

    struct Place;

  private:
    void see(Place& place, mql::BsonView value);
    void see_fields(Place& place, mql::BsonDocumentView document);

    std::unique_ptr<Place> root_;
    std::size_t documents_ = 0;
    std::size_t with_id_ = 0;
    std::size_t fields_ = 0;
};

} // namespace tombolo::server
