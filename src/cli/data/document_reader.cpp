#include "cli/data/document_reader.hpp"

#include <cstring>

#include <fmt/format.h>

#include "cli/data/csv.hpp"
#include "cli/data/json_splitter.hpp"
#include "core/ejson.hpp"
#include "core/limits.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::cli {

namespace {

// What was read and not used yet. The used part is dropped when more is read, so that each byte is
// moved about once.
class Buffer {
  public:
    explicit Buffer(ByteSource& source) : source_(source) {}

    std::string_view unused() const { return std::string_view(bytes_).substr(used_); }
    void use(std::size_t count) { used_ += count; }
    bool ended() const noexcept { return ended_; }
    Result<void> read_more() {
        bytes_.erase(0, used_);
        used_ = 0;
        TOMBOLO_TRY(const bool more, source_.read(bytes_));
        ended_ = !more;
        return {};
    }

  private:
    ByteSource& source_;
    std::string bytes_;
    std::size_t used_ = 0;
    bool ended_ = false;
};

std::string document_number(std::uint64_t number) {
    return fmt::format("document {}", number);
}

class JsonReader final : public DocumentReader {
  public:
    explicit JsonReader(ByteSource& source) : buffer_(source) {}

    Result<bool> next(BsonBuffer& document) override {
        for (;;) {
            TOMBOLO_TRY(const auto extent, splitter_.next(buffer_.unused(), buffer_.ended()));
            if (!extent) {
                if (buffer_.ended()) {
                    return false;
                }
                TOMBOLO_TRY_VOID(buffer_.read_more());
                continue;
            }
            ++count_;
            Result<BsonBuffer> bson =
                ejson_to_bson(buffer_.unused().substr(extent->begin, extent->end - extent->begin));
            if (!bson) {
                return bson.error().within(
                    fmt::format("document {}, which begins on line {}", count_, extent->line));
            }
            document = *std::move(bson);
            buffer_.use(extent->end);
            splitter_.consumed(extent->end);
            return true;
        }
    }

  private:
    Buffer buffer_;
    JsonSplitter splitter_;
    std::uint64_t count_ = 0;
};

class CsvReader final : public DocumentReader {
  public:
    CsvReader(ByteSource& source, const ReaderOptions& options)
        : buffer_(source), options_(options) {}

    Result<bool> next(BsonBuffer& document) override {
        if (!header_) {
            TOMBOLO_TRY(const bool found, read_header());
            if (!found) {
                return false;
            }
        }
        for (;;) {
            TOMBOLO_TRY(const bool found, record());
            if (!found) {
                return false;
            }
            if (cells_.size() == 1 && cells_[0].text.empty() && !cells_[0].quoted) {
                continue; // an empty line
            }
            ++count_;
            Result<BsonBuffer> bson = csv_to_bson(*header_, cells_);
            if (!bson) {
                return bson.error().within(where());
            }
            document = *std::move(bson);
            return true;
        }
    }

  private:
    std::string where() const {
        return fmt::format("document {}, which begins on line {}", count_, record_line_);
    }

    Result<bool> read_header() {
        std::vector<std::string> names = options_.header;
        if (names.empty()) {
            TOMBOLO_TRY(const bool found, record());
            if (!found) {
                return false;
            }
            for (const CsvCell& cell : cells_) {
                names.push_back(cell.text);
            }
            if (!names.empty() && names[0].starts_with("\xef\xbb\xbf")) {
                names[0].erase(0, 3); // a byte order mark
            }
        }
        Result<CsvHeader> header = parse_csv_header(names);
        if (!header) {
            return header.error().within("header");
        }
        header_ = *std::move(header);
        return true;
    }

