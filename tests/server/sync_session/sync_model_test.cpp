#include "server/sync/session/sync_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/runtime/json.hpp"

namespace tombolo::server::sync {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SchemaConfig schema_of(const std::string& collection, const std::string& properties) {
    SchemaConfig one;
    one.data_source = "mongodb-atlas";
    one.database = "app";
    one.collection = collection;
    one.schema = parse_json_object(R"({"title":")" + collection +
                                   R"(","bsonType":"object","required":["_id"],"properties":)" +
                                   properties + "}")
                     .value();
    return one;
}

AppConfig app_with(std::vector<SchemaConfig> schemas) {
    AppConfig app;
    app.sync.mode = SyncConfig::Mode::flexible;
    app.sync.service_name = "mongodb-atlas";
    app.sync.database_name = "app";
    app.schemas = std::move(schemas);
    return app;
}

constexpr const char* person =
    R"({"_id":{"bsonType":"objectId"},
        "home":{"bsonType":"object","title":"Address","properties":{"city":{"bsonType":"string"}}}})";

TEST(SyncModel, a_schema_without_id_is_left_aside_and_the_log_says_so) {
    SchemaConfig address = schema_of("Address", R"({"city":{"bsonType":"string"}})");
    address.schema.erase("required");
    const auto model = make_app_model(app_with({schema_of("Person", person), address}));
    ASSERT_TRUE(model) << model.error().what();
    EXPECT_EQ(model->model.documents.places.size(), 1U);
    EXPECT_THAT(model->warnings,
                ElementsAre(HasSubstr("'Address' is not synced: its schema has no \"_id\"")));
}

TEST(SyncModel, a_field_named_like_a_word_of_the_query_language_is_synced_with_a_warning) {
    const auto model = make_app_model(app_with(
        {schema_of("Thing", R"({"_id":{"bsonType":"objectId"},"any":{"bsonType":"mixed"}})")}));
    ASSERT_TRUE(model) << model.error().what();
    EXPECT_THAT(model->warnings, ElementsAre(HasSubstr("'Thing.any'")));
}

TEST(SyncModel, what_cannot_be_synced_is_refused_with_every_problem) {
    EXPECT_THAT(make_app_model(app_with({schema_of("Person", person)})).value().warnings,
                IsEmpty());
    EXPECT_EQ(make_app_model(AppConfig{}).error().code(), ErrorCode::unsupported);
    const std::string bad_key = R"({"_id":{"bsonType":"double"}})";
    const auto bad = make_app_model(app_with({schema_of("A", bad_key), schema_of("B", bad_key)}));
    ASSERT_FALSE(bad);
    EXPECT_THAT(bad.error().what(), HasSubstr("'A._id'"));
    EXPECT_THAT(bad.error().what(), HasSubstr("'B._id'"));
}

TEST(SyncModel, the_indexed_queryable_field_has_one_of_four_types_and_the_same_everywhere) {
    const auto with = [](const std::string& one, const std::string& other, bool is_queryable) {
        AppConfig app =
            app_with({schema_of("A", R"({"_id":{"bsonType":"objectId"},"owner":{"bsonType":")" +
                                         one + R"("}})"),
                      schema_of("B", R"({"_id":{"bsonType":"objectId"},"owner":{"bsonType":")" +
                                         other + R"("}})"),
                      schema_of("C", R"({"_id":{"bsonType":"objectId"}})")});
        app.sync.indexed_queryable_fields_names = {"owner"};
        if (is_queryable) {
            app.sync.queryable_fields_names = {"owner"};
        }
        return make_app_model(app);
    };
    for (const char* type : {"string", "long", "int", "objectId", "uuid"}) {
        const auto model = with(type, type, true);
        ASSERT_TRUE(model) << model.error().what();
        EXPECT_EQ(model->model.indexed_queryable, "owner");
    }
    EXPECT_THAT(with("string", "string", false).error().what(),
                HasSubstr("'queryable_fields_names'"));
    EXPECT_THAT(with("string", "uuid", true).error().what(), HasSubstr("another type in 'B'"));
    EXPECT_THAT(with("double", "double", true).error().what(), HasSubstr("in 'A'"));
}

} // namespace
} // namespace tombolo::server::sync
