#include "mql/path.hpp"

namespace tombolo::mql {

namespace {

/// Each numeric component may be a name and a position at once, so the ways through nested arrays
/// grow with their number.
constexpr std::size_t path_positions_max = 16;

} // namespace

std::int64_t array_index(std::string_view component) noexcept {
    if (component.empty() || component.size() > 9 ||
        (component[0] == '0' && component.size() > 1)) {
        return -1;
    }
    std::int64_t out = 0;
    for (const char c : component) {
        if (c < '0' || c > '9') {
            return -1;
        }
        out = out * 10 + (c - '0');
    }
    return out;
}

Result<Path> Path::parse(std::string_view dotted) {
    Path path;
    std::size_t positions = 0;
    for (;;) {
        const std::size_t dot = dotted.find('.');
        const std::string_view name = dotted.substr(0, dot);
        if (path.components_.size() == limits::document_depth_max) {
            return Error(ErrorCode::mql_invalid, "a field path has more than " +
                                                     std::to_string(limits::document_depth_max) +
                                                     " components");
        }
        path.components_.push_back({std::string(name), array_index(name)});
        positions += path.components_.back().index >= 0 ? 1 : 0;
        if (positions > path_positions_max) {
            return Error(ErrorCode::mql_invalid, "a field path has more than " +
                                                     std::to_string(path_positions_max) +
                                                     " numeric components");
        }
        if (dot == std::string_view::npos) {
            return path;
        }
        dotted.remove_prefix(dot + 1);
    }
}

std::string Path::to_string() const {
    std::string out;
    for (const PathComponent& component : components_) {
        if (&component != components_.data()) {
            out += '.';
        }
        out += component.name;
    }
    return out;
}

} // namespace tombolo::mql
