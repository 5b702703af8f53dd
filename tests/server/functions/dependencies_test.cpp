#include "server/functions/dependencies.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "server/functions/functions_fixture.hpp"

namespace tombolo::functions {

namespace {

namespace fs = std::filesystem;

// An archive of `folder`'s content, made by tar.
std::string archive_of(const fs::path& folder) {
    const std::string file = folder.string() + ".tar.gz";
    const std::string command =
        "tar --create --gzip --file=" + file + " --directory=" + folder.string() + " .";
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::ifstream in(file, std::ios::binary);
    return std::string((std::istreambuf_iterator<char>(in)), {});
}

void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
}

} // namespace

TEST(Dependencies, functions_require_packages_of_the_archive) {
    Fixture fixture;
    const fs::path source = fixture.folder() + "/source";
    write(source / "node_modules/greeting/package.json",
          R"({"name": "greeting", "version": "1.0.0", "main": "lib/index.js"})");
    write(source / "node_modules/greeting/lib/index.js",
          "const { name } = require('./name'); module.exports = () => `hello ${name}`;");
    write(source / "node_modules/greeting/lib/name.js",
          "console.log('loaded'); exports.name = require('names').first;");
    write(source / "node_modules/names/index.js", "exports.first = 'Ann';");
    server::AppTree tree =
        app_of({{"f", "const greet = require('greeting'); exports = () => greet();"}});
    tree["functions/node_modules.tar.gz"] = archive_of(source);
    const auto app = fixture.deploy(tree);
    for (int time = 0; time < 2; ++time) {
        const Outcome outcome = fixture.call(app, "f");
        ASSERT_TRUE(outcome.ok()) << outcome.failure->message;
        EXPECT_EQ(outcome.result, R"("hello Ann")");
    }
}

TEST(Dependencies, an_archive_of_what_is_in_node_modules_does_too) {
    Fixture fixture;
    const fs::path source = fixture.folder() + "/source";
    write(source / "names/index.js", "exports.first = 'Ann';");
    server::AppTree tree = app_of({{"f", "exports = () => require('names').first;"}});
    tree["functions/node_modules.tgz"] = archive_of(source);
    EXPECT_EQ(fixture.call(fixture.deploy(tree), "f").result, R"("Ann")");
}

TEST(Dependencies, what_leads_out_of_the_archive_is_refused) {
    Fixture fixture;
    const fs::path source = fixture.folder() + "/source";
    fs::create_directories(source / "node_modules/bad");
    fs::create_symlink("/etc/passwd", source / "node_modules/bad/index.js");
    const std::string folder = fixture.folder() + "/unpacked";
    const auto result =
        unpack_dependencies("functions/node_modules.tar.gz", archive_of(source), folder);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::invalid_argument);
    EXPECT_FALSE(fs::exists(folder));
}

TEST(Dependencies, an_archive_that_cannot_be_read_fails_the_calls_and_says_why) {
    Fixture fixture;
    server::AppTree tree = app_of({{"f", "exports = () => 1;"}});
    tree["functions/node_modules.tar.gz"] = "no archive";
    const Outcome outcome = fixture.call(fixture.deploy(tree), "f");
    EXPECT_EQ(failure_of(outcome), "unavailable");
    EXPECT_NE(outcome.failure->message.find("dependencies"), std::string::npos);
    EXPECT_EQ(unpack_dependencies("node_modules.rar", "", fixture.folder() + "/x").error().code(),
              ErrorCode::unsupported);
}

} // namespace tombolo::functions
