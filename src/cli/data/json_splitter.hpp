#pragma once

// Finds where JSON objects begin and end in a stream, without reading them: an array of objects, or
// objects one after the other. Pure; the objects themselves are judged by core/ejson.

#include <cstddef>
#include <optional>
#include <string_view>

#include "core/result.hpp"

namespace tombolo::cli {

class JsonSplitter {
  public:
    struct Extent {
        std::size_t begin = 0;
        std::size_t end = 0;
        std::size_t line = 0; ///< of the first character, from 1
    };

    /// The next whole object in `text`, which starts with what is not consumed yet. Nothing when
    /// more is needed, or at the end (`last` says that nothing follows). bad_json for what cannot
    /// be an object, limit_exceeded for one that is too long.
    Result<std::optional<Extent>> next(std::string_view text, bool last);

    /// Drops `count` bytes from the front of what the caller keeps.
    void consumed(std::size_t count);

  private:
    Error wrong(const std::string& what) const;

    std::size_t at_ = 0;    // looked at, within the caller's text
    std::size_t begin_ = 0; // of the open object
    std::size_t line_ = 1;  // at at_
    std::size_t started_line_ = 1;
    std::size_t depth_ = 0;
    bool in_string_ = false;
    bool escaped_ = false;
    bool in_array_ = false;
    bool array_ended_ = false;
    bool first_ = true;       // nothing but white space so far
    bool need_comma_ = false; // inside the array, after an object
    bool after_comma_ = false;
};

} // namespace tombolo::cli
