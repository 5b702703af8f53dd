// The published permission models (device-sync-server.md 4.7) from role documents to what a user of
// sync may read and write, and what makes a role unfit for sync (4.5).

#include <gtest/gtest.h>

#include "core/ejson.hpp"
#include "server/runtime/json.hpp"
#include "server/store/embedded/embedded_store.hpp"
#include "server/sync/engine/view.hpp"
#include "server/sync/session/sync_model.hpp"
#include "server/sync/session/sync_roles.hpp"
#include "support/temporary_folder.hpp"

namespace tombolo::server::sync {
namespace {

using namespace std::string_literals;

const char* const all = R"("read":true,"write":true,"insert":true,"delete":true,"search":true)";

std::string role(const std::string& name, const std::string& write, const std::string& read,
                 const std::string& when = "{}") {
    return R"({"name":")" + name + R"(","apply_when":)" + when +
           R"(,"document_filters":{"write":)" + write + R"(,"read":)" + read + "}," + all + "}";
}

mql::BsonDocument bson(const std::string& text) {
    return mql::BsonDocument::validate(ejson_to_bson(text).value()).value();
}

/// Three users over one collection with roles as default rules or its own.
class PermissionModels : public ::testing::Test {
  protected:
    PermissionModels() {
        SchemaConfig notes;
        notes.data_source = "mongodb-atlas";
        notes.database = "app";
        notes.collection = "Note";
        notes.schema = parse_json_object(
                           R"({"title":"Note","bsonType":"object","required":["_id"],"properties":{
                    "_id":{"bsonType":"long"},"author":{"bsonType":"string"},
                    "group":{"bsonType":"string"},"text":{"bsonType":"string"},
                    "editors":{"bsonType":"array","items":{"bsonType":"string"}}}})")
                           .value();
        AppConfig& config = app_->config;
        config.schemas.push_back(std::move(notes));
        config.sync.mode = SyncConfig::Mode::flexible;
        config.sync.service_name = "mongodb-atlas";
        config.sync.database_name = "app";
        config.sync.queryable_fields_names = {"author", "group", "editors"};
        config.data_sources.emplace_back().name = "mongodb-atlas";
    }

    void set_defaults(const std::vector<std::string>& roles) { set("", roles); }
    void set_collection(const std::vector<std::string>& roles) { set("Note", roles); }
    void set(const std::string& collection, const std::vector<std::string>& roles) {
        RuleConfig rule;
        rule.database = collection.empty() ? "" : "app";
        rule.collection = collection;
        for (const std::string& each : roles) {
            rule.roles.emplace_back(parse_json_object(each).value());
        }
        DataSourceConfig& source = app_->config.data_sources.front();
        if (collection.empty()) {
            source.default_rule = std::move(rule);
        } else {
            source.rules = {std::move(rule)};
        }
        ++app_->deployment;
    }

    /// The user's view of everything.
    View view(const std::string& user, const std::string& custom_data = "{}",
              const std::string& more = "") {
        AppRoles roles([this] { return app_; }, *log_,
                       [&](const App&, const std::string& id) {
                           auto facts = std::make_shared<rules::Facts>();
                           facts->user_id = id;
                           facts->user =
                               bson(R"({"id":")" + id + R"(","type":"normal")" + more + "}");
                           facts->custom_data = [custom_data] { return bson(custom_data); };
                           return facts;
                       });
        const Role role = roles.role_of(user).value();
        SyncModel model = make_app_model(app_->config).value().model;
        return {Model::make(std::move(model), *store_).value(), R"({"Note":"TRUEPREDICATE"})",
                role};
    }

    static std::string may(const View& view, const std::string& note) {
        const mql::BsonDocument document = bson(note);
        std::string out;
        out += view.selects("Note", document.bytes()) ? "r" : "-";
        out += view.may_write("Note", document.bytes()) ? "w" : "-";
        return out;
    }

    static std::unique_ptr<store::Store> open(const std::string& directory) {
        store::EmbeddedOptions options;
        options.directory = directory;
        return store::open_embedded(options).value();
    }

    std::shared_ptr<App> app_ = std::make_shared<App>();
    std::unique_ptr<Log> log_ = Log::none();
    TemporaryFolder folder_;
    std::unique_ptr<store::Store> store_ = open(folder_.path());
};

