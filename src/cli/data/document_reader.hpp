#pragma once

// Documents out of files: one after the other, in bounded memory.
//
//   json   a JSON array of objects, or objects one after the other (one a line, or not); Extended
//          JSON in either form
//   csv    RFC 4180; the header names the fields (csv.hpp)
//   bson   BSON documents one after the other, as mongodump writes them
//
// Errors say where: the number of the document (from 1) and, of text, the line. The reader is of no
// use after an error. Hostile input is safe: sizes are bounded by limits::document_bytes_max and
// limits::ejson_bytes_max.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/data/byte_source.hpp"
#include "core/bson.hpp"

namespace tombolo::cli {

enum class DataFormat : std::uint8_t { json, csv, bson };

class DocumentReader {
  public:
    virtual ~DocumentReader() = default;
    /// The next document, replacing `document`; false at the end.
    virtual Result<bool> next(BsonBuffer& document) = 0;
};

struct ReaderOptions {
    char delimiter = ',';            ///< of csv
    std::vector<std::string> header; ///< of csv: the columns, when the file has no header
};

/// `source` is borrowed.
std::unique_ptr<DocumentReader> make_reader(DataFormat format, ByteSource& source,
                                            const ReaderOptions& options = {});

/// By the file's name ("cities.json", "dump.bson.gz"); invalid_argument when it does not tell.
Result<DataFormat> format_of(const std::string& path);
/// "json", "jsonl", "csv", "bson".
Result<DataFormat> parse_format(const std::string& name);

} // namespace tombolo::cli
