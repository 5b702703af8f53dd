// Data models: the choice of the language, and C#, JavaScript, TypeScript, Dart and C++.

#include "schema/data_models.hpp"

#include <algorithm>
#include <utility>

#include "core/text.hpp"
#include "schema/data_models_detail.hpp"

namespace tombolo::schema {

namespace {

using Write = void (*)(const Schema& schema, const ClassSchema& model, DataModel& out);

struct Language {
    std::string_view name;
    ModelLanguage language;
    Write write;
};

constexpr std::array<Language, 9> languages{{
    {"C_SHARP", ModelLanguage::c_sharp, detail::write_c_sharp},
    {"JAVA", ModelLanguage::java, detail::write_java},
    {"JAVA_SCRIPT", ModelLanguage::java_script, detail::write_java_script},
    {"KOTLIN", ModelLanguage::kotlin, detail::write_kotlin},
    {"OBJECTIVE_C", ModelLanguage::objective_c, detail::write_objective_c},
    {"SWIFT", ModelLanguage::swift, detail::write_swift},
    {"TYPE_SCRIPT", ModelLanguage::type_script, detail::write_type_script},
    {"DART", ModelLanguage::dart, detail::write_dart},
    {"C_PLUS_PLUS", ModelLanguage::c_plus_plus, detail::write_c_plus_plus},
}};

} // namespace

std::optional<ModelLanguage> model_language(std::string_view name) noexcept {
    for (const Language& each : languages) {
        if (each.name == name) {
            return each.language;
        }
    }
    return std::nullopt;
}

DataModel data_model(ModelLanguage language, const Schema& schema, const ClassSchema& model) {
    DataModel out;
    out.name = model.name();
    for (const Language& each : languages) {
        if (each.language == language) {
            each.write(schema, model, out);
        }
    }
    std::sort(out.imports.begin(), out.imports.end());
    out.imports.erase(std::unique(out.imports.begin(), out.imports.end()), out.imports.end());
    for (const Property& property : model.properties()) {
        if (!detail::is_identifier(property.name)) {
            out.warnings.push_back("the property '" + property.name +
                                   "' has a name that no variable can have; map it by hand");
        }
    }
    return out;
}

namespace detail {

std::string capitalised(std::string_view name) {
    std::string out(name.substr(std::min(name.find_first_not_of('_'), name.size())));
    if (!out.empty() && out.front() >= 'a' && out.front() <= 'z') {
        out.front() = static_cast<char>(out.front() - 'a' + 'A');
    }
    return out;
}

bool is_identifier(std::string_view name) noexcept {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return !name.empty() && !digit(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c); });
}

// C#: classes that the source generator completes.

namespace {

constexpr TypeNames c_sharp_types{"RealmValue",     "long",  "bool",   "string",     "byte[]",
                                  "DateTimeOffset", "float", "double", "Decimal128", "",
                                  "ObjectId",       "Guid"};

std::string c_sharp_type(const Property& property) {
    const bool may_be_null = property.nullable && property.type != PropertyType::mixed;
    const std::string type = base_type(c_sharp_types, property) + (may_be_null ? "?" : "");
    switch (property.collection) {
    case CollectionKind::list:
        return "IList<" + type + ">";
    case CollectionKind::set:
        return "ISet<" + type + ">";
    case CollectionKind::dictionary:
        return "IDictionary<string, " + type + ">";
    case CollectionKind::none:
        break;
    }
    return type;
}

} // namespace

void write_c_sharp(const Schema& /*schema*/, const ClassSchema& model, DataModel& out) {
    out.imports = {"using System;", "using System.Collections.Generic;", "using Realms;",
                   "using MongoDB.Bson;"};
    const std::string base = model.is_embedded()     ? "IEmbeddedObject"
                             : model.is_asymmetric() ? "IAsymmetricObject"
                                                     : "IRealmObject";
    std::string& text = out.source;
    text = "public partial class " + model.name() + " : " + base + "\n{\n";
    bool first = true;
    for (const Property& property : model.properties()) {
        if (property.is_computed()) {
            continue;
        }
        text += std::exchange(first, false) ? "" : "\n";
        const std::string name = capitalised(property.name);
        // A member cannot be called as its class.
        const std::string member = name == model.name() ? name + "Value" : name;
        text += "    [MapTo(\"" + property.name + "\")]\n";
        text += property.primary_key ? "    [PrimaryKey]\n" : "";
        text += "    public " + c_sharp_type(property) + " " + member + " { get; ";
        text += property.is_collection() ? "}" : "set; }";
        const bool needs_value =
            !property.is_collection() && !property.nullable &&
            (property.type == PropertyType::string || property.type == PropertyType::binary);
        text += property.is_collection() || needs_value ? " = null!;\n" : "\n";
    }
    text += "}";
}