    // Reads one record into cells_.
    Result<bool> record() {
        for (;;) {
            const auto size = csv_record_size(buffer_.unused(), buffer_.ended());
            if (size) {
                const std::string_view text = buffer_.unused().substr(0, *size);
                record_line_ = line_;
                for (const char c : text) {
                    line_ += c == '\n' ? 1U : 0U;
                }
                Result<std::vector<CsvCell>> cells = parse_csv_record(text, options_.delimiter);
                if (!cells) {
                    return cells.error().within(fmt::format("line {}", record_line_));
                }
                cells_ = *std::move(cells);
                buffer_.use(*size);
                return true;
            }
            if (buffer_.ended()) {
                return false;
            }
            if (buffer_.unused().size() > limits::document_bytes_max) {
                return Error(ErrorCode::limit_exceeded,
                             "a record is longer than 16 MB; a quote that does not end?",
                             fmt::format("line {}", line_));
            }
            TOMBOLO_TRY_VOID(buffer_.read_more());
        }
    }

    Buffer buffer_;
    ReaderOptions options_;
    std::optional<CsvHeader> header_;
    std::vector<CsvCell> cells_;
    std::uint64_t count_ = 0;
    std::size_t line_ = 1;
    std::size_t record_line_ = 1;
};

class BsonReader final : public DocumentReader {
  public:
    explicit BsonReader(ByteSource& source) : buffer_(source) {}

    Result<bool> next(BsonBuffer& document) override {
        for (;;) {
            const std::string_view unused = buffer_.unused();
            std::uint32_t size = 0;
            if (unused.size() >= sizeof size) {
                std::memcpy(&size, unused.data(), sizeof size);
                if (size < 5 || size > limits::document_bytes_max) {
                    return Error(ErrorCode::bad_bson,
                                 fmt::format("a document of {} bytes cannot be: this is no BSON, "
                                             "or the file is damaged",
                                             size),
                                 document_number(count_ + 1));
                }
            }
            if (size > 0 && unused.size() >= size) {
                ++count_;
                const ByteView bytes = as_bytes(unused.substr(0, size));
                const auto valid = mql::BsonDocumentView::validate(bytes);
                if (!valid) {
                    return valid.error().within(document_number(count_));
                }
                document.assign(bytes.begin(), bytes.end());
                buffer_.use(size);
                return true;
            }
            if (buffer_.ended()) {
                if (unused.empty()) {
                    return false;
                }
                return Error(ErrorCode::bad_bson, "the file ends inside a document",
                             document_number(count_ + 1));
            }
            TOMBOLO_TRY_VOID(buffer_.read_more());
        }
    }

  private:
    Buffer buffer_;
    std::uint64_t count_ = 0;
};

} // namespace

std::unique_ptr<DocumentReader> make_reader(DataFormat format, ByteSource& source,
                                            const ReaderOptions& options) {
    switch (format) {
    case DataFormat::csv:
        return std::make_unique<CsvReader>(source, options);
    case DataFormat::bson:
        return std::make_unique<BsonReader>(source);
    case DataFormat::json:
        break;
    }
    return std::make_unique<JsonReader>(source);
}

Result<DataFormat> parse_format(const std::string& name) {
    if (name == "json" || name == "jsonl" || name == "ndjson") {
        return DataFormat::json;
    }
    if (name == "csv" || name == "tsv") {
        return DataFormat::csv;
    }
    if (name == "bson") {
        return DataFormat::bson;
    }
    return Error(ErrorCode::invalid_argument,
                 "there is no data format '" + name + "'; there are json, jsonl, csv and bson");
}

Result<DataFormat> format_of(const std::string& path) {
    std::string name = path.substr(path.rfind('/') + 1);
    if (name.ends_with(".gz")) {
        name.resize(name.size() - 3);
    }
    const std::size_t dot = name.rfind('.');
    if (dot != std::string::npos) {
        Result<DataFormat> format = parse_format(name.substr(dot + 1));
        if (format) {
            return format;
        }
    }
    return Error(ErrorCode::invalid_argument,
                 "the file's name does not tell its format; give --format", path);
}

} // namespace tombolo::cli
