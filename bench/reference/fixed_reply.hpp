#pragma once

// The least that our listener can be asked to do: a fixed reply, made on the I/O thread.

#include <string>

namespace tombolo::bench {

/// Writes its port to `port_pipe`, then serves until killed.
void serve_fixed_reply(int port_pipe, const std::string& body);

} // namespace tombolo::bench
