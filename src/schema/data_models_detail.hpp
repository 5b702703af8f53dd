#pragma once

// What the languages of data_models.cpp share; internal to it.

#include <array>
#include <string>
#include <string_view>

#include "schema/data_models.hpp"

namespace tombolo::schema::detail {

/// Spellings of the scalar types, by PropertyType from mixed to uuid; links are the class's name.
using TypeNames = std::array<std::string_view, 12>;

inline std::string base_type(const TypeNames& names, const Property& property) {
    return property.is_link() ? property.target
                              : std::string(names[static_cast<std::size_t>(property.type)]);
}

/// "Name" of a property "name": how properties of C# are called.
std::string capitalised(std::string_view name);
/// Letters, digits and underscores, not beginning with a digit.
bool is_identifier(std::string_view name) noexcept;

// Each writes the class and adds its imports.
void write_kotlin(const Schema& schema, const ClassSchema& model, DataModel& out);
void write_java(const Schema& schema, const ClassSchema& model, DataModel& out);
void write_swift(const Schema& schema, const ClassSchema& model, DataModel& out);
void write_objective_c(const Schema& schema, const ClassSchema& model, DataModel& out);
void write_c_sharp(const Schema& schema, const ClassSchema& model, DataModel& out);
void write_java_script(const Schema& schema, const ClassSchema& model, DataModel& out);
void write_type_script(const Schema& schema, const ClassSchema& model, DataModel& out);
void write_dart(const Schema& schema, const ClassSchema& model, DataModel& out);
void write_c_plus_plus(const Schema& schema, const ClassSchema& model, DataModel& out);

} // namespace tombolo::schema::detail
