#include "reference/zlib_level.hpp"

#include <zlib.h>

#include "server_process.hpp"

namespace tombolo::bench {

double compress_pieces(const std::vector<std::vector<std::byte>>& pieces, int level) {
    std::vector<Bytef> out;
    const double start = seconds_now();
    for (const auto& piece : pieces) {
        out.resize(::compressBound(piece.size()));
        uLongf size = out.size();
        if (::compress2(out.data(), &size, reinterpret_cast<const Bytef*>(piece.data()),
                        piece.size(), level) != Z_OK) {
            give_up("zlib cannot compress");
        }
    }
    return seconds_now() - start;
}

} // namespace tombolo::bench
