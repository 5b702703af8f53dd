#include "schema/data_models.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

namespace tombolo::schema {
namespace {

using testing::Contains;
using testing::HasSubstr;

Property property(std::string name, PropertyType type,
                  CollectionKind collection = CollectionKind::none, bool nullable = false) {
    Property out;
    out.name = std::move(name);
    out.type = type;
    out.collection = collection;
    out.nullable = nullable;
    return out;
}

Schema dogs() {
    ClassSchema dog("Dog");
    Property key = property("_id", PropertyType::object_id);
    key.primary_key = true;
    dog.add(key);
    dog.add(property("name", PropertyType::string));
    dog.add(property("age", PropertyType::integer, CollectionKind::none, true));
    dog.add(property("tags", PropertyType::string, CollectionKind::list));
    Property friends = property("friends", PropertyType::link, CollectionKind::set);
    friends.target = "Dog";
    dog.add(friends);
    Property home = property("home", PropertyType::link, CollectionKind::none, true);
    home.target = "Place";
    dog.add(home);
    ClassSchema place("Place", ClassKind::embedded);
    place.add(property("scores", PropertyType::float64, CollectionKind::dictionary));
    return Schema({dog, place});
}

DataModel model(ModelLanguage language, const char* name = "Dog") {
    const Schema schema = dogs();
    return data_model(language, schema, *schema.find(name));
}

TEST(DataModels, languages_are_found_by_name) {
    EXPECT_EQ(model_language("KOTLIN"), ModelLanguage::kotlin);
    EXPECT_EQ(model_language("kotlin"), std::nullopt);
}

TEST(DataModels, kotlin) {
    const DataModel made = model(ModelLanguage::kotlin);
    EXPECT_EQ(made.source, R"(class Dog : RealmObject {
    @PrimaryKey
    var _id: ObjectId = ObjectId()
    var name: String = ""
    var age: Long? = null
    var tags: RealmList<String> = realmListOf()
    var friends: RealmSet<Dog> = realmSetOf()
    var home: Place? = null
})");
    EXPECT_THAT(made.imports, Contains("import io.realm.kotlin.types.annotations.PrimaryKey"));
    EXPECT_THAT(made.imports, Contains("import io.realm.kotlin.ext.realmListOf"));
    EXPECT_THAT(model(ModelLanguage::kotlin, "Place").source,
                HasSubstr("var scores: RealmDictionary<Double> = realmDictionaryOf()"));
}

TEST(DataModels, swift) {
    EXPECT_EQ(model(ModelLanguage::swift).source, R"(class Dog: Object {
    @Persisted(primaryKey: true) var _id: ObjectId
    @Persisted var name: String
    @Persisted var age: Int?
    @Persisted var tags: List<String>
    @Persisted var friends: MutableSet<Dog>
    @Persisted var home: Place?
})");
    EXPECT_THAT(model(ModelLanguage::swift, "Place").source,
                HasSubstr("class Place: EmbeddedObject"));
}

TEST(DataModels, java) {
    const DataModel made = model(ModelLanguage::java);
    EXPECT_THAT(made.source,
                HasSubstr("    @PrimaryKey\n    @Required\n    private ObjectId _id;"));
    EXPECT_THAT(made.source, HasSubstr("    private Long age;"));
    EXPECT_THAT(made.source, HasSubstr("public RealmSet<Dog> getFriends() { return friends; }"));
    EXPECT_THAT(model(ModelLanguage::java, "Place").source,
                HasSubstr("@RealmClass(embedded = true)"));
}

TEST(DataModels, c_sharp) {
    const DataModel made = model(ModelLanguage::c_sharp);
    EXPECT_THAT(made.source, HasSubstr("public partial class Dog : IRealmObject\n{\n"));
    EXPECT_THAT(made.source, HasSubstr("    [MapTo(\"_id\")]\n    [PrimaryKey]\n"
                                       "    public ObjectId Id { get; set; }\n"));
    EXPECT_THAT(made.source, HasSubstr("public long? Age { get; set; }"));
    EXPECT_THAT(made.source, HasSubstr("public IList<string> Tags { get; } = null!;"));
}

