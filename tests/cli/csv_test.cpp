#include "cli/data/csv.hpp"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "core/ejson.hpp"

namespace tombolo::cli {
namespace {

using testing::HasSubstr;

Result<std::string> convert(const std::vector<std::string>& header, const std::string& record) {
    TOMBOLO_TRY(const CsvHeader columns, parse_csv_header(header));
    TOMBOLO_TRY(const std::vector<CsvCell> cells, parse_csv_record(record, ','));
    TOMBOLO_TRY(const BsonBuffer bson, csv_to_bson(columns, cells));
    return bson_to_ejson(bson, EjsonForm::canonical);
}

TEST(Csv, columns_without_a_type_are_strings) {
    EXPECT_EQ(convert({"zip", "name"}, "01234,\"A, \"\"B\"\"\"\r\n").value(),
              R"({"zip":"01234","name":"A, \"B\""})");
}

TEST(Csv, every_type_is_read) {
    EXPECT_EQ(convert({"a:int", "b:long", "c:double", "d:decimal", "e:bool", "f:date"},
                      "1,2,1.5,0.10,true,2024-05-31")
                  .value(),
              R"({"a":{"$numberInt":"1"},"b":{"$numberLong":"2"},"c":{"$numberDouble":"1.5"},)"
              R"("d":{"$numberDecimal":"0.10"},"e":true,)"
              R"("f":{"$date":{"$numberLong":"1717113600000"}}})");
    EXPECT_EQ(convert({"_id:objectId", "u:uuid", "j:json"},
                      "65f000000000000000000001,00000000-0000-4000-8000-000000000001,\"{\"\"x\"\": "
                      "[1]}\"")
                  .value(),
              R"({"_id":{"$oid":"65f000000000000000000001"},)"
              R"("u":{"$binary":{"base64":"AAAAAAAAQACAAAAAAAAAAQ==","subType":"04"}},)"
              R"("j":{"x":[{"$numberInt":"1"}]}})");
}

TEST(Csv, automatic_types_leave_leading_zeros_alone) {
    EXPECT_EQ(convert({"a:auto", "b:auto", "c:auto", "d:auto", "e:auto", "f:auto"},
                      "7,007,-0.5,true,inf,\"8\"")
                  .value(),
              R"({"a":{"$numberInt":"7"},"b":"007","c":{"$numberDouble":"-0.5"},"d":true,)"
              R"("e":"inf","f":"8"})");
}

TEST(Csv, mongoimport_headers_are_understood) {
    EXPECT_EQ(
        convert({"name.string()", "age.int32()", "address.city.string()"}, "Ann,30,Bern").value(),
        R"({"name":"Ann","age":{"$numberInt":"30"},"address":{"city":"Bern"}})");
}

TEST(Csv, dotted_names_make_nested_documents_wherever_they_stand) {
    EXPECT_EQ(convert({"a.x", "b", "a.y", "c.d.e", "a.z.q"}, "1,2,3,4,5").value(),
              R"({"a":{"x":"1","y":"3","z":{"q":"5"}},"b":"2","c":{"d":{"e":"4"}}})");
}

TEST(Csv, empty_cells_are_left_out_and_quoted_ones_are_empty_strings) {
    EXPECT_EQ(convert({"a", "b", "c.d", "e"}, ",\"\",,x").value(), R"({"b":"","e":"x"})");
    EXPECT_EQ(convert({"a", "b"}, "x").value(), R"({"a":"x"})");
}

TEST(Csv, wrong_cells_name_the_column) {
    const auto wrong = convert({"age:int"}, "old");
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().what(), HasSubstr("'old' is not a whole number"));
    EXPECT_THAT(wrong.error().what(), HasSubstr("age:int"));
    for (const auto& [type, cell] :
         {std::pair{"int", "3000000000"}, std::pair{"bool", "yes"}, std::pair{"date", "soon"},
          std::pair{"objectId", "1"}, std::pair{"uuid", "x"}, std::pair{"decimal", "x"},
          std::pair{"json", "{"}, std::pair{"double", "1,5"}}) {
        EXPECT_FALSE(convert({std::string("a:") + type}, cell)) << type;
    }
    EXPECT_FALSE(convert({"a"}, "1,2"));
}

TEST(Csv, wrong_headers_are_refused) {
    for (const std::vector<std::string>& header : std::vector<std::vector<std::string>>{
             {""}, {"a..b"}, {"a", "a"}, {"a", "b", "a.b"}, {"a:float128"}, {"a.b.c", "a.b"}}) {
        EXPECT_FALSE(parse_csv_header(header));
    }
}

TEST(Csv, records_end_at_line_ends_outside_quotes) {
    EXPECT_EQ(csv_record_size("a,\"b\nc\"\nd", false), 8U);
    EXPECT_FALSE(csv_record_size("a,\"b\n", false));
    EXPECT_EQ(csv_record_size("a,b", true), 3U);
    EXPECT_FALSE(csv_record_size("", true));
    EXPECT_FALSE(parse_csv_record("\"a\"b", ','));
    EXPECT_FALSE(parse_csv_record("\"a", ','));
}

RC_GTEST_PROP(Csv, cells_are_read_back_as_they_were_written,
              (const std::vector<std::string>& texts)) {
    RC_PRE(!texts.empty());
    std::string record;
    for (const std::string& text : texts) {
        record += (record.empty() ? "" : ";") + csv_cell(text, ';');
    }
    record += "\n";
    RC_ASSERT(csv_record_size(record, false) == record.size());
    const auto cells = parse_csv_record(record, ';').value();
    RC_ASSERT(cells.size() == texts.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
        RC_ASSERT(cells[i].text == texts[i]);
    }
}

} // namespace
} // namespace tombolo::cli
