#include "server/documents/watch.hpp"

#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "core/bytes.hpp"
#include "server/documents/change_event.hpp"
#include "server/documents/support.hpp"

namespace tombolo::documents {
namespace {

// Reads a stream as a connection would.
class StreamReader {
  public:
    explicit StreamReader(std::shared_ptr<http::BodyStream> stream) : stream_(std::move(stream)) {}
    ~StreamReader() { stream_->close(); }
    StreamReader(const StreamReader&) = delete;
    StreamReader& operator=(const StreamReader&) = delete;

    /// The next event's text, without comments; empty at the end.
    std::string next() {
        for (;;) {
            const std::size_t end = text_.find("\n\n");
            if (end != std::string::npos) {
                const std::string event = text_.substr(0, end);
                text_.erase(0, end + 2);
                if (!event.starts_with(':')) {
                    return event;
                }
                continue;
            }
            if (ended_) {
                return {};
            }
            auto woken = std::make_shared<std::promise<void>>();
            stream_->wait([woken] { woken->set_value(); });
            woken->get_future().wait();
            const http::BodyStream::Taken taken = stream_->take();
            text_ += taken.bytes;
            ended_ = taken.end;
        }
    }
    mql::BsonDocument next_document() {
        const std::string event = next();
        EXPECT_TRUE(event.starts_with("data: ")) << event;
        return mql::BsonDocument::validate(ejson_to_bson(event.substr(6)).value()).value();
    }
    /// "insert 1": operation and _id.
    std::string next_short() {
        const mql::BsonDocument event = next_document();
        mql::BsonWriter writer;
        writer.append({}, event.view().find("documentKey").as_document().find("_id"));
        return std::string(event.view().find("operationType").as_string()) + " " +
               wrapped_bson_to_ejson(std::move(writer).finish().bytes(), EjsonForm::relaxed)
                   .value();
    }

  private:
    std::shared_ptr<http::BodyStream> stream_;
    std::string text_;
    bool ended_ = false;
};

class DocumentWatch : public testing::Test {
  protected:
    explicit DocumentWatch(std::string_view rules = open_rules) : actions_(app_with(rules)) {}

    std::shared_ptr<http::BodyStream> open(const server::SignedInUser& user,
                                           const std::string& more = {}) {
        const std::string call =
            json("{'name':'watch','service':'mongodb-atlas','arguments':[{'database':'app',"
                 "'collection':'items'" +
                 more + "}]}");
        const std::string request = to_base64url(as_bytes(call));
        const auto response =
            actions_.service().respond(http::Method::get, "functions/call?baas_at=" + user.access +
                                                              "&baas_request=" + request);
        EXPECT_EQ(response.status, 200) << response.body;
        EXPECT_EQ(response.headers.find("Content-Type"), "text/event-stream");
        return response.stream;
    }
    std::string run(std::string_view action, std::string_view arguments) {
        return actions_.as_system(action, arguments);
    }

