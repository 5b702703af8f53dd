#pragma once

// The one argument document of an action, read by name with errors that say the name.

#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::documents {

class Arguments {
  public:
    explicit Arguments(mql::BsonDocumentView document) : document_(document) {}

    /// Missing when it is not there or null.
    mql::BsonView value(std::string_view name) const noexcept;
    Result<std::string> text(std::string_view name) const;
    /// The empty document when it is not there.
    Result<mql::BsonDocumentView> document(std::string_view name) const;
    Result<mql::BsonDocumentView> required_document(std::string_view name) const;
    Result<std::optional<mql::BsonDocumentView>> array(std::string_view name) const;
    Result<mql::BsonDocumentView> required_array(std::string_view name) const;
    Result<bool> flag(std::string_view name) const;
    /// Not negative; nothing when absent or 0, as MongoDB has "no limit".
    Result<std::optional<std::size_t>> count(std::string_view name) const;

  private:
    mql::BsonDocumentView document_;
};

} // namespace tombolo::documents
