#include "cli/data/document_writer.hpp"

#include <zlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/data/csv.hpp"
#include "core/text.hpp"
#include "core/timestamp.hpp"
#include "core/uuid.hpp"

namespace tombolo::cli {

namespace {

using mql::BsonDocumentView;
using mql::BsonType;
using mql::BsonView;

class FileSink final : public ByteSink {
  public:
    FileSink(gzFile file, std::string path) : file_(file), path_(std::move(path)) {}
    ~FileSink() override {
        if (file_ != nullptr) {
            ::gzclose(file_);
            std::remove((path_ + ".part").c_str());
        }
    }
    FileSink(const FileSink&) = delete;
    FileSink& operator=(const FileSink&) = delete;

    Result<void> write(std::string_view bytes) override {
        while (!bytes.empty()) {
            const auto part =
                static_cast<unsigned>(std::min<std::size_t>(bytes.size(), std::size_t{1} << 24));
            if (::gzwrite(file_, bytes.data(), part) != static_cast<int>(part)) {
                return failed();
            }
            bytes.remove_prefix(part);
        }
        return {};
    }

    Result<void> finish() override {
        gzFile file = file_;
        file_ = nullptr;
        if (::gzclose(file) != Z_OK || std::rename((path_ + ".part").c_str(), path_.c_str()) != 0) {
            return failed();
        }
        return {};
    }

  private:
    Error failed() const {
        return Error(ErrorCode::io, std::string("cannot write the file: ") + std::strerror(errno),
                     path_);
    }

    gzFile file_;
    std::string path_;
};

class StandardOutput final : public ByteSink {
  public:
    Result<void> write(std::string_view bytes) override {
        if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) {
            return Error(ErrorCode::io, "cannot write to standard output");
        }
        return {};
    }
    Result<void> finish() override {
        return std::fflush(stdout) == 0
                   ? Result<void>()
                   : Result<void>(Error(ErrorCode::io, "cannot write to standard output"));
    }
};

class MemorySink final : public ByteSink {
  public:
    explicit MemorySink(std::string& text) : text_(text) {}
    Result<void> write(std::string_view bytes) override {
        text_ += bytes;
        return {};
    }
    Result<void> finish() override { return {}; }

  private:
    std::string& text_;
};

// The field at a dotted path of names.
BsonView at_path(BsonDocumentView document, std::string_view path) {
    for (;;) {
        const std::size_t dot = path.find('.');
        const BsonView value = document.find(path.substr(0, dot));
        if (dot == std::string_view::npos || !value.is_document()) {
            return dot == std::string_view::npos ? value : BsonView();
        }
        document = value.as_document();
        path.remove_prefix(dot + 1);
    }
}

Result<std::string> cell_text(BsonView value) {
    switch (value.type()) {
    case BsonType::string:
        return std::string(value.as_string());
    case BsonType::int32:
        return std::to_string(value.as_int32());
    case BsonType::int64:
        return std::to_string(value.as_int64());
    case BsonType::float64:
        return number_text(value.as_double());
    case BsonType::decimal128:
        return value.as_decimal().to_string();
    case BsonType::boolean:
        return std::string(value.as_bool() ? "true" : "false");
    case BsonType::object_id:
        return value.as_object_id().to_string();
    case BsonType::date:
        return Timestamp::from_unix_ms(value.as_date_ms()).to_string();
    case BsonType::binary:
        if (value.as_binary().subtype == 4 && value.as_binary().bytes.size() == 16) {
            Uuid uuid;
            std::memcpy(uuid.bytes.data(), value.as_binary().bytes.data(), 16);
            return uuid.to_string();
        }
        break;
    default:
        break;
    }
    mql::BsonWriter writer;
    writer.append("v", value);
    const mql::BsonDocument wrapped = std::move(writer).finish();
    return wrapped_bson_to_ejson(wrapped.bytes(), EjsonForm::relaxed);
}

} // namespace

Result<std::unique_ptr<ByteSink>> create_file(const std::string& path) {
    if (path == "-") {
        return std::unique_ptr<ByteSink>(std::make_unique<StandardOutput>());
    }
    // "T": no gzip, only its writing.
    gzFile file = ::gzopen((path + ".part").c_str(), path.ends_with(".gz") ? "wbe" : "wbeT");
    if (file == nullptr) {
        return Error(ErrorCode::io, std::string("cannot write the file: ") + std::strerror(errno),
                     path);
    }
    ::gzbuffer(file, 1U << 18);
    return std::unique_ptr<ByteSink>(std::make_unique<FileSink>(file, path));
}

std::unique_ptr<ByteSink> memory_sink(std::string& text) {
    return std::make_unique<MemorySink>(text);
}

Result<void> DocumentWriter::begin() {
    begun_ = true;
    if (options_.format == OutputFormat::json_array) {
        return sink_.write("[");
    }
    if (options_.format == OutputFormat::csv) {
        std::string line;
        for (const std::string& field : options_.fields) {
            line += (line.empty() ? "" : std::string(1, options_.delimiter)) +
                    csv_cell(field, options_.delimiter);
        }
        return sink_.write(line + "\n");
    }
    return {};
}

Result<std::string> DocumentWriter::csv_line(BsonDocumentView document) const {
    std::string line;
    for (std::size_t i = 0; i < options_.fields.size(); ++i) {
        if (i > 0) {
            line += options_.delimiter;
        }
        const BsonView value = at_path(document, options_.fields[i]);
        if (!value.is_nullish()) {
            TOMBOLO_TRY(const std::string text, cell_text(value));
            line += csv_cell(text, options_.delimiter);
        }
    }
    return line + "\n";
}

Result<void> DocumentWriter::write(BsonDocumentView document) {
    if (!begun_) {
        TOMBOLO_TRY_VOID(begin());
    }
    ++count_;
    if (options_.format == OutputFormat::bson) {
        return sink_.write(as_text(document.bytes()));
    }
    if (options_.format == OutputFormat::csv) {
        TOMBOLO_TRY(const std::string line, csv_line(document));
        return sink_.write(line);
    }
    TOMBOLO_TRY(const std::string text, bson_to_ejson(document.bytes(), options_.form));
    if (options_.format == OutputFormat::json_array) {
        return sink_.write((count_ == 1 ? "\n" : ",\n") + text);
    }
    return sink_.write(text + "\n");
}

Result<void> DocumentWriter::finish() {
    if (!begun_) {
        TOMBOLO_TRY_VOID(begin());
    }
    if (options_.format == OutputFormat::json_array) {
        TOMBOLO_TRY_VOID(sink_.write(count_ == 0 ? "]\n" : "\n]\n"));
    }
    return sink_.finish();
}

} // namespace tombolo::cli
