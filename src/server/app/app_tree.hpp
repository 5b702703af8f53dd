#pragma once

// An app directory as a value: relative path -> content. What deployments store and compare.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace tombolo::server {

/// Paths use "/", have no "." or ".." part, and never start with one.
using AppTree = std::map<std::string, std::string, std::less<>>;

/// Reads a directory: all files but node_modules, hosting files and dot folders other than .mdb. io
/// names the file; limit_exceeded beyond limits::app_files_max or limits::app_bytes_max.
Result<AppTree> read_app_directory(const std::string& directory);

struct FileChange {
    enum class Kind : std::uint8_t { added, removed, modified };
    Kind kind = Kind::modified;
    std::string path;
    /// Unified lines of a modified or new text file, each starting with ' ', '+' or '-'; empty for
    /// binary content.
    std::vector<std::string> lines;
};

std::vector<FileChange> diff(const AppTree& before, const AppTree& after);

} // namespace tombolo::server
