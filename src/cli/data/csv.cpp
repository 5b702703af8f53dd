#include "cli/data/csv.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "core/decimal128.hpp"
#include "core/ejson.hpp"
#include "core/limits.hpp"
#include "core/object_id.hpp"
#include "core/timestamp.hpp"
#include "core/uuid.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::cli {

namespace {

using mql::BsonValue;
using mql::BsonWriter;

struct TypeName {
    const char* name;
    CsvType type;
};
constexpr TypeName type_names[] = {
    {"string", CsvType::string},   {"int", CsvType::int32},          {"int32", CsvType::int32},
    {"long", CsvType::int64},      {"int64", CsvType::int64},        {"double", CsvType::float64},
    {"decimal", CsvType::decimal}, {"bool", CsvType::boolean},       {"boolean", CsvType::boolean},
    {"date", CsvType::date},       {"objectId", CsvType::object_id}, {"uuid", CsvType::uuid},
    {"json", CsvType::json},       {"auto", CsvType::automatic},
};

Error wrong_cell(const CsvColumn& column, const std::string& text, const char* form) {
    return Error(ErrorCode::bad_number, fmt::format("'{}' is not {}", text.substr(0, 100), form),
                 column.name);
}

template <class T>
bool read_number(const std::string& text, T& out) {
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, out);
    return read.ec == std::errc() && read.ptr == end && !text.empty();
}

bool read_bool(const std::string& text, bool& out) {
    out = text == "true" || text == "1";
    return out || text == "false" || text == "0";
}

// Milliseconds since 1970, or ISO 8601; a date alone is its midnight.
bool read_date(const std::string& text, std::int64_t& ms) {
    if (read_number(text, ms)) {
        return true;
    }
    const bool date_only = text.size() == 10;
    const auto read = Timestamp::parse_iso_8601(date_only ? text + "T00:00:00Z" : text);
    if (!read) {
        return false;
    }
    ms = read->to_unix_ms();
    return true;
}

void append_automatic(BsonWriter& writer, const std::string& key, const CsvCell& cell) {
    std::int32_t narrow = 0;
    std::int64_t wide = 0;
    double number = 0;
    const std::string& text = cell.text;
    // "007" and "+49" are names, not numbers.
    const bool plain = !cell.quoted && !text.starts_with('+') &&
                       !(text.size() > 1 && text[0] == '0' && text[1] != '.');
    if (plain && read_number(text, narrow)) {
        writer.append_int32(key, narrow);
    } else if (plain && read_number(text, wide)) {
        writer.append_int64(key, wide);
    } else if (plain && text.find_first_not_of("0123456789.-eE+") == std::string::npos &&
               read_number(text, number)) {
        writer.append_double(key, number);
    } else if (text == "true" || text == "false") {
        writer.append_bool(key, text == "true");
    } else {
        writer.append_string(key, text);
    }
}

Result<void> append_json(BsonWriter& writer, const std::string& key, const CsvColumn& column,
                         const std::string& text) {
    const Result<BsonBuffer> wrapped = ejson_to_wrapped_bson(text);
    if (!wrapped) {
        return wrapped.error().within(column.name);
    }
    writer.append(key, (*mql::BsonDocumentView::from_trusted(*wrapped).begin()).value);
    return {};
}

Result<void> append_number(BsonWriter& writer, const std::string& key, const CsvColumn& column,
                           const std::string& text) {
    std::int32_t narrow = 0;
    std::int64_t wide = 0;
    double number = 0;
    if (column.type == CsvType::int32) {
        if (!read_number(text, narrow)) {
            return wrong_cell(column, text, "a whole number of 32 bits");
        }
        writer.append_int32(key, narrow);
    } else if (column.type == CsvType::int64) {
        if (!read_number(text, wide)) {
            return wrong_cell(column, text, "a whole number of 64 bits");
        }
        writer.append_int64(key, wide);
    } else {
        if (!read_number(text, number)) {
            return wrong_cell(column, text, "a number");
        }
        writer.append_double(key, number);
    }
    return {};
}

