#include "server/bulk/bulk.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "core/ejson.hpp"
#include "server/store/store_fixture.hpp"

namespace tombolo::bulk {
namespace {

using mql::BsonDocumentView;
using store::document;
using store::key_of;
using testing::HasSubstr;

const store::CollectionName cities{"mongodb-atlas", "geo", "cities"};

class Bulk : public store::StoreTest {
  protected:
    static void add(std::string& body, std::int64_t id, std::int64_t value) {
        body += as_text(document(id, "n", value).bytes());
    }

    Result<ImportReport> import(const std::string& body, ImportMode mode) {
        return import_documents(*store_, cities, mode, as_bytes(body));
    }

    std::int64_t value_of(std::int64_t id) {
        const auto found =
            store_->snapshot()->find(*store_->find_collection(cities), key_of(id)).value();
        return found ? found->body.view().find("n").as_int64() : -1;
    }

    // All documents, page by page.
    std::string export_all(const mql::Filter& filter, std::size_t bytes_max,
                           std::size_t scanned_max, std::size_t* pages = nullptr) {
        std::string all;
        std::optional<std::string> after = "";
        for (std::size_t count = 1; after; ++count) {
            ExportPage page =
                export_documents(*store_, cities, filter, *after, bytes_max, scanned_max).value();
            all += page.documents;
            after = std::move(page.next);
            if (pages != nullptr) {
                *pages = count;
            }
        }
        return all;
    }
};

TEST_F(Bulk, documents_go_in_and_come_out_unchanged) {
    std::string body;
    for (std::int64_t id = 0; id < 2500; ++id) {
        add(body, id, id * 2);
    }
    const ImportReport report = import(body, ImportMode::insert).value();
    EXPECT_EQ(report.written, 2500U);
    EXPECT_EQ(report.refused, 0U);
    EXPECT_EQ(export_all({}, export_bytes_max, 100'000), body);
    std::size_t pages = 0;
    EXPECT_EQ(export_all({}, 1000, 100'000, &pages), body);
    EXPECT_GT(pages, 20U);
    EXPECT_EQ(export_all({}, export_bytes_max, 7), body);
}

TEST_F(Bulk, insert_refuses_what_exists_and_takes_the_rest) {
    std::string first;
    add(first, 5, 1);
    ASSERT_TRUE(import(first, ImportMode::insert));
    std::string second;
    for (std::int64_t id = 0; id < 10; ++id) {
        add(second, id, 2);
    }
    add(second, 9, 3); // twice in one request
    const ImportReport report = import(second, ImportMode::insert).value();
    EXPECT_EQ(report.written, 9U);
    ASSERT_EQ(report.refused, 2U);
    EXPECT_EQ(report.problems[0].index, 5U);
    EXPECT_THAT(report.problems[0].message, HasSubstr("exists"));
    EXPECT_EQ(report.problems[1].index, 10U);
    EXPECT_EQ(value_of(5), 1);
    EXPECT_EQ(value_of(9), 2);
}

TEST_F(Bulk, upsert_replaces_and_skip_leaves) {
    std::string first;
    add(first, 1, 1);
    ASSERT_TRUE(import(first, ImportMode::insert));
    std::string second;
    add(second, 1, 2);
    add(second, 2, 2);
    const ImportReport skipped = import(second, ImportMode::skip).value();
    EXPECT_EQ(skipped.written, 1U);
    EXPECT_EQ(skipped.skipped, 1U);
    EXPECT_EQ(value_of(1), 1);
    const ImportReport replaced = import(second, ImportMode::upsert).value();
    EXPECT_EQ(replaced.written, 2U);
    EXPECT_EQ(value_of(1), 2);
}

TEST_F(Bulk, unique_index_refuses_single_documents) {
    const auto collection = store_->ensure_collection(cities).value();
    ASSERT_TRUE(store_->ensure_index(collection, {"n", {{"n"}}, true}));
    std::string body;
    add(body, 1, 7);
    add(body, 2, 7);
    add(body, 3, 8);
    for (const ImportMode mode : {ImportMode::skip, ImportMode::upsert}) {
        const ImportReport report = import(body, mode).value();
        EXPECT_EQ(report.refused, 1U) << static_cast<int>(mode);
        EXPECT_EQ(report.problems.at(0).index, 1U);
    }
    EXPECT_EQ(value_of(3), 8);
}

TEST_F(Bulk, body_that_is_no_sequence_of_documents_writes_nothing) {
    std::string body;
    add(body, 1, 1);
    for (const std::string& rest : {std::string("\x05", 1), std::string("\xff\xff\xff\x7f rubbish"),
                                    std::string("\x05\0\0\0\x01", 5)}) {
        const auto report = import(body + rest, ImportMode::insert);
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code(), ErrorCode::bad_bson);
        EXPECT_THAT(report.error().what(), HasSubstr("document 1"));
    }
    const auto report = import(body + std::string("\x05\0\0\0\0", 5), ImportMode::insert);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::invalid_argument);
    EXPECT_FALSE(store_->find_collection(cities));
}

TEST_F(Bulk, export_takes_a_filter_and_an_absent_collection_is_empty) {
    EXPECT_EQ(export_all({}, 1000, 1000), "");
    std::string body;
    std::string wanted;
    for (std::int64_t id = 0; id < 100; ++id) {
        add(body, id, id % 10);
        if (id % 10 == 3) {
            add(wanted, id, 3);
        }
    }
    ASSERT_TRUE(import(body, ImportMode::insert));
    const BsonBuffer spec = ejson_to_bson(R"({"n": 3})").value();
    const auto filter = mql::Filter::compile(BsonDocumentView::from_trusted(spec)).value();
    EXPECT_EQ(export_all(filter, 1000, 1000), wanted);
    EXPECT_EQ(export_all(filter, 1000, 9), wanted);
}

} // namespace
} // namespace tombolo::bulk