    Actions actions_;
};

TEST_F(DocumentWatch, tells_of_inserts_updates_and_deletes) {
    const auto user = actions_.service().anonymous();
    StreamReader reader(open(user));
    run("insertOne", "{'document':{'_id':1,'a':1,'gone':true,'list':[1,2]}}");
    run("updateOne",
        "{'query':{},'update':{'$set':{'a':2,'list.1':5,'s':'100%\\n'},'$unset':{'gone':1}}}");
    run("updateOne", "{'query':{},'update':{'$set':{'a':2}}}");
    run("deleteOne", "{'query':{}}");
    const mql::BsonDocument insert = reader.next_document();
    EXPECT_EQ(insert.view().find("operationType").as_string(), "insert");
    EXPECT_EQ(rules::text_of(insert.view().find("ns").as_document()),
              R"({"db":"app","coll":"items"})");
    EXPECT_EQ(rules::text_of(insert.view().find("fullDocument").as_document()),
              R"({"_id":1,"a":1,"gone":true,"list":[1,2]})");
    const std::string update = reader.next();
    EXPECT_NE(update.find(R"("100%25\n")"), std::string::npos) << update;
    EXPECT_NE(
        update.find(R"("updateDescription":{"updatedFields":{"a":{"$numberInt":"2"},)"
                    R"("list.1":{"$numberInt":"5"},"s":"100%25\n"},"removedFields":["gone"]})"),
        std::string::npos)
        << update;
    EXPECT_EQ(reader.next_short(), "delete 1") << "a change of nothing is no event";
}

TEST_F(DocumentWatch, filters_by_ids_and_by_match) {
    const auto user = actions_.service().anonymous();
    StreamReader ids(open(user, ",'ids':[1,'two']"));
    StreamReader match(open(user, ",'filter':{'$or':[{'fullDocument.a':7},"
                                  "{'operationType':'delete'}]}"));
    run("insertMany", "{'documents':[{'_id':1},{'_id':2,'a':7},{'_id':'two'}]}");
    run("deleteMany", "{'query':{}}");
    EXPECT_EQ(ids.next_short(), "insert 1");
    EXPECT_EQ(ids.next_short(), "insert \"two\"");
    EXPECT_EQ(ids.next_short(), "delete 1");
    EXPECT_EQ(match.next_short(), "insert 2");
    EXPECT_EQ(match.next_short(), "delete 1");
}

TEST_F(DocumentWatch, goes_on_after_an_event) {
    const auto user = actions_.service().anonymous();
    std::string token;
    {
        StreamReader reader(open(user));
        run("insertMany", "{'documents':[{'_id':1},{'_id':2},{'_id':3}]}");
        token = rules::text_of(reader.next_document().view().find("_id").as_document());
    }
    run("insertOne", "{'document':{'_id':4}}");
    StreamReader again(open(user, ",'resumeAfter':" + token));
    EXPECT_EQ(again.next_short(), "insert 2") << "the rest of that transaction";
    EXPECT_EQ(again.next_short(), "insert 3");
    EXPECT_EQ(again.next_short(), "insert 4");
    StreamReader beside(open(user, ",'resumeAfter':" + token));
    EXPECT_EQ(beside.next_short(), "insert 2") << "while another watch is ahead";
}

class WatchedFields : public DocumentWatch {
  protected:
    WatchedFields()
        : DocumentWatch("{'roles':[{'name':'r','document_filters':{'read':{'team':"
                        "'%%user.data.email'},'write':false},'fields':{'secret':{'read':false}},"
                        "'additional_fields':{'read':true}}]}") {}
};

TEST_F(WatchedFields, show_no_more_than_rules_let_see) {
    const auto user = actions_.service().user("ann@example.com");
    StreamReader reader(open(user));
    run("insertMany", "{'documents':[{'_id':1,'team':'ann@example.com','secret':1},"
                      "{'_id':2,'team':'other'}]}");
    run("updateMany", "{'query':{},'update':{'$inc':{'secret':1}}}");
    run("deleteMany", "{'query':{}}");
    const mql::BsonDocument insert = reader.next_document();
    EXPECT_EQ(rules::text_of(insert.view().find("fullDocument").as_document()),
              R"({"_id":1,"team":"ann@example.com"})");
    EXPECT_EQ(reader.next_short(), "delete 1");
}

TEST_F(DocumentWatch, refuses_before_the_stream_begins) {
    const auto user = actions_.service().anonymous();
    const auto status = [&](const std::string& call, const std::string& token) {
        const auto response = actions_.service().respond(
            http::Method::get,
            "functions/call?baas_at=" + token + "&baas_request=" + to_base64url(as_bytes(call)));
        return std::to_string(response.status) + " " + response.body.substr(0, 60);
    };
    EXPECT_TRUE(status("{}", "nothing").starts_with("401"));
    EXPECT_TRUE(status("{}", user.access).starts_with("400"));
    EXPECT_TRUE(status(R"({"name":"find","service":"mongodb-atlas","arguments":[{}]})", user.access)
                    .starts_with("400"));
    EXPECT_TRUE(status(R"({"name":"watch","service":"nope","arguments":[{}]})", user.access)
                    .starts_with("404"));
    EXPECT_TRUE(status(R"({"name":"watch","service":"mongodb-atlas","arguments":[{)"
                       R"("database":"app","collection":"others"}]})",
                       user.access)
                    .starts_with("403"));
}

TEST_F(DocumentWatch, ends_with_an_error_when_its_reader_is_slow_or_gone) {
    const auto app = actions_.service().app();
    rules::RuleBook book(actions_.service().context().log);
    WatchOptions options;
    options.queue_bytes_max = 1000;
    options.heartbeat_ms = 20;
    Watches watches(
        actions_.service().context().store, book, actions_.service().context().log,
        [&](const ObjectId&) { return app; }, options);
    WatchRequest request;
    request.app = app;
    request.caller = system_caller();
    request.data_source = "mongodb-atlas";
    request.arguments = rules::bson("{'database':'app','collection':'items'}");
    const auto slow = watches.open(request).value();
    request.still_allowed = [] { return false; };
    StreamReader refused(watches.open(request).value());
    EXPECT_EQ(refused.next(), "event: error\ndata: {\"error_code\":\"InvalidSession\",\"error\":"
                              "\"the user may not watch any longer\"}");
    EXPECT_EQ(refused.next(), "");
    run("insertMany",
        "{'documents':[{'_id':1},{'_id':2},{'_id':3},{'_id':4},{'_id':5},{'_id':6}]}");
    // Nobody reads until both are dropped.
    while (watches.count() > 0) {
        std::this_thread::yield();
    }
    StreamReader reader(slow);
    std::string last;
    for (std::string event = reader.next(); !event.empty(); event = reader.next()) {
        last = event;
    }
    EXPECT_TRUE(last.starts_with("event: error\ndata: {\"error_code\":\"WatchTooSlow\"")) << last;
}

TEST(ChangeEvents, escape_what_would_break_a_line) {
    EXPECT_EQ(error_event_text("Code", "50%\r\n"),
              "event: error\ndata: {\"error_code\":\"Code\",\"error\":\"50%25\\r\\n\"}\n\n");
    EXPECT_FALSE(FeedPosition::parse(rules::bson("{'_data':'zz'}")).has_value());
    const FeedPosition position{store::Version{300}, 7};
    const auto again = FeedPosition::parse(position.token()).value();
    EXPECT_EQ(again.version, position.version);
    EXPECT_EQ(again.entry, 7U);
}

} // namespace
} // namespace tombolo::documents
