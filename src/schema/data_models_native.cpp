// Data models: Kotlin, Java, Swift and Objective-C.

#include <utility>

#include "schema/data_models_detail.hpp"

namespace tombolo::schema::detail {

// Kotlin.

namespace {

constexpr TypeNames kotlin_types{"RealmAny",     "Long",     "Boolean", "String",     "ByteArray",
                                 "RealmInstant", "Float",    "Double",  "Decimal128", "",
                                 "ObjectId",     "RealmUUID"};
constexpr TypeNames kotlin_values{"null",
                                  "0",
                                  "false",
                                  "\"\"",
                                  "byteArrayOf()",
                                  "RealmInstant.now()",
                                  "0.0f",
                                  "0.0",
                                  "Decimal128(\"0\")",
                                  "null",
                                  "ObjectId()",
                                  "RealmUUID.random()"};

std::string kotlin_import(const Property& property) {
    switch (property.type) {
    case PropertyType::mixed:
        return "import io.realm.kotlin.types.RealmAny";
    case PropertyType::timestamp:
        return "import io.realm.kotlin.types.RealmInstant";
    case PropertyType::uuid:
        return "import io.realm.kotlin.types.RealmUUID";
    case PropertyType::decimal128:
        return "import org.mongodb.kbson.Decimal128";
    case PropertyType::object_id:
        return "import org.mongodb.kbson.ObjectId";
    default:
        return {};
    }
}

// "var name: String = \"\"" behind the colon; adds what it needs to the imports.
std::string kotlin_type(const Property& property, DataModel& out) {
    const bool single = property.collection == CollectionKind::none;
    const bool dictionary = property.collection == CollectionKind::dictionary;
    const bool may_be_null = property.is_link()
                                 ? single || dictionary
                                 : property.nullable || property.type == PropertyType::mixed;
    const std::string type = base_type(kotlin_types, property) + (may_be_null ? "?" : "");
    const auto collection = [&](std::string_view name, std::string_view make) {
        out.imports.push_back("import io.realm.kotlin.types." + std::string(name));
        out.imports.push_back("import io.realm.kotlin.ext." + std::string(make));
        return std::string(name) + "<" + type + "> = " + std::string(make) + "()";
    };
    switch (property.collection) {
    case CollectionKind::list:
        return collection("RealmList", "realmListOf");
    case CollectionKind::set:
        return collection("RealmSet", "realmSetOf");
    case CollectionKind::dictionary:
        // RealmDictionary's keys are strings by itself.
        return collection("RealmDictionary", "realmDictionaryOf");
    case CollectionKind::none:
        break;
    }
    const std::string_view value =
        may_be_null ? "null" : kotlin_values[static_cast<std::size_t>(property.type)];
    return type + " = " + std::string(value);
}

} // namespace

void write_kotlin(const Schema& /*schema*/, const ClassSchema& model, DataModel& out) {
    const std::string base = model.is_embedded()     ? "EmbeddedRealmObject"
                             : model.is_asymmetric() ? "AsymmetricRealmObject"
                                                     : "RealmObject";
    out.imports.push_back("import io.realm.kotlin.types." + base);
    std::string& text = out.source;
    text = "class " + model.name() + " : " + base + " {\n";
    for (const Property& property : model.properties()) {
        if (property.is_computed()) {
            continue;
        }
        if (property.primary_key) {
            out.imports.emplace_back("import io.realm.kotlin.types.annotations.PrimaryKey");
            text += "    @PrimaryKey\n";
        }
        if (std::string import = kotlin_import(property); !import.empty()) {
            out.imports.push_back(std::move(import));
        }
        text += "    var " + property.name + ": " + kotlin_type(property, out) + "\n";
    }
    text += "}";
}

// Java.

namespace {

constexpr TypeNames java_types{"RealmAny", "Long",   "Boolean",    "String", "byte[]",   "Date",
                               "Float",    "Double", "Decimal128", "",       "ObjectId", "UUID"};

std::string java_import(const Property& property) {
    switch (property.type) {
    case PropertyType::mixed:
        return "import io.realm.RealmAny;";
    case PropertyType::timestamp:
        return "import java.util.Date;";
    case PropertyType::uuid:
        return "import java.util.UUID;";
    case PropertyType::decimal128:
        return "import org.bson.types.Decimal128;";
    case PropertyType::object_id:
        return "import org.bson.types.ObjectId;";
    default:
        return {};
    }
}

std::string java_type(const Property& property, DataModel& out) {
    const std::string type = base_type(java_types, property);
    const auto collection = [&](std::string_view name) {
        out.imports.push_back("import io.realm." + std::string(name) + ";");
        return std::string(name) + "<" + type + ">";
    };
    switch (property.collection) {
    case CollectionKind::list:
        return collection("RealmList");
    case CollectionKind::set:
        return collection("RealmSet");
    case CollectionKind::dictionary:
        return collection("RealmDictionary");
    case CollectionKind::none:
        break;
    }
    return type;
}

} // namespace

void write_java(const Schema& /*schema*/, const ClassSchema& model, DataModel& out) {
    out.imports.emplace_back("import io.realm.RealmObject;");
    std::string fields;
    std::string accessors;
    for (const Property& property : model.properties()) {
        if (property.is_computed()) {
            continue;
        }
        const std::string type = java_type(property, out);
        if (std::string import = java_import(property); !import.empty()) {
            out.imports.push_back(std::move(import));
        }
        if (property.primary_key) {
            out.imports.emplace_back("import io.realm.annotations.PrimaryKey;");
            fields += "    @PrimaryKey\n";
        }
        if (!property.nullable && !property.is_link() && property.type != PropertyType::mixed) {
            out.imports.emplace_back("import io.realm.annotations.Required;");
            fields += "    @Required\n";
        }
        const std::string suffix = capitalised(property.name);
        fields += "    private " + type + " " + property.name + ";\n";
        accessors += "\n    public " + type + " get" + suffix + "() { return " + property.name +
                     "; }\n    public void set" + suffix + "(" + type + " " + property.name +
                     ") { this." + property.name + " = " + property.name + "; }\n";
    }
    std::string& text = out.source;
    if (model.is_embedded()) {
        out.imports.emplace_back("import io.realm.annotations.RealmClass;");
        text = "@RealmClass(embedded = true)\n";
    }
    text += "public class " + model.name() + " extends RealmObject {\n" + fields + accessors + "}";
    if (model.is_asymmetric()) {
        out.warnings.emplace_back("the Java SDK has no asymmetric objects");
    }
}

// Swift.

namespace {

constexpr TypeNames swift_types{"AnyRealmValue", "Int",  "Bool",     "String",
                                "Data",          "Date", "Float",    "Double",
                                "Decimal128",    "",     "ObjectId", "UUID"};

std::string swift_type(const Property& property) {
    const bool single = property.collection == CollectionKind::none;
    const bool dictionary = property.collection == CollectionKind::dictionary;
    const bool may_be_null = property.type != PropertyType::mixed &&
                             (property.is_link() ? single || dictionary : property.nullable);
    const std::string type = base_type(swift_types, property) + (may_be_null ? "?" : "");
    switch (property.collection) {
    case CollectionKind::list:
        return "List<" + type + ">";
    case CollectionKind::set:
        return "MutableSet<" + type + ">";
    case CollectionKind::dictionary:
        return "Map<String, " + type + ">";
    case CollectionKind::none:
        break;
    }
    return type;
}

} // namespace

void write_swift(const Schema& /*schema*/, const ClassSchema& model, DataModel& out) {
    out.imports = {"import Foundation", "import RealmSwift"};
    const std::string base = model.is_embedded()     ? "EmbeddedObject"
                             : model.is_asymmetric() ? "AsymmetricObject"
                                                     : "Object";
    std::string& text = out.source;
    text = "class " + model.name() + ": " + base + " {\n";
    for (const Property& property : model.properties()) {
        if (!property.is_computed()) {
            text += std::string("    @Persisted") +
                    (property.primary_key ? "(primaryKey: true)" : "") + " var " + property.name +
                    ": " + swift_type(property) + "\n";
        }
    }
    text += "}";
}

// Objective-C.

namespace {

constexpr TypeNames objective_c_objects{"id<RLMValue>",
                                        "NSNumber<RLMInt> *",
                                        "NSNumber<RLMBool> *",
                                        "NSString *",
                                        "NSData *",
                                        "NSDate *",
                                        "NSNumber<RLMFloat> *",
                                        "NSNumber<RLMDouble> *",
                                        "RLMDecimal128 *",
                                        "",
                                        "RLMObjectId *",
                                        "NSUUID *"};
constexpr TypeNames objective_c_elements{"RLMValue",      "RLMInt",  "RLMBool",     "RLMString",
                                         "RLMData",       "RLMDate", "RLMFloat",    "RLMDouble",
                                         "RLMDecimal128", "",        "RLMObjectId", "RLMUUID"};

std::string_view objective_c_number(PropertyType type) {
    switch (type) {
    case PropertyType::integer:
        return "NSInteger ";
    case PropertyType::boolean:
        return "BOOL ";
    case PropertyType::float32:
        return "float ";
    case PropertyType::float64:
        return "double ";
    default:
        return {};
    }
}

std::string objective_c_type(const Property& property) {
    if (property.is_collection()) {
        const std::string object =
            property.is_link() ? property.target + " *" : base_type(objective_c_objects, property);
        const std::string element =
            property.is_link() ? property.target : base_type(objective_c_elements, property);
        const std::string pair = "<" + object + "><" + element + "> *";
        switch (property.collection) {
        case CollectionKind::set:
            return "RLMSet" + pair;
        case CollectionKind::dictionary:
            return "RLMDictionary<NSString *, " + object + "><RLMString, " + element + "> *";
        default:
            return "RLMArray" + pair;
        }
    }
    if (property.is_link()) {
        return property.target + " *";
    }
    const std::string_view number = objective_c_number(property.type);
    if (!property.nullable && !number.empty()) {
        return std::string(number);
    }
    const std::string type = base_type(objective_c_objects, property);
    return type.ends_with('*') ? type : type + " ";
}

} // namespace

void write_objective_c(const Schema& schema, const ClassSchema& model, DataModel& out) {
    out.imports = {"#import <Realm/Realm.h>"};
    const std::string base = model.is_embedded()     ? "RLMEmbeddedObject"
                             : model.is_asymmetric() ? "RLMAsymmetricObject"
                                                     : "RLMObject";
    std::string interface = "@interface " + model.name() + " : " + base + "\n\n";
    std::string required;
    std::string forward;
    for (const Property& property : model.properties()) {
        if (property.is_computed()) {
            continue;
        }
        if (property.is_link() && schema.find(property.target) != nullptr &&
            property.target != model.name()) {
            forward += "@class " + property.target + ";\n";
        }
        interface += "@property " + objective_c_type(property) + property.name + ";\n";
        const bool object = objective_c_number(property.type).empty() && !property.is_link() &&
                            !property.is_collection() && property.type != PropertyType::mixed;
        if (!property.nullable && object) {
            required += (required.empty() ? "" : ", ") + ("@\"" + property.name + "\"");
        }
    }
    std::string body;
    if (const Property* key = model.primary_key()) {
        body += "\n+ (NSString *)primaryKey {\n    return @\"" + key->name + "\";\n}\n";
    }
    if (!required.empty()) {
        body +=
            "\n+ (NSArray<NSString *> *)requiredProperties {\n    return @[" + required + "];\n}\n";
    }
    out.source = forward + (forward.empty() ? "" : "\n") + interface + "\n@end\n";
    if (!model.is_embedded() && !model.is_asymmetric()) {
        out.source += "\nRLM_COLLECTION_TYPE(" + model.name() + ")\n";
    }
    out.source += "\n@implementation " + model.name() + "\n" + body + "\n@end";
}

} // namespace tombolo::schema::detail