Result<void> append_cell(BsonWriter& writer, const CsvColumn& column, const CsvCell& cell) {
    const std::string& key = column.path.back();
    const std::string& text = cell.text;
    bool flag = false;
    std::int64_t ms = 0;
    switch (column.type) {
    case CsvType::string:
        writer.append_string(key, text);
        return {};
    case CsvType::int32:
    case CsvType::int64:
    case CsvType::float64:
        return append_number(writer, key, column, text);
    case CsvType::decimal: {
        const auto value = Decimal128::parse(text);
        if (!value) {
            return wrong_cell(column, text, "a decimal number");
        }
        writer.append(key, BsonValue::from_decimal(*value));
        return {};
    }
    case CsvType::boolean:
        if (!read_bool(text, flag)) {
            return wrong_cell(column, text, "true or false");
        }
        writer.append_bool(key, flag);
        return {};
    case CsvType::date:
        if (!read_date(text, ms)) {
            return wrong_cell(column, text, "a date like 2024-05-31 or 2024-05-31T12:00:00Z");
        }
        writer.append_date_ms(key, ms);
        return {};
    case CsvType::object_id: {
        const auto value = ObjectId::parse(text);
        if (!value) {
            return wrong_cell(column, text, "an ObjectId (24 hex digits)");
        }
        writer.append(key, BsonValue::from_object_id(*value));
        return {};
    }
    case CsvType::uuid: {
        const auto value = Uuid::parse(text);
        if (!value) {
            return wrong_cell(column, text, "a UUID");
        }
        writer.append(key, BsonValue::from_binary(4, value->bytes));
        return {};
    }
    case CsvType::json:
        return append_json(writer, key, column, text);
    case CsvType::automatic:
        append_automatic(writer, key, cell);
        return {};
    }
    return {};
}

std::string_view without_line_end(std::string_view record) {
    if (record.ends_with('\n')) {
        record.remove_suffix(1);
    }
    if (record.ends_with('\r')) {
        record.remove_suffix(1);
    }
    return record;
}

Result<CsvColumn> parse_column(const std::string& cell) {
    CsvColumn column;
    column.name = cell;
    std::string name = cell;
    std::string type;
    if (name.ends_with("()") && name.rfind('.') != std::string::npos) {
        const std::size_t dot = name.rfind('.');
        type = name.substr(dot + 1, name.size() - dot - 3);
        name.resize(dot);
    } else if (const std::size_t colon = name.rfind(':'); colon != std::string::npos) {
        type = name.substr(colon + 1);
        name.resize(colon);
    }
    if (!type.empty()) {
        const auto* const found =
            std::find_if(std::begin(type_names), std::end(type_names),
                         [&](const TypeName& each) { return type == each.name; });
        if (found == std::end(type_names)) {
            return Error(ErrorCode::invalid_argument,
                         "there is no column type '" + type +
                             "'; there are string, int, long, double, decimal, bool, date, "
                             "objectId, uuid, json and auto",
                         cell);
        }
        column.type = found->type;
    }
    std::size_t at = 0;
    for (std::size_t dot = 0; dot != std::string::npos; at = dot + 1) {
        dot = name.find('.', at);
        column.path.push_back(name.substr(at, dot == std::string::npos ? dot : dot - at));
        if (column.path.back().empty() || column.path.back().find('\0') != std::string::npos) {
            return Error(ErrorCode::invalid_argument, "a column has no name, or an empty part",
                         "'" + cell + "'");
        }
    }
    if (column.path.size() > limits::document_depth_max) {
        return Error(ErrorCode::limit_exceeded, "a column's name has too many parts", cell);
    }
    return column;
}

bool is_inside(const std::vector<std::string>& outer, const std::vector<std::string>& inner) {
    return outer.size() <= inner.size() && std::equal(outer.begin(), outer.end(), inner.begin());
}

} // namespace

std::optional<std::size_t> csv_record_size(std::string_view text, bool last) {
    bool in_quotes = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '"') {
            in_quotes = !in_quotes; // a doubled quote closes and opens again
        } else if (text[at] == '\n' && !in_quotes) {
            return at + 1;
        }
    }
    return last && !text.empty() ? std::optional<std::size_t>(text.size()) : std::nullopt;
}