// JavaScript and TypeScript.

namespace {

constexpr TypeNames schema_types{"mixed", "int",    "bool",       "string", "data",     "date",
                                 "float", "double", "decimal128", "",       "objectId", "uuid"};
constexpr TypeNames script_types{"Realm.Mixed",
                                 "number",
                                 "boolean",
                                 "string",
                                 "ArrayBuffer",
                                 "Date",
                                 "number",
                                 "number",
                                 "Realm.BSON.Decimal128",
                                 "",
                                 "Realm.BSON.ObjectId",
                                 "Realm.BSON.UUID"};

// The short form of a property's type: "string?[]", "Dog", "int{}".
std::string schema_type(const Property& property) {
    const bool single = property.collection == CollectionKind::none;
    const bool link_list = property.is_link() && !single;
    const bool may_be_null = property.nullable && property.type != PropertyType::mixed &&
                             !(link_list && property.collection != CollectionKind::dictionary);
    std::string out = base_type(schema_types, property) + (may_be_null ? "?" : "");
    switch (property.collection) {
    case CollectionKind::list:
        return out + "[]";
    case CollectionKind::set:
        return out + "<>";
    case CollectionKind::dictionary:
        return out + "{}";
    case CollectionKind::none:
        break;
    }
    return out;
}

std::string quoted_key(const std::string& name) {
    return is_identifier(name) ? name : quoted(name);
}

std::string schema_object(const ClassSchema& model, const std::string& indent) {
    std::string text = "{\n" + indent + "  name: \"" + model.name() + "\",\n";
    text += model.is_embedded() ? indent + "  embedded: true,\n" : "";
    text += model.is_asymmetric() ? indent + "  asymmetric: true,\n" : "";
    text += indent + "  properties: {\n";
    for (const Property& property : model.properties()) {
        if (!property.is_computed()) {
            text += indent + "    " + quoted_key(property.name) + ": \"" + schema_type(property) +
                    "\",\n";
        }
    }
    text += indent + "  },\n";
    if (const Property* key = model.primary_key()) {
        text += indent + "  primaryKey: \"" + key->name + "\",\n";
    }
    return text + indent + "}";
}

std::string script_type(const Property& property) {
    const std::string single = base_type(script_types, property);
    const bool may_be_null = property.nullable && property.type != PropertyType::mixed;
    const std::string type =
        may_be_null && property.is_collection() ? single + " | undefined" : single;
    switch (property.collection) {
    case CollectionKind::list:
        return "Realm.List<" + type + ">";
    case CollectionKind::set:
        return "Realm.Set<" + type + ">";
    case CollectionKind::dictionary:
        return "Realm.Dictionary<" + type + ">";
    case CollectionKind::none:
        break;
    }
    return type;
}

} // namespace

void write_java_script(const Schema& /*schema*/, const ClassSchema& model, DataModel& out) {
    out.imports = {"import Realm from \"realm\";"};
    out.source = "export const " + model.name() + "Schema = " + schema_object(model, "") + ";";
}

void write_type_script(const Schema& /*schema*/, const ClassSchema& model, DataModel& out) {
    out.imports = {"import Realm from \"realm\";"};
    std::string& text = out.source;
    text = "export class " + model.name() + " extends Realm.Object<" + model.name() + "> {\n";
    for (const Property& property : model.properties()) {
        if (!property.is_computed()) {
            const bool may_be_null = !property.is_collection() && property.nullable;
            text += "  " + quoted_key(property.name) + (may_be_null ? "?: " : "!: ") +
                    script_type(property) + ";\n";
        }
    }
    text += "\n  static schema: Realm.ObjectSchema = " + schema_object(model, "  ") + ";\n}";
}