const char* const of_ann = R"({"_id":{"$numberLong":"1"},"author":"ann","group":"red"})";
const char* const of_bob = R"({"_id":{"$numberLong":"2"},"author":"bob","group":"red",
                               "editors":["cid"]})";
const char* const of_cid = R"({"_id":{"$numberLong":"3"},"author":"cid","group":"blue"})";

const std::string own = R"({"author":"%%user.id"})";

TEST_F(PermissionModels, d1_own_data_only) {
    set_defaults({role("self", own, R"({"author":{"$eq":"%%user.id"}})")});
    const View ann = view("ann");
    EXPECT_EQ(may(ann, of_ann), "rw");
    EXPECT_EQ(may(ann, of_bob), "--");
    EXPECT_EQ(may(view("bob"), of_bob), "rw");
    EXPECT_EQ(may(view("cid"), of_bob), "--");
}

TEST_F(PermissionModels, d1_everyone_reads_and_the_author_writes) {
    for (const char* everyone : {R"({"%%true":true})", "true"}) {
        set_defaults({role("publicRead", own, everyone)});
        const View ann = view("ann");
        EXPECT_EQ(may(ann, of_ann), "rw");
        EXPECT_EQ(may(ann, of_bob), "r-");
        EXPECT_EQ(may(view("bob"), of_bob), "rw");
        EXPECT_EQ(may(view("cid"), of_bob), "r-");
    }
}

TEST_F(PermissionModels, d1_administrators) {
    set_defaults({role("root", "true", "true", R"({"%%user.custom_data.isRoot":{"$eq":true}})"),
                  role("self", own, own)});
    EXPECT_EQ(may(view("ann", R"({"isRoot":true})"), of_bob), "rw");
    EXPECT_EQ(may(view("bob", R"({"isRoot":false})"), of_ann), "--");
    EXPECT_EQ(may(view("cid"), of_cid), "rw");
    EXPECT_EQ(may(view("cid"), of_bob), "--");
}

TEST_F(PermissionModels, d1_restricted_feed) {
    set_defaults({role("reader", own, R"({"author":{"$in":"%%user.custom_data.follows"}})")});
    const View ann = view("ann", R"({"follows":["bob"]})");
    EXPECT_EQ(may(ann, of_ann), "rw"); // write implies read
    EXPECT_EQ(may(ann, of_bob), "r-");
    EXPECT_EQ(may(ann, of_cid), "--");
    EXPECT_EQ(may(view("bob"), of_cid), "--"); // no custom data: $in of nothing
    EXPECT_EQ(may(view("cid", R"({"follows":[]})"), of_cid), "rw");
}

TEST_F(PermissionModels, d1_dynamic_collaboration) {
    const std::string both = R"({"$or":[{"editors":"%%user.id"},{"author":"%%user.id"}]})";
    set_defaults({role("editor", both, both)});
    EXPECT_EQ(may(view("ann"), of_bob), "--");
    EXPECT_EQ(may(view("bob"), of_bob), "rw");
    EXPECT_EQ(may(view("cid"), of_bob), "rw");
}

TEST_F(PermissionModels, d1_tiered) {
    const std::string group = R"({"group":"%%user.custom_data.group"})";
    set_defaults({role("leader", group, group, R"({"%%user.custom_data.leads":true})"),
                  role("member", own, group)});
    const View ann = view("ann", R"({"group":"red","leads":true})");
    const View bob = view("bob", R"({"group":"red"})");
    EXPECT_EQ(may(ann, of_bob), "rw");
    EXPECT_EQ(may(ann, of_cid), "--");
    EXPECT_EQ(may(bob, of_bob), "rw");
    EXPECT_EQ(may(bob, of_ann), "r-");
    EXPECT_EQ(may(view("cid", R"({"group":"blue"})"), of_ann), "--");
}

TEST_F(PermissionModels, d2_roles_of_the_collection_keep_the_defaults_out) {
    set_defaults({role("everybody", "true", "true")});
    set_collection({role("nobody", "true", "true", R"({"%%user.id":"zoe"})")});
    EXPECT_EQ(may(view("ann"), of_ann), "--");
    EXPECT_EQ(may(view("zoe"), of_ann), "rw");
}

