#include "server/app/app_tree.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/bytes.hpp"
#include "core/limits.hpp"
#include "server/app/zip_writer.hpp"

namespace tombolo::server {

namespace fs = std::filesystem;

namespace {

bool is_left_out(const fs::path& relative) {
    for (const fs::path& part : relative) {
        const std::string name = part.string();
        if (name == "node_modules" || (name.starts_with('.') && name != ".mdb")) {
            return true;
        }
    }
    return relative.generic_string().starts_with("hosting/files/");
}

constexpr std::size_t package_files_max = 60'000;
constexpr std::string_view packages_folder = "functions/node_modules/";
constexpr std::string_view packages_archive = "functions/node_modules";

// What npm installed beside the functions; commands for a shell and caches are of no use to them.
bool is_package_file(const std::string& path) {
    return path.starts_with(packages_folder) &&
           !path.starts_with(std::string(packages_folder) + ".");
}

bool has_archive(const AppTree& tree) {
    const auto found = tree.lower_bound(std::string(packages_archive) + ".");
    return found != tree.end() && found->first.starts_with(std::string(packages_archive) + ".");
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

// Lines in common at both ends stand; the middle is shown as removed, then added. Exact for the
// small edits that configurations see, and linear.
std::vector<std::string> line_changes(std::string_view before, std::string_view after) {
    if (!is_utf8(before) || !is_utf8(after)) {
        return {};
    }
    const auto left = lines_of(before);
    const auto right = lines_of(after);
    constexpr std::size_t context = 2;
    const auto common = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
    const auto head = static_cast<std::size_t>(common.first - left.begin());
    std::size_t tail = 0;
    while (tail < left.size() - head && tail < right.size() - head &&
           left[left.size() - 1 - tail] == right[right.size() - 1 - tail]) {
        ++tail;
    }
    std::vector<std::string> out;
    const auto show = [&](char mark, const std::vector<std::string_view>& lines, std::size_t from,
                          std::size_t to) {
        for (std::size_t i = from; i < to; ++i) {
            out.push_back(mark + std::string(lines[i]));
        }
    };
    show(' ', left, head - std::min(head, context), head);
    show('-', left, head, left.size() - tail);
    show('+', right, head, right.size() - tail);
    show(' ', left, left.size() - tail, left.size() - tail + std::min(tail, context));
    return out;
}

} // namespace

Result<AppTree> read_app_directory(const std::string& directory) {
    std::error_code error;
    if (!fs::is_directory(directory, error)) {
        return Error(ErrorCode::not_found, "there is no app directory", directory);
    }
    AppTree tree;
    AppTree packages;
    std::size_t bytes = 0;
    fs::recursive_directory_iterator walk(directory, error);
    for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
        const fs::path relative = walk->path().lexically_relative(directory);
        const std::string path = relative.generic_string();
        const bool is_package = is_package_file(path);
        if (!is_package && is_left_out(relative)) {
            if (walk->is_directory(error) && path + "/" != packages_folder) {
                walk.disable_recursion_pending();
            }
            continue;
        }
        if (walk->is_symlink(error) || !walk->is_regular_file(error)) {
            continue;
        }
        bytes += walk->file_size(error);
        const bool too_many =
            tree.size() >= limits::app_files_max || packages.size() >= package_files_max;
        if (too_many || bytes > limits::app_bytes_max) {
            return Error(ErrorCode::limit_exceeded,
                         "the app directory has more than " +
                             std::to_string(limits::app_files_max) + " files or " +
                             std::to_string(limits::app_bytes_max >> 20) + " MB",
                         directory);
        }
        std::ifstream file(walk->path(), std::ios::binary);
        std::string content((std::istreambuf_iterator<char>(file)), {});
        if (file.bad() || !file.is_open()) {
            return Error(ErrorCode::io, "cannot read a file of the app directory",
                         walk->path().string());
        }
        if (is_package) {
            packages.emplace(path.substr(path.find('/') + 1), std::move(content));
        } else {
            tree.emplace(path, std::move(content));
        }
    }
    if (error) {
        return Error(ErrorCode::io, "cannot read the app directory: " + error.message(), directory);
    }
    if (!packages.empty() && !has_archive(tree)) {
        TOMBOLO_TRY(tree[std::string(packages_archive) + ".zip"], write_zip(packages));
    }
    return tree;
}

std::vector<FileChange> diff(const AppTree& before, const AppTree& after) {
    std::vector<FileChange> changes;
    for (const auto& [path, content] : before) {
        const auto found = after.find(path);
        if (found == after.end()) {
            changes.push_back({FileChange::Kind::removed, path, {}});
        } else if (found->second != content) {
            changes.push_back(
                {FileChange::Kind::modified, path, line_changes(content, found->second)});
        }
    }
    for (const auto& [path, content] : after) {
        if (!before.contains(path)) {
            changes.push_back({FileChange::Kind::added, path, line_changes({}, content)});
        }
    }
    std::sort(changes.begin(), changes.end(),
              [](const FileChange& a, const FileChange& b) { return a.path < b.path; });
    return changes;
}

} // namespace tombolo::server
