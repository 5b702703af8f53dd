#pragma once

// CSV (RFC 4180) with types in the header.
//
// A column is "name" (a string), "name:type", or mongoimport's "name.type()". The types: string,
// int, long, double, decimal, bool, date (ISO 8601, or milliseconds since 1970), objectId, uuid,
// json (Extended JSON), auto (whole number, number, true, false, else string). A name with dots
// makes nested documents. An empty cell without quotes leaves the field out.
//
// Pure functions; errors are invalid_argument or bad_number and name the column.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bson.hpp"
#include "core/result.hpp"

namespace tombolo::cli {

enum class CsvType : std::uint8_t {
    string,
    int32,
    int64,
    float64,
    decimal,
    boolean,
    date,
    object_id,
    uuid,
    json,
    automatic,
};

struct CsvColumn {
    std::vector<std::string> path; ///< parts of the dotted name
    CsvType type = CsvType::string;
    std::string name; ///< as written, for messages
};

struct CsvCell {
    std::string text;
    bool quoted = false;
};

/// The bytes of the first record of `text` with its line end; nothing when it is not whole yet
/// (never with `last`, unless `text` is empty).
std::optional<std::size_t> csv_record_size(std::string_view text, bool last);

/// The cells of one record, without its line end.
Result<std::vector<CsvCell>> parse_csv_record(std::string_view record, char delimiter);

struct CsvHeader {
    std::vector<CsvColumn> columns; ///< in the order of the cells
    /// Positions of columns such that those of one nested document follow each other.
    std::vector<std::size_t> order;
};

/// Columns from header cells; two of one name, or one inside the other, are invalid_argument.
Result<CsvHeader> parse_csv_header(const std::vector<std::string>& cells);

/// The document of one record.
Result<BsonBuffer> csv_to_bson(const CsvHeader& header, const std::vector<CsvCell>& cells);

/// A cell, quoted where it must be.
std::string csv_cell(std::string_view text, char delimiter);

} // namespace tombolo::cli
