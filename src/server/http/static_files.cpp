#include "server/http/static_files.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <openssl/evp.h>
#include <zlib.h>

#include "core/bytes.hpp"
#include "core/check.hpp"

namespace tombolo::http {

namespace {

namespace fs = std::filesystem;

struct Type {
    std::string_view extension;
    const char* type;
    bool compressible;
};

constexpr std::array types = {
    Type{"html", "text/html; charset=utf-8", true},
    Type{"css", "text/css; charset=utf-8", true},
    Type{"js", "text/javascript; charset=utf-8", true},
    Type{"mjs", "text/javascript; charset=utf-8", true},
    Type{"json", "application/json", true},
    Type{"map", "application/json", true},
    Type{"webmanifest", "application/manifest+json", true},
    Type{"svg", "image/svg+xml", true},
    Type{"txt", "text/plain; charset=utf-8", true},
    Type{"xml", "application/xml", true},
    Type{"wasm", "application/wasm", true},
    Type{"ico", "image/x-icon", false},
    Type{"png", "image/png", false},
    Type{"jpg", "image/jpeg", false},
    Type{"jpeg", "image/jpeg", false},
    Type{"gif", "image/gif", false},
    Type{"webp", "image/webp", false},
    Type{"woff", "font/woff", false},
    Type{"woff2", "font/woff2", false},
    Type{"pdf", "application/pdf", false},
};
constexpr Type unknown_type{"", "application/octet-stream", false};

const Type& type_of(std::string_view path) {
    const std::size_t dot = path.rfind('.');
    const std::string_view extension =
        dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    const auto found = std::find_if(types.begin(), types.end(), [extension](const Type& type) {
        return type.extension == extension;
    });
    return found == types.end() ? unknown_type : *found;
}

// name.0123abcd.js or name-0123abcd.js: eight or more letters and digits, a digit among them, which
// build tools put there.
bool is_named_by_content(std::string_view path) {
    path.remove_prefix(path.rfind('/') + 1);
    const std::size_t dot = path.rfind('.');
    if (dot == std::string_view::npos) {
        return false;
    }
    const std::string_view stem = path.substr(0, dot);
    const std::size_t mark = stem.find_last_of(".-");
    if (mark == std::string_view::npos) {
        return false;
    }
    const std::string_view hash = stem.substr(mark + 1);
    const auto is_alnum = [](unsigned char c) { return std::isalnum(c) != 0; };
    const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
    return hash.size() >= 8 && std::all_of(hash.begin(), hash.end(), is_alnum) &&
           std::any_of(hash.begin(), hash.end(), is_digit);
}

std::string etag_of(std::string_view content) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    TOMBOLO_CHECK(EVP_Digest(content.data(), content.size(), digest.data(), &size, EVP_sha256(),
                             nullptr) == 1);
    return '"' + to_hex(std::as_bytes(std::span(digest.data(), 12))) + '"';
}

std::string gzip(std::string_view content) {
    z_stream stream{};
    constexpr int gzip_window = 15 + 16;
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return {};
    }
    std::string out(deflateBound(&stream, static_cast<uLong>(content.size())), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
    stream.avail_in = static_cast<uInt>(content.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    out.resize(done ? stream.total_out : 0);
    deflateEnd(&stream);
    return out;
}

// Accept-Encoding names gzip (or *) without q=0; gzip's own word beats that of *.
bool takes_gzip(std::string_view accepted) {
    bool any = false;
    while (!accepted.empty()) {
        const std::size_t comma = std::min(accepted.find(','), accepted.size());
        std::string item(accepted.substr(0, comma));
        accepted.remove_prefix(std::min(comma + 1, accepted.size()));
        item.erase(std::remove(item.begin(), item.end(), ' '), item.end());
        std::transform(item.begin(), item.end(), item.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        const std::size_t semicolon = std::min(item.find(';'), item.size());
        const std::string_view coding = std::string_view(item).substr(0, semicolon);
        const std::string_view weight = std::string_view(item).substr(semicolon);
        const bool refused =
            weight.starts_with(";q=0") && weight.find_first_not_of("0.", 3) == weight.npos;
        if (coding == "gzip" || coding == "x-gzip") {
            return !refused;
        }
        any = any || (coding == "*" && !refused);
    }
    return any;
}

// If-None-Match: "*" or a list of tags, weak ones too, since it asks for a comparison.
bool names(std::string_view list, std::string_view etag) {
    if (list == "*") {
        return true;
    }
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        std::string_view item = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
        item = item.substr(0, item.find_last_not_of(' ') + 1);
        if (item.starts_with("W/")) {
            item.remove_prefix(2);
        }
        if (item == etag) {
            return true;
        }
    }
    return false;
}

Result<std::string> read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content((std::istreambuf_iterator<char>(file)), {});
    if (!file.good() && !file.eof()) {
        return Error(ErrorCode::io, "cannot read the file", path.string());
    }
    return content;
}

} // namespace

