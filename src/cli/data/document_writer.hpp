#pragma once

// Documents into files: Extended JSON (an array, or one a line), CSV, BSON.
//
// A file appears under its name only when finish() has succeeded. A name that ends in ".gz" is
// written with gzip. Errors: io, with the file's name.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/ejson.hpp"
#include "core/result.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::cli {

enum class OutputFormat : std::uint8_t { json_array, json_lines, csv, bson };

struct WriterOptions {
    OutputFormat format = OutputFormat::json_lines;
    EjsonForm form = EjsonForm::relaxed;
    std::vector<std::string> fields; ///< of csv: dotted paths
    char delimiter = ',';
};

/// Where bytes go.
class ByteSink {
  public:
    virtual ~ByteSink() = default;
    virtual Result<void> write(std::string_view bytes) = 0;
    /// Nothing is written after it.
    virtual Result<void> finish() = 0;
};

/// "-" is standard output.
Result<std::unique_ptr<ByteSink>> create_file(const std::string& path);
/// Appends to `text`, borrowed.
std::unique_ptr<ByteSink> memory_sink(std::string& text);

class DocumentWriter {
  public:
    DocumentWriter(WriterOptions options, ByteSink& sink)
        : options_(std::move(options)), sink_(sink) {}

    Result<void> write(mql::BsonDocumentView document);
    Result<void> finish();
    std::uint64_t count() const noexcept { return count_; }

  private:
    Result<void> begin();
    Result<std::string> csv_line(mql::BsonDocumentView document) const;

    WriterOptions options_;
    ByteSink& sink_;
    std::uint64_t count_ = 0;
    bool begun_ = false;
};

} // namespace tombolo::cli
