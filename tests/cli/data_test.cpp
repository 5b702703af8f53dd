// Documents out of files and into them, and what import does to them on the way.

#include <zlib.h>

#include <filesystem>

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "cli/data/document_reader.hpp"
#include "cli/data/document_writer.hpp"
#include "cli/data/shape.hpp"
#include "core/ejson.hpp"
#include "support/temporary_folder.hpp"

namespace tombolo::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<std::vector<std::string>> read_all(DocumentReader& reader) {
    std::vector<std::string> documents;
    BsonBuffer document;
    for (;;) {
        TOMBOLO_TRY(const bool more, reader.next(document));
        if (!more) {
            return documents;
        }
        documents.push_back(bson_to_ejson(document, EjsonForm::relaxed).value());
    }
}

Result<std::vector<std::string>> read_text(DataFormat format, std::string_view text,
                                           std::size_t piece = 7,
                                           const ReaderOptions& options = {}) {
    const auto source = memory_source(text, piece);
    return read_all(*make_reader(format, *source, options));
}

TEST(JsonDocuments, arrays_lines_and_neighbours_are_read) {
    for (const char* text :
         {R"([{"a":1},{"b":"x]}\""}])", "{\"a\":1}\n{\"b\":\"x]}\\\"\"}\n",
          R"({"a":1}{"b":"x]}\""})", " [ {\"a\" : 1} ,\n{\"b\":\"x]}\\\"\"} ] "}) {
        for (const std::size_t piece : {1U, 5U, 1000U}) {
            EXPECT_THAT(read_text(DataFormat::json, text, piece).value(),
                        ElementsAre(R"({"a":1})", R"({"b":"x]}\""})"))
                << text;
        }
    }
    EXPECT_THAT(read_text(DataFormat::json, "").value(), ElementsAre());
    EXPECT_THAT(read_text(DataFormat::json, "[]").value(), ElementsAre());
}

TEST(JsonDocuments, errors_name_document_and_line) {
    const auto wrong = read_text(DataFormat::json, "{\"a\":1}\n\n{\"a\":}\n");
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().what(), HasSubstr("document 2, which begins on line 3"));
    for (const char* text : {"[{},]", "[{} {}]", "[{}", "{\"a\":1", "5", "[[]]", "[{}] x", "{},{}",
                             "[1]", "nonsense", "[{},{}", "{\"a\":\"x}"}) {
        EXPECT_FALSE(read_text(DataFormat::json, text)) << text;
    }
}

TEST(CsvDocuments, header_types_quotes_and_line_numbers) {
    EXPECT_THAT(
        read_text(DataFormat::csv, "\xef\xbb\xbfname,age:int\r\n\"A\nB\",1\r\n\r\nC,2").value(),
        ElementsAre(R"({"name":"A\nB","age":1})", R"({"name":"C","age":2})"));
    const auto wrong = read_text(DataFormat::csv, "name,age:int\n\"A\nB\",1\nC,x\n");
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().what(), HasSubstr("document 2, which begins on line 4"));
    ReaderOptions options;
    options.delimiter = '\t';
    options.header = {"a", "b:int"};
    EXPECT_THAT(read_text(DataFormat::csv, "x\t1\n", 3, options).value(),
                ElementsAre(R"({"a":"x","b":1})"));
    EXPECT_THAT(read_text(DataFormat::csv, "").value(), ElementsAre());
}

TEST(BsonDocuments, dumps_are_read_and_damage_is_found) {
    std::string dump;
    for (const char* text : {R"({"a":1})", R"({"b":{"$oid":"65f000000000000000000001"}})"}) {
        dump += as_text(ejson_to_bson(text).value());
    }
    EXPECT_EQ(read_text(DataFormat::bson, dump).value().size(), 2U);
    const auto cut = read_text(DataFormat::bson, dump.substr(0, dump.size() - 1));
    ASSERT_FALSE(cut);
    EXPECT_THAT(cut.error().what(), HasSubstr("ends inside a document"));
    EXPECT_FALSE(read_text(DataFormat::bson, "this is text"));
    dump[4] = '\x55';
    EXPECT_FALSE(read_text(DataFormat::bson, dump));
}

TEST(Formats, are_told_by_the_name) {
    EXPECT_EQ(format_of("a/b.d/cities.json").value(), DataFormat::json);
    EXPECT_EQ(format_of("x.JSONL").has_value(), false);
    EXPECT_EQ(format_of("orders.bson.gz").value(), DataFormat::bson);
    EXPECT_EQ(format_of("t.csv").value(), DataFormat::csv);
    EXPECT_FALSE(format_of("-"));
    EXPECT_FALSE(format_of("readme"));
}

TEST(Files, gzip_is_recognised_and_a_cut_one_is_an_error) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.json.gz");
    const auto sink = create_file(path).value();
    std::string text;
    for (int i = 0; i < 5000; ++i) {
        text += "{\"n\":" + std::to_string(i) + "}\n";
    }
    ASSERT_TRUE(sink->write(text));
    EXPECT_FALSE(std::filesystem::exists(path));
    ASSERT_TRUE(sink->finish());
    EXPECT_LT(std::filesystem::file_size(path), text.size() / 2);
    const auto source = open_file(path).value();
    EXPECT_EQ(read_all(*make_reader(DataFormat::json, *source)).value().size(), 5000U);
    EXPECT_EQ(source->position(), source->size());
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    const auto cut = open_file(path).value();
    EXPECT_FALSE(read_all(*make_reader(DataFormat::json, *cut)));
    EXPECT_EQ(open_file(folder.file("none")).error().code(), ErrorCode::not_found);
    EXPECT_FALSE(open_file(folder.path().string()));
}

