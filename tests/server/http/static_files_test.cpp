#include "server/http/static_files.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <zlib.h>

#include "support/temporary_folder.hpp"

namespace tombolo::http {
namespace {

namespace fs = std::filesystem;

std::string unzipped(const std::string& compressed) {
    z_stream stream{};
    EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
    std::string out(1 << 20, '\0');
    std::string in = compressed;
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    return out;
}

class StaticFilesTest : public testing::Test {
  protected:
    void write(const std::string& path, const std::string& content) {
        fs::create_directories((root() / path).parent_path());
        std::ofstream(root() / path, std::ios::binary) << content;
    }
    fs::path root() const { return folder_.path() / "site"; }
    StaticFiles load() const { return StaticFiles::load(root().string()).value(); }

    static Response get(const StaticFiles& files, const std::string& path,
                        const std::string& accepted = {}, const std::string& etag = {}) {
        Request request;
        request.method = Method::get;
        request.path = path;
        if (!accepted.empty()) {
            request.headers.add("Accept-Encoding", accepted);
        }
        if (!etag.empty()) {
            request.headers.add("If-None-Match", etag);
        }
        EXPECT_TRUE(files.contains(path)) << path;
        return files.respond(request);
    }

    TemporaryFolder folder_;
    const std::string page_ = "<html>" + std::string(5'000, 'x') + "</html>";
};

TEST_F(StaticFilesTest, text_is_compressed_for_those_who_take_it) {
    write("index.html", page_);
    const StaticFiles files = load();
    for (const char* accepted : {"gzip", "br, GZIP;q=0.5", "*", "identity, x-gzip"}) {
        const Response response = get(files, "/", accepted);
        EXPECT_EQ(response.headers.find("content-encoding"), "gzip") << accepted;
        EXPECT_LT(response.body.size(), page_.size() / 10);
        EXPECT_EQ(unzipped(response.body), page_);
        EXPECT_EQ(response.headers.find("vary"), "Accept-Encoding");
    }
    for (const char* accepted : {"", "br", "gzip;q=0", "gzip; q=0.0, *", "*;q=0"}) {
        const Response response = get(files, "/index.html", accepted);
        EXPECT_FALSE(response.headers.contains("content-encoding")) << accepted;
        EXPECT_EQ(response.body, page_);
        EXPECT_EQ(response.headers.find("content-type"), "text/html; charset=utf-8");
    }
}

TEST_F(StaticFilesTest, what_gains_nothing_is_sent_as_it_is) {
    write("a.txt", "x");
    write("image.png", page_);
    const StaticFiles files = load();
    for (const char* path : {"/a.txt", "/image.png"}) {
        EXPECT_FALSE(get(files, path, "gzip").headers.contains("content-encoding")) << path;
    }
}

TEST_F(StaticFilesTest, an_unchanged_file_is_not_sent_again) {
    write("app.js", page_);
    const StaticFiles files = load();
    const std::string plain(get(files, "/app.js").headers.find("etag"));
    const std::string compressed(get(files, "/app.js", "gzip").headers.find("etag"));
    EXPECT_NE(plain, compressed);
    EXPECT_EQ(get(files, "/app.js", "", plain).status, 304);
    EXPECT_EQ(get(files, "/app.js", "", "\"other\", W/" + plain).status, 304);
    EXPECT_TRUE(get(files, "/app.js", "", "*").body.empty());
    EXPECT_EQ(get(files, "/app.js", "gzip", compressed).status, 304);
    EXPECT_EQ(get(files, "/app.js", "", compressed).status, 200);
    write("app.js", page_ + "!");
    EXPECT_EQ(get(load(), "/app.js", "", plain).status, 200);
}

TEST_F(StaticFilesTest, only_files_named_by_their_content_are_kept_without_asking) {
    for (const char* path : {"main.0a1b2c3d.js", "assets/main-BX3f9a1z.css"}) {
        write(path, "x");
    }
    for (const char* path : {"main.js", "release-candidates.txt", "jquery-3.7.1.js"}) {
        write(path, "x");
    }
    const StaticFiles files = load();
    for (const char* path : {"/main.0a1b2c3d.js", "/assets/main-BX3f9a1z.css"}) {
        EXPECT_NE(get(files, path).headers.find("cache-control").find("immutable"),
                  std::string_view::npos)
            << path;
    }
    for (const char* path : {"/main.js", "/release-candidates.txt", "/jquery-3.7.1.js"}) {
        EXPECT_EQ(get(files, path).headers.find("cache-control"), "no-cache") << path;
    }
}

TEST_F(StaticFilesTest, hidden_files_and_ways_out_of_the_folder_are_left_out) {
    write("index.html", page_);
    write(".git/config", "secret");
    write(".env", "secret");
    std::ofstream(folder_.path() / "outside.txt") << "secret";
    fs::create_symlink(folder_.path() / "outside.txt", root() / "link.txt");
    fs::create_symlink(root() / "index.html", root() / "same.html");
    const StaticFiles files = load();
    EXPECT_EQ(files.size(), 2U);
    EXPECT_TRUE(files.contains("/same.html"));
    for (const char* path : {"/link.txt", "/.env", "/.git/config", "/../outside.txt", "/nothing"}) {
        EXPECT_FALSE(files.contains(path)) << path;
    }
}

TEST_F(StaticFilesTest, a_folder_that_is_not_there_is_an_error_that_names_it) {
    const auto files = StaticFiles::load("/nowhere/at/all");
    ASSERT_FALSE(files);
    EXPECT_NE(std::string(files.error().what()).find("/nowhere/at/all"), std::string::npos);
}

} // namespace
} // namespace tombolo::http
