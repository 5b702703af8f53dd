#include "server/sync/engine/geo_fields.hpp"

#include "core/geo.hpp"

namespace tombolo::server::sync {

using schema::CollectionKind;
using schema::PropertyType;

namespace {

bool is_point_class(const schema::ClassSchema* place) {
    if (place == nullptr) {
        return false;
    }
    const schema::Property* type = place->find("type");
    const schema::Property* coordinates = place->find("coordinates");
    return type != nullptr && type->type == PropertyType::string && !type->is_collection() &&
           coordinates != nullptr && coordinates->type == PropertyType::float64 &&
           coordinates->collection == CollectionKind::list;
}

} // namespace

bool breaks_geo_field(const Model& model, std::string_view class_name, const Object& object) {
    const schema::ClassSchema* info = model.schema().find(class_name);
    if (info == nullptr) {
        return false;
    }
    for (const schema::Property& each : info->properties()) {
        if (!each.is_link() || each.is_collection() ||
            !model.config().queryable.contains(class_name, each.name) ||
            !model.schema().is_embedded_place(each) ||
            !is_point_class(model.schema().find(each.target))) {
            continue;
        }
        const Value* place = object.fields.find(each.name);
        if (place != nullptr && place->type() == ValueType::object && !geo_point_from(*place)) {
            return true;
        }
    }
    return false;
}

} // namespace tombolo::server::sync