TEST(Files, abandoned_output_leaves_nothing) {
    const TemporaryFolder folder;
    {
        const auto sink = create_file(folder.file("a.json")).value();
        ASSERT_TRUE(sink->write("x"));
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    EXPECT_FALSE(create_file(folder.file("no/such/folder")));
}

std::string written(WriterOptions options, const std::vector<std::string>& documents) {
    std::string text;
    const auto sink = memory_sink(text);
    DocumentWriter writer(std::move(options), *sink);
    for (const std::string& document : documents) {
        const BsonBuffer bson = ejson_to_bson(document).value();
        writer.write(mql::BsonDocumentView::from_trusted(bson)).value();
    }
    writer.finish().value();
    return text;
}

TEST(Writer, every_format) {
    const std::vector<std::string> documents = {
        R"({"_id":1,"a":{"b":"x,y"}})", R"({"_id":2,"d":{"$date":"2024-05-31T00:00:00Z"}})"};
    EXPECT_EQ(written({}, documents), "{\"_id\":1,\"a\":{\"b\":\"x,y\"}}\n"
                                      "{\"_id\":2,\"d\":{\"$date\":\"2024-05-31T00:00:00Z\"}}\n");
    WriterOptions array;
    array.format = OutputFormat::json_array;
    array.form = EjsonForm::canonical;
    EXPECT_EQ(written(array, {R"({"_id":1})"}), "[\n{\"_id\":{\"$numberInt\":\"1\"}}\n]\n");
    EXPECT_EQ(written(array, {}), "[]\n");
    WriterOptions csv;
    csv.format = OutputFormat::csv;
    csv.fields = {"_id", "a.b", "d", "a"};
    EXPECT_EQ(written(csv, documents), "_id,a.b,d,a\n"
                                       "1,\"x,y\",,\"{\"\"b\"\":\"\"x,y\"\"}\"\n"
                                       "2,,2024-05-31T00:00:00Z,\n");
    WriterOptions bson;
    bson.format = OutputFormat::bson;
    EXPECT_EQ(read_text(DataFormat::bson, written(bson, documents)).value().size(), 2U);
}

Result<std::string> shape(ShapeOptions options, const std::string& document) {
    SeededRandom random(1);
    Shaper shaper(std::move(options), random);
    BsonBuffer bson = ejson_to_bson(document).value();
    TOMBOLO_TRY_VOID(shaper.apply(bson, 1));
    return bson_to_ejson(bson, EjsonForm::relaxed);
}

TEST(Shape, documents_without_an_id_get_one_in_front) {
    EXPECT_EQ(shape({}, R"({"a":1,"_id":5})").value(), R"({"a":1,"_id":5})");
    EXPECT_THAT(shape({}, R"({"a":1})").value(), HasSubstr(R"({"_id":{"$oid":"00000001)"));
}

TEST(Shape, content_ids_are_the_same_in_every_run) {
    ShapeOptions options;
    options.id = IdSource::content;
    const std::string first = shape(options, R"({"a":1})").value();
    EXPECT_EQ(shape(options, R"({"a":1})").value(), first);
    EXPECT_NE(shape(options, R"({"a":2})").value(), first);
    EXPECT_EQ(shape(options, R"({"a":1,"_id":7})").value(), R"({"a":1,"_id":7})");
    ShapeOptions with_point = options;
    with_point.points = {{"loc", "x", "y"}};
    const std::string plain = shape(options, R"({"x":1,"y":2})").value();
    const std::string pointed = shape(with_point, R"({"x":1,"y":2})").value();
    EXPECT_EQ(plain.substr(0, 40), pointed.substr(0, 40));
}

TEST(Shape, a_field_becomes_the_id) {
    ShapeOptions options;
    options.id = IdSource::field;
    options.id_field = "code";
    EXPECT_EQ(shape(options, R"({"_id":1,"code":"x"})").value(), R"({"_id":"x","code":"x"})");
    EXPECT_FALSE(shape(options, R"({"a":1})"));
}

TEST(Shape, points_are_made_of_two_fields) {
    ShapeOptions options;
    options.points = {parse_point_rule("loc=lng,lat").value()};
    EXPECT_EQ(shape(options, R"({"_id":1,"lat":"47.5","name":"B","lng":-7})").value(),
              R"({"_id":1,"name":"B","loc":{"type":"Point","coordinates":[-7.0,47.5]}})");
    for (const char* document :
         {R"({"_id":1,"lat":"47.5"})", R"({"_id":1,"lat":91,"lng":0})",
          R"({"_id":1,"lat":"x","lng":0})", R"({"_id":1,"lat":null,"lng":0})"}) {
        EXPECT_FALSE(shape(options, document)) << document;
    }
    for (const char* rule : {"loc", "loc=a", "=a,b", "loc=a,"}) {
        EXPECT_FALSE(parse_point_rule(rule)) << rule;
    }
}

RC_GTEST_PROP(JsonDocuments, pieces_do_not_matter, ()) {
    const auto text =
        *rc::gen::container<std::string>(rc::gen::elementOf(std::string("{}[],:\"\\ \na1")));
    const auto whole = read_text(DataFormat::json, text, 1000);
    for (const std::size_t piece : {1U, 3U}) {
        const auto parts = read_text(DataFormat::json, text, piece);
        RC_ASSERT(whole.has_value() == parts.has_value());
        if (whole) {
            RC_ASSERT(*whole == *parts);
        } else {
            RC_ASSERT(std::string(whole.error().what()) == parts.error().what());
        }
    }
}

} // namespace
} // namespace tombolo::cli
