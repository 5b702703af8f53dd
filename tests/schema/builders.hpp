#pragma once

// Short ways to write schemas in tests.

#include <array>
#include <string>
#include <utility>

#include "schema/object_schema.hpp"

namespace tombolo::schema {

inline constexpr std::array scalar_types = {
    PropertyType::mixed,      PropertyType::integer,   PropertyType::boolean, PropertyType::string,
    PropertyType::binary,     PropertyType::timestamp, PropertyType::float32, PropertyType::float64,
    PropertyType::decimal128, PropertyType::object_id, PropertyType::uuid,
};

inline Property scalar(std::string name, PropertyType type,
                       CollectionKind collection = CollectionKind::none) {
    Property property;
    property.name = std::move(name);
    property.type = type;
    property.collection = collection;
    return property;
}

inline Property optional(std::string name, PropertyType type,
                         CollectionKind collection = CollectionKind::none) {
    Property property = scalar(std::move(name), type, collection);
    property.nullable = true;
    return property;
}

inline Property primary_key(std::string name, PropertyType type) {
    Property property = scalar(std::move(name), type);
    property.primary_key = true;
    return property;
}

inline Property link(std::string name, std::string target,
                     CollectionKind collection = CollectionKind::none) {
    Property property = scalar(std::move(name), PropertyType::link, collection);
    property.nullable =
        collection == CollectionKind::none || collection == CollectionKind::dictionary;
    property.target = std::move(target);
    return property;
}

inline Property backlinks(std::string name, std::string source, std::string origin) {
    Property property =
        scalar(std::move(name), PropertyType::linking_objects, CollectionKind::list);
    property.target = std::move(source);
    property.origin = std::move(origin);
    return property;
}

inline Property with_alias(Property property, std::string alias) {
    property.alias = std::move(alias);
    return property;
}

inline std::string lower_type_name(PropertyType type) {
    std::string name(type_name(type));
    for (char& c : name) {
        c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return name;
}

/// Class Everything: every scalar type alone, optional and in each collection; links and embedded
/// objects in every form.
inline Schema everything_schema() {
    ClassSchema everything("Everything");
    everything.add(primary_key("_id", PropertyType::object_id));
    for (const PropertyType type : scalar_types) {
        const std::string name = lower_type_name(type);
        const bool mixed = type == PropertyType::mixed;
        everything.add(mixed ? optional(name + "_one", type) : scalar(name + "_one", type));
        if (!mixed) {
            everything.add(optional(name + "_optional", type));
            everything.add(optional(name + "_optional_list", type, CollectionKind::list));
            everything.add(
                optional(name + "_optional_dictionary", type, CollectionKind::dictionary));
        }
        for (const auto& [suffix, kind] :
             {std::pair{"_list", CollectionKind::list}, std::pair{"_set", CollectionKind::set},
              std::pair{"_dictionary", CollectionKind::dictionary}}) {
            everything.add(mixed ? optional(name + suffix, type, kind)
                                 : scalar(name + suffix, type, kind));
        }
    }
    everything.add(link("other", "Other"));
    everything.add(link("other_list", "Other", CollectionKind::list));
    everything.add(link("other_set", "Other", CollectionKind::set));
    everything.add(link("other_dictionary", "Other", CollectionKind::dictionary));
    everything.add(link("part", "Part"));
    everything.add(link("part_list", "Part", CollectionKind::list));
    everything.add(link("part_dictionary", "Part", CollectionKind::dictionary));
    everything.add(link("location", "GeoPoint"));

    Schema schema;
    schema.add(std::move(everything));
    schema.add(ClassSchema(
        "Other", ClassKind::top_level,
        {primary_key("_id", PropertyType::integer), optional("name", PropertyType::string)}));
    schema.add(ClassSchema("Part", ClassKind::embedded,
                           {scalar("note", PropertyType::string),
                            optional("born", PropertyType::timestamp), link("maker", "Other"),
                            link("sub", "SubPart")}));
    schema.add(ClassSchema("SubPart", ClassKind::embedded,
                           {optional("anything", PropertyType::mixed),
                            link("others", "Other", CollectionKind::list)}));
    schema.add(ClassSchema("GeoPoint", ClassKind::embedded,
                           {scalar("type", PropertyType::string),
                            scalar("coordinates", PropertyType::float64, CollectionKind::list)}));
    return schema;
}

} // namespace tombolo::schema
