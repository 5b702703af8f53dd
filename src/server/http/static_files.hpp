#pragma once

// Files of a folder as HTTP responses: read into memory once, compressed once.
//
// Each file has a strong ETag (If-None-Match answers 304), a content type by its extension, and,
// when it is text and becomes smaller by it, a gzip form for clients that take it. A folder's
// index.html stands for the folder. Files whose name holds a content hash (name.0123abcd.js) may be
// kept for a year, all others are asked for again each time.
//
// Immutable after load(): find() from any thread. Hidden files and links that lead out of the
// folder are left out.

#include <map>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "server/http/message.hpp"

namespace tombolo::http {

class StaticFiles {
  public:
    /// Largest folder that is loaded, in bytes and files.
    static constexpr std::size_t bytes_max = std::size_t{64} << 20;
    static constexpr std::size_t files_max = 10'000;

    /// io names what cannot be read; limit_exceeded when the folder is too large.
    static Result<StaticFiles> load(const std::string& folder);

    /// Adds or replaces a file made in memory. `path` starts with "/".
    void add(const std::string& path, std::string content);

    /// Whether there is such a file; a path that ends in "/" means its index.html.
    bool contains(std::string_view path) const { return find(path) != nullptr; }
    /// The response to a GET or HEAD. REQUIRES: contains(request.path)
    Response respond(const Request& request) const;

    std::size_t size() const noexcept { return files_.size(); }

  private:
    struct File {
        std::string content;
        std::string compressed; ///< empty: not worth it
        std::string etag;
        const char* type;
        bool named_by_content;
    };
    const File* find(std::string_view path) const;

    std::map<std::string, File, std::less<>> files_;
};

} // namespace tombolo::http
