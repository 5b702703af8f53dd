// Keys that no layout has, in every file whose shape is known.

#include "server/app/known_keys.hpp"

#include <gmock/gmock.h>

#include "server/app/app_config.hpp"

namespace tombolo::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Misspelt {
    const char* path;
    const char* text;
    const char* key;
};

TEST(KnownKeys, misspelt_ones_are_named_with_file_and_place) {
    const std::vector<Misspelt> cases = {
        {"root_config.json", R"({"name": "n", "enviroment": "qa"})", "enviroment"},
        {"auth/providers.json", R"({"local-userpass": {"config": {"autoConfrim": true}}})",
         "local-userpass.config.autoConfrim"},
        {"auth/providers.json", R"({"custom-token": {"secret_config": {"signingKey": []}}})",
         "custom-token.secret_config.signingKey"},
        {"auth/providers.json",
         R"({"oauth2-google": {"metadata_fields": [{"name": "a"}, {"requierd": true}]}})",
         "oauth2-google.metadata_fields[1].requierd"},
        {"auth/custom_user_data.json", R"({"enable": true})", "enable"},
        {"data_sources/m/config.json", R"({"type": "mongodb", "config": {"cluster": "C"}})",
         "config.cluster"},
        {"data_sources/m/config.json",
         R"({"type": "mongodb", "config": {"flexible_sync": {"sate": "enabled"}}})",
         "config.flexible_sync.sate"},
        {"data_sources/m/default_rule.json", R"({"roles": [{"apply_wehn": {}}]})",
         "roles[0].apply_wehn"},
        {"data_sources/m/d/C/rules.json",
         R"({"roles": [{"fields": {"a": {"fields": {"b": {"raed": true}}}}}]})",
         "roles[0].fields.a.fields.b.raed"},
        {"data_sources/m/d/C/rules.json", R"({"filters": [{"projecton": {}}]})",
         "filters[0].projecton"},
        {"data_sources/m/d/C/rules.json", R"({"roles": [{"document_filters": {"reads": true}}]})",
         "roles[0].document_filters.reads"},
        {"data_sources/m/d/C/schema.json",
         R"({"properties": {"a": {"items": {"bsontype": "int"}}}})", "properties.a.items.bsontype"},
        {"data_sources/m/d/C/relationships.json", R"({"a.[]": {"foreignKey": "_id"}})",
         "a.[].foreignKey"},
        {"environments/qa.json", R"({"value": {}})", "value"},
        {"functions/config.json", R"([{"name": "a"}, {"run_as_sytem": true}])", "[1].run_as_sytem"},
        {"https_endpoints/config.json", R"([{"methd": "GET"}])", "[0].methd"},
        {"log_forwarders/a.json", R"({"policy": {"kind": "batch"}})", "policy.kind"},
        {"sync/config.json", R"({"partition": {"kye": "p"}})", "partition.kye"},
        {"sync/config.json", R"({"queryable_field_names": []})", "queryable_field_names"},
        {"values/limit.json", R"({"name": "limit", "vaule": 5})", "vaule"},
    };
    for (const Misspelt& each : cases) {
        EXPECT_THAT(unknown_keys({{each.path, each.text}}),
                    ElementsAre(std::string(each.path) + ": unknown key '" + each.key + "'"));
    }
}

TEST(KnownKeys, what_is_kept_or_may_hold_anything_is_not_looked_into) {
    EXPECT_THAT(
        unknown_keys(
            {{"triggers/a.json", R"({"anything": 1})"},
             {"hosting/config.json", R"({"anything": 1})"},
             {"graphql/config.json", R"({"anything": 1})"},
             {"https_endpoints/data_api_config.json", R"({"anything": 1})"},
             {"https_endpoints/old/config.json", R"({"anything": 1})"},
             {"services/push/config.json", R"({"anything": 1})"},
             {"secrets.json", R"({"anything": "1"})"},
             {"auth/providers.json", R"({"carrier-pigeon": {"anything": 1}})"},
             {"environments/qa.json", R"({"values": {"anything": {"goes": 1}}})"},
             {"values/a.json", R"({"value": {"anything": {"goes": 1}}})"},
             {"data_sources/m/d/C/schema.json",
              R"({"properties": {"anything": {"validate": {"goes": 1}, "enum": [{"a": 1}]}}})"},
             {"data_sources/m/d/C/rules.json",
              R"({"roles": [{"apply_when": {"anything": 1}, "read": {"goes": 1}}],
                  "filters": [{"query": {"a": 1}, "projection": {"b": 1}}]})"}}),
        IsEmpty());
}

TEST(KnownKeys, files_that_cannot_be_read_are_left_to_the_reader) {
    EXPECT_THAT(unknown_keys({{"sync/config.json", "{"},
                              {"values/a.json", "[1]"},
                              {"functions/config.json", R"({"a": 1})"},
                              {"auth/providers.json", R"({"anon-user": 5})"}}),
                IsEmpty());
}

TEST(KnownKeys, many_do_not_make_the_report_endless) {
    std::string text;
    for (int i = 0; i < 1000; ++i) {
        text += (i == 0 ? "{\"k" : ", \"k") + std::to_string(i) + "\": 1";
    }
    EXPECT_EQ(unknown_keys({{"sync/config.json", text + "}"}}).size(), unknown_keys_max);
}

TEST(KnownKeys, of_the_example_are_all_known) {
    const std::string folder = std::string(TOMBOLO_TEST_DATA) + "/../examples/field-notes";
    EXPECT_THAT(unknown_keys(read_app_directory(folder).value()), IsEmpty());
}

} // namespace
} // namespace tombolo::server
