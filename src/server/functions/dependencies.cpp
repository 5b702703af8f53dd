#include "server/functions/dependencies.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <vector>

namespace tombolo::functions {

namespace fs = std::filesystem;

namespace {

// Runs a program with nothing but a PATH; its exit code, or -1.
int run(std::vector<std::string> words) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    std::string path = "PATH=/usr/bin:/bin";
    char* environment[] = {path.data(), nullptr};
    pid_t pid = 0;
    if (::posix_spawnp(&pid, arguments[0], nullptr, nullptr, arguments.data(), environment) != 0) {
        return -1;
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// What may not be in it: links that lead out. Tools refuse ".." and absolute names themselves.
Result<void> check_links(const fs::path& root) {
    std::error_code error;
    const fs::path real = fs::canonical(root, error);
    for (fs::recursive_directory_iterator walk(root, error), end; !error && walk != end;
         walk.increment(error)) {
        if (!walk->is_symlink(error)) {
            continue;
        }
        const fs::path target = fs::weakly_canonical(walk->path(), error);
        const auto inside = target.lexically_relative(real);
        if (inside.empty() || *inside.begin() == "..") {
            return Error(ErrorCode::invalid_argument,
                         "a link in the dependency archive leads out of it",
                         walk->path().lexically_relative(root).string());
        }
    }
    return {};
}

} // namespace

Result<void> unpack_dependencies(std::string_view name, std::string_view archive,
                                 const std::string& folder) {
    std::error_code error;
    if (fs::is_directory(folder, error)) {
        return {};
    }
    const std::string part = folder + ".part";
    const std::string file = folder + ".archive";
    fs::remove_all(part, error);
    fs::create_directories(part, error);
    if (error) {
        return Error(ErrorCode::io, "cannot make a folder for dependencies: " + error.message(),
                     part);
    }
    std::ofstream out(file, std::ios::binary);
    out.write(archive.data(), static_cast<std::streamsize>(archive.size()));
    out.close();
    if (!out) {
        return Error(ErrorCode::io, "cannot write the dependency archive", file);
    }
    int code = -1;
    if (name.ends_with(".zip")) {
        code = run({"unzip", "-q", "-o", file, "-d", part});
    } else if (name.ends_with(".tar") || name.ends_with(".tar.gz") || name.ends_with(".tgz")) {
        code =
            run({"tar", "--extract", "--no-same-owner", "--file=" + file, "--directory=" + part});
    } else {
        return Error(ErrorCode::unsupported,
                     "dependencies come as node_modules.tar, .tar.gz, .tgz or .zip",
                     std::string(name));
    }
    fs::remove(file, error);
    if (code != 0) {
        fs::remove_all(part, error);
        return Error(ErrorCode::io,
                     "cannot unpack the dependencies: " +
                         std::string(name.ends_with(".zip") ? "unzip" : "tar") +
                         (code < 0 ? " is not installed" : " failed"),
                     std::string(name));
    }
    const Result<void> checked = check_links(part);
    if (!checked) {
        fs::remove_all(part, error);
        return checked.error();
    }
    // An archive of the folder itself, or of what is in it.
    if (!fs::is_directory(part + "/node_modules", error)) {
        const std::string inner = folder + ".inner";
        fs::remove_all(inner, error);
        fs::rename(part, inner, error);
        fs::create_directories(part, error);
        fs::rename(inner, part + "/node_modules", error);
    }
    fs::rename(part, folder, error);
    if (error) {
        return Error(ErrorCode::io, "cannot place the dependencies: " + error.message(), folder);
    }
    return {};
}

} // namespace tombolo::functions