Result<StaticFiles> StaticFiles::load(const std::string& folder) {
    StaticFiles out;
    std::error_code error;
    const fs::path root = fs::canonical(folder, error);
    if (error || !fs::is_directory(root, error)) {
        return Error(ErrorCode::io, "cannot read the folder of static files", folder);
    }
    std::size_t bytes = 0;
    auto entry = fs::recursive_directory_iterator(root, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        const fs::path& path = entry->path();
        if (path.filename().string().starts_with('.')) {
            entry.disable_recursion_pending();
            continue;
        }
        std::error_code ignored;
        const fs::path target = fs::canonical(path, ignored);
        const bool inside = !ignored && target.string().starts_with(root.string() + "/");
        if (!inside || !fs::is_regular_file(target, ignored)) {
            continue;
        }
        bytes += fs::file_size(target, ignored);
        if (bytes > bytes_max || out.files_.size() >= files_max) {
            return Error(ErrorCode::limit_exceeded, "too many or too large static files", folder);
        }
        TOMBOLO_TRY(std::string content, read(target));
        out.add("/" + path.lexically_relative(root).generic_string(), std::move(content));
    }
    if (error) {
        return Error(ErrorCode::io, "cannot read the folder of static files: " + error.message(),
                     folder);
    }
    return out;
}

void StaticFiles::add(const std::string& path, std::string content) {
    const Type& type = type_of(path);
    File file{std::move(content), {}, {}, type.type, is_named_by_content(path)};
    file.etag = etag_of(file.content);
    if (type.compressible) {
        file.compressed = gzip(file.content);
        if (file.compressed.size() >= file.content.size()) {
            file.compressed.clear();
        }
    }
    files_.insert_or_assign(path, std::move(file));
}

const StaticFiles::File* StaticFiles::find(std::string_view path) const {
    const auto found =
        path.ends_with('/') ? files_.find(std::string(path) + "index.html") : files_.find(path);
    return found == files_.end() ? nullptr : &found->second;
}

Response StaticFiles::respond(const Request& request) const {
    const File& file = *find(request.path);
    Response response;
    // The compressed form is another representation and so has another strong tag.
    const bool compressed =
        !file.compressed.empty() && takes_gzip(request.headers.find("accept-encoding"));
    std::string etag = file.etag;
    if (compressed) {
        etag.insert(etag.size() - 1, "-gzip");
        response.headers.set("Content-Encoding", "gzip");
    }
    response.headers.set("ETag", etag);
    response.headers.set("Cache-Control", file.named_by_content
                                              ? "public, max-age=31536000, immutable"
                                              : "no-cache");
    if (!file.compressed.empty()) {
        response.headers.set("Vary", "Accept-Encoding");
    }
    if (names(request.headers.find("if-none-match"), etag)) {
        response.status = 304;
        return response;
    }
    response.headers.set("Content-Type", file.type);
    response.headers.set("X-Content-Type-Options", "nosniff");
    response.body = compressed ? file.compressed : file.content;
    return response;
}

} // namespace tombolo::http
