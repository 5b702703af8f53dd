#pragma once

// Where documents are read from: a file (plain or gzip), standard input, or memory.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace tombolo::cli {

class ByteSource {
  public:
    virtual ~ByteSource() = default;
    /// Appends what comes next to `into`; false at the end.
    virtual Result<bool> read(std::string& into) = 0;
    /// Bytes taken from the file so far (of a gzip file: compressed ones), for progress.
    virtual std::uint64_t position() const = 0;
    /// Of the whole file; 0 when unknown.
    virtual std::uint64_t size() const = 0;
};

/// "-" is standard input. gzip is recognised by its first bytes.
Result<std::unique_ptr<ByteSource>> open_file(const std::string& path);

/// Borrows `text`, handed out in pieces of `piece` bytes.
std::unique_ptr<ByteSource> memory_source(std::string_view text, std::size_t piece);

} // namespace tombolo::cli
