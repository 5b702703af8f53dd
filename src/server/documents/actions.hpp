#pragma once

// The actions of a data source (client-http-api.md 7), each on an opened Operation.

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "server/documents/operation.hpp"

namespace tombolo::documents {

enum class Amount : std::uint8_t { one, many };
enum class Modify : std::uint8_t { update, replace, erase };

Result<mql::BsonValue> find(Operation& operation, Amount amount);
Result<mql::BsonValue> aggregate(Operation& operation);
Result<mql::BsonValue> count(Operation& operation);

Result<mql::BsonValue> insert(Operation& operation, Amount amount);
Result<mql::BsonValue> update(Operation& operation, Amount amount);
Result<mql::BsonValue> erase(Operation& operation, Amount amount);
Result<mql::BsonValue> find_one_and(Operation& operation, Modify modify);

} // namespace tombolo::documents
