#pragma once

// The least that telling thousands of sockets the same can cost: an epoll loop in one thread that
// writes a frame to each of them and reads what they answer, and understands neither.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tombolo::bench {

struct FanShape {
    std::size_t sockets = 0;
    std::size_t frame_bytes = 0;  ///< to each
    std::size_t answer_bytes = 0; ///< from each, for each frame
};

/// Writes its port to `port_pipe`, then serves one FanClients until killed.
void serve_fan(int port_pipe, const FanShape& shape);

class FanClients {
  public:
    FanClients(std::uint16_t port, const FanShape& shape);
    ~FanClients();
    FanClients(const FanClients&) = delete;
    FanClients& operator=(const FanClients&) = delete;

    /// Frames a second over so many rounds: the next begins when all have the last, the time ends
    /// when the server has read the last answer.
    double rate(std::size_t rounds);

  private:
    void trigger(char what) const;

    FanShape shape_;
    int epoll_;
    int control_;
    std::vector<int> sockets_;
    std::vector<std::size_t> received_;
};

} // namespace tombolo::bench
