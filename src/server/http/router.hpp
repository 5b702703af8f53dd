#pragma once

// Which handler a path belongs to.
//
// A pattern is a path whose segments may be "{name}" (one non-empty segment, taken as it is after
// percent-decoding). The last one may be "{name...}": all that is left of the path, at least one
// byte. Literal segments win over parameters, those over the rest. Patterns are added before the
// first match.
//
// Thread-safety: match() from any thread once all is added.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/message.hpp"

namespace tombolo::http {

using PathParameters = std::vector<std::pair<std::string, std::string>>;

/// An index into the caller's table of routes.
using RouteId = std::size_t;

class Router {
  public:
    Router();
    ~Router();

    /// Throws Error(already_exists) on a second route of one method and pattern.
    void add(Method method, std::string_view pattern, RouteId route);

    struct Match {
        enum class Kind : std::uint8_t { found, no_path, no_method };
        Kind kind = Kind::no_path;
        RouteId route = 0;
        PathParameters parameters;
        std::vector<Method> allowed; ///< of no_method
    };
    Match match(Method method, std::string_view path) const;

  private:
    struct Node;
    std::unique_ptr<Node> root_;
};

} // namespace tombolo::http
