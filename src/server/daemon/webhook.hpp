#pragma once

// POSTs JSON to the address that an operator configured. Waits for five seconds at most; no
// redirects. Errors: unavailable. Thread-safety: any thread, one call at a time.

#include <string>

#include "core/result.hpp"

namespace tombolo::server {

class Webhook {
  public:
    explicit Webhook(std::string url) : url_(std::move(url)) {}
    Result<void> operator()(const std::string& json) const;

  private:
    std::string url_;
};

} // namespace tombolo::server
