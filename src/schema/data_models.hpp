#pragma once

// Classes of an app's schema as source text for device SDKs (admin-api-and-config.md R8, "data
// models").
//
// The text is what a person would write by hand: one class each, properties in their order, the
// primary key marked, optional and collection types as the SDK of the language spells them. Names
// that the language cannot have as they are, are mapped to the stored name where the SDK has a way,
// else left and warned about. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/object_schema.hpp"

namespace tombolo::schema {

enum class ModelLanguage : std::uint8_t {
    c_sharp,
    java,
    java_script,
    kotlin,
    objective_c,
    swift,
    type_script,
    dart,
    c_plus_plus,
};

/// "C_SHARP", "JAVA", "JAVA_SCRIPT", ...: the names of the Admin API.
std::optional<ModelLanguage> model_language(std::string_view name) noexcept;

struct DataModel {
    std::string name; ///< of the class
    std::vector<std::string> imports;
    std::string source;
    std::vector<std::string> warnings;
};

/// REQUIRES: `model` is a class of `schema`, which is valid.
DataModel data_model(ModelLanguage language, const Schema& schema, const ClassSchema& model);

} // namespace tombolo::schema