Result<std::vector<CsvCell>> parse_csv_record(std::string_view record, char delimiter) {
    const std::string_view text = without_line_end(record);
    std::vector<CsvCell> cells;
    std::size_t at = 0;
    for (;;) {
        CsvCell cell;
        if (at < text.size() && text[at] == '"') {
            cell.quoted = true;
            for (++at;; ++at) {
                if (at >= text.size()) {
                    return Error(ErrorCode::invalid_argument, "a quoted cell does not end");
                }
                if (text[at] == '"') {
                    if (at + 1 >= text.size() || text[at + 1] != '"') {
                        break;
                    }
                    ++at;
                }
                cell.text += text[at];
            }
            ++at;
            if (at < text.size() && text[at] != delimiter) {
                return Error(ErrorCode::invalid_argument,
                             "there is something after the closing quote of a cell");
            }
        } else {
            const std::size_t end = std::min(text.find(delimiter, at), text.size());
            cell.text = text.substr(at, end - at);
            at = end;
        }
        cells.push_back(std::move(cell));
        if (at >= text.size()) {
            return cells;
        }
        ++at; // the delimiter
    }
}

Result<CsvHeader> parse_csv_header(const std::vector<std::string>& cells) {
    CsvHeader header;
    std::map<std::vector<std::string>, std::size_t> first; // of each path's beginning
    for (const std::string& cell : cells) {
        TOMBOLO_TRY(CsvColumn column, parse_column(cell));
        for (std::size_t size = 1; size <= column.path.size(); ++size) {
            const std::vector<std::string> beginning(
                column.path.begin(), column.path.begin() + static_cast<std::ptrdiff_t>(size));
            first.emplace(beginning, header.columns.size());
        }
        header.columns.push_back(std::move(column));
    }
    std::vector<std::vector<std::size_t>> places;
    for (const CsvColumn& column : header.columns) {
        std::vector<std::size_t>& place = places.emplace_back();
        std::vector<std::string> beginning;
        for (const std::string& part : column.path) {
            beginning.push_back(part);
            place.push_back(first.at(beginning));
        }
    }
    header.order.resize(header.columns.size());
    std::iota(header.order.begin(), header.order.end(), std::size_t{0});
    std::stable_sort(
        header.order.begin(), header.order.end(),
        [&](std::size_t left, std::size_t right) { return places[left] < places[right]; });
    // Columns of which one lies inside the other are neighbours now.
    for (std::size_t i = 1; i < header.order.size(); ++i) {
        const CsvColumn& left = header.columns[header.order[i - 1]];
        const CsvColumn& right = header.columns[header.order[i]];
        if (is_inside(left.path, right.path) || is_inside(right.path, left.path)) {
            return Error(ErrorCode::invalid_argument,
                         "two columns are the same field, or one lies inside the other",
                         left.name + ", " + right.name);
        }
    }
    return header;
}

Result<BsonBuffer> csv_to_bson(const CsvHeader& header, const std::vector<CsvCell>& cells) {
    if (cells.size() > header.columns.size()) {
        return Error(ErrorCode::invalid_argument,
                     fmt::format("the record has {} cells, the header {}", cells.size(),
                                 header.columns.size()));
    }
    BsonWriter writer;
    std::vector<std::string> open; // nested documents that are open
    for (const std::size_t position : header.order) {
        const CsvColumn& column = header.columns[position];
        if (position >= cells.size() || (cells[position].text.empty() && !cells[position].quoted)) {
            continue;
        }
        std::size_t common = 0;
        while (common < open.size() && common + 1 < column.path.size() &&
               open[common] == column.path[common]) {
            ++common;
        }
        for (; open.size() > common; open.pop_back()) {
            writer.end();
        }
        for (; open.size() + 1 < column.path.size(); open.push_back(column.path[open.size()])) {
            writer.begin_document(column.path[open.size()]);
        }
        TOMBOLO_TRY_VOID(append_cell(writer, column, cells[position]));
        if (writer.size() > limits::document_bytes_max) {
            return Error(ErrorCode::limit_exceeded, "the document would be longer than 16 MB");
        }
    }
    const mql::BsonDocument document = std::move(writer).finish();
    return BsonBuffer(document.bytes().begin(), document.bytes().end());
}

std::string csv_cell(std::string_view text, char delimiter) {
    const bool plain = text.find_first_of("\"\r\n") == std::string_view::npos &&
                       text.find(delimiter) == std::string_view::npos && !text.empty();
    if (plain) {
        return std::string(text);
    }
    std::string out = "\"";
    for (const char c : text) {
        out += c == '"' ? "\"\"" : std::string(1, c);
    }
    return out + '"';
}

} // namespace tombolo::cli
