#include "query/fixture.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <stdexcept>

#include "core/bytes.hpp"
#include "query/bind_context.hpp"
#include "query/parser.hpp"

namespace tombolo::query::test {
namespace {

using schema::ClassKind;
using schema::ClassSchema;
using schema::CollectionKind;
using schema::Property;
using schema::PropertyType;
using schema::Schema;

Property scalar(std::string name, PropertyType type, bool nullable = true) {
    Property out;
    out.name = std::move(name);
    out.type = type;
    out.nullable = nullable;
    return out;
}

Property primary(std::string name, PropertyType type) {
    Property out = scalar(std::move(name), type, false);
    out.primary_key = true;
    return out;
}

Property to(std::string name, std::string target,
            CollectionKind collection = CollectionKind::none) {
    Property out =
        scalar(std::move(name), PropertyType::link,
               collection == CollectionKind::none || collection == CollectionKind::dictionary);
    out.target = std::move(target);
    out.collection = collection;
    return out;
}

Property many(std::string name, PropertyType type, CollectionKind collection,
              bool nullable = false) {
    Property out = scalar(std::move(name), type, nullable);
    out.collection = collection;
    return out;
}

Property computed(std::string name, std::string origin_class, std::string origin) {
    Property out = scalar(std::move(name), PropertyType::linking_objects, false);
    out.target = std::move(origin_class);
    out.origin = std::move(origin);
    return out;
}

Property full_text(std::string name) {
    Property out = scalar(std::move(name), PropertyType::string);
    out.full_text = true;
    return out;
}

Property aliased(Property property, std::string alias) {
    property.alias = std::move(alias);
    return property;
}

Schema make_schema() {
    using enum PropertyType;
    const CollectionKind list = CollectionKind::list;
    const CollectionKind dictionary = CollectionKind::dictionary;
    const CollectionKind set = CollectionKind::set;
    return Schema(
        {ClassSchema("Person", ClassKind::top_level,
                     {primary("_id", object_id),
                      scalar("name", string),
                      scalar("age", integer),
                      scalar("height", float32),
                      many("tags", string, list),
                      to("pets", "Dog", list),
                      to("boss", "Person"),
                      many("meta", mixed, dictionary, true),
                      scalar("any", mixed),
                      to("home", "Address"),
                      scalar("born", timestamp),
                      scalar("uid", uuid),
                      scalar("photo", binary),
                      scalar("pay", decimal128),
                      scalar("first name", string),
                      scalar("score", float64),
                      many("numbers", integer, list, true),
                      many("codes", integer, set),
                      scalar("active", boolean),
                      to("byName", "Dog", dictionary),
                      computed("reports", "Person", "boss"),
                      full_text("bio"),
                      scalar("contains", string),
                      scalar("gr\xC3\xB6\xC3\x9F"
                             "e",
                             integer),
                      aliased(scalar("internal_rank", integer), "rank")}),
         ClassSchema("Dog", ClassKind::top_level,
                     {primary("_id", integer), scalar("name", string), scalar("age", integer),
                      to("vet", "Vet"), many("toys", string, list), scalar("weight", float64)}),
         ClassSchema("Vet", ClassKind::top_level, {primary("_id", string), scalar("name", string)}),
         ClassSchema("Place", ClassKind::top_level,
                     {primary("_id", string), to("loc", "GeoPoint"), full_text("descr"),
                      to("stops", "GeoPoint", list)}),
         ClassSchema("Address", ClassKind::embedded, {scalar("city", string), to("doctor", "Vet")}),
         ClassSchema("GeoPoint", ClassKind::embedded,
                     {scalar("type", string), many("coordinates", float64, list)}),
         ClassSchema("Event", ClassKind::asymmetric, {primary("_id", object_id)}),
         ClassSchema(
             "Account", ClassKind::top_level,
             {primary("_id", object_id), scalar("owner_id", string), scalar("status", string),
              scalar("priority", integer), many("editors", string, list), scalar("due", timestamp),
              to("contact", "Person"), scalar("budget", float64), to("place", "GeoPoint"),
              scalar("secret", string), scalar("extra", mixed), to("friends", "Person", list)})});
}

std::vector<std::byte> bytes_of(std::string_view text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

Value strings(std::vector<std::string> values) {
    List list;
    for (std::string& value : values) {
        list.elements.emplace_back(std::move(value));
    }
    return Value(std::move(list));
}

Value dogs(const std::vector<std::int64_t>& keys) {
    List list;
    for (std::int64_t key : keys) {
        list.elements.emplace_back(Link{"Dog", key});
    }
    return Value(std::move(list));
}

Value time(std::int64_t seconds, std::int32_t nanoseconds = 0) {
    return Value(Timestamp::make(seconds, nanoseconds).value());
}

Value decimal(std::string_view text) {
    return Value(Decimal128::parse(text).value());
}

Value person(int last_byte) {
    return Value(Link{"Person", person_id(last_byte)});
}

Object fields(Dictionary dictionary) {
    return Object{std::move(dictionary)};
}

Value point(std::string type, const std::vector<double>& coordinates) {
    List list;
    for (double c : coordinates) {
        list.elements.emplace_back(c);
    }
    return Value(
        fields({{"type", Value(std::move(type))}, {"coordinates", Value(std::move(list))}}));
}

Value nested_list() {
    return Value(List{{Value(Dictionary{{"x", Value(List{{Value(1), Value(3)}})}})}});
}

void add_dogs(ObjectStore& store) {
    store.add("Vet", fields({{"_id", Value("li")}, {"name", Value("Li")}}));
    store.add("Vet", fields({{"_id", Value("mo")}, {"name", Value("Mo")}}));
    store.add("Dog", fields({{"_id", Value(1)},
                             {"name", Value("Rex")},
                             {"age", Value(4)},
                             {"vet", Value(Link{"Vet", std::string("li")})},
                             {"toys", strings({"ball", "bone"})},
                             {"weight", Value(20.5)}}));
    store.add("Dog", fields({{"_id", Value(2)},
                             {"name", Value("Fido")},
                             {"age", Value(9)},
                             {"vet", Value(Link{"Vet", std::string("mo")})},
                             {"weight", Value(7.25)}}));
    store.add("Dog", fields({{"_id", Value(3)},
                             {"name", Value("Max")},
                             {"age", Value(2)},
                             {"toys", strings({"ball"})}}));
}

void add_people(ObjectStore& store) {
    const Value null;
    const float infinity = std::numeric_limits<float>::infinity();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    store.add("Person",
              fields({{"_id", Value(person_id(0x11))},
                      {"name", Value("Ann")},
                      {"age", Value(30)},
                      {"height", Value(1.75F)},
                      {"tags", strings({"vip", "a"})},
                      {"pets", dogs({1, 2})},
                      {"meta", Value(Dictionary{{"k", Value(5)}, {"n", Value(20)}})},
                      {"any", Value(12)},
                      {"home", Value(fields({{"city", Value("Oslo")}}))},
                      {"born", time(1'600'000'000)},
                      {"uid", Value(Uuid::parse("d1b186e1-e9e0-4768-a1a7-c492519d47ee").value())},
                      {"photo", Value(Binary{bytes_of("Hello")})},
                      {"pay", decimal("12.345678901234567890")},
                      {"first name", Value("x")},
                      {"score", Value(2.5)},
                      {"numbers", Value(List{{Value(1), Value(2), Value(3)}})},
                      {"codes", Value(Set{Value(1), Value(2)})},
                      {"active", Value(true)},
                      {"byName", Value(Dictionary{{"r", Value(Link{"Dog", std::int64_t{1}})}})},
                      {"bio", Value("Likes caf\xC3\xA9s and dogs")},
                      {"contains", Value("yes")},
                      {"gr\xC3\xB6\xC3\x9F"
                       "e",
                       Value(7)},
                      {"internal_rank", Value(1)}}));
    store.add("Person",
              fields({{"_id", Value(person_id(0x12))},
                      {"name", Value("Bob")},
                      {"age", Value(17)},
                      {"tags", strings({"a", "b"})},
                      {"boss", person(0x11)},
                      {"meta", Value(Dictionary{{"k", Value("text")}})},
                      {"any", Value("word")},
                      {"home", Value(fields({{"city", Value("Bergen")},
                                             {"doctor", Value(Link{"Vet", std::string("li")})}}))},
                      {"born", time(1'582'979'415, 500'000'000)},
                      {"photo", Value(Binary{bytes_of("GIF89a")})},
                      {"pay", decimal("100")},
                      {"score", Value(-1.0)},
                      {"numbers", Value(List{{Value(-1), null}})},
                      {"active", Value(false)},
                      {"internal_rank", Value(2)}}));
    store.add("Person", fields({{"_id", Value(person_id(0x13))},
                                {"name", Value("ann")},
                                {"age", Value(4)},
                                {"height", Value(infinity)},
                                {"pets", dogs({1})},
                                {"boss", person(0x11)},
                                {"any", nested_list()},
                                {"born", time(1'582'934'400)},
                                {"photo", Value(Binary{bytes_of(std::string(1200, 'p'))})},
                                {"pay", decimal("12.35")},
                                {"bio", Value("Fjord boats, Troms\xC3\xB8-ferry")}}));
    store.add(
        "Person",
        fields({{"_id", Value(person_id(0x14))},
                {"height", Value(nan)},
                {"tags", strings({"z"})},
                {"pets", dogs({3})},
                {"boss", person(0x16)},
                {"meta", Value(Dictionary{{"k", Value(5.0)}, {"m", null}})},
                {"any", Value(Dictionary{{"list", Value(List{{Value(1), Value("end")}})}})}}));
    store.add("Person", fields({{"_id", Value(person_id(0x15))},
                                {"name", Value("Zoe")},
                                {"age", Value(64)},
                                {"height", Value(1.5F)},
                                {"tags", strings({"a", "b", "longest", "z"})},
                                {"pets", dogs({1, 2, 3, 2})},
                                {"boss", person(0x11)},
                                {"any", Value(true)},
                                {"home", Value(fields({{"city", Value("Oslo")}}))},
                                {"active", Value(true)},
                                {"codes", Value(Set{Value(2)})}}));
    store.add("Person", fields({{"_id", Value(person_id(0x16))},
                                {"name", Value("Anna Maria Long")},
                                {"age", Value(65)},
                                {"tags", strings({"x1", "xyz"})},
                                {"boss", person(0x15)},
                                {"any", Value(10.5)},
                                {"meta", Value(Dictionary{{"a", Value(11)}})}}));
    store.add("Person",
              fields({{"_id", Value(person_id(0x17))},
                      {"name", Value("x")},
                      {"age", Value(1)},
                      {"height", Value(2.0F)},
                      {"tags", strings({"a"})},
                      {"boss", person(0x11)},
                      {"any", Value(Binary{bytes_of("word")})},
                      {"byName", Value(Dictionary{{"m", Value(Link{"Dog", std::int64_t{3}})},
                                                  {"none", null}})}}));
    store.add("Person", fields({{"_id", Value(person_id(0x18))},
                                {"name", Value("Hal")},
                                {"age", Value(2)},
                                {"boss", person(0x12)},
                                {"numbers", Value(List{{Value(3), Value(2), Value(1)}})}}));
}

void add_places(ObjectStore& store) {
    store.add("Place", fields({{"_id", Value("near")},
                               {"loc", point("Point", {10.71, 59.905})},
                               {"descr", Value("fjord boats ferry")}}));
    store.add("Place", fields({{"_id", Value("far")},
                               {"loc", point("point", {10.75, 59.95, 100.0})},
                               {"descr", Value("Fjord tourist boat")}}));
    store.add(
        "Place",
        fields({{"_id", Value("unit")},
                {"loc", point("Point", {0.7, 0.3})},
                {"descr", Value("fjord only")},
                {"stops", Value(List{{point("Point", {0.7, 0.3}), point("Point", {5.0, 5.0})}})}}));
    store.add("Place", fields({{"_id", Value("line")},
                               {"loc", point("Line", {0.7, 0.3})},
                               {"descr", Value("boat, FJORD-side")}}));
    store.add("Place", fields({{"_id", Value("nowhere")}}));
}

} // namespace

ObjectId person_id(int last_byte) {
    ObjectId id = ObjectId::parse("507f1f77bcf86cd799439000").value();
    id.bytes[11] = static_cast<std::byte>(last_byte);
    return id;
}

const Schema& fixture_schema() {
    static const Schema schema = make_schema();
    return schema;
}

const ObjectStore& fixture_store() {
    static const ObjectStore store = [] {
        ObjectStore out(fixture_schema());
        add_dogs(out);
        add_people(out);
        add_places(out);
        return out;
    }();
    return store;
}

std::string label_of(const ObjectRef& object) {
    static const std::map<int, std::string> people = {{0x11, "ann"}, {0x12, "bob"}, {0x13, "cid"},
                                                      {0x14, "dee"}, {0x15, "eve"}, {0x16, "fay"},
                                                      {0x17, "gus"}, {0x18, "hal"}};
    const PrimaryKeyView key = primary_key_of(object);
    if (const auto* id = std::get_if<ObjectId>(&key)) {
        return people.at(static_cast<int>(id->bytes[11]));
    }
    if (const auto* number = std::get_if<std::int64_t>(&key)) {
        return *number == 1 ? "rex" : *number == 2 ? "fido" : "max";
    }
    return std::string(std::get<std::string_view>(key));
}

std::string run_labels(std::string_view class_name, std::string_view text,
                       const Arguments& arguments, const BindOptions& options) {
    auto query = compile(text, fixture_schema(), class_name, arguments, options);
    if (!query) {
        return "error: " + query.error().message();
    }
    const ObjectAccessor accessor(fixture_store());
    std::vector<std::string> labels;
    for (const ObjectRef& row : run(*query, accessor, fixture_store().objects(class_name))) {
        labels.push_back(label_of(row));
    }
    const bool sorted = std::any_of(query->suffixes.begin(), query->suffixes.end(),
                                    [](const auto& s) { return std::holds_alternative<Sort>(s); });
    if (!sorted) {
        std::sort(labels.begin(), labels.end());
    }
    std::string out;
    for (const std::string& label : labels) {
        out += out.empty() ? "" : " ";
        out += label;
    }
    return out;
}

Argument parse_argument(std::string_view text) {
    static const Arguments none;
    static const BindOptions options;
    const BindContext context{text, fixture_schema(), none, options, {}};
    if (text.substr(0, 3) == "geo") {
        const std::string whole = "loc geoWithin " + std::string(text);
        const auto bound = compile(whole, fixture_schema(), "Place").value();
        return std::get<GeoCondition>(bound.condition.node).shape;
    }
    const syntax::Query parsed = parse("x == " + std::string(text)).value();
    const auto& right = std::get<syntax::Comparison>(parsed.predicate.node).right.node;
    bool is_list = false;
    if (const auto* list = std::get_if<syntax::ListLiteral>(&right)) {
        List out;
        for (const syntax::Literal& element : list->elements) {
            out.elements.push_back(
                std::move(bind_literal(context, element, nullptr, is_list).value()[0]));
        }
        return Value(std::move(out));
    }
    return bind_literal(context, std::get<syntax::Literal>(right), nullptr, is_list).value()[0];
}

} // namespace tombolo::query::test
