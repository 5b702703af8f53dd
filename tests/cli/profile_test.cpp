#include "cli/profile.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "support/temporary_folder.hpp"

namespace tombolo::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

unsigned mode_of(const std::string& path) {
    struct stat facts {};
    ::stat(path.c_str(), &facts);
    return facts.st_mode & 0777U;
}

TEST(Profile, is_written_for_its_owner_only_and_read_back) {
    const TemporaryFolder folder;
    const std::string place = folder.file("config/tombolo");
    Profile profile;
    profile.base_url = "https://tombolo.example.com";
    profile.username = "ann \"the\\admin\"";
    profile.access_token = "a.b.c";
    profile.refresh_token = "d.e.f";
    ASSERT_TRUE(write_profile(place, "work", profile));
    EXPECT_EQ(mode_of(place + "/work.yaml"), 0600U);
    EXPECT_EQ(mode_of(place), 0700U);
    const Profile read = read_profile(place, "work").value();
    EXPECT_EQ(read.base_url, profile.base_url);
    EXPECT_EQ(read.username, profile.username);
    EXPECT_EQ(read.refresh_token, profile.refresh_token);
    EXPECT_TRUE(read.logged_in());
    EXPECT_THAT(profile_names(place), ElementsAre("work"));
}

TEST(Profile, tightens_the_mode_of_a_file_that_was_open_to_others) {
    const TemporaryFolder folder;
    const std::string path = folder.write("default.yaml", "default:\n");
    std::filesystem::permissions(path, std::filesystem::perms(0644));
    ASSERT_TRUE(write_profile(folder.path().string(), "default", {}));
    EXPECT_EQ(mode_of(path), 0600U);
}

TEST(Profile, absent_file_is_an_empty_profile) {
    const TemporaryFolder folder;
    EXPECT_FALSE(read_profile(folder.path().string(), "none").value().logged_in());
}

TEST(Profile, plain_values_comments_and_unknown_keys_are_read) {
    const Profile profile = parse_profile("# mine\ndefault:\n    base_url: http://h:9090 # here\n"
                                          "    telemetry_mode: off\n    username: ann\r\n")
                                .value();
    EXPECT_EQ(profile.base_url, "http://h:9090");
    EXPECT_EQ(profile.username, "ann");
}

TEST(Profile, broken_text_names_the_line) {
    for (const char* text : {"default:\n    nonsense\n", "default:\n    username: \"ann\n"}) {
        const auto profile = parse_profile(text);
        ASSERT_FALSE(profile);
        EXPECT_THAT(profile.error().what(), HasSubstr("line 2"));
    }
}

TEST(Profile, names_cannot_leave_the_folder) {
    EXPECT_TRUE(is_profile_name("work-2.eu"));
    for (const char* name : {"", "..", "a/b", ".hidden", "a b", "\n"}) {
        EXPECT_FALSE(is_profile_name(name)) << name;
    }
}

TEST(Profile, folder_follows_the_environment) {
    const auto folder = [](const std::string& config, const std::string& home) {
        return profile_folder([=](const char* name) {
            return std::string(name) == "XDG_CONFIG_HOME" ? config
                   : std::string(name) == "HOME"          ? home
                                                          : std::string();
        });
    };
    EXPECT_EQ(folder("/c", "/h").value(), "/c/tombolo");
    EXPECT_EQ(folder("", "/h").value(), "/h/.config/tombolo");
    EXPECT_FALSE(folder("", ""));
}

RC_GTEST_PROP(Profile, printed_text_is_read_back, (std::string username, std::string token)) {
    const auto clean = [](std::string& text) {
        std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    };
    clean(username);
    clean(token);
    Profile profile;
    profile.username = username;
    profile.access_token = token;
    const Profile read = parse_profile(print_profile("p", profile)).value();
    RC_ASSERT(read.username == username);
    RC_ASSERT(read.access_token == token);
}

} // namespace
} // namespace tombolo::cli
