// Files that people import: JSON, CSV and BSON in pieces of any size. Whatever is read is a valid
// document, and reading does not depend on the pieces.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cli/data/document_reader.hpp"
#include "cli/data/document_writer.hpp"
#include "mql/bson_value.hpp"

namespace {

using namespace tombolo;

// Digest of all documents and the error; aborts on a document that is not valid.
std::string read_all(cli::DataFormat format, std::string_view text, std::size_t piece) {
    const auto source = cli::memory_source(text, piece);
    const auto reader = cli::make_reader(format, *source);
    std::string all;
    const auto sink = cli::memory_sink(all);
    cli::WriterOptions options;
    options.format = cli::OutputFormat::bson;
    cli::DocumentWriter writer(options, *sink);
    BsonBuffer document;
    for (;;) {
        const Result<bool> more = reader->next(document);
        if (!more) {
            return all + more.error().what();
        }
        if (!*more) {
            return all;
        }
        const auto view = mql::BsonDocumentView::validate(document);
        if (!view || !writer.write(*view)) {
            std::abort();
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const auto format = static_cast<cli::DataFormat>(data[0] % 3);
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::string whole = read_all(format, text, text.size() + 1);
    if (read_all(format, text, 1 + data[0] / 3) != whole) {
        std::abort();
    }
    return 0;
}
