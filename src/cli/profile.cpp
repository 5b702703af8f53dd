#include "cli/profile.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/text.hpp"

namespace tombolo::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t profile_bytes_max = std::size_t{64} * 1024;

struct Key {
    const char* name;
    std::string Profile::*member;
};
constexpr Key keys[] = {
    {"base_url", &Profile::base_url},
    {"username", &Profile::username},
    {"public_api_key", &Profile::public_api_key},
    {"access_token", &Profile::access_token},
    {"refresh_token", &Profile::refresh_token},
    {"ca_file", &Profile::ca_file},
};

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// A double-quoted scalar with the escapes \" and \\, or a plain one.
Result<std::string> scalar(std::string_view text) {
    if (!text.starts_with('"')) {
        return std::string(text.substr(0, text.find(" #")));
    }
    std::string out;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            return out;
        }
        if (text[i] == '\\' && i + 1 < text.size()) {
            ++i;
        }
        out += text[i];
    }
    return Error(ErrorCode::invalid_argument, "a quoted value does not end");
}

std::string escaped(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        if (static_cast<unsigned char>(c) >= 0x20) {
            out += c;
        }
    }
    return out + "\"";
}

Error io_error(const std::string& what, const std::string& path) {
    return Error(ErrorCode::io, what + ": " + std::strerror(errno), path);
}

} // namespace

bool is_profile_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= 64 && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '.';
           });
}

Result<std::string> profile_folder(const Environment& environment) {
    const std::string config = environment("XDG_CONFIG_HOME");
    if (!config.empty()) {
        return config + "/tombolo";
    }
    const std::string home = environment("HOME");
    if (home.empty()) {
        return Error(ErrorCode::invalid_argument,
                     "cannot tell where profiles are: neither XDG_CONFIG_HOME nor HOME is set");
    }
    return home + "/.config/tombolo";
}

Result<Profile> parse_profile(std::string_view text) {
    if (text.size() > profile_bytes_max) {
        return Error(ErrorCode::limit_exceeded, "a profile is at most 64 kB long");
    }
    Profile profile;
    std::size_t line_number = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++line_number;
        const std::string_view content = trimmed(line);
        if (content.empty() || content.starts_with('#') || content == "---") {
            continue;
        }
        const auto where = [&] { return "line " + std::to_string(line_number); };
        const std::size_t colon = content.find(':');
        if (colon == std::string_view::npos) {
            return Error(ErrorCode::invalid_argument, "expected 'key: value'", where());
        }
        const std::string_view key = content.substr(0, colon);
        Result<std::string> value = scalar(trimmed(content.substr(colon + 1)));
        if (!value) {
            return value.error().within(where());
        }
        for (const Key& known : keys) {
            if (key == known.name && line.starts_with(' ')) {
                profile.*(known.member) = *std::move(value);
                break;
            }
        }
    }
    return profile;
}

std::string print_profile(const std::string& name, const Profile& profile) {
    std::string out = name + ":\n";
    for (const Key& key : keys) {
        if (!(profile.*(key.member)).empty()) {
            out += std::string("    ") + key.name + ": " + escaped(profile.*(key.member)) + "\n";
        }
    }
    return out;
}

Result<Profile> read_profile(const std::string& folder, const std::string& name) {
    const std::string path = folder + "/" + name + ".yaml";
    std::error_code error;
    if (!fs::exists(path, error)) {
        return Profile{};
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return io_error("cannot read the profile", path);
    }
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    Result<Profile> profile = parse_profile(text);
    return profile ? std::move(profile) : Result<Profile>(profile.error().within(path));
}

Result<void> write_profile(const std::string& folder, const std::string& name,
                           const Profile& profile) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) {
        return Error(ErrorCode::io, "cannot make the folder of profiles: " + error.message(),
                     folder);
    }
    ::chmod(folder.c_str(), 0700);
    const std::string path = folder + "/" + name + ".yaml";
    const std::string temporary = path + "." + std::to_string(::getpid());
    const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) {
        return io_error("cannot write the profile", temporary);
    }
    const std::string text = print_profile(name, profile);
    const bool written =
        ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fchmod(file, 0600) == 0;
    const bool closed = ::close(file) == 0;
    if (!written || !closed || ::rename(temporary.c_str(), path.c_str()) != 0) {
        const Error failed = io_error("cannot write the profile", path);
        ::unlink(temporary.c_str());
        return failed;
    }
    return {};
}

std::vector<std::string> profile_names(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code error;
    fs::directory_iterator walk(folder, error);
    for (; !error && walk != fs::directory_iterator(); walk.increment(error)) {
        if (walk->path().extension() == ".yaml") {
            names.push_back(walk->path().stem().string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace tombolo::cli
