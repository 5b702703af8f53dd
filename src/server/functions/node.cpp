#include "server/functions/node.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <sstream>

namespace tombolo::functions {

namespace {

constexpr int oldest_version = 18;

std::string find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) {
        return ::access(name.c_str(), X_OK) == 0 ? name : std::string();
    }
    const char* path = std::getenv("PATH");
    std::istringstream folders(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        const std::string file = folder + "/" + name;
        if (!folder.empty() && ::access(file.c_str(), X_OK) == 0) {
            return file;
        }
    }
    return {};
}

// What `program --version` prints, at most one short line.
std::string version_of(const std::string& program) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
        return {};
    }
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    std::string name = program;
    std::string flag = "--version";
    std::array<char*, 3> arguments{name.data(), flag.data(), nullptr};
    std::array<char*, 1> environment{nullptr};
    pid_t pid = 0;
    const int failed = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments.data(),
                                     environment.data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    std::string text;
    if (failed == 0) {
        std::array<char, 64> buffer{};
        ssize_t got = 0;
        while (text.size() < buffer.size() &&
               (got = ::read(pipe[0], buffer.data(), buffer.size())) > 0) {
            text.append(buffer.data(), static_cast<std::size_t>(got));
        }
        int status = 0;
        while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
    }
    ::close(pipe[0]);
    return text.substr(0, text.find_first_of("\r\n"));
}

} // namespace

Result<Node> find_node(const std::string& name) {
    const std::string path = find_program(name);
    if (path.empty()) {
        return Error(ErrorCode::not_found,
                     "user functions need Node.js 18 or later, and there is no program '" + name +
                         "'; install Node.js or set --node to its path");
    }
    const std::string version = version_of(path);
    int major = 0;
    if (version.starts_with('v')) {
        std::from_chars(version.data() + 1, version.data() + version.size(), major);
    }
    if (major < oldest_version) {
        return Error(ErrorCode::unsupported, "user functions need Node.js 18 or later; " + path +
                                                 " says '" + version +
                                                 "': set --node to a newer one");
    }
    return Node{path, version};
}

} // namespace tombolo::functions
