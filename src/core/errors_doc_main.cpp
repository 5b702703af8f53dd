// Prints docs/reference/errors.md: `errors_doc > docs/reference/errors.md`.

#include <cstdio>
#include <string>

#include "core/error.hpp"

int main() {
    const std::string page = tombolo::error_codes_markdown();
    return std::fwrite(page.data(), 1, page.size(), stdout) == page.size() ? 0 : 1;
}
