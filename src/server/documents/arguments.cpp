#include "server/documents/arguments.hpp"

namespace tombolo::documents {

namespace {

Error wrong(std::string_view name, const std::string& expected) {
    return Error(ErrorCode::invalid_argument, "'" + std::string(name) + "' must be " + expected);
}

} // namespace

mql::BsonView Arguments::value(std::string_view name) const noexcept {
    const mql::BsonView value = document_.find(name);
    return value.is_nullish() ? mql::BsonView() : value;
}

Result<std::string> Arguments::text(std::string_view name) const {
    const mql::BsonView found = value(name);
    if (!found.is_string() || found.as_string().empty() ||
        found.as_string().find('\0') != std::string_view::npos) {
        return wrong(name, "a string that is not empty");
    }
    return std::string(found.as_string());
}

Result<mql::BsonDocumentView> Arguments::document(std::string_view name) const {
    const mql::BsonView found = value(name);
    if (found.is_missing()) {
        return mql::BsonDocumentView();
    }
    if (!found.is_document()) {
        return wrong(name, "a document");
    }
    return found.as_document();
}

Result<mql::BsonDocumentView> Arguments::required_document(std::string_view name) const {
    if (!value(name).is_document()) {
        return wrong(name, "a document");
    }
    return value(name).as_document();
}

Result<std::optional<mql::BsonDocumentView>> Arguments::array(std::string_view name) const {
    const mql::BsonView found = value(name);
    if (found.is_missing()) {
        return std::optional<mql::BsonDocumentView>();
    }
    if (!found.is_array()) {
        return wrong(name, "an array");
    }
    return std::optional(found.as_document());
}

Result<mql::BsonDocumentView> Arguments::required_array(std::string_view name) const {
    if (!value(name).is_array()) {
        return wrong(name, "an array");
    }
    return value(name).as_document();
}

Result<bool> Arguments::flag(std::string_view name) const {
    const mql::BsonView found = value(name);
    if (!found.is_missing() && found.type() != mql::BsonType::boolean) {
        return wrong(name, "true or false");
    }
    return !found.is_missing() && found.as_bool();
}

Result<std::optional<std::size_t>> Arguments::count(std::string_view name) const {
    const mql::BsonView found = value(name);
    if (found.is_missing()) {
        return std::optional<std::size_t>();
    }
    std::int64_t number = 0;
    if (!found.is_number() || !found.to_int64(number) || number < 0) {
        return wrong(name, "a whole number that is not negative");
    }
    return number == 0 ? std::optional<std::size_t>()
                       : std::optional(static_cast<std::size_t>(number));
}

} // namespace tombolo::documents
