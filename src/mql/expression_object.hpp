#pragma once

// Merging objects field by field: later values replace earlier ones, at the earlier one's place.
//
// Owns copies of everything merged. Thread-safety: one thread.

#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mql/bson_value.hpp"

namespace tombolo::mql::detail {

class ObjectMerger {
  public:
    void merge(BsonDocumentView document);
    BsonDocument document() const;

  private:
    std::vector<std::pair<std::string, BsonValue>> fields_;
    std::unordered_map<std::string, std::size_t> places_;
};

} // namespace tombolo::mql::detail
