#include "changeset/applier.hpp"

#include <algorithm>

namespace tombolo::changeset {

const ColumnInfo* ClassInfo::find_column(std::string_view column_name) const noexcept {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const ColumnInfo& column) {
        return column.name == column_name;
    });
    return found == columns.end() ? nullptr : &*found;
}

Value default_value(const ColumnInfo& column) {
    switch (column.collection) {
    case CollectionKind::list:
        return List{};
    case CollectionKind::dictionary:
        return Dictionary{};
    case CollectionKind::set:
        return Set{};
    case CollectionKind::single:
        break;
    }
    if (column.nullable) {
        return {};
    }
    switch (column.type) {
    case PayloadType::integer:
        return 0;
    case PayloadType::boolean:
        return false;
    case PayloadType::string:
        return "";
    case PayloadType::binary:
        return Binary{};
    case PayloadType::timestamp:
        return Timestamp{};
    case PayloadType::float32:
        return 0.0F;
    case PayloadType::float64:
        return 0.0;
    case PayloadType::decimal128:
        return Decimal128{};
    case PayloadType::object_id:
        return ObjectId{};
    case PayloadType::uuid:
        return Uuid{};
    default:
        return {};
    }
}

} // namespace tombolo::changeset
