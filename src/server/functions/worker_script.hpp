#pragma once

// The JavaScript that a worker process runs (worker/*.js), put into the program when it is built.

#include <string_view>

namespace tombolo::functions {

std::string_view worker_script() noexcept;

} // namespace tombolo::functions
