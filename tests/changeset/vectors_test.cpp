// The vector checker itself: it passes what is right and notices a single wrong byte.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "support/vector_check.hpp"

namespace tombolo::testing {

namespace {

namespace fs = std::filesystem;

const fs::path& vector_directory() {
    static const fs::path directory = fs::path(TOMBOLO_TEST_DATA) / "vectors";
    return directory;
}

/// A copy of the vectors in a directory of this test's own, removed at the end.
class VectorCopy {
  public:
    VectorCopy() {
        std::string pattern = (fs::temp_directory_path() / "tombolo_vectors_XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
        for (const auto& entry : fs::directory_iterator(vector_directory())) {
            if (entry.is_regular_file()) {
                fs::copy_file(entry.path(), directory_ / entry.path().filename());
            }
        }
    }
    ~VectorCopy() {
        std::error_code ignored;
        fs::remove_all(directory_, ignored);
    }
    VectorCopy(const VectorCopy&) = delete;
    VectorCopy& operator=(const VectorCopy&) = delete;

    const fs::path& directory() const { return directory_; }

    /// Flips the lowest bit of the last byte of the first hex string that is not empty.
    void flip_a_byte(const std::string& file) const {
        const fs::path path = directory_ / file;
        std::ifstream in(path);
        std::string content{std::istreambuf_iterator<char>(in), {}};
        in.close();
        const std::string member = "\"hex\":";
        std::size_t begin = 0;
        std::size_t end = 0;
        do {
            begin = content.find(member, end);
            ASSERT_NE(begin, std::string::npos);
            begin = content.find('"', begin + member.size()) + 1;
            end = content.find('"', begin);
        } while (end == begin);
        char& digit = content.at(end - 1);
        const std::string digits = "0123456789abcdef";
        digit = digits.at(digits.find(digit) ^ 1U);
        std::ofstream(path) << content;
    }

  private:
    fs::path directory_;
};

class VectorFile : public ::testing::TestWithParam<const char*> {};

} // namespace

TEST(Vectors, every_line_passes) {
    for (const VectorFileResult& result : check_vector_files(vector_directory())) {
        for (const VectorFailure& failure : result.failures) {
            ADD_FAILURE() << result.file << " " << failure.name << ": " << failure.reason;
        }
        EXPECT_GT(result.total, 80U) << result.file;
    }
}

TEST(Vectors, a_missing_directory_fails_every_file) {
    for (const VectorFileResult& result : check_vector_files("no/such/directory")) {
        EXPECT_EQ(result.passed(), 0U) << result.file;
        EXPECT_EQ(result.failures.size(), 1U) << result.file;
    }
}

TEST_P(VectorFile, one_flipped_byte_fails_its_line_only) {
    const VectorCopy copy;
    copy.flip_a_byte(GetParam());
    for (const VectorFileResult& result : check_vector_files(copy.directory())) {
        EXPECT_EQ(result.failures.size(), result.file == GetParam() ? 1U : 0U) << result.file;
    }
}

INSTANTIATE_TEST_SUITE_P(EveryKind, VectorFile,
                         ::testing::Values("changesets.jsonl", "merges.jsonl", "merges_multi.jsonl",
                                           "apply.jsonl", "sessions.jsonl", "uploads.jsonl"));

} // namespace tombolo::testing