// Dart: classes that the generator completes.

namespace {

constexpr TypeNames dart_types{"RealmValue", "int",      "bool",     "String",
                               "Uint8List",  "DateTime", "double",   "double",
                               "Decimal128", "",         "ObjectId", "Uuid"};

std::string dart_type(const Property& property) {
    std::string type = base_type(dart_types, property);
    type = property.is_link() ? "_" + type : type;
    const bool single = property.collection == CollectionKind::none;
    const bool nullable_link = single || property.collection == CollectionKind::dictionary;
    const bool may_be_null = property.type != PropertyType::mixed &&
                             (property.is_link() ? nullable_link : property.nullable);
    type += may_be_null ? "?" : "";
    switch (property.collection) {
    case CollectionKind::list:
        return "List<" + type + ">";
    case CollectionKind::set:
        return "Set<" + type + ">";
    case CollectionKind::dictionary:
        return "Map<String, " + type + ">";
    case CollectionKind::none:
        break;
    }
    return type;
}

} // namespace

void write_dart(const Schema& /*schema*/, const ClassSchema& model, DataModel& out) {
    out.imports = {"import 'package:realm/realm.dart';"};
    std::string& text = out.source;
    text = model.is_embedded()     ? "@RealmModel(ObjectType.embeddedObject)\n"
           : model.is_asymmetric() ? "@RealmModel(ObjectType.asymmetricObject)\n"
                                   : "@RealmModel()\n";
    text += "class _" + model.name() + " {\n";
    for (const Property& property : model.properties()) {
        if (property.is_computed()) {
            continue;
        }
        // What begins with an underscore is private in Dart.
        const std::string name = property.name.substr(
            std::min(property.name.find_first_not_of('_'), property.name.size()));
        text += property.primary_key ? "  @PrimaryKey()\n" : "";
        text += name != property.name ? "  @MapTo('" + property.name + "')\n" : "";
        text += "  late " + dart_type(property) + " " + name + ";\n";
        if (property.type == PropertyType::binary) {
            out.imports.emplace_back("import 'dart:typed_data';");
        }
    }
    text += "}";
}

// C++: structs of the SDK.

namespace {

constexpr TypeNames c_plus_plus_types{"realm::mixed",
                                      "int64_t",
                                      "bool",
                                      "std::string",
                                      "std::vector<uint8_t>",
                                      "std::chrono::time_point<std::chrono::system_clock>",
                                      "double",
                                      "double",
                                      "realm::decimal128",
                                      "",
                                      "realm::object_id",
                                      "realm::uuid"};

std::string c_plus_plus_type(const Property& property) {
    std::string type = base_type(c_plus_plus_types, property);
    if (property.is_link()) {
        type += "*";
    } else if (property.nullable && property.type != PropertyType::mixed) {
        type = "std::optional<" + type + ">";
    }
    switch (property.collection) {
    case CollectionKind::list:
        return "std::vector<" + type + ">";
    case CollectionKind::set:
        return "std::set<" + type + ">";
    case CollectionKind::dictionary:
        return "std::map<std::string, " + type + ">";
    case CollectionKind::none:
        break;
    }
    return type;
}

} // namespace

void write_c_plus_plus(const Schema& /*schema*/, const ClassSchema& model, DataModel& out) {
    out.imports = {"#include <cpprealm/sdk.hpp>"};
    std::string& text = out.source;
    std::string names;
    text = "namespace realm {\n\nstruct " + model.name() + " {\n";
    for (const Property& property : model.properties()) {
        if (property.is_computed()) {
            continue;
        }
        const bool key = property.primary_key;
        const std::string type = c_plus_plus_type(property);
        text += "    " + (key ? "primary_key<" + type + ">" : type) + " " + property.name + ";\n";
        names += ", " + property.name;
    }
    const std::string macro = model.is_embedded()     ? "REALM_EMBEDDED_SCHEMA"
                              : model.is_asymmetric() ? "REALM_ASYMMETRIC_SCHEMA"
                                                      : "REALM_SCHEMA";
    text += "};\n" + macro + "(" + model.name() + names + ")\n\n} // namespace realm";
}

} // namespace detail

} // namespace tombolo::schema
