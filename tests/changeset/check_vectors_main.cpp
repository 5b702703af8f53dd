// check_vectors [DIR]: checks the golden vectors in DIR (default: tests/vectors below the current
// directory).
//
// Prints "<file> <passed>/<total>" a file, each failure by name on stderr, then "strict <n>". Exit
// code 1 when a line fails.

#include <cstddef>
#include <cstdio>
#include <exception>

#include "support/vector_check.hpp"

int main(int argc, char** argv) {
    try {
        std::size_t failures = 0;
        std::size_t strict = 0;
        for (const auto& result :
             tombolo::testing::check_vector_files(argc > 1 ? argv[1] : "tests/vectors")) {
            std::printf("%s %zu/%zu\n", result.file.c_str(), result.passed(), result.total);
            for (const auto& failure : result.failures) {
                std::fprintf(stderr, "FAILED %s %s: %s\n", result.file.c_str(),
                             failure.name.c_str(), failure.reason.c_str());
            }
            failures += result.failures.size();
            strict += result.strict;
        }
        std::printf("strict %zu\n", strict);
        return failures == 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "check_vectors: %s\n", error.what());
        return 2;
    }
}
