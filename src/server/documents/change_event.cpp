#include "server/documents/change_event.hpp"

#include <charconv>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "core/ejson.hpp"
#include "mql/bson_diff.hpp"

namespace tombolo::documents {

namespace {

constexpr std::size_t version_digits = 16;
constexpr std::size_t entry_digits = 8;

std::string hex(std::uint64_t value, std::size_t digits) {
    std::string out(digits, '0');
    for (std::size_t i = digits; i > 0 && value != 0; --i, value >>= 4) {
        out[i - 1] = "0123456789abcdef"[value & 0xf];
    }
    return out;
}

template <class Number>
bool parse_hex(std::string_view text, Number& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
    return error == std::errc() && end == text.data() + text.size();
}

std::string_view operation_name(store::Operation operation) noexcept {
    switch (operation) {
    case store::Operation::insert:
        return "insert";
    case store::Operation::replace:
        return "update";
    case store::Operation::erase:
        break;
    }
    return "delete";
}

void append_description(mql::BsonWriter& writer, const std::vector<mql::FieldChange>& changes) {
    writer.begin_document("updateDescription");
    mql::BsonWriter removed(true);
    writer.begin_document("updatedFields");
    for (const mql::FieldChange& change : changes) {
        std::string path;
        for (const std::string_view part : change.path) {
            path += (path.empty() ? "" : ".") + std::string(part);
        }
        if (change.after.is_missing()) {
            removed.append_string({}, path);
        } else {
            writer.append(path, change.after);
        }
    }
    writer.end();
    writer.append("removedFields", std::move(removed).finish().into_array_value());
    writer.end();
}

// Line ends would end the event; a percent sign begins an escape (6.6).
std::string escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 16);
    for (const char c : text) {
        if (c == '%') {
            out += "%25";
        } else if (c == '\n') {
            out += "%0A";
        } else if (c == '\r') {
            out += "%0D";
        } else {
            out += c;
        }
    }
    return out;
}

} // namespace

mql::BsonDocument FeedPosition::token() const {
    mql::BsonWriter writer;
    writer.append_string("_data",
                         hex(store::number(version), version_digits) + hex(entry, entry_digits));
    return std::move(writer).finish();
}

Result<FeedPosition> FeedPosition::parse(mql::BsonDocumentView token) {
    const mql::BsonView data = token.find("_data");
    FeedPosition out;
    std::uint64_t number = 0;
    const bool whole = data.is_string() && data.as_string().size() == version_digits + entry_digits;
    if (!whole || !parse_hex(data.as_string().substr(0, version_digits), number) ||
        !parse_hex(data.as_string().substr(version_digits), out.entry)) {
        return Error(ErrorCode::invalid_argument, "'resumeAfter' must be the _id of an event");
    }
    out.version = store::Version{number};
    return out;
}

std::optional<mql::BsonDocument> change_event(const SeenChange& change) {
    const bool erase = change.operation == store::Operation::erase;
    if (erase ? !change.before : !change.after) {
        return std::nullopt;
    }
    std::vector<mql::FieldChange> changes;
    if (change.operation == store::Operation::replace) {
        changes = mql::diff(change.before.value_or(mql::BsonDocumentView()), *change.after);
        if (changes.empty()) {
            return std::nullopt;
        }
    }
    mql::BsonWriter writer;
    writer.append("_id", change.position.token().view().as_value());
    writer.append_string("operationType", operation_name(change.operation));
    const auto seconds = static_cast<std::uint64_t>(change.committed_unix_ms / 1000);
    writer.append("clusterTime",
                  mql::BsonValue::from_timestamp(
                      seconds << 32 | (store::number(change.position.version) & 0xffff'ffff)));
    writer.begin_document("ns");
    writer.append_string("db", change.name.database);
    writer.append_string("coll", change.name.collection);
    writer.end();
    writer.begin_document("documentKey");
    writer.append("_id", change.id);
    writer.end();
    if (!erase) {
        writer.append("fullDocument", change.after->as_value());
    }
    if (change.operation == store::Operation::replace) {
        append_description(writer, changes);
    }
    return std::move(writer).finish();
}

Result<std::string> event_text(mql::BsonDocumentView event) {
    TOMBOLO_TRY(const std::string json, bson_to_ejson(event.bytes(), EjsonForm::canonical));
    return "data: " + escaped(json) + "\n\n";
}

std::string error_event_text(std::string_view error_code, std::string_view error) {
    const boost::json::object data{{"error_code", error_code}, {"error", error}};
    return "event: error\ndata: " + escaped(boost::json::serialize(data)) + "\n\n";
}

} // namespace tombolo::documents
