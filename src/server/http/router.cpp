#include "server/http/router.hpp"

#include <map>

#include "core/error.hpp"

namespace tombolo::http {

struct Router::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::string parameter_name;
    std::unique_ptr<Node> rest; ///< "{name...}"
    std::string rest_name;
    std::map<Method, RouteId> routes;
};

namespace {

std::vector<std::string_view> segments(std::string_view path) {
    std::vector<std::string_view> out;
    std::size_t from = path.starts_with('/') ? 1 : 0;
    while (from < path.size()) {
        const std::size_t end = std::min(path.find('/', from), path.size());
        out.push_back(path.substr(from, end - from));
        from = end + 1;
    }
    return out;
}

} // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

void Router::add(Method method, std::string_view pattern, RouteId route) {
    Node* node = root_.get();
    for (const std::string_view segment : segments(pattern)) {
        if (segment.starts_with('{') && segment.ends_with("...}")) {
            if (!node->rest) {
                node->rest = std::make_unique<Node>();
                node->rest_name = segment.substr(1, segment.size() - 5);
            }
            node = node->rest.get();
        } else if (segment.starts_with('{') && segment.ends_with('}')) {
            if (!node->parameter) {
                node->parameter = std::make_unique<Node>();
                node->parameter_name = segment.substr(1, segment.size() - 2);
            }
            node = node->parameter.get();
        } else {
            auto& child = node->literals[std::string(segment)];
            if (!child) {
                child = std::make_unique<Node>();
            }
            node = child.get();
        }
    }
    if (!node->routes.emplace(method, route).second) {
        throw Error(ErrorCode::already_exists, "a second route of one method and pattern",
                    std::string(method_name(method)) + " " + std::string(pattern));
    }
}

Router::Match Router::match(Method method, std::string_view path) const {
    Match match;
    const Node* node = root_.get();
    for (const std::string_view segment : segments(path)) {
        const auto literal = node->literals.find(segment);
        if (literal != node->literals.end()) {
            node = literal->second.get();
        } else if (node->parameter && !segment.empty()) {
            match.parameters.emplace_back(node->parameter_name, segment);
            node = node->parameter.get();
        } else if (node->rest) {
            match.parameters.emplace_back(node->rest_name, path.substr(static_cast<std::size_t>(
                                                               segment.data() - path.data())));
            node = node->rest.get();
            break;
        } else {
            return match;
        }
    }
    if (node->routes.empty()) {
        return match;
    }
    const auto found = node->routes.find(method);
    if (found == node->routes.end()) {
        match.kind = Match::Kind::no_method;
        for (const auto& [allowed, route] : node->routes) {
            match.allowed.push_back(allowed);
        }
        return match;
    }
    match.kind = Match::Kind::found;
    match.route = found->second;
    return match;
}

} // namespace tombolo::http
