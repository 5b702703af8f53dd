#include "cli/data/shape.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace tombolo::cli {

namespace {

using mql::BsonDocumentView;
using mql::BsonElement;
using mql::BsonValue;
using mql::BsonView;
using mql::BsonWriter;

// A number, or a string that is one.
bool coordinate(BsonView value, double limit, double& out) {
    if (value.is_number()) {
        out = value.to_double();
    } else if (value.is_string()) {
        const std::string_view text = value.as_string();
        const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
        if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
            return false;
        }
    } else {
        return false;
    }
    return std::isfinite(out) && std::fabs(out) <= limit;
}

BsonValue content_id(BsonDocumentView document) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    ::SHA256(reinterpret_cast<const unsigned char*>(document.bytes().data()), document.size(),
             digest);
    ObjectId id;
    std::memcpy(id.bytes.data(), digest, id.bytes.size());
    return BsonValue::from_object_id(id);
}

BsonBuffer owned(const mql::BsonDocument& document) {
    return {document.bytes().begin(), document.bytes().end()};
}

} // namespace

Result<PointRule> parse_point_rule(const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::size_t comma = text.find(',', equals == std::string::npos ? 0 : equals);
    if (equals == std::string::npos || comma == std::string::npos) {
        return Error(ErrorCode::invalid_argument,
                     "a point is given as FIELD=LONGITUDE,LATITUDE, like loc=lng,lat", text);
    }
    PointRule rule{text.substr(0, equals), text.substr(equals + 1, comma - equals - 1),
                   text.substr(comma + 1)};
    if (rule.field.empty() || rule.longitude.empty() || rule.latitude.empty()) {
        return Error(ErrorCode::invalid_argument, "a part of the point is empty", text);
    }
    return rule;
}

Shaper::Shaper(ShapeOptions options, Random& random) : options_(std::move(options)), ids_(random) {}

Result<BsonBuffer> Shaper::with_points(BsonDocumentView document) const {
    BsonWriter writer;
    const auto is_used = [&](std::string_view key) {
        return std::any_of(
            options_.points.begin(), options_.points.end(), [&](const PointRule& rule) {
                return key == rule.longitude || key == rule.latitude || key == rule.field;
            });
    };
    for (const BsonElement& element : document) {
        if (!is_used(element.key)) {
            writer.append(element.key, element.value);
        }
    }
    for (const PointRule& rule : options_.points) {
        double longitude = 0;
        double latitude = 0;
        if (!coordinate(document.find(rule.longitude), 180, longitude)) {
            return Error(ErrorCode::invalid_argument, "is no longitude from -180 to 180",
                         rule.longitude);
        }
        if (!coordinate(document.find(rule.latitude), 90, latitude)) {
            return Error(ErrorCode::invalid_argument, "is no latitude from -90 to 90",
                         rule.latitude);
        }
        writer.begin_document(rule.field);
        writer.append_string("type", "Point");
        writer.begin_array("coordinates");
        writer.append_double({}, longitude);
        writer.append_double({}, latitude);
        writer.end();
        writer.end();
    }
    return owned(std::move(writer).finish());
}

Result<BsonValue> Shaper::id_for(BsonDocumentView document, std::uint32_t unix_seconds) {
    if (options_.id == IdSource::field) {
        const BsonView value = document.find(options_.id_field);
        if (value.is_missing()) {
            return Error(ErrorCode::invalid_argument, "the document has no such field for its _id",
                         options_.id_field);
        }
        return BsonValue(value);
    }
    if (options_.id == IdSource::content) {
        return content_id(document);
    }
    return BsonValue::from_object_id(ids_.next(unix_seconds));
}

Result<void> Shaper::apply(BsonBuffer& document, std::uint32_t unix_seconds) {
    BsonDocumentView view = BsonDocumentView::from_trusted(document);
    const bool has_id = !view.find("_id").is_missing();
    const bool new_id = options_.id == IdSource::field || !has_id;
    if (!new_id && options_.points.empty()) {
        return {};
    }
    BsonBuffer shaped;
    BsonValue id;
    if (new_id) {
        // Of the document as it stands in the file, so that it stays when points are added later.
        TOMBOLO_TRY(id, id_for(view, unix_seconds));
    }
    if (!options_.points.empty()) {
        TOMBOLO_TRY(shaped, with_points(view));
        view = BsonDocumentView::from_trusted(shaped);
    }
    if (new_id) {
        BsonWriter writer;
        writer.append("_id", id);
        for (const BsonElement& element : view) {
            if (element.key != "_id") {
                writer.append(element.key, element.value);
            }
        }
        document = owned(std::move(writer).finish());
    } else {
        document = std::move(shaped);
    }
    return {};
}

} // namespace tombolo::cli
