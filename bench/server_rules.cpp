#include "server_rules.hpp"

#include <time.h>

#include <chrono>
#include <filesystem>

#include <boost/json/parse.hpp>

#include "core/ejson.hpp"
#include "server/documents/documents.hpp"
#include "server/rules/rule_book.hpp"
#include "server/store/embedded/embedded_store.hpp"
#include "server_process.hpp"

namespace tombolo::bench {

namespace {

constexpr int repetitions = 15;
constexpr int finds_each = 10;
constexpr std::size_t documents_expected = 1000;

// An administrator's role that does not apply, the owner's, and a member's that hides a field: two
// documents in three.
constexpr const char* roles = R"([
    {"name": "admin", "apply_when": {"%%user.custom_data.admin": true}, "read": true, "write": true},
    {"name": "owner", "apply_when": {"owner": "%%user.id"},
     "document_filters": {"read": {"archived": {"$ne": true}}, "write": {"owner": "%%user.id"}},
     "read": true, "write": true},
    {"name": "member", "apply_when": {},
     "document_filters": {"read": {"team": {"$in": "%%user.custom_data.teams"}}, "write": false},
     "fields": {"secret": {"read": false}, "name": {"read": true}},
     "additional_fields": {"read": true, "write": false}}
])";

mql::BsonDocument bson(const std::string& json) {
    return mql::BsonDocument::validate(ejson_to_bson(json).value()).value();
}

server::App make_app() {
    server::RuleConfig rule;
    rule.database = "app";
    rule.collection = "items";
    rule.roles = boost::json::parse(roles).as_array();
    server::DataSourceConfig source;
    source.name = "mongodb-atlas";
    source.rules.push_back(std::move(rule));
    server::App app;
    app.client_app_id = "bench-abcde";
    app.config.data_sources.push_back(std::move(source));
    return app;
}

std::shared_ptr<const rules::Facts> make_user() {
    auto facts = std::make_shared<rules::Facts>();
    facts->user_id = "65f000000000000000000001";
    facts->user = bson(R"({"id": "65f000000000000000000001", "type": "normal"})");
    facts->custom_data = [] { return bson(R"({"teams": ["red", "blue"]})"); };
    return facts;
}

void insert_documents(store::Store& store) {
    const auto collection = store.ensure_collection({"mongodb-atlas", "app", "items"}).value();
    store::Transaction transaction;
    for (std::size_t i = 0; i < documents_expected; ++i) {
        const std::string number = std::to_string(i);
        transaction.insert(
            collection,
            bson(R"({"_id": )" + number + R"(, "owner": ")" +
                 (i % 3 == 0 ? "65f000000000000000000001" : "somebody") + R"(", "team": ")" +
                 (i % 2 == 0 ? "red" : "blue") + R"(", "name": "item )" + number +
                 R"(", "secret": 42, "archived": false, "tags": ["a", "b", "c"],)" +
                 R"("place": {"city": "Zurich", "lat": 47.37, "lng": 8.54},)" +
                 R"("text": "some words that a document of this kind would hold"})"));
    }
    store.commit(std::move(transaction)).value();
}

// Of this thread on a processor: a find waits for nothing, and other programs' turns are not its.
double processor_seconds() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

enum class Extent : std::uint8_t {
    operation, ///< what the documents' service does
    answer,    ///< and the text that clients get
};

double microseconds_of_find(const documents::Documents& documents, const server::App& app,
                            const documents::Caller& caller, mql::BsonDocumentView arguments,
                            Extent extent) {
    const double from = processor_seconds();
    for (int i = 0; i < finds_each; ++i) {
        const auto found = documents.call({app, caller, "mongodb-atlas", "find", arguments});
        const mql::BsonDocumentView list = found.value().view().as_document();
        bool whole = list.count() == documents_expected;
        if (extent == Extent::answer) {
            whole =
                !bson_array_to_ejson(list.bytes(), EjsonForm::canonical).value().empty() && whole;
        }
        if (!whole) {
            give_up("rule_cost: a find returned another number of documents");
        }
    }
    return (processor_seconds() - from) * 1e6 / finds_each;
}

std::vector<double> measure() {
    store::EmbeddedOptions options;
    options.directory = scratch_folder() + "/rules";
    const auto store = store::open_embedded(options).value();
    insert_documents(*store);
    const auto log = server::Log::none();
    rules::RuleBook book(*log);
    const documents::Documents documents(*store, book, *log, [] { return std::int64_t{0}; });
    const server::App app = make_app();
    const documents::Caller user{make_user(), {}};
    const mql::BsonDocument arguments =
        bson(R"({"database": "app", "collection": "items", "query": {}})");
    std::vector<double> medians;
    for (const Extent extent : {Extent::answer, Extent::operation}) {
        std::vector<double> ruled;
        std::vector<double> system;
        for (int i = 0; i < repetitions; ++i) {
            system.push_back(microseconds_of_find(documents, app, documents::system_caller(),
                                                  arguments, extent));
            ruled.push_back(microseconds_of_find(documents, app, user, arguments, extent));
        }
        medians.push_back(median(ruled));
        medians.push_back(median(system));
    }
    return medians;
}

} // namespace

void bench_rules() {
    const std::vector<double> times = in_child(measure);
    print("rule_cost", times[0], "us", "system user", times[1], times[0] / times[1]);
    print("rule_cost_operation", times[2], "us", "system user", times[3], times[2] / times[3]);
}

} // namespace tombolo::bench