TEST_F(PermissionModels, d3_the_first_role_that_applies_decides_even_when_it_is_unfit) {
    set_defaults({role("unfit", R"({"text":"x"})", "true"), role("everybody", "true", "true")});
    EXPECT_EQ(may(view("ann"), of_ann), "--");
}

TEST_F(PermissionModels, d4_each_reason_makes_a_role_unfit) {
    const std::string filters = R"("document_filters":{"read":true,"write":true},)";
    for (const std::string& unfit : {
             R"({"name":"r","read":true,"write":true})"s,
             R"({"name":"r","document_filters":{"read":true},"write":true})"s,
             role("r", R"({"text":"not queryable"})", "true"),
             role("r", "true", R"({"%%root.author":"a"})"),
             role("r", "true", R"({"%%prevRoot.author":"a"})"),
             role("r", "true", R"({"%%request.remoteIPAddress":"a"})"),
             role("r", R"({"%%true":{"%function":{"name":"f","arguments":[]}}})", "true"),
             R"({"name":"r",)" + filters + R"("read":{"author":"a"},"write":true})",
             R"({"name":"r",)" + filters + R"("write":{"author":"a"}})",
             R"({"name":"r",)" + filters + R"("insert":{"text":"a"},"write":true})",
             R"({"name":"r",)" + filters + R"("delete":{"text":"a"},"write":true})",
             R"({"name":"r",)" + filters + R"("fields":{"text":{"read":{"author":"a"}}}})",
             R"({"name":"r",)" + filters + R"("fields":{"_id":{"read":true}}})",
             R"({"name":"r",)" + filters + R"("additional_fields":{"write":{"author":"a"}}})",
         }) {
        set_defaults({unfit});
        EXPECT_EQ(may(view("ann"), of_ann), "--") << unfit;
    }
}

TEST_F(PermissionModels, d5_a_matching_write_filter_reads_whatever_the_read_filter_says) {
    set_defaults({role("r", own, "false")});
    EXPECT_EQ(may(view("ann"), of_ann), "rw");
    EXPECT_EQ(may(view("ann"), of_bob), "--");
}

TEST_F(PermissionModels, d15_expansions_and_operators_in_apply_when) {
    const std::string custom = R"({"level":{"$numberInt":"3"},"tags":["a","b"]})";
    const std::string more = R"(,"data":{"email":"ann@example.com"},
        "identities":[{"id":"i","provider_type":"anon-user","providerType":"anon-user"}])";
    for (const char* when : {
             R"({"%%true":true})",
             R"({"%%user.id":"ann"})",
             R"({"%%user.type":"normal"})",
             R"({"%%user.data.email":"ann@example.com"})",
             R"({"%%user.custom_data.level":{"$gte":3,"$lt":4}})",
             R"({"%%user.custom_data.level":{"$ne":4}})",
             R"({"%%user.custom_data.level":{"$in":[1,3]}})",
             R"({"%%user.custom_data.level":{"$nin":[1,2]}})",
             R"({"%%user.custom_data.tags":"a"})",
             R"({"%%user.custom_data.none":{"$exists":false}})",
             R"({"%%user.custom_data.level":{"%exists":true}})",
             R"({"$or":[{"%%user.id":"zoe"},{"%%user.id":"ann"}]})",
             R"({"%or":[{"%%user.id":"zoe"},{"%%user.id":"ann"}]})",
             R"({"%and":[{"%%user.id":"ann"},{"%%true":true}]})",
             R"({"$not":{"%%user.id":"zoe"}})",
             R"({"%%environment.tag":""})",
         }) {
        set_defaults({role("r", "true", "true", when)});
        EXPECT_EQ(may(view("ann", custom, more), of_bob), "rw") << when;
    }
    for (const char* when :
         {R"({"%%false":true})", R"({"%%user.custom_data.none":1})", R"({"%%user.id":"zoe"})",
          R"({"%%request.service":"x"})", R"({"%%root.author":"bob"})", R"({"author":"bob"})"}) {
        set_defaults({role("r", "true", "true", when)});
        EXPECT_EQ(may(view("ann", custom, more), of_bob), "--") << when;
    }
}

} // namespace
} // namespace tombolo::server::sync