TEST(DataModels, java_script_and_type_script) {
    EXPECT_EQ(model(ModelLanguage::java_script).source, R"(export const DogSchema = {
  name: "Dog",
  properties: {
    _id: "objectId",
    name: "string",
    age: "int?",
    tags: "string[]",
    friends: "Dog<>",
    home: "Place?",
  },
  primaryKey: "_id",
};)");
    const DataModel made = model(ModelLanguage::type_script);
    EXPECT_THAT(made.source, HasSubstr("  age?: number;\n  tags!: Realm.List<string>;\n"));
    EXPECT_THAT(made.source, HasSubstr("  static schema: Realm.ObjectSchema = {\n"));
}

TEST(DataModels, a13_java_script_of_every_type_runs_in_node) {
    ClassSchema every("Every");
    Property key = property("_id", PropertyType::uuid);
    key.primary_key = true;
    every.add(key);
    std::size_t count = 1;
    for (const PropertyType type :
         {PropertyType::mixed, PropertyType::integer, PropertyType::boolean, PropertyType::string,
          PropertyType::binary, PropertyType::timestamp, PropertyType::float32,
          PropertyType::float64, PropertyType::decimal128, PropertyType::link,
          PropertyType::object_id, PropertyType::uuid}) {
        for (const CollectionKind collection : {CollectionKind::none, CollectionKind::list,
                                                CollectionKind::set, CollectionKind::dictionary}) {
            for (const bool nullable : {false, true}) {
                Property one = property("p" + std::to_string(count), type, collection, nullable);
                one.target = type == PropertyType::link ? "Every" : "";
                every.add(std::move(one));
                ++count;
            }
        }
    }
    for (const char* odd : {"first name", "class", "1st", "a-b", "it's", "quo\"te"}) {
        every.add(property(odd, PropertyType::string));
        ++count;
    }
    const Schema schema({every});
    const std::string source =
        data_model(ModelLanguage::java_script, schema, *schema.find("Every")).source;
    const std::filesystem::path file = std::filesystem::path(::testing::TempDir()) /
                                       ("tombolo_model_" + std::to_string(::getpid()) + ".mjs");
    std::ofstream(file) << source << R"(
const all = Object.entries(EverySchema.properties);
const good = all.every(([name, type]) => typeof type === "string" || typeof type.type === "string");
process.exit(good && all.length === )"
                        << count << R"( && "it's" in EverySchema.properties ? 0 : 1);
)";
    EXPECT_EQ(std::system(("node " + file.string()).c_str()), 0) << source;
    std::filesystem::remove(file);
}

TEST(DataModels, dart) {
    const DataModel made = model(ModelLanguage::dart);
    EXPECT_THAT(made.source, HasSubstr("  @PrimaryKey()\n  @MapTo('_id')\n  late ObjectId id;\n"));
    EXPECT_THAT(made.source, HasSubstr("  late Set<_Dog> friends;\n  late _Place? home;\n"));
}

TEST(DataModels, objective_c) {
    const DataModel made = model(ModelLanguage::objective_c);
    EXPECT_THAT(made.source, HasSubstr("@class Place;\n"));
    EXPECT_THAT(made.source, HasSubstr("@property NSNumber<RLMInt> *age;\n"));
    EXPECT_THAT(made.source, HasSubstr("@property RLMSet<Dog *><Dog> *friends;\n"));
    EXPECT_THAT(made.source, HasSubstr("return @[@\"_id\", @\"name\"];"));
}

TEST(DataModels, c_plus_plus) {
    const DataModel made = model(ModelLanguage::c_plus_plus);
    EXPECT_THAT(made.source, HasSubstr("    primary_key<realm::object_id> _id;\n"));
    EXPECT_THAT(made.source, HasSubstr("REALM_SCHEMA(Dog, _id, name, age, tags, friends, home)"));
}

TEST(DataModels, names_that_no_variable_can_have_are_warned_about) {
    ClassSchema odd("Odd");
    odd.add(property("first name", PropertyType::string));
    const Schema schema({odd});
    const DataModel made = data_model(ModelLanguage::type_script, schema, schema.classes().front());
    ASSERT_EQ(made.warnings.size(), 1U);
    EXPECT_THAT(made.warnings[0], HasSubstr("first name"));
    EXPECT_THAT(made.source, HasSubstr("\"first name\"!: string;"));
}

} // namespace
} // namespace tombolo::schema
