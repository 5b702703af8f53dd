// Prints docs/reference/sync-errors.md: `sync_errors_doc > docs/reference/sync-errors.md`.

#include <cstdio>
#include <string>

#include "protocol/sync_error.hpp"

int main() {
    const std::string page = tombolo::protocol::sync_errors_markdown();
    return std::fwrite(page.data(), 1, page.size(), stdout) == page.size() ? 0 : 1;
}
