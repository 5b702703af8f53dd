#pragma once

// Reads the zip archives that the server exports: stored and deflated files, UTF-8 names.
//
// Pure and bounded: at most `bytes_max` come out, names that would leave the folder are refused.
// Errors: invalid_argument for what is no such archive or is damaged, limit_exceeded.

#include <string_view>

#include "core/limits.hpp"
#include "core/result.hpp"
#include "server/app/app_tree.hpp"

namespace tombolo::cli {

/// Relative path -> content; entries of folders are left out.
Result<server::AppTree> read_zip(std::string_view archive,
                                 std::size_t bytes_max = limits::app_bytes_max);

/// True for a relative path that stays below its folder: no "..", no "." part, no empty part, no
/// backslash, no NUL.
bool is_safe_path(std::string_view path) noexcept;

} // namespace tombolo::cli
