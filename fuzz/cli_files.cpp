// Small files and answers that the command reads: archives of exports, profiles, app directories.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cli/app_directory.hpp"
#include "cli/profile.hpp"
#include "cli/zip_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tombolo;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto tree = cli::read_zip(text, std::size_t{1} << 20)) {
        for (const auto& [path, content] : *tree) {
            if (!cli::is_safe_path(path)) {
                std::abort();
            }
        }
        static_cast<void>(cli::app_to_json(*tree));
    }
    if (const auto profile = cli::parse_profile(text)) {
        const auto again = cli::parse_profile(cli::print_profile("p", *profile));
        if (!again) {
            std::abort();
        }
    }
    return 0;
}
